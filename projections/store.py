"""Where read models lie: one SQLAlchemy engine on SQLite or PostgreSQL, readings and writings.

The read models may share the log's database or have one of their own. A reading sees one snapshot:
the position and every figure of a document belong together, also while a rebuild switches
generations.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import OperationalError

from ledger.errors import BooksDamaged, Unavailable
from ledger.store.failures import StoreFull
from projections.tables import (
    STATE_TABLE,
    VIEW_TABLES,
    BalanceTables,
    ClearingTables,
    IntakeTables,
    JournalTables,
    MonthTables,
    SetupTables,
    balance_tables,
    clearing_tables,
    intake_tables,
    journal_tables,
    month_tables,
    setup_tables,
    shape_of,
)

#: Advisory locks on PostgreSQL: who projects, and who may drop tables while others read.
PROJECTOR_LOCK, READERS_LOCK = 0x6D66_0001, 0x6D66_0002
_BUSY_SECONDS = 60
_DROP_SECONDS = 5
_DISK_FULL = "53100"

#: What a generation of a view is there for.
LIVE, BUILDING, RETIRED = "live", "building", "retired"


class ReadModelsAway(Unavailable):
    """The database of the read models does not answer."""

    code = "read_models_away"
    zh = "读模型数据库暂不可用:{reason}。"
    en = "The database of the read models does not answer: {reason}."
    hint_zh = "请稍后重试。"
    hint_en = "Try again later."


class NothingProjected(Unavailable):
    """No projection has been made yet."""

    code = "nothing_projected"
    zh = "尚未生成任何投影。"
    en = "Nothing has been projected yet."
    hint_zh = "请先运行一次读取命令或 rebuild。"
    hint_en = "Bring the projections up to the log once, or run rebuild."


class ProjectionsTorn(BooksDamaged):
    """The views do not stand at one position, or one is missing (投影不一致)."""

    code = "projections_torn"
    zh = "各投影不在同一日志位置:{positions}。"
    en = "The views do not stand at one log position: {positions}."
    hint_zh = "请运行 rebuild 重建投影;日志本身不受影响。"
    hint_en = "Run rebuild; the log itself is not affected."


class ProjectionsOutdated(Unavailable):
    """The read models were made by a version that writes them otherwise (投影版本过旧)."""

    code = "projections_outdated"
    zh = "投影 {views} 由另一版本生成,本版本不能读写。"
    en = "The views {views} were made by another version; this one cannot read them."
    hint_zh = "请运行 medfund rebuild 重建;日志本身不受影响。"
    hint_en = "Run medfund rebuild; the log itself is not affected."


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot of the live read models."""

    connection: Connection
    position: int
    generations: Mapping[str, int]

    @property
    def balances(self) -> BalanceTables:
        return balance_tables(self.generations["balances"])

    @property
    def journal(self) -> JournalTables:
        return journal_tables(self.generations["journal"])

    @property
    def months(self) -> MonthTables:
        return month_tables(self.generations["months"])

    @property
    def intakes(self) -> IntakeTables:
        return intake_tables(self.generations["intakes"])

    @property
    def clearing(self) -> ClearingTables:
        return clearing_tables(self.generations["clearing"])

    @property
    def setup(self) -> SetupTables:
        return setup_tables(self.generations["setup"])

    def rows(self, statement: Any) -> list[Any]:
        """Fetch all rows of a statement."""
        return list(self.connection.execute(statement))


