"""Where the real services are that tests work with: a running one, else one started for a while.

PostgreSQL is the other way round: one started here need not wait for the disk, and half of a test on
a server that does is waiting. What measures, or pulls the plug, asks for a durable one.

Each ``require_…`` gives what was asked for or skips the test with the reason; with ``CI=true`` a
missing service is a failure. What was started here is stopped by ``stop_services``.
"""

import atexit
import contextlib
import functools
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pika
import psycopg
import pytest
import redis

_STARTUP_SECONDS = 60
_STARTED = contextlib.ExitStack()
atexit.register(_STARTED.close)


def stop_services() -> None:
    """Stop what was started here; for the end of a session."""
    _STARTED.close()
    for require in (_postgres, _durable_postgres, _redis, _rabbitmq):
        require.cache_clear()


def require_postgres() -> str:
    """Give the URL of a server on which databases may be created and dropped."""
    return _postgres() or _absent("PostgreSQL", "MEDFUND_TEST_POSTGRES_URL", "postgresql")


def require_durable_postgres() -> str:
    """Give the URL of such a server whose commits are on the disk."""
    return _durable_postgres() or _absent("PostgreSQL", "MEDFUND_TEST_POSTGRES_URL", "postgresql")


def require_redis() -> str:
    return _redis() or _absent("Redis", "MEDFUND_TEST_REDIS_URL", "redis-server")


def require_rabbitmq() -> str:
    return _rabbitmq() or _absent("RabbitMQ", "MEDFUND_TEST_RABBITMQ_URL", "rabbitmq-server")


