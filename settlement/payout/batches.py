"""Batches of orders (拨付单、个人拨付单、预付单) as the log has them, and where each order stands."""

from datetime import date

from ledger.aggregates.area import Area
from ledger.aggregates.payout import (
    APPROVED,
    OrderState,
    Payout,
    Payouts,
    UnknownPayout,
    batch_of,
    fold_payouts,
    order_no,
    order_states,
)
from ledger.aggregates.persons import (
    PersonPayment,
    PersonPayout,
    UnknownPersonPayout,
    fold_person_payment,
    fold_person_payout,
    persons_of,
)
from ledger.aggregates.prepayment import (
    Prepayment,
    Prepayments,
    UnknownPrepayment,
    fold_prepayments,
    prepayment_of,
)
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import (
    payouts_stream,
    person_payment_stream,
    persons_stream,
    prepayments_stream,
    settlement_stream,
)
from ledger.events import payout as facts
from ledger.events.base import Fact
from settlement.booking import booking_date, books_touched


def load_payouts(ledger: FundLedger, area: str, fund: str, period: str) -> Payouts:
    """Fold the batches of a leaf fund and month of payment."""
    history = ledger.history(payouts_stream(area, fund, period))
    return fold_payouts(area, fund, period, (item.fact for _, item in history))


def payout_of(ledger: FundLedger, area: Area, payout: str) -> tuple[Payouts, Payout]:
    """Find a batch by its id, among those of its month; UnknownPayout where there is none."""
    named = batch_of(payout, area.code)
    if named is None:
        raise UnknownPayout(payout=payout)
    payouts = load_payouts(ledger, area.code, named[0], named[1])
    return payouts, payouts.find(named[2])


def states_of(ledger: FundLedger, payout: Payout) -> dict[int, OrderState]:
    """Say where every order of an approved batch stands."""
    if payout.state != APPROVED:
        return {}
    return {line.line: order_history(ledger, payout, line)[-1] for line in payout.prepared.lines}


def order_history(ledger: FundLedger, payout: Payout, line: facts.OrderLine) -> list[OrderState]:
    """Read an order's states from the stream of its first month: all its months go together."""
    prepared = payout.prepared
    month = line.parts[0].month
    stream = settlement_stream(prepared.area, prepared.fund, line.institution, month)
    history = (item.fact for _, item in ledger.history(stream))
    found = order_states(history, payout.id, line.line)
    if not found:
        raise UnknownPayout(payout=order_no(payout.id, line.line))
    return found


def load_person_payout(ledger: FundLedger, area: str, batch: str) -> PersonPayout:
    """Fold a batch of payments to persons; its state is empty where there is none."""
    history = ledger.history(persons_stream(area, batch))
    return fold_person_payout(area, batch, (item.fact for _, item in history))


def find_person_payout(ledger: FundLedger, area: Area, payout: str) -> PersonPayout:
    """Find a batch by its id; UnknownPersonPayout where there is none."""
    batch = persons_of(payout, area.code)
    found = load_person_payout(ledger, area.code, batch) if batch is not None else None
    if found is None or not found.state:
        raise UnknownPersonPayout(payout=payout)
    return found


def payments_of(ledger: FundLedger, payout: PersonPayout) -> list[PersonPayment]:
    """Give the payments of a batch in order, those asked for again elsewhere left out."""
    found = []
    for name in payout.payments:
        history = ledger.history(person_payment_stream(payout.area, name))
        own = [item.fact for _, item in history]
        last = max((at for at, fact in enumerate(own) if _is_of(fact, payout.batch)), default=None)
        payment = None if last is None else fold_person_payment(own[: last + 1])
        if payment is not None:
            found.append(payment)
    return found


def _is_of(fact: Fact, batch: str) -> bool:
    return getattr(fact, "batch", None) == batch


def load_prepayments(ledger: FundLedger, area: str, fund: str, period: str) -> Prepayments:
    """Fold the batches of prepayments of a leaf fund and month."""
    history = ledger.history(prepayments_stream(area, fund, period))
    return fold_prepayments(area, fund, period, (item.fact for _, item in history))


def find_prepayment(
    ledger: FundLedger, area: Area, prepayment: str
) -> tuple[Prepayments, Prepayment]:
    """Find a batch of prepayments by its id; UnknownPrepayment where there is none."""
    named = prepayment_of(prepayment, area.code)
    if named is None:
        raise UnknownPrepayment(prepayment=prepayment)
    found = load_prepayments(ledger, area.code, named[0], named[1])
    return found, found.find(named[2])


def booked_on(ledger: FundLedger, area: str, day: str, entry: Entry) -> str:
    """Decide the booking date of an entry."""
    books = books_touched(area, entry)
    return booking_date(date.fromisoformat(day), books, ledger.log.books(area)).isoformat()
