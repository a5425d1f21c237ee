"""Writing many rows of a read model at once: add sums up, or put the newest state."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = tuple[Any, ...]
_encode = msgspec.json.Encoder().encode


def add_up(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add sums to the rows with the same key, or begin them. Rows are in the table's column order."""
    _insert(connection, table, rows, _on_conflict(table))


def add(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows that are all new."""
    in_order = itemgetter(*(column.name for column in table.c))
    _insert(connection, table, list(map(in_order, rows)), "")


def _insert(connection: Connection, table: Table, rows: Sequence[Row], ending: str) -> None:
    """Insert past the statement compiler, which costs more than the database for so many rows.

    PostgreSQL takes the whole batch as one JSON array per column: the driver's own arrays cost
    several times as much to write.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{_sqlite_insert(table)} {ending}", list(rows))
    else:
        columns = tuple(_encode(column).decode() for column in zip(*rows, strict=True))
        connection.exec_driver_sql(f"{_postgres_insert(table)} {ending}", columns)


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
def _sqlite_insert(table: Table) -> str:
    return f"INSERT INTO {table.name} VALUES ({', '.join('?' for _ in table.c)})"


@cache
def _postgres_insert(table: Table) -> str:
    read = ", ".join(
        f'"{column.name}"::bigint' if isinstance(column.type, BigInteger) else f'"{column.name}"'
        for column in table.c
    )
    arrays = ", ".join("json_array_elements_text(%s::json)" for _ in table.c)
    names = ", ".join(f'"{column.name}"' for column in table.c)
    return f"INSERT INTO {table.name} SELECT {read} FROM ROWS FROM ({arrays}) AS r ({names})"


@cache
def _on_conflict(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    sums = (column.name for column in table.c if column.name not in keys)
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
