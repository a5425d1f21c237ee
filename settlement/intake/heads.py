"""Recognise what a file is by its head (表头): width, spaces, case and the star do not matter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from settlement.intake.cells import Cell, plain
from settlement.intake.columns import KINDS, REJECTS_COLUMNS, Form, Kind
from settlement.intake.rejections import FileProblem, FileRefused

#: Title rows may stand above the head, but not more than this.
SEARCHED_ROWS = 20
MAX_COLUMNS = 1000
#: Fewer known heads than this are a coincidence, not a file of that kind.
_FEWEST_HEADS = 3

_DECORATION = re.compile(r"[\s*★\u200b\ufeff]+|[(\[【](?:必填|选填|可空|required|optional)[)\]】]")
_UNIT = re.compile(r"(.+?)[(\[【/_\-:]?(?:单位[::]?)?(人民币)?(万元|元|yuan)[)\]】]?")
_TITLE_UNIT = re.compile(r"单位[::]?\(?(?:人民币)?[百千万亿十]+元|\((?:人民币)?[百千万亿十]+元\)")


@dataclass(frozen=True, slots=True)
class Head:
    """A recognised head: which column of the file holds which column of the format."""

    kind: Kind
    line: int
    columns: dict[str, int]
    in_wan: frozenset[str]  # amounts written in 万元
    unnamed: tuple[int, ...]  # columns without a head: must stay empty
    width: int
    names: tuple[str, ...]  # as the file writes them, for the rejects file
    notices: tuple[FileProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Match:
    """How one row reads as the head of one kind."""

    kind: Kind
    line: int
    cells: tuple[str, ...]
    found: dict[str, list[int]]
    in_wan: frozenset[str]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(key for key in self.kind.required if key not in self.found)


def head_word(cell: Cell) -> str:
    """Give a head as it is compared: ``金 额(元)*`` and ``金额(元)`` are one."""
    return _DECORATION.sub("", plain(str(cell)).lower()) if cell is not None else ""


@cache
def _words_of(kind: Kind) -> dict[str, str]:
    words = {}
    for column in kind:
        for name in (column.key, column.zh, *column.aliases):
            words[head_word(name)] = column.key
    return words


def _is_amount(kind: Kind, key: str) -> bool:
    return kind.column(key).form is Form.AMOUNT


def _column_of(word: str, kind: Kind) -> tuple[str, bool] | None:
    """Say which column a head names, and whether in 万元; a unit belongs to amounts only."""
    words = _words_of(kind)
    if word in words:
        return words[word], False
    split = _UNIT.fullmatch(word)
    key = words.get(split[1]) if split else None
    if split is None or key is None or not _is_amount(kind, key):
        return None
    return key, split[3] == "万元"


def _match(row: Sequence[Cell], line: int, kind: Kind) -> _Match:
    found: dict[str, list[int]] = {}
    in_wan = set()
    for index, cell in enumerate(row):
        named = _column_of(head_word(cell), kind)
        if named:
            found.setdefault(named[0], []).append(index)
            if named[1]:
                in_wan.add(named[0])
    cells = tuple("" if cell is None else str(cell).strip() for cell in row)
    return _Match(kind, line, cells, found, frozenset(in_wan))


class HeadSearch:
    """Looks at the first rows of a table until one of them is a head.

    ``kind`` forces the format; otherwise the first row that has every required column of some
    format is the head. Without one, the row with the most known heads says what is missing.
    ``layouts`` are formats as the banks of an area write them; they are tried first.
    """

    def __init__(self, kind: str | None = None, layouts: Sequence[Kind] = ()) -> None:
        known = [KINDS[kind]] if kind else list(KINDS.values())
        names = {one.name for one in known}
        self._kinds = [*(one for one in layouts if one.name in names), *known]
        self._forced = kind is not None
        self._best: _Match | None = None
        self._titles: list[tuple[int, str]] = []

    @property
    def likeness(self) -> int:
        """How many heads of a known format the best row so far has."""
        return len(self._best.found) if self._best else 0

    @property
    def saw_nothing(self) -> bool:
        """Tell whether all rows were blank."""
        return not self._titles and self._best is None

    def look(self, row: Sequence[Cell], line: int) -> Head | None:
        """Look at one row; give the head once it is found whole."""
        if len(row) > MAX_COLUMNS:
            if any(cell is not None and str(cell).strip() for cell in row[MAX_COLUMNS:]):
                facts = {"columns": len(row), "limit": MAX_COLUMNS}
                raise FileRefused([FileProblem("too_many_columns", facts)])
            row = row[:MAX_COLUMNS]  # millions of empty cells are looked at once, no more
        matches = [_match(row, line, kind) for kind in self._kinds]
        whole = [match for match in matches if not match.missing]
        if whole:
            self._best = max(whole, key=lambda match: len(match.found))
            _refuse_several_layouts(self._best, whole)
            return self._head(self._best)
        best = max(matches, key=lambda match: len(match.found))
        if len(best.found) > self.likeness:
            self._best = best
        self._titles += [(line, str(cell)) for cell in row if cell not in (None, "")]
        return None

    def refusal(self) -> FileRefused:
        """Say why none of the rows was a head."""
        best = self._best
        if best is None:
            first = self._kinds[0]
            facts = {"kind": first.name, "missing": first.required, "rows": SEARCHED_ROWS}
            return FileRefused([FileProblem("unknown_kind", facts)])
        facts = {"kind": best.kind.name, "missing": best.missing}
        if not self._forced and self.likeness < _FEWEST_HEADS:
            return FileRefused([FileProblem("unknown_kind", {**facts, "rows": SEARCHED_ROWS})])
        return FileRefused([FileProblem("missing_column", facts), *_notices(best)])

    def _head(self, match: _Match) -> Head:
        problems = [*_duplicates(match), *self._unit_in_title(match)]
        if problems:
            raise FileRefused(problems)
        return Head(
            kind=match.kind,
            line=match.line,
            columns={key: indexes[0] for key, indexes in match.found.items()},
            in_wan=match.in_wan,
            unnamed=tuple(index for index, name in enumerate(match.cells) if not name),
            width=len(match.cells),
            names=match.cells,
            notices=tuple(_notices(match)),
        )

    def _unit_in_title(self, match: _Match) -> list[FileProblem]:
        """Refuse 单位:万元 above the head while an amount's head names no unit: off by 10⁴."""
        for line, title in self._titles:
            unit = _TITLE_UNIT.search(head_word(title))
            bare = [
                key
                for key in match.found
                if _is_amount(match.kind, key) and key not in match.in_wan
            ]
            if unit and bare:
                return [FileProblem("unit_in_title", {"line": line, "title": title.strip()})]
        return []