class ReadStore:
    """The database of the read models (读模型)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.embedded = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str) -> Self:
        """Open by the same kind of address as the log: ``sqlite:///file`` or ``postgresql://…``."""
        address = _with_driver(make_url(url))
        if address.get_backend_name() == "sqlite":
            engine = create_engine(address, connect_args={"timeout": _BUSY_SECONDS})
            _prepare_sqlite(engine)
        else:
            engine = create_engine(address, pool_pre_ping=True)
        _tell_failures(engine)
        return cls(engine)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction; only one projector writes at a time."""
        with self._connected(writes=True) as connection, connection.begin():
            if not self.embedded:
                connection.execute(select(func.pg_advisory_xact_lock(PROJECTOR_LOCK)))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One snapshot of the live generations; refuses where nothing was projected yet."""
        with self.snapshot() as connection:
            generations, position = _live(connection)
            yield Reading(connection, position, generations)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One snapshot of everything, during which no table is dropped."""
        with (
            self._connected(writes=False) as connection,
            self._undropped(connection),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def dropping(self) -> Iterator[Connection]:
        """One write transaction that may drop tables: it waits for readings, but not for long."""
        with self.writing() as connection:
            if not self.embedded:
                connection.execute(text(f"SET LOCAL lock_timeout = '{_DROP_SECONDS}s'"))
                connection.execute(select(func.pg_advisory_xact_lock(READERS_LOCK)))
            yield connection

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise ReadModelsAway(reason=str(error.orig)) from error
        with connection:
            if self.embedded:
                yield connection.execution_options(writes=writes)
            elif writes:
                yield connection
            else:
                yield connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def _undropped(self, connection: Connection) -> Iterator[None]:
        """Keep retired generations from being dropped under this reading (PostgreSQL only).

        A snapshot does not protect a table's name there; the lock is taken before the snapshot is.
        """
        if self.embedded:
            yield
            return
        with connection.begin():
            connection.execute(select(func.pg_advisory_lock_shared(READERS_LOCK)))
        try:
            yield
        finally:
            with connection.begin():
                connection.execute(select(func.pg_advisory_unlock_shared(READERS_LOCK)))


def _with_driver(url: URL) -> URL:
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url.set(drivername="sqlite+pysqlite")


def _prepare_sqlite(engine: Engine) -> None:
    """Start writing transactions with BEGIN IMMEDIATE; the driver's own BEGIN is switched off.

    A deferred BEGIN that turns into a write later fails at once with "database is locked" when
    another writer was first (research: two thirds of the appends of three writers were lost so).
    """

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tell_failures(engine: Engine) -> None:
    """Let no full disk and no lost database out as the driver's own error.

    What else a statement is refused for stays what it is: a rebuild waits for locks by it.
    """
    store = engine.url.render_as_string(hide_password=True)

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        error = context.original_exception
        name = getattr(error, "sqlite_errorname", None) or ""
        if name == "SQLITE_FULL" or getattr(error, "sqlstate", None) == _DISK_FULL:
            raise StoreFull(store=store) from error
        away = context.is_disconnect or context.connection is None
        if (away and not context.is_pre_ping) or name.startswith("SQLITE_IOERR"):
            raise ReadModelsAway(reason=str(error)) from error


def _live(connection: Connection) -> tuple[dict[str, int], int]:
    if not inspect(connection).has_table(STATE_TABLE):
        raise NothingProjected
    # All columns as they are there: an older version's table has no shape.
    rows = connection.execute(text(f"SELECT * FROM {STATE_TABLE}")).mappings()
    found = {row["view"]: row for row in rows if row["status"] == LIVE}
    if not found:
        raise NothingProjected
    outdated = [view for view, row in found.items() if row.get("shape") != _shape(view)]
    if outdated:
        raise ProjectionsOutdated(views=", ".join(sorted(outdated)))
    positions = dict.fromkeys(VIEW_TABLES) | {view: row["position"] for view, row in found.items()}
    if len(set(positions.values())) != 1:
        said = ", ".join(f"{view} {position}" for view, position in sorted(positions.items()))
        raise ProjectionsTorn(positions=said)
    generations = {view: row["generation"] for view, row in found.items()}
    return generations, next(iter(found.values()))["position"]


def _shape(view: str) -> str | None:
    return shape_of(view) if view in VIEW_TABLES else None
