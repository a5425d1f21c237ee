"""The database itself refuses every change to what was recorded."""

import sqlite3

import psycopg
import pytest
from integration.store.building import contributions, open_book, post

from ledger.verify import verify

TABLES = ("events", "seals", "idempotency")
CHANGES = {
    "events": "topic = 'x'",
    "seals": "at_us = 1",
    "idempotency": "input_hash = 'x'",
}
REFUSED = (sqlite3.IntegrityError, psycopg.errors.RestrictViolation)


@pytest.fixture
def kept(ledger):
    open_book(ledger)
    post(ledger, "key", contributions("a", 3))
    yield
    assert verify(ledger).ok


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("table", TABLES)
def test_update_is_refused(sql, table):
    with pytest.raises(REFUSED, match=f"账簿只增不改.*UPDATE on {table} is refused"):
        sql(f"UPDATE {table} SET {CHANGES[table]}")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("table", TABLES)
def test_delete_is_refused(sql, table):
    with pytest.raises(REFUSED, match=f"账簿只增不改.*DELETE on {table} is refused"):
        sql(f"DELETE FROM {table}")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("table", TABLES)
def test_truncate_is_refused(sql, store_url, table):
    if store_url.startswith("sqlite"):
        return  # SQLite knows no TRUNCATE
    with pytest.raises(REFUSED, match=f"账簿只增不改.*TRUNCATE on {table} is refused"):
        sql(f"TRUNCATE {table}")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("table", "replacement"),
    [
        ("events", "SELECT rowid, originator_id, 99, 'x', state FROM events LIMIT 1"),
        ("events", "SELECT 99, originator_id, originator_version, 'x', state FROM events LIMIT 1"),
        ("seals", "SELECT no, 9, 9, 9, 9, root, x'01', x'02' FROM seals WHERE no = 1"),
        ("seals", "SELECT 9, 9, 9, 9, 9, root, prev, x'02' FROM seals WHERE no = 1"),
        ("seals", "SELECT 9, 9, last_position, 9, 9, root, x'01', x'02' FROM seals WHERE no = 1"),
        ("idempotency", "SELECT key, 'x', 99 FROM idempotency LIMIT 1"),
        ("idempotency", "SELECT 'x', 'x', seal_no FROM idempotency LIMIT 1"),
    ],
)
def test_insert_or_replace_is_refused(sql, store_url, table, replacement):
    if store_url.startswith("postgresql"):
        return  # an upsert there is an UPDATE, see below
    with pytest.raises(REFUSED, match=f"账簿只增不改.*this place in {table} is taken"):
        sql(f"INSERT OR REPLACE INTO {table} {replacement}")


@pytest.mark.usefixtures("kept")
def test_an_upsert_is_refused(sql):
    with pytest.raises(REFUSED, match="账簿只增不改"):
        sql(
            "INSERT INTO idempotency SELECT key, 'x', seal_no FROM idempotency WHERE true"
            " ON CONFLICT (key) DO UPDATE SET input_hash = 'x'"
        )
