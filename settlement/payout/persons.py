"""Payments to persons (手工报销、零星报销): approved, released to the bank, and what the bank made of them.

The bank's file (代发文件) is made of the kept file when it is released, handed out, logged by count, sum
and keyed hash, and not kept.
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.payout import FAILED, PAID, OrderState, UnknownPayout
from ledger.aggregates.persons import (
    APPROVED,
    REJECTED,
    RELEASED,
    WAITING,
    PersonPayment,
    PersonPayout,
    person_order_no,
)
from ledger.application import FundLedger
from ledger.domain.entry import Entry, Posting
from ledger.domain.fund import ASSISTANCE
from ledger.domain.identity import person_payment_stream, persons_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.events import persons as facts
from ledger.events.base import Envelope, Fact, Posted
from ledger.store.commit import Commit, MonthNotOpen, StreamConflict
from settlement.payout.batches import (
    booked_on,
    find_person_payout,
    load_person_payout,
    payments_of,
)
from settlement.payout.plan_gate import Wanted, commit_to_plan
from settlement.payout.results import Result, commit_of, take_result

_TRIES = 5


def approve_persons(
    ledger: FundLedger, area: Area, *, payout: str, user: str | None, today: date
) -> PersonPayout:
    """Approve a batch, held to the plan of the month of ``today``; not by whoever brought it in."""
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        found = find_person_payout(ledger, area, payout)
        if found.state in {APPROVED, RELEASED} and found.decided_by == by:
            return found
        found.refuse_approval(by)
        fact = facts.PersonPayoutApproved(
            area=area.code, batch=found.batch, by=by, total_fen=found.total_fen
        )
        by_fund: dict[str, int] = {}
        for one in payments_of(ledger, found):
            fund = one.requested.fund
            by_fund[fund] = by_fund.get(fund, 0) + one.requested.fen
        taken = [
            commit_to_plan(
                *(ledger, area, fund),
                Wanted(paper=found.id, date=today.isoformat(), fen=fen),
                by=by,
            )
            for fund, fen in sorted(by_fund.items())
        ]
        try:
            _append(ledger, found, fact, taken)
        except StreamConflict:  # something else of the month was ordered, or decided, a moment ago
            if not tries_left:
                raise
            continue
        return find_person_payout(ledger, area, payout)
    raise AssertionError("the last try returns or raises")


def reject_persons(
    ledger: FundLedger, area: Area, *, payout: str, reason: str, user: str | None
) -> PersonPayout:
    """Send a batch back; whoever brought it in may take it back."""
    found = find_person_payout(ledger, area, payout)
    by = area.allow(user, "pay" if user == found.prepared_by else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    found.refuse_unless(WAITING)
    fact = facts.PersonPayoutRejected(area=area.code, batch=found.batch, by=by, reason=reason)
    _append(ledger, found, fact)
    return find_person_payout(ledger, area, payout)


def release_persons(
    ledger: FundLedger, area: Area, *, payout: str, content: str, user: str | None
) -> PersonPayout:
    """Log that the bank's file was made; the same file again is not logged twice."""
    by = area.allow(user, "pay")
    found = find_person_payout(ledger, area, payout)
    found.refuse_unless(APPROVED, RELEASED)
    if content in found.released:
        return found
    fact = facts.PersonPayoutReleased(
        area=area.code,
        batch=found.batch,
        by=by,
        count=len(found.payments),
        total_fen=found.total_fen,
        content=content,
    )
    _append(ledger, found, fact)
    return find_person_payout(ledger, area, payout)


