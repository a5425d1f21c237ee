"""What the bank made of payment orders (银行结果): paid, failed, or come back later (退汇).

A result is of whole orders. All months of an order, and all orders of one answer of the bank, are
recorded in one commit. The same result again changes nothing; another one is a conflict.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.payout import (
    APPROVED,
    FAILED,
    ORDERED,
    PAID,
    RETURNED,
    OrderState,
    Payout,
    UnknownPayout,
    order_no,
)
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import (
    paid_entry,
    payment_failed_entry,
    payment_returned_entry,
)
from ledger.events import payout as facts
from ledger.events.base import Envelope, Posted, Source
from ledger.store.commit import Commit, MonthNotOpen, StreamConflict
from settlement.booking import booked_months, first_months, totals_of
from settlement.payout.batches import booked_on, order_history, payout_of, states_of
from settlement.payout.refusals import ResultConflict

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The bank's word on one order: its state, the bank's date, and what it was called or why."""

    payout: str
    line: int
    state: str  # PAID, FAILED or RETURNED
    date: str
    bank_ref: str | None = None
    reason: str | None = None
    source: Source = field(default_factory=Source)

    def repeats(self, known: OrderState) -> bool:
        """Tell whether just this was said before."""
        said = (known.state, known.date, known.bank_ref, known.reason)
        return said == (self.state, self.date, self.bank_ref, self.reason)


#: From which state an order comes to another.
BEFORE = {PAID: ORDERED, FAILED: ORDERED, RETURNED: PAID}


def take_result(states: list[OrderState], result: Result, order: str) -> bool:
    """Add a result to an order's states; false where it was said before.

    ResultConflict where another one was.
    """
    if any(map(result.repeats, states)):
        return False
    if states[-1].state != BEFORE[result.state]:
        raise ResultConflict(
            order=order, state=states[-1].state, date=states[-1].date, result=result.state
        )
    states.append(OrderState(result.state, result.date, result.bank_ref, result.reason))
    return True


def commit_of(kind: str, new: Sequence[Result], posted: Sequence[Posted]) -> Commit:
    """Write the commit of one answer of the bank: the same results again are recognised."""
    said = sha256(msgspec.json.encode([(one.payout, one.line, one.state) for one in new]))
    return Commit(
        key=f"{kind}:{said.hexdigest()}",
        input_hash=sha256(msgspec.json.encode(new)).hexdigest(),
        booked=booked_months(posted),
        totals=totals_of(posted),
        history=first_months(posted),
    )


def results_for(
    ledger: FundLedger,
    payout: Payout,
    *,
    lines: Collection[int],
    state: str,
    date: str,
    bank_ref: str | None = None,
    reason: str | None = None,
) -> list[Result]:
    """Write the same result for some orders of a batch, or for all that wait for it."""
    payout.refuse_unless(APPROVED)
    known = {line.line for line in payout.prepared.lines}
    for line in sorted(set(lines) - known):
        raise UnknownPayout(payout=order_no(payout.id, line))
    states = states_of(ledger, payout)
    waiting = {line for line, known in states.items() if known.state == BEFORE[state]}
    same = {line for line, known in states.items() if known.state == state}
    return [
        Result(
            payout=payout.id,
            line=line,
            state=state,
            date=date,
            bank_ref=bank_ref,
            reason=reason,
        )
        for line in sorted(lines or waiting or same)
    ]


def record_results(
    ledger: FundLedger, area: Area, results: Sequence[Result], *, user: str | None
) -> int:
    """Record results, all in one commit; gives how many are new. ResultConflict names the first."""
    by = area.allow(user, "pay")
    for tries_left in range(_TRIES - 1, -1, -1):
        found = NewResults(ledger, area, by=by)
        new = [result for result in results if found.add(result)]
        if not new:
            return 0
        try:
            ledger.append(found.envelopes, commit_of("payment-results", new, found.posted))
        except (MonthNotOpen, StreamConflict):  # frozen, or said by somebody else, a moment ago
            if not tries_left:
                raise
            continue
        return len(new)
    raise AssertionError("the last try returns or raises")