def _refuse_several_layouts(best: _Match, whole: Sequence[_Match]) -> None:
    """Which of two banks' layouts with the same heads a file is in is for a person to say."""
    fitting = tuple(
        match.kind.layout
        for match in whole
        if match.kind.layout is not None and len(match.found) == len(best.found)
    )
    if len(fitting) > 1:
        raise FileRefused([FileProblem("several_layouts", {"profiles": fitting})])


def _duplicates(match: _Match) -> list[FileProblem]:
    return [
        FileProblem(
            "duplicate_column",
            {
                "kind": match.kind.name,
                "column": key,
                "heads": tuple(match.cells[index] for index in indexes),
            },
        )
        for key, indexes in match.found.items()
        if len(indexes) > 1
    ]


def _notices(match: _Match) -> list[FileProblem]:
    known = {index for indexes in match.found.values() for index in indexes}
    unknown = tuple(
        name
        for index, name in enumerate(match.cells)
        if name and index not in known and head_word(name) not in REJECTS_COLUMNS
    )
    return [FileProblem("unknown_column", {"heads": unknown})] if unknown else []


def repeats_head(row: Sequence[Cell], head: Head) -> bool:
    """Tell whether the row right below a head is the same head in the other language."""
    if len(row) <= max(head.columns.values()):
        return False
    for key, index in head.columns.items():
        named = _column_of(head_word(row[index]), head.kind)
        if named is None or named[0] != key:
            return False
    return True
