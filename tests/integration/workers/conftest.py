"""A filled book on each store, and a queue of one's own on each broker."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pika
import psycopg
import pytest
import redis
from integration.workers.closing import fill, open_book
from integration.workers.processes import Nursery
from support.services import (
    database_on,
    fresh_database,
    require_postgres,
    require_rabbitmq,
    require_redis,
)

from ledger.store import schema
from medfund.bootstrap import House
from medfund.settings import Settings


@pytest.fixture(scope="session")
def _filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "books.db"
    url = f"sqlite:///{path}"
    schema.upgrade(url)
    fill(url)
    return path


@pytest.fixture(scope="session")
def _filled_database() -> Iterator[str]:
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        fill(url)
        yield url


@pytest.fixture
def file_url(_filled_file: Path, tmp_path: Path) -> str:
    """A copy of the filled book in a file."""
    path = tmp_path / "books.db"
    shutil.copy(_filled_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A copy of the filled book; every test that asks for it runs on both stores."""
    if request.param == "sqlite":
        yield request.getfixturevalue("file_url")
        return
    template = request.getfixturevalue("_filled_database").rpartition("/")[2]
    admin, name = require_postgres(), f"medfund_test_{uuid.uuid4().hex}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_on(admin, name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def queue(request: pytest.FixtureRequest) -> Iterator[str]:
    """A queue that nobody else has; what is left of it is taken away."""
    yield (name := f"medfund_test_{uuid.uuid4().hex}")
    used = (
        set(request.node.callspec.params.values()) if hasattr(request.node, "callspec") else set()
    )
    if "redis" in used:
        with redis.Redis.from_url(require_redis()) as client:
            left = list(client.scan_iter(f"{name}*", count=1000))
            if left:
                client.delete(*left)
    if "rabbitmq" in used:
        connection = pika.BlockingConnection(pika.URLParameters(require_rabbitmq()))
        channel = connection.channel()
        for one in (name, f"{name}.DQ", f"{name}.XQ"):
            channel.queue_delete(one)
        connection.close()


def _broker(kind: str) -> str | None:
    if kind == "redis":
        return require_redis()
    return require_rabbitmq() if kind == "rabbitmq" else None


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    return _broker(request.param)


@pytest.fixture(params=["in process", "redis", "rabbitmq"])
def dispatch(request: pytest.FixtureRequest) -> str | None:
    """The URL of a broker, or None for work in process."""
    return _broker(request.param)


@pytest.fixture
def settings(book_url: str, dispatch: str | None, queue: str) -> Settings:
    """A book on each store with each way of dispatch: six in all."""
    return Settings(database_url=book_url, broker_url=dispatch, queue=queue)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    with open_book(settings.database_url) as opened:
        yield opened
