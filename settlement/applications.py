"""Applications for clearing after they came in (清算申请): listed, and withdrawn (3204 撤销)."""

from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.application import (
    ApplicationNotStanding,
    ApplicationPartlyRefused,
    Applications,
    ApplicationUsed,
    UnknownApplication,
    application_id,
    application_name,
    fold_applications,
)
from ledger.aggregates.area import Area
from ledger.aggregates.clearing import fold_clearing
from ledger.application import FundLedger
from ledger.domain.identity import application_stream, clearing_stream, settlement_stream
from ledger.domain.money import format_yuan
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import declaration_withdrawn_entry
from ledger.events.base import Envelope
from ledger.events.clearing import (
    ApplicationFact,
    ApplicationReceived,
    ApplicationWithdrawn,
    AppliedPart,
    SettlementDeclared,
)
from ledger.events.settlement import SettlementFact
from ledger.store.commit import Commit, MonthNotOpen
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.clearing.owed import DECLARED, Group, Records

_TRIES = 5


def load_applications(ledger: FundLedger, area: str, application: str) -> Applications:
    """Fold what was applied for under an id; UnknownApplication where there is no such id."""
    named = application_name(application, area)
    if named is None:
        raise UnknownApplication(application=application)
    stream = application_stream(area, *named[:4])
    found = fold_applications((position, one.fact) for position, one in ledger.history(stream))
    if found.received is None or found.received.number != named.number:
        raise UnknownApplication(application=application)
    return found


def applications_of(records: Records) -> list[Applications]:
    """Give the newest application of every group, as the archive has them, in order of their ids."""
    told: dict[Group, list[tuple[int, ApplicationFact]]] = {}
    for position, fact in records.facts(ApplicationFact):
        group = Group(fact.institution, fact.insutype, fact.clr_type, fact.belongs_to)
        told.setdefault(group, []).append((position, fact))
    return [fold_applications(told[group]) for group in sorted(told)]


def withdraw_application(
    ledger: FundLedger, area: Area, *, application: str, reason: str, user: str | None, today: date
) -> Applications:
    """Take an application back: what it declared is only booked again, in red.

    Refusals in order: role · no such application · withdrawn before · settled by an approved run ·
    part of it was refused meanwhile. The same withdrawal again changes nothing.
    """
    by = area.allow(user, "intake")
    for tries_left in range(_TRIES - 1, -1, -1):
        found = load_applications(ledger, area.code, application)
        received, position = found.received, found.position
        if received is None or position is None:
            raise UnknownApplication(application=application)
        if found.reason is not None:
            if found.reason == reason:
                return found
            raise ApplicationNotStanding(application=application, reason=found.reason)
        withdrawn = ApplicationWithdrawn(
            area=area.code,
            institution=received.institution,
            insutype=received.insutype,
            clr_type=received.clr_type,
            belongs_to=received.belongs_to,
            number=received.number,
            by=by,
            reason=reason,
        )
        stream = application_stream(
            *(area.code, received.institution, received.insutype, received.clr_type),
            received.belongs_to,
        )
        for part in received.parts:
            _refuse_settled(ledger, received, part.fund, position)
        undone = [
            _undone(ledger, area, received, part, withdrawn, today)
            for part in received.parts
            if part.applied_fen
        ]
        posted = [one.fact for one in undone if isinstance(one.fact, SettlementDeclared)]
        commit = Commit(
            key=f"application:{application}:withdraw",
            input_hash=sha256(msgspec.json.encode(withdrawn)).hexdigest(),
            booked=booked_months(posted),
            totals=totals_of(posted),
        )
        try:
            ledger.append([Envelope(stream, found.version + 1, withdrawn), *undone], commit)
        except MonthNotOpen:  # frozen a moment ago: booked again into the month that is open
            if not tries_left:
                raise
            continue
        return load_applications(ledger, area.code, application)
    raise AssertionError("the last try returns or raises")


def _undone(  # noqa: PLR0917
    ledger: FundLedger,
    area: Area,
    received: ApplicationReceived,
    part: AppliedPart,
    withdrawn: ApplicationWithdrawn,
    today: date,
) -> Envelope:
    """Give a fund's declaration in red; refuse where part of it was refused meanwhile."""
    name, fund, fen = application_id(received), part.fund, part.applied_fen
    stream = settlement_stream(area.code, fund, received.institution, received.belongs_to)
    history = [one.fact for _, one in ledger.history(stream)]
    left = sum(_declared(fact) for fact in history if isinstance(fact, SettlementFact))
    if left < fen:
        raise ApplicationPartlyRefused(
            application=name, fund=fund, declared=format_yuan(fen), left=format_yuan(left)
        )
    original = next(
        fact
        for fact in reversed(history)
        if isinstance(fact, SettlementDeclared) and fact.application == name
    )
    entry = declaration_withdrawn_entry(original.postings)
    day = booking_date(today, books_touched(area.code, entry), ledger.log.books(area.code))
    fact = SettlementDeclared(
        area=area.code,
        booked_on=day.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=withdrawn.by,
        fund=fund,
        institution=received.institution,
        belongs_to=received.belongs_to,
        date=today.isoformat(),
        summary=f"撤销清算申请 {name}: {withdrawn.reason}",
        application=name,
        amount_fen=-fen,
    )
    return Envelope(stream, len(history) + 1, fact)


def _declared(fact: SettlementFact) -> int:
    """Give what a step does to what is declared of an institution's month."""
    raised = sum(one.fen for one in fact.postings if one.credit == DECLARED)
    return raised - sum(one.fen for one in fact.postings if one.debit == DECLARED)


def _refuse_settled(
    ledger: FundLedger, received: ApplicationReceived, fund: str, position: int
) -> None:
    area, month = received.area, received.belongs_to
    history = ledger.history(clearing_stream(area, fund, month))
    runs = fold_clearing(area, fund, month, ((at, one.fact) for at, one in history))
    for run in runs.approved:
        if run.watermark is not None and run.watermark >= position:
            raise ApplicationUsed(application=application_id(received), run=run.id)
