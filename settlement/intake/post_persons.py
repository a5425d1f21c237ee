"""Recording payments to persons from a file: each under its reference, all of them as one batch."""

from collections.abc import Sequence

from ledger.aggregates.area import Area
from ledger.aggregates.persons import REJECTED, PersonPayment, fold_person_payment
from ledger.application import FundLedger
from ledger.domain.identity import person_payment_stream, persons_stream
from ledger.events.base import Envelope, Source
from ledger.events.persons import PersonPaymentRequested, PersonPayoutPrepared
from ledger.store.vault import Vault
from settlement.intake.columns import PERSON_PAYMENTS
from settlement.intake.person_rows import PersonRow
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.payout.persons import load_person_payout


def new_person_payments(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[PersonRow],
    *,
    intake: str,
    user: str,
    vault: Vault,
) -> New:
    """Give the facts for what the log does not say already, and the rows that it bars."""
    by = area.allow(user, "pay")
    batch = load_person_payout(ledger, area.code, intake)
    found: list[Envelope] = []
    rejections: list[Rejection] = []
    refs: list[str] = []
    total = 0
    for row in rows:
        stream = person_payment_stream(area.code, row.ref)
        history = ledger.history(stream)
        before = fold_person_payment(item.fact for _, item in history)
        if before is not None and not _may_come_again(ledger, area, before):
            if not _same(before.requested, row, vault):
                position = history[-1][0]
                rejections.append(_conflict(row, position))
            continue
        token, version = vault.person_token(row.psn_no)
        refs.append(row.ref)
        total += row.fen
        fact = PersonPaymentRequested(
            area=area.code,
            ref=row.ref,
            batch=intake,
            number=len(batch.refs) + len(refs),
            by=by,
            fund=row.fund,
            kind=row.kind,
            fen=row.fen,
            person=token,
            person_key=version,
            source=Source(intake=intake, line=row.line),
        )
        found.append(Envelope(stream, len(history) + 1, fact))
    if refs:
        prepared = PersonPayoutPrepared(
            area=area.code, batch=intake, by=by, refs=tuple(refs), total_fen=total
        )
        stream = persons_stream(area.code, intake)
        found.append(Envelope(stream, batch.version + 1, prepared))
    return New(found, len(refs), tuple(rejections))


def _may_come_again(ledger: FundLedger, area: Area, before: PersonPayment) -> bool:
    """A payment that failed or came back, or whose batch was sent back, may be asked for again."""
    if before.done:
        return True
    return load_person_payout(ledger, area.code, before.requested.batch).state == REJECTED


def _same(requested: PersonPaymentRequested, row: PersonRow, vault: Vault) -> bool:
    token, _ = vault.person_token(row.psn_no, requested.person_key)
    known = requested.person, requested.fund, requested.kind, requested.fen
    return known == (token, row.fund, row.kind, row.fen)


def _conflict(row: PersonRow, position: int) -> Rejection:
    facts = {"position": position}
    return Rejection(
        row.line, "ref", "person_payment_conflict", row.ref, facts, PERSON_PAYMENTS.name
    )
