"""The schema of a store (数据库结构): create or migrate it, and say what is missing.

Two processes may upgrade at once: one waits for the other (advisory lock, BEGIN IMMEDIATE).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from ledger.errors import MedfundError
from ledger.store import address, postgres_pool, sqlite
from ledger.store.address import Address
from ledger.store.failures import StoreUnavailable
from ledger.store.finding import Finding
from ledger.store.postgres_append import APPEND_LOCK

#: Held while the schema is changed, beside the lock of appends.
_UPGRADE_LOCK = APPEND_LOCK + 1
_TRIES, _PAUSE_SECONDS = 1200, 0.05

_KEPT = ("events", "seals", "idempotency")
_SQLITE_TRIGGERS = {
    f"{table}_no_{verb}" for table in _KEPT for verb in ("update", "delete", "replace")
}
_POSTGRES_TRIGGERS = {f"{table}_append_only" for table in _KEPT}


def upgrade(url: str) -> None:
    """Create the schema or bring it to this version; nothing happens where it is there."""
    where = address.parse(url)
    if where.path is not None:
        _write_ahead(where, where.path)
    with _connected(where) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(url: str) -> list[Finding]:
    """Say what is missing: tables, version, the triggers that keep the log, write-ahead mode."""
    where = address.parse(url)
    if where.path is not None and not Path(where.path).is_file():
        return [_finding("schema_missing", "尚未建立数据库结构", "the schema was never created")]
    with _connected(where) as connection:
        found = list(_version_findings(connection))
        if any(finding.code == "schema_missing" for finding in found):
            return found
        found.extend(_trigger_findings(connection, where))
        if where.is_sqlite:
            mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            if mode != "wal":
                found.append(
                    _finding("not_wal", "未启用 WAL 日志模式", "write-ahead mode is off", mode=mode)
                )
    return found


def _finding(code: str, zh: str, en: str, **facts: object) -> Finding:
    return Finding(code, None, zh, en, facts)


def _version_findings(connection: Connection) -> Iterator[Finding]:
    present = MigrationContext.configure(connection).get_current_revision()
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if present is None:
        yield _finding("schema_missing", "尚未建立数据库结构", "the schema was never created")
    elif present != head:
        yield _finding(
            "schema_version",
            f"数据库结构版本为 {present}，本版本需要 {head}",
            f"the schema is at {present}, this version needs {head}",
            present=present,
            needed=head,
        )


def _trigger_findings(connection: Connection, where: Address) -> Iterator[Finding]:
    if where.is_sqlite:
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        needed = _SQLITE_TRIGGERS
    else:
        asked = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        needed = _POSTGRES_TRIGGERS
    for name in sorted(needed - set(connection.execute(text(asked)).scalars())):
        yield _finding(
            "trigger_missing",
            f"缺少只增不改触发器 {name}",
            f"the append-only trigger {name} is missing",
            trigger=name,
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:")
    return config


def _write_ahead(where: Address, path: str) -> None:
    """Turn write-ahead mode on, which stays with the file; it cannot be done inside a transaction."""
    with sqlite.failures_told(where.shown):
        connection = sqlite3.connect(path, timeout=sqlite.BUSY_SECONDS, isolation_level=None)
        try:
            for _ in range(_TRIES):
                if _turned_on(connection):
                    return
                Event().wait(_PAUSE_SECONDS)  # SQLite does not wait here by itself
        finally:
            connection.close()
    raise StoreUnavailable(store=where.shown, reason="database is locked")


def _turned_on(connection: sqlite3.Connection) -> bool:
    try:
        mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            return False
        raise
    return mode == "wal"


@contextmanager
def _connected(where: Address) -> Iterator[Connection]:
    """Hold a transaction that keeps every other upgrade waiting."""
    engine = _engine(where)
    try:
        with engine.begin() as connection:
            if not where.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            yield connection
    except DBAPIError as error:
        raise _failure_of(where, error) from error
    finally:
        engine.dispose()


def _engine(where: Address) -> Engine:
    if where.path is None:
        url = "postgresql+psycopg://" + (where.url or "").partition("://")[2]
        return create_engine(
            url, poolclass=NullPool, connect_args={"connect_timeout": postgres_pool.CONNECT_SECONDS}
        )
    engine = create_engine(
        f"sqlite:///{where.path}",
        poolclass=NullPool,
        connect_args={"timeout": sqlite.BUSY_SECONDS},
    )
    event.listen(engine, "connect", _no_hidden_begin)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _no_hidden_begin(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _failure_of(where: Address, error: DBAPIError) -> MedfundError:
    cause = error.orig
    if isinstance(cause, psycopg.Error):
        return postgres_pool.failure_of(where.shown, cause)
    return sqlite.failure_of(where.shown, cause or error)
