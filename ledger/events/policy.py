"""Facts of clearing policies (结算政策): proposed, approved by somebody else, or rejected.

All policies of an area share one stream: there are few, and which one is in force is a question
about all of them.
"""

from ledger.events.base import Fact


class PolicyFact(Fact, frozen=True, kw_only=True):
    """What every fact of a policy says."""

    area: str
    fund: str  # leaf fund that pays
    name: str
    version: int  # 1, and one more for each proposal of the name
    by: str


class PolicyProposed(PolicyFact, frozen=True, kw_only=True):
    """政策提交: the whole content as it was written, with its hash."""

    TOPIC = "policy.proposed.v1"

    title: str
    effective: str  # date
    until: str | None
    basis: str  # 文件依据
    content: dict[str, object]
    content_hash: str


class PolicyApproved(PolicyFact, frozen=True, kw_only=True):
    """政策批准, by somebody else than who proposed it: from its date on it is in force."""

    TOPIC = "policy.approved.v1"

    content_hash: str


class PolicyRejected(PolicyFact, frozen=True, kw_only=True):
    """政策退回, with its reason."""

    TOPIC = "policy.rejected.v1"

    reason: str