class NewResults:
    """Gathers the events of results that were not said before, for one commit."""

    def __init__(self, ledger: FundLedger, area: Area, *, by: str) -> None:
        self._ledger, self._area, self._by = ledger, area, by
        self._batches: dict[str, Payout] = {}
        self._versions: dict[UUID, int] = {}
        self._said: dict[tuple[str, int], list[OrderState]] = {}
        self.posted: list[facts.PaymentFact] = []
        self.envelopes: list[Envelope] = []

    def order(self, payout: str, line: int) -> tuple[Payout, facts.OrderLine]:
        """Give an order with its batch; UnknownPayout where there is none, or it is not approved."""
        if payout not in self._batches:
            self._batches[payout] = payout_of(self._ledger, self._area, payout)[1]
        found = self._batches[payout]
        return found, line_of(found, line)

    def add(self, result: Result) -> bool:
        """Add a result; false where it was said before, ResultConflict where another was."""
        payout, line = self.order(result.payout, result.line)
        states = self._said.setdefault(
            (payout.id, line.line), order_history(self._ledger, payout, line)
        )
        if not take_result(states, result, order_no(payout.id, line.line)):
            return False
        for fact in _facts(self._ledger, self._area, payout, line, result, by=self._by):
            stream = settlement_stream(fact.area, fact.fund, fact.institution, fact.belongs_to)
            version = self._versions.get(stream) or len(self._ledger.history(stream))
            self._versions[stream] = version + 1
            self.posted.append(fact)
            self.envelopes.append(Envelope(stream, version + 1, fact))
        return True


def line_of(payout: Payout, line: int) -> facts.OrderLine:
    """Give an order of an approved batch; UnknownPayout where there is none of that number."""
    prepared = payout.refuse_unless(APPROVED)
    found = next((one for one in prepared.lines if one.line == line), None)
    if found is None:
        raise UnknownPayout(payout=order_no(payout.id, line))
    return found


def _entry(fund: str, institution: str, part: facts.OrderPart, state: str) -> Entry:
    if state == PAID:
        return paid_entry(fund, institution, part.kinds)
    if state == FAILED:
        return payment_failed_entry(fund, institution, part.fen)
    return payment_returned_entry(fund, institution, part.fen)


def _facts(
    ledger: FundLedger,
    area: Area,
    payout: Payout,
    line: facts.OrderLine,
    result: Result,
    *,
    by: str,
) -> Iterator[facts.PaymentFact]:
    prepared = payout.prepared
    number = order_no(payout.id, line.line)
    for part in line.parts:
        entry = _entry(prepared.fund, line.institution, part, result.state)
        common: dict[str, Any] = {
            "area": area.code,
            "booked_on": booked_on(ledger, area.code, result.date, entry),
            "postings": entry,
            "rules_version": RULES_VERSION,
            "prepared_by": by,
            "fund": prepared.fund,
            "institution": line.institution,
            "belongs_to": part.month,
            "date": result.date,
            "source": result.source,
            "payout": payout.id,
            "line": line.line,
            "order_no": number,
            "payee": line.payee,
            "amount_fen": part.fen,
            "bank_ref": result.bank_ref,
        }
        yield _fact(result, common, number)


def _fact(result: Result, common: dict[str, Any], number: str) -> facts.PaymentFact:
    reason = result.reason or ""
    if result.state == PAID:
        return facts.PaymentConfirmed(summary=f"拨付 {number}", **common)
    if result.state == FAILED:
        summary = f"付款失败 {number}: {reason}"
        return facts.PaymentFailed(summary=summary, reason=reason, **common)
    return facts.PaymentReturned(summary=f"退汇 {number}: {reason}", reason=reason, **common)
