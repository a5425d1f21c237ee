"""Checking the archive (归档核验): manifests, files, and every row against the seals.

Without the log the archive proves itself: its seals are a chain from the genesis seal on, the events
of each commit give its Merkle root, and the columns are what the states say. With the log its seals
are compared too. A chain that was rebuilt as a whole is told by the log, or by an anchor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.archive import manifest as manifests
from ledger.archive.columns import Columnar, Columns, fen_of, required_columns, schema_of
from ledger.archive.durable import hash_of
from ledger.archive.manifest import (
    Manifest,
    Part,
    Reached,
    nothing_yet,
    reached,
)
from ledger.archive.parts import SEAL_SCHEMA
from ledger.errors import BooksDamaged
from ledger.store.finding import Finding
from ledger.store.reading import Reading
from ledger.store.seals import Seal, canonical_row, leaf, merkle_root, seal_digest

_SEALS_AT_ONCE = 5000
_ROWS_AT_ONCE = 20_000
#: More findings than these would say nothing new.
_MOST = 200

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``behind`` counts the events of the log that are not archived yet."""

    ok: bool
    covered_to: int
    ranges: int
    parts: int
    behind: int | None
    first_bad_position: int | None
    findings: tuple[Finding, ...]


def check(folder: Path, log: Reading | None = None, *, progress: Progress | None = None) -> Checked:
    """Check manifests, files and rows, and hold the seals against the log where one is given."""
    checking = _Checking(folder, log, progress)
    with Columnar() as columnar:
        checking.run(columnar)
    findings = tuple(checking.findings)
    bad = [one.position for one in findings if one.position is not None]
    covered = checking.covered_to
    return Checked(
        ok=not findings,
        covered_to=covered,
        ranges=checking.ranges,
        parts=checking.parts,
        behind=None if log is None else max(log.last_position() - covered, 0),
        first_bad_position=min(bad, default=None),
        findings=findings,
    )


