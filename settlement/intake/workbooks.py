"""Spreadsheets (.xlsx, .xls) through calamine, as rows of cells with their row numbers."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
)

from settlement.intake import binary_sheets, workbook_safety
from settlement.intake.cells import Cell
from settlement.intake.rejections import refuse

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")


class _Reading:
    """Turns what the reader behind us raises into a refusal, its crashes (Rust panics) included."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            return
        if issubclass(kind, PasswordError):
            raise refuse("encrypted_workbook") from wrong
        # a panic is no Exception and has no importable class
        if issubclass(kind, CalamineError) or kind.__name__ == "PanicException":
            raise refuse("damaged_workbook", reason=str(wrong)) from wrong


class Workbook:
    """One workbook; sheets are loaded one at a time."""

    def __init__(self, path: Path, *, binary: bool) -> None:
        self._errors = (
            binary_sheets.inspect(path) if binary else workbook_safety.inspect(path)
        ).error_cells
        with _Reading():
            self._book = CalamineWorkbook.from_path(path)
        self._last: tuple[int, CalamineSheet, binary_sheets.ErrorCells] | None = None
        self.sheets = [
            (index, sheet.name)
            for index, sheet in enumerate(self._book.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def rows(self, sheet: int) -> Iterator[tuple[int, list[Cell]]]:
        """Give every row of a sheet with its number; a formula's error stands in its cell as text."""
        loaded, errors = self._load(sheet)
        with _Reading():
            for number, row in enumerate(loaded.iter_rows(), start=1):
                cells: list[Cell] = list(row)
                for column, shown in errors.get(number, {}).items():
                    cells += [None] * (column + 1 - len(cells))
                    cells[column] = shown
                yield number, cells

    def _load(self, sheet: int) -> tuple[CalamineSheet, binary_sheets.ErrorCells]:
        """Load a sheet, or take the one that was read last: unpacking is what takes the time."""
        if self._last is None or self._last[0] != sheet:
            self._last = None  # two sheets at once would be twice the memory
            with _Reading():
                loaded = self._book.get_sheet_by_index(sheet)
            self._last = (sheet, loaded, self._errors(sheet))
        return self._last[1:]
