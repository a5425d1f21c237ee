"""Checking a ``claims`` file against the books: what is new, what stands, what conflicts.

A refund (退费) must mirror its original, negative, once; the original may stand in the books or
anywhere in the same file.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import claim_stream
from ledger.events.claim import ClaimAmounts
from ledger.store.vault import Vault
from settlement.intake.ahead import ahead
from settlement.intake.checked_files import ClaimsCheck
from settlement.intake.claim_columns import ClaimColumns
from settlement.intake.claim_facts import contents, streams
from settlement.intake.claim_rows import FUND_PARTS, IDENTITY, ClaimRow
from settlement.intake.owing import Owing, Unbooked
from settlement.intake.readers import Table
from settlement.intake.rejections import FileProblem, Rejection
from settlement.intake.repetitions import Repetitions
from settlement.intake.row_reader import CheckContext
from settlement.intake.standing import Standing, standing

_MONTH = 7  # characters of YYYY-MM
_HOLD_BYTES = 400 << 20


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
    repeated: "array[int]" = field(default_factory=lambda: array("q"))  # lines
    standing: "array[int]" = field(default_factory=lambda: array("q"))  # lines

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
        self._held: list[ClaimColumns] | None = []
        self._held_bytes = 0

    def examine(self) -> ClaimsFound:
        """Go over the file once; again only where refunds or repetitions wait for another row."""
        found = ClaimsFound()
        check = ClaimsCheck(self._table, self._context)
        repetitions = Repetitions()
        for claims, rejected in ahead(check.blocks()):
            self._hold(claims)
            found.rejections += [one for row in rejected for one in row.rejections]
            if len(claims):
                first = repetitions.first_ones(claims, streams(self._area.code, claims))
                self._compare(*first, found)
        repeated, conflicts = repetitions.settle(self._again())
        found.accepted += len(repeated)
        found.already += len(repeated)
        found.repeated.extend(row.line for row in repeated)
        found.rejections += conflicts
        found.problems = [*check.problems, *self._not_booked()]
        found.stopped = check.stopped
        if self._refunds:
            self._mirror(found)
        found.rejections.sort(key=lambda rejection: rejection.line)
        return found

    def claims(self, found: ClaimsFound) -> Iterator[ClaimColumns]:
        """Read the rows that may be posted again, one per settlement, in file order."""
        left_out = pa.array(sorted({*found.rejected_lines, *found.repeated}), pa.int64())
        for claims in self._again():
            yield claims.without_lines(left_out)

    def _hold(self, claims: ClaimColumns) -> None:
        """Keep checked rows for posting, as far as memory goes; a larger file is read again."""
        if self._held is not None:
            self._held.append(claims)
            self._held_bytes += claims.nbytes
            if self._held_bytes > _HOLD_BYTES:
                self._held = None

    def _again(self) -> Iterator[ClaimColumns]:
        if self._held is not None:
            yield from self._held
            return
        for claims, _ in ClaimsCheck(self._table, self._context).blocks():
            yield claims

    def _compare(self, claims: ClaimColumns, names: Sequence[bytes], found: ClaimsFound) -> None:
        """Compare rows with what stands under their settlement ids."""
        known = standing(self._ledger.log, names)
        if known:
            heads = [known.get(name) for name in names]
            lines = claims.lines.to_pylist()
            found.standing.extend(line for line, head in zip(lines, heads, strict=True) if head)
            stands = [head is not None and not head.reversed for head in heads]
            mask = pa.array(stands)
            self._compare_standing(
                claims.where(mask), [head for head in heads if head and not head.reversed], found
            )
            claims = claims.where(pc.invert(mask))
        if not len(claims):
            return
        found.accepted += len(claims)
        for owed in self._owing.owed(claims):
            found.funds.update(owed.funds)
            for part, fens in owed.unbooked.items():
                self._unbooked.add(part, fens)
        months = pc.utf8_slice_codeunits(claims.plain("setl_time"), 0, _MONTH)
        found.months.update(pc.unique(months).to_pylist())
        refunds = claims.is_refund
        if pc.any(refunds).as_py():
            self._refunds += claims.where(refunds).rows()

    def _compare_standing(
        self, claims: ClaimColumns, heads: Sequence[Standing], found: ClaimsFound
    ) -> None:
        """Tell rows that say what stands already from conflicts, also across a key rotation."""
        keys = pa.array([head.person_key for head in heads], pa.int64())
        for key in pc.unique(keys).to_pylist():
            mask = pc.equal(keys, key)
            those = claims.where(mask)
            persons = self._vault.person_tokens(those.plain("psn_no").to_pylist(), key)
            said = contents(those, pa.array(persons, pa.string()))
            theirs = [head for head in heads if head.person_key == key]
            rows = zip(
                those.lines.to_pylist(),
                those.plain("setl_id").to_pylist(),
                said,
                theirs,
                strict=True,
            )
            for line, setl_id, content, head in rows:
                if content == head.content:
                    found.accepted += 1
                    found.already += 1
                else:
                    facts = {"position": head.position}
                    found.rejections.append(_rejection(line, setl_id, "setl_id_conflict", facts))

    def _mirror(self, found: ClaimsFound) -> None:
        """Reject refunds that mirror nothing, or not exactly."""
        originals = self._originals_in_books()
        missing = {row.setl_id for row in self._refunds} - set(originals)
        if missing:
            originals |= self._originals_in_file(missing)
        for row in self._refunds:
            original = originals.get(row.setl_id)
            if original is None:
                rejection = _rejection(row.line, row.setl_id, "refund_without_original", {})
            elif differences := _differences(row, original):
                facts = {"differences": tuple(differences)}
                rejection = _rejection(row.line, row.setl_id, "refund_not_mirror", facts)
            else:
                continue
            found.rejections.append(rejection)
            found.accepted -= 1

    def _originals_in_books(self) -> dict[str, _Original]:
        names = {
            claim_stream(self._area.code, row.setl_id, refund=False): row.setl_id
            for row in self._refunds
        }
        decode = msgspec.json.Decoder(_Original).decode
        heads = self._ledger.log.stream_heads(list(names))
        return {
            names[stream]: decode(row.state)
            for stream, row in heads.items()
            if row.topic == "claim.settled.v1"
        }

    def _originals_in_file(self, wanted: set[str]) -> dict[str, _Original]:
        ids = pa.array(sorted(wanted), pa.string())
        found: dict[str, _Original] = {}
        for claims in self._again():
            theirs = pc.and_not(pc.is_in(claims.plain("setl_id"), value_set=ids), claims.is_refund)
            if not pc.any(theirs).as_py():
                continue
            for row in claims.where(theirs).rows():
                amounts = {name: getattr(row, name) for name in ClaimAmounts.__struct_fields__}
                original = _Original(row.fixmedins_code, row.insutype, ClaimAmounts(**amounts))
                found.setdefault(row.setl_id, original)
        return found

    def _not_booked(self) -> Iterable[FileProblem]:
        for part, rows in sorted(self._unbooked.rows.items()):
            facts = {"part": part, "rows": rows, "sum_fen": self._unbooked.fen[part]}
            yield FileProblem("part_not_booked", facts)


def _differences(row: ClaimRow, original: _Original) -> list[str]:
    """Name what a refund does not mirror."""
    differing = [
        name
        for name in (*IDENTITY, *FUND_PARTS)
        if (getattr(row, name) or 0) != -(getattr(original.amounts, name) or 0)
    ]
    if row.fixmedins_code != original.institution:
        differing.append("fixmedins_code")
    if row.insutype != original.insutype:
        differing.append("insutype")
    return differing


def _rejection(line: int, setl_id: str, code: str, facts: Mapping[str, object]) -> Rejection:
    return Rejection(line, "setl_id", code, setl_id, facts, "claims")
