"""Batches of payment orders and of prepayments as commands show them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.payout import (
    FAILED,
    ORDERED,
    PAID,
    RETURNED,
    OrderState,
    Payout,
    order_no,
)
from ledger.aggregates.prepayment import Prepayment, prepayment_order_no
from ledger.application import FundLedger
from ledger.domain.identity import payouts_stream
from ledger.domain.period import Period
from ledger.events.prepayment import PrepaymentProposed
from settlement.payout.batches import load_payouts, states_of


def payout_document(area: Area, payout: Payout, states: Mapping[int, OrderState]) -> dict[str, Any]:
    """Give a batch whole, with where every order stands."""
    prepared = payout.prepared
    return {
        **summary(payout, states),
        "as_of": prepared.as_of,
        "months": list(prepared.months),
        "institutions": list(prepared.institutions),
        "lines": [
            {
                "line": line.line,
                "order_no": order_no(payout.id, line.line),
                "institution": line.institution,
                "name": _name(area, line.institution),
                "payee": line.payee,
                "payee_name": _name(area, line.payee),
                "amount_fen": line.fen,
                "final": line.final,
                "months": [
                    {"month": part.month, "amount_fen": part.fen, "kinds": part.kinds}
                    for part in line.parts
                ],
                **_standing(states.get(line.line)),
            }
            for line in prepared.lines
        ],
        "held": [
            {
                "institution": one.institution,
                "name": _name(area, one.institution),
                "amount_fen": one.fen,
                "reason": one.reason,
            }
            for one in prepared.held
        ],
    }


def summary(payout: Payout, states: Mapping[int, OrderState]) -> dict[str, Any]:
    """Give a batch in one row: ordered = paid + failed + returned + open."""
    prepared = payout.prepared
    by_state = dict.fromkeys((PAID, FAILED, RETURNED, ORDERED), 0)
    for line in prepared.lines:
        if line.line in states:
            by_state[states[line.line].state] += line.fen
    return {
        "payout": payout.id,
        "area": prepared.area,
        "fund": prepared.fund,
        "period": prepared.period,
        "date": prepared.date,
        "state": payout.state,
        "prepared_by": prepared.by,
        "decided_by": payout.decided_by,
        "reason": payout.reason,
        "orders": len(prepared.lines),
        "total_fen": prepared.total_fen,
        "ordered_fen": sum(by_state.values()),
        "paid_fen": by_state[PAID],
        "failed_fen": by_state[FAILED],
        "returned_fen": by_state[RETURNED],
        "open_fen": by_state[ORDERED],
    }


def prepayment_document(area: Area, batch: Prepayment) -> dict[str, Any]:
    """Give a batch of prepayments or returns whole, with where every order stands."""
    proposed = batch.proposed
    gate = proposed.gate if isinstance(proposed, PrepaymentProposed) else None
    return {
        "prepayment": batch.id,
        "item": "prepayment_return" if batch.takes_back else "prepayment",
        "area": proposed.area,
        "fund": proposed.fund,
        "period": proposed.period,
        "date": proposed.date,
        "state": batch.state,
        "prepared_by": proposed.by,
        "decided_by": batch.decided_by,
        "reason": batch.reason,
        "total_fen": proposed.total_fen,
        "policy": proposed.policy if isinstance(proposed, PrepaymentProposed) else None,
        "gate": None if gate is None else msgspec.to_builtins(gate),
        "lines": [
            {
                "line": number,
                "order_no": prepayment_order_no(batch.id, number),
                "institution": line.institution,
                "name": _name(area, line.institution),
                "amount_fen": line.fen,
                **_standing(batch.states[number][-1] if number in batch.states else None),
            }
            for number, line in batch.lines.items()
        ],
    }


def list_payouts(
    ledger: FundLedger, area: Area, *, funds: Iterable[str], periods: Iterable[Period]
) -> list[dict[str, Any]]:
    """List the batches of some funds and months of payment."""
    streams = {
        payouts_stream(area.code, fund, str(period)): (fund, str(period))
        for fund in sorted(funds)
        for period in periods
    }
    known = ledger.log.stream_heads(list(streams))
    found = []
    for stream, (fund, period) in streams.items():
        if stream in known:
            batches = load_payouts(ledger, area.code, fund, period).batches
            found += [summary(one, states_of(ledger, one)) for one in batches]
    return sorted(found, key=lambda one: (one["period"], one["fund"], one["payout"]))


def _name(area: Area, institution: str) -> str | None:
    known = area.institutions.get(institution)
    return None if known is None else known[0]


def _standing(state: OrderState | None) -> dict[str, Any]:
    if state is None:
        return {"state": None, "result_date": None, "bank_ref": None, "reason": None}
    dated = None if state.state == ORDERED else state.date
    return {
        "state": state.state,
        "result_date": dated,
        "bank_ref": state.bank_ref,
        "reason": state.reason,
    }
