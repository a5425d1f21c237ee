"""In however many runs an archive is written: what it says is the same, and its bytes where it was cut alike.

Deliberate defects that these tests were seen to catch: a half-written range left behind on a full
disk, an event archived that its seal does not cover.
"""

import resource
import shutil
import signal
import sqlite3

import msgspec
import pytest
from integration.archive.conftest import bytes_of
from support.facts import Books, Clock, flow
from support.random_books import RandomBooks
from support.small_disk import small_disk

from ledger.application import FundLedger
from ledger.archive.columns import Columnar
from ledger.archive.failures import ArchiveFull, LogNotArchivable
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.events import cash, registry


def test_written_bit_by_bit_it_is_written_in_one_go(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path / "once", range_events=40)
    ranges = Archive(tmp_path / "once").ranges
    assert len(ranges) > 3
    for one in ranges:
        done = bring_up_to(
            ledger.log, tmp_path / "often", position=one.last_position, range_events=40
        )
        assert (done.position, done.digest, done.ranges) == (one.last_position, one.digest, 1)
    assert bytes_of(tmp_path / "often") == bytes_of(tmp_path / "once")


def test_cut_anywhere_it_holds_the_same_rows(ledger, tmp_path):
    last = ledger.log.last_position()
    bring_up_to(ledger.log, tmp_path / "once")
    for position in (1, last // 3, last // 3 + 1, last):
        done = bring_up_to(ledger.log, tmp_path / "often", position=position)
        assert done.position >= position
    often, once = Archive(tmp_path / "often"), Archive(tmp_path / "once")
    assert often.check(ledger.log).ok
    assert (often.covered_to, sum(one.fen for one in often.ranges)) == (last, once.ranges[0].fen)
    assert often.ranges[-1].seal_digest == once.ranges[0].seal_digest


def test_while_the_log_grows_closed_files_stay_as_they_are(store_url, tmp_path):
    with FundLedger(store_url, clock=Clock()) as ledger:
        growing = RandomBooks(Books(ledger), 5)
        growing.write(10)
        before: dict[str, str] = {}
        for _ in range(3):
            bring_up_to(ledger.log, tmp_path / "archive")
            now = bytes_of(tmp_path / "archive")
            assert now.items() >= before.items()
            before = now
            for _ in range(5):
                growing._documents()
        assert len(Archive(tmp_path / "archive").ranges) == 3
        assert Archive(tmp_path / "archive").check(ledger.log).behind > 0


def test_a_full_disk_leaves_what_was_whole_and_says_so(ledger, tmp_path):
    with small_disk(tmp_path / "small", size=4 << 20) as disk:
        disk.leave(450_000)
        folder = disk.folder / "archive"
        with pytest.raises(ArchiveFull) as full:
            bring_up_to(ledger.log, folder, range_events=30)
        covered = Archive(folder).covered_to
        assert full.value.facts["covered"] == covered
        assert covered < ledger.log.last_position()
        assert "请腾出空间" in full.value.message("zh")
        named = {part.path for one in Archive(folder).ranges for part in (*one.parts, one.seals)}
        assert {p.relative_to(folder).as_posix() for p in folder.rglob("*.parquet")} == named
        disk.give_room()
        bring_up_to(ledger.log, folder, range_events=30)
        bring_up_to(ledger.log, tmp_path / "undisturbed", range_events=30)
        assert bytes_of(folder) == bytes_of(tmp_path / "undisturbed")


def test_a_file_that_may_not_grow_is_a_full_disk_too(ledger, tmp_path):
    """The limit of a file's size reaches the writer in the middle of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(ArchiveFull):
            bring_up_to(ledger.log, tmp_path / "archive")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert bytes_of(tmp_path / "archive") == {}


def test_what_the_seals_do_not_cover_is_not_archived(tmp_path, migrated_sqlite):
    path = shutil.copy(migrated_sqlite, tmp_path / "books.db")
    with FundLedger(f"sqlite:///{path}", clock=Clock()) as ledger:
        RandomBooks(Books(ledger), 1).write(20)
        bring_up_to(ledger.log, tmp_path / "archive", position=20, range_events=10)
        covered = Archive(tmp_path / "archive").covered_to
        with sqlite3.connect(path) as raw:
            for (name,) in raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.execute(
                "UPDATE events SET state = CAST(replace(state, '1', '2') AS BLOB) WHERE rowid = ?",
                (covered + 3,),
            )
        raw.close()
        with pytest.raises(LogNotArchivable) as refused:
            bring_up_to(ledger.log, tmp_path / "archive", range_events=10)
        seal = ledger.log.seal_covering(covered + 3)
        assert (refused.value.facts["position"], refused.value.facts["seal"]) == (
            seal.first_position,
            seal.no,
        )
        assert Archive(tmp_path / "archive").covered_to >= covered
        assert Archive(tmp_path / "archive").check(ledger.log).ok


def test_a_retired_topic_is_archived_in_the_columns_of_the_newest(tmp_path, monkeypatch):
    retired = "contribution.received.v0"
    fact = flow("contribution.individual", "390", 2**53 + 1, "2023-01-05")
    fresh = msgspec.json.encode(fact)
    old = fresh.replace(b'"amount_fen"', b'"fen"')

    def newer(body: dict[str, object]) -> dict[str, object]:
        return {"amount_fen": body.pop("fen"), **body}

    monkeypatch.setitem(registry.UPCASTERS, retired, (cash.ContributionReceived.TOPIC, newer))
    with Columnar() as columnar:
        read = columnar.read(retired, [7], [bytes(16)], [1], [old])
    row = read.table.to_pylist()[0]
    assert (row["topic"], row["state"].encode()) == (retired, old)
    assert row["amount_fen"] == row["postings"][0]["fen"] == 2**53 + 1  # no double on the way
    assert read.folders.to_pylist() == ["area=330604/fund=390/period=2023-01"]
