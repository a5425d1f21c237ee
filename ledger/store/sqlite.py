"""The log in an SQLite file: the embedded default.

Every write starts with BEGIN IMMEDIATE: deferred transactions of several writers lose appends to
"database is locked". WAL with ``synchronous=FULL``: a commit that was confirmed survives a crash.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    InfrastructureFactory,
    PersistenceError,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import Environment

from ledger.errors import MedfundError
from ledger.store import guard
from ledger.store import statements as sql
from ledger.store.codec import StoredRow
from ledger.store.commit import Commit, Receipt
from ledger.store.failures import (
    GuardChanged,
    NotAStore,
    SchemaMissing,
    StoreBusy,
    StoreFull,
    StoreMalformed,
    StoreReadOnly,
    StoreUnavailable,
)
from ledger.store.guard import Params, Write
from ledger.store.prepared import Prepared
from ledger.store.reading import Reading
from ledger.store.recording import Clock, Opener, Recording
from ledger.store.seals import Seal, seal_after
from ledger.store.statements import SQLITE, rendered

BUSY_SECONDS = 60
_POLL_SECONDS = 0.05
#: The inner pages of the indexes stay in memory (SQLite's own choice is 2 MiB), and a page that many
#: commits change is written back to the file once in 32 MiB of write-ahead log, not in each four.
_CACHE_KIB, _CHECKPOINT_PAGES = 64 * 1024, 8_000
_INSERT = (
    "INSERT INTO events (rowid, originator_id, originator_version, topic, state)"
    " VALUES (?, ?, ?, ?, ?)"
)
_HEADS = (
    "SELECT e.rowid, e.originator_id, e.originator_version, e.topic, e.state"
    " FROM json_each(:ids) AS k JOIN events AS e ON e.originator_id = k.value"
    " AND e.originator_version = (SELECT max(originator_version) FROM events"
    " WHERE originator_id = k.value)"
)


def failure_of(store: str, error: BaseException) -> MedfundError:
    """Tell an error of SQLite, or of the library around it, in our words."""
    cause = error
    while not isinstance(cause, sqlite3.Error) and cause.__cause__ is not None:
        cause = cause.__cause__
    reason = str(cause) or type(cause).__name__
    name = getattr(cause, "sqlite_errorname", "") or ""
    if "no such table" in reason or "no such column" in reason:
        return SchemaMissing(store=store)
    match "_".join(name.split("_")[:2]):
        case "SQLITE_BUSY":
            told: MedfundError = StoreBusy(store=store, seconds=BUSY_SECONDS)
        case "SQLITE_FULL":
            told = StoreFull(store=store)
        case "SQLITE_READONLY":
            told = StoreReadOnly(store=store)
        case "SQLITE_NOTADB":
            told = NotAStore(store=store, reason=reason)
        case "SQLITE_CORRUPT":
            told = StoreMalformed(store=store, reason=reason)
        case _:
            told = StoreUnavailable(store=store, reason=reason)
    return told


@contextmanager
def failures_told(store: str) -> Iterator[None]:
    """Let no error of SQLite or the library out as it is."""
    try:
        yield
    except (sqlite3.Error, PersistenceError, ConnectionPoolClosedError) as error:
        raise failure_of(store, error) from error


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        # The library asks for a statement cache of True, which is one statement.
        connection = sqlite3.connect(
            f"{Path(self.db_name).absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=128,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)


class Datastore(SQLiteDatastore):
    """Connections to one file, set up for the log."""

    def __init__(self, path: str) -> None:
        super().__init__(db_name=path, lock_timeout=BUSY_SECONDS)
        self.pool = _Pool(
            db_name=path,
            lock_timeout=BUSY_SECONDS,
            pool_size=8,
            max_overflow=64,
            pool_timeout=BUSY_SECONDS,
        )
        self._writing = Lock()
        self._kept: SQLiteConnection | None = None

    @contextmanager
    def plain_cursor(self, *, writes: bool) -> Iterator[sqlite3.Cursor]:
        """Give a cursor whose rows are plain tuples.

        One thread writes at a time, on a connection that is kept for that: to draw one from the pool
        would take a tenth of a small commit.
        """
        connection = self._writer() if writes else self.pool.get_connection(is_writer=False)
        try:
            cursor = connection.cursor().sqlite_cursor
            cursor.row_factory = None
            try:
                yield cursor
            finally:
                cursor.close()
        finally:
            if writes:
                self._writing.release()
            else:
                self.pool.put_connection(connection)

    def _writer(self) -> SQLiteConnection:
        """Wait until no other thread writes, and give the connection that writes."""
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise ConnectionUnavailableError("another thread of this process goes on writing")
        try:
            if self._kept is None:
                self._kept = self.pool.get_connection(is_writer=True)
        except BaseException:
            self._writing.release()
            raise
        return self._kept

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """Hold the write lock from the first statement on; commit, or leave nothing."""
        with self.plain_cursor(writes=True) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if cursor.connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise


class SqliteReading(Reading):
    """How SQLite is asked."""

    dialect = SQLITE

    def stored_rows(self, rows: Sequence[tuple[Any, ...]]) -> list[StoredRow]:
        return [
            StoredRow(position, UUID(hex=stream), version, topic, state)
            for position, stream, version, topic, state in rows
        ]

    def stream_bytes(self, streams: Sequence[Any]) -> Sequence[bytes]:
        try:
            joined = "".join(streams)
            names = bytes.fromhex(joined)
        except (ValueError, TypeError):
            return [_bytes_of(stream) for stream in streams]
        if names.hex() != joined or {len(stream) for stream in streams} != {32}:
            return [_bytes_of(stream) for stream in streams]
        return [names[start : start + 16] for start in range(0, len(names), 16)]

    def stream_name(self, stream: UUID) -> str:
        return stream.hex

    def heads(self, streams: Sequence[bytes]) -> list[StoredRow]:
        if not streams:
            return []
        names = msgspec.json.encode(list(map(bytes.hex, streams))).decode()
        return self.stored_rows(self.rows(_HEADS, {"ids": names}))


class SqliteSnapshot(SqliteReading):
    """Answers as of the moment of its first question, on one connection."""

    def __init__(self, cursor: sqlite3.Cursor, store: str) -> None:
        self._cursor = cursor
        self._store = store

    def rows(self, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with failures_told(self._store):
            return self._cursor.execute(rendered(statement, SQLITE), params).fetchall()


@contextmanager
def _snapshot(datastore: Datastore, store: str) -> Iterator[Reading]:
    with failures_told(store), datastore.plain_cursor(writes=False) as cursor:
        cursor.execute("BEGIN")
        try:
            yield SqliteSnapshot(cursor, store)
        finally:
            cursor.execute("ROLLBACK")


@contextmanager
def _opened(path: str, store: str) -> Iterator[Reading]:
    datastore = Datastore(path)
    try:
        with _snapshot(datastore, store) as log:
            yield log
    finally:
        datastore.close()


class SqliteRecorder(SqliteReading, Recording, SQLiteApplicationRecorder):
    """The library's recorder, with everything that goes with an append in its transaction."""

    datastore: Datastore

    def __init__(self, datastore: Datastore, *, clock: Clock, store: str) -> None:
        super().__init__(datastore, events_table_name="events")
        self.insert_events_statement = _INSERT
        self.clock = clock
        self.store = store
        self._closed = Event()

    def rows(self, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with failures_told(self.store), self.datastore.plain_cursor(writes=False) as cursor:
            return cursor.execute(rendered(statement, SQLITE), params).fetchall()

    def write(self, statement: str, rows: Sequence[Params]) -> list[tuple[Any, ...]]:
        returned: list[tuple[Any, ...]] = []
        with failures_told(self.store), self.datastore.writing() as cursor:
            for row in rows:
                returned.extend(cursor.execute(rendered(statement, SQLITE), row).fetchall())
        return returned

    def snapshot(self) -> AbstractContextManager[Reading]:
        return _snapshot(self.datastore, self.store)

    def elsewhere(self) -> Opener:
        return partial(_opened, self.datastore.pool.db_name, self.store)

    def record(self, prepared: Prepared, commit: Commit) -> Receipt:
        try:
            with failures_told(self.store):
                return self._append(prepared, commit)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise self.refusal_of(prepared.events) from error.__cause__
            raise

    def _append(self, prepared: Prepared, commit: Commit) -> Receipt:
        streams, versions, topics, states = zip(*prepared.events, strict=True)
        names = [stream.hex() for stream in streams]
        with self.datastore.writing() as cursor:
            plan = guard.reads(commit)
            answers = [
                cursor.execute(rendered(read.sql, SQLITE), read.params).fetchall() for read in plan
            ]
            standing = guard.standing(commit, plan, answers)
            verdict = guard.decide(commit, standing)
            if verdict.repeated is not None:
                return verdict.repeated
            seal = seal_after(
                standing.head,
                root=prepared.root,
                events=len(prepared.events),
                now_us=self.now_us(),
                key=commit.key,
                input_hash=commit.input_hash,
            )
            places = range(seal.first_position, seal.last_position + 1)
            cursor.executemany(_INSERT, zip(places, names, versions, topics, states, strict=True))
            for write in verdict.writes:
                _run(cursor, write)
            _close(cursor, commit, seal)
        return Receipt(seal.no, seal.first_position, seal.last_position)

    def wait_for_append(self, *, after: int, timeout: float) -> int:
        last = self.last_position()
        for _ in range(int(timeout / _POLL_SECONDS)):
            if last > after or self._closed.wait(_POLL_SECONDS):
                break
            last = self.last_position()
        return last

    def close(self) -> None:
        """Wake whoever waits; the pool is closed by the factory."""
        self._closed.set()


def _bytes_of(stream: str) -> bytes:
    """Read a stream's id strictly: what was not written like one of ours is none."""
    try:
        name = bytes.fromhex(stream)
    except (ValueError, TypeError):
        return b""
    return name if name.hex() == stream else b""


def _close(cursor: sqlite3.Cursor, commit: Commit, seal: Seal) -> None:
    """Write what every commit writes beside its events."""
    live, at = guard.live_totals(commit), seal.last_position
    cursor.executemany(sql.ADD_TOTALS, [(*key, *total) for key, total in live])
    cursor.executemany(sql.ADD_MESSAGE, [(actor, key, at) for actor, key in commit.outbox])
    cursor.execute(sql.ADD_SEAL, seal)
    cursor.execute(sql.ADD_KEY, (commit.key, commit.input_hash, seal.no))


def _run(cursor: sqlite3.Cursor, write: Write) -> None:
    cursor.executemany(rendered(write.sql, SQLITE), write.rows)
    if write.table is not None and cursor.rowcount != len(write.rows):
        raise GuardChanged(table=write.table)


class SqliteStore(SQLiteFactory):
    """The library's factory for a log in one file."""

    def __init__(self, env: Environment, *, path: str, clock: Clock) -> None:
        InfrastructureFactory.__init__(self, env)
        self._clock = clock
        self._path = path
        self._own = Datastore(path)
        self.datastore = self._own

    def application_recorder(self) -> SqliteRecorder:
        store = f"sqlite:///{self._path}"
        if not Path(self._path).is_file():
            raise SchemaMissing(store=store)
        recorder = SqliteRecorder(self._own, clock=self._clock, store=store)
        try:
            recorder.head()  # a missing schema is told now, not at the first append
        except BaseException:
            self.close()
            raise
        return recorder
