"""Audit deductions by hand (审核拒付): prepared by one person, decided and posted by another.

A refusal lowers what an institution is owed for one month of a leaf fund, first of what was
declared, then of what is only booked; it never exceeds what is owed there. After an appeal (申诉)
it is withdrawn in the same way, and its entry is reversed in red. The decision lies on the stream of
the institution's month: of two decisions that were made of the same figures one is refused.
"""

from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.refusal import (
    APPEALED,
    POSTED,
    WAITING,
    WITHDRAWN,
    Refusal,
    UnknownRefusal,
    doc_no_of,
    fold_refusal,
)
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import refusal_stream, settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import refusal_withdrawn_entry, refused_entry
from ledger.events import settlement as facts
from ledger.events.base import Envelope, Posted
from ledger.store.commit import Commit, MonthNotOpen
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.refusal_checks import (
    Draft,
    OwedByStage,
    content_of,
    proposed_of,
    refuse_excess,
    refuse_other_content,
    text_of,
)

_TRIES = 5


def load_refusal(ledger: FundLedger, area: str, doc_no: str) -> Refusal:
    """Fold a refusal: its own stream, and its decisions on the streams of the months it was of."""
    told = ledger.history(refusal_stream(area, doc_no))
    months = {
        settlement_stream(area, fact.fund, fact.institution, fact.belongs_to)
        for _, envelope in told
        if isinstance(fact := envelope.fact, facts.RefusalProposed)
    }
    decided = [
        (position, envelope)
        for month in months
        for position, envelope in ledger.history(month)
        if isinstance(fact := envelope.fact, facts.RefusalDecided | facts.RefusalWithdrawn)
        and fact.doc_no == doc_no
    ]
    in_order = sorted([*told, *decided], key=lambda one: one[0])
    return fold_refusal(area, doc_no, ((position, one.fact) for position, one in in_order))


def refusal_of(ledger: FundLedger, area: Area, refusal: str) -> Refusal:
    """Find a refusal by its id; UnknownRefusal where there is none."""
    doc_no = doc_no_of(refusal, area.code)
    found = load_refusal(ledger, area.code, doc_no) if doc_no is not None else None
    if found is None or found.proposed is None:
        raise UnknownRefusal(refusal=refusal)
    return found


def propose_refusal(
    ledger: FundLedger,
    area: Area,
    draft: Draft,
    *,
    owed: OwedByStage,
    user: str | None,
    today: date,
) -> Refusal:
    """Prepare a refusal; the same number with the same content changes nothing.

    Refusals in order: role · what is written · other content under the number · more than is owed
    for the settlement · more than is owed for the month.
    """
    by = area.allow(user, "refuse")
    fact = proposed_of(area, draft, by=by, today=today)
    refusal = load_refusal(ledger, area.code, fact.doc_no)
    if not refusal.open_to_another and refusal.proposed is not None:
        if content_of(refusal.proposed) == content_of(fact):
            return refusal
        refuse_other_content(refusal, refusal.proposed)
    refuse_excess(ledger, fact, owed)
    revision = refusal.proposed.revision + 1 if refusal.proposed is not None else 1
    return _append_step(ledger, refusal, msgspec.structs.replace(fact, revision=revision))


def approve_refusal(
    ledger: FundLedger, area: Area, *, refusal: str, owed: OwedByStage, user: str | None
) -> Refusal:
    """Post a refusal, or its withdrawal where it is appealed; not by whoever prepared it."""
    by = area.allow(user, "approve")
    found = refusal_of(ledger, area, refusal)
    if found.state in {POSTED, WITHDRAWN} and found.approved_by == by:
        return found  # approved before a crash
    proposed = found.refuse_approval(by)
    month = settlement_stream(area.code, proposed.fund, proposed.institution, proposed.belongs_to)
    for tries_left in range(_TRIES - 1, -1, -1):
        version = len(ledger.history(month))  # before the figures: see the module's docstring
        fact: Posted = (
            _withdrawn(ledger, found, proposed, by=by)
            if found.state == APPEALED
            else _decided(ledger, found, proposed, refuse_excess(ledger, proposed, owed), by=by)
        )
        try:
            ledger.append(
                [Envelope(month, version + 1, fact)],
                Commit(
                    key=_key(found),
                    input_hash=_hash(fact),
                    booked=booked_months([fact]),
                    totals=totals_of([fact]),
                ),
            )
        except MonthNotOpen:  # frozen a moment ago: booked again into the month that is open
            if not tries_left:
                raise
            continue
        return load_refusal(ledger, area.code, found.doc_no)
    raise AssertionError("the last try returns or raises")


