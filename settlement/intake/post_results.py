"""Recording the bank's results (付款结果) from a file: what is new, and what the books forbid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from ledger.aggregates.area import Area
from ledger.aggregates.payout import PayoutNotWaiting, UnknownPayout, order_of
from ledger.aggregates.persons import (
    PersonPayoutNotReady,
    UnknownPersonPayout,
    person_order_of,
)
from ledger.aggregates.prepayment import (
    PrepaymentNotWaiting,
    UnknownPrepayment,
    prepayment_order_of,
)
from ledger.application import FundLedger
from ledger.events.base import Envelope, Source
from settlement.by_hand import DocumentConflict
from settlement.clearing.owed import Records
from settlement.intake.columns import PAYMENT_RESULTS
from settlement.intake.payment_rows import ResultRow
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.payout.persons import NewPersonResults
from settlement.payout.prepaid import ReturnedTooMuch
from settlement.payout.prepay_results import NewPrepaymentResults
from settlement.payout.refusals import ResultConflict
from settlement.payout.results import NewResults, Result

#: No such order, or not one that was ordered yet (代发: released).
_UNKNOWN = (
    *(UnknownPayout, PayoutNotWaiting),
    *(UnknownPersonPayout, PersonPayoutNotReady),
    *(UnknownPrepayment, PrepaymentNotWaiting),
)


def new_bank_results(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[ResultRow],
    *,
    intake: str,
    user: str,
    ask: Callable[[], Records],
    today: date,
) -> New:
    """Give the facts for what was not said before, and the rows that the books bar.

    ``ask`` gives the archive that what comes back of prepayments is held against.
    """
    by = area.allow(user, "pay")
    answers = _Answers(
        NewResults(ledger, area, by=by),
        NewPersonResults(ledger, area, by=by),
        NewPrepaymentResults(ledger, area, ask=lambda _: ask(), by=by, today=today),
    )
    rejections: list[Rejection] = []
    count = 0
    for row in rows:
        barred = _add(answers, area, row, intake)
        if isinstance(barred, Rejection):
            rejections.append(barred)
        else:
            count += barred
    return New(answers.envelopes, count, tuple(rejections))


@dataclass(frozen=True, slots=True)
class _Answers:
    """What is new by whose order it is: to institutions, to persons, in advance."""

    orders: NewResults
    persons: NewPersonResults
    prepaid: NewPrepaymentResults

    @property
    def envelopes(self) -> list[Envelope]:
        return [*self.orders.envelopes, *self.persons.envelopes, *self.prepaid.envelopes]

    def find(self, number: str, area: str) -> tuple[int, Callable[[Result], bool]] | None:
        """Give an order's amount in fen and what takes its result; None where there is none."""
        if (order := order_of(number, area)) is not None:
            return self.orders.order(*order)[1].fen, self.orders.add
        if (person := person_order_of(number, area)) is not None:
            payment = self.persons.payment(*person)
            return payment.requested.fen, partial(self.persons.add, payment=payment)
        if (prepaid := prepayment_order_of(number, area)) is not None:
            return self.prepaid.order(*prepaid).fen, self.prepaid.add
        return None


def _add(answers: _Answers, area: Area, row: ResultRow, intake: str) -> int | Rejection:
    """Add one row to the results of the order that it names."""
    try:
        found = answers.find(row.order_no, area.code)
    except _UNKNOWN:
        found = None
    if found is None:
        return _bar(row, "order_no", "unknown_payment_order")
    fen, add = found
    if row.amount_fen is not None and abs(row.amount_fen) != fen:
        return _bar(row, "amount", "payment_amount_differs", order_fen=fen)
    payout, _, line = row.order_no.rpartition("-")
    result = Result(
        payout=payout,
        line=int(line),
        state=row.result,
        date=row.date.isoformat(),
        bank_ref=row.bank_ref,
        reason=row.reason,
        source=Source(intake=intake, line=row.line),
    )
    try:
        return int(add(result))
    except ResultConflict as conflict:
        stands = {key: conflict.facts[key] for key in ("state", "date")}
        return _bar(row, "result", "payment_result_conflict", order=row.order_no, **stands)
    except ReturnedTooMuch as refused:
        held = {key: refused.facts[key] for key in ("institution", "fund", "amount", "balance")}
        return _bar(row, "result", "prepayment_returned_too_much", **held)
    except DocumentConflict as conflict:
        return _bar(row, "order_no", "payment_document_stands", doc_no=conflict.facts["doc_no"])


def _bar(row: ResultRow, key: str, code: str, **facts: Any) -> Rejection:
    values = {"order_no": row.order_no, "result": row.result, "amount": row.amount_fen}
    shown = values[key]
    if isinstance(shown, int):
        facts["amount_fen"] = shown
    return Rejection(row.line, key, code, str(shown), facts, PAYMENT_RESULTS.name)
