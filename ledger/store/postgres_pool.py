"""Connections to PostgreSQL, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg_pool
from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import dict_row

from ledger.errors import MedfundError, RuleRefused
from ledger.store.failures import (
    SchemaMissing,
    StoreBusy,
    StoreFull,
    StoreMalformed,
    StoreReadOnly,
    StoreUnavailable,
)
from ledger.store.postgres_wire import Connection

CONNECT_SECONDS = 10
#: A writer that stands still while it holds the lock of appends is thrown out after so long,
IDLE_SECONDS = 5
#: and nobody waits longer than this for the lock.
BUSY_SECONDS = 60


class DbFunctionsEnabled(RuleRefused):
    """The library's insert function takes no lock and would lose events (拒绝启用数据库函数)."""

    code = "db_functions_enabled"
    zh = "POSTGRES_ENABLE_DB_FUNCTIONS 会使读者漏读事件，本系统拒绝启用。"
    en = "POSTGRES_ENABLE_DB_FUNCTIONS makes readers miss events and is refused."
    hint_zh = "请删除该设置。"
    hint_en = "Remove the setting."


def failure_of(store: str, error: psycopg.Error) -> MedfundError:
    """Tell an error of PostgreSQL in our words."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    match error:
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return SchemaMissing(store=store)
        case psycopg.errors.LockNotAvailable():
            return StoreBusy(store=store, seconds=BUSY_SECONDS)
        case psycopg.errors.DiskFull():
            return StoreFull(store=store)
        case psycopg.errors.ReadOnlySqlTransaction() | psycopg.errors.InsufficientPrivilege():
            return StoreReadOnly(store=store)
        case psycopg.errors.DataCorrupted() | psycopg.errors.IndexCorrupted():
            return StoreMalformed(store=store, reason=reason)
        case _:
            return StoreUnavailable(store=store, reason=reason)


@contextmanager
def failures_told(store: str) -> Iterator[None]:
    """Let no error of the driver out as it is."""
    try:
        yield
    except psycopg.Error as error:
        raise failure_of(store, error) from error


def lost(error: psycopg.Error) -> bool:
    """Tell whether the connection broke (trying again helps), or could not even be made."""
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg_pool.PoolClosed):
        return False
    if isinstance(error, psycopg.errors.IdleInTransactionSessionTimeout):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate[:2] in {"08", "40", "57"}


class Datastore(PostgresDatastore):
    """Connections to one database, made from its URL."""

    def __init__(self, url: str, *, enable_db_functions: bool = False) -> None:
        super().__init__(
            dbname="",
            host="",
            port="",
            user="",
            password="",
            idle_in_transaction_session_timeout=IDLE_SECONDS,
            enable_db_functions=enable_db_functions,
        )
        self._lending = psycopg_pool.ConnectionPool(
            url,
            connection_class=Connection,
            kwargs={
                "row_factory": dict_row,
                "connect_timeout": CONNECT_SECONDS,
                "client_encoding": "utf8",
                "options": f"-c lock_timeout={BUSY_SECONDS}s",
            },
            min_size=1,
            max_size=16,
            open=False,
            configure=self.after_connect_func(),
            timeout=CONNECT_SECONDS,
        )
        self.pool = self._lending  # type: ignore[assignment]  # not by password func

    def register_type_adapters(self) -> None:
        """Look for no composite types: our inserts need none."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection whose errors are the driver's own."""
        self._lending.open(wait=False)
        with self._lending.connection() as connection:
            yield connection
