"""Tables on pages of A4: where each word and line stands. Pure; ``pdf.py`` draws it.

Lengths are points (1/72 inch) from the upper left corner. A sheet begins a page; a table that goes
on overleaf has its heads there again; a row is cut only if it is higher than a page.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

from ledger.domain.money import format_yuan
from projections.reports.model import Cell, Column, Kind, Table, sheets

#: Gives the width of a text in a size, in points.
Measure = Callable[[str, int], float]

_SHORT, _LONG = 595, 842
_MARGIN, _FOOT = 40, 34
_PAD = 4
_TITLE, _SUBTITLE, _NOTE = 16, 10, 8
_BODY_SIZES = (9, 8, 7, 6)  # the largest in which the table fits
_NARROW, _CODE = 7, 14  # what a column of texts and one of codes keep, in sizes of a letter
_SIGNING, _DATING = 34, 22
_SHORT_TABLE = 20  # rows that are kept on one page where one holds them
_BESIDE = 4  # people who sign in one row
_CLOSE = 1  # a text that is a point too wide for its room still fits


class Words(NamedTuple):
    """One line of text; ``y`` is its base line, ``x`` the edge or middle that ``align`` says."""

    x: float
    y: float
    text: str
    size: int
    align: str = "left"
    bold: bool = False
    grey: bool = False


class Box(NamedTuple):
    """A rectangle, filled for heads; ``thin`` is its line."""

    x: float
    y: float
    width: float
    height: float
    filled: bool = False


@dataclass(slots=True)
class Page:
    """One page with what stands on it."""

    width: int
    height: int
    words: list[Words] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


def lay_out(tables: Iterable[Table], measure: Measure) -> list[Page]:
    """Put tables on pages, sheet by sheet."""
    pages: list[Page] = []
    for sheet in sheets(tables):
        pages += _Sheet(sheet, measure).laid_out()
    return pages


def cell_text(cell: Cell, kind: Kind) -> str:
    """Write a cell for a reader: amounts in yuan with thousands grouped, an empty cell empty."""
    if cell is None:
        return ""
    return format_yuan(int(cell)) if kind is Kind.FEN else str(cell)


class _Sheet:
    """Tables that share pages: the first one's title is that of the sheet."""

    def __init__(self, tables: Sequence[Table], measure: Measure) -> None:
        self._tables = tables
        self._measure = measure
        plans = [_Plan.of(one, measure, _SHORT - 2 * _MARGIN) for one in tables]
        upright = all(plan is not None and plan.size >= _BODY_SIZES[1] for plan in plans)
        self._page_size = (_SHORT, _LONG) if upright else (_LONG, _SHORT)
        self._room = self._page_size[0] - 2 * _MARGIN
        self._pages: list[Page] = []
        self._y = 0

    def laid_out(self) -> list[Page]:
        self._turn()
        for number, table in enumerate(self._tables):
            self._keep_together(table, first=number == 0)
            self._head(table, first=number == 0)
            self._body(table)
        signatures = self._tables[-1].signatures
        if signatures:
            self._sign(signatures)
        return self._pages

    @property
    def _left(self) -> int:
        return self._page_size[1] - _MARGIN - _FOOT - self._y

    def _turn(self) -> None:
        """Begin a page; one that goes on names its sheet."""
        self._pages.append(Page(*self._page_size))
        self._y = _MARGIN
        if len(self._pages) > 1:
            self._say(self._tables[0].overleaf or self._tables[0].title, _NOTE, grey=True)
            self._y += _PAD

    def _say(self, text: str, size: int, *, align: str = "left", **how: bool) -> None:
        """Write a text over as many lines as it needs, and move down."""
        x = {"left": _MARGIN, "center": self._page_size[0] / 2}[align]
        for line in wrapped(text, self._room, size, self._measure):
            self._pages[-1].words.append(Words(x, self._y + size, line, size, align, **how))
            self._y += size * 3 // 2

    def _keep_together(self, table: Table, *, first: bool) -> None:
        """Begin a page for a short table that would be cut by the foot of this one."""
        if first or len(table.rows) > _SHORT_TABLE:
            return
        plan, heads, rows = self._broken(table)
        height = 6 * _TITLE + sum(plan.height(one) for one in (heads, *rows))
        if self._left < height <= self._page_size[1] - _MARGIN - _FOOT:
            self._turn()

    def _head(self, table: Table, *, first: bool) -> None:
        if first:
            self._say(table.title, _TITLE, align="center", bold=True)
        else:
            if self._left < 6 * _TITLE:
                self._turn()
            self._y += 3 * _PAD
            self._say(table.title, _SUBTITLE, bold=True)
        for note in table.notes:
            self._say(note, _NOTE)
        self._y += _PAD

    def _body(self, table: Table) -> None:
        plan, heads, rows = self._broken(table)
        self._row(plan, table.columns, heads, head=True)
        for number, lines in enumerate(rows):
            bold = number in table.emphasised
            if plan.height(lines) > self._left and self._pages[-1].boxes:
                self._turn()
                self._row(plan, table.columns, heads, head=True)
            for piece in _pieces(lines, max(1, (self._left - _PAD) // plan.line)):
                if plan.height(piece) > self._left:
                    self._turn()
                    self._row(plan, table.columns, heads, head=True)
                self._row(plan, table.columns, piece, bold=bold)

    def _broken(self, table: Table) -> "tuple[_Plan, list[list[str]], Iterator[list[list[str]]]]":
        """Plan a table: its heads and rows, each cell broken into lines."""
        plan = _Plan.of(table, self._measure, self._room) or _Plan.squeezed(
            table, self._measure, self._room
        )
        kinds = [column.kind for column in table.columns]
        rows = (
            plan.broken(
                [cell_text(cell, kind) for cell, kind in zip(row, kinds, strict=True)],
                self._measure,
            )
            for row in table.rows
        )
        return plan, plan.broken(table.heads(), self._measure), rows

    def _row(
        self,
        plan: "_Plan",
        columns: Sequence[Column],
        cells: Sequence[Sequence[str]],
        *,
        head: bool = False,
        bold: bool = False,
    ) -> None:
        page, height = self._pages[-1], plan.height(cells)
        edges = list(accumulate(plan.widths, initial=_MARGIN))
        for x, width, lines, column in zip(edges, plan.widths, cells, columns, strict=False):
            page.boxes.append(Box(x, self._y, width, height, head))
            align, at = "left", x + _PAD
            if head:
                align, at = "center", x + width / 2
            elif column.kind is not Kind.TEXT:
                align, at = "right", x + width - _PAD
            y = self._y + plan.size + _PAD / 2
            for line in lines:
                page.words.append(Words(at, y, line, plan.size, align, head or bold))
                y += plan.line
        self._y += height

    def _sign(self, signatures: Sequence[str]) -> None:
        """Leave room for people to sign, four side by side; all of it on one page."""
        rows = [signatures[at : at + _BESIDE] for at in range(0, len(signatures), _BESIDE)]
        if self._left < _SIGNING + _DATING * (len(rows) - 1):
            self._turn()
        for number, names in enumerate(rows):
            self._y += _DATING if number else _SIGNING
            self._sign_row(names)
        self._y += _PAD

    def _sign_row(self, names: Sequence[str]) -> None:
        each = self._room / len(names)
        for number, name in enumerate(names):
            page, x = self._pages[-1], _MARGIN + each * number
            page.words.append(Words(x, self._y, name, _BODY_SIZES[0]))
            after = x + self._measure(name, _BODY_SIZES[0]) + _PAD
            page.boxes.append(Box(after, self._y + 2, x + each - 3 * _PAD - after, 0))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Size of letters and widths of columns of one table."""

    size: int
    widths: tuple[float, ...]

    @classmethod
    def of(cls, table: Table, measure: Measure, room: int) -> "_Plan | None":
        """Find the largest letters in which figures stay whole and texts keep some room."""
        return next(
            (
                cls(size, widths)
                for size in _BODY_SIZES
                if (widths := _widths(table, measure, room, size)) is not None
            ),
            None,
        )

    @classmethod
    def squeezed(cls, table: Table, measure: Measure, room: int) -> "_Plan":
        """Divide the room by what each column would like: better broken figures than none."""
        size = _BODY_SIZES[-1]
        wanted = _natural(table, measure, size)
        return cls(size, tuple(room * one / sum(wanted) for one in wanted))

    @property
    def line(self) -> int:
        return self.size * 4 // 3

    def height(self, cells: Sequence[Sequence[str]]) -> int:
        return max(map(len, cells), default=1) * self.line + _PAD

    def broken(self, texts: Sequence[str], measure: Measure) -> list[list[str]]:
        return [
            wrapped(text, width - 2 * _PAD, self.size, measure)
            for text, width in zip(texts, self.widths, strict=True)
        ]


def _natural(table: Table, measure: Measure, size: int) -> list[float]:
    """Say how wide every column is if nothing in it is broken."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    return [
        max(
            measure(column.head, size),
            *(measure(text, size) for text in {cell_text(cell, column.kind) for cell in cells}),
            size,
        )
        + 2 * _PAD
        for column, cells in zip(table.columns, columns, strict=True)
    ]


def _widths(table: Table, measure: Measure, room: int, size: int) -> tuple[float, ...] | None:
    """Share the width of a page: figures as they are, texts as wide as there is room for."""
    natural = _natural(table, measure, size)
    if sum(natural) <= room:
        return tuple(room * one / sum(natural) for one in natural)
    least = [
        min(one, max(_NARROW * size, word) + 2 * _PAD) if column.kind is Kind.TEXT else one
        for one, word, column in zip(
            natural, _longest_words(table, measure, size), table.columns, strict=True
        )
    ]
    more = sum(natural) - sum(least)
    left = room - sum(least)
    if left < 0 or more <= 0:
        return None
    return tuple(low + left * (high - low) / more for low, high in zip(least, natural, strict=True))


def _longest_words(table: Table, measure: Measure, size: int) -> list[float]:
    """Say how wide the widest word or code of every column is, as far as it is kept whole."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    return [
        max(
            (
                min(_CODE * size, measure(piece, size))
                for text in {*filter(lambda cell: isinstance(cell, str), cells)}
                for piece in _unbroken(str(text))
            ),
            default=0,
        )
        for cells in columns
    ]


def wrapped(text: str, width: float, size: int, measure: Measure) -> list[str]:
    """Break a text into lines that fit: between Chinese characters, else between words if it can."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _unbroken(paragraph):
            if measure(line + piece, size) <= width + _CLOSE:
                line += piece
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = ""
            for letter in piece if measure(piece, size) > width + _CLOSE else [piece]:
                if line and measure(line + letter, size) > width:
                    lines.append(line)
                    line = ""
                line += letter
            line = line.lstrip() if lines else line
        lines.append(line)
    return lines


_CLOSING = "，。、；：！？）》」』”’,.;:!?)"


def _unbroken(text: str) -> Iterator[str]:
    """Give what stays together: a word of letters and digits, a character with its punctuation."""
    piece = ""
    for letter in text:
        narrow = letter.isascii() and not letter.isspace()
        if piece and (letter in _CLOSING or (narrow and piece[-1].isascii() and piece[-1] != " ")):
            piece += letter
            continue
        if piece:
            yield piece
        piece = letter
    if piece:
        yield piece


def _pieces(cells: Sequence[Sequence[str]], most: int) -> Iterator[list[list[str]]]:
    """Cut a row that is higher than what is left of an empty page."""
    highest = max(map(len, cells), default=1)
    for start in range(0, highest, most):
        yield [list(lines[start : start + most]) for lines in cells]


def for_signing(tables: Sequence[Table], signatures: Sequence[str]) -> list[Table]:
    """Have every sheet that does not say who signs signed by these."""
    found: list[Table] = []
    for sheet in sheets(tables):
        last = sheet[-1]
        signed = last.signatures or tuple(signatures)
        found += [*sheet[:-1], replace(last, signatures=signed)]
    return found
