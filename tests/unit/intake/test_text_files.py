"""CSV: encodings, delimiters, row numbers, and everything that can be broken."""

import pytest

from settlement.intake import text_files
from settlement.intake.readers import open_table
from settlement.intake.rejections import FileRefused

HEAD = ["单据号", "入账日期", "统筹区", "险种", "项目", "金额", "备注"]
ROW = ["SJ0001", "2023-01-05", "330604", "390", "个人缴费", "1234.56", "一月"]


def code_of(path, **kwargs):
    with pytest.raises(FileRefused) as refused:
        list(open_table(path, **kwargs).rows())
    return refused.value.problems[0]


@pytest.mark.parametrize(
    ("encoding", "decided"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030")],
)
def test_reads_every_encoding_of_the_contract(files, encoding, decided):
    table = open_table(files.csv([HEAD, ROW], encoding=encoding))
    assert table.encoding == decided
    assert list(table.rows()) == [(2, ROW)]


def test_rare_characters_of_gb18030_survive(files):
    row = [*ROW[:-1], "\U00020021㐀𠮷"]  # names outside GBK
    assert list(open_table(files.csv([HEAD, row], encoding="gb18030")).rows()) == [(2, row)]


def test_the_encoding_is_decided_over_the_whole_file(files):
    rows = [["doc_no", "date", "area", "fund", "item", "amount", "note"]]
    rows += [[*ROW[:3], "390", "interest", "1.00", ""] for _ in range(40_000)]
    rows.append([*ROW[:3], "390", "interest", "1.00", "利息"])
    table = open_table(files.csv(rows, encoding="gb18030"))
    assert table.encoding == "gb18030"
    assert list(table.rows())[-1][1][-1] == "利息"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_the_one_whose_head_is_recognised(files, delimiter):
    note = "甲,乙,丙,丁;戊;己;庚;辛\t壬\t癸"
    table = open_table(files.csv([HEAD, [*ROW[:-1], note]], delimiter=delimiter))
    assert list(table.rows()) == [(2, [*ROW[:-1], note])]


def test_lines_are_numbered_as_a_spreadsheet_shows_them(files):
    data = "\r\n".join(
        [
            "某区医保基金收支流水",
            "",
            ",".join(HEAD),
            'A1,2023-01-05,330604,390,个人缴费,1.00,"两行\n备注"',
            "",
            " , ,\u3000",
            "A2,2023-01-05,330604,390,个人缴费,2.00,",
        ]
    )
    table = open_table(files.raw("t.csv", data.encode()))
    assert table.head.line == 3
    assert [(line, cells[0]) for line, cells in table.rows()] == [(4, "A1"), (7, "A2")]
    assert list(table.rows()) == list(table.rows())


def test_a_head_beyond_the_first_twenty_rows_is_not_found(files):
    titles = [["标题"]] * 19
    assert open_table(files.csv([*titles, HEAD, ROW])).head.line == 20
    assert code_of(files.csv([*titles, ["标题"], HEAD, ROW])).code == "unknown_kind"


def test_a_second_head_row_in_the_other_language_is_no_data(files):
    english = ["doc_no", "date", "area", "fund", "item", "amount", "note"]
    table = open_table(files.csv([HEAD, english, ROW, english]))
    assert [line for line, _ in table.rows()] == [3, 4]


def test_old_line_ends_are_line_ends(files):
    data = "\r".join([",".join(HEAD), ",".join(ROW)])
    assert list(open_table(files.raw("mac.csv", data.encode())).rows()) == [(2, ROW)]


def test_the_content_decides_not_the_name(files):
    path = files.csv([HEAD, ROW], name="export.xls", encoding="gb18030", delimiter="\t")
    assert list(open_table(path).rows()) == [(2, ROW)]


def test_a_byte_that_is_no_text_is_named_with_its_line(files):
    data = (",".join(HEAD) + "\n" + ",".join(ROW) + "\n").encode() * 2 + b"\xff\xff\n"
    problem = code_of(files.raw("bad.csv", data))
    assert (problem.code, problem.facts["line"]) == ("undecodable", 5)


def test_a_bad_byte_after_a_mark_is_no_reason_to_guess(files):
    data = b"\xef\xbb\xbfdoc_no\n\xb5\xa5\xbe\xdd"
    problem = code_of(files.raw("bad.csv", data))
    assert (problem.code, problem.facts) == ("undecodable", {"line": 2, "encoding": "UTF-8"})


def test_a_utf8_file_cut_inside_a_character_is_not_read_as_gb18030(files):
    data = ENGLISH.strip() + b",note\n" + LINE.strip() + ",医保基金收入".encode()[:-2]
    assert data.decode("gb18030").endswith("鍖讳繚鍩洪噾鏀跺")  # what the clerk would find booked
    problem = code_of(files.raw("cut.csv", data))
    assert (problem.code, problem.facts) == ("undecodable", {"line": 2, "encoding": "UTF-8"})


def test_a_bad_byte_far_behind_is_found_on_its_line(files):
    line = (",".join(ROW) + "\n").encode()
    data = (",".join(HEAD) + "\n").encode() + line * 40_000 + b"\xb5\xa5,x\n"
    problem = code_of(files.raw("far.csv", data))
    assert (problem.code, problem.facts["line"]) == ("undecodable", 40_002)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "unknown_kind"),
        (b"\n\n\n", "unknown_kind"),
        ("单据号\n".encode("utf-16"), "unsupported_format"),
        (b"doc_no,date\n1\x00,2\n", "binary_content"),
        (b"<html><table><tr><td>doc_no", "unsupported_format"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "unsupported_format"),
        (b"<?xml version='1.0'?><Workbook/>", "unsupported_format"),
        (b"%PDF-1.7", "unsupported_format"),
        (b"\x1f\x8b\x08", "unsupported_format"),
    ],
)
def test_what_is_no_table_is_one_problem(files, data, code):
    assert code_of(files.raw("x.csv", data)).code == code


