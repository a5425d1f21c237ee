"""Text files made to bring the process down or to be misread: one clear answer, within bounds."""

import csv
import io
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from settlement.intake.amounts import MAX_FEN, parse_amount
from settlement.intake.cells import BadCell, parse_identifier
from settlement.intake.moments import parse_date, parse_moment
from settlement.intake.readers import open_table
from settlement.intake.rejections import FileRefused
from settlement.intake.rejects_file import write_rejects

ROW = ("SJ0001", "2023-01-05", "330604", "390", "个人缴费", "1234.56", "一月")


@pytest.mark.parametrize(
    ("start", "again", "said"),
    [
        (b"", (b",", 10_000_000), "131072"),  # ten million columns
        (b"", (b"x", 200_000_000), "131072"),  # no line end at all
        (b'A2,"', (b"x\n", 5_000_000), "131072"),  # a quote that swallows the file
        (b"", (b"\x00", 1000), "NUL"),
    ],
    ids=["columns", "one line", "open quote", "NUL"],
)
def test_a_file_that_is_no_table_is_refused_within_bounds(files, bounded, start, again, said):
    """Defect: reading a line (or a record) whole before looking how long it is."""
    ended = bounded(
        "intake", "--dry-run", files.raw("t.csv", files.text() + start + again[0] * again[1])
    )
    assert (ended.code, said in ended.out, ended.peak_mib < 300) == (2, True, True)


def test_seven_million_empty_cells_above_the_head_are_no_head(files, bounded):
    """Defect: looking every one of them up as a head of every format."""
    path = files.raw("t.csv", b"," * 7_000_000 + b"\n" + files.text())
    ended = bounded("intake", "--dry-run", path)
    assert (ended.code, ended.peak_mib < 400) == (0, True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("".encode("utf-16"), "unsupported_format"),
        ("单据号,金额\n".encode("utf-16-le"), "binary_content"),
        ("单据号,金额\n".encode("utf-16-be"), "binary_content"),
        (b"\xed\xa0\x80,x\n", "undecodable"),  # half a surrogate pair
        ("医保基金,".encode() + "医保基金\n".encode("gb18030"), "undecodable"),
        ("医保基金,".encode("gb18030") + "医保\n".encode() + b"\xff\n", "undecodable"),
        (b"doc_no,date,area,fund,item,amount,doc_no\n", "duplicate_column"),
        (b"PK\x03\x04 is no zip", "damaged_workbook"),
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"\xff" * 600, "damaged_workbook"),
    ],
)
def test_what_cannot_be_read_for_sure_is_refused(files, data, code):
    """Defect: decoding with errors="replace", or trying encodings until one fits."""
    with pytest.raises(FileRefused) as refused:
        list(open_table(files.raw("t.csv", data)).rows())
    assert refused.value.problems[0].code == code


def test_a_mark_in_the_middle_is_content_and_refused_in_an_id(files):
    """Defect: dropping every byte-order mark: two ids become one."""
    rows = list(open_table(files.raw("t.csv", files.text(("SJ\ufeff2", *ROW[1:])))).rows())
    assert rows[1][1][0] == "SJ\ufeff2"
    with pytest.raises(BadCell, match="control_character"):
        parse_identifier(rows[1][1][0])


@pytest.mark.parametrize("mark", ["\u200b", "\u200d", "\u202e", "\u2066", "\x1b", "\x00", "\u00ad"])
def test_an_id_with_a_mark_that_cannot_be_seen_is_refused(mark):
    """Defect: allowing format characters: two ids that look alike would be two documents."""
    with pytest.raises(BadCell, match="control_character"):
        parse_identifier(f"SJ{mark}1")


WRONG_AMOUNTS = [
    "1e400", "1E5", "0x10", "+1", "1,23,4.5", "999999999999999999999", "NaN", "Infinity", "-inf",
    "١٢٣", "1²", "①", "½", "⒈50", "𝟏𝟐", "1_000", "1 000", "--1", "1-", "(5)", "0.001", "1.2.3", "٫5",
    "12.3４５６", "1'000", "¥", "%", "5%", "=1+1", "Ⅻ", "一百", float("nan"), float("inf"), 1e300, True,
]  # fmt: skip


