"""Turn a row's cells into values by column, and say of every cell what keeps it from being read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from settlement.banking import Banks
from settlement.intake.amounts import parse_amount_wan
from settlement.intake.cells import BadCell, Cell, Parser
from settlement.intake.columns import Column, Form, Kind
from settlement.intake.heads import Head
from settlement.intake.rejections import Rejection, shown

#: Texts remembered per column: zeros, codes and days repeat a million times, ids never do.
_REMEMBERED = 2_000
_NEVER_REPEATS = frozenset({Form.IDENTIFIER, Form.TIME})

#: A row shifted by a stray comma has many cells without a head; naming a few is enough.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the checks of a row must know of the book; the caller reads it, they only compare."""

    area: str
    today: date
    funds: frozenset[str]  # leaf funds that have a book here
    institutions: frozenset[str] = frozenset()  # empty: not compared
    accounts: Mapping[str, str]  # every word for an account → its key
    places: tuple[str, ...] = ()  # places of the area beside its own code
    parties: Mapping[str, str] = field(default_factory=dict)  # institutions by name and code
    banks: Banks = field(default_factory=Banks)
    source: str | None = None  # whose statement it is, where the person says so


class RowReader:
    """Reads the rows of one table; what depends on the head is worked out once."""

    def __init__(self, head: Head, parsers: Mapping[str, Parser]) -> None:
        self._kind = head.kind
        self._columns = head.columns
        self._width = head.width
        self._unnamed = head.unnamed
        self._plan = [
            (position, head.columns[column.key], _parser(column, head, parsers))
            for position, column in enumerate(head.kind)
            if column.key in head.columns
        ]
        self._required = [
            place
            for place, column in enumerate(head.kind)
            if column.required and not column.may_be_empty
        ]
        self._order = {column.key: place for place, column in enumerate(head.kind)}
        self._blank: list[Any] = [None] * len(head.kind.columns)

    @property
    def plan(self) -> list[tuple[int, int, Parser]]:
        """Say of each column of the format that the file has: its place, the file's, its parser."""
        return self._plan

    def values(self, cells: Sequence[Cell]) -> list[Any] | None:
        """Give the values in the order of the format's columns, or None if anything is wrong."""
        spare = self._width - len(cells)
        if spare > 0:  # spreadsheets leave out empty cells at the end of a row
            cells = [*cells, *([None] * spare)]
        values = self._blank.copy()
        try:
            for position, index, parse in self._plan:
                values[position] = parse(cells[index])
        except BadCell:
            return None
        for position in self._required:
            if values[position] is None:
                return None
        if (spare < 0 or self._unnamed) and self._strays(cells):
            return None
        return values

    def examine(self, line: int, cells: Sequence[Cell]) -> tuple[list[Any], list[Rejection]]:
        """Give what can be read (None elsewhere) and a rejection for every cell that cannot."""
        padded = [*cells, *([None] * (self._width - len(cells)))]
        values, rejections = self._blank.copy(), []
        for position, index, parse in self._plan:
            key = self._kind.columns[position].key
            try:
                values[position] = parse(padded[index])
            except BadCell as bad:
                rejections.append(self.rejection(line, padded, key, bad.code, bad.facts))
        bad_already = {rejection.field for rejection in rejections}
        for position in self._required:
            key = self._kind.columns[position].key
            if values[position] is None and key not in bad_already:
                rejections.append(self.rejection(line, padded, key, "required", {}))
        for index in self._strays(padded)[:_FEW]:
            value = shown(padded[index])
            facts = {"column": index + 1}
            rejections.append(Rejection(line, "", "cell_without_head", value, facts))
        rejections.sort(key=lambda rejection: self._order.get(rejection.field, len(self._order)))
        return values, rejections

    def rejection(
        self, line: int, cells: Sequence[Cell], key: str, code: str, facts: Mapping[str, Any]
    ) -> Rejection:
        """Make a rejection that shows the cell of one column, masked where it names a person."""
        index = self._columns.get(key, len(cells))
        cell = cells[index] if index < len(cells) else None
        value = shown(cell, personal=self._kind.column(key).personal)
        return Rejection(line, key, code, value, facts, self._kind.name)

    def _strays(self, cells: Sequence[Cell]) -> list[int]:
        """Find cells with content in columns that have no head."""
        beyond = range(self._width, len(cells))
        return [
            index
            for index in (*self._unnamed, *beyond)
            if cells[index] is not None and str(cells[index]).strip()
        ]


class _Remembered(dict[Cell, Any]):
    """What a parser made of the texts it saw first; numbers stay out, for 1 and True are equal."""

    def __init__(self, parse: Parser) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, cell: Cell) -> Any:
        value = self._parse(cell)
        if type(cell) is str and len(self) < _REMEMBERED:
            self[cell] = value
        return value


def _parser(column: Column, head: Head, parsers: Mapping[str, Parser]) -> Parser:
    parse = parse_amount_wan if column.key in head.in_wan else parsers[column.key]
    return parse if column.form in _NEVER_REPEATS else _Remembered(parse).__getitem__


def head_of(kind: Kind, keys: Sequence[str]) -> Head:
    """Make the head of a row that comes from no file (a command's options)."""
    return Head(
        kind=kind,
        line=0,
        columns={key: index for index, key in enumerate(keys)},
        in_wan=frozenset(),
        unnamed=(),
        width=len(keys),
        names=tuple(keys),
    )
