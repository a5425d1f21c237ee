"""Writing parts (归档文件): the rows of one folder and one range, as one Parquet file.

What waits to be written is kept packed, so that a range may be larger than the memory of its columns.
The bytes of a part follow from its rows alone: row groups are cut by number, nothing says when or
where it was written.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.archive.columns import STATE, fen_of, schema_of
from ledger.archive.durable import HashingFile, make_folder, sync_folder
from ledger.archive.manifest import EVENTS, FORMAT, SEALS, Part
from ledger.store.seals import Seal

#: Rows of a row group: about 180 MB of claims while they are written.
ROW_GROUP = 98_304
_LEVEL = 1
#: Nearly every row of these differs from every other: a dictionary would only cost.
_DISTINCT = {"position", "stream", STATE, "content"}
_PACKED = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)
SEAL_SCHEMA = pa.schema(
    [
        *((name, pa.int64()) for name in ("no", "first_position", "last_position", "events")),
        ("at_us", pa.int64()),
        *((name, pa.binary(32)) for name in ("root", "prev", "digest")),
        ("key", pa.string()),
        ("input_hash", pa.string()),
    ]
)


class Waiting:
    """Rows of one folder that wait for their range to be complete."""

    def __init__(self) -> None:
        self.rows = 0
        self.fen = 0
        self.first = 0
        self.last = 0
        self._packed: list[bytes] = []

    def add(self, table: pa.Table) -> None:
        """Take rows that follow on those before."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as stream:
            stream.write_table(table)
        self._packed.append(sink.getvalue().to_pybytes())
        self.first = self.first or table["position"][0].as_py()
        self.last = table["position"][-1].as_py()
        self.rows += len(table)
        self.fen += fen_of(table)

    def tables(self) -> Iterator[pa.Table]:
        """Give the rows back, in order."""
        for buffer in self._packed:
            yield pa.ipc.open_stream(buffer).read_all()


def write_events(archive: Path, topic: str, folder: str, waiting: Waiting) -> Part:
    """Write the part of one folder."""
    name = f"{EVENTS}/event_type={topic}/{folder}/{_name(waiting.first, waiting.last)}"
    file = _write(archive / name, schema_of(topic), waiting.tables(), topic)
    return Part(
        path=name,
        rows=waiting.rows,
        first=waiting.first,
        last=waiting.last,
        fen=waiting.fen,
        bytes=file[0],
        sha256=file[1],
    )


def write_seals(archive: Path, seals: list[tuple[Seal, str, str]]) -> Part:
    """Write the seals of a range, each with its commit's key and input hash."""
    columns = zip(*((*seal, key, input_hash) for seal, key, input_hash in seals), strict=True)
    table = pa.table(
        [pa.array(one, field.type) for one, field in zip(columns, SEAL_SCHEMA, strict=True)],
        schema=SEAL_SCHEMA,
    )
    first, last = seals[0][0].no, seals[-1][0].no
    name = f"{SEALS}/{_name(first, last)}"
    file = _write(archive / name, SEAL_SCHEMA, iter([table]), "seals")
    return Part(
        path=name, rows=len(seals), first=first, last=last, fen=0, bytes=file[0], sha256=file[1]
    )


def _name(first: int, last: int) -> str:
    return f"part-{first:012d}-{last:012d}.parquet"


def _write(path: Path, schema: pa.Schema, tables: Iterator[pa.Table], what: str) -> tuple[int, str]:
    make_folder(path.parent)
    file = HashingFile(path)
    try:
        writer = pq.ParquetWriter(
            file,
            schema.with_metadata({"format": FORMAT, "holds": what}),
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=[one for one in schema.names if one not in _DISTINCT],
            write_statistics=[one for one in schema.names if one != STATE],
            store_schema=False,
        )
        for group in _row_groups(tables):
            writer.write_table(group, row_group_size=ROW_GROUP)
        writer.close()
        digest = file.finish()
    except BaseException:
        file.close()
        path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return file.bytes, digest


def _row_groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        while rows + len(table) >= ROW_GROUP:
            room = ROW_GROUP - rows
            yield pa.concat_tables([*waiting, table.slice(0, room)])
            table, waiting, rows = table.slice(room), [], 0  # noqa: PLW2901  what is left of it
        waiting.append(table)
        rows += len(table)
    if rows:
        yield pa.concat_tables(waiting)
