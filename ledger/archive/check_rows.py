"""Checking rows (逐行核验): each event's leaf for the seals, and its columns against its state."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.archive.columns import Columnar, fen_of, required_columns, schema_of
from ledger.archive.manifest import Part
from ledger.errors import BooksDamaged
from ledger.store.seals import canonical_rows, leaf

_ROWS_AT_ONCE = 10_000

#: Takes code, position and the sentence in both languages.
Tell = Callable[[str, int | None, str, str], None]


class _PartDiffers(Exception):
    """Rows of a part do not fit what is said of it; only told, never passed on."""


def check_rows(
    parts: Iterable[Part],
    before: int,
    leaves: list[bytes | None],
    *,
    folder: Path,
    columnar: Columnar,
    tell: Tell,
) -> tuple[int, int]:
    """Put the leaf of every row of a range in its place; give the number of rows and their fen.

    ``before`` is the last position of the range before, ``leaves`` has a place for each position.
    """
    checking = _Rows(folder, before, leaves, columnar, tell)
    for topic, mine in groupby(parts, key=_topic):
        for pieces in _bundles(checking.pieces(topic, mine)):
            checking.compare(topic, pieces)
    return checking.rows, checking.fen


def _topic(part: Part) -> str:
    folder = part.folder()
    return folder.topic if folder else ""


_Piece = tuple[Part, pa.Table]


def _bundles(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    """Put small pieces together: turning states into columns has its price per call."""
    bundle: list[_Piece] = []
    for piece in pieces:
        bundle.append(piece)
        if sum(len(table) for _, table in bundle) >= _ROWS_AT_ONCE:
            yield bundle
            bundle = []
    if bundle:
        yield bundle


class _Rows:
    """Reads the parts of one range."""

    def __init__(
        self,
        folder: Path,
        before: int,
        leaves: list[bytes | None],
        columnar: Columnar,
        tell: Tell,
    ) -> None:
        self.rows = self.fen = 0
        self._folder = folder
        self._before = before
        self._leaves = leaves
        self._columnar = columnar
        self._tell = tell

    def pieces(self, topic: str, parts: Iterable[Part]) -> Iterator[_Piece]:
        """Read parts of one topic piece by piece, each in the schema of today."""
        for part in parts:
            try:
                yield from self._pieces_of(part, topic)
            except (pa.ArrowException, _PartDiffers, BooksDamaged, ValueError, OSError):
                zh = f"文件 {part.path} 的内容不是清单所述，或无法读取"
                en = f"the part {part.path} is not what its manifest says, or cannot be read"
                self._tell("archive_part_differs", part.first, zh, en)

    def _pieces_of(self, part: Part, topic: str) -> Iterator[_Piece]:
        schema, required = schema_of(topic), required_columns(topic)
        rows = fen = 0
        last = part.first - 1
        with pq.ParquetFile(self._folder / part.path) as file:
            names = file.schema_arrow.names
            if not required <= {*names} <= {*schema.names}:
                raise _PartDiffers
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                table = _completed(pa.Table.from_batches([batch]), schema)
                positions: list[int] = table["position"].to_pylist()
                ascending = positions == sorted({last, *positions})[1:]
                if not ascending or (not rows and positions[0] != part.first):
                    raise _PartDiffers
                self._place(positions, table, topic)
                last, rows, fen = positions[-1], rows + len(table), fen + fen_of(table)
                yield part, table
        if (rows, fen, last) != (part.rows, part.fen, part.last):
            raise _PartDiffers
        self.rows += rows
        self.fen += fen

    def _place(self, positions: Sequence[int], table: pa.Table, topic: str) -> None:
        versions: list[int] = table["version"].to_pylist()
        topics = repeat(topic, len(positions))
        rows = canonical_rows(zip(_streams(table), versions, topics, _states(table), strict=True))
        for position, row in zip(positions, rows, strict=True):
            place = position - self._before - 1
            if not 0 <= place < len(self._leaves) or self._leaves[place] is not None:
                raise _PartDiffers
            self._leaves[place] = leaf(row)

    def compare(self, topic: str, pieces: list[_Piece]) -> None:
        """Tell the first row of a part whose columns or folder are not what its state says."""
        there = pa.concat_tables([table for _, table in pieces])
        try:
            right = self._columnar.read(
                topic,
                there["position"].to_pylist(),
                _streams(there),
                there["version"].to_pylist(),
                _states(there),
            )
        except (BooksDamaged, ValueError):
            part = pieces[0][0]
            zh = f"文件 {part.path} 的事件内容无法读取"
            en = f"the events of the part {part.path} cannot be read"
            self._tell("archive_columns_differ", part.first, zh, en)
            return
        start = 0
        for part, table in pieces:
            mine = right.table.slice(start, len(table))
            folders = right.folders.slice(start, len(table)).to_pylist()
            start += len(table)
            home = part.path.split("/", 2)[2].rpartition("/")[0]
            if {*folders} != {home} or not table.equals(mine):
                position = _first_difference(table, mine, folders, home)
                zh = f"文件 {part.path} 位置 {position} 的列与事件内容不符"
                en = (
                    f"the columns of {part.path} at position {position} are not what its event says"
                )
                self._tell("archive_columns_differ", position, zh, en)


def _streams(table: pa.Table) -> list[bytes]:
    return [bytes.fromhex(one.replace("-", "")) for one in table["stream"].to_pylist()]


def _states(table: pa.Table) -> list[bytes]:
    return [one.encode() for one in table["state"].to_pylist()]


def _completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Add what an older version did not write: such columns are empty in its rows."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _first_difference(there: pa.Table, right: pa.Table, folders: list[str], home: str) -> int:
    positions: list[int] = there["position"].to_pylist()
    rows = zip(positions, there.to_pylist(), right.to_pylist(), folders, strict=True)
    return next(at for at, row, wanted, folder in rows if row != wanted or folder != home)
