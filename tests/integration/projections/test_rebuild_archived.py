"""A rebuild from the archive gives the very tables that the log gives, or switches nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from support.facts import H1, Books, flow, settled
from support.random_books import RandomBooks

from ledger.application import FundLedger
from ledger.archive.failures import ArchiveDamaged, ArchiveForeign
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to as archive_up_to
from ledger.domain.entry import Posting
from ledger.events.base import Source
from projections import rebuild as rebuilding
from projections.compare import compare
from projections.follow import bring_up_to
from projections.rebuild import ArchiveDisagrees, rebuild
from projections.rebuild.archived import ArchivedPages
from projections.store import ReadStore
from projections.tables import STATE, VIEW_TABLES


def contents(store: ReadStore) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of the live tables."""
    with store.reading() as reading:
        return {
            table.name.rpartition("_g")[0]: sorted(
                (tuple(row) for row in reading.rows(select(table))), key=repr
            )
            for view, generation in reading.generations.items()
            for table in VIEW_TABLES[view](generation).all()
        }


def projected(ledger: FundLedger, store: ReadStore) -> dict[str, list[tuple[Any, ...]]]:
    bring_up_to(ledger, store, ledger.log.last_position())
    return contents(store)


def archived(ledger: FundLedger, folder: Path, **how: Any) -> Archive:
    archive_up_to(ledger.log, folder, **how)
    return Archive(folder)


