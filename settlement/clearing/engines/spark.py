"""Spark on the same files, for data that one machine does not hold.

Workers read the files at the paths given: the archive lies on storage that all of them see.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from settlement.clearing.cases.kernel import POSTINGS, in_dialect
from settlement.clearing.engine import Parts, Row, Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # may be absent: this module is imported all the same

_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    POSTINGS: pa.list_(
        pa.struct(
            [
                ("fund", pa.string()),
                ("debit", pa.string()),
                ("credit", pa.string()),
                ("fen", pa.int64()),
                ("party", pa.string()),
            ]
        )
    ),
}

_ANY_NUMBER = 1 << 62

_WORDS = {
    "VARCHAR": "STRING",
    "BIGINT": "BIGINT",
    "BOOLEAN": "BOOLEAN",
    POSTINGS: "ARRAY<STRUCT<fund: STRING, debit: STRING, credit: STRING, fen: BIGINT, party: STRING>>",
}


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """Runs in a session that the caller made, with its master, memory and credentials."""

    session: "SparkSession"

    @property
    def name(self) -> str:
        return "spark"

    @property
    def version(self) -> str:
        return str(self.session.version)

    @property
    def stays_at_once(self) -> int:
        return _ANY_NUMBER  # it spills by itself, on every worker

    def answer(
        self, text: str, parts: Mapping[str, Parts], tables: Mapping[str, Table]
    ) -> list[Row]:
        """Run the text in Spark's words; sums beyond 64 bits are an error, never wrapped."""
        own = self.session.newSession()  # temporary views of its own
        own.conf.set("spark.sql.ansi.enabled", "true")
        for name, source in parts.items():
            _read_parts(own, name, source)
        for name, table in tables.items():
            _fill(own, name, table)
        return [tuple(row) for row in own.sql(in_dialect(text, "spark")).collect()]


@contextmanager
def connected(master: str) -> Iterator[SparkEngine]:
    """Make a session of a master's, and end it."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  see above

    builder = SparkSession.builder.master(master).appName("medfund")
    for quiet in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(quiet, "false")
    session = builder.getOrCreate()
    try:
        yield SparkEngine(session)
    finally:
        session.stop()


def _read_parts(session: "SparkSession", name: str, parts: Parts) -> None:
    if parts.files:
        # With this option folders such as period=2025-01 do not become columns.
        reader = session.read.option("recursiveFileLookup", "true")
        found = reader.schema(_said(parts.columns)).parquet(
            *(f"file://{file.absolute()}" for file in parts.files)
        )
        found.createOrReplaceTempView(name)
    else:
        _fill(session, name, Table(parts.columns, ()))


def _said(columns: tuple[tuple[str, str], ...]) -> str:
    """Write columns as Spark's own schema; what a file lacks of it is empty."""
    return ", ".join(f"`{column}` {_WORDS[kind]}" for column, kind in columns)


def _fill(session: "SparkSession", name: str, table: Table) -> None:
    if not table.rows:
        session.createDataFrame([], _said(table.columns)).createOrReplaceTempView(name)
        return
    schema = pa.schema([(column, _TYPES[kind]) for column, kind in table.columns])
    columns = zip(*table.rows, strict=True)
    arrow = pa.table([*map(pa.array, columns)], names=schema.names).cast(schema)
    # From Arrow it is a local relation, which costs no job of the cluster.
    session.createDataFrame(arrow).createOrReplaceTempView(name)
