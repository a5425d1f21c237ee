"""How an institution stands (定点机构状态): suspended, resumed, terminated, merged into another.

A change is prepared by one person and takes effect from its date on once another approves it. All
steps lie on one stream per institution.
"""

from ledger.events.base import Fact


class InstitutionFact(Fact, frozen=True, kw_only=True):
    """A step of a change of an institution's status."""

    area: str
    institution: str
    change: int  # 1, and one more for each change that was prepared
    by: str


class StatusProposed(InstitutionFact, frozen=True, kw_only=True):
    """提出状态变更: waits for a second person."""

    TOPIC = "institution.status_proposed.v1"

    status: str  # suspended, active, terminated, merged
    effective: str  # date
    reason: str
    into: str | None = None  # successor, of a merger


class StatusChanged(InstitutionFact, frozen=True, kw_only=True):
    """状态变更批准: in force from its date on."""

    TOPIC = "institution.status_changed.v1"

    status: str
    effective: str
    reason: str
    into: str | None = None
    prepared_by: str


class StatusRejected(InstitutionFact, frozen=True, kw_only=True):
    """状态变更退回, by the second person or by whoever prepared it."""

    TOPIC = "institution.status_rejected.v1"

    reason: str
