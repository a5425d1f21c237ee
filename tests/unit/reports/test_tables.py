"""Tables and the files they become."""

import csv
from io import BytesIO, StringIO

import openpyxl
import pytest

from projections.reports.csv import to_csv
from projections.reports.model import Column, Kind, Table, table
from projections.reports.xlsx import to_xlsx

COLUMNS = (
    Column("单据号"),
    Column("金额", Kind.FEN),
    Column("附件", Kind.COUNT),
    Column("增长率", Kind.RATIO),
)


def one(*cells) -> Table:
    return table("流水", COLUMNS, [cells], notes=["截至日志位置 9"])


def read_csv(given: Table) -> list[list[str]]:
    return list(csv.reader(StringIO(to_csv(given).decode("utf-8-sig"), newline="")))


def test_csv_begins_with_a_bom_and_keeps_codes_and_amounts_exact():
    content = to_csv(one("330604199001011234", -123_456_789_012_345_678, 2, "-0.50"))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [
        ["单据号", "金额", "附件", "增长率"],
        ["330604199001011234", "-1234567890123456.78", "2", "-0.50"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝cmd"])
def test_text_never_becomes_a_formula(text):
    assert read_csv(one(text, 1, 1, "1.00"))[1][0] == f"'{text}"
    sheet = openpyxl.load_workbook(BytesIO(to_xlsx([one(text, 1, 1, "1.00")]))).active
    assert (sheet["A4"].value.strip(), sheet["A4"].data_type) == (text.strip(), "s")


@pytest.mark.parametrize("text", ["a,b", 'say "x"', "two\nlines", ""])
def test_csv_keeps_any_text(text):
    assert read_csv(one(text, 1, 1, "1.00"))[1][0] == text


def test_an_empty_cell_is_empty_and_never_nil():
    assert read_csv(one("D1", None, None, None))[1] == ["D1", "", "", ""]
    sheet = openpyxl.load_workbook(BytesIO(to_xlsx([one("D1", None, None, None)]))).active
    assert sheet["B4"].value is None


def test_workbook_holds_codes_as_text_and_amounts_as_numbers():
    sheet = openpyxl.load_workbook(
        BytesIO(to_xlsx([one("330604199001011234", 123_456_789_012_345, 2, "6.85")]))
    ).active
    assert sheet["A1"].value == "流水"
    assert sheet["A2"].value == "截至日志位置 9"
    assert [cell.value for cell in sheet[3]] == ["单据号", "金额", "附件", "增长率"]
    assert (sheet["A4"].value, sheet["A4"].data_type) == ("330604199001011234", "s")
    assert (sheet["B4"].value, sheet["B4"].data_type) == (1_234_567_890_123.45, "n")
    assert (sheet["C4"].value, sheet["D4"].value) == (2, 6.85)


def test_an_amount_beyond_a_spreadsheets_digits_is_text_rather_than_rounded():
    sheet = openpyxl.load_workbook(
        BytesIO(to_xlsx([one("D1", 1_234_567_890_123_456, 1, "1.00")]))
    ).active
    assert (sheet["B4"].value, sheet["B4"].data_type) == ("12345678901234.56", "s")


def test_several_tables_are_several_sheets():
    book = openpyxl.load_workbook(
        BytesIO(to_xlsx([table("收支/表", COLUMNS, []), table("收支/表", COLUMNS, [])]))
    )
    assert book.sheetnames == ["1 收支_表", "2 收支_表"]


def test_a_float_or_a_short_row_is_refused():
    with pytest.raises(TypeError, match="金额"):
        one("D1", 1.5, 1, "1.00")
    with pytest.raises(ValueError, match="3 cells"):
        one("D1", 1, 1)
