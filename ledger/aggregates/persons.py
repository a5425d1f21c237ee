"""Payments to persons: where a batch stands, and where one payment stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.aggregates.payout import FAILED, ORDERED, PAID, RETURNED, OrderState
from ledger.errors import InputRejected, RuleRefused
from ledger.events import persons as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED, RELEASED = "waiting", "approved", "rejected", "released"
_ID = re.compile(r"([0-9]{6})-persons-(I[0-9a-f]{12}(?:\.[0-9]+)?)")
_NUMBER = re.compile(r"(.+)-([0-9]{4,})")


class UnknownPersonPayout(InputRejected):
    """No batch of payments to persons has that id."""

    code = "unknown_person_payout"
    zh = "没有个人拨付单 {payout}。"
    en = "There is no payout to persons {payout}."
    hint_zh = "编号写作 统筹区-persons-导入批次,导入 person_payments 文件时给出。"
    hint_en = "It is written AREA-persons-INTAKE, as bringing the file in says."


class PersonPayoutNotReady(RuleRefused):
    """The batch is not in the state that the step starts from."""

    code = "person_payout_not_ready"
    zh = "个人拨付单 {payout} 当前状态为 {state},不能执行此步骤。"
    en = "The payout to persons {payout} is {state}; this step does not fit."
    hint_zh = "先由另一人批准,再释放代发文件,然后登记银行结果。"
    hint_en = "Approve it first, then release the bank's file, then record the results."


class OwnPersonPayout(RuleRefused):
    """Four eyes: whoever brought the file in cannot approve it (经办与复核须分离)."""

    code = "own_person_payout"
    zh = "{user} 是个人拨付单 {payout} 的经办人,不能批准自己的拨付单。"
    en = "{user} brought {payout} in and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class PersonPayout:
    """The folded stream of a batch."""

    area: str
    batch: str
    state: str = ""
    payments: tuple[str, ...] = ()
    total_fen: int = 0
    prepared_by: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    released: tuple[str, ...] = ()  # keyed hashes of the files handed out
    version: int = 0

    @property
    def id(self) -> str:
        return persons_id(self.area, self.batch)

    def refuse_unless(self, *states: str) -> None:
        """PersonPayoutNotReady where the batch is in none of these states."""
        if not self.state:
            raise UnknownPersonPayout(payout=self.id)
        if self.state not in states:
            raise PersonPayoutNotReady(payout=self.id, state=self.state)

    def refuse_approval(self, user: str) -> None:
        """Refuse to approve what does not wait, and one's own."""
        self.refuse_unless(WAITING)
        if user == self.prepared_by:
            raise OwnPersonPayout(payout=self.id, user=user)


def persons_id(area: str, batch: str) -> str:
    """Name a batch as ``approve`` and ``reject`` are given it."""
    return f"{area}-persons-{batch}"


def person_order_no(payout: str, number: int) -> str:
    """Name one payment as the bank is given it."""
    return f"{payout}-{number:04d}"


def persons_of(payout: str, area: str) -> str | None:
    """Give the batch in an id; None where it is the id of something else."""
    named = _ID.fullmatch(payout)
    return named[2] if named and named[1] == area else None


def person_order_of(number: str, area: str) -> tuple[str, int] | None:
    """Give batch and number of a payment's order number; None where it is none of this area's."""
    named = _NUMBER.fullmatch(number)
    batch = persons_of(named[1], area) if named else None
    return (batch, int(named[2])) if named and batch is not None else None


def fold_person_payout(area: str, batch: str, stored: Iterable[Fact]) -> PersonPayout:
    """Fold the stream of a batch."""
    payout = PersonPayout(area, batch)
    for fact in stored:
        payout.version += 1
        match fact:
            case facts.PersonPayoutPrepared():
                payout.state, payout.prepared_by = WAITING, fact.by
                payout.payments += fact.payments
                payout.total_fen += fact.total_fen
            case facts.PersonPayoutApproved():
                payout.state, payout.decided_by = APPROVED, fact.by
            case facts.PersonPayoutRejected():
                payout.state, payout.decided_by, payout.reason = REJECTED, fact.by, fact.reason
            case facts.PersonPayoutReleased():
                payout.state, payout.released = RELEASED, (*payout.released, fact.content)
            case _:
                raise TypeError(f"not a fact of a payout to persons: {type(fact).__name__}")
    return payout


@dataclass(frozen=True, slots=True)
class PersonPayment:
    """A payment by its reference: its newest request, and what the bank made of it."""

    requested: facts.PersonPaymentRequested
    states: tuple[OrderState, ...]
    version: int

    @property
    def done(self) -> bool:
        """Tell whether it failed or came back, so that it may be asked for again."""
        return self.states[-1].state in {FAILED, RETURNED}


def fold_person_payment(stored: Iterable[Fact]) -> PersonPayment | None:
    """Fold the stream of a reference; None where there is nothing."""
    requested: facts.PersonPaymentRequested | None = None
    states: list[OrderState] = []
    version = 0
    for fact in stored:
        version += 1
        match fact:
            case facts.PersonPaymentRequested():
                requested, states = fact, [OrderState(ORDERED, "")]
            case facts.PersonPaymentPaid():
                states.append(OrderState(PAID, fact.date, fact.bank_ref))
            case facts.PersonPaymentFailed():
                states.append(OrderState(FAILED, fact.date, fact.bank_ref, fact.reason))
            case facts.PersonPaymentReturned():
                states.append(OrderState(RETURNED, fact.date, fact.bank_ref, fact.reason))
            case _:
                raise TypeError(f"not a fact of a payment to a person: {type(fact).__name__}")
    return None if requested is None else PersonPayment(requested, tuple(states), version)
