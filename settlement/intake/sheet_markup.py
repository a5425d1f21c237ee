"""A worksheet's XML read strictly, for parts that are not spelled the way spreadsheets spell them.

``workbook_safety`` passes over the usual spelling with fast patterns. Whatever else XML allows
(prefixes, cells without a reference, spaces around ``=``, comments) comes here: slower, exact.
"""

import re
from collections.abc import Iterable
from xml.parsers import expat

from settlement.intake.binary_sheets import ErrorCells
from settlement.intake.cells import is_formula_error
from settlement.intake.rejections import refuse

_REFERENCE = re.compile(r"([A-Za-z]+)([0-9]+)")
_LAST_ROW, _LAST_COLUMN = 1 << 20, 1 << 14
_LONGEST_ERROR = 64


def column_number(letters: bytes | str) -> int:
    """Give the number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.encode() if isinstance(letters, str) else letters:
        number = number * 26 + (letter & 0xDF) - 64  # small letters count as capitals
    return number


def shown_error(text: str) -> str:
    """Give an error as the spreadsheet shows it, ``#ERROR!`` for one we do not know."""
    return text if is_formula_error(text) else "#ERROR!"


class StrictSheet:
    """What a worksheet holds: how many cells, how far they reach, which hold errors."""

    def __init__(self) -> None:
        self.cells = self.columns = self.rows = 0
        self.errors: ErrorCells = {}
        self.unplaced = False  # an error without a reference
        self._row = self._column = 0
        self._error: tuple[int, int] | None = None
        self._value: list[str] | None = None

    @classmethod
    def read(cls, chunks: Iterable[bytes]) -> "StrictSheet":
        """Read a part; FileRefused where it is no well-formed XML in UTF-8."""
        sheet = cls()
        _parse(chunks, sheet)
        return sheet

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """See a tag open."""
        local = name.rpartition(":")[2]
        if local == "row":
            number = attributes.get("r", "")
            self._row = int(number) if re.fullmatch("[0-9]+", number) else self._row + 1
            self._column = 0
        elif local == "c":
            self._cell(attributes)
        elif local == "v" and self._error is not None:
            self._value = []

    def _cell(self, attributes: dict[str, str]) -> None:
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_number(found[1]) if found else self._column + 1
        row = int(found[2]) if found else self._row
        if row > _LAST_ROW or self._column > _LAST_COLUMN:
            raise refuse("damaged_workbook", reason=f"row {row}, column {self._column}")
        self.cells += 1
        self.columns = max(self.columns, self._column)
        self.rows = max(self.rows, row, self._row)
        if attributes.get("t") == "e":
            self._error = (row, self._column - 1)
            self.unplaced = self.unplaced or not found
            self.errors.setdefault(row, {})[self._column - 1] = "#ERROR!"

    def end(self, name: str) -> None:
        """See a tag close."""
        local = name.rpartition(":")[2]
        if local == "v" and self._value is not None and self._error is not None:
            row, column = self._error
            self.errors[row][column] = shown_error("".join(self._value))
            self._value = None
        elif local == "c":
            self._error = None

    def text(self, data: str) -> None:
        """See text between tags."""
        if self._value is not None and len(self._value) < _LONGEST_ERROR:
            self._value.append(data[:_LONGEST_ERROR])


class _Tags:
    """Collects the attributes of one kind of tag, in order."""

    def __init__(self, name: str) -> None:
        self.found: list[dict[str, str]] = []
        self._name = name

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == self._name:
            self.found.append(attributes)

    def end(self, name: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


def tags(data: bytes, name: str) -> list[dict[str, str]]:
    """List the attributes of every tag of one name, prefix aside."""
    wanted = _Tags(name)
    _parse([data], wanted)
    return wanted.found


def _parse(chunks: Iterable[bytes], seen: StrictSheet | _Tags) -> None:
    def doctype(*_: object) -> None:
        raise refuse("damaged_workbook", reason="DOCTYPE")

    # the reader behind us takes every part for UTF-8, whatever it declares
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    parser.CharacterDataHandler = seen.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as wrong:
        raise refuse("damaged_workbook", reason=str(wrong)) from wrong
