"""The rejects file (退回文件): the rejected rows as they came, with line and reasons beside them.

It can be corrected in a spreadsheet and brought in again: the two added columns are recognised and
read over.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from settlement.intake.cells import FORMULA_START, Cell
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection

#: Heads of the added columns; ``columns.REJECTS_COLUMNS`` recognises them.
LINE_HEAD, REASON_HEAD = "行号", "错误"
_NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?")


Reasons = Mapping[int, Sequence[str]]  # line → what is wrong with it


def reasons_of(rejections: Iterable[Rejection], lang: str) -> Reasons:
    """Gather what is wrong by line."""
    reasons: dict[int, list[str]] = {}
    for rejection in rejections:
        reasons.setdefault(rejection.line, []).append(rejection.message(lang))
    return reasons


def write_rejects(table: Table, reasons: Reasons, path: Path) -> None:
    """Write the rejected rows of a file as CSV for Excel."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        _write(csv.writer(file), table, reasons)


def _write(writer: Any, table: Table, reasons: Reasons) -> None:
    writer.writerow([*map(_guarded, table.head.names), LINE_HEAD, REASON_HEAD])
    width = len(table.head.names)
    for line, cells in table.rows():
        if line in reasons:
            padded = [*map(_text, cells), *([""] * (width - len(cells)))]
            writer.writerow([*padded[:width], str(line), _guarded("; ".join(reasons[line]))])


def _text(cell: Cell) -> str:
    """Write a cell so that it reads the same again: 310.0 was typed as 310."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return _guarded(cell) if isinstance(cell, str) else str(cell)


def _guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula; a number is none.

    ``kept`` in ``cells`` takes it off again when the corrected file comes back.
    """
    return f"'{text}" if FORMULA_START.match(text) and not _NUMBER.fullmatch(text) else text
