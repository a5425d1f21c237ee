"""What the log says of one month's settlements as of a position: our claims, and what was stated.

One pass over the log: only facts whose text names the month are decoded. A settlement counts from
the completion of its intake, as everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from ledger.domain.period import Period
from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.reconciliation import StatementDetailsReceived, StatementTotalsReceived
from ledger.store.reading import StoredFact
from settlement.reconciliation.match import Detail

_PAGE = 20_000
_OWED = "owed.booked"  # what a settlement raises, by the fund that owes it


class _Log(Protocol):
    def read_facts(self, *, after: int, until: int) -> list[StoredFact]: ...


class GroupKey(NamedTuple):
    """What totals are compared by."""

    institution: str
    insutype: str
    clr_type: str


class Claim(NamedTuple):
    """One of our settlements: its group, its amounts with the position it lies at, who owes them."""

    group: GroupKey
    detail: Detail
    funds: tuple[tuple[str, int], ...] = ()  # leaf fund and fen, as booked


class StatedDetail(NamedTuple):
    """One settlement that an institution stated, and the intake it came with."""

    detail: Detail
    intake: str | None


@dataclass(slots=True)
class MonthFacts:
    """Both sides of one month, as of a position of the log."""

    area: str
    period: Period
    position: int
    claims: dict[tuple[str, bool], Claim] = field(default_factory=dict)
    totals: dict[GroupKey, dict[bool | None, StatementTotalsReceived]] = field(default_factory=dict)
    details: dict[str, dict[tuple[str, bool], StatedDetail]] = field(default_factory=dict)


class _Amounts(msgspec.Struct, gc=False):
    medfee_sumamt: int
    fund_pay_sumamt: int
    acct_pay: int


class _Posting(msgspec.Struct, gc=False):
    fund: str
    credit: str
    fen: int


class _Source(msgspec.Struct, gc=False):
    intake: str | None = None


class _SlimClaim(msgspec.Struct, gc=False):
    """The fields of a settlement that are compared."""

    area: str
    setl_id: str
    institution: str
    insutype: str
    clr_type: str
    setl_date: str
    amounts: _Amounts
    postings: list[_Posting]
    source: _Source


class _SlimIntake(msgspec.Struct):
    area: str
    intake: str


class _SlimReversal(msgspec.Struct):
    area: str
    setl_id: str
    refund: bool


_claim = msgspec.json.Decoder(_SlimClaim).decode
_intake = msgspec.json.Decoder(_SlimIntake).decode
_reversal = msgspec.json.Decoder(_SlimReversal).decode
_totals = msgspec.json.Decoder(StatementTotalsReceived).decode
_details = msgspec.json.Decoder(StatementDetailsReceived).decode


def read_month(
    log: _Log, *, area: str, period: Period, position: int, institution: str | None = None
) -> MonthFacts:
    """Read both sides of a month up to a position; of one institution, or of all."""
    found = MonthFacts(area, period, position)
    reader = _Reader(found, institution)
    for after in range(0, position, _PAGE):
        for at, topic, state in log.read_facts(after=after, until=min(after + _PAGE, position)):
            reader.read(at, topic, state)
    return found


class _Reader:
    """Adds facts to a month in log order."""

    def __init__(self, found: MonthFacts, institution: str | None) -> None:
        self._found = found
        self._institution = institution
        self._settled = f'"setl_date":"{found.period}-'.encode()
        self._stated = f'"period":"{found.period}"'.encode()
        self._waiting: dict[str, list[Claim]] = {}  # by intake that has not completed
        self._groups: dict[GroupKey, GroupKey] = {}  # each kept once: a month has a million claims

    def read(self, at: int, topic: str, state: bytes) -> None:
        if topic in {ClaimSettled.TOPIC, ClaimRefunded.TOPIC}:
            if self._settled in state:
                self._claim(at, state, refund=topic == ClaimRefunded.TOPIC)
        elif topic == ClaimReversed.TOPIC:
            reversal = _reversal(state)
            if reversal.area == self._found.area:
                self._found.claims.pop((reversal.setl_id, reversal.refund), None)
        elif topic == IntakeStarted.TOPIC:
            started = _intake(state)
            if started.area == self._found.area:
                self._waiting.setdefault(started.intake, [])
        elif topic == IntakeCompleted.TOPIC:
            completed = _intake(state)
            if completed.area == self._found.area:
                for claim in self._waiting.pop(completed.intake, ()):
                    self._count(claim)
        elif topic == StatementTotalsReceived.TOPIC and self._stated in state:
            self._total(_totals(state))
        elif topic == StatementDetailsReceived.TOPIC and self._stated in state:
            self._list(_details(state))

    def _mine(self, area: str, institution: str) -> bool:
        return area == self._found.area and self._institution in {None, institution}

    def _claim(self, at: int, state: bytes, *, refund: bool) -> None:
        fact = _claim(state)
        if not self._mine(fact.area, fact.institution):
            return
        amounts = fact.amounts
        group = GroupKey(fact.institution, fact.insutype, fact.clr_type)
        claim = Claim(
            self._groups.setdefault(group, group),
            Detail(
                setl_id=fact.setl_id,
                refund=refund,
                medfee_fen=amounts.medfee_sumamt,
                fund_fen=amounts.fund_pay_sumamt,
                account_fen=amounts.acct_pay,
                line=at,
            ),
            tuple((one.fund, one.fen) for one in fact.postings if one.credit == _OWED),
        )
        waiting = self._waiting.get(fact.source.intake or "")
        if waiting is None:
            self._count(claim)
        else:
            waiting.append(claim)

    def _count(self, claim: Claim) -> None:
        self._found.claims[claim.detail.key] = claim

    def _total(self, fact: StatementTotalsReceived) -> None:
        """Take the latest; sums in one and sums by refund replace each other."""
        if not self._mine(fact.area, fact.institution):
            return
        group = GroupKey(fact.institution, fact.insutype, fact.clr_type)
        parts = self._found.totals.setdefault(group, {})
        for other in [True, False] if fact.refund is None else [None]:
            parts.pop(other, None)
        parts[fact.refund] = fact

    def _list(self, fact: StatementDetailsReceived) -> None:
        if not self._mine(fact.area, fact.institution):
            return
        stated = self._found.details.setdefault(fact.institution, {})
        for one in fact.settlements:
            detail = Detail(
                setl_id=one.setl_id,
                refund=one.refund,
                medfee_fen=one.medfee_fen,
                fund_fen=one.fund_fen,
                account_fen=one.account_fen,
                line=one.line,
            )
            stated[detail.key] = StatedDetail(detail, fact.source.intake)


def claims_by_institution(found: MonthFacts) -> dict[str, list[Claim]]:
    """Gather our settlements by institution."""
    mine: dict[str, list[Claim]] = {}
    for claim in found.claims.values():
        mine.setdefault(claim.group.institution, []).append(claim)
    return mine


def stated_by_institution(
    found: MonthFacts,
) -> Iterator[tuple[str, dict[GroupKey, dict[bool | None, StatementTotalsReceived]]]]:
    """Give the totals that each institution stated."""
    stated: dict[str, dict[GroupKey, dict[bool | None, StatementTotalsReceived]]] = {}
    for group, parts in found.totals.items():
        stated.setdefault(group.institution, {})[group] = parts
    yield from stated.items()
