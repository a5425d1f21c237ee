"""Look inside a workbook before it is opened: bombs, truncation, and cells that hold errors.

A workbook is a zip of XML. The reader behind us trusts what it says, gives formula errors
(``#REF!``) as empty cells, and allocates the whole rectangle between the outermost cells; an
empty amount that was an error, or one stray cell in the last corner, must not pass unseen.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from settlement.intake.binary_sheets import ErrorCells
from settlement.intake.rejections import refuse
from settlement.intake.sheet_markup import StrictSheet, column_number, shown_error, tags

_CHUNK = 1 << 20
MAX_UNPACKED = 1 << 30
MAX_RATIO = 300  # DEFLATE reaches 1000; real sheets stay below 100
_RATIO_MATTERS_FROM = 64 << 20
#: What the reader may need. Measured: a cell takes 40 bytes, and 32 more in the rectangle that is
#: made of them, filled or not; a shared string 64 beside its text, 24 even where only announced.
MAX_MEMORY = 1 << 30
_CELL_BYTES, _PLACE_BYTES, _STRING_BYTES, _ANNOUNCED_BYTES = 40, 32, 64, 24
#: Reading strictly is slow (some 20 MB a second): a large part must be spelled as usual.
MAX_STRICT = 128 << 20
MAX_SMALL_PART = 16 << 20
MAX_DIRECTORY = 1 << 20  # bytes that list the parts: thousands of them, real books have dozens

_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
#: A cell's tag as every spreadsheet writes it; any other spelling is read strictly.
_USUAL_CELL = re.compile(
    rb'<c r="[A-Z]{1,3}[1-9][0-9]{0,6}"(?: (?:s|t|cm|vm|ph)="[0-9A-Za-z]*")*/?>'
)
_ANY_CELL = tuple(
    before + b"c" + after
    for before in (b"<", b":")
    for after in (b" ", b">", b"/", b"\t", b"\n", b"\r")
)
#: Only what lies far out is looked for; the fixed start lets millions of near cells pass quickly.
_FAR_COLUMN = re.compile(rb'<c r="([A-Z]{2,3})[0-9]')
_FAR_ROW = re.compile(rb'<c r="[A-Z]{1,3}([0-9]{6,7})"')
_NEAR_COLUMNS, _NEAR_ROWS = 26, 10**5 - 1  # up to Z, up to five digits
_ERROR_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: [a-z]+="[0-9A-Za-z]*")*>')
_VALUE = re.compile(rb"<v>([^<]{0,64})</v>")
_ANNOUNCED = re.compile(rb"uniqueCount\s*=\s*[\"']([0-9]{1,20})")

#: What zipfile raises for a damaged zip; NotImplementedError is its word for a packing it lacks.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)


@dataclass
class _Part:
    """What one part of the zip would make the reader allocate."""

    size: int = 0
    cells: int = 0
    columns: set[bytes] = field(default_factory=set)
    last_row: int = _NEAR_ROWS
    strings: int = 0
    announced: int = 0
    texts_inside: bool = False
    usual: bool = True

    def see(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.strings += chunk.count(b"si>") + chunk.count(b"si/") + chunk.count(b"si ")
        if b"uniqueCount" in chunk:
            self.announced = max([self.announced, *map(int, _ANNOUNCED.findall(chunk))])
        if b"<!" in chunk and b"<!DOCTYPE" in chunk:
            raise refuse("damaged_workbook", reason="DOCTYPE")

    def see_sheet(self, chunk: bytes) -> None:
        tagged = sum(map(chunk.count, _ANY_CELL))
        usual = len(_USUAL_CELL.findall(chunk))
        self.cells += tagged
        self.usual = self.usual and tagged == usual and b"<!" not in chunk
        self.texts_inside = self.texts_inside or b'"inlineStr"' in chunk or b'"str"' in chunk
        self.columns.update(_FAR_COLUMN.findall(chunk))
        rows = _FAR_ROW.findall(chunk)
        if rows:
            self.last_row = max(self.last_row, *map(int, rows))

    @property
    def sheet_memory(self) -> int:
        width = max((column_number(letters) for letters in self.columns), default=0)
        places = max(width, _NEAR_COLUMNS) * self.last_row
        texts = self.size if self.texts_inside else 0
        return places * _PLACE_BYTES + self.cells * _CELL_BYTES + texts

    @property
    def string_memory(self) -> int:
        if not self.strings and not self.announced:
            return 0
        return self.size + self.strings * _STRING_BYTES // 2 + self.announced * _ANNOUNCED_BYTES


class Inspection:
    """A workbook that was looked through: which part holds which sheet, and where errors stand."""

    def __init__(self, path: Path, parts: list[str | None]) -> None:
        self._path = path
        self._parts = parts
        self._strict: dict[str, ErrorCells] = {}

    def error_cells(self, sheet: int) -> ErrorCells:
        """Find the cells of one sheet (by its position in the workbook) that hold an error."""
        part = self._parts[sheet] if sheet < len(self._parts) else None
        if part is None:
            raise refuse("damaged_workbook", reason="worksheet part not found")
        if part in self._strict:
            return self._strict[part]
        found: ErrorCells = {}
        with zipfile.ZipFile(self._path) as archive, archive.open(part) as file:
            rest = b""
            for chunk in _overlapping(file):
                text = rest + chunk
                if b't="e"' in text:
                    _collect(text, found)
                rest = text[max(text.rfind(b"<c "), len(text) - _CHUNK, 0) :]
        return found

    def look_through(self, archive: zipfile.ZipFile, packed: int) -> None:
        """Unpack every part once without keeping it."""
        unpacked = strings = 0
        largest_sheet = 0
        for info in archive.infolist():
            part, is_sheet = _Part(), info.filename in self._parts
            with archive.open(info) as file:
                for chunk in _overlapping(file):
                    unpacked += len(chunk)
                    _check_size(packed, unpacked)
                    part.see(chunk)
                    if is_sheet:
                        part.see_sheet(chunk)
            strings += part.string_memory
            if is_sheet:
                memory = part.sheet_memory if part.usual else self._read_strictly(archive, info)
                largest_sheet = max(largest_sheet, memory)
            _check_memory(strings + largest_sheet)

    def _read_strictly(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
        if info.file_size > MAX_STRICT:
            raise refuse("workbook_too_large", reason=f"{info.filename} > {MAX_STRICT >> 20} MiB")
        with archive.open(info) as file:
            sheet = StrictSheet.read(iter(lambda: file.read(_CHUNK), b""))
        if sheet.unplaced:
            raise refuse("formula_errors_unplaced")
        self._strict[info.filename] = sheet.errors
        places = sheet.columns * sheet.rows
        return places * _PLACE_BYTES + sheet.cells * _CELL_BYTES + info.file_size


def is_workbook(path: Path) -> bool:
    """Tell a zip that is a workbook from any other zip; a damaged one passes for inspection."""
    try:
        with _opened(path) as archive:
            return _WORKBOOK in archive.namelist()
    except _DAMAGE:
        return True


def inspect(path: Path) -> Inspection:
    """Look through a workbook; refuse what is damaged, protected or far too large."""
    try:
        with _opened(path) as archive:
            infos = archive.infolist()
            if any(part.flag_bits & 1 for part in infos):
                raise refuse("encrypted_workbook")
            names = [_folded(part.filename) for part in infos]
            if len(set(names)) < len(names):  # which of them the reader takes is its own secret
                raise refuse("damaged_workbook", reason="two parts of one name")
            inspection = Inspection(path, _sheet_parts(archive))
            inspection.look_through(archive, path.stat().st_size)
            return inspection
    except _DAMAGE as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose list of parts has a sane length: all of it is read into memory."""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(size - (1 << 16) - 200, 0))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(tail):
        raise zipfile.BadZipFile("File is not a zip file")
    (directory,) = struct.unpack_from("<I", tail, end + 12)
    if end >= 76 and tail[end - 20 : end - 16] == b"PK\x06\x07":  # ZIP64, as streaming writers use
        (directory,) = struct.unpack_from("<Q", tail, end - 76 + 40)
    if directory > MAX_DIRECTORY:
        raise refuse("workbook_too_large", reason=f"list of parts > {MAX_DIRECTORY >> 20} MiB")
    with zipfile.ZipFile(path) as archive:
        yield archive


