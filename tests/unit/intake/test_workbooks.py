"""Spreadsheets: cells as Excel keeps them, several sheets, and files that are broken or hostile."""

import datetime as dt
import re
import struct
import zipfile
from itertools import pairwise

import pytest
import xlwt

from settlement.intake import binary_sheets, sheet_markup, workbook_safety
from settlement.intake.readers import open_table
from settlement.intake.rejections import FileRefused

HEAD = ["单据号", "入账日期", "统筹区", "险种", "项目", "金额", "备注"]
ROW = ["SJ0001", dt.date(2023, 1, 5), 330604, 390, "个人缴费", 1234.56, "一月"]


@pytest.fixture(params=["xlsx", "xls"])
def book(request, files):
    """Write the same rows as .xlsx and as .xls."""
    return getattr(files, request.param)


def problem_of(path):
    with pytest.raises(FileRefused) as refused:
        list(open_table(path).rows())
    return refused.value.problems[0]


def test_reads_cells_with_their_types_and_line_numbers(book):
    table = open_table(book([["流水"], [], HEAD, ROW, [], [None, None, None], ROW]))
    assert table.sheet == "Sheet1"
    assert table.head.line == 3
    assert [line for line, _ in table.rows()] == [4, 7]
    assert next(table.rows())[1] == ROW


def test_the_content_decides_not_the_name(book):
    path = book([HEAD, ROW], name="export.csv")
    assert [line for line, _ in open_table(path).rows()] == [2]


@pytest.mark.parametrize("error", ["#DIV/0!", "#REF!", "#N/A", "#NAME?", "#NUM!", "#VALUE!"])
def test_a_formula_error_is_seen_and_not_an_empty_cell(book, formula, error):
    broken = [*ROW[:6], formula("=1/0", error)]
    table = open_table(book([HEAD, ROW, broken, ROW]))
    assert [cells[6] for _, cells in table.rows()] == ["一月", error, "一月"]


def test_the_kept_error_of_an_old_formula_is_seen(files):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for column, head in enumerate(HEAD):
        sheet.write(0, column, head)
    sheet.write(1, 0, "SJ0001")
    sheet.write(1, 6, xlwt.Formula("1/0"))
    book.save(str(files.folder / "formula.xls"))
    data = bytearray((files.folder / "formula.xls").read_bytes())
    at = data.index(struct.pack("<HHHH", 0x0006, 22 + 7, 1, 6))
    data[at + 10 : at + 18] = b"\x02\x00\x07\x00\x00\x00\xff\xff"
    table = open_table(files.raw("formula.xls", bytes(data)))
    assert next(table.rows())[1][6] == "#DIV/0!"


def test_formulas_come_as_their_kept_values(files, formula):
    row = [*ROW[:5], formula("=1+1", 2), formula('="a"', "a")]
    assert next(open_table(files.xlsx([HEAD, row])).rows())[1][5:] == [2.0, "a"]


def test_many_errors_across_read_chunks_are_all_seen(files, formula, monkeypatch):
    monkeypatch.setattr(workbook_safety, "_CHUNK", 1000)
    rows = [[*ROW[:5], 1.0, formula("=1/0", "#DIV/0!")] for _ in range(300)]
    table = open_table(files.xlsx([HEAD, *rows]))
    assert [cells[6] for _, cells in table.rows()] == ["#DIV/0!"] * 300


def test_errors_are_looked_for_on_the_sheet_that_is_read(files, formula):
    other = [[formula("=1/0", "#REF!")] * 7] * 3
    path = files.xlsx(None, sheets={"说明": other, "数据": [HEAD, ROW]})
    table = open_table(path)
    assert [cells for _, cells in table.rows()] == [ROW]
    assert [(notice.code, notice.facts) for notice in table.notices] == [
        ("other_sheets", {"sheets": ("说明",)})
    ]


def test_errors_without_a_place_refuse_the_file(files, formula):
    path = files.xlsx([HEAD, [*ROW[:6], formula("=1/0", "#DIV/0!")]])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda text: text.replace(b'<c r="G2"', b"<c "))
    assert problem_of(path).code == "formula_errors_unplaced"


