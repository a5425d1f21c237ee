"""The log in PostgreSQL 15 or newer: production.

Writers are serialised by one transaction-level advisory lock, so that no reader passes over an event
that commits late; a table lock would keep vacuum away (``postgres_append``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresFactory,
)
from eventsourcing.utils import Environment
from psycopg.rows import tuple_row

from ledger.store.codec import StoredRow
from ledger.store.commit import Commit, Receipt
from ledger.store.failures import StoreUnavailable
from ledger.store.guard import Params
from ledger.store.postgres_append import CHANNEL, append
from ledger.store.postgres_pool import (
    CONNECT_SECONDS,
    Datastore,
    DbFunctionsEnabled,
    failure_of,
    failures_told,
    lost,
)
from ledger.store.postgres_wire import Connection
from ledger.store.prepared import Prepared
from ledger.store.reading import Reading
from ledger.store.recording import Clock, Opener, Recording
from ledger.store.statements import POSTGRESQL, rendered

_TRIES, _PAUSE_SECONDS = 10, 0.2
_POLL_SECONDS = 0.05

_HEADS = (
    "SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state"
    " FROM unnest(:ids::uuid[]) AS k (id) CROSS JOIN LATERAL (SELECT * FROM events"
    " WHERE originator_id = k.id ORDER BY originator_version DESC LIMIT 1) AS e"
)

_Result = TypeVar("_Result")


class PostgresReading(Reading):
    """How PostgreSQL is asked."""

    dialect = POSTGRESQL

    def stored_rows(self, rows: Sequence[tuple[Any, ...]]) -> list[StoredRow]:
        return list(map(StoredRow._make, rows))

    def stream_bytes(self, streams: Sequence[Any]) -> Sequence[bytes]:
        return streams

    def stream_name(self, stream: UUID) -> UUID:
        return stream

    def heads(self, streams: Sequence[bytes]) -> list[StoredRow]:
        if not streams:
            return []
        names = ",".join(map(bytes.hex, streams))
        return self.stored_rows(self.rows(_HEADS, {"ids": f"{{{names}}}"}))


def _ask(
    connection: psycopg.Connection[Any], statement: str, params: Mapping[str, Any]
) -> psycopg.Cursor[Any]:
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    return cursor.execute(rendered(statement, POSTGRESQL), params)


class PostgresSnapshot(PostgresReading):
    """Answers as of the moment of its first question, on one connection."""

    def __init__(self, connection: psycopg.Connection[Any], store: str) -> None:
        self._connection = connection
        self._store = store

    def rows(self, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with failures_told(self._store):
            return _ask(self._connection, statement, params).fetchall()


@contextmanager
def _snapshot(connection: psycopg.Connection[Any], store: str) -> Iterator[Reading]:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield PostgresSnapshot(connection, store)


@contextmanager
def _opened(url: str, store: str) -> Iterator[Reading]:
    with (
        failures_told(store),
        psycopg.connect(url, connect_timeout=CONNECT_SECONDS, client_encoding="utf8") as connection,
        _snapshot(connection, store) as log,
    ):
        yield log


class PostgresRecorder(PostgresReading, Recording, PostgresApplicationRecorder):
    """The library's recorder, with everything that goes with an append in its transaction."""

    datastore: Datastore

    def __init__(self, datastore: Datastore, *, url: str, clock: Clock, store: str) -> None:
        if datastore.enable_db_functions:
            raise DbFunctionsEnabled
        super().__init__(datastore, events_table_name="events")
        self.clock = clock
        self.store = store
        self._url = url
        self._closed = Event()
        self._listening = Lock()
        self._listener: psycopg.Connection[Any] | None = None

    def _persistently(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do again what a lost connection broke off; the key makes a repeated append harmless."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self.datastore.connection() as connection:
                    return work(connection)
            except psycopg.Error as error:
                if attempt == _TRIES or not lost(error) or self._closed.wait(_PAUSE_SECONDS):
                    raise failure_of(self.store, error) from error
        raise AssertionError  # the loop ends by return or raise

    def rows(self, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._persistently(lambda one: _ask(one, statement, params).fetchall())

    def write(self, statement: str, rows: Sequence[Params]) -> list[tuple[Any, ...]]:
        def work(connection: Connection) -> list[tuple[Any, ...]]:
            with connection.transaction():
                asked = [_ask(connection, statement, row) for row in rows]
                return [row for one in asked if one.description for row in one.fetchall()]

        return self._persistently(work)

    @contextmanager
    def snapshot(self) -> Iterator[Reading]:
        with (
            failures_told(self.store),
            self.datastore.connection() as connection,
            _snapshot(connection, self.store) as log,
        ):
            yield log

    def elsewhere(self) -> Opener:
        return partial(_opened, self._url, self.store)

    def record(self, prepared: Prepared, commit: Commit) -> Receipt:
        try:
            return self._persistently(lambda one: append(one, prepared, commit, self.now_us))
        except StoreUnavailable as error:
            if isinstance(error.__cause__, psycopg.IntegrityError):
                raise self.refusal_of(prepared.events) from error.__cause__
            raise

    def wait_for_append(self, *, after: int, timeout: float) -> int:
        if not self._listening.acquire(blocking=False):
            return self._poll(after, timeout)  # another thread listens on the one connection
        try:
            with failures_told(self.store):
                return self._listen(after, timeout)
        finally:
            self._listening.release()

    def _listen(self, after: int, timeout: float) -> int:
        if self._listener is None or self._listener.closed:
            self._listener = psycopg.connect(self._url, autocommit=True)
            self._listener.execute(f"LISTEN {CHANNEL}")
        for _ in self._listener.notifies(timeout=0):
            pass  # what was heard before the question is in the answer anyway
        last = self.last_position()
        if last > after:
            return last
        for _ in self._listener.notifies(timeout=timeout, stop_after=1):
            pass
        return self.last_position()

    def _poll(self, after: int, timeout: float) -> int:
        last = self.last_position()
        for _ in range(int(timeout / _POLL_SECONDS)):
            if last > after or self._closed.wait(_POLL_SECONDS):
                break
            last = self.last_position()
        return last

    def close(self) -> None:
        """End the listening connection; the pool is closed by the factory."""
        self._closed.set()
        if self._listener is not None:
            self._listener.close()


class PostgresStore(PostgresFactory):
    """The library's factory for a log in one database."""

    def __init__(self, env: Environment, *, url: str, store: str, clock: Clock) -> None:
        InfrastructureFactory.__init__(self, env)
        self._url = url
        self._store = store
        self._clock = clock
        functions = env.get(self.POSTGRES_ENABLE_DB_FUNCTIONS) or ""
        enabled = functions.lower() not in {"", "n", "no", "f", "false", "off", "0"}
        self._own = Datastore(url, enable_db_functions=enabled)
        self.datastore = self._own

    def application_recorder(self) -> PostgresRecorder:
        with failures_told(self._store):
            # The pool would only report that time is up; the driver itself says what is wrong.
            psycopg.connect(self._url, connect_timeout=CONNECT_SECONDS).close()
        recorder = PostgresRecorder(self._own, url=self._url, clock=self._clock, store=self._store)
        try:
            recorder.head()  # a missing schema is told now, not at the first append
        except BaseException:
            self.close()
            raise
        return recorder
