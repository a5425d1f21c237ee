"""A report is a table: titles, columns, rows. How it becomes a file is the writers' concern."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a column's cells are to be read."""

    TEXT = "text"  # names, codes, numbers of documents: never a number, whatever the digits
    FEN = "fen"  # whole fen inside, yuan with two decimals for the reader
    COUNT = "count"  # whole numbers
    RATIO = "ratio"  # decimal text, already rounded where its definition says


@dataclass(frozen=True, slots=True)
class Column:
    """One column with the head a reader sees."""

    head: str
    kind: Kind = Kind.TEXT
    width: int = 16


def columns_in(lang: str, *heads: tuple[str, str, Kind, int]) -> list[Column]:
    """Make columns of (Chinese head, English head, kind, width) for a reader's language."""
    return [Column(zh if lang == "zh" else en, kind, width) for zh, en, kind, width in heads]


Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table (报表) with its title, notes (scope, position, unit) and rows; None is an empty cell.

    A table that stands ``below`` shares the sheet of the one before it. ``signatures`` (签章) are the
    names under which people sign at the end of a sheet. ``overleaf`` heads the pages on which a sheet
    goes on; else its title does.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    notes: tuple[str, ...] = ()
    emphasised: frozenset[int] = field(default_factory=frozenset)
    below: bool = False
    signatures: tuple[str, ...] = ()
    overleaf: str = ""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells, not {len(self.columns)}")
            for cell, column in zip(row, self.columns, strict=True):
                _check(cell, column)

    def heads(self) -> list[str]:
        return [column.head for column in self.columns]


def _check(cell: Cell, column: Column) -> None:
    wanted = int if column.kind in (Kind.FEN, Kind.COUNT) else str
    if cell is not None and type(cell) is not wanted:
        raise TypeError(f"{column.head}: {cell!r} is not {wanted.__name__}")


def table(
    title: str,
    columns: Iterable[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    notes: Iterable[str] = (),
    emphasised: Iterable[int] = (),
    below: bool = False,
) -> Table:
    """Make a table from anything that can be walked through once."""
    return Table(title, tuple(columns), list(rows), tuple(notes), frozenset(emphasised), below)


def sheets(tables: Iterable[Table]) -> list[list[Table]]:
    """Put tables together that share a sheet."""
    found: list[list[Table]] = []
    for one in tables:
        if one.below and found:
            found[-1].append(one)
        else:
            found.append([one])
    return found