def require_chromium() -> Path:
    chosen = os.environ.get("MEDFUND_TEST_CHROMIUM")
    if chosen and Path(chosen).is_file():
        return Path(chosen)
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        if found := find_program(name):
            return found
    own = Path.home() / ".cache" / "ms-playwright"
    for found in sorted(own.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        return found
    return _absent("Chromium", "MEDFUND_TEST_CHROMIUM", "chromium")


def require_program(name: str) -> Path:
    """Find a program such as ``hledger``, ``ledger`` or ``bean-check``."""
    return find_program(name) or _absent(name, "PATH", name)


def find_program(name: str) -> Path | None:
    """Look beside our own Python first, then on the path and where Debian hides servers."""
    beside = str(Path(sys.executable).parent)
    places = [beside, os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    return Path(found) if found else None


@contextlib.contextmanager
def fresh_database(admin_url: str) -> Iterator[str]:
    """Give the URL of a new database on the server of ``admin_url``; it is dropped at the end."""
    name = f"medfund_test_{uuid.uuid4().hex}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield database_on(admin_url, name)
    finally:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def database_on(admin_url: str, name: str) -> str:
    """Point a server's URL at another of its databases."""
    server = re.match(r"(?P<host>postgres(ql)?://[^/?]*)(/[^?]*)?(?P<options>\?.*)?$", admin_url)
    if server is None:
        raise ValueError(f"not a PostgreSQL URL: {admin_url}")
    return f"{server['host']}/{name}{server['options'] or ''}"


def _absent(service: str, setting: str, package: str) -> NoReturn:
    reason = f"{service} is not there: set {setting} or install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


# --- PostgreSQL


@functools.cache
def _postgres() -> str | None:
    chosen = _first_that(_may_create_databases, "MEDFUND_TEST_POSTGRES_URL", ())
    return chosen or _start_postgres(fsync="off") or _durable_postgres()


@functools.cache
def _durable_postgres() -> str | None:
    usual = (
        "postgresql://postgres@127.0.0.1:5432/postgres",
        "postgresql://postgres:postgres@127.0.0.1:5432/postgres",
        f"postgresql://{getpass.getuser()}@/postgres?host=/var/run/postgresql",
    )
    running = _first_that(_may_create_databases, "MEDFUND_TEST_POSTGRES_URL", usual)
    return running or _start_postgres(fsync="on")


def _may_create_databases(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return False
    return row is not None and bool(row[0])


def _start_postgres(*, fsync: str) -> str | None:
    folder, port = _folder(), free_port()
    made = postgres_cluster(folder, port, fsync=fsync)
    if made is None:
        return None
    command, user = made
    # An interrupt is PostgreSQL's fast shutdown; it does not wait for clients.
    _start(command, folder=folder, user=user, farewell=signal.SIGINT)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return _when_up(url, _may_create_databases)


def postgres_cluster(
    folder: Path, port: int, *, fsync: str = "off"
) -> tuple[list[object], str | None] | None:
    """Make a cluster below a folder; give the server's command and user, None without a server."""
    newest = max(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(re.sub(r"\D", "", path.parts[-3]) or 0),
        default=find_program("postgres"),
    )
    if newest is None:
        return None
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    initdb = [newest.with_name("initdb"), "-D", folder / "data", "-U", "postgres", "-A", "trust"]
    options = ["--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [*initdb, *options], user=user, group=user, cwd=folder, check=True, capture_output=True
    )
    settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
    command: list[object] = [newest, "-D", folder / "data"]
    kept = [f"{setting}={fsync}" for setting in ("fsync", "full_page_writes", "synchronous_commit")]
    for setting in [*settings, *kept, "max_connections=200"]:
        command += ["-c", setting]
    return command, user


# --- Redis


@functools.cache
def _redis() -> str | None:
    running = _first_that(_redis_answers, "MEDFUND_TEST_REDIS_URL", ("redis://127.0.0.1:6379/0",))
    return running or _start_redis()


def _redis_answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _start_redis() -> str | None:
    port = free_port()
    command = redis_command(port)
    if command is None:
        return None
    _start(command, folder=_folder())
    return _when_up(f"redis://127.0.0.1:{port}/0", _redis_answers)


def redis_command(port: int) -> list[object] | None:
    """Give the command of a server that keeps nothing on disk, None without a server."""
    server = find_program("redis-server")
    where = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return None if server is None else [server, *where]


# --- RabbitMQ


@functools.cache
def _rabbitmq() -> str | None:
    usual = ("amqp://guest:guest@127.0.0.1:5672/%2F",)
    running = _first_that(_rabbitmq_answers, "MEDFUND_TEST_RABBITMQ_URL", usual)
    return running or _start_rabbitmq()


def _rabbitmq_answers(url: str) -> bool:
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = 5
    parameters.connection_attempts = 1
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True


def _start_rabbitmq() -> str | None:
    folder, port = _folder(), free_port()
    made = rabbitmq_node(folder, port)
    if made is None:
        return None
    command, environment = made
    _start(command, folder=folder, env=environment)
    return _when_up(f"amqp://guest:guest@127.0.0.1:{port}/%2F", _rabbitmq_answers)


def rabbitmq_node(folder: Path, port: int) -> tuple[list[object], dict[str, str]] | None:
    """Prepare a node below a folder; give its command and environment, None without a server."""
    # Debian's wrapper in /usr/sbin changes the user and forgets the environment.
    behind = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    server = behind if behind.is_file() else find_program("rabbitmq-server")
    if server is None:
        return None
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{port}\n")
    (folder / "plugins").write_text("[].\n")
    return [server], {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", os.defpath),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_NODENAME": f"medfund{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }


# --- what all of them need


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_that(answers: Callable[[str], bool], setting: str, usual: tuple[str, ...]) -> str | None:
    chosen = os.environ.get(setting)
    candidates = (chosen, *usual) if chosen else usual
    return next((url for url in candidates if answers(url)), None)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="medfund-test-"))
    _STARTED.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _start(
    command: list[object],
    *,
    folder: Path,
    user: str | None = None,
    env: dict[str, str] | None = None,
    farewell: signal.Signals = signal.SIGTERM,
) -> None:
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=env,
            user=user,
            group=user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tests; they stop their servers themselves
        )
    _STARTED.callback(_stop, process, farewell)


def _stop(process: subprocess.Popen[bytes], farewell: signal.Signals) -> None:
    for request in (farewell, signal.SIGKILL):
        process.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
            return


def _when_up(url: str, answers: Callable[[str], bool]) -> str | None:
    give_up = time.monotonic() + _STARTUP_SECONDS
    while time.monotonic() < give_up:
        if answers(url):
            return url
        time.sleep(0.2)
    return None
