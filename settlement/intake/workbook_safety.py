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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from settlement.intake.binary_sheets import ErrorCells
from settlement.intake.cells import is_formula_error
from settlement.intake.rejections import refuse

_CHUNK = 1 << 20
MAX_UNPACKED = 1 << 30
MAX_RATIO = 300  # DEFLATE reaches 1000; real sheets stay below 100
_RATIO_MATTERS_FROM = 64 << 20
MAX_CELLS = 60_000_000

_WORKBOOK = "xl/workbook.xml"
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*?\w+:id=[\"']([^\"']+)[\"']")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"\b(Id|Target)=[\"']([^\"']*)[\"']")
#: Only what lies far out is looked for; the fixed start lets millions of near cells pass quickly.
_FAR_COLUMN = re.compile(rb' r="([B-Z][A-Z]|[A-Z]{3})[0-9]')
_FAR_ROW = re.compile(rb' r="[A-Z]{0,3}([0-9]{6,7})"')
_ODD_ATTRIBUTES = (b"r='", b"\nr=", b"\tr=", b"\rr=")
_NEAR_COLUMNS, _NEAR_ROWS = 52, 10**5 - 1  # up to AZ, up to five digits
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*\bt=[\"']e[\"'](?:[^>]*[^>/])?)>(.*?)</(?:\w+:)?c>", re.DOTALL
)
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]+)[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</")


_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)


@dataclass
class _Extent:
    """How far the references of one sheet reach."""

    columns: set[bytes] = field(default_factory=set)
    last_row: int = _NEAR_ROWS

    def see(self, chunk: bytes) -> None:
        if any(odd in chunk for odd in _ODD_ATTRIBUTES):
            chunk = re.sub(rb"\sr=[\"']([A-Z0-9]*)[\"']", rb' r="\1"', chunk)
        self.columns.update(_FAR_COLUMN.findall(chunk))
        rows = _FAR_ROW.findall(chunk)
        if rows:
            self.last_row = max(self.last_row, *map(int, rows))

    @property
    def cells(self) -> int:
        width = max((column_number(letters) for letters in self.columns), default=_NEAR_COLUMNS)
        return width * self.last_row


def column_number(letters: bytes) -> int:
    """Give the number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def is_workbook(path: Path) -> bool:
    """Tell a zip that is a workbook from any other zip; a damaged one passes for inspection."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _WORKBOOK in archive.namelist()
    except _DAMAGE:
        return True


def inspect(path: Path) -> None:
    """Unpack every part once without keeping it; refuse what is damaged or far too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed, unpacked = path.stat().st_size, 0
            if any(part.flag_bits & 1 for part in archive.infolist()):
                raise refuse("encrypted_workbook")
            for part in archive.infolist():
                extent = _Extent()
                with archive.open(part) as file:
                    for chunk in _overlapping(file):
                        unpacked += len(chunk)
                        _check_size(packed, unpacked)
                        extent.see(chunk)
                if extent.cells > MAX_CELLS:
                    raise refuse("workbook_too_large", reason=f"> {MAX_CELLS:,} cells")
    except _DAMAGE as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong


def _check_size(packed: int, unpacked: int) -> None:
    if unpacked > MAX_UNPACKED:
        raise refuse("workbook_too_large", reason=f"> {MAX_UNPACKED >> 20} MiB")
    if unpacked > _RATIO_MATTERS_FROM and unpacked > packed * MAX_RATIO:
        raise refuse("workbook_too_large", reason=f"> {MAX_RATIO} : 1")


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


def error_cells(path: Path, sheet: int) -> ErrorCells:
    """Find the cells of one sheet (by its position in the workbook) that hold an error."""
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        found: ErrorCells = {}
        rest = b""
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                text = rest + chunk
                if b't="e"' in text or b"t='e'" in text:
                    _collect(text, found)
                rest = text[max(text.rfind(b"<c "), len(text) - _CHUNK) :]
        return found


def _collect(text: bytes, found: ErrorCells) -> None:
    for attributes, content in _ERROR_CELL.findall(text):
        reference = _REFERENCE.search(attributes)
        if reference is None:
            raise refuse("formula_errors_unplaced")
        value = _VALUE.search(content)
        shown = value[1].decode("ascii", "replace") if value else ""
        shown = shown if is_formula_error(shown) else "#ERROR!"
        row = found.setdefault(int(reference[2]), {})
        row[column_number(reference[1]) - 1] = shown


def _part_of(archive: zipfile.ZipFile, sheet: int) -> str:
    """Find the part that holds the n-th sheet: workbook.xml names it through its relations."""
    names = set(archive.namelist())
    try:
        wanted = _SHEET.findall(archive.read(_WORKBOOK))[sheet]
        for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
            facts = dict(_ATTRIBUTE.findall(tag))
            if facts.get(b"Id") == wanted:
                target = facts[b"Target"].decode()
                part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                if part in names:
                    return part
    except (KeyError, IndexError, UnicodeDecodeError) as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong
    raise refuse("damaged_workbook", reason="worksheet part not found")
