"""The worker as a process of its own, and a wire to a broker that can be cut."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from integration.workers.closing import PATIENCE_SECONDS, wait_until
from support.services import free_port

from medfund.settings import Settings

ROOT = Path(__file__).parents[3]
WORKER = (sys.executable, "-m", "workers")


class Process:
    """A started worker; ``said`` is what it wrote."""

    def __init__(self, settings: Settings, folder: Path, *words: str, **environment: str) -> None:
        self._said = folder / f"worker-{len(list(folder.glob('worker-*')))}.log"
        ours = {
            "MEDFUND_DATABASE_URL": settings.database_url,
            "MEDFUND_BROKER_URL": settings.broker_url or "",
            "MEDFUND_QUEUE": settings.queue,
        }
        rest = {name: value for name, value in os.environ.items() if "MEDFUND_" not in name}
        with self._said.open("wb") as output:
            self._process = subprocess.Popen(
                words or WORKER,
                cwd=ROOT,
                env=rest | ours | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_to_say(self, what: str, *, times: int = 1) -> None:
        def reached() -> bool:
            assert self._process.poll() is None or what in self.said, self.said
            return self.said.count(what) >= times

        wait_until(f"the worker says {what}", reached)

    def tell(self, sign: signal.Signals) -> None:
        self._process.send_signal(sign)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.tell(by)
        return self.code()

    def code(self) -> int:
        return self._process.wait(PATIENCE_SECONDS)

    def away(self) -> None:
        """Leave nothing behind, also of a failed test; dramatiq's own has children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)


@contextmanager
def started(settings: Settings, folder: Path, *words: str, **environment: str) -> Iterator[Process]:
    process = Process(settings, folder, *words, **environment)
    try:
        yield process
    finally:
        process.away()


@contextmanager
def nobody_may_append(url: str) -> Iterator[None]:
    """Hold up every append, so that a worker stands between taking a message and finishing."""
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
        connection.execute("LOCK TABLE events IN EXCLUSIVE MODE")
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