def _check_size(packed: int, unpacked: int) -> None:
    if unpacked > MAX_UNPACKED:
        raise refuse("workbook_too_large", reason=f"> {MAX_UNPACKED >> 20} MiB")
    if unpacked > _RATIO_MATTERS_FROM and unpacked > packed * MAX_RATIO:
        raise refuse("workbook_too_large", reason=f"> {MAX_RATIO} : 1")


def _check_memory(needed: int) -> None:
    if needed > MAX_MEMORY:
        raise refuse("workbook_too_large", reason=f"> {MAX_MEMORY >> 20} MiB")


def _overlapping(file: IO[bytes]) -> Iterator[bytes]:
    """Read in chunks that end at a tag, so that no attribute is torn apart."""
    rest = b""
    while chunk := file.read(_CHUNK):
        whole, tag, rest = (rest + chunk).rpartition(b"<")
        if not tag or len(rest) > _CHUNK:
            yield whole + tag + rest
            rest = b""
            continue
        yield whole
        rest = tag + rest
    if rest:
        yield rest


def _collect(text: bytes, found: ErrorCells) -> None:
    """Gather the errors of a part in the usual spelling, where every cell has its reference."""
    for cell in _ERROR_CELL.finditer(text):
        if b' t="e"' not in cell[0]:
            continue
        following = text.find(b"<c ", cell.end())
        value = _VALUE.search(text, cell.end(), following if following >= 0 else len(text))
        shown = shown_error(value[1].decode("ascii", "replace") if value else "")
        found.setdefault(int(cell[2]), {})[column_number(cell[1]) - 1] = shown


def _folded(name: str) -> str:
    return name.replace("\\", "/").lower()  # as the reader behind us compares them


def _sheet_parts(archive: zipfile.ZipFile) -> list[str | None]:
    """Name the part of each sheet: workbook.xml names them through its relations."""
    names = {_folded(name): name for name in archive.namelist()}
    targets = {
        relation.get("Id", ""): relation.get("Target", "")
        for relation in tags(_small_part(archive, _RELATIONS), "Relationship")
    }
    parts = []
    for sheet in tags(_small_part(archive, _WORKBOOK), "sheet"):
        key = next((value for name, value in sheet.items() if name.endswith(":id")), "")
        target = targets.get(key, "").removeprefix("/")
        target = target if target.startswith("xl/") else f"xl/{target}"
        parts.append(names.get(_folded(target)))
    return parts


def _small_part(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            data = file.read(MAX_SMALL_PART + 1)
    except KeyError as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong
    if len(data) > MAX_SMALL_PART:
        raise refuse("workbook_too_large", reason=f"{name} > {MAX_SMALL_PART >> 20} MiB")
    return data
