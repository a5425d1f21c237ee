"""Delimited text (CSV): its encoding, its delimiter, and its records one by one.

The encoding is decided over the whole file, never guessed: a byte-order mark, else strict UTF-8,
else strict GB18030. Nothing is ever held in memory but one record.
"""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from settlement.intake.blocks import Block, Measured, blocks_of_text, malformed
from settlement.intake.cells import Cell
from settlement.intake.rejections import refuse

_CHUNK = 1 << 20
_DELIMITERS = ",\t;"
_LONGEST_LINE = 8 << 20  # a longer one is no table, and would be read into memory whole
#: Enough of a file to find its head and to tell damaged UTF-8 from GB18030.
_PREFIX_CHARS = 1 << 18
#: GB18030 text reads as valid UTF-8 for a few characters by chance, never for this many.
_SURELY_UTF8 = 4


def encoding_of(path: Path) -> str:
    """Decide the encoding over the whole file; refuse what is neither, naming the line."""
    with path.open("rb") as file:
        mark = file.read(3)
    if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise refuse("unsupported_format", format="UTF-16")
    if mark == codecs.BOM_UTF8:
        fault = _first_fault(path, "utf-8")
        if fault:
            raise refuse("undecodable", line=fault[0], encoding="UTF-8")
        return "utf-8-sig"
    fault = _first_fault(path, "utf-8")
    if fault is None:
        return "utf-8"
    if _reads_as_chinese(path, until=fault[1]):
        # cut off or damaged UTF-8: as GB18030 it would be silent nonsense
        raise refuse("undecodable", line=fault[0], encoding="UTF-8")
    other = _first_fault(path, "gb18030")
    if other is None:
        return "gb18030"
    raise refuse("undecodable", line=max(fault[0], other[0]), encoding="UTF-8/GB18030")


def _first_fault(path: Path, encoding: str) -> tuple[int, int] | None:
    """Give line and byte offset of the first byte that does not decode; refuse NUL bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset, run = 1, 0, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            nul = chunk.find(0)
            if nul >= 0:
                raise refuse("binary_content", line=line + chunk.count(b"\n", 0, nul))
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as wrong:
                at = max(wrong.start - pending, 0)
                return line + chunk.count(b"\n", 0, at), offset - pending + wrong.start
            if not chunk:
                return None
            last_end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            run = run + len(chunk) if last_end < 0 else len(chunk) - last_end - 1
            if run > _LONGEST_LINE:
                raise refuse("field_too_long", line=line, limit=csv.field_size_limit())
            line += chunk.count(b"\n")
            offset += len(chunk)


def _reads_as_chinese(path: Path, *, until: int) -> bool:
    with path.open("rb") as file:
        prefix = file.read(min(until, _CHUNK)).decode("utf-8", errors="ignore")
    return sum("\u3000" <= char <= "\uffee" for char in prefix) >= _SURELY_UTF8


class TextFile:
    """One delimited text file with its encoding; its records can be read again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.encoding = encoding_of(path)

    def likely_delimiters(self) -> list[str]:
        """List the delimiters that occur in the first rows, the most frequent first."""
        with self._path.open(encoding=self.encoding, newline="") as file:
            prefix = file.read(_PREFIX_CHARS)
        found = [delimiter for delimiter in _DELIMITERS if delimiter in prefix]
        return sorted(found, key=lambda delimiter: -prefix.count(delimiter)) or [","]

    def records(self, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
        """Give every record with its row number as a spreadsheet shows it.

        A record is one row however many lines its quoted cells span; blank lines count, as they
        do in a spreadsheet.
        """
        number = 0
        with self._path.open(encoding=self.encoding, newline="") as file:
            lines = Measured(file)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            try:
                for number, record in enumerate(reader, start=1):
                    lines.begin()
                    yield number, record  # type: ignore[misc]
            except csv.Error as wrong:
                raise malformed(wrong, number + 1) from wrong
            except UnicodeDecodeError as wrong:  # the file changed while it was read
                raise refuse("undecodable", line=number + 1, encoding=self.encoding) from wrong

    def blocks(self, delimiter: str, width: int) -> Iterator[Block]:
        """Give the same records by blocks of columns; ``width`` is that of the head."""
        return blocks_of_text(self._path, encoding=self.encoding, delimiter=delimiter, width=width)
