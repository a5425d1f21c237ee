"""Batches of prepayments (预付单、收回单) of one leaf fund and month, and where each order stands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ledger.aggregates.payout import FAILED, ORDERED, PAID, RETURNED, OrderState
from ledger.errors import InputRejected, RuleRefused
from ledger.events import prepayment as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
Proposed = facts.PrepaymentProposed | facts.ReturnProposed
_ID = re.compile(
    r"([0-9]{6})-prepay-([0-9]{3}(?:\.[a-z]+)?)-([0-9]{4}-(?:0[1-9]|1[0-2]))-([1-9][0-9]*)"
)
_LINE = re.compile(r"(.+)-([0-9]{4,})")


class UnknownPrepayment(InputRejected):
    """No batch of prepayments has that id."""

    code = "unknown_prepayment"
    zh = "没有预付单 {prepayment}。"
    en = "There is no prepayment {prepayment}."
    hint_zh = "编号写作 统筹区-prepay-险种-年月-批次。"
    hint_en = "It is written AREA-prepay-FUND-YYYY-MM-NO."


class PrepaymentNotWaiting(RuleRefused):
    """The batch is not in the state that the step starts from."""

    code = "prepayment_not_waiting"
    zh = "预付单 {prepayment} 当前状态为 {state},不能执行此步骤。"
    en = "The prepayment {prepayment} is {state}; this step does not fit."
    hint_zh = (
        "待复核(waiting)的可批准或退回;已批准(approved)的可登记银行结果。"
        "如需收回,请用 payout prepay-return;如需增加,请另行申请。"
    )
    hint_en = (
        "A waiting one is approved or rejected; the bank's results are of an approved one. Take back"
        " with payout prepay-return; prepare another one to add to it."
    )


class OwnPrepayment(RuleRefused):
    """Four eyes: whoever prepared a batch cannot approve it (经办与复核须分离)."""

    code = "own_prepayment"
    zh = "{user} 是预付单 {prepayment} 的经办人,不能批准自己的预付单。"
    en = "{user} prepared {prepayment} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Prepayment:
    """One batch and where it stands; ``states`` holds those of each order once it is approved."""

    proposed: Proposed
    state: str = WAITING
    decided_by: str | None = None
    reason: str | None = None
    states: dict[int, list[OrderState]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        one = self.proposed
        return prepayment_id(one.area, one.fund, one.period, one.no)

    @property
    def takes_back(self) -> bool:
        """Tell a return (收回) from a prepayment."""
        return isinstance(self.proposed, facts.ReturnProposed)

    @property
    def lines(self) -> Mapping[int, facts.PrepaidLine]:
        """Number the orders as the bank is given them."""
        return dict(enumerate(self.proposed.lines, start=1))

    def refuse_unless(self, state: str) -> Proposed:
        """Give what was proposed, where the batch is in this state."""
        if self.state != state:
            raise PrepaymentNotWaiting(prepayment=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> Proposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_unless(WAITING)
        if user == proposed.by:
            raise OwnPrepayment(prepayment=self.id, user=user)
        return proposed

    def order(self, number: int) -> facts.PrepaidLine:
        """Give an order of an approved batch; UnknownPrepayment where there is none of that number."""
        self.refuse_unless(APPROVED)
        if number not in self.lines:
            raise UnknownPrepayment(prepayment=prepayment_order_no(self.id, number))
        return self.lines[number]


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


def prepayment_order_no(prepayment: str, line: int) -> str:
    """Name one order (付款单号) as the bank is given it."""
    return f"{prepayment}-{line:04d}"


def prepayment_order_of(number: str, area: str) -> tuple[str, int] | None:
    """Give batch and line of an order's number; None where it is none of this area's."""
    named = _LINE.fullmatch(number)
    if named is None or prepayment_of(named[1], area) is None:
        return None
    return named[1], int(named[2])


def fold_prepayments(area: str, fund: str, period: str, stored: Iterable[Fact]) -> Prepayments:
    """Fold the batches of a fund and month."""
    found = Prepayments(area, fund, period)
    for fact in stored:
        found.version += 1
        match fact:
            case facts.PrepaymentProposed() | facts.ReturnProposed():
                found.batches.append(Prepayment(fact))
            case facts.PrepaymentOrdered():
                decided = _decide(found, fact, APPROVED)
                decided.states = {line: [OrderState(ORDERED, "")] for line in decided.lines}
            case facts.PrepaymentApproved():  # paid at its approval, as it was done before
                decided = _decide(found, fact, APPROVED)
                paid = OrderState(PAID, decided.proposed.date)
                decided.states = {line: [paid] for line in decided.lines}
            case facts.PrepaymentRejected():
                _decide(found, fact, REJECTED).reason = fact.reason
            case facts.PrepaymentAnswered():
                found.find(fact.no).states[fact.line].append(_answer(fact))
            case _:
                raise TypeError(f"not a fact of a prepayment: {type(fact).__name__}")
    return found


def _decide(found: Prepayments, fact: facts.PrepaymentFact, state: str) -> Prepayment:
    decided = found.find(fact.no)
    decided.state, decided.decided_by = state, fact.by
    return decided


def _answer(fact: facts.PrepaymentAnswered) -> OrderState:
    match fact:
        case facts.PrepaymentPaid():
            return OrderState(PAID, fact.date, fact.bank_ref)
        case facts.PrepaymentFailed():
            return OrderState(FAILED, fact.date, fact.bank_ref, fact.reason)
        case facts.PrepaymentReturned():
            return OrderState(RETURNED, fact.date, fact.bank_ref, fact.reason)
        case _:
            raise TypeError(f"not a bank's word on a prepayment: {type(fact).__name__}")
