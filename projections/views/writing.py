"""Writing many rows of a read model at once: add sums up, or put the newest state."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = tuple[str | int, ...]


def add_up(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add sums to the rows with the same key, or begin them. Rows are in the table's column order.

    Written past the statement compiler: it costs more than the database for rows by the ten
    thousand. PostgreSQL takes the whole batch as one array per column.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_sqlite_addition(table), list(rows))
    else:
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        connection.exec_driver_sql(_postgres_addition(table), columns)


def add_up_from(connection: Connection, table: Table, rows: Select[Any]) -> None:
    """Add sums that a query gives, in the table's column order."""
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.c]
    sums = {name: table.c[name] + insert.excluded[name] for name in names if name not in keys}
    connection.execute(
        insert.from_select(names, rows).on_conflict_do_update(index_elements=keys, set_=sums)
    )


def put(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace the rows with the same key; of several in one batch the last one stands."""
    batch = list(rows)
    if not batch:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    taken = {name: insert.excluded[name] for name in batch[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=taken), batch)


@cache
def _sqlite_addition(table: Table) -> str:
    places = ", ".join("?" for _ in table.c)
    return f"INSERT INTO {table.name} VALUES ({places}) {_on_conflict(table)}"


@cache
def _postgres_addition(table: Table) -> str:
    arrays = ", ".join(
        "%s::bigint[]" if isinstance(column.type, BigInteger) else "%s::text[]"
        for column in table.c
    )
    return f"INSERT INTO {table.name} SELECT * FROM unnest({arrays}) {_on_conflict(table)}"


def _on_conflict(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    sums = (column.name for column in table.c if column.name not in keys)
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
