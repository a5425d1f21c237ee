"""Servers of a test's own, to be killed and started again; the shared ones are never touched."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import psycopg
import pytest
import redis
from support.services import free_port, postgres_cluster, rabbitmq_node, redis_command

_STARTUP_SECONDS = 60


class Server:
    """One server in a folder of its own; what it keeps there outlives its process."""

    def __init__(
        self,
        command: list[object],
        folder: Path,
        *,
        url: str,
        answers: Callable[[str], object],
        user: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.url = url
        self.folder = folder
        self._command = [str(word) for word in command]
        self._answers = answers
        self._user = user
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                user=self._user,
                group=self._user,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        give_up = time.monotonic() + _STARTUP_SECONDS
        while True:
            try:
                self._answers(self.url)
            except (psycopg.Error, redis.RedisError, pika.exceptions.AMQPError, OSError):
                assert self._process.poll() is None, (self.folder / "output").read_text()
                assert time.monotonic() < give_up, f"no answer: {self.url}"
                time.sleep(0.05)
            else:
                return

    def stop(self, by: signal.Signals) -> None:
        """End it by a signal and wait until it is gone, with everything it started."""
        process, self._process = self._process, None
        if process is None:
            return
        if by is signal.SIGKILL:
            os.killpg(process.pid, by)  # RabbitMQ is a shell script around Erlang
        else:
            process.send_signal(by)
        process.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def own_postgres(*, fsync: str = "off", within: Path | None = None) -> Iterator[Server | None]:
    """A PostgreSQL of one's own, started; None where none is installed.

    SIGQUIT is its immediate shutdown: nothing is flushed, and the next start recovers.
    """
    with _folder(within) as folder:
        port = free_port()
        made = postgres_cluster(folder, port, fsync=fsync)
        if made is None:
            yield None
            return
        command, user = made
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        server = Server(command, folder, url=url, user=user, answers=_ask_postgres)
        with _running(server, farewell=signal.SIGINT):
            yield server


@contextmanager
def own_redis() -> Iterator[Server | None]:
    """A Redis of one's own that keeps nothing on disk."""
    with _folder() as folder:
        port = free_port()
        command = redis_command(port)
        if command is None:
            yield None
            return
        url = f"redis://127.0.0.1:{port}/0"
        with _running(Server(command, folder, url=url, answers=_ask_redis)) as server:
            yield server


@contextmanager
def own_rabbitmq() -> Iterator[Server | None]:
    """A RabbitMQ node of one's own; what it confirmed is on its disk."""
    with _folder() as folder:
        port = free_port()
        made = rabbitmq_node(folder, port)
        if made is None:
            yield None
            return
        command, environment = made
        url = f"amqp://guest:guest@127.0.0.1:{port}/%2F"
        node = Server(command, folder, url=url, answers=_ask_rabbitmq, environment=environment)
        with _running(node) as server:
            yield server


def required(server: Server | None, name: str) -> Server:
    """Skip the test where a server is not installed; with ``CI=true`` that is a failure."""
    if server is None:
        reason = f"{name} is not installed here: this test needs one that it may stop"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return server


@contextmanager
def _folder(within: Path | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="medfund-test-", dir=within))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(server: Server, *, farewell: signal.Signals = signal.SIGTERM) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop(farewell)


def _ask_postgres(url: str) -> None:
    psycopg.connect(url, connect_timeout=3).close()


def _ask_redis(url: str) -> None:
    with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
        client.ping()


def _ask_rabbitmq(url: str) -> None:
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = 5
    parameters.connection_attempts = 1
    pika.BlockingConnection(parameters).close()
