"""Rebuilding the balances: from the log against one GROUP BY in it, from the archive against DuckDB."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb
import psycopg
from benchmarks._province import Log, Province, at_work
from benchmarks.figures import Figure, Paired, Scale, paired
from support.services import fresh_database, require_durable_postgres

from ledger.application import FundLedger
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to as archive_up_to
from ledger.store import schema
from projections.follow import bring_up_to
from projections.rebuild import rebuild
from projections.store import ReadStore

_TOPICS = ("claim.settled.v1", "claim.refunded.v1")
_GROUPED = """
    SELECT f.area, f.booked_on, p.fund, p.debit, p.credit, sum(p.fen), count(*)
    FROM events,
         json_to_record(convert_from(state, 'UTF8')::json)
             AS f (area text, booked_on text, institution text, clr_type text, postings json),
         json_to_recordset(f.postings)
             AS p (fund text, debit text, credit text, fen bigint, party text)
    WHERE f.postings IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
"""
_TOUCHED = """
    SELECT sum(length(area)), sum(length(booked_on)), sum(length(institution)),
           sum(length(clr_type)), sum(length(belongs_to)), sum(length(source_intake)),
           sum(position), sum(one.fen), sum(length(one.fund)), sum(length(one.debit)),
           sum(length(one.credit)), sum(length(one.party))
    FROM (SELECT *, unnest(postings) AS one FROM (
        SELECT area, booked_on, institution, clr_type, belongs_to, source_intake, position, postings
        FROM read_parquet(?, union_by_name = true, hive_partitioning = false)))
"""


def figures(scale: Scale) -> Iterator[Figure]:
    events = scale.of(1_000_000, 8_000)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(fresh_database(require_durable_postgres()))
        schema.upgrade(url)
        Log.filled(url, Province().commits(), events).close()
        with at_work(url) as (ledger, store):
            bring_up_to(ledger, store, ledger.log.last_position())
            yield _from_log(scale, url, ledger, store)
            archive_up_to(ledger.log, folder)
            yield _from_archive(scale, Archive(folder), ledger, store)


def _figure(work: str, against: str, found: Paired, events: int, *, limited_by: str) -> Figure:
    ratio, low, high = found.time()
    return Figure(
        work=f"rebuild of the balances from the {work}, {events:,} events, PostgreSQL",
        against=against,
        ratio=ratio,
        low=low,
        high=high,
        aim="≤ 3",
        said=f"{min(found.ours):.1f} s with comparison and switch against {min(found.theirs):.1f} s",
        limited_by=limited_by,
    )


def _from_log(scale: Scale, url: str, ledger: FundLedger, store: ReadStore) -> Figure:
    found = paired(
        partial(_seconds, lambda: rebuild(ledger, store, ["balances"])),
        partial(_seconds, lambda: _grouped(url)),
        rounds=scale.of(5, 2),
        warm=scale.of(1, 0),
    )
    return _figure(
        "log",
        "one json_to_record … GROUP BY over the same log, as PostgreSQL plans it",
        found,
        ledger.log.last_position(),
        limited_by="decoding and adding up in Python on one core; PostgreSQL's JSON parser on two",
    )


def _from_archive(scale: Scale, archive: Archive, ledger: FundLedger, store: ReadStore) -> Figure:
    files = [str(path) for path in archive.parts(topic=_TOPICS)]
    found = paired(
        partial(_seconds, lambda: rebuild(ledger, store, ["balances"], archive=archive)),
        partial(_seconds, lambda: _touched(files)),
        rounds=scale.of(5, 2),
        warm=scale.of(1, 0),
    )
    return _figure(
        "archive",
        "DuckDB touching the same columns of its settlements",
        found,
        ledger.log.last_position(),
        limited_by="A quarter is summing in DuckDB, twice what touching takes; the rest is documents"
        " folded from their states, rows written to PostgreSQL, and the comparison of all rows. All"
        " of it grows with the log, so a larger one gives the same ratio",
    )


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _grouped(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_GROUPED).fetchall()


def _touched(files: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute(_TOUCHED, [files]).fetchall()
