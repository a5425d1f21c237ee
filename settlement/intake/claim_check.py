"""Checking a ``claims`` file against the books: what is new, what stands, what conflicts.

A refund (退费) must mirror its original, negative, once; the original may stand in the books or
anywhere in the same file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import claim_stream
from ledger.events.claim import ClaimAmounts
from ledger.store.vault import Vault
from settlement.intake.checked_files import ClaimsCheck, Rejected, Repeated
from settlement.intake.claim_facts import Owing, Unbooked
from settlement.intake.claim_rows import ClaimRow
from settlement.intake.post_claims import same_claim
from settlement.intake.readers import Table
from settlement.intake.rejections import FileProblem, Rejection
from settlement.intake.row_reader import CheckContext
from settlement.intake.standing import standing

_BATCH = 5_000
#: What a refund mirrors with the opposite sign.
MIRRORED = (
    "medfee_sumamt",
    "fund_pay_sumamt",
    "acct_pay",
    "psn_cash_pay",
    "hosp_part_amt",
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "hifdm_pay",
    "maf_pay",
    "oth_pay",
)


class _Original(msgspec.Struct):
    """The part of a stored settlement that a refund mirrors."""

    institution: str
    insutype: str
    amounts: ClaimAmounts


@dataclass(slots=True)
class ClaimsFound:
    """What the check of a claims file found."""

    accepted: int = 0  # rows that may be posted: new, or standing with equal content
    already: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    funds: set[str] = field(default_factory=set)
    months: set[str] = field(default_factory=set)
    stopped: bool = False

    @property
    def rejected_lines(self) -> set[int]:
        return {rejection.line for rejection in self.rejections}


class ClaimsExaminer:
    """Checks one claims file; the rows themselves are read again when they are posted."""

    def __init__(
        self, ledger: FundLedger, vault: Vault, area: Area, table: Table, context: CheckContext
    ) -> None:
        self._ledger = ledger
        self._vault = vault
        self._area = area
        self._table = table
        self._context = context
        self._owing = Owing(area)
        self._unbooked = Unbooked()
        self._refunds: list[ClaimRow] = []

    def examine(self) -> ClaimsFound:
        """Go over the file once, and a second time only where refunds wait for their originals."""
        found = ClaimsFound()
        check = ClaimsCheck(self._table, self._context)
        batch: list[ClaimRow] = []
        for outcome in check.outcomes():
            if isinstance(outcome, Rejected):
                found.rejections += outcome.rejections
            elif isinstance(outcome, Repeated):
                found.accepted += 1
                found.already += 1
            else:
                batch.append(outcome)
                if len(batch) == _BATCH:
                    self._compare(batch, found)
                    batch = []
        self._compare(batch, found)
        found.problems = [*check.problems, *self._not_booked()]
        found.stopped = check.stopped
        if self._refunds:
            self._mirror(found)
        found.rejections.sort(key=lambda rejection: rejection.line)
        return found

    def rows(self, without: set[int]) -> Iterator[ClaimRow]:
        """Read the rows that were accepted again."""
        for outcome in ClaimsCheck(self._table, self._context).outcomes():
            if isinstance(outcome, ClaimRow) and outcome.line not in without:
                yield outcome

    def _compare(self, batch: list[ClaimRow], found: ClaimsFound) -> None:
        """Compare rows with what stands under their settlement ids."""
        streams = [claim_stream(self._area.code, r.setl_id, refund=r.is_refund) for r in batch]
        known = standing(self._ledger.log, streams)
        for row, stream in zip(batch, streams, strict=True):
            head = known.get(stream)
            if head is None or head.reversed:
                found.accepted += 1
                found.funds.update(self._owing.owed(row, self._unbooked))
                found.months.add(f"{row.setl_time:%Y-%m}")
                if row.is_refund:
                    self._refunds.append(row)
            elif same_claim(self._vault, row, head):
                found.accepted += 1
                found.already += 1
            else:
                facts = {"position": head.position}
                found.rejections.append(_rejection(row, "setl_id_conflict", facts))

    def _mirror(self, found: ClaimsFound) -> None:
        """Reject refunds that mirror nothing, or not exactly."""
        originals = self._originals_in_books()
        missing = {row.setl_id for row in self._refunds} - set(originals)
        if missing:
            originals |= self._originals_in_file(missing)
        for row in self._refunds:
            original = originals.get(row.setl_id)
            if original is None:
                rejection = _rejection(row, "refund_without_original", {})
            elif differences := _differences(row, original):
                facts = {"differences": tuple(differences)}
                rejection = _rejection(row, "refund_not_mirror", facts)
            else:
                continue
            found.rejections.append(rejection)
            found.accepted -= 1

    def _originals_in_books(self) -> dict[str, _Original]:
        streams = {
            claim_stream(self._area.code, row.setl_id, refund=False): row.setl_id
            for row in self._refunds
        }
        decode = msgspec.json.Decoder(_Original).decode
        heads = self._ledger.log.stream_heads(list(streams))
        return {
            streams[stream]: decode(row.state)
            for stream, row in heads.items()
            if row.topic == "claim.settled.v1"
        }

    def _originals_in_file(self, wanted: set[str]) -> dict[str, _Original]:
        found = {}
        for row in self.rows(set()):
            if row.setl_id in wanted and not row.is_refund:
                amounts = {name: getattr(row, name) for name in ClaimAmounts.__struct_fields__}
                found[row.setl_id] = _Original(
                    row.fixmedins_code, row.insutype, ClaimAmounts(**amounts)
                )
        return found

    def _not_booked(self) -> Iterable[FileProblem]:
        for part, rows in sorted(self._unbooked.rows.items()):
            facts = {"part": part, "rows": rows, "sum_fen": self._unbooked.fen[part]}
            yield FileProblem("part_not_booked", facts)


def _differences(row: ClaimRow, original: _Original) -> list[str]:
    """Name what a refund does not mirror."""
    differing = [
        name
        for name in MIRRORED
        if (getattr(row, name) or 0) != -(getattr(original.amounts, name) or 0)
    ]
    if row.fixmedins_code != original.institution:
        differing.append("fixmedins_code")
    if row.insutype != original.insutype:
        differing.append("insutype")
    return differing


def _rejection(row: ClaimRow, code: str, facts: Mapping[str, object]) -> Rejection:
    return Rejection(row.line, "setl_id", code, row.setl_id, facts, "claims")
