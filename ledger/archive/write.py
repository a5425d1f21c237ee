"""Writing the archive (归档): the log's next ranges, each proven by its seals before it is kept.

A range ends with a commit. Its parts are brought to the disk first, then the manifest that names
them; a run that is killed leaves at most parts that no manifest names, and the next one begins the
same range anew. Ranges are cut by what the archive and the log hold, not by who ran when: killed
anywhere and run again gives the same bytes.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ledger.archive import manifest as manifests
from ledger.archive.columns import Columnar
from ledger.archive.durable import make_folder
from ledger.archive.failures import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveForeign,
    ArchiveFull,
    ArchiveUnavailable,
    LogNotArchivable,
)
from ledger.archive.manifest import Manifest, Reached, nothing_yet, reached
from ledger.archive.parts import Waiting, write_events, write_seals
from ledger.store import statements as sql
from ledger.store.reading import PlainRow, Reading
from ledger.store.seals import Seal, canonical_rows, leaf, merkle_root

RANGE_EVENTS = 500_000
PAGE = 10_000
#: How long whoever needs the archive to decide waits for another who is writing it.
PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.05
_SEALS_AT_ONCE = 5000
_STREAM_BYTES = 16
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Archived:
    """What a run came to: where the archive stands now, and what was added."""

    position: int
    seal_no: int
    digest: str
    ranges: int
    parts: int
    events: int


def bring_up_to(
    log: Reading,
    folder: Path,
    *,
    position: int | None = None,
    range_events: int = RANGE_EVENTS,
    progress: Progress | None = None,
    patience_seconds: float = 0,
) -> Archived:
    """Archive the log up to a position, by default all of it; whole commits only.

    ArchiveBusy while another process does it, for so many seconds; ArchiveFull without space, ArchiveForeign where the
    archive is of another log, LogNotArchivable where the log is not what its seals say.
    """
    head = log.head()
    wanted = head.last_position if position is None else min(position, head.last_position)
    with _failures_told(folder), _alone(folder, patience_seconds), Columnar() as columnar:
        chain, faults = manifests.read_chain(folder)
        if faults:
            raise ArchiveDamaged(folder=str(folder), reason_zh=faults[0].zh, reason_en=faults[0].en)
        before = at = reached(chain[-1]) if chain else nothing_yet()
        _check_belonging(log, folder, at)
        _clear_leftovers(folder, at)
        parts = 0
        while at.position < wanted:
            end = log.seal_covering(min(at.position + range_events, wanted))
            if end is None:
                raise LogNotArchivable(position=at.position + 1, seal=head.no)
            written = _Range(log, folder, at, end, columnar).write()
            parts += len(written.parts)
            at = reached(written)
            if progress:
                progress(at.position, wanted)
    return Archived(
        position=at.position,
        seal_no=at.seal_no,
        digest=at.digest,
        ranges=at.number - before.number,
        parts=parts,
        events=at.position - before.position,
    )


class _Range:
    """One range on its way: read, held against its seals, written."""

    def __init__(
        self, log: Reading, folder: Path, at: Reached, end: Seal, columnar: Columnar
    ) -> None:
        self._log = log
        self._folder = folder
        self._at = at
        self._end = end
        self._columnar = columnar
        self._waiting: dict[tuple[str, str], Waiting] = {}

    def write(self) -> Manifest:
        try:
            return self._write()
        except BaseException:
            # Whoever reads the folder by a pattern finds nothing half done.
            _clear_leftovers(self._folder, self._at)
            raise

    def _write(self) -> Manifest:
        seals = list(_seals(self._log, after=self._at.seal_no, to=self._end.no))
        _hold_against(seals, self._read(), after=self._at)
        parts = tuple(
            write_events(self._folder, topic, place, waiting)
            for (topic, place), waiting in sorted(self._waiting.items())
        )
        manifest = Manifest(
            number=self._at.number + 1,
            first_position=self._at.position + 1,
            last_position=self._end.last_position,
            seal_no=self._end.no,
            seal_digest=self._end.digest.hex(),
            events=sum(part.rows for part in parts),
            fen=sum(part.fen for part in parts),
            parts=parts,
            seals=write_seals(self._folder, seals),
            previous=self._at.digest,
        ).sealed()
        manifests.write(self._folder, manifest)
        return manifest

    def _read(self) -> list[bytes]:
        """Sort the range's events into their folders; give the leaf of each."""
        leaves: list[bytes] = []
        after, until = self._at.position, self._end.last_position
        while after < until:
            page = self._log.plain_page(after=after, limit=min(PAGE, until - after))
            if not page or page[-1][0] - after != len(page) or not all(map(_of_our_form, page)):
                raise LogNotArchivable(position=after + 1, seal=self._end.no)
            leaves += map(leaf, canonical_rows(row[1:] for row in page))
            self._sort(page)
            after = page[-1][0]
        return leaves

    def _sort(self, page: list[PlainRow]) -> None:
        by_topic: dict[str, list[PlainRow]] = {}
        for row in page:
            by_topic.setdefault(row[3], []).append(row)
        for topic, rows in by_topic.items():
            positions, streams, versions, _, states = zip(*rows, strict=True)
            read = self._columnar.read(topic, positions, streams, versions, states)
            for place in pc.unique(read.folders).to_pylist():
                mine = read.table.filter(pc.equal(read.folders, pa.scalar(place)))
                self._waiting.setdefault((topic, place), Waiting()).add(mine)


