"""Whatever is done to an archive is found, and named by the first position it makes doubtful.

Deliberate defects that these tests were seen to catch: hashes of parts not compared, the chain of
manifests not followed, columns not held against the states, roots not recomputed, the log's own
seals not compared.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.facts import Books, Clock
from support.random_books import RandomBooks

from ledger.application import FundLedger
from ledger.archive import manifest as manifests
from ledger.archive.check import check
from ledger.archive.columns import Columnar
from ledger.archive.durable import hash_of
from ledger.archive.failures import ArchiveBehind, ArchiveDamaged, ArchiveForeign
from ledger.archive.manifest import Manifest, Part
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.store import schema


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with an archive of three ranges; every test takes a copy."""
    folder = tmp_path_factory.mktemp("original")
    write_book(folder, seed=3, commits=25)
    return folder


def write_book(folder: Path, *, seed: int, commits: int) -> None:
    url = f"sqlite:///{folder / 'books.db'}"
    schema.upgrade(url)
    with FundLedger(url, clock=Clock()) as ledger:
        RandomBooks(Books(ledger), seed).write(commits)
        third = -(-ledger.log.last_position() // 3)
        bring_up_to(ledger.log, folder / "archive", range_events=third)


class Forger:
    """Changes an archive and makes its papers good again, as far as he is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"

    def found(self) -> Any:
        with FundLedger(f"sqlite:///{self.folder / 'books.db'}", clock=Clock()) as ledger:
            return check(self.archive, ledger.log)

    def codes(self) -> list[str]:
        return sorted({one.code for one in self.found().findings})

    def manifest(self, number: int) -> Manifest:
        return Archive(self.archive).ranges[number - 1]

    def claims(self, number: int = 2) -> Part:
        """A part of settlements in a range."""
        return next(
            one
            for one in self.manifest(number).parts
            if "claim.settled" in one.path and "fund=_" not in one.path
        )

    def write_papers(self, number: int, parts: list[Part] | None = None, **said: Any) -> None:
        """Make a range's manifest say what its files are now, and chain those behind it anew."""
        chain = list(Archive(self.archive).ranges)
        mine = chain[number - 1]
        now = [self.papers_of(one) for one in (mine.parts if parts is None else parts)]
        chain[number - 1] = msgspec.structs.replace(
            mine,
            parts=tuple(now),
            seals=self.papers_of(mine.seals),
            **{"events": sum(p.rows for p in now), "fen": sum(p.fen for p in now)} | said,
        )
        self.chain(chain)

    def chain(self, chain: list[Manifest]) -> None:
        previous = chain[0].previous
        for one in chain:
            sealed = msgspec.structs.replace(one, previous=previous).sealed()
            manifests.write(self.archive, sealed)
            previous = sealed.digest

    def papers_of(self, part: Part) -> Part:
        path = self.archive / part.path
        table = pq.read_table(path, partitioning=None)
        first = "no" if "no" in table.column_names else "position"
        fens = []
        if "postings" in table.column_names:
            fens = [one["fen"] for row in table["postings"].to_pylist() for one in row]
        return Part(
            path=part.path,
            rows=len(table),
            first=table[first][0].as_py(),
            last=table[first][-1].as_py(),
            fen=sum(fens),
            bytes=path.stat().st_size,
            sha256=hash_of(path),
        )

    def rewrite(self, part: Part, change: Callable[[pa.Table], pa.Table]) -> None:
        path = self.archive / part.path
        pq.write_table(change(pq.read_table(path, partitioning=None)), path)


@pytest.fixture
def forger(original: Path, tmp_path: Path) -> Forger:
    shutil.copytree(original, tmp_path / "copy")
    return Forger(tmp_path / "copy")


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_the_copy_is_sound_before_anything_is_done(forger):
    assert forger.codes() == []


@pytest.mark.parametrize("place", [0, 1, 2, -1])
def test_a_bit_of_a_part(forger, place):
    parts = forger.manifest(2).parts
    part = parts[place]
    path = forger.archive / part.path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = forger.found()
    assert [(one.code, one.position) for one in found.findings] == [
        ("archive_part_damaged", part.first)
    ]
    assert found.first_bad_position == part.first


def test_a_part_that_is_gone(forger):
    part = forger.claims()
    (forger.archive / part.path).unlink()
    found = forger.found()
    assert [one.code for one in found.findings] == ["archive_part_missing"]
    assert found.first_bad_position == part.first
    with pytest.raises(ArchiveDamaged) as damaged:
        Archive(forger.archive).parts(topic="claim.settled.v1")
    assert part.path in damaged.value.message("en")


def test_a_part_that_is_cut_short_is_refused_by_readers_too(forger):
    path = forger.archive / forger.claims().path
    path.write_bytes(path.read_bytes()[:-10])
    assert forger.codes() == ["archive_part_damaged"]
    with pytest.raises(ArchiveDamaged):
        Archive(forger.archive).parts()


def test_a_part_that_changed_places_with_another(forger):
    ours, theirs = (forger.archive / forger.claims(number).path for number in (2, 3))
    content = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    theirs.write_bytes(content)
    assert forger.codes() == ["archive_part_damaged"]
    assert forger.found().first_bad_position == forger.claims(2).first


def test_a_file_that_no_manifest_names(forger):
    path = forger.archive / forger.claims().path
    shutil.copy(path, path.with_name("part-000000000001-000000000002.parquet"))
    assert forger.codes() == ["archive_part_extra"]
    with FundLedger(f"sqlite:///{forger.folder / 'books.db'}", clock=Clock()) as ledger:
        bring_up_to(ledger.log, forger.archive)
    assert forger.codes() == ["archive_part_extra"]  # evidence is not swept away


FIELDS = {
    "number": 7,
    "first_position": 1,
    "last_position": 999,
    "seal_no": 1,
    "seal_digest": "00" * 32,
    "events": 1,
    "fen": 1,
    "previous": "00" * 32,
    "digest": "00" * 32,
    "format": "medfund.archive.v2",
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_a_manifest(forger, field):
    before = forger.manifest(1).last_position
    altered = msgspec.structs.replace(forger.manifest(2), **{field: FIELDS[field]})
    text = msgspec.json.encode(altered)
    manifests.file_of(forger.archive, 2).write_bytes(text)
    found = forger.found()
    assert [one.code for one in found.findings] == ["archive_manifest_altered"]
    assert (found.first_bad_position, found.covered_to) == (before + 1, before)
    with pytest.raises(ArchiveDamaged):
        Archive(forger.archive)


@pytest.mark.parametrize("field", ["seal_no", "seal_digest", "events", "fen"])
def test_a_field_of_a_manifest_with_its_papers_made_good(forger, field):
    if field in {"events", "fen"}:
        forger.write_papers(2, **{field: FIELDS[field]})
    else:
        chain = list(Archive(forger.archive).ranges)
        chain[1] = msgspec.structs.replace(chain[1], **{field: FIELDS[field]})
        forger.chain(chain)
    found = forger.found()
    assert "archive_manifest_differs" in {one.code for one in found.findings}
    assert found.first_bad_position == Archive(forger.archive).ranges[1].first_position


def test_a_part_left_out_of_a_manifest_with_its_papers_made_good(forger):
    gone = forger.claims()
    forger.write_papers(2, [one for one in forger.manifest(2).parts if one != gone])
    assert "archive_events_altered" in forger.codes()
    assert "archive_part_extra" in forger.codes()


def test_a_manifest_that_is_gone_from_the_middle(forger):
    manifests.file_of(forger.archive, 2).unlink()
    assert forger.codes() == ["archive_manifest_missing"]


def test_a_manifest_cut_off_the_end_is_written_again_as_it_was(forger):
    last = manifests.file_of(forger.archive, 3)
    content = last.read_bytes()
    covered = forger.manifest(2).last_position
    position = forger.manifest(3).last_position
    last.unlink()
    assert forger.found().behind == position - covered
    with pytest.raises(ArchiveBehind):
        Archive(forger.archive).require(position)
    with FundLedger(f"sqlite:///{forger.folder / 'books.db'}", clock=Clock()) as ledger:
        bring_up_to(ledger.log, forger.archive, range_events=-(-position // 3))
    assert last.read_bytes() == content
    assert forger.codes() == []


def test_an_amount_in_the_columns_with_its_papers_made_good(forger):
    """The state is untouched, so every root is right: only the columns tell."""
    part = forger.claims()
    total = lambda table: pc.add(table["medfee_sumamt"], 1)  # noqa: E731
    forger.rewrite(part, lambda table: with_column(table, "medfee_sumamt", total(table)))
    forger.write_papers(2)
    found = forger.found()
    assert [one.code for one in found.findings] == ["archive_columns_differ"]
    assert found.first_bad_position == part.first


def test_an_event_altered_throughout_with_its_papers_made_good(forger):
    """State and columns agree, hashes and manifests are right: the seals tell."""
    part = forger.claims()

    def raised(table: pa.Table) -> pa.Table:
        states = [one.replace('"fen":', '"fen":9') for one in table["state"].to_pylist()]
        positions, versions = (table[one].to_pylist() for one in ("position", "version"))
        streams = [UUID(one).bytes for one in table["stream"].to_pylist()]
        raised = [one.encode() for one in states]
        with Columnar() as columnar:
            return columnar.read("claim.settled.v1", positions, streams, versions, raised).table

    forger.rewrite(part, raised)
    forger.write_papers(2)
    found = forger.found()
    assert {one.code for one in found.findings} == {"archive_events_altered"}
    assert found.first_bad_position <= part.first <= found.findings[0].facts["last"]


def test_a_part_in_a_folder_that_is_not_its_own(forger):
    part = forger.claims()
    there = part.path.replace("period=", "period=1")
    (forger.archive / there).parent.mkdir(parents=True)
    shutil.move(forger.archive / part.path, forger.archive / there)
    moved = msgspec.structs.replace(part, path=there)
    forger.write_papers(2, [moved if one == part else one for one in forger.manifest(2).parts])
    assert forger.codes() == ["archive_columns_differ"]


@pytest.mark.parametrize("column", ["root", "digest", "prev", "at_us", "key", "input_hash"])
def test_a_seal_with_its_papers_made_good(forger, column):
    seals = forger.manifest(2).seals
    path = forger.archive / seals.path

    def change(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[0] = {int: 5, bytes: bytes(32), str: "other"}[type(values[0])]
        return with_column(table, column, pa.array(values, table.schema.field(column).type))

    table = pq.read_table(path)
    pq.write_table(change(table), path, store_schema=True)
    forger.write_papers(2)
    found = forger.found()
    assert "archive_seal_altered" in {one.code for one in found.findings}
    assert found.first_bad_position == forger.manifest(2).first_position


def test_the_archive_of_another_book_is_told_by_the_log_alone(forger, tmp_path):
    (other := tmp_path / "other").mkdir()
    write_book(other, seed=4, commits=25)
    shutil.rmtree(forger.archive)
    shutil.copytree(other / "archive", forger.archive)
    assert check(forger.archive).ok  # it is sound in itself
    found = forger.found()
    assert "archive_differs" in {one.code for one in found.findings}
    assert found.first_bad_position == 9  # both books were founded alike
    with (
        FundLedger(f"sqlite:///{forger.folder / 'books.db'}", clock=Clock()) as ledger,
        pytest.raises(ArchiveForeign),
    ):
        bring_up_to(ledger.log, forger.archive)


def test_an_archive_that_knows_more_than_the_log(original, tmp_path):
    """The log was restored from an older backup, or its end was cut off with its seals."""
    (short := tmp_path / "short").mkdir()
    write_book(short, seed=3, commits=12)
    shutil.rmtree(short / "archive")
    shutil.copytree(original / "archive", short / "archive")
    forger = Forger(short)
    assert forger.codes() == ["archive_ahead"]
    with FundLedger(f"sqlite:///{short / 'books.db'}", clock=Clock()) as ledger:
        assert forger.found().first_bad_position == ledger.log.last_position() + 1
        with pytest.raises(ArchiveForeign):
            bring_up_to(ledger.log, short / "archive")
