"""Run as a program: it has imported the command line, and forks one command for each line it reads.

The command's own database drivers count its commits. It can be told to die by SIGKILL at the n-th:
``before`` it (everything of the transaction was written, nothing is committed) or ``after`` it (it
is committed, and the program never learns so); or to stand still after it (``halt``) until somebody
wakes it. Reads that end with a COMMIT are not counted.
"""

import json
import os
import signal
import sqlite3
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import psycopg
from psycopg._connection_base import BaseConnection

from medfund import bootstrap

_moment = datetime(2024, 3, 5, 9, tzinfo=bootstrap.ZONE)
# Pinned before the commands take them by name: seals carry the moment of the commit, and the books
# of two runs are going to be compared byte for byte.
bootstrap.now = lambda: _moment
bootstrap.new_key = lambda: bytes(range(32))

from ledger.store.postgres_wire import Call  # noqa: E402
from ledger.store.postgres_wire import Connection as WireConnection  # noqa: E402
from medfund.cli import main  # noqa: E402
from medfund.cli.app import COMMANDS  # noqa: E402
from settlement.intake import post_claims  # noqa: E402

_WRITES = ("insert", "update", "delete", "create", "drop", "alter", "truncate", "copy", "with")


class Tally:
    """Counts the commits of this process, and ends it at the one it was told."""

    def __init__(self, kill: tuple[str, int] | None) -> None:
        self._kill = kill
        self.count = 0

    def before(self) -> None:
        self.count += 1
        self._die_at("before")

    def after(self) -> None:
        self._die_at("after")
        if self._kill == ("halt", self.count):
            os.kill(os.getpid(), signal.SIGSTOP)

    def _die_at(self, moment: str) -> None:
        if self._kill == (moment, self.count):
            os.kill(os.getpid(), signal.SIGKILL)


def count_sqlite(tally: Tally) -> None:
    """Count every transaction of the file's driver that began as a writing one."""

    class Cursor(sqlite3.Cursor):
        def execute(self, text: str, *params: Any) -> sqlite3.Cursor:
            file = self.connection
            assert isinstance(file, Connection)
            head = text.lstrip()[:15].upper()
            if not (head.startswith("COMMIT") and file.writes):
                found = super().execute(text, *params)
                if head.startswith(("BEGIN", "ROLLBACK")):
                    file.writes = head == "BEGIN IMMEDIATE"
                return found
            tally.before()
            found = super().execute(text, *params)
            file.writes = False
            tally.after()
            return found

    class Connection(sqlite3.Connection):
        writes = False

        def cursor(self, *_: Any) -> sqlite3.Cursor:
            return super().cursor(Cursor)

        def execute(self, text: str, *params: Any) -> sqlite3.Cursor:
            return self.cursor().execute(text, *params)

        def commit(self) -> None:
            if not (self.in_transaction and self.writes):
                super().commit()
                return
            tally.before()
            super().commit()
            self.writes = False
            tally.after()

    connect = sqlite3.connect

    def connected(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, **options | {"factory": Connection})

    sqlite3.connect = sqlite3.dbapi2.connect = connected  # type: ignore[assignment,attr-defined]


def count_postgres(tally: Tally) -> None:
    """Count every transaction of the server's driver in which something was written."""
    writing: weakref.WeakSet[Any] = weakref.WeakSet()
    queued: weakref.WeakSet[Any] = weakref.WeakSet()  # commits that a pipeline has yet to deliver

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(self: psycopg.Cursor[Any], query: Any, *args: Any, **options: Any) -> Any:
            text = query.decode() if isinstance(query, bytes) else str(query)
            if text.lstrip().lower().startswith(_WRITES):
                writing.add(self.connection)
            return method(self, query, *args, **options)

        return noted

    for name in ("execute", "executemany", "copy"):
        setattr(psycopg.Cursor, name, noting(getattr(psycopg.Cursor, name)))
    command, leave = BaseConnection._exec_command, psycopg.Pipeline.__exit__

    def commanded(self: Any, text: Any, *args: Any, **options: Any) -> Iterator[Any]:
        counts = text == b"COMMIT" and self in writing
        if counts:
            tally.before()
        result = yield from command(self, text, *args, **options)
        if text in {b"COMMIT", b"ROLLBACK"}:
            writing.discard(self)
        if counts and self._pipeline:
            queued.add(self)
        elif counts:
            tally.after()
        return result

    def left(self: Any, *error: Any) -> None:
        leave(self, *error)
        if self._conn in queued and self.level == 0:
            queued.discard(self._conn)
            tally.after()

    BaseConnection._exec_command = commanded  # type: ignore[method-assign]
    psycopg.Pipeline.__exit__ = left  # type: ignore[method-assign]


def count_wire(tally: Tally) -> None:
    """Count what the log commits by its own way to the server."""
    writing: weakref.WeakSet[Any] = weakref.WeakSet()
    exchange = WireConnection.exchange

    def exchanged(self: WireConnection, *calls: Call) -> list[Any]:
        """Send what stands before a COMMIT in a message of its own, to die between the two."""
        texts = [call.statement.sql.lstrip() for call in calls]
        if any(text.lower().startswith(_WRITES) for text in texts):
            writing.add(self)
        if "COMMIT" not in texts or self not in writing:
            return exchange(self, *calls)
        at = texts.index("COMMIT")
        results = exchange(self, *calls[:at]) if at else []
        tally.before()
        results += exchange(self, *calls[at:])
        writing.discard(self)
        tally.after()
        return results

    WireConnection.exchange = exchanged  # type: ignore[method-assign]


def become(order: dict[str, Any]) -> NoReturn:
    """Be the command, and leave by its exit code."""
    global _moment  # noqa: PLW0603  one process, one command
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    Path(f"{order['said']}.pid").write_text(str(os.getpid()))
    os.environ.update(order["environment"])
    _moment = datetime.fromisoformat(order["now"]).replace(tzinfo=bootstrap.ZONE)
    post_claims.CHUNK = order["chunk"]
    kill = order["kill"]
    tally = Tally((kill[0], kill[1]) if kill else None)
    count_sqlite(tally)
    count_postgres(tally)
    count_wire(tally)
    code = 1
    try:
        code = main(order["words"])
    except Exception:  # noqa: BLE001  the child says what it died of
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(order["count"], str(tally.count).encode())
        os._exit(code)


def serve() -> None:
    """Answer every order with the command's exit code (−9 where it was killed) and its commits."""
    for module in sorted(set(COMMANDS.values())):
        __import__(f"medfund.cli.{module}")
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            become(json.loads(line) | {"count": writer})
        os.close(writer)
        with os.fdopen(reader) as counted:
            commits = int(counted.read() or 0)
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), commits]), flush=True)


if __name__ == "__main__":
    serve()
