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
from ledger.events.base import Envelope, Source
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
_BEFORE = {PAID: ORDERED, FAILED: ORDERED, RETURNED: PAID}


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
    waiting = {line for line, known in states.items() if known.state == _BEFORE[state]}
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
        envelopes, new = new_results(ledger, area, results, by=by)
        if not envelopes:
            return 0
        posted = [one.fact for one in envelopes if isinstance(one.fact, facts.PaymentFact)]
        said = sha256(msgspec.json.encode([(one.payout, one.line, one.state) for one in new]))
        content = sha256(msgspec.json.encode(list(new)))
        try:
            ledger.append(
                envelopes,
                Commit(
                    key=f"payment-results:{said.hexdigest()}",
                    input_hash=content.hexdigest(),
                    booked=booked_months(posted),
                    totals=totals_of(posted),
                    history=first_months(posted),
                ),
            )
        except (MonthNotOpen, StreamConflict):  # frozen, or said by somebody else, a moment ago
            if not tries_left:
                raise
            continue
        return len(new)
    raise AssertionError("the last try returns or raises")


def new_results(
    ledger: FundLedger, area: Area, results: Sequence[Result], *, by: str
) -> tuple[list[Envelope], list[Result]]:
    """Give the events of what was not said before, and which results those are."""
    batches: dict[str, Payout] = {}
    versions: dict[UUID, int] = {}
    envelopes: list[Envelope] = []
    new: list[Result] = []
    for result in results:
        if result.payout not in batches:
            batches[result.payout] = payout_of(ledger, area, result.payout)[1]
        payout = batches[result.payout]
        line = line_of(payout, result.line)
        states = order_history(ledger, payout, line)
        known = states[-1]
        if any(map(result.repeats, states)):
            continue
        if known.state != _BEFORE[result.state]:
            raise ResultConflict(
                order=order_no(payout.id, line.line),
                state=known.state,
                date=known.date,
                result=result.state,
            )
        new.append(result)
        for fact in _facts(ledger, area, payout, line, result, by=by):
            stream = settlement_stream(area.code, fact.fund, fact.institution, fact.belongs_to)
            version = versions.get(stream) or len(ledger.history(stream))
            versions[stream] = version + 1
            envelopes.append(Envelope(stream, version + 1, fact))
    return envelopes, new


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
