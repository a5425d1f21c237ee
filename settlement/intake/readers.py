"""Open a file that a person brought: recognise it, find its head, give its rows one by one.

``line`` is the row number as a spreadsheet shows it: records are counted, whatever physical lines
a quoted cell spans; title rows and blank rows count. The head of a plain file is line 1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from settlement.intake.blocks import Block, blocks_of_rows
from settlement.intake.cells import Cell
from settlement.intake.columns import Kind
from settlement.intake.heads import SEARCHED_ROWS, Head, HeadSearch, repeats_head
from settlement.intake.rejections import FileProblem, FileRefused, refuse
from settlement.intake.text_files import TextFile
from settlement.intake.workbook_safety import is_workbook
from settlement.intake.workbooks import OLE_MAGIC, ZIP_MAGIC, Workbook

Row = tuple[int, list[Cell]]

#: What exports call .xls or .csv although it is something else.
_OTHER_FORMATS = {
    b"<html": "HTML",
    b"<!doctype html": "HTML",
    b"<table": "HTML",
    b"<meta": "HTML",
    b"<?xml": "XML",
    b"%pdf-": "PDF",
    b"{\\rtf": "RTF",
    b"rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A recognised table: its head, and its rows as often as they are asked for."""

    path: Path
    head: Head
    encoding: str | None  # of a text file
    sheet: str | None  # of a workbook
    other_sheets: tuple[str, ...]  # of a workbook, with content but without a head
    _rows: Callable[[], Iterator[Row]] = field(repr=False)
    _blocks: Callable[[], Iterator[Block]] = field(repr=False)
    _mark: tuple[int, ...] = ()

    @property
    def kind(self) -> Kind:
        return self.head.kind

    @property
    def notices(self) -> tuple[FileProblem, ...]:
        others = {"sheets": self.other_sheets}
        skipped = (FileProblem("other_sheets", others),) if self.other_sheets else ()
        return self.head.notices + skipped

    def rows(self) -> Iterator[Row]:
        """Give every row below the head that is not blank, with its line; FileRefused if it breaks."""
        self._unchanged()
        right_below = True
        for line, cells in self._rows():
            if line <= self.head.line or is_blank(cells):
                continue
            if right_below and repeats_head(cells, self.head):
                continue  # the same head once more in the other language
            right_below = False
            yield line, cells
        self._unchanged()

    def blocks(self) -> Iterator[Block]:
        """Give the rows below the head by blocks, blank ones among them; FileRefused if it breaks."""
        self._unchanged()
        right_below = True
        for block in self._blocks():
            rest = block.after(self.head.line)
            while right_below:
                first, rest = rest.without_first()
                if first is None:
                    break
                if not (is_blank(first[1]) or repeats_head(first[1], self.head)):
                    right_below = False
                    rest = rest.with_odd(first)
            yield rest
        self._unchanged()

    def _unchanged(self) -> None:
        """Refuse a file that somebody writes to: what was checked must be what is posted."""
        try:
            now = _mark_of(self.path)
        except OSError as wrong:
            raise refuse("file_unreadable", reason=wrong.strerror or str(wrong)) from wrong
        if self._mark and now != self._mark:
            raise refuse("file_unreadable", reason="读取期间文件有改动 / it changed meanwhile")


def _mark_of(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def is_blank(cells: list[Cell]) -> bool:
    """Tell whether a row holds nothing but spaces."""
    if cells and type(cells[0]) is str and cells[0] and not cells[0].isspace():
        return False
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def open_table(path: Path, *, kind: str | None = None, layouts: Sequence[Kind] = ()) -> Table:
    """Open a CSV, .xlsx or .xls by its content, not its name; FileRefused says why not.

    ``kind`` forces the format instead of recognising it by the head; ``layouts`` are formats as
    the banks of an area write them.
    """
    searching = partial(HeadSearch, kind, layouts)
    try:
        if not path.exists():
            raise refuse("file_not_found", path=path.name)
        if not path.is_file():
            raise refuse("not_a_file", path=path.name)
        mark = _mark_of(path)
        with path.open("rb") as file:
            start = file.read(512)
        if not start:
            raise refuse("empty_file")
        if start.startswith(ZIP_MAGIC):
            if not is_workbook(path):
                raise refuse("unsupported_format", format="ZIP")
            return replace(
                _from_workbook(path, Workbook(path, binary=False), searching), _mark=mark
            )
        if start.startswith(OLE_MAGIC):
            return replace(_from_workbook(path, Workbook(path, binary=True), searching), _mark=mark)
        lowered = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        for magic, name in _OTHER_FORMATS.items():
            if lowered.startswith(magic):
                raise refuse("unsupported_format", format=name)
        return replace(_from_text(path, TextFile(path), searching), _mark=mark)
    except OSError as wrong:
        raise refuse("file_unreadable", reason=wrong.strerror or str(wrong)) from wrong


def _from_text(path: Path, text: TextFile, searching: Callable[[], HeadSearch]) -> Table:
    """Try each delimiter that occurs; the one whose head is recognised is the file's."""
    failed: list[tuple[int, FileRefused]] = []
    for delimiter in text.likely_delimiters():
        rows = partial(text.records, delimiter)
        search = searching()
        try:
            head = _find_head(rows(), search)
            blocks = partial(text.blocks, delimiter, head.width)
            return Table(path, head, text.encoding, None, (), rows, blocks)
        except FileRefused as wrong:
            failed.append((search.likeness, wrong))
    raise max(failed, key=lambda failure: failure[0])[1]


def _from_workbook(path: Path, book: Workbook, searching: Callable[[], HeadSearch]) -> Table:
    """Take the sheet that has a head; which of several is for the file's owner to decide."""
    found: list[Table] = []
    failed: list[tuple[int, str, FileRefused]] = []
    for index, name in book.sheets:
        rows = partial(book.rows, index)
        search = searching()
        try:
            head = _find_head(rows(), search)
            found.append(Table(path, head, None, name, (), rows, _by_blocks(rows)))
        except FileRefused as wrong:
            blank = search.saw_nothing and wrong.problems[0].code == "unknown_kind"
            if not blank:
                failed.append((search.likeness, name, wrong))
    if len(found) > 1:
        raise refuse("several_sheets", sheets=tuple(table.sheet for table in found))
    if not found:
        raise max(failed, key=lambda failure: failure[0])[2] if failed else refuse("empty_file")
    others = tuple(name for _, name, _ in failed)
    return replace(found[0], other_sheets=others)


def _by_blocks(rows: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Block]]:
    return lambda: blocks_of_rows(rows())


def _find_head(rows: Iterator[Row], search: HeadSearch) -> Head:
    for line, cells in islice(rows, SEARCHED_ROWS):
        head = search.look(cells, line)
        if head:
            return head
    raise search.refusal()
