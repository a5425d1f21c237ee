"""Writing many rows of a read model at once: add sums up, or put the newest state."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows = Iterable[Mapping[str, Any]]


def add_up(connection: Connection, table: Table, rows: Rows) -> None:
    """Add sums to the rows with the same key, or begin them; sorted, so that plans are repeatable."""
    _upsert(connection, table, rows, adding=True)


def put(connection: Connection, table: Table, rows: Rows) -> None:
    """Replace the rows with the same key; of several in one batch the last one stands."""
    _upsert(connection, table, rows, adding=False)


def _upsert(connection: Connection, table: Table, rows: Rows, *, adding: bool) -> None:
    batch = list(rows)
    if not batch:
        return
    embedded = connection.dialect.name == "sqlite"
    insert = (sqlite.insert if embedded else postgresql.insert)(table)
    keys = [column.name for column in table.primary_key]
    given = [column for column in table.c if column.name not in keys and column.name in batch[0]]
    taken = {
        column.name: column + insert.excluded[column.name]
        if adding
        else insert.excluded[column.name]
        for column in given
    }
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=taken), batch)
