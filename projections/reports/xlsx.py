"""Tables as a workbook: codes as text, amounts as exact numbers in yuan."""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter

from ledger.domain.money import format_yuan
from projections.reports.model import Cell, Kind, Table, sheets

#: A spreadsheet's numbers carry 15 digits; a larger amount is written as text rather than rounded.
_EXACT_FEN = 10**15
_YUAN = "#,##0.00;[Red]-#,##0.00"
_RATIO = "0.00######"  # points and point values show every digit that they have
_A4 = 9
_BESIDE = 4  # people who sign in one row


def to_xlsx(tables: Sequence[Table]) -> bytes:
    """Write each sheet's tables below one another, row by row in constant memory."""
    target = BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        formats = _formats(book)
        for number, together in enumerate(sheets(tables), start=1):
            _write(book.add_worksheet(_sheet_name(together[0].title, number)), together, formats)
    return target.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "note": book.add_format({"font_color": "#555555"}),
        "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1}),
        "text": book.add_format({"num_format": "@"}),
        "fen": book.add_format({"num_format": _YUAN}),
        "count": book.add_format({"num_format": "0"}),
        "ratio": book.add_format({"num_format": _RATIO}),
        "text_bold": book.add_format({"num_format": "@", "bold": True}),
        "fen_bold": book.add_format({"num_format": _YUAN, "bold": True}),
        "count_bold": book.add_format({"num_format": "0", "bold": True}),
        "ratio_bold": book.add_format({"num_format": _RATIO, "bold": True}),
    }


def _write(sheet: Any, tables: Sequence[Table], formats: dict[str, Any]) -> None:
    for index in range(max(len(one.columns) for one in tables)):
        widths = (one.columns[index].width for one in tables if index < len(one.columns))
        sheet.set_column(index, index, max(widths))
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)  # as wide as a page, as long as it takes
    sheet.set_footer("&L&A&R&P / &N")
    line = 0
    for table in tables:
        line = _table(sheet, table, line, formats, alone=len(tables) == 1) + 2
    for index, name in enumerate(tables[-1].signatures):
        row, column = divmod(index, _BESIDE)
        sheet.write_string(line + 2 * row, column, name, formats["text"])


def _table(sheet: Any, table: Table, line: int, formats: dict[str, Any], *, alone: bool) -> int:
    """Write a table from a line on, and give its last line; one that stands alone can be filtered."""
    sheet.write_string(line, 0, table.title, formats["title"])
    line += 1
    for note in table.notes:
        sheet.write_string(line, 0, note, formats["note"])
        line += 1
    for index, head in enumerate(table.heads()):
        sheet.write_string(line, index, head, formats["head"])
    if alone:
        sheet.freeze_panes(line + 1, 0)
        sheet.repeat_rows(line)
        if table.rows:
            sheet.autofilter(line, 0, line + len(table.rows), len(table.columns) - 1)
    for number, row in enumerate(table.rows):
        line += 1
        bold = "_bold" if number in table.emphasised else ""
        for index, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            _cell(sheet, (line, index), cell, column.kind, formats[f"{column.kind.value}{bold}"])
    return line


def _cell(sheet: Any, place: tuple[int, int], cell: Cell, kind: Kind, style: Any) -> None:
    if cell is None:
        sheet.write_blank(*place, None, style)
    elif kind is Kind.TEXT:
        sheet.write_string(*place, str(cell), style)
    elif kind is Kind.FEN and abs(int(cell)) >= _EXACT_FEN:
        sheet.write_string(*place, format_yuan(int(cell), grouped=False), style)
    else:
        number = format_yuan(int(cell), grouped=False) if kind is Kind.FEN else str(cell)
        sheet.write_number(*place, Decimal(number), style)


def _sheet_name(title: str, number: int) -> str:
    clean = "".join("_" if letter in "[]:*?/\\'" else letter for letter in title)
    return f"{number} {clean}"[:31]
