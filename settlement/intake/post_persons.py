"""Recording payments to persons from a file: each under its reference, all of them as one batch."""

from collections.abc import Sequence
from typing import Any

from ledger.aggregates.area import Area
from ledger.aggregates.manual_claim import NONE, SETTLED
from ledger.aggregates.persons import REJECTED, PersonPayment, fold_person_payment
from ledger.application import FundLedger
from ledger.domain.identity import person_payment_stream, persons_stream
from ledger.domain.money import format_yuan
from ledger.events.base import Envelope, Source
from ledger.events.persons import PersonPaymentRequested, PersonPayoutPrepared
from ledger.store.vault import Vault
from settlement.intake.columns import PERSON_PAYMENTS
from settlement.intake.person_rows import PersonRow
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection, shown
from settlement.one_stop.manual import load_manual_claim
from settlement.payout.batches import load_person_payout


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
    new: list[PersonRow] = []
    for row in rows:
        stream = person_payment_stream(area.code, row.group)
        history = ledger.history(stream)
        before = fold_person_payment(item.fact for _, item in history)
        if before is not None and not _may_come_again(ledger, area, before):
            if not _same(before.requested, row, vault):
                where = {"position": history[-1][0]}
                rejections.append(_bar(row, "ref", "person_payment_conflict", where))
            continue
        whom = _whom(ledger, area, row, vault)
        if isinstance(whom, Rejection):
            rejections.append(whom)
            continue
        new.append(row)
        token, version, month = whom
        fact = PersonPaymentRequested(
            area=area.code,
            ref=row.ref,
            batch=intake,
            number=len(batch.payments) + len(new),
            by=by,
            fund=row.fund,
            kind=row.kind,
            fen=row.fen,
            person=token,
            person_key=version,
            belongs_to=month,
            source=Source(intake=intake, line=row.line),
        )
        found.append(Envelope(stream, len(history) + 1, fact))
    if new:
        prepared = PersonPayoutPrepared(
            area=area.code,
            batch=intake,
            by=by,
            payments=tuple(row.group for row in new),
            total_fen=sum(row.fen for row in new),
        )
        stream = persons_stream(area.code, intake)
        found.append(Envelope(stream, batch.version + 1, prepared))
    return New(found, len(new), tuple(rejections))


def _whom(
    ledger: FundLedger, area: Area, row: PersonRow, vault: Vault
) -> tuple[str, int, str | None] | Rejection:
    """Give the token and its key, and the month of the manual claim that a reference names, if any.

    What pays a manual claim is what the fund owes for it, to the very person.
    """
    claim = load_manual_claim(ledger, area.code, row.ref)
    if claim.state == NONE:
        return (*vault.person_token(row.psn_no), None)
    owed = [one for one in claim.settled if one.fund == row.fund]
    if claim.state != SETTLED or not owed:
        return _bar(row, "ref", "manual_claim_not_owed", {"fund": row.fund})
    fen = sum(one.amount_fen for one in owed)
    if fen != row.fen:
        return _bar(row, "amount", "manual_claim_differs", {"owed_fen": fen})
    token, _ = vault.person_token(row.psn_no, owed[0].person_key)
    if token != owed[0].institution:
        return _bar(row, "psn_no", "manual_claim_of_another", {})
    return token, owed[0].person_key, owed[0].belongs_to


def _may_come_again(ledger: FundLedger, area: Area, before: PersonPayment) -> bool:
    """A payment that failed or came back, or whose batch was sent back, may be asked for again."""
    if before.done:
        return True
    return load_person_payout(ledger, area.code, before.requested.batch).state == REJECTED


def _same(requested: PersonPaymentRequested, row: PersonRow, vault: Vault) -> bool:
    token, _ = vault.person_token(row.psn_no, requested.person_key)
    known = requested.person, requested.fund, requested.kind, requested.fen
    return known == (token, row.fund, row.kind, row.fen)


def _bar(row: PersonRow, key: str, code: str, facts: dict[str, Any]) -> Rejection:
    values = {"ref": row.ref, "amount": format_yuan(row.fen, grouped=False), "psn_no": row.psn_no}
    value = shown(values[key], personal=key == "psn_no")
    return Rejection(row.line, key, code, value, facts, PERSON_PAYMENTS.name)
