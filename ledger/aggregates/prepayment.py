"""Batches of prepayments (预付单) of one leaf fund and month: waiting, approved or sent back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import InputRejected, RuleRefused
from ledger.events import prepayment as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
_ID = re.compile(
    r"([0-9]{6})-prepay-([0-9]{3}(?:\.[a-z]+)?)-([0-9]{4}-(?:0[1-9]|1[0-2]))-([1-9][0-9]*)"
)


class UnknownPrepayment(InputRejected):
    """No batch of prepayments has that id."""

    code = "unknown_prepayment"
    zh = "没有预付单 {prepayment}。"
    en = "There is no prepayment {prepayment}."
    hint_zh = "编号写作 统筹区-prepay-险种-年月-批次。"
    hint_en = "It is written AREA-prepay-FUND-YYYY-MM-NO."


class PrepaymentNotWaiting(RuleRefused):
    """The batch was decided already."""

    code = "prepayment_not_waiting"
    zh = "预付单 {prepayment} 当前状态为 {state},不在待复核状态。"
    en = "The prepayment {prepayment} is {state}; it does not wait for a decision."
    hint_zh = "如需收回,请用 payout prepay-return;如需增加,请另行申请。"
    hint_en = "Take back with payout prepay-return; prepare another one to add to it."


class OwnPrepayment(RuleRefused):
    """Four eyes: whoever prepared a batch cannot approve it (经办与复核须分离)."""

    code = "own_prepayment"
    zh = "{user} 是预付单 {prepayment} 的经办人,不能批准自己的预付单。"
    en = "{user} prepared {prepayment} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Prepayment:
    """One batch and where it stands."""

    proposed: facts.PrepaymentProposed
    state: str = WAITING
    decided_by: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        one = self.proposed
        return prepayment_id(one.area, one.fund, one.period, one.no)

    def refuse_decision(self) -> facts.PrepaymentProposed:
        """Give what waits; refuse where it does not."""
        if self.state != WAITING:
            raise PrepaymentNotWaiting(prepayment=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> facts.PrepaymentProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_decision()
        if user == proposed.by:
            raise OwnPrepayment(prepayment=self.id, user=user)
        return proposed


@dataclass(slots=True)
class Prepayments:
    """All batches of one leaf fund for one month, in order."""

    area: str
    fund: str
    period: str
    batches: list[Prepayment] = field(default_factory=list)
    version: int = 0

    def find(self, no: int) -> Prepayment:
        """Give a batch by its number; UnknownPrepayment where there is none."""
        if not 1 <= no <= len(self.batches):
            name = prepayment_id(self.area, self.fund, self.period, no)
            raise UnknownPrepayment(prepayment=name)
        return self.batches[no - 1]


def prepayment_id(area: str, fund: str, period: str, no: int) -> str:
    """Name a batch as ``approve`` and ``reject`` are given it."""
    return f"{area}-prepay-{fund}-{period}-{no}"


def prepayment_of(prepayment: str, area: str) -> tuple[str, str, int] | None:
    """Give fund, month and number in a batch's id; None where it is the id of something else."""
    named = _ID.fullmatch(prepayment)
    return (named[2], named[3], int(named[4])) if named and named[1] == area else None


def fold_prepayments(area: str, fund: str, period: str, stored: Iterable[Fact]) -> Prepayments:
    """Fold the batches of a fund and month."""
    found = Prepayments(area, fund, period)
    for fact in stored:
        found.version += 1
        match fact:
            case facts.PrepaymentProposed():
                found.batches.append(Prepayment(fact))
            case facts.PrepaymentApproved():
                _decide(found, fact, APPROVED)
            case facts.PrepaymentRejected():
                _decide(found, fact, REJECTED).reason = fact.reason
            case _:
                raise TypeError(f"not a fact of a prepayment: {type(fact).__name__}")
    return found


def _decide(found: Prepayments, fact: facts.PrepaymentFact, state: str) -> Prepayment:
    decided = found.find(fact.no)
    decided.state, decided.decided_by = state, fact.by
    return decided
