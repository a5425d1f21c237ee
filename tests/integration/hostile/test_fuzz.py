"""Bytes changed at random in files that are right: a table, a refusal, never anything else.

``MEDFUND_TEST_SEARCH=50`` tries fifty times as many, other ones each time (docs/settings.md).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from settlement.intake.readers import open_table
from settlement.intake.rejections import FileRefused
from settlement.setup_file import SetupFile, SetupRejected, read_setup

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390"]
first_month = "2023-01"
[[institutions]]
code = "H33060400001"
name = "第一人民医院"
level = 3
[[targets]]
indicator = "expenditure_growth_ytd"
fund = "390"
year = 2023
at_most = "10.00"
[[policies]]
name = "x"
effective = 2023-01-01
[policies.content]
rates = [1, 2.5, "a"]
"""

#: Places as shares of the length, and what stands there then; negative lengths cut the file.
_CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.one_of(st.binary(max_size=6), st.integers(1, 64))),
    min_size=1,
    max_size=8,
)


def damaged(data: bytes, changes) -> bytes:
    """Overwrite, insert into and cut a file."""
    changed = bytearray(data)
    for place, what in changes:
        at = int(place * len(changed))
        if isinstance(what, int):
            del changed[at : at + what]
        elif len(what) % 2:
            changed[at:at] = what
        else:
            changed[at : at + len(what)] = what
    return bytes(changed)


def read(path) -> None:
    """Read a file whole, in rows and in blocks; only a refusal may come of it."""
    try:
        table = open_table(path)
        rows = list(table.rows())
        blocks = list(table.blocks())
    except FileRefused as refused:
        for problem in refused.problems:
            problem.document("zh")
        return
    assert all(isinstance(line, int) for line, _ in rows)
    assert blocks is not None


@examples(150)
@given(changes=_CHANGES)
def test_a_damaged_workbook(files, changes):
    """Defect: letting BadZipFile, struct.error or a panic of the reader through."""
    read(files.raw("f.xlsx", damaged(files.zipped(files.parts()).read_bytes(), changes)))


@examples(250)
@given(changes=_CHANGES)
def test_a_damaged_sheet_in_a_sound_zip(files, changes):
    """Defect: trusting the XML because the checksum is right."""
    parts = files.parts()
    parts["xl/worksheets/sheet1.xml"] = damaged(parts["xl/worksheets/sheet1.xml"], changes)
    read(files.zipped(parts))


@pytest.mark.parametrize(
    "part",
    ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"],
)
@examples(60)
@given(changes=_CHANGES)
def test_a_damaged_part_in_a_sound_zip(files, part, changes):
    """Defect: asking workbook.xml for the sheets without expecting it to be broken."""
    parts = files.parts()
    parts[part] = damaged(parts[part], changes)
    read(files.zipped(parts))


@examples(300)
@given(changes=_CHANGES)
def test_a_damaged_old_workbook(files, changes):
    """Defect: following sector numbers and record lengths wherever they lead."""
    read(files.raw("f.xls", damaged(files.xls(), changes)))


@examples(300)
@given(changes=_CHANGES, encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]))
def test_a_damaged_text(files, changes, encoding):
    """Defect: letting UnicodeDecodeError or csv.Error through, in rows or in blocks."""
    text = files.text(*[("SJ2", '"2023-01-05"', "330604", "390", "个人缴费", "1.00", '"a\nb"')] * 5)
    read(files.raw("f.csv", damaged(text.decode().encode(encoding), changes)))


@examples(300)
@given(changes=_CHANGES)
def test_a_damaged_setup_file(files, changes):
    """Defect: letting RecursionError, ValueError or OverflowError of the TOML reader through."""
    try:
        found = read_setup(files.raw("s.toml", damaged(SETUP.encode(), changes)))
    except SetupRejected as rejected:
        rejected.document("zh")
        return
    assert isinstance(found, SetupFile)