def reject_refusal(
    ledger: FundLedger, area: Area, *, refusal: str, reason: str, user: str | None
) -> Refusal:
    """Send a refusal back, or dismiss the appeal against it; whoever prepared it may take it back.

    The same again changes nothing.
    """
    found = refusal_of(ledger, area, refusal)
    own = user is not None and user == found.prepared_by
    by = area.allow(user, "refuse" if own else "reject")
    said = text_of("reason", reason)
    if (found.rejected_by, found.reason) == (by, said):
        return found
    proposed = found.refuse_unless(WAITING, APPEALED)
    kind = facts.RefusalUpheld if found.state == APPEALED else facts.RefusalRejected
    fact = kind(
        area=area.code,
        doc_no=found.doc_no,
        revision=proposed.revision,
        by=by,
        reason=said,
    )
    return _append_step(ledger, found, fact)


def appeal_refusal(
    ledger: FundLedger, area: Area, *, refusal: str, reason: str, day: date, user: str | None
) -> Refusal:
    """Prepare the withdrawal of a refusal that stands (申诉后撤销); a second person decides."""
    by = area.allow(user, "refuse")
    found = refusal_of(ledger, area, refusal)
    if found.state == APPEALED and (found.prepared_by, found.reason) == (by, reason):
        return found
    proposed = found.refuse_unless(POSTED)
    fact = facts.RefusalAppealed(
        area=area.code,
        doc_no=found.doc_no,
        revision=proposed.revision,
        by=by,
        date=day.isoformat(),
        reason=text_of("reason", reason),
    )
    return _append_step(ledger, found, fact)


def _decided(
    ledger: FundLedger,
    refusal: Refusal,
    proposed: facts.RefusalProposed,
    parts: tuple[int, int],
    *,
    by: str,
) -> facts.RefusalDecided:
    entry = refused_entry(
        proposed.fund, proposed.institution, declared_fen=parts[0], booked_fen=parts[1]
    )
    return facts.RefusalDecided(
        area=refusal.area,
        booked_on=_booked_on(ledger, refusal.area, proposed.date, entry),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=refusal.prepared_by or "",
        fund=proposed.fund,
        institution=proposed.institution,
        belongs_to=proposed.belongs_to,
        date=proposed.date,
        summary=f"审核拒付 {proposed.reason_code} {proposed.reason}",
        doc_no=refusal.doc_no,
        revision=proposed.revision,
        amount_fen=proposed.amount_fen,
        reason_code=proposed.reason_code,
        reason=proposed.reason,
        setl_id=proposed.setl_id,
        approved_by=by,
    )


def _withdrawn(
    ledger: FundLedger, refusal: Refusal, proposed: facts.RefusalProposed, *, by: str
) -> facts.RefusalWithdrawn:
    entry = refusal_withdrawn_entry(refusal.postings)
    day = refusal.appealed_on or proposed.date
    return facts.RefusalWithdrawn(
        area=refusal.area,
        booked_on=_booked_on(ledger, refusal.area, day, entry),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=refusal.prepared_by or "",
        fund=proposed.fund,
        institution=proposed.institution,
        belongs_to=proposed.belongs_to,
        date=day,
        summary=f"撤销拒付 {refusal.doc_no}: {refusal.reason}",
        doc_no=refusal.doc_no,
        revision=proposed.revision,
        original_position=refusal.position or 0,
        reason=refusal.reason or "",
        setl_id=proposed.setl_id,
        approved_by=by,
    )


def _booked_on(ledger: FundLedger, area: str, day: str, entry: Entry) -> str:
    books = books_touched(area, entry)
    return booking_date(date.fromisoformat(day), books, ledger.log.books(area)).isoformat()


def _append_step(ledger: FundLedger, refusal: Refusal, fact: facts.RefusalFact) -> Refusal:
    """Append a step without postings at the place that was read: whoever was first wins."""
    stream = refusal_stream(refusal.area, refusal.doc_no)
    version = len(ledger.history(stream)) + 1
    ledger.append(
        [Envelope(stream, version, fact)], Commit(key=_key(refusal), input_hash=_hash(fact))
    )
    return load_refusal(ledger, refusal.area, refusal.doc_no)


def _key(refusal: Refusal) -> str:
    """Name the next step of a refusal, whatever it is: of two at once the second is told."""
    return f"refusal:{refusal.area}:{refusal.doc_no}:{refusal.steps + 1}"


def _hash(fact: Posted | facts.RefusalFact) -> str:
    return sha256(msgspec.json.encode(fact)).hexdigest()
