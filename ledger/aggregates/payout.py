"""Batches of payment orders (拨付单): waiting, approved or sent back; and where each order stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import InputRejected, RuleRefused
from ledger.events import payout as facts
from ledger.events.base import Fact
from ledger.events.plan import PlanCommitted

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
#: Where one payment order stands once its batch is approved.
ORDERED, PAID, FAILED, RETURNED = "ordered", "paid", "failed", "returned"
_ID = re.compile(
    r"([0-9]{6})-payout-([0-9]{3}(?:\.[a-z]+)?)-([0-9]{4}-(?:0[1-9]|1[0-2]))-([1-9][0-9]*)"
)
_LINE = re.compile(r"(.+)-([0-9]{4,})")


class UnknownPayout(InputRejected):
    """No batch, or no order of it, has that number."""

    code = "unknown_payout"
    zh = "没有拨付单 {payout}。"
    en = "There is no payout {payout}."
    hint_zh = "编号写作 统筹区-payout-险种-付款年月-批次,可用 payout list 查看。"
    hint_en = "A payout is written AREA-payout-FUND-YYYY-MM-NO; see payout list."


class PayoutNotWaiting(RuleRefused):
    """The batch is not in the state that the step starts from."""

    code = "payout_not_waiting"
    zh = "拨付单 {payout} 当前状态为 {state},不能执行此步骤。"
    en = "The payout {payout} is {state}; this step does not fit."
    hint_zh = "待复核(waiting)的可批准或退回;已批准(approved)的可登记银行结果。"
    hint_en = "A waiting one is approved or rejected; the bank's results are of an approved one."


class OwnPayout(RuleRefused):
    """Four eyes: whoever prepared a batch cannot approve it (经办与复核须分离)."""

    code = "own_payout"
    zh = "{user} 是拨付单 {payout} 的经办人,不能批准自己的拨付单。"
    en = "{user} prepared {payout} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Payout:
    """One batch as it stands."""

    prepared: facts.PayoutPrepared
    state: str = WAITING
    decided_by: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        one = self.prepared
        return payout_id(one.area, one.fund, one.period, one.no)

    def refuse_unless(self, state: str) -> facts.PayoutPrepared:
        """Give what was prepared, where the batch is in this state."""
        if self.state != state:
            raise PayoutNotWaiting(payout=self.id, state=self.state)
        return self.prepared

    def refuse_approval(self, user: str) -> facts.PayoutPrepared:
        """Refuse to approve what does not wait, and one's own."""
        prepared = self.refuse_unless(WAITING)
        if user == prepared.by:
            raise OwnPayout(payout=self.id, user=user)
        return prepared


@dataclass(slots=True)
class Payouts:
    """All batches of one leaf fund in one month of payment, in order, and what else was ordered."""

    area: str
    fund: str
    period: str
    batches: list[Payout] = field(default_factory=list)
    committed: list[PlanCommitted] = field(default_factory=list)
    version: int = 0

    def find(self, no: int) -> Payout:
        """Give a batch by its number; UnknownPayout where there is none."""
        if not 1 <= no <= len(self.batches):
            raise UnknownPayout(payout=payout_id(self.area, self.fund, self.period, no))
        return self.batches[no - 1]


@dataclass(frozen=True, slots=True)
class OrderState:
    """Where one payment order stands, and what was said of it last."""

    state: str
    date: str
    bank_ref: str | None = None
    reason: str | None = None


def payout_id(area: str, fund: str, period: str, no: int) -> str:
    """Name a batch as ``approve`` and ``reject`` are given it."""
    return f"{area}-payout-{fund}-{period}-{no}"


def order_no(payout: str, line: int) -> str:
    """Name one payment order (付款单号) as the bank is given it."""
    return f"{payout}-{line:04d}"


def batch_of(payout: str, area: str) -> tuple[str, str, int] | None:
    """Give fund, month and number in a batch's id; None where it is the id of something else."""
    named = _ID.fullmatch(payout)
    return (named[2], named[3], int(named[4])) if named and named[1] == area else None


def order_of(number: str, area: str) -> tuple[str, int] | None:
    """Give batch and line of a payment order's number; None where it is none of this area's."""
    named = _LINE.fullmatch(number)
    if named is None or batch_of(named[1], area) is None:
        return None
    return named[1], int(named[2])


def fold_payouts(area: str, fund: str, period: str, stored: Iterable[Fact]) -> Payouts:
    """Fold the batches of a fund and month."""
    payouts = Payouts(area, fund, period)
    for fact in stored:
        payouts.version += 1
        match fact:
            case facts.PayoutPrepared():
                payouts.batches.append(Payout(fact))
            case facts.PayoutApproved():
                _decide(payouts, fact, APPROVED)
            case facts.PayoutRejected():
                _decide(payouts, fact, REJECTED).reason = fact.reason
            case PlanCommitted():
                payouts.committed.append(fact)
            case _:
                raise TypeError(f"not a fact of a payout: {type(fact).__name__}")
    return payouts


def _decide(payouts: Payouts, fact: facts.PayoutFact, state: str) -> Payout:
    decided = payouts.find(fact.no)
    decided.state, decided.decided_by = state, fact.by
    return decided


def order_states(stored: Iterable[Fact], payout: str, line: int) -> list[OrderState]:
    """List the states of a payment order from the stream of one of its months; the last one holds."""
    found: list[OrderState] = []
    for fact in stored:
        if not isinstance(fact, facts.PaymentFact) or (fact.payout, fact.line) != (payout, line):
            continue
        match fact:
            case facts.PaymentOrdered():
                found.append(OrderState(ORDERED, fact.date))
            case facts.PaymentConfirmed():
                found.append(OrderState(PAID, fact.date, fact.bank_ref))
            case facts.PaymentFailed():
                found.append(OrderState(FAILED, fact.date, fact.bank_ref, fact.reason))
            case facts.PaymentReturned():
                found.append(OrderState(RETURNED, fact.date, fact.bank_ref, fact.reason))
    return found
