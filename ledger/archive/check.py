"""Checking the archive (归档核验): manifests, files, and every row against the seals.

Without the log the archive proves itself: its seals are a chain from the genesis seal on, the events
of each commit give its Merkle root, and the columns are what the states say. With the log its seals
are compared too. A chain that was rebuilt as a whole is told by the log, or by an anchor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ledger.archive import manifest as manifests
from ledger.archive.check_rows import check_rows
from ledger.archive.columns import Columnar
from ledger.archive.durable import hash_of
from ledger.archive.manifest import (
    Manifest,
    Part,
    Reached,
    nothing_yet,
    reached,
)
from ledger.archive.parts import SEAL_SCHEMA
from ledger.store.finding import Finding
from ledger.store.reading import Reading
from ledger.store.seals import Seal, merkle_root, seal_digest

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
        self._end_of_log = 0
        self._progress = progress

    def run(self, columnar: Columnar) -> None:
        chain, faults = manifests.read_chain(self._folder)
        if self._log is not None:  # asked after the archive was: another run may be adding to both
            self._end_of_log = self._log.last_position()
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
            self._extra(chain, at)
        if self._log is not None and at.position > self._end_of_log:
            self._ahead(at)

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
        rows, fen = check_rows(
            manifest.parts,
            at.position,
            leaves,
            folder=self._folder,
            columnar=columnar,
            tell=self._add,
        )
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
            if not told and seal.first_position <= self._end_of_log and next(ours, None) != seal:
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

    def _extra(self, chain: list[Manifest], at: Reached) -> None:
        """Tell files that no manifest names: whoever reads the folder by a pattern would read them.

        What lies behind the last range is what a killed or a running archiver left: the next run
        clears it away, and nothing is said of it.
        """
        named = {part.path for one in chain for part in (*one.parts, one.seals)}
        unfinished = {*manifests.leftovers(self._folder, at)}
        for path in sorted(self._folder.rglob("*.parquet")):
            below = path.relative_to(self._folder).as_posix()
            if below not in named and path not in unfinished:
                zh, en = f"文件 {below} 不在任何清单中", f"no manifest names the file {below}"
                self._add("archive_part_extra", None, zh, en, path=below)

    def _ahead(self, at: Reached) -> None:
        zh = f"归档到位置 {at.position}，日志只到 {self._end_of_log}：日志尾部缺失"
        en = f"the archive reaches position {at.position}, the log only {self._end_of_log}"
        self._add("archive_ahead", self._end_of_log + 1, zh, en)
