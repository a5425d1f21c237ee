"""Receiving manual claims from a file (手工报销): each is computed as one by hand, and waits for approval."""

from collections.abc import Sequence
from datetime import date

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.errors import MedfundError, Unavailable
from ledger.events.base import Envelope, Source
from ledger.store.vault import Vault
from settlement.intake.columns import MANUAL_CLAIMS
from settlement.intake.manual_rows import ManualRow
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.one_stop.manual import AskYear, proposal_of_claim


def new_manual_claims(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[ManualRow],
    *,
    intake: str,
    user: str,
    vault: Vault,
    ask: AskYear,
    today: date,
) -> New:
    """Give the claims that the log does not have yet, and the rows that policy or books bar."""
    found: list[Envelope] = []
    rejections: list[Rejection] = []
    for row in rows:
        try:
            envelope = proposal_of_claim(
                ledger,
                vault,
                area,
                row.draft,
                ask=ask,
                by=user,
                today=today,
                source=Source(intake=intake, line=row.line),
            )
        except MedfundError as refused:
            if isinstance(refused, Unavailable):
                raise
            rejections.append(_barred(row, refused))
            continue
        if envelope is not None:
            found.append(envelope)
    return New(found, len(found), tuple(rejections))


def _barred(row: ManualRow, refused: MedfundError) -> Rejection:
    facts = {
        "reason": refused.code,
        "reason_zh": refused.message("zh"),
        "reason_en": refused.message("en"),
    }
    kind = MANUAL_CLAIMS.name
    return Rejection(row.line, "claim_no", "manual_claim_barred", row.draft.claim_no, facts, kind)