@pytest.fixture
def from_log(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tell after which positions the log was read during a rebuild."""
    asked: list[int] = []
    next_page = rebuilding.next_page

    def noted(log: Any, *, after: int, **how: Any) -> Any:
        asked.append(after)
        return next_page(log, after=after, **how)

    monkeypatch.setattr(rebuilding, "next_page", noted)
    return asked


@pytest.fixture
def summed_in_columns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many sums of settlements came out of the columns, range by range."""
    found: list[int] = []
    take_sums = ArchivedPages._sums

    def noted(pages: ArchivedPages, *which: Any, **how: Any) -> Any:
        sums, folded, fen = take_sums(pages, *which, **how)
        found.extend(len(bucket.pairs) for bucket in sums.values() if bucket.pairs)
        return sums, folded, fen

    monkeypatch.setattr(ArchivedPages, "_sums", noted)
    return found


@pytest.mark.parametrize(("seed", "range_events"), [(1, 30), (2, 1000)])
def test_random_books_are_the_same_from_archive_and_log(  # noqa: PLR0917  fixtures
    ledger, store, books, tmp_path, from_log, summed_in_columns, seed, range_events
):
    """Caught: settlements summed for an intake that never completed; the count of refunds left out;
    a sum taken by setl_date instead of booked_on."""
    RandomBooks(books, seed, settling=True).write(60)
    truth = projected(ledger, store)
    assert truth["movements"]
    archive = archived(ledger, tmp_path / "archive", range_events=range_events)
    result = rebuild(ledger, store, archive=archive)
    assert result.document()["equal"], result.document()["differences"]
    assert not from_log
    assert summed_in_columns, "every settlement was folded from its state"
    assert contents(store) == truth
    assert compare(ledger, store)["equal"]


def odd_settlements(books: Books) -> None:
    """Settlements that the columns cannot say simply."""
    books.found("310", "390", "610")
    books.start_claims("c1", "310", "390")
    plain = settled("s1", {"390": 70_00, "310.pooled": 5}, "2023-03-01", intake_id="c1")
    twice = settled("s2", {"390": 1_00}, "2023-03-02", intake_id="c1")
    parts = (*twice.postings, Posting("390", "claims.incurred", "owed.booked", 7, None))
    turned = (Posting("390", "owed.booked", "claims.incurred", 3, H1),)
    books.claims(
        "c1",
        plain,
        _changed(twice, postings=parts),
        _changed(settled("s3", {"390": 1}, "2023-03-03", intake_id="c1"), postings=turned),
        settled("s4", {"390": -70_00}, "2023-03-04", intake_id="c1"),
    )
    books.post(flow("interest", "390", 5, "2023-03-04"))
    books.complete_claims("c1")
    late = settled("s5", {"390": 9}, "2023-03-05", intake_id="c1")
    position = books.post(late).first_position
    books.post(_changed(settled("s6", {"610": 9}, "2023-03-05"), source=Source()))
    books.reverse_claim(late, position, day="2023-03-06")
    books.start_claims("c2", "390")
    books.claims("c2", settled("s7", {"390": 11}, "2023-03-07", intake_id="c2"))


def _changed(fact: Any, **fields: Any) -> Any:
    return type(fact)(**{name: getattr(fact, name) for name in fact.__struct_fields__} | fields)


@pytest.mark.parametrize("range_events", [1, 8, 1000])
def test_settlements_that_columns_cannot_say_simply_are_folded(
    ledger, store, books, tmp_path, range_events
):
    odd_settlements(books)
    truth = projected(ledger, store)
    archive = archived(ledger, tmp_path / "archive", range_events=range_events)
    assert rebuild(ledger, store, archive=archive).document()["equal"]
    assert contents(store) == truth


def test_what_the_archive_does_not_reach_comes_from_the_log(
    ledger, store, books, tmp_path, from_log
):
    odd_settlements(books)
    archive = archived(ledger, tmp_path / "archive")
    covered = archive.covered_to
    books.post(flow("interest", "390", 8, "2023-05-01"))
    truth = projected(ledger, store)
    assert rebuild(ledger, store, archive=archive).document()["equal"]
    assert from_log == [covered]
    assert contents(store) == truth


def test_an_archive_ahead_of_the_read_models_is_read_no_further_than_they_stand(
    ledger, store, books, tmp_path
):
    odd_settlements(books)
    truth = projected(ledger, store)
    books.post(flow("interest", "390", 8, "2023-05-01"))
    archive = archived(ledger, tmp_path / "archive")
    result = rebuild(ledger, store, ["balances"], archive=archive)
    assert result.position == ledger.log.last_position() - 1
    assert contents(store) == truth


def test_a_killed_rebuild_from_the_archive_can_be_run_again(
    ledger, store, books, tmp_path, monkeypatch
):
    """Caught: ranges of a killed run kept and counted twice by the next one."""
    odd_settlements(books)
    truth = projected(ledger, store)
    archive = archived(ledger, tmp_path / "archive", range_events=5)

    class Killed(Exception):
        pass

    for kill_at in range(len(archive.ranges)):
        pages = iter(range(kill_at))
        apply_page = rebuilding.apply_page

        def dying(
            *what: Any, _pages: Any = pages, _apply: Callable[..., None] = apply_page
        ) -> None:
            if next(_pages, None) is None:
                raise Killed
            _apply(*what)

        with monkeypatch.context() as patched:
            patched.setattr(rebuilding, "apply_page", dying)
            with pytest.raises(Killed):
                rebuild(ledger, store, archive=archive)
        assert contents(store) == truth
    assert rebuild(ledger, store, archive=archive).document()["equal"]
    assert contents(store) == truth


def test_an_archive_of_another_log_is_refused(ledger, store, books, tmp_path):
    books.found("390")
    books.post(flow("interest", "390", 5, "2023-03-04"))
    archive = archived(ledger, tmp_path / "archive")
    (only,) = archive.ranges
    archive.ranges = (msgspec.structs.replace(only, seal_digest=only.seal_digest[::-1]),)
    truth = projected(ledger, store)
    with pytest.raises(ArchiveForeign):
        rebuild(ledger, store, archive=archive)
    assert contents(store) == truth


@pytest.mark.parametrize("damage", ["missing", "cut", "other rows"])
def test_parts_that_are_not_what_the_manifest_says_are_refused(
    ledger, store, books, tmp_path, damage
):
    """Caught: rows and fen of a range taken as they come, its manifest never asked."""
    odd_settlements(books)
    truth = projected(ledger, store)
    archive = archived(ledger, tmp_path / "archive", range_events=12)
    path = archive.parts(topic="claim.settled.v1")[0]
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        _say_other_fen(archive, path)
    with pytest.raises(ArchiveDamaged):
        rebuild(ledger, store, archive=archive)
    assert contents(store) == truth


def _say_other_fen(archive: Archive, path: Path) -> None:
    """Let the manifest name an amount that the part does not hold."""
    archive.ranges = tuple(
        msgspec.structs.replace(
            one,
            parts=tuple(
                msgspec.structs.replace(part, fen=part.fen + 1)
                if archive.folder / part.path == path
                else part
                for part in one.parts
            ),
        )
        for one in archive.ranges
    )


def test_nothing_is_switched_where_archive_and_live_tables_differ(ledger, store, books, tmp_path):
    odd_settlements(books)
    projected(ledger, store)
    archive = archived(ledger, tmp_path / "archive")
    with store.writing() as connection, store.reading() as reading:
        table = VIEW_TABLES["balances"](reading.generations["balances"]).month_sums  # type: ignore[attr-defined]
        connection.execute(table.update().values(debit_fen=table.c.debit_fen + 1))
    damaged = contents(store)
    with pytest.raises(ArchiveDisagrees) as refused:
        rebuild(ledger, store, archive=archive)
    assert refused.value.facts["tables"] == "month_sums"
    assert contents(store) == damaged
    assert not rebuild(ledger, store).document()["equal"]
    assert compare(ledger, store)["equal"]


def test_the_command_reads_the_archive_and_heals_what_another_version_made(
    ledger, store, books, medfund
):
    """Caught: a command that brings outdated tables up to the log before it rebuilds them."""
    odd_settlements(books)
    truth = projected(ledger, store)
    assert medfund("archive").code == 0
    with store.writing() as connection:
        connection.execute(STATE.update().values(shape="older"))
    refused = medfund("balances", "--as-of", "2023-12-31", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (5, "projections_outdated")
    done = medfund("rebuild", "--from", "archive", "--json")
    assert done.code == 0, done.out
    assert {row["problem"] for row in done.json["differences"]} == {"shape"}
    assert contents(store) == truth