@pytest.mark.parametrize("cell", WRONG_AMOUNTS, ids=str)
def test_what_is_no_amount_for_sure_is_refused(cell):
    """Defect: full NFKC (1² is 12, ① is 1), int() or Decimal() on whatever they take (١٢٣, 1_000)."""
    with pytest.raises(BadCell):
        parse_amount(cell)


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("９９", 9900),
        ("-0.00", 0),
        ("￥１，２３４．５", 123450),
        ("\u22125", -500),
        (-0.0, 0),
        ("'-5", -500),
    ],
)
def test_what_is_an_amount_is_read_exactly(cell, fen):
    """Defect: any rounding on the way, or losing a sign."""
    assert parse_amount(cell) == fen


@pytest.mark.parametrize(
    "cell",
    ["2023-02-29", "0000-00-00", "9999-12-31", "99999-01-01", "2023-0²-01", "２０２３-٠1-01", 45000.5, 1e300,
     "2023-01-05T12:30:00+08:00", "2023-W01-1", "1900-01-01", float("nan"), True, "20230229"],
)  # fmt: skip
def test_what_is_no_day_is_refused(cell):
    """Defect: leaving a date to a library that is glad to guess."""
    with pytest.raises(BadCell):
        parse_date(cell)


@pytest.mark.parametrize(
    "cell", ["2023-01-05 12:30+08", "2023-01-05 12:30-01", "2023-01-05T12:30Z.."]
)
def test_a_moment_with_a_zone_is_refused(cell):
    """Defect: fromisoformat on any 19 characters; a moment with a zone compares with no other."""
    with pytest.raises(BadCell):
        parse_moment(cell)


_LIKE_AMOUNTS = st.text("0123456789.,-+ ¥()eE０１．，²①١", max_size=24)


@examples(400)
@given(text=_LIKE_AMOUNTS)
def test_every_accepted_amount_is_what_decimal_reads(text):
    """Defect: a shortcut for the usual shape that takes an unusual one (cutting at a fixed place)."""
    try:
        fen = parse_amount(text)
    except BadCell:
        return
    wide = {ord(a): b for a, b in zip("０１．，", "01.,", strict=True)}
    plain = text.translate(wide).replace(",", "").replace("¥", "").replace(" ", "")
    if fen is None:
        assert not plain
        return
    try:
        assert Decimal(fen) == Decimal(plain) * 100
    except InvalidOperation:
        pytest.fail(f"accepted {text!r} as {fen}")
    assert abs(fen) <= MAX_FEN


HOSTILE = [
    "=1+1",
    "+1+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "＝1",
    "'=1",
    "''=1",
    "-12.50",
    "+12",
    '="0012"',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_rejects_file_runs_no_formula_and_reads_back_the_same(files, text):
    """Defect: writing rejected cells as they came; a hospital's cell runs on the clerk's machine."""
    rows = [("SJ2", *ROW[1:6], text), ("SJ3", *ROW[1:5], text, "x")]
    content = io.StringIO()
    csv.writer(content).writerows(rows)
    table = open_table(files.raw("t.csv", files.text() + content.getvalue().encode()))
    target = files.folder / "rejects.csv"
    write_rejects(table, {3: ["=why"], 4: ["why"]}, target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))[1:]
    number = text in {"-12.50", "+12"}
    for cell in [cell for row in written for cell in row]:
        assert (number and cell == text) or not cell.startswith(("=", "+", "-", "@", "＝"))
    again = [cells for _, cells in open_table(target).rows()]
    assert [row[6] for row in again[:1]] == [row[6] for row in written[:1]]
    for kept, came in ((again[0][6], text), (again[1][5], text)):
        assert kept.removeprefix("'") in {came, came.removeprefix("'")}


def test_one_record_of_millions_of_quoted_lines_is_not_held_in_memory(files, bounded):
    """Defect: bounding a line and a cell, but not the record that quoted line ends make of them."""
    path = files.raw("t.csv", files.text() + b",".join([b'"a\n"'] * 8_000_000))
    ended = bounded("intake", "--dry-run", path)
    assert (ended.code, "131072" in ended.out, ended.peak_mib < 300) == (2, True, True)


def test_a_file_that_changes_while_it_is_read_is_refused(files):
    """Defect: checking in one pass and posting in another without asking whether it is the same."""
    table = open_table(files.raw("t.csv", files.text()))
    assert len(list(table.rows())) == 1
    files.raw("t.csv", files.text().replace(b"1234.56", b"9934.56"))
    with pytest.raises(FileRefused) as refused:
        list(table.rows())
    assert refused.value.problems[0].code == "file_unreadable"
    table = open_table(files.raw("t.csv", files.text()))
    table.path.unlink()
    with pytest.raises(FileRefused):
        list(table.blocks())
