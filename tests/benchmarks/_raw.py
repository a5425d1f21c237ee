"""The database itself taking rows of the log: what an append is held against.

PostgreSQL's COPY of the packed rows, SQLite's ``executemany`` of rows made before, into the table of
the log with its indexes and triggers, in one transaction; nothing of ours is in the time.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
from benchmarks.figures import seconds

from ledger.store.prepared import Encoded, prepare

LIMITS = {
    "PostgreSQL": "COPY of the same bytes into the same table",
    "SQLite": "raw executemany into the same table",
}

_COPY = "COPY events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT binary)"
_INSERT = "INSERT INTO events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)"


def committed(url: str, events: list[Encoded]) -> float:
    """Give the seconds that taking the rows and committing them took."""
    with _taking(url, events) as (take, commit, _):
        return seconds(lambda: (take(), commit()))


def rolled_back(url: str, events: list[Encoded]) -> float:
    """Give the seconds that taking the rows took; they are gone afterwards."""
    with _taking(url, events) as (take, _, roll_back):
        took = seconds(take)
        roll_back()
        return took


def memory(url: str) -> str:
    """Say how much of the pages of its tables the database keeps in its own memory."""
    if url.startswith("sqlite"):
        return "SQLite keeps 64 MiB of pages for each connection"
    with psycopg.connect(url) as server:
        [size] = server.execute("SHOW shared_buffers").fetchone() or ("?",)
    return f"the server keeps {size} of pages (shared_buffers)"


_Step = Callable[[], None]


@contextmanager
def _taking(url: str, events: list[Encoded]) -> Iterator[tuple[_Step, _Step, _Step]]:
    if url.startswith("sqlite"):
        rows = [(stream.hex(), version, topic, state) for stream, version, topic, state in events]
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            file.execute("PRAGMA synchronous = FULL")
            yield (lambda: _execute(file, rows)), file.commit, file.rollback
    else:
        packed = prepare(events).packed
        with psycopg.connect(url) as server:
            yield (lambda: _copy(server, packed)), server.commit, server.rollback


def _execute(connection: sqlite3.Connection, rows: list[tuple[str, int, str, bytes]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT, rows)


def _copy(connection: psycopg.Connection, packed: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for part in (b"PGCOPY\n\xff\r\n\0" + bytes(8), packed, b"\xff\xff"):
            copy.write(part)