class _Checking:
    """Goes through the ranges in order; a range whose files are not whole is not read."""

    def __init__(self, folder: Path, log: Reading | None, progress: Progress | None) -> None:
        self.findings: list[Finding] = []
        self.covered_to = self.ranges = self.parts = 0
        self._folder = folder
        self._log = log
        self._progress = progress

    def run(self, columnar: Columnar) -> None:
        chain, faults = manifests.read_chain(self._folder)
        for fault in faults:
            self._add(fault.code, fault.position, fault.zh, fault.en)
        at = nothing_yet()
        last = chain[-1].last_position if chain else 0
        for manifest in chain:
            self._range(manifest, at, columnar)
            at = reached(manifest)
            self.ranges += 1
            self.parts += len(manifest.parts)
            if self._progress:
                self._progress(at.position, last)
        self.covered_to = at.position
        if not faults:
            self._extra(chain)
        if self._log is not None:
            self._ahead(self._log, at)

    def _add(self, code: str, position: int | None, zh: str, en: str, **facts: Any) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code, position, zh, en, facts))

    def _range(self, manifest: Manifest, at: Reached, columnar: Columnar) -> None:
        whole = [self._whole(part, part.first) for part in manifest.parts]
        seals_whole = self._whole(manifest.seals, manifest.first_position)
        seals = list(self._seals(manifest, at)) if seals_whole else []
        if not all(whole):
            return
        leaves: list[bytes | None] = [None] * (manifest.last_position - at.position)
        counted = [self._rows(part, at.position, leaves, columnar) for part in manifest.parts]
        rows, fen = (sum(one) for one in zip(*counted, strict=True)) if counted else (0, 0)
        if (rows, fen) != (manifest.events, manifest.fen):
            self._manifest_differs(manifest)
        self._hold_against(seals, leaves, at)

    def _whole(self, part: Part, position: int) -> bool:
        path = self._folder / part.path
        facts = {"path": part.path}
        if not path.is_file():
            zh, en = f"文件 {part.path} 缺失", f"the part {part.path} is missing"
            self._add("archive_part_missing", position, zh, en, **facts)
        elif path.stat().st_size != part.bytes or hash_of(path) != part.sha256:
            zh, en = (
                f"文件 {part.path} 被改动或损坏",
                f"the part {part.path} was altered or damaged",
            )
            self._add("archive_part_damaged", position, zh, en, **facts)
        else:
            return True
        return False

    # --- seals

    def _seals(self, manifest: Manifest, at: Reached) -> Iterator[Seal]:
        """Give the range's seals; tell where they are no chain, or not those of the log."""
        digest, number, position = at.seal_digest, at.seal_no, at.position
        ours = self._seals_of_log(after=at.seal_no, to=manifest.seal_no)
        told = False
        for seal, key, input_hash in self._archived_seals(manifest):
            follows = (seal.no, seal.first_position) == (number + 1, position + 1)
            own = seal_digest(seal, key=key, input_hash=input_hash)
            if not (follows and seal.prev.hex() == digest and own == seal.digest):
                zh = f"归档中的封记 {seal.no} 与前一封记不相连或被改动"
                en = f"the archived seal {seal.no} was altered or does not follow on"
                self._add("archive_seal_altered", position + 1, zh, en, seal=seal.no)
                return
            if not told and self._log is not None and next(ours, None) != seal:
                zh = f"自封记 {seal.no} 起归档与日志不符"
                en = f"from seal {seal.no} on the archive differs from the log"
                self._add("archive_differs", seal.first_position, zh, en, seal=seal.no)
                told = True
            yield seal
            digest, number, position = seal.digest.hex(), seal.no, seal.last_position
        if (digest, number, position) != (
            manifest.seal_digest,
            manifest.seal_no,
            manifest.last_position,
        ):
            self._manifest_differs(manifest)

    def _archived_seals(self, manifest: Manifest) -> Iterator[tuple[Seal, str, str]]:
        with pq.ParquetFile(self._folder / manifest.seals.path) as file:
            if file.schema_arrow != SEAL_SCHEMA:
                self._unreadable(manifest.seals, manifest.first_position)
                return
            for batch in file.iter_batches(_SEALS_AT_ONCE):
                for row in zip(*(one.to_pylist() for one in batch.columns), strict=True):
                    yield Seal(*row[:8]), row[8], row[9]

    def _seals_of_log(self, *, after: int, to: int) -> Iterator[Seal]:
        while self._log is not None and after < to:
            page = self._log.seals(after=after, limit=min(_SEALS_AT_ONCE, to - after))
            if not page:
                return
            yield from page
            after = page[-1].no

    def _hold_against(self, seals: list[Seal], leaves: list[bytes | None], at: Reached) -> None:
        for seal in seals:
            place = seal.first_position - at.position - 1
            mine = [one for one in leaves[place : place + seal.events] if one is not None]
            if merkle_root(mine) != seal.root:
                zh = f"归档中封记 {seal.no} 所含事件与封记不符"
                en = f"the archived events under seal {seal.no} are not what it sealed"
                facts = {"seal": seal.no, "first": seal.first_position, "last": seal.last_position}
                self._add("archive_events_altered", seal.first_position, zh, en, **facts)

    # --- rows

    def _rows(
        self, part: Part, before: int, leaves: list[bytes | None], columnar: Columnar
    ) -> tuple[int, int]:
        """Put the leaf of each row in its place; tell where columns are not what the states say."""
        rows = fen = 0
        positions: list[int] = []
        try:
            with pq.ParquetFile(self._folder / part.path) as file:
                for batch in file.iter_batches(_ROWS_AT_ONCE):
                    table = pa.Table.from_batches([batch])
                    positions += self._batch(part, table, before, leaves, columnar)
                    rows, fen = rows + len(table), fen + fen_of(table)
        except (pa.ArrowException, BooksDamaged, KeyError, ValueError, OSError):
            self._unreadable(part, part.first)
            return rows, fen
        said = (part.rows, part.fen, part.first, part.last)
        there = (rows, fen, positions[0], positions[-1]) if positions else (0, 0, 0, 0)
        if said != there or positions != sorted(set(positions)):
            zh = f"文件 {part.path} 的行数、金额或位置与清单不符"
            en = f"rows, amounts or positions of {part.path} are not what its manifest says"
            self._add("archive_part_differs", part.first, zh, en, path=part.path)
        return rows, fen

    def _batch(
        self,
        part: Part,
        table: pa.Table,
        before: int,
        leaves: list[bytes | None],
        columnar: Columnar,
    ) -> list[int]:
        folder = part.folder()
        if folder is None or not required_columns(folder.topic) <= {*table.column_names}:
            raise KeyError(part.path)
        topic = folder.topic
        positions: list[int] = table["position"].to_pylist()
        streams = table["stream"].to_pylist()
        versions = table["version"].to_pylist()
        states = [one.encode() for one in table["state"].to_pylist()]
        name = topic.encode()
        for position, stream, version, state in zip(
            positions, streams, versions, states, strict=True
        ):
            place = position - before - 1
            if not 0 <= place < len(leaves) or leaves[place] is not None:
                raise ValueError(position)
            leaves[place] = leaf(canonical_row(UUID(stream).bytes, version, name, state))
        self._compare(
            part, topic, table, columnar.read(topic, positions, streams, versions, states)
        )
        return positions

    def _compare(self, part: Part, topic: str, table: pa.Table, read: Columns) -> None:
        """Tell the first row whose columns or folder are not what its state says."""
        schema = schema_of(topic)
        known = [name for name in table.column_names if name in schema.names]
        ours = table.select(known).cast(pa.schema([schema.field(name) for name in known]))
        theirs = read.table.select(known)
        home = part.path.split("/", 2)[2].rpartition("/")[0]
        at_home = read.folders.to_pylist().count(home) == len(table)
        if len(known) == len(table.column_names) and ours.equals(theirs) and at_home:
            return
        position = next(
            (
                row["position"]
                for row, right, place in zip(
                    ours.to_pylist(), theirs.to_pylist(), read.folders.to_pylist(), strict=True
                )
                if row != right or place != home
            ),
            part.first,
        )
        zh = f"文件 {part.path} 位置 {position} 的列与事件内容不符"
        en = f"the columns of {part.path} at position {position} are not what the event says"
        self._add("archive_columns_differ", position, zh, en, path=part.path)

    def _unreadable(self, part: Part, position: int) -> None:
        zh, en = f"文件 {part.path} 无法读取", f"the part {part.path} cannot be read"
        self._add("archive_part_unreadable", position, zh, en, path=part.path)

    def _manifest_differs(self, manifest: Manifest) -> None:
        name = manifests.file_of(self._folder, manifest.number).name
        zh = f"清单 {name} 的合计或封记与其文件不符"
        en = f"totals or seal of the manifest {name} are not those of its parts"
        self._add(
            "archive_manifest_differs", manifest.first_position, zh, en, range=manifest.number
        )

    # --- around the ranges

    def _extra(self, chain: list[Manifest]) -> None:
        """Tell files that no manifest names: whoever reads the folder by a pattern would read them."""
        named = {part.path for one in chain for part in (*one.parts, one.seals)}
        for path in sorted(self._folder.rglob("*.parquet")):
            below = path.relative_to(self._folder).as_posix()
            if below not in named:
                zh, en = f"文件 {below} 不在任何清单中", f"no manifest names the file {below}"
                self._add("archive_part_extra", None, zh, en, path=below)

    def _ahead(self, log: Reading, at: Reached) -> None:
        head = log.head()
        if at.position > head.last_position or at.seal_no > head.no:
            zh = f"归档到位置 {at.position}，日志只到 {head.last_position}：日志尾部缺失"
            en = f"the archive reaches position {at.position}, the log only {head.last_position}"
            self._add("archive_ahead", head.last_position + 1, zh, en)
