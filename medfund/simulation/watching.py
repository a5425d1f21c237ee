"""The store under watch: every statement passes a point where it may fail, crash or have to wait.

Between any two statements the process may be killed or the machine stop; a statement may be refused
by the disk; a commit may succeed and its answer be lost. Before a connection is taken, somebody
else may get the processor.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

from sqlalchemy import Engine, event

from ledger.application import FundLedger
from ledger.store.recording import Clock
from ledger.store.sqlite import Datastore, SqliteStore


class Crash(BaseException):
    """The process is gone (进程中断): no handler of the product may catch it."""


class Watch(Protocol):
    """What is told of every statement of one process, and may stop it."""

    def turn(self, *, locks: bool) -> None:
        """Before a connection is taken, to lock or only to read: somebody else may go first."""

    def before(self, statement: str, *, of_log: bool) -> None:
        """Before a statement: Crash or an error of SQLite in its place."""

    def after(self, statement: str, *, of_log: bool) -> None:
        """After a statement that succeeded: the answer may be lost."""


class WatchedCursor:
    """A cursor of the log's store; what it does is the real cursor's work."""

    def __init__(self, cursor: sqlite3.Cursor, watch: Watch) -> None:
        self._cursor = cursor
        self._watch = watch

    def execute(self, statement: str, params: Any = ()) -> "WatchedCursor":
        """Run one statement between its two points."""
        self._watch.before(statement, of_log=True)
        self._cursor.execute(statement, params)
        self._watch.after(statement, of_log=True)
        return self

    def executemany(self, statement: str, rows: Sequence[Any]) -> "WatchedCursor":
        """Run a statement for many rows between its two points."""
        self._watch.before(statement, of_log=True)
        self._cursor.executemany(statement, rows)
        self._watch.after(statement, of_log=True)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class _WatchedDatastore(Datastore):
    def __init__(self, path: str, watch: Watch) -> None:
        super().__init__(path)
        self._watch = watch

    @contextmanager
    def plain_cursor(self, *, writes: bool) -> Iterator[sqlite3.Cursor]:
        self._watch.turn(locks=writes)
        with super().plain_cursor(writes=writes) as cursor:
            yield cast(sqlite3.Cursor, WatchedCursor(cursor, self._watch))


class _WatchedStore(SqliteStore):
    def __init__(self, env: Any, *, path: str, clock: Clock, watch: Watch) -> None:
        super().__init__(env, path=path, clock=clock)
        self._own = _WatchedDatastore(path, watch)
        self.datastore = self._own


class WatchedLedger(FundLedger):
    """The books, with every statement of their store under watch."""

    def __init__(self, path: str, *, clock: Clock, watch: Watch) -> None:
        self._path = path
        self._watch = watch
        super().__init__(f"sqlite:///{path}", clock=clock)

    def construct_factory(self, env: Any) -> Any:
        """Build the store of one file, watched."""
        return _WatchedStore(env, path=self._path, clock=self._clock, watch=self._watch)


def watch_engine(engine: Engine, watch_now: Callable[[], Watch | None]) -> None:
    """Put the statements of read models and vault under the watch of the present moment."""

    @event.listens_for(engine, "engine_connect")
    def connected(_connection: Any) -> None:
        if watch := watch_now():
            watch.turn(locks=False)

    @event.listens_for(engine, "before_cursor_execute")
    def before(*what: Any) -> None:
        if watch := watch_now():
            watch.before(what[2], of_log=False)

    @event.listens_for(engine, "commit")
    def committing(_connection: Any) -> None:
        if watch := watch_now():
            watch.before("COMMIT", of_log=False)

    @event.listens_for(engine, "rollback")
    def rolling_back(_connection: Any) -> None:
        if watch := watch_now():
            watch.after("ROLLBACK", of_log=False)
