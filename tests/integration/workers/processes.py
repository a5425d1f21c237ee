"""The worker as a process of its own, and a wire to a broker that can be cut."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from integration.workers.closing import PATIENCE_SECONDS, wait_until
from support.services import free_port

from ledger.store.postgres_append import APPEND_LOCK
from medfund.settings import Settings

ROOT = Path(__file__).parents[3]
WORKER = (sys.executable, "-m", "workers")


class Process:
    """A started worker; ``said`` is what it wrote."""

    def __init__(self, pid: int, log: Path, poll: Callable[[], int | None]) -> None:
        self._pid = pid
        self._log = log
        self._poll = poll

    @property
    def said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def wait_to_say(self, what: str, *, times: int = 1) -> None:
        def reached() -> bool:
            assert self._poll() is None or what in self.said, self.said
            return self.said.count(what) >= times

        wait_until(f"the worker says {what}", reached)

    def tell(self, sign: signal.Signals) -> None:
        os.kill(self._pid, sign)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.tell(by)
        return self.code()

    def code(self) -> int:
        wait_until("the worker ends", lambda: self._poll() is not None)
        code = self._poll()
        assert code is not None
        return code


class Nursery:
    """Starts workers as processes of their own without importing everything each time."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            cwd=ROOT,
            env=_foreign_environment() | {"dramatiq_restart_delay": "200", "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def started(self, settings: Settings, folder: Path, **environment: str) -> Iterator[Process]:
        log = folder / f"worker-{len(list(folder.glob('worker-*.log')))}.log"
        log.touch()
        order = {"log": str(log), "environment": _environment(settings) | environment}
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()
        pid = int(self._program.stdout.readline())
        process = Process(pid, log, lambda: _code_of(pid, log))
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.tell(signal.SIGKILL)

    def close(self) -> None:
        self._program.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def program(settings: Settings, folder: Path, *words: str, **environment: str) -> Iterator[Process]:
    """Start a program as an operator does."""
    log = folder / "program.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            words,
            cwd=ROOT,
            env=_foreign_environment() | _environment(settings) | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Process(started.pid, log, started.poll)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)  # dramatiq's own has children
        started.wait(PATIENCE_SECONDS)


def _foreign_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "MEDFUND_" not in name}


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "MEDFUND_DATABASE_URL": settings.database_url,
        "MEDFUND_BROKER_URL": settings.broker_url or "",
        "MEDFUND_QUEUE": settings.queue,
    }


def _code_of(pid: int, log: Path) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return None
    code = log.with_suffix(".code")
    return int(code.read_text()) if code.exists() else -signal.SIGKILL


@contextmanager
def nobody_may_append(url: str) -> Iterator[None]:
    """Hold up every append, so that a worker stands between taking a message and finishing.

    It stands before the writers' lock, with nothing sent that the server could carry out when the
    worker is dead.
    """
    if url.startswith("sqlite"):
        book = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
        book.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            book.execute("ROLLBACK")
            book.close()
        return
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
        yield
        connection.rollback()


class Wire:
    """A port of our own through which a broker is reached, while the wire is whole."""

    def __init__(self, url: str) -> None:
        found = re.search(r"(?P<host>[^@/]+):(?P<port>\d+)(?=[/?]|$)", url)
        assert found, url
        self._target = (found["host"], int(found["port"]))
        self._port = free_port()
        self.url = url.replace(found[0], f"127.0.0.1:{self._port}")
        self._server: socket.socket | None = None
        self._ends: list[socket.socket] = []

    def mend(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self._port), reuse_port=True)
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def cut(self) -> None:
        """Close the port and whatever goes through it."""
        ends, self._ends = [*self._ends], []
        for end in [*ends, *([self._server] if self._server else [])]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._server = None

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
