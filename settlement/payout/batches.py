"""Batches of payment orders (拨付单) as the log has them, and where each order stands."""

from datetime import date

from ledger.aggregates.area import Area
from ledger.aggregates.payout import (
    APPROVED,
    ORDERED,
    PAID,
    OrderState,
    Payout,
    Payouts,
    UnknownPayout,
    batch_of,
    fold_payouts,
    order_no,
    order_states,
)
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import payouts_stream, settlement_stream
from ledger.events import payout as facts
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


def booked_on(ledger: FundLedger, area: str, day: str, entry: Entry) -> str:
    """Decide the booking date of an entry."""
    books = books_touched(area, entry)
    return booking_date(date.fromisoformat(day), books, ledger.log.books(area)).isoformat()


def ordered_fen(ledger: FundLedger, payouts: Payouts) -> int:
    """Add up what of a month's batches is ordered or paid; what failed or came back is not."""
    found = 0
    for one in payouts.batches:
        states = states_of(ledger, one)
        found += sum(
            line.fen
            for line in one.prepared.lines
            if line.line in states and states[line.line].state in {ORDERED, PAID}
        )
    return found
