"""The archive: writing it from the log, checking it, and reading from it instead of from the log.

The log is settlements of one month, 10,000 a commit. Writing reads them, holds them against the
seals, turns their states into columns, writes and syncs Parquet; the limit is PyArrow writing (and
syncing) the same columns from memory, which somebody else would have had to make first.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks._claims import chunks, commit_of
from benchmarks._stores import STORES, opened
from benchmarks.figures import Figure, Figures, Paired, Scale, paired, seconds

from ledger.application import FundLedger
from ledger.archive.durable import HashingFile
from ledger.archive.parts import ROW_GROUP
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to

_CLAIMS = ("claim.settled.v1", "claim.refunded.v1")
_CHUNK, _PAGE, _MOST_MIB = 10_000, 10_000, 600
_SUM = (
    "SELECT institution, sum(fund_pay_sumamt), count(*)"
    " FROM read_parquet(?, hive_partitioning = false) GROUP BY ALL"
)


class _Folders:
    """New folders, one a round, and the last one kept."""

    def __init__(self, under: Path) -> None:
        self._under = under
        self._numbers = count()
        self.last = under

    def new(self) -> Path:
        if self.last != self._under:
            shutil.rmtree(self.last)
        self.last = self._under / f"archive-{next(self._numbers)}"
        return self.last


def _write_columns(tables: list[pa.Table], folder: Path) -> None:
    folder.mkdir()
    for number, table in enumerate(tables):
        file = HashingFile(folder / f"{number}.parquet")
        pq.write_table(table, file, compression="zstd", row_group_size=ROW_GROUP)
        file.finish()


def _pages(ledger: FundLedger) -> int:
    """Read every event of the log, and nothing more."""
    after = 0
    while rows := ledger.log.plain_page(after=after, limit=_PAGE):
        after = rows[-1][0]
    return after


def _sums(archive: Archive) -> None:
    with duckdb.connect() as connection:
        connection.execute(_SUM, [[str(path) for path in archive.parts(topic=_CLAIMS)]]).fetchall()


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="medfund-archive-") as folder:
        yield Path(folder)


def figures(scale: Scale) -> Figures:
    size, rounds = scale.of(400_000, 10_000), scale.of(3, 1)
    for store in STORES:
        with opened(store) as (ledger, url), _scratch() as scratch:
            for number, chunk in enumerate(islice(chunks(_CHUNK), size // _CHUNK)):
                ledger.append(chunk, commit_of(f"chunk-{number}", chunk))
            yield from _of_one_store(ledger, url, scratch, f"{size:,} settlements, {store}", rounds)


def _of_one_store(ledger: FundLedger, url: str, scratch: Path, what: str, rounds: int) -> Figures:
    events = ledger.log.last_position()
    (ours := scratch / "ours").mkdir()
    written, copied = _Folders(ours), _Folders(scratch)
    bring_up_to(ledger.log, written.new())
    yield _figure(
        f"archive: write, {what}",
        "PyArrow writing the same columns from memory",
        _writing(ledger, written, copied, rounds),
        events,
    )
    archive = Archive(written.last)
    found = paired(
        lambda: seconds(lambda: archive.check(ledger.log)),
        lambda: seconds(lambda: _pages(ledger)),
        rounds=rounds,
    )
    yield _figure(
        f"archive: check every row, {what}", "reading the same events from the log", found, events
    )
    found = paired(
        lambda: seconds(lambda: _sums(archive)),
        lambda: seconds(lambda: _pages(ledger)),
        rounds=rounds,
    )
    yield _figure(
        f"archive: sums by institution, {what}",
        "reading the same events from the log",
        found,
        events,
    )
    words = [sys.executable, "-m", "benchmarks._archiving", url, str(scratch / "apart")]
    said = subprocess.run(words, check=True, capture_output=True, text=True)
    peak = float(said.stdout) / _MOST_MIB
    yield Figure(
        work=f"archive: peak memory of writing, {what}",
        against=f"{_MOST_MIB} MiB",
        ratio=peak,
        low=peak,
        high=peak,
        aim="≤ 1",
        said=f"{peak * _MOST_MIB:.0f} MiB",
    )


def _writing(ledger: FundLedger, written: _Folders, copied: _Folders, rounds: int) -> Paired:
    parts = Archive(written.last).parts()
    tables = [pq.read_table(path, partitioning=None) for path in parts]
    return paired(
        lambda: _timed_writing(ledger, written.new()),
        lambda: _timed_copying(tables, copied.new()),
        rounds=rounds,
    )


def _timed_writing(ledger: FundLedger, folder: Path) -> float:
    return seconds(lambda: bring_up_to(ledger.log, folder))


def _timed_copying(tables: list[pa.Table], folder: Path) -> float:
    return seconds(lambda: _write_columns(tables, folder))


def _figure(work: str, against: str, found: Paired, events: int) -> Figure:
    ratio, low, high = found.speed()
    mine, other = events / median(found.ours), events / median(found.theirs)
    return Figure(
        work=work,
        against=against,
        ratio=ratio,
        low=low,
        high=high,
        aim="",
        said=f"{mine:,.0f} events a second against {other:,.0f}.",
    )
