"""Creating the schema, also by several processes at once, and saying what is missing."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from integration.store.building import open_book
from integration.store.processes import upgrade_together
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.store import schema
from ledger.verify import verify


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
    else:
        with fresh_database(require_postgres()) as url:
            yield url


def test_processes_that_upgrade_at_once_wait_for_each_other(blank_url, clock, crowd):
    gate = crowd.Barrier(4)
    processes = [crowd.Process(target=upgrade_together, args=(blank_url, gate)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert schema.check(blank_url) == []
    with FundLedger(blank_url, clock=clock) as ledger:
        open_book(ledger)
        assert verify(ledger).ok


def test_an_upgrade_of_a_store_in_use_changes_nothing(ledger, store_url):
    open_book(ledger)
    schema.upgrade(store_url)
    assert verify(ledger).events == 1


def test_a_url_with_its_driver_is_understood():
    with fresh_database(require_postgres()) as url:
        schema.upgrade(url.replace("postgresql://", "postgresql+psycopg://"))
        assert schema.check(url) == []


def test_missing_triggers_are_named(store_url, unlocked):
    found = schema.check(store_url)
    assert {finding.code for finding in found} == {"trigger_missing"}
    assert len(found) == (9 if store_url.startswith("sqlite") else 3)
    assert all(finding.facts["trigger"] in finding.zh for finding in found)
    assert unlocked("SELECT 1") == [(1,)]


def test_another_version_of_the_schema_is_named(store_url, sql):
    sql("UPDATE alembic_version SET version_num = '9999'")
    [finding] = schema.check(store_url)
    assert (finding.code, finding.facts["present"]) == ("schema_version", "9999")


def test_a_file_without_write_ahead_mode_is_named(tmp_path, migrated_sqlite):
    copied = shutil.copy(migrated_sqlite, tmp_path / "books.db")
    with closing(sqlite3.connect(copied)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    assert [finding.code for finding in schema.check(f"sqlite:///{copied}")] == ["not_wal"]
