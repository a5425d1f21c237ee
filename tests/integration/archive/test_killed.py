"""An archiver that is killed anywhere, or meets another, and is run again: the bytes are the same.

Deliberate defects that these tests were seen to catch: a manifest written in its place instead of
beside it, leftovers that are kept, no lock.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.archive.conftest import bytes_of
from support.facts import Books, Clock, settled
from support.lengths import LONG

from ledger.application import FundLedger
from ledger.archive.failures import ArchiveBusy
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to

ROOT = Path(__file__).parents[3]
#: So many events of the small book below make a range; it has three.
RANGE = 7


class Archiver:
    """Starts archivers that die where they are told."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "support.mortal_archiver"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, url: str, folder: Path, *, signal_: int = signal.SIGKILL, at: int = 0) -> int:
        order = {"url": url, "folder": str(folder), "range_events": RANGE}
        self._program.stdin.write(json.dumps(order | {"signal": signal_, "at": at}) + "\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())

    def ended(self) -> tuple[int, int]:
        code, points = json.loads(self._program.stdout.readline())
        return code, points

    def close(self) -> None:
        self._program.stdin.close()
        self._program.wait(30)
        self._program.stdout.close()


@pytest.fixture(scope="module")
def archiver() -> Iterator[Archiver]:
    started = Archiver()
    yield started
    started.close()


@pytest.fixture
def book(store_url: str) -> str:
    """Three ranges: the setup, and twice seven settlements of two months."""
    with FundLedger(store_url, clock=Clock()) as ledger:
        books = Books(ledger)
        books.found("310", "390", institutions=("H33060400001", "H33060400002"))
        books.start_claims("c1", "310.pooled")
        for first in (0, 7):
            books.claims(
                "c1",
                *(
                    settled(
                        f"s{first + number}",
                        {"310.pooled": 5 + number},
                        f"2023-0{1 + number % 2}-05",
                    )
                    for number in range(7)
                ),
            )
    return store_url


def test_killed_at_any_point_and_run_again_it_is_as_if_never_killed(book, archiver, tmp_path):
    archiver.start(book, tmp_path / "undisturbed")
    code, points = archiver.ended()
    assert (code, len(Archive(tmp_path / "undisturbed").ranges)) == (0, 3)
    undisturbed = bytes_of(tmp_path / "undisturbed")
    assert points > 30
    # The short form goes to the odd points on one store and to the even ones on the other.
    chosen = range(1, points + 1)
    if not LONG:
        chosen = range(1 + book.startswith("postgresql"), points + 1, 2)
    seen = set()
    for at in chosen:
        folder = tmp_path / f"killed-{at}"
        archiver.start(book, folder, at=at)
        code, _ = archiver.ended()
        assert code == -signal.SIGKILL
        left = Archive(folder)
        seen.add(len(left.ranges))
        assert left.check().findings == ()
        assert all(path.is_file() for path in left.parts())
        archiver.start(book, folder)
        assert archiver.ended()[0] == 0
        assert bytes_of(folder) == undisturbed, at
    assert seen >= {0, 1, 2}


def test_a_second_archiver_is_refused_while_the_first_one_runs(book, archiver, tmp_path):
    folder = tmp_path / "archive"
    first = archiver.start(book, folder, signal_=signal.SIGSTOP, at=25)
    _wait_until_stopped(first)
    with FundLedger(book, clock=Clock()) as ledger:
        assert Archive(folder).covered_to > 0  # readers are not kept waiting
        with pytest.raises(ArchiveBusy) as busy:
            bring_up_to(ledger.log, folder, range_events=RANGE)
        assert busy.value.family == "conflict"
        os.kill(first, signal.SIGCONT)
        assert archiver.ended()[0] == 0
        assert bring_up_to(ledger.log, folder, range_events=RANGE).events == 0
        assert Archive(folder).check(ledger.log).ok


def _wait_until_stopped(process: int) -> None:
    for _ in range(3000):
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.01)
    raise AssertionError("the archiver did not stop")
