"""Delimited text by blocks of rows, column by column: what a file of a million rows is read with.

A block without quotation marks whose rows all have the head's width is split by pyarrow. Any other
block goes through Python's ``csv``, which decides what a record is; both give the same rows under the
same numbers.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from settlement.intake.cells import Cell
from settlement.intake.rejections import FileRefused, refuse

Row = tuple[int, list[Cell]]

_BYTES = 3 << 20
_ROWS = 5_000  # of a workbook
_BOM = b"\xef\xbb\xbf"
#: Characters of one record, however many lines its quoted cells span.
LONGEST_RECORD = 8 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table. ``columns`` stand as in the file and hold text, "" for an empty cell."""

    lines: Sequence[int]  # row numbers of what is in ``columns``
    columns: list[pa.Array]
    odd: list[Row]  # rows longer than the head, and rows of a workbook

    def after(self, line: int) -> "Block":
        """Leave out what stands on a line or above it."""
        if self.lines and self.lines[0] > line and not self.odd:
            return self
        skip = sum(number <= line for number in self.lines[: line + 1])
        odd = [row for row in self.odd if row[0] > line]
        return Block(self.lines[skip:], [column[skip:] for column in self.columns], odd)

    def without_first(self) -> tuple[Row | None, "Block"]:
        """Take the row with the lowest number off."""
        if self.odd and (not self.lines or self.odd[0][0] < self.lines[0]):
            return self.odd[0], Block(self.lines, self.columns, self.odd[1:])
        if not self.lines:
            return None, self
        cells: list[Cell] = [column[0].as_py() for column in self.columns]
        rest = Block(self.lines[1:], [column[1:] for column in self.columns], self.odd)
        return (self.lines[0], cells), rest

    def with_odd(self, row: Row) -> "Block":
        """Put a row in front of the odd ones."""
        return Block(self.lines, self.columns, [row, *self.odd])


def blocks_of_rows(rows: Iterator[Row]) -> Iterator[Block]:
    """Give the rows of a workbook, whose cells are of many types, as odd ones."""
    while batch := list(islice(rows, _ROWS)):
        yield Block([], [], batch)


def blocks_of_text(path: Path, *, encoding: str, delimiter: str, width: int) -> Iterator[Block]:
    """Give all records of a text file whose encoding was proven; FileRefused where it breaks."""
    pieces = _Pieces(path)
    coding = "utf-8" if encoding == "utf-8-sig" else encoding
    number = 0
    for piece in pieces:
        if number == 0 and encoding == "utf-8-sig":
            piece = piece.removeprefix(_BOM)  # noqa: PLW2901 - the mark is no content
        try:
            columns = _split(piece, coding, delimiter, width)
            if columns is not None:
                lines = range(number + 1, number + 1 + len(columns[0]))
                number += len(columns[0])
                yield Block(lines, columns, [])
                continue
            records = _Records(piece, pieces, coding, delimiter)
            yield from _by_width(records, number, width)
            number += records.count
        except UnicodeDecodeError as wrong:  # the file changed while it was read
            raise refuse("undecodable", line=number + 1, encoding=encoding) from wrong


class _Pieces:
    """The bytes of a file, cut at ends of lines."""

    def __init__(self, path: Path) -> None:
        self._pieces = self._read(path)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    @staticmethod
    def _read(path: Path) -> Iterator[bytes]:
        rest = b""
        with path.open("rb") as file:
            while chunk := file.read(_BYTES):
                data = rest + chunk
                # a carriage return at the very end may be half of a line's end
                end = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
                if end:
                    yield data[:end]
                rest = data[end:]
        if rest:
            yield rest


def _split(piece: bytes, coding: str, delimiter: str, width: int) -> list[pa.Array] | None:
    """Split a block that has nothing to it but delimiters; None where it has."""
    if b'"' in piece or piece.startswith(_BOM) or width < 2:
        return None
    if piece.count(b"\r") != piece.count(b"\r\n"):
        return None
    if max(map(len, piece.split(b"\n"))) >= csv.field_size_limit():
        return None
    data = piece if coding == "utf-8" else piece.decode(coding).encode()
    names = [str(index) for index in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            pa.csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False,
                double_quote=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:  # a row of another width, or a blank line
        return None
    return [column.combine_chunks() for column in table.columns]


class _Records:
    """The records of a block by Python's ``csv``; the last one may reach into the next block."""

    def __init__(self, piece: bytes, pieces: _Pieces, coding: str, delimiter: str) -> None:
        self._pieces = iter(pieces)
        self._coding = coding
        self._lines = self._lines_of(piece)
        self._at = 0
        self._measured = Measured(_Fed(self))
        self._reader = csv.reader(self._measured, delimiter=delimiter, strict=True)
        self.count = 0

    def _lines_of(self, piece: bytes) -> list[str]:
        return list(io.StringIO(piece.decode(self._coding), newline=""))

    def next_line(self) -> str:
        """Give the next line, from the next block where a record is not at its end."""
        if self._at == len(self._lines):
            self._lines, self._at = self._lines_of(next(self._pieces)), 0
        self._at += 1
        return self._lines[self._at - 1]

    def __iter__(self) -> Iterator[list[str]]:
        while self._at < len(self._lines):
            record = next(self._reader)
            self._measured.begin()
            self.count += 1
            yield record


class Measured:
    """Lines for ``csv`` that stop where one record goes on and on: it is held in memory whole.

    ``csv`` bounds a cell; ten million cells of two characters in one record are gigabytes.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._taken = 0

    def __iter__(self) -> "Measured":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken += len(line)
        if self._taken > LONGEST_RECORD:
            raise csv.Error("record larger than limit")
        return line

    def begin(self) -> None:
        """Begin the next record."""
        self._taken = 0


class _Fed:
    """What ``csv`` reads its lines from."""

    def __init__(self, records: _Records) -> None:
        self._records = records

    def __iter__(self) -> "_Fed":
        return self

    def __next__(self) -> str:
        return self._records.next_line()


def _by_width(records: _Records, before: int, width: int) -> Iterator[Block]:
    """Put records into columns, short ones filled up; what breaks comes after what was read.

    Spreadsheets leave out empty cells at the end of a row.
    """
    lines: list[int] = []
    regular: list[list[str]] = []
    odd: list[Row] = []
    broken: FileRefused | None = None
    try:
        for line, record in enumerate(records, start=before + 1):
            if len(record) <= width:
                lines.append(line)
                regular.append(record + [""] * (width - len(record)))
            else:
                odd.append((line, list(record)))
    except csv.Error as wrong:
        broken = malformed(wrong, before + records.count + 1)
        broken.__cause__ = wrong
    columns = [pa.array(cells, pa.string()) for cells in zip(*regular, strict=True)]
    yield Block(lines, columns, odd)
    if broken is not None:
        raise broken


def malformed(wrong: csv.Error, line: int) -> FileRefused:
    """Tell what Python's ``csv`` found wrong on a line."""
    if "limit" in str(wrong):
        return refuse("field_too_long", line=line, limit=csv.field_size_limit())
    return refuse("malformed_csv", line=line)
