"""What the bank made of prepayments and returns (预付金的银行结果): only its word is posted.

A prepayment that was paid becomes a document of the cash book, an asset until it is offset or returned;
one that failed leaves no entry. What came back (退汇), and a return that came in (收回到账), is a
document of its own at its own date, and never more than the institution still holds.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.payout import FAILED, PAID, RETURNED, OrderState
from ledger.aggregates.prepayment import (
    APPROVED,
    Prepayment,
    Prepayments,
    prepayment_order_no,
)
from ledger.application import FundLedger
from ledger.domain.identity import document_stream, prepayments_stream
from ledger.domain.money import format_yuan
from ledger.events import prepayment as facts
from ledger.events.base import Envelope, Posted
from ledger.store.commit import MonthNotOpen, StreamConflict
from settlement.by_hand import DocumentConflict, checked_document, sorted_document
from settlement.intake.flow_facts import Document, fact_of_document
from settlement.payout.batches import find_prepayment
from settlement.payout.ordering import Ask
from settlement.payout.prepaid import Balances
from settlement.payout.refusals import ResultConflict
from settlement.payout.results import BEFORE, Result, commit_of, take_result

_TRIES = 5


def prepayment_results(
    found: Prepayment,
    *,
    lines: Collection[int],
    state: str,
    date: str,
    bank_ref: str | None = None,
    reason: str | None = None,
) -> list[Result]:
    """Write the same result for some orders of a batch, or for all that wait for it."""
    found.refuse_unless(APPROVED)
    for line in sorted(lines):
        found.order(line)
    waiting = [at for at, states in found.states.items() if states[-1].state == BEFORE[state]]
    same = [at for at, states in found.states.items() if states[-1].state == state]
    return [
        Result(payout=found.id, line=line, state=state, date=date, bank_ref=bank_ref, reason=reason)
        for line in sorted(lines or waiting or same)
    ]


def record_prepayment_results(
    ledger: FundLedger,
    area: Area,
    results: Sequence[Result],
    *,
    ask: Ask,
    user: str | None,
    today: date,
) -> int:
    """Record results in one commit; gives how many are new."""
    by = area.allow(user, "pay")
    for tries_left in range(_TRIES - 1, -1, -1):
        found = NewPrepaymentResults(ledger, area, ask=ask, by=by, today=today)
        new = [one for one in results if found.add(one)]
        if not new:
            return 0
        try:
            ledger.append(found.envelopes, commit_of("prepayment-results", new, found.posted))
        except (MonthNotOpen, StreamConflict):  # frozen, or said by somebody else, a moment ago
            if not tries_left:
                raise
            continue
        return len(new)
    raise AssertionError("the last try returns or raises")


class NewPrepaymentResults:
    """Gathers the events of the bank's results of prepayments and returns, for one commit."""

    def __init__(self, ledger: FundLedger, area: Area, *, ask: Ask, by: str, today: date) -> None:
        self._ledger, self._area, self._by, self._today = ledger, area, by, today
        self._balances = Balances(ask)
        self._known: dict[str, tuple[Prepayments, Prepayment]] = {}
        self._states: dict[tuple[str, int], list[OrderState]] = {}
        self._versions: dict[UUID, int] = {}
        self.envelopes: list[Envelope] = []
        self.posted: list[Posted] = []

    def order(self, prepayment: str, line: int) -> facts.PrepaidLine:
        """Give an order of an approved batch; UnknownPrepayment where there is none."""
        return self._batch(prepayment)[1].order(line)

    def add(self, result: Result) -> bool:
        """Add a result; false where it was said before.

        Raises:
            ResultConflict: another result was said before, or a return is said to have come back.
            ReturnedTooMuch: more came back than the institution holds.
            DocumentConflict: its document's number stands already.
        """
        batches, found = self._batch(result.payout)
        line = found.order(result.line)
        where = found.id, result.line
        states = self._states.setdefault(where, list(found.states[result.line]))
        number = prepayment_order_no(*where)
        if found.takes_back and result.state == RETURNED:  # what came in does not come back
            last = states[-1]
            raise ResultConflict(
                order=number, state=last.state, date=last.date, result=result.state
            )
        if not take_result(states, result, number):
            return False
        document = self._document(found, line, result)
        fact = _answer(found, line, result, document, by=self._by)
        stream = prepayments_stream(batches.area, batches.fund, batches.period)
        self._versions[stream] = self._versions.get(stream, batches.version) + 1
        self.envelopes.append(Envelope(stream, self._versions[stream], fact))
        return True

    def _batch(self, prepayment: str) -> tuple[Prepayments, Prepayment]:
        if prepayment not in self._known:
            self._known[prepayment] = find_prepayment(self._ledger, self._area, prepayment)
        return self._known[prepayment]

    def _document(self, found: Prepayment, line: facts.PrepaidLine, result: Result) -> str | None:
        """Post what moved money, as a row of a ``fund_flows`` file is posted; give its number."""
        if result.state == FAILED:
            return None
        proposed = found.proposed
        back = found.takes_back or result.state == RETURNED
        if back:
            self._balances.take(proposed.fund, line.institution, line.fen)
        else:
            self._balances.add(proposed.fund, line.institution, line.fen)
        doc_no = f"{found.id}-{line.institution}" + "-TH" * (result.state == RETURNED)
        cells = {
            "area": self._area.code,
            "doc_no": doc_no,
            "date": result.date,
            "fund": proposed.fund,
            "item": "prepayment_return" if back else "prepayment",
            "amount": format_yuan(line.fen, grouped=False),
            "counterparty": line.institution,
            "belongs_to": proposed.period,
        }
        document = Document((checked_document(self._area, cells, self._today),))
        new = sorted_document(self._ledger, self._area, document).new
        if not new:
            raise DocumentConflict(doc_no=doc_no)
        fact = fact_of_document(
            document,
            new[0].entry,
            area=self._area,
            states=self._ledger.log.books(self._area.code),
            revision=new[0].revision,
            intake=None,
            user=self._by,
        )
        fact = msgspec.structs.replace(fact, source=result.source)
        self.posted.append(fact)
        stream = document_stream(self._area.code, doc_no)
        self.envelopes.append(Envelope(stream, new[0].version, fact))
        return doc_no


def _answer(
    found: Prepayment,
    line: facts.PrepaidLine,
    result: Result,
    doc_no: str | None,
    *,
    by: str,
) -> facts.PrepaymentAnswered:
    proposed = found.proposed
    said: dict[str, Any] = {
        "area": proposed.area,
        "fund": proposed.fund,
        "period": proposed.period,
        "no": proposed.no,
        "by": by,
        "line": result.line,
        "institution": line.institution,
        "fen": line.fen,
        "date": result.date,
        "bank_ref": result.bank_ref,
        "source": result.source,
    }
    if doc_no is None:
        return facts.PrepaymentFailed(**said, reason=result.reason or "")
    if result.state == PAID:
        return facts.PrepaymentPaid(**said, doc_no=doc_no)
    return facts.PrepaymentReturned(**said, doc_no=doc_no, reason=result.reason or "")
