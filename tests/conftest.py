"""Fixtures of all tests: a fresh, migrated store of each kind, and the terminal door."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.services import database_on, fresh_database, require_postgres, stop_services

from ledger.store import schema
from medfund.cli import main


def pytest_sessionfinish() -> None:
    stop_services()


@pytest.fixture(scope="session")
def migrated_database() -> Iterator[str]:
    """A migrated PostgreSQL database that others are copied from: a copy is faster than a migration."""
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated store; every test that asks for it runs on both."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'books.db'}"
        schema.upgrade(url)
        yield url
        return
    template = request.getfixturevalue("migrated_database").rpartition("/")[2]
    admin = require_postgres()
    name = f"medfund_test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_on(admin, name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@dataclass(frozen=True)
class Answer:
    """What the command line answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Medfund = Callable[..., Answer]


@pytest.fixture
def medfund(store_url: str, capfdbinary: pytest.CaptureFixture[bytes]) -> Medfund:
    """Run the command line on this test's store: ``medfund("balances", "--json")``."""

    def run(*words: str | Path, user: str | None = None) -> Answer:
        capfdbinary.readouterr()
        who = ["--as", user] if user else []
        code = main(["--db", store_url, *who, *map(str, words)])
        said = capfdbinary.readouterr()
        return Answer(code, said.out.decode(), said.err.decode())

    return run
