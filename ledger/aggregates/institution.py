"""An institution's status (定点机构状态) by date, and the changes that wait for a second person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import InputRejected, RuleRefused
from ledger.events import institution as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
ACTIVE, SUSPENDED, TERMINATED, MERGED = "active", "suspended", "terminated", "merged"
#: From which status an institution comes to another.
_FROM = {
    SUSPENDED: {ACTIVE},
    ACTIVE: {SUSPENDED},
    TERMINATED: {ACTIVE, SUSPENDED},
    MERGED: {ACTIVE, SUSPENDED},
}
_ID = re.compile(r"([0-9]{6})-institution-([HP][0-9]{6}[0-9A-Z]{5})-([1-9][0-9]*)")


class UnknownChange(InputRejected):
    """No change of an institution's status has that id."""

    code = "unknown_status_change"
    zh = "没有机构状态变更 {change}。"
    en = "There is no change of status {change}."
    hint_zh = "编号写作 统筹区-institution-机构编码-序号,可用 institution show 查看。"
    hint_en = "It is written AREA-institution-CODE-NO; see institution show."


class ChangeNotWaiting(RuleRefused):
    """The change was decided already."""

    code = "status_change_not_waiting"
    zh = "机构状态变更 {change} 当前状态为 {state},不在待复核状态。"
    en = "The change of status {change} is {state}; it does not wait for a decision."
    hint_zh = "如需再变更,请重新提交。"
    hint_en = "Prepare another change instead."


class OwnChange(RuleRefused):
    """Four eyes: whoever prepared a change cannot approve it (经办与复核须分离)."""

    code = "own_status_change"
    zh = "{user} 是 {change} 的经办人,不能批准自己的变更。"
    en = "{user} prepared {change} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


class StatusNotFitting(RuleRefused):
    """The change does not follow from how the institution stands on its date."""

    code = "status_not_fitting"
    zh = "机构 {institution} 在 {effective} 的状态为 {status},不能变更为 {wanted}。"
    en = "{institution} is {status} on {effective}; it cannot become {wanted}."
    hint_zh = "暂停的可恢复、终止或合并;已终止或已合并的不再变更。"
    hint_en = "A suspended one is resumed, terminated or merged; after these nothing follows."


@dataclass(slots=True)
class Change:
    """One change of status and where it stands."""

    proposed: facts.StatusProposed
    state: str = WAITING
    decided_by: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        one = self.proposed
        return f"{one.area}-institution-{one.institution}-{one.change}"

    @property
    def content(self) -> tuple[str, str, str | None, str]:
        """Give what a repetition must share."""
        one = self.proposed
        return one.status, one.effective, one.into, one.reason

    def refuse_decision(self) -> facts.StatusProposed:
        """Give what waits; refuse where it does not."""
        if self.state != WAITING:
            raise ChangeNotWaiting(change=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> facts.StatusProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_decision()
        if user == proposed.by:
            raise OwnChange(change=self.id, user=user)
        return proposed


@dataclass(slots=True)
class Institution:
    """All changes of one institution's status, in order."""

    area: str
    code: str
    changes: list[Change] = field(default_factory=list)
    version: int = 0

    def find(self, number: int) -> Change:
        """Give a change by its number; UnknownChange where there is none."""
        if not 1 <= number <= len(self.changes):
            raise UnknownChange(change=f"{self.area}-institution-{self.code}-{number}")
        return self.changes[number - 1]

    def on(self, day: str) -> tuple[str, str | None]:
        """Give status and successor on a day: the latest date in force, then the latest decision."""
        in_force = [
            one.proposed
            for one in self.changes
            if one.state == APPROVED and one.proposed.effective <= day
        ]
        if not in_force:
            return ACTIVE, None
        latest = max(one.effective for one in in_force)
        last = [one for one in in_force if one.effective == latest][-1]
        return last.status, last.into

    def refuse_unfitting(self, status: str, effective: str) -> None:
        """StatusNotFitting where the change does not follow from how it stands on its date."""
        before, _ = self.on(effective)
        if before not in _FROM[status]:
            raise StatusNotFitting(
                institution=self.code, effective=effective, status=before, wanted=status
            )


def change_of(change: str, area: str) -> tuple[str, int] | None:
    """Give institution and number in a change's id; None where it is the id of something else."""
    named = _ID.fullmatch(change)
    return (named[2], int(named[3])) if named and named[1] == area else None


def fold_institution(area: str, code: str, stored: Iterable[Fact]) -> Institution:
    """Fold the stream of an institution's status."""
    institution = Institution(area, code)
    for fact in stored:
        institution.version += 1
        match fact:
            case facts.StatusProposed():
                institution.changes.append(Change(fact))
            case facts.StatusChanged():
                _decide(institution, fact, APPROVED)
            case facts.StatusRejected():
                _decide(institution, fact, REJECTED).reason = fact.reason
            case _:
                raise TypeError(f"not a fact of an institution's status: {type(fact).__name__}")
    return institution


def _decide(institution: Institution, fact: facts.InstitutionFact, state: str) -> Change:
    decided = institution.find(fact.change)
    decided.state, decided.decided_by = state, fact.by
    return decided