def _of_our_form(row: PlainRow) -> bool:
    """Tell whether a row can be hashed at all: somebody else may have written it."""
    return len(row[1]) == _STREAM_BYTES and isinstance(row[4], bytes)


def _seals(log: Reading, *, after: int, to: int) -> Iterator[tuple[Seal, str, str]]:
    """Give the seals of a range, each with its key and input hash."""
    while after < to:
        page = log.seals(after=after, limit=min(_SEALS_AT_ONCE, to - after))
        if not page:
            return
        last = page[-1].no
        keys = {
            no: (key, input_hash)
            for no, key, input_hash in log.rows(sql.KEYS, {"after": after, "to": last})
        }
        for seal in page:
            yield (seal, *keys.get(seal.no, ("", "")))
        after = last


def _hold_against(
    seals: list[tuple[Seal, str, str]], leaves: list[bytes], *, after: Reached
) -> None:
    """Archive nothing that the log's own seals do not say."""
    position, number = after.position, after.seal_no
    for seal, _, _ in seals:
        place = position - after.position
        root = merkle_root(leaves[place : place + seal.events])
        follows = (seal.no, seal.first_position) == (number + 1, position + 1)
        if not follows or root != seal.root:
            raise LogNotArchivable(position=position + 1, seal=seal.no)
        position, number = seal.last_position, seal.no
    if position != after.position + len(leaves):
        raise LogNotArchivable(position=position + 1, seal=number)


def _check_belonging(log: Reading, folder: Path, at: Reached) -> None:
    found = log.seals(after=at.seal_no - 1, limit=1)
    ours = found[0] if found else None
    if ours is None or (ours.no, ours.last_position, ours.digest.hex()) != (
        at.seal_no,
        at.position,
        at.seal_digest,
    ):
        raise ArchiveForeign(folder=str(folder), seal=at.seal_no, position=at.position)


def _clear_leftovers(folder: Path, at: Reached) -> None:
    """Remove what a killed run left behind the last range; no manifest names it."""
    for path in list(manifests.leftovers(folder, at)):
        path.unlink()


@contextmanager
def _alone(folder: Path, patience_seconds: float) -> Iterator[None]:
    """Let one process write; the lock goes with the process, however it ends."""
    make_folder(folder)
    opened = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    give_up = time.monotonic() + patience_seconds
    try:
        while not _locked(opened):
            if time.monotonic() >= give_up:
                raise ArchiveBusy(folder=str(folder))
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(opened)


def _locked(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _failures_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            chain, _ = manifests.read_chain(folder)
            covered = chain[-1].last_position if chain else 0
            raise ArchiveFull(folder=str(folder), covered=covered) from error
        raise ArchiveUnavailable(folder=str(folder), reason=str(error)) from error