def test_the_sheet_with_a_head_is_taken(files):
    path = files.xlsx(None, sheets={"空": [], "数据": [["x"], HEAD, ROW]})
    table = open_table(path)
    assert (table.sheet, table.head.line, table.notices) == ("数据", 2, ())


def test_several_sheets_with_heads_are_the_owners_to_decide(files):
    problem = problem_of(files.xlsx(None, sheets={"一月": [HEAD, ROW], "二月": [HEAD, ROW]}))
    assert (problem.code, problem.facts) == ("several_sheets", {"sheets": ("一月", "二月")})


def test_a_book_without_a_head_says_what_its_best_sheet_lacks(files):
    path = files.xlsx(None, sheets={"说明": [["甲"]], "数据": [HEAD[:4], ROW[:4]]})
    assert problem_of(path).facts["missing"] == ("item", "amount")
    assert problem_of(files.xlsx([])).code == "empty_file"


def rewrite(path, part, change):
    """Change one part of a zip."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("keep", [10, 600, 0.5, 0.9, 0.99])
def test_a_truncated_book_is_damaged(files, keep):
    path = files.xlsx([HEAD, *[ROW] * 200])
    data = path.read_bytes()
    cut = data[: keep if isinstance(keep, int) else int(len(data) * keep)]
    assert problem_of(files.raw("cut.xlsx", cut)).code == "damaged_workbook"


@pytest.mark.parametrize("keep", [8, 100, 512, 1000])
def test_a_truncated_old_book_is_damaged(files, keep):
    data = files.xls([HEAD, *[ROW] * 200]).read_bytes()
    problem = problem_of(files.raw("cut.xls", data[:keep]))
    assert problem.code in {"damaged_workbook", "unsupported_format"}


@pytest.mark.parametrize("seed", range(40))
def test_damaged_books_are_refused_or_read_but_never_crash(book, files, seed):
    data = bytearray(book([HEAD, *[ROW] * 20]).read_bytes())
    for step in range(8):
        data[(seed * 7919 + step * 104_729) % len(data)] ^= 0x55 + seed
    try:
        rows = list(open_table(files.raw("dented", bytes(data))).rows())
    except FileRefused as wrong:
        rows = [(1, [problem.message("zh") for problem in wrong.problems])]
    assert all(cells for _, cells in rows)


def test_a_flipped_bit_in_the_data_is_found_by_its_checksum(files):
    path = files.xlsx([HEAD, ROW])
    with zipfile.ZipFile(path) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
        name, extra = struct.unpack_from("<HH", path.read_bytes(), part.header_offset + 26)
    data = bytearray(path.read_bytes())
    data[part.header_offset + 30 + name + extra + part.compress_size // 2] ^= 1
    assert problem_of(files.raw("flipped.xlsx", bytes(data))).code == "damaged_workbook"


def test_a_zip_bomb_is_refused_before_it_is_opened(files):
    path = files.xlsx([HEAD, ROW])
    rewrite(path, "xl/worksheets/sheet1.xml", lambda text: text + b" " * (80 << 20))
    problem = problem_of(path)
    assert (problem.code, problem.facts["reason"]) == ("workbook_too_large", "> 300 : 1")


def test_a_book_beyond_the_size_limit_is_refused(files, monkeypatch):
    monkeypatch.setattr(workbook_safety, "MAX_UNPACKED", 10_000)
    assert problem_of(files.xlsx([HEAD, *[ROW] * 500])).code == "workbook_too_large"


@pytest.mark.parametrize(
    "stray",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c\n r='ZZ1048576'><v>1</v></c></row>",
        '<row r="1048576"><c\tr="BH1048576"><v>1</v></c></row>',
        '<row r="3"><c r="XFD3"><v>1</v></c></row>',
    ],
)
def test_one_stray_cell_in_the_last_corner_allocates_nothing(files, stray):
    path = files.xlsx([HEAD, ROW])
    rewrite(
        path,
        "xl/worksheets/sheet1.xml",
        lambda text: text.replace(b"</sheetData>", stray.encode() + b"</sheetData>"),
    )
    assert problem_of(path).code == "workbook_too_large"


@pytest.mark.parametrize("stray", ['<row r="999999"><c r="Z999999"><v>1</v></c></row>', ""])
def test_a_long_sheet_is_no_large_one(files, stray):
    path = files.xlsx([HEAD, ROW])
    rewrite(
        path,
        "xl/worksheets/sheet1.xml",
        lambda text: text.replace(b"</sheetData>", stray.encode() + b"</sheetData>"),
    )
    workbook_safety.inspect(path)


def test_a_password_is_named(files):
    book = files.xlsx([HEAD, ROW])
    data = bytearray(book.read_bytes())
    for found in re.finditer(b"PK\x01\x02", bytes(data)):
        data[found.start() + 8] |= 1
    assert problem_of(files.raw("locked.xlsx", bytes(data))).code == "encrypted_workbook"
    old = files.xls([HEAD, ROW]).read_bytes()
    at = old.index(struct.pack("<HH", 0x0809, 16)) + 20
    kind, length = struct.unpack_from("<HH", old, at)
    assert kind
    locked = old[:at] + struct.pack("<HH", 0x002F, length) + old[at + 4 :]
    assert problem_of(files.raw("locked.xls", locked)).code == "encrypted_workbook"


def test_a_protected_xlsx_lies_in_a_compound_file(files):
    data = files.xls([HEAD, ROW]).read_bytes()
    name = "Workbook".encode("utf-16-le")
    at = data.index(name)
    entry = bytearray(data)
    new = "EncryptedPackage".encode("utf-16-le")
    entry[at : at + len(new)] = new
    entry[at + 64 : at + 66] = struct.pack("<H", len(new) + 2)
    assert problem_of(files.raw("p.xlsx", bytes(entry))).code == "encrypted_workbook"


def test_other_zips_and_compound_files_are_no_tables(files):
    path = files.folder / "letter.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert problem_of(path).facts == {"format": "ZIP"}
    data = files.xls([HEAD, ROW]).read_bytes()
    renamed = data.replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le"))
    assert problem_of(files.raw("letter.doc", renamed)).facts == {"format": "OLE"}


def test_small_and_large_old_books_are_both_walked(files, formula):
    rows = [[*ROW[:6], formula("", "#REF!") if n == 7_000 else "x"] for n in range(8_000)]
    table = open_table(files.xls([HEAD, *rows]))
    found = [(line, cells[6]) for line, cells in table.rows() if cells[6] != "x"]
    assert found == [(7_002, "#REF!")]


def test_a_workbook_kept_among_the_small_streams_is_walked_too(files, formula):
    """Rearrange an .xls so that its stream is a chain of small sectors, as MS-CFB allows."""
    data = bytearray(files.xls([HEAD, [*ROW[:6], formula("", "#REF!")]]).read_bytes())
    entry = data.index("Workbook".encode("utf-16-le"))
    root = data.index("Root Entry".encode("utf-16-le"))
    start, size = struct.unpack_from("<II", data, entry + 116)
    struct.pack_into("<II", data, root + 116, start, size)
    struct.pack_into("<I", data, entry + 116, 0)
    small, sectors = (len(data) - 512) // 512, -(-size // 512)
    order = [0, 2, 1, *range(3, sectors), 0xFFFFFFFE]  # two of them change places
    one, two = (slice(512 + 512 * (start + at), 1024 + 512 * (start + at)) for at in (1, 2))
    data[one], data[two] = data[two], data[one]
    chain = dict(pairwise(order))
    data += struct.pack("<128I", *(chain.get(at, 0xFFFFFFFF) for at in range(128)))
    struct.pack_into("<H", data, 32, 9)  # small sectors as large as the others
    struct.pack_into("<III", data, 56, 1 << 30, small, 1)
    (table,) = struct.unpack_from("<I", data, 76)
    struct.pack_into("<I", data, 512 + table * 512 + small * 4, 0xFFFFFFFE)
    path = files.raw("small.xls", bytes(data))
    assert binary_sheets.inspect(path).error_cells(0) == {2: {6: "#REF!"}}


@pytest.mark.parametrize(
    ("letters", "number"), [(b"A", 1), (b"Z", 26), (b"AA", 27), (b"XFD", 16384)]
)
def test_columns_are_numbered_by_their_letters(letters, number):
    assert sheet_markup.column_number(letters) == number
