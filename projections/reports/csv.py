"""Tables as CSV that Excel in China opens rightly: UTF-8 with BOM, safe against formulas."""

import csv
from io import StringIO

from ledger.domain.money import format_yuan
from projections.reports.model import Cell, Kind, Table

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(*tables: Table) -> bytes:
    """Write heads and rows; the title and notes stay out so that a program can read the file."""
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for table in tables:
        writer.writerow([_guarded(head) for head in table.heads()])
        for row in table.rows:
            pairs = zip(row, table.columns, strict=True)
            writer.writerow([csv_text(cell, column.kind) for cell, column in pairs])
    return out.getvalue().encode("utf-8-sig")


def csv_text(cell: Cell, kind: Kind) -> str:
    """Write one cell; text that a spreadsheet would run as a formula gets an apostrophe (OWASP)."""
    if cell is None:
        return ""
    if kind is Kind.FEN:
        return format_yuan(int(cell), grouped=False)
    return _guarded(cell) if kind is Kind.TEXT and isinstance(cell, str) else str(cell)


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