class NewPersonResults:
    """Gathers the events of the bank's results of payments to persons, for one commit."""

    def __init__(self, ledger: FundLedger, area: Area, *, by: str) -> None:
        self._ledger, self._area, self._by = ledger, area, by
        self._said: dict[UUID, list[OrderState]] = {}
        self._versions: dict[UUID, int] = {}
        self.envelopes: list[Envelope] = []

    def payment(self, batch: str, number: int) -> PersonPayment:
        """Give a payment of a released batch; UnknownPayout where there is none."""
        payout = load_person_payout(self._ledger, self._area.code, batch)
        payout.refuse_unless(RELEASED)
        found = [one for one in payments_of(self._ledger, payout) if one.requested.number == number]
        if not found:
            raise UnknownPayout(payout=person_order_no(payout.id, number))
        return found[0]

    def add(self, result: Result, payment: PersonPayment) -> bool:
        """Add a result; false where it was said before, ResultConflict where another was."""
        requested = payment.requested
        stream = person_payment_stream(self._area.code, requested.payment)
        states = self._said.setdefault(stream, list(payment.states))
        if not take_result(states, result, person_order_no(result.payout, result.line)):
            return False
        version = self._versions.get(stream, payment.version)
        self._versions[stream] = version + 1
        fact = _result_fact(self._ledger, self._area, requested, result, by=self._by)
        self.envelopes.append(Envelope(stream, version + 1, fact))
        return True


def record_person_results(
    ledger: FundLedger,
    area: Area,
    payout: PersonPayout,
    results: Sequence[Result],
    *,
    user: str | None,
) -> int:
    """Record results of a batch in one commit; gives how many are new."""
    by = area.allow(user, "pay")
    for tries_left in range(_TRIES - 1, -1, -1):
        found = NewPersonResults(ledger, area, by=by)
        new = [one for one in results if found.add(one, found.payment(payout.batch, one.line))]
        if not new:
            return 0
        posted = [one.fact for one in found.envelopes if isinstance(one.fact, Posted)]
        try:
            ledger.append(found.envelopes, commit_of("person-results", new, posted))
        except (MonthNotOpen, StreamConflict):
            if not tries_left:
                raise
            continue
        return len(new)
    raise AssertionError("the last try returns or raises")


def _result_fact(
    ledger: FundLedger,
    area: Area,
    requested: facts.PersonPaymentRequested,
    result: Result,
    *,
    by: str,
) -> Fact:
    named: dict[str, Any] = {
        "area": area.code,
        "ref": requested.ref,
        "batch": requested.batch,
        "number": requested.number,
        "date": result.date,
        "bank_ref": result.bank_ref,
        "source": result.source,
    }
    if result.state == FAILED:
        return facts.PersonPaymentFailed(**named, by=by, reason=result.reason or "")
    fund, fen = requested.fund, requested.fen
    place = "fiscal" if fund == ASSISTANCE else "expenditure"
    paid = Posting(fund, f"expense.benefit.{requested.kind}", place, fen)
    back = Posting(fund, place, "expense.benefit.returned", fen)
    entry: Entry = (paid,) if result.state == PAID else (back,)
    if requested.belongs_to is not None:  # a manual claim, which stands in the obligations book
        stages = ("owed.approved", "claims.paid")
        debit, credit = stages if result.state == PAID else reversed(stages)
        entry = (*entry, Posting(fund, debit, credit, fen, requested.person))
    said = {
        **named,
        "booked_on": booked_on(ledger, area.code, result.date, entry),
        "postings": entry,
        "rules_version": RULES_VERSION,
        "prepared_by": by,
        "fund": fund,
        "belongs_to": requested.belongs_to,
        "amount_fen": fen,
    }
    if result.state == PAID:
        return facts.PersonPaymentPaid(**said, summary=f"个人待遇拨付 {requested.ref}")
    summary = f"个人待遇退汇 {requested.ref}"
    return facts.PersonPaymentReturned(**said, summary=summary, reason=result.reason or "")


def _append(
    ledger: FundLedger,
    payout: PersonPayout,
    fact: facts.PersonPayoutFact,
    more: Sequence[Envelope] = (),
) -> None:
    """Append a step at the place that was read: whoever was first wins, the other is told."""
    step = Envelope(persons_stream(payout.area, payout.batch), payout.version + 1, fact)
    ledger.append(
        [step, *more],
        Commit(
            key=f"persons:{payout.area}:{payout.batch}:{payout.version + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
