"""The store's own fixtures: a clock that is known, a ledger, and a way around the product."""

import multiprocessing
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.store import schema

KEPT = ("events", "seals", "idempotency")
Sql = Callable[[str], list[tuple[Any, ...]]]


class Clock:
    """A clock that goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def crowd() -> ForkServerContext:
    """A context for processes that have imported everything before they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["integration.store.processes"])
    with pytest.MonkeyPatch.context() as environment:
        # The fork server takes its path from the environment, not from us.
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        forkserver.ensure_running()
    return context


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "books.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def own_database() -> Iterator[str]:
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        yield url


@pytest.fixture(scope="session")
def emptied(own_database: str) -> Callable[[], str]:
    """Empty the one database of these tests: they are many, and a new one takes its time."""
    with psycopg.connect(own_database) as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        genesis = connection.execute("SELECT * FROM seals").fetchone()
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        ]

    def empty() -> str:
        with psycopg.connect(own_database) as connection:
            for table in KEPT:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", version)
            connection.execute(f"INSERT INTO seals VALUES ({', '.join(['%s'] * 8)})", genesis)
            for table in KEPT:
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return own_database

    return empty


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("emptied")()
    copied = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "books.db")
    return f"sqlite:///{copied}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store_url: str, clock: Clock) -> Iterator[FundLedger]:
    with FundLedger(store_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def sql(store_url: str) -> Sql:
    """Run a statement as somebody would who goes around the product."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        if store_url.startswith("sqlite"):
            connection = sqlite3.connect(store_url.removeprefix("sqlite:///"), timeout=30)
            try:
                with connection:
                    return connection.execute(statement).fetchall()
            finally:
                connection.close()
        with psycopg.connect(store_url) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def unlocked(store_url: str, sql: Sql) -> Sql:
    """The same, after the append-only triggers were taken away: an attacker with all rights."""
    if store_url.startswith("sqlite"):
        for (name,) in sql("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            sql(f"DROP TRIGGER {name}")
    else:
        for table in KEPT:
            sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return sql


@pytest.fixture
def place(store_url: str) -> str:
    """Name the position column."""
    return "rowid" if store_url.startswith("sqlite") else "notification_id"
