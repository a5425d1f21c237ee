"""Facts of one-stop settlement (一站式结算): what a check of settlements found, and manual claims.

A manual claim (手工、零星报销) is a document of its own before it is settled: prepared by one person,
decided by another. What each fund then owes the person lies on the stream of the person's month, the
person as a keyed token like everywhere.
"""

import msgspec

from ledger.events.base import Fact, Source
from ledger.events.settlement import SettlementFact


class FlaggedPart(msgspec.Struct, frozen=True, array_like=True):
    """A part of a settlement that does not follow the policy, stored as a list; amounts in fen."""

    setl_id: str
    part: str
    settled_fen: int
    by_policy_fen: int
    unsure: str | None  # why what the year had used before may be incomplete


class OneStopFact(Fact, frozen=True, kw_only=True):
    """A fact of one-stop settlement that posts nothing."""

    area: str
    by: str


class LayersChecked(OneStopFact, frozen=True, kw_only=True):
    """一站式核查登记: a month's settlements against the policies in force, as of a position."""

    TOPIC = "layers.checked.v1"

    fund: str  # leaf fund that owes the basic part
    period: str  # YYYY-MM
    as_of: int  # log position
    policies: tuple[str, ...]
    settlements: int
    judged: int
    unjudged: dict[str, int]  # by reason
    deviations: int
    differences: dict[str, int]  # settled less by policy, by part
    flagged: tuple[FlaggedPart, ...]  # the first of them, in the order of days
    kernel: str
    result: str


class ManualClaimFact(OneStopFact, frozen=True, kw_only=True):
    """A step of a manual claim that posts nothing, on the stream of its document."""

    claim_no: str  # 受理编号
    revision: int  # 1, and one more each time it is prepared again after it was sent back


class ManualClaimProposed(ManualClaimFact, frozen=True, kw_only=True):
    """手工报销受理并计算: the cost, what each fund would pay by the policy, and by when."""

    TOPIC = "manual_claim.proposed.v1"

    person: str  # keyed token
    person_key: int
    fund: str  # leaf fund of the policy
    date: str  # of the cost: day of discharge or settlement
    received: str  # 受理日期
    due: str  # 办结期限
    documents: int  # 票据张数
    facts: dict[str, str]  # what decides the rules: insutype, level, med_type …
    cost: dict[str, int]
    year_before: dict[str, int]
    parts: dict[str, int]  # by part, what of it is paid now
    funds: tuple[str, ...]  # leaf funds that will owe it
    paid_before: dict[str, int]  # of the same cost, by part: settled at the counter (补救助)
    person_fen: int
    policy: str
    setl_id: str | None  # the settlement that is made up for, where there is one
    as_of: int  # position of the log that the year was read at
    content: str
    reason: str
    source: Source = Source()


class ManualClaimRejected(ManualClaimFact, frozen=True, kw_only=True):
    """手工报销退回, by the second person or by whoever prepared it."""

    TOPIC = "manual_claim.rejected.v1"

    reason: str


class ManualClaimSettled(SettlementFact, frozen=True, kw_only=True):
    """手工报销核定: what one fund owes the person; ``institution`` is the person's token."""

    TOPIC = "manual_claim.settled.v1"

    claim_no: str
    revision: int
    person_key: int
    parts: dict[str, int]  # of this fund
    amount_fen: int
    policy: str
    approved_by: str
