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

MAX_BYTES = 256 << 20
_HEADER_BYTES, _ENTRY_BYTES = 512, 128
_LAST_SECTOR = 0xFFFFFFF8  # this and above end a chain or mark it unused
_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_FORMULA, _BOOLERR = 0x0006, 0x0205
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


def inspect(path: Path) -> None:
    """Refuse what is protected, damaged, or no workbook at all."""
    for kind, _ in _records(_workbook(path), 0):
        if kind == _FILEPASS:
            raise refuse("encrypted_workbook")
        if kind == _EOF:
            return
    raise refuse("damaged_workbook", reason="EOF")


def error_cells(path: Path, sheet: int) -> ErrorCells:
    """Find the cells of one sheet (by its position in the workbook) that hold an error."""
    stream = _workbook(path)
    found: ErrorCells = {}
    try:
        starts = [
            struct.unpack_from("<I", data)[0]
            for kind, data in _records(stream, 0)
            if kind == _BOUNDSHEET
        ]
        depth = 0
        for kind, data in _records(stream, starts[sheet]):
            depth += (kind == _BOF) - (kind == _EOF)
            if depth == 0:  # embedded charts have their own BOF and EOF inside the sheet's
                break
            code = _error_code(kind, data)
            if code is not None:
                row, column = struct.unpack_from("<HH", data)
                found.setdefault(row + 1, {})[column] = _ERRORS.get(code, "#ERROR!")
    except (struct.error, IndexError) as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong
    return found


def _error_code(kind: int, data: bytes) -> int | None:
    if kind == _BOOLERR and data[7] == 1:
        return data[6]
    if kind == _FORMULA and data[12:14] == b"\xff\xff" and data[6] == 2:
        return data[8]
    return None
