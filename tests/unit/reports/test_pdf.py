"""Tables on paper: every figure is there, whole, under its heads, on numbered pages with room to sign."""

import re
from pathlib import Path

import pytest
import reportlab
from hypothesis import given
from hypothesis import strategies as st
from support.printed import printed_pages

from projections.reports.model import Column, Kind, Table, table
from projections.reports.pages import for_signing, lay_out, wrapped
from projections.reports.pdf import PrintFontUnusable, to_pdf

COLUMNS = (
    Column("单据号"),
    Column("摘要"),
    Column("金额(元)", Kind.FEN),
)
VERA = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"


def rows(count: int) -> list[tuple]:
    return [(f"D-{number:04d}", "拨付住院费", number * 100) for number in range(1, count + 1)]


def of(count: int, **how) -> Table:
    return table("基金拨付表", COLUMNS, rows(count), notes=["截至日志位置 9"], **how)


def letters(text: str, size: int) -> float:
    """Measure as a typewriter does: a Chinese character is twice as wide as a letter."""
    return sum(size if ord(letter) > 255 else size / 2 for letter in text)


def test_every_page_has_heads_and_number_and_every_row_is_printed_once():
    pages = printed_pages(to_pdf([of(150)]))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert {"单据号", "摘要", "金额(元)", "基金拨付表"} <= set(page)
        assert f"第 {number} 页 共 {len(pages)} 页" in page
    printed = [line for page in pages for line in page if line.startswith("D-")]
    assert printed == [number for number, _, _ in rows(150)]
    assert "150.00" in pages[-1]
    assert "截至日志位置 9" in pages[0]


def test_people_sign_at_the_end_of_every_sheet():
    tables = for_signing([of(3), of(2, below=True), of(60)], ("制单:", "复核:"))
    pages = printed_pages(to_pdf(tables, foot="330604"))
    assert [("制单:" in page, "复核:" in page) for page in pages] == [
        (True, True),
        *[(False, False)] * (len(pages) - 2),
        (True, True),
    ]
    assert pages[0].count("基金拨付表") == 2, "a table below another one shares its page"
    assert all("330604" in page for page in pages)


def test_the_same_tables_give_the_same_bytes():
    first, again = to_pdf([of(90)]), to_pdf([of(90)])
    assert first == again
    assert not re.search(rb"D:20[12345]", first), "no time of printing"


def test_a_named_font_is_embedded_and_the_bytes_stay_the_same():
    latin = table("Payments", [Column("No.")], [("A-1",)])
    first = to_pdf([latin], lang="en", font=VERA)
    assert b"FontFile2" in first
    assert first == to_pdf([latin], lang="en", font=VERA)
    assert b"FontFile2" not in to_pdf([latin])


@pytest.mark.parametrize("content", [None, b"no font"])
def test_a_font_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None):
    path = tmp_path / "song.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PrintFontUnusable) as refused:
        to_pdf([of(1)], font=path)
    assert str(path) in refused.value.message("zh")


def test_many_columns_lie_across_and_figures_stay_whole():
    columns = [Column(f"第{number}项金额(元)", Kind.FEN) for number in range(8)]
    wide = table("宽表", columns, [[123_456_789_012] * 8])
    (page,) = lay_out([wide], letters)
    assert (page.width, page.height) == (842, 595)
    assert [one.text for one in page.words].count("1,234,567,890.12") == 8


def test_a_row_higher_than_a_page_goes_on_overleaf():
    tall = table("长摘要", [Column("单据号"), Column("摘要")], [("D-1", "报销" * 6000)])
    pages = lay_out([tall], letters)
    assert len(pages) > 1
    said = "".join(one.text for page in pages for one in page.words)
    assert said.count("报销") == 6000


def test_what_print_cannot_hold_is_marked_and_nothing_steers():
    pages = printed_pages(to_pdf([table("表", [Column("名称")], [("康\u202e复\U0001f600医院",)])]))
    assert "康〓复〓医院" in pages[0]


@given(st.text(alphabet="ab1 ,.（）医保基金，。", max_size=60), st.integers(20, 120))
def test_breaking_a_text_loses_nothing_but_spaces_and_stays_within_its_room(text: str, width: int):
    lines = wrapped(text, width, 10, letters)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(letters(line, 10) <= width + 1 for line in lines)
