"""Fixtures of all tests: a fresh, migrated store of each kind, and the terminal door."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from support.services import fresh_database, require_postgres, stop_services

from ledger.store import schema
from medfund.cli import main

#: A machine that is busy is not a defect: no generated example has a deadline.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_sessionfinish() -> None:
    stop_services()


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Leave the technical log as it was: a command that a test runs configures it for its process."""
    kept, level = structlog.get_config(), logging.getLogger().level
    yield
    structlog.configure(**kept)
    logging.getLogger().setLevel(level)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from: a copy is faster than a migration."""
    path = tmp_path_factory.mktemp("migrated") / "books.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def emptied_postgres() -> Iterator[Callable[[], str]]:
    """One PostgreSQL database of this test process, emptied for each test: faster than a new one."""
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        with psycopg.connect(url) as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            genesis = connection.execute("SELECT * FROM seals").fetchone()
            tables = _tables(connection)

        def empty() -> str:
            with psycopg.connect(url) as connection:
                connection.execute(_END_OTHERS)
                for table in _KEPT:
                    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                connection.execute(f"TRUNCATE {', '.join(sorted(tables))} RESTART IDENTITY")
                for table in _tables(connection) - tables:  # read models of the test before
                    connection.execute(f'DROP TABLE "{table}"')
                connection.execute("INSERT INTO alembic_version VALUES (%s)", version)
                connection.execute(f"INSERT INTO seals VALUES ({', '.join(['%s'] * 8)})", genesis)
                for table in _KEPT:
                    connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return url

        yield empty


_KEPT = ("events", "seals", "idempotency")
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def _tables(connection: psycopg.Connection[Any]) -> set[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in found}


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The address of a fresh, migrated store; every test that asks for it runs on both."""
    if request.param == "postgresql":
        # Without a file to lie beside, an archive would lie in the working directory.
        monkeypatch.setenv("MEDFUND_ARCHIVE", str(tmp_path / "archive"))
        return request.getfixturevalue("emptied_postgres")()
    copied = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "books.db")
    return f"sqlite:///{copied}"


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
