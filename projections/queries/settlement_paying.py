"""How the money of a statement is paid (结算单的拨付): plan of payments, orders, the bank's lines."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ledger.aggregates.payout import ORDERED, Payout, fold_payouts, order_states
from ledger.domain.fund import parent
from ledger.domain.identity import payouts_stream, plan_stream
from ledger.events.payout import PaymentFact, PaymentOrdered, PayoutApproved
from ledger.events.plan import PlanCommitted, PlanDrawn, PlanGranted, PlanRequested
from ledger.events.settlement import SettlementFact
from projections.queries.bank_lines import Streams, bank_lines_of

Steps = Sequence[tuple[int, SettlementFact]]


class PlanRow(NamedTuple):
    """One step of a month's plan (用款计划) for a leaf fund, in fen."""

    step: str  # requested, granted, drawn, ordered
    period: str
    number: str
    date: str
    fen: int
    by: str | None
    position: int


def payments_of(
    ledger: Streams, area: str, fund: str, period: str, steps: Steps
) -> list[dict[str, Any]]:
    """List the payment orders of a month (or year), each whole, with what the bank made of it.

    An order pays all months of an institution together: ``amount_fen`` is of the period,
    ``earlier_fen`` and ``later_fen`` of months before and after, ``whole_fen`` what the bank was
    asked for.
    """
    orders: dict[str, list[tuple[int, PaymentFact]]] = {}
    for position, fact in steps:
        if isinstance(fact, PaymentFact):
            orders.setdefault(fact.order_no, []).append((position, fact))
    return [_order(ledger, area, fund, period, mine) for mine in orders.values()]


def _order(
    ledger: Streams, area: str, fund: str, period: str, facts: list[tuple[int, PaymentFact]]
) -> dict[str, Any]:
    ordered = [one for _, one in facts if isinstance(one, PaymentOrdered)]
    first = ordered[0]
    batch = _batch(ledger, area, fund, first)
    parts = [
        part
        for line in (batch.prepared.lines if batch else ())
        if line.line == first.line
        for part in line.parts
    ]
    whole, own = sum(part.fen for part in parts), sum(one.amount_fen for one in ordered)
    earlier = sum(part.fen for part in parts if part.month < period)
    state = order_states((one for _, one in facts), first.payout, first.line)[-1]
    answered = [at for at, one in facts if not isinstance(one, PaymentOrdered)]
    return {
        "order_no": first.order_no,
        "payee": first.payee,
        "ordered_on": first.date,
        "prepared_by": batch.prepared.by if batch else None,
        "approved_by": first.approved_by,
        "whole_fen": whole,
        "amount_fen": own,
        "earlier_fen": earlier,
        "later_fen": whole - own - earlier,
        "state": state.state,
        "date": None if state.state == ORDERED else state.date,
        "bank_ref": state.bank_ref,
        "reason": state.reason,
        "ordered_at": facts[0][0],
        "answered_at": answered[-1] if answered else None,
        "bank_lines": _bank_lines(ledger, facts),
    }


def _batch(ledger: Streams, area: str, fund: str, ordered: PaymentOrdered) -> Payout | None:
    month = ordered.date[:7]
    history = ledger.history(payouts_stream(area, fund, month))
    batches = fold_payouts(area, fund, month, (item.fact for _, item in history)).batches
    return next((one for one in batches if one.id == ordered.payout), None)


def _bank_lines(ledger: Streams, facts: Iterable[tuple[int, PaymentFact]]) -> list[dict[str, Any]]:
    """List the lines of statements that the payment was matched with, each once."""
    lines = {
        line.item: line
        for position, fact in facts
        for line in bank_lines_of(ledger, position, fact)
    }
    return [
        {
            "item": line.item,
            "account": line.account,
            "date": line.said.date,
            "ref": line.said.ref,
            "fen": line.said.fen,
            "position": line.position,
        }
        for line in lines.values()
    ]


def plan_of(
    ledger: Streams, area: str, fund: str, payments: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """List the plan of payments (用款计划) of each month in which something was ordered.

    The bureau grants by leaf fund, not by institution: the amounts are those of all institutions,
    and so is what was ordered beside them.
    """
    found: list[dict[str, Any]] = []
    for month in sorted({one["ordered_on"][:7] for one in payments}):
        steps = [
            step
            for position, item in ledger.history(plan_stream(area, parent(fund), month))
            for step in _plan_steps(position, item.fact, fund, month)
        ]
        if steps:
            found += [*steps, *_ordered(ledger, area, fund, month)]
    return found


def _plan_steps(position: int, fact: object, fund: str, month: str) -> Iterator[dict[str, Any]]:
    match fact:
        case PlanRequested():
            amounts = [
                one.approved_fen + one.by_hand_fen for one in fact.amounts if one.fund == fund
            ]
            step, number, by = "requested", f"{month} #{fact.round}", fact.by
        case PlanGranted():
            amounts = [one.fen for one in fact.amounts if one.fund == fund]
            step, number, by = "granted", fact.paper, fact.by
        case PlanDrawn():
            amounts = [fact.amount_fen] if fact.fund == fund else []
            step, number, by = "drawn", fact.doc_no, fact.prepared_by
        case _:
            raise TypeError(f"not a step of a plan: {type(fact).__name__}")
    for fen in amounts:
        yield PlanRow(step, month, number, fact.date, fen, by, position)._asdict()


def _ordered(ledger: Streams, area: str, fund: str, month: str) -> Iterator[dict[str, Any]]:
    """Give what was ordered of the grant: approved batches, and persons and prepayments beside them."""
    history = ledger.history(payouts_stream(area, fund, month))
    payouts = fold_payouts(area, fund, month, (item.fact for _, item in history))
    for position, item in history:
        fact = item.fact
        if isinstance(fact, PayoutApproved):
            batch = payouts.find(fact.no)
            day, fen = batch.prepared.date, fact.total_fen
            yield PlanRow("ordered", month, batch.id, day, fen, fact.by, position)._asdict()
        elif isinstance(fact, PlanCommitted):
            said = fact.paper, fact.date, fact.fen, fact.by
            yield PlanRow("committed", month, *said, position)._asdict()
