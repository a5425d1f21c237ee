"""DuckDB in this process, the default engine: bounded memory, no server, no file of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from settlement.clearing.engine import Parts, Row, Table

#: What a thread reads into, and how many stays are compared in a mebibyte of the rest: some 500 bytes
#: each, and a quarter to spare.
_MIB_A_THREAD = 40
_STAYS_A_MIB = 1_500


@dataclass(frozen=True, slots=True)
class DuckDBEngine:
    """``memory_mib`` bounds what DuckDB holds; what is more is spilled below ``spill``."""

    memory_mib: int = 160
    threads: int = 2
    spill: Path | None = None

    @property
    def name(self) -> str:
        return "duckdb"

    @property
    def version(self) -> str:
        return duckdb.__version__

    @property
    def stays_at_once(self) -> int:
        held = self.memory_mib - self.threads * _MIB_A_THREAD
        return max(held, self.memory_mib // 4) * _STAYS_A_MIB

    def answer(
        self, text: str, parts: Mapping[str, Parts], tables: Mapping[str, Table]
    ) -> list[Row]:
        """Run the text as it is written."""
        with self._connect() as connection:
            # The bar would be drawn on standard output, which belongs to the answer of a command.
            connection.execute("SET enable_progress_bar = false")
            # The texts name what is small on the right of a join. By its estimates DuckDB would hold
            # all cases in memory instead, where a small table is not so very small.
            connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
            for name, source in parts.items():
                _read_parts(connection, name, source)
            for name, table in tables.items():
                _fill(connection, name, table)
            return connection.execute(text).fetchall()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            config={
                "memory_limit": f"{self.memory_mib}MiB",
                "threads": self.threads,
                "preserve_insertion_order": False,
                # An empty name forbids spilling: rather an error than files in the working folder.
                "temp_directory": str(self.spill or ""),
            }
        )


def _read_parts(connection: duckdb.DuckDBPyConnection, name: str, parts: Parts) -> None:
    if parts.files:
        files = [str(file) for file in parts.files]
        found = connection.read_parquet(files, hive_partitioning=False, union_by_name=True)
        # A column that no part has yet: whoever wrote them did not know it.
        known = set(found.columns)
        named = (
            duckdb.ColumnExpression(column)
            if column in known
            else duckdb.SQLExpression(f"CAST(NULL AS {kind})").alias(column)
            for column, kind in parts.columns
        )
        found.select(*named).create_view(name)
    else:
        _fill(connection, name, Table(parts.columns, ()))


def _fill(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    columns = ", ".join(f'"{column}" {kind}' for column, kind in table.columns)
    connection.execute(f'CREATE TEMP TABLE "{name}" ({columns})')
    if table.rows:
        lists = ", ".join("unnest(?)" for _ in table.columns)
        values = [list(column) for column in zip(*table.rows, strict=True)]
        connection.execute(f'INSERT INTO "{name}" SELECT {lists}', values)
