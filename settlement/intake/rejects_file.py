"""The rejects file (退回文件): the rejected rows as they came, with line and reasons beside them.

It can be corrected in a spreadsheet and brought in again: the two added columns are recognised and
read over.
"""

import csv
from pathlib import Path
from typing import Any

from settlement.intake.bring_in import Outcome
from settlement.intake.cells import Cell
from settlement.intake.readers import Table

#: Heads of the added columns; ``columns.REJECTS_COLUMNS`` recognises them.
LINE_HEAD, REASON_HEAD = "行号", "错误"


def write_rejects(outcome: Outcome, target: Path | None, *, lang: str) -> Path:
    """Write the rejected rows of a file beside it (or to ``target``) as CSV for Excel."""
    table = outcome.table
    path = target or outcome.path.with_name(f"{outcome.path.stem}.rejects.csv")
    reasons: dict[int, list[str]] = {}
    for rejection in outcome.rejections:
        reasons.setdefault(rejection.line, []).append(rejection.message(lang))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        if table is not None:
            _write(writer, table, reasons)
    return path


def _write(writer: Any, table: Table, reasons: dict[int, list[str]]) -> None:
    writer.writerow([*table.head.names, LINE_HEAD, REASON_HEAD])
    width = len(table.head.names)
    for line, cells in table.rows():
        if line in reasons:
            padded = [*map(_text, cells), *([""] * (width - len(cells)))]
            writer.writerow([*padded[:width], str(line), "; ".join(reasons[line])])


def _text(cell: Cell) -> str:
    """Write a cell so that it reads the same again: 310.0 was typed as 310."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return str(cell)
