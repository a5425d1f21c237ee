"""The old .xls: find the cells that hold errors, which the reader behind us gives as empty.

An .xls is a compound file (MS-CFB) whose ``Workbook`` stream is a chain of records (MS-XLS). Only
what says where errors stand is read here: BOUNDSHEET, BOOLERR and the cached results of FORMULA.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from settlement.intake.rejections import refuse

#: Row number → column index → what the spreadsheet shows there.
ErrorCells = dict[int, dict[int, str]]

MAX_BYTES = 128 << 20
MAX_ROWS, MAX_COLUMNS, MAX_SHEETS = 1 << 16, 1 << 8, 1000  # what the format allows; a sane number
_HEADER_BYTES, _ENTRY_BYTES = 512, 128
_LAST_SECTOR = 0xFFFFFFF8  # this and above end a chain or mark it unused
_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_FORMULA, _BOOLERR, _MULRK, _DIMENSIONS = 0x0006, 0x0205, 0x00BD, 0x0200
#: Records that hold a cell's value: also NUMBER, LABEL, LABELSST, RK and RSTRING.
_CELLS = frozenset({_FORMULA, _BOOLERR, _MULRK, 0x0203, 0x0204, 0x00FD, 0x027E, 0x00D6})
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


class _CompoundFile:
    """As much of MS-CFB as it takes to read a stream by its name."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or not 6 <= mini_shift <= shift:
            raise IndexError(f"sectors of 2^{shift} and 2^{mini_shift} bytes")
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        first_entry, self._cutoff, first_mini = struct.unpack_from("<I4xII", data, 48)
        self._table = self._sector_numbers(self._table_sectors())
        self._mini_table = self._sector_numbers(self._chain(first_mini, self._table))
        self._streams, self._mini_stream = {}, b""
        directory = self._join(self._chain(first_entry, self._table))
        for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            entry = directory[at : at + _ENTRY_BYTES]
            (length,) = struct.unpack_from("<H", entry, 64)
            start, size = struct.unpack_from("<II", entry, 116)
            name = entry[: max(length - 2, 0)].decode("utf-16-le", "replace")
            if entry[66] == 5:  # the root owns the stream of small streams
                self._mini_stream = self._join(self._chain(start, self._table))[:size]
            elif entry[66] == 2:
                self._streams[name] = (start, size)

    def names(self) -> set[str]:
        return set(self._streams)

    def stream(self, name: str) -> bytes:
        start, size = self._streams[name]
        if size >= self._cutoff:
            return self._join(self._chain(start, self._table))[:size]
        step = self._mini_size
        parts = [
            self._mini_stream[number * step : (number + 1) * step]
            for number in self._chain(start, self._mini_table)
        ]
        return b"".join(parts)[:size]

    def _sector(self, number: int) -> bytes:
        at = _HEADER_BYTES if self._size == _HEADER_BYTES else self._size
        return self._data[at + number * self._size : at + (number + 1) * self._size]

    def _join(self, sectors: list[int]) -> bytes:
        return b"".join(map(self._sector, sectors))

    def _sector_numbers(self, sectors: list[int]) -> tuple[int, ...]:
        joined = self._join(sectors)
        return struct.unpack(f"<{len(joined) // 4}I", joined[: len(joined) // 4 * 4])

    def _table_sectors(self) -> list[int]:
        """List the sectors of the allocation table: 109 in the header, more in a chain."""
        sectors = list(struct.unpack_from("<109I", self._data, 76))
        (following,) = struct.unpack_from("<I", self._data, 68)
        seen: set[int] = set()
        while following < _LAST_SECTOR and following not in seen:
            seen.add(following)
            numbers = self._sector_numbers([following])
            sectors += numbers[:-1]
            following = numbers[-1]
            if len(sectors) > len(self._data) // self._size + 109:
                raise IndexError("more sectors than the file has")
        return [sector for sector in sectors if sector < _LAST_SECTOR]

    def _chain(self, first: int, table: tuple[int, ...]) -> list[int]:
        chain: list[int] = []
        while first < len(table) and len(chain) <= len(table):
            chain.append(first)
            first = table[first]
        return chain


def _workbook(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise refuse("workbook_too_large", reason=f"> {MAX_BYTES >> 20} MiB")
    try:
        compound = _CompoundFile(path.read_bytes())
    except (struct.error, IndexError) as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong
    if "EncryptedPackage" in compound.names():  # an .xlsx with a password lies in such a file
        raise refuse("encrypted_workbook")
    for name in ("Workbook", "Book"):
        if name in compound.names():
            return compound.stream(name)
    raise refuse("unsupported_format", format="OLE")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


class Inspection:
    """A workbook that was walked through: where the errors of its sheets stand."""

    def __init__(self, errors: list[ErrorCells]) -> None:
        self._errors = errors

    def error_cells(self, sheet: int) -> ErrorCells:
        """Give the cells of one sheet (by its position in the workbook) that hold an error."""
        return self._errors[sheet] if sheet < len(self._errors) else {}


def inspect(path: Path) -> Inspection:
    """Walk every sheet; refuse what is protected, damaged, or no workbook at all."""
    stream = _workbook(path)
    starts = _sheet_starts(stream)
    try:
        return Inspection([_errors_of(stream, start) for start in starts])
    except (struct.error, IndexError) as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong


def _sheet_starts(stream: bytes) -> list[int]:
    starts: list[int] = []
    for kind, data in _records(stream, 0):
        if kind == _FILEPASS:
            raise refuse("encrypted_workbook")
        if kind == _BOUNDSHEET and len(data) >= 4:
            starts += struct.unpack_from("<I", data)
        if kind == _EOF:
            if len(starts) > MAX_SHEETS:
                raise refuse("workbook_too_large", reason=f"> {MAX_SHEETS} sheets")
            return starts
    raise refuse("damaged_workbook", reason="EOF")


def _errors_of(stream: bytes, start: int) -> ErrorCells:
    """Find the errors of one sheet, and refuse what reaches beyond the last cell an .xls can have.

    The reader behind us allocates what DIMENSIONS announces, and every place up to the last cell.
    """
    found: ErrorCells = {}
    depth = 0
    for kind, data in _records(stream, start):
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0:  # embedded charts have their own BOF and EOF inside the sheet's
            break
        if kind == _DIMENSIONS:
            _check_dimensions(data)
        elif kind in _CELLS:
            row, column = struct.unpack_from("<HH", data)
            last = struct.unpack_from("<H", data, len(data) - 2)[0] if kind == _MULRK else column
            if max(column, last) >= MAX_COLUMNS:
                raise refuse("damaged_workbook", reason=f"column {max(column, last) + 1}")
            code = _error_code(kind, data)
            if code is not None:
                found.setdefault(row + 1, {})[column] = _ERRORS.get(code, "#ERROR!")
    return found


def _check_dimensions(data: bytes) -> None:
    first_row, last_row, first, last = struct.unpack_from(
        "<IIHH" if len(data) > 10 else "<HHHH", data
    )
    if last_row - first_row > MAX_ROWS or last - first > MAX_COLUMNS:
        raise refuse("damaged_workbook", reason=f"DIMENSIONS {last_row} × {last}")


def _error_code(kind: int, data: bytes) -> int | None:
    if kind == _BOOLERR and data[7] == 1:
        return data[6]
    if kind == _FORMULA and data[12:14] == b"\xff\xff" and data[6] == 2:
        return data[8]
    return None
