"""What the store says when its database is missing, away, full, read-only or no database at all."""

import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from integration.store.building import contribution, contributions, open_book, post
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.errors import Unavailable
from ledger.store import postgres, postgres_pool, schema, sqlite
from ledger.store.failures import (
    NotAStore,
    SchemaMissing,
    StoreBusy,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from ledger.store.postgres_append import APPEND_LOCK
from ledger.store.postgres_pool import Datastore, DbFunctionsEnabled
from ledger.verify import verify


def test_a_file_that_is_not_there_is_not_created(tmp_path, clock):
    path = tmp_path / "none.db"
    with pytest.raises(SchemaMissing, match="medfund db upgrade") as refused:
        FundLedger(f"sqlite:///{path}", clock=clock)
    assert refused.value.family == "unavailable"
    assert not path.exists()
    assert [one.code for one in schema.check(f"sqlite:///{path}")] == ["schema_missing"]
    assert not path.exists()


def test_a_database_without_tables_says_so(tmp_path, clock):
    path = tmp_path / "empty.db"
    sqlite3.connect(path).close()
    with pytest.raises(SchemaMissing):
        FundLedger(f"sqlite:///{path}", clock=clock)
    with fresh_database(require_postgres()) as url:
        with pytest.raises(SchemaMissing):
            FundLedger(url, clock=clock)
        assert [one.code for one in schema.check(url)] == ["schema_missing"]


def test_a_file_that_is_no_database_says_so(tmp_path, clock):
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    for call in (
        lambda url: FundLedger(url, clock=clock),
        schema.upgrade,
        schema.check,
    ):
        with pytest.raises(NotAStore, match="not a database"):
            call(f"sqlite:///{path}")


def test_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(StoreUnavailable, match="unable to open"):
        schema.upgrade(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")


def test_a_server_that_is_not_there_says_so_at_once(clock):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://someone:hidden@127.0.0.1:{taken.getsockname()[1]}/books"
        for call in (lambda url: FundLedger(url, clock=clock), schema.upgrade, schema.check):
            with pytest.raises(StoreUnavailable, match="refused") as refused:
                call(url)
            assert "hidden" not in str(refused.value.document())


def test_a_database_that_is_not_there_says_so(clock):
    url = require_postgres().rpartition("/")[0] + "/no_such_database"
    with pytest.raises(StoreUnavailable, match="does not exist"):
        FundLedger(url, clock=clock)


def fill(ledger, size):
    for number in range(200):
        post(ledger, f"{number}", contributions(f"{number}", size))


@pytest.mark.parametrize("size", [1, 40])
def test_a_full_disk_refuses_and_loses_nothing(tmp_path, clock, size):
    url = f"sqlite:///{tmp_path / 'books.db'}"
    schema.upgrade(url)
    with FundLedger(url, clock=clock) as ledger:
        open_book(ledger)
        with ledger.recorder.datastore.plain_cursor(writes=True) as cursor:
            [pages] = cursor.execute("PRAGMA page_count").fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreFull):
            fill(ledger, size)
        last = ledger.log.last_position()
        assert verify(ledger).ok
        with ledger.recorder.datastore.plain_cursor(writes=True) as cursor:
            cursor.execute("PRAGMA max_page_count = 1000000")
        assert post(ledger, "after", [contribution("after")]).first_position == last + 1
        assert verify(ledger).ok


def test_a_read_only_server_is_read_but_not_written(clock):
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        with FundLedger(url, clock=clock) as ledger:
            open_book(ledger)
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on"
            )
        with FundLedger(url, clock=clock) as ledger:
            assert verify(ledger).ok
            for size in (1, 40):
                with pytest.raises(StoreReadOnly):
                    post(ledger, "key", contributions("a", size))


def test_lost_connections_are_made_again_and_nothing_is_doubled(clock):
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        with FundLedger(url, clock=clock) as ledger, psycopg.connect(url) as admin:
            open_book(ledger)
            for number, size in enumerate((1, 40, 1, 40)):
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                receipt = post(ledger, f"{number}", contributions(f"{number}", size))
                assert not receipt.repeated
            assert verify(ledger).events == 83


def test_a_server_that_goes_away_is_told_as_unavailable(clock):
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url)
        with FundLedger(url, clock=clock) as ledger:
            open_book(ledger)
            name = url.rpartition("/")[2]
            with psycopg.connect(require_postgres(), autocommit=True) as admin:
                admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
                admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [name],
                )
            ledger.recorder.datastore.pool.timeout = 0.5
            for call in (
                lambda: post(ledger, "key", [contribution("a")]),
                lambda: post(ledger, "key", contributions("a", 40)),
                ledger.log.last_position,
                lambda: ledger.log.wait_for_append(after=1, timeout=1),
                lambda: verify(ledger),
            ):
                with pytest.raises(Unavailable):
                    call()


@contextmanager
def held(store_url):
    """Somebody else holds the lock of writers."""
    if store_url.startswith("sqlite"):
        other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg.connect(store_url)
        other.execute(f"SELECT pg_advisory_xact_lock({APPEND_LOCK})")
    try:
        yield
    finally:
        other.close()


@pytest.mark.parametrize("size", [1, 40])
def test_nobody_waits_for_ever_for_the_lock(store_url, clock, monkeypatch, size):
    """Without ``lock_timeout`` on the connection this test never ends."""
    for store in (postgres_pool, sqlite):
        monkeypatch.setattr(store, "BUSY_SECONDS", 1)
    with FundLedger(store_url, clock=clock) as ledger:
        open_book(ledger)
        events = contributions("a", size)
        with held(store_url), pytest.raises(StoreBusy, match="1 seconds") as refused:
            post(ledger, "key", events)
        assert refused.value.family == "unavailable"
        assert post(ledger, "key", events).first_position == 2
        assert verify(ledger).ok


def test_a_writer_that_stands_still_under_the_lock_is_thrown_out(emptied, clock, monkeypatch):
    """With a flush instead of a sync after the reads, the server would wait with the writer."""
    url = emptied()
    monkeypatch.setattr(postgres_pool, "IDLE_SECONDS", 1)
    waits = iter([3])

    def slow_clock():
        time.sleep(next(waits, 0))
        return clock()

    with FundLedger(url, clock=clock) as ledger, FundLedger(url, clock=slow_clock) as slow:
        open_book(ledger)
        with ThreadPoolExecutor() as pool:
            late = pool.submit(post, slow, "late", [contribution("late")])
            time.sleep(0.5)  # until it holds the lock
            assert post(ledger, "b", [contribution("b")]).first_position == 2
            assert late.result().first_position == 3  # done again on a new connection
        assert verify(ledger).ok


def test_the_librarys_insert_function_is_refused(clock):
    url = require_postgres()
    functions = Datastore(url, enable_db_functions=True)
    with pytest.raises(DbFunctionsEnabled):
        postgres.PostgresRecorder(functions, url=url, clock=clock, store="x")


def test_the_environment_sets_nothing(monkeypatch, ledger):
    for name, value in {
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
        "COMPRESSOR_TOPIC": "zlib",
        "PERSISTENCE_MODULE": "eventsourcing.popo",
        "IS_SNAPSHOTTING_ENABLED": "y",
    }.items():
        monkeypatch.setenv(name, value)
    assert ledger.construct_env("medfund") == {}


def test_a_closed_ledger_says_so(ledger):
    ledger.close()
    for call in (ledger.log.last_position, lambda: post(ledger, "key", [contribution("a")])):
        with pytest.raises(StoreUnavailable):
            call()