def test_a_nul_byte_is_named_with_its_line(files):
    assert code_of(files.raw("x.csv", b"a\nb\nc\x00\n")).facts == {"line": 3}


ENGLISH = b"doc_no,date,area,fund,item,amount\n"
LINE = b"A1,2023-01-05,330604,390,interest,1.00\n"


@pytest.mark.parametrize(
    ("tail", "code", "line"),
    [
        (b'A2,"never closed,1\n' + LINE, "malformed_csv", 3),
        (b'A2,"closed"early,1\n', "malformed_csv", 3),
        (b'A2,"' + b"x" * 140_000 + b'"\n', "field_too_long", 3),
        (b'A2,"no end\n' + LINE * 6_000, "field_too_long", 3),
    ],
)
def test_broken_quotes_stop_the_file_at_their_line(files, tail, code, line):
    problem = code_of(files.raw("q.csv", ENGLISH + LINE + tail))
    assert (problem.code, problem.facts["line"]) == (code, line)


def test_a_file_without_line_ends_is_not_read_into_memory(files):
    path = files.raw("one.csv", ENGLISH + b"x" * (10 << 20))
    with pytest.raises(FileRefused) as refused:
        text_files.encoding_of(path)  # before a record is read
    problem = refused.value.problems[0]
    assert (problem.code, problem.facts["line"]) == ("field_too_long", 2)


def test_what_is_no_file_is_one_problem(tmp_path):
    assert code_of(tmp_path).code == "not_a_file"
    assert code_of(tmp_path / "none.csv").code == "file_not_found"


def test_a_file_of_some_other_kind_says_what_is_missing(files):
    problem = code_of(files.csv([["单据号", "入账日期", "险种", "金额"], ["1", "2", "3", "4"]]))
    assert problem.code == "missing_column"
    assert problem.facts["missing"] == ("area", "item")


def test_the_kind_can_be_forced(files):
    path = files.csv([HEAD, ROW])
    assert open_table(path, kind="fund_flows").kind.name == "fund_flows"
    assert code_of(path, kind="claims").code == "missing_column"


def test_the_line_of_a_bad_byte_does_not_depend_on_how_the_file_is_read(files, monkeypatch):
    path = files.raw("bad.csv", "a,医\nb,保\nc,".encode() + b"\xe5\nd\n")
    for size in range(1, 24):
        monkeypatch.setattr(text_files, "_CHUNK", size)
        with pytest.raises(FileRefused) as refused:
            text_files.encoding_of(path)
        assert refused.value.problems[0].facts["line"] == 3, size
