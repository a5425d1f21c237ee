"""Recording the bank's results (付款结果) from a file: what is new, and what the books forbid."""

from collections.abc import Sequence
from typing import Any

from ledger.aggregates.area import Area
from ledger.aggregates.payout import PayoutNotWaiting, UnknownPayout, order_of
from ledger.aggregates.persons import (
    PersonPayoutNotReady,
    UnknownPersonPayout,
    person_order_of,
)
from ledger.application import FundLedger
from ledger.events.base import Source
from settlement.intake.columns import PAYMENT_RESULTS
from settlement.intake.payment_rows import ResultRow
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.payout.persons import NewPersonResults
from settlement.payout.refusals import ResultConflict
from settlement.payout.results import NewResults, Result


def new_bank_results(
    ledger: FundLedger, area: Area, rows: Sequence[ResultRow], *, intake: str, user: str
) -> New:
    """Give the facts for what was not said before, and the rows that the books bar."""
    by = area.allow(user, "pay")
    found, persons = NewResults(ledger, area, by=by), NewPersonResults(ledger, area, by=by)
    rejections: list[Rejection] = []
    count = 0
    for row in rows:
        barred = _add(found, persons, area, row, intake)
        if isinstance(barred, Rejection):
            rejections.append(barred)
        else:
            count += barred
    return New([*found.envelopes, *persons.envelopes], count, tuple(rejections))


def _add(
    found: NewResults, persons: NewPersonResults, area: Area, row: ResultRow, intake: str
) -> int | Rejection:
    """Add one row: a payment order to an institution, or a payment to a person."""
    order, person = order_of(row.order_no, area.code), person_order_of(row.order_no, area.code)
    named = order or person
    if named is None:
        return _bar(row, "order_no", "unknown_payment_order")
    result = Result(
        payout=row.order_no.rpartition("-")[0],
        line=named[1],
        state=row.result,
        date=row.date.isoformat(),
        bank_ref=row.bank_ref,
        reason=row.reason,
        source=Source(intake=intake, line=row.line),
    )
    try:
        if order is not None:
            fen = found.order(*order)[1].fen
            payment = None
        else:
            payment = persons.payment(*named)
            fen = payment.requested.fen
    except (UnknownPayout, PayoutNotWaiting, UnknownPersonPayout, PersonPayoutNotReady):
        return _bar(row, "order_no", "unknown_payment_order")
    if row.amount_fen is not None and abs(row.amount_fen) != fen:
        return _bar(row, "amount", "payment_amount_differs", order_fen=fen)
    try:
        return int(found.add(result) if payment is None else persons.add(result, payment))
    except ResultConflict as conflict:
        stands = {key: conflict.facts[key] for key in ("state", "date")}
        return _bar(row, "result", "payment_result_conflict", order=row.order_no, **stands)


def _bar(row: ResultRow, key: str, code: str, **facts: Any) -> Rejection:
    values = {"order_no": row.order_no, "result": row.result, "amount": row.amount_fen}
    shown = values[key]
    if isinstance(shown, int):
        facts["amount_fen"] = shown
    return Rejection(row.line, key, code, str(shown), facts, PAYMENT_RESULTS.name)
