"""Workbooks made to bring the process down: refused in one sentence, within memory and time.

Each docstring names the defect that makes its test fail.
"""

import re
import struct
import zipfile

import pytest

from settlement.intake.readers import open_table

#: A cell far out makes the reader allocate every place before it.
FAR = {
    "spaces around the sign": b'<row r="1048576"><c r = "XFD1048576"><v>1</v></c></row>',
    "small letters": b'<row r="9999"><c r="xfd99999"><v>1</v></c></row>',
    "leading zeros": b'<row r="9"><c r="AZ0001048575"><v>1</v></c></row>',
    "no references": b'<row r="3">'
    + b"<c><v>1</v></c>" * 16_384
    + b'</row><row r="99999"><c><v>1</v></c></row>',
    "beyond the format": b'<row r="1048577"><c r="AAAA1048577"><v>1</v></c></row>',
    "last row": b'<row r="1048576"><c r="AZ1048576"><v>1</v></c></row>',
}


@pytest.mark.parametrize("markup", FAR.values(), ids=FAR)
def test_a_cell_far_out_allocates_nothing(files, bounded, markup):
    """Defect: looking for far references in one spelling only; the process is aborted."""
    ended = bounded("intake", "--dry-run", files.with_rows(markup))
    assert ended.code == 2
    assert "too large" in ended.out or "damaged" in ended.out
    assert ended.peak_mib < 300


def test_a_comment_full_of_error_cells_takes_no_minutes(files, bounded):
    """Defect: a pattern that looks for the end of every error cell to the end of the part."""
    ended = bounded(
        "intake", "--dry-run", files.with_rows(b"<!--" + b'<c t="e">' * 200_000 + b"-->")
    )
    assert (ended.code, ended.peak_mib < 300) == (0, True)


@pytest.mark.parametrize("announced", [1 << 26, (1 << 32) - 1])
def test_strings_that_are_only_announced_allocate_nothing(files, bounded, announced):
    """Defect: not comparing uniqueCount with a bound; the reader reserves 24 bytes for each."""
    parts = files.parts()
    parts["xl/sharedStrings.xml"] = re.sub(
        rb'uniqueCount="[0-9]+"', b'uniqueCount="%d"' % announced, parts["xl/sharedStrings.xml"]
    )
    ended = bounded("intake", "--dry-run", files.zipped(parts))
    assert (ended.code, "too large" in ended.out) == (2, True)


def test_millions_of_shared_strings_are_too_many(files, bounded):
    """Defect: bounding the unpacked size only; each string of two bytes takes 64."""
    parts = files.parts()
    many = b"".join(b"<si><t>%d</t></si>" % n for n in range(1_500_000))
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace(
        b"</sst>", many + b"</sst>"
    )
    ended = bounded("intake", "--dry-run", files.zipped(parts))
    assert (ended.code, ended.peak_mib < 700) == (0, True)
    assert len(many) * 3 < 1 << 27  # eight times as many would be refused; this many are read


def test_entities_are_never_expanded(files, bounded):
    """Defect: reading a part strictly without refusing a DOCTYPE (ten entities of ten of ten…)."""
    parts = files.parts()
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "0123456789">{entities}]><worksheet'
    parts["xl/worksheets/sheet1.xml"] = (
        parts["xl/worksheets/sheet1.xml"]
        .replace(b"<worksheet", doctype.encode(), 1)
        .replace(b"<v>0</v>", b"<v>&e29;</v>")
    )
    ended = bounded("intake", "--dry-run", files.zipped(parts))
    assert (ended.code, "DOCTYPE" in ended.out) == (2, True)


def test_a_zip_of_very_many_parts_is_not_listed(files, bounded):
    """Defect: opening the zip before looking how long its list of parts is."""
    path = files.zipped(files.parts())
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(30_000):
            archive.writestr(zipfile.ZipInfo(f"part-{number:06}"), b"")
    ended = bounded("intake", "--dry-run", path)
    assert (ended.code, "list of parts" in ended.out) == (2, True)


def test_two_parts_of_one_name_are_refused(files, bounded):
    """Defect: inspecting one of them and reading the other: its errors would count as empty."""
    parts = files.parts()
    path = files.zipped(parts)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/Sheet1.xml", parts["xl/worksheets/sheet1.xml"])
    ended = bounded("intake", "--dry-run", path)
    assert (ended.code, "two parts of one name" in ended.out) == (2, True)


def test_a_declared_size_that_lies_is_not_believed(files, bounded):
    """Defect: bounding by the size that the zip declares: 80 MiB behind a declared 10 bytes."""
    parts = files.parts()
    parts["xl/worksheets/sheet1.xml"] += b" " * (80 << 20)
    path = files.zipped(parts)
    data = bytearray(path.read_bytes())
    for found in re.finditer(b"PK\x01\x02", bytes(data)):
        struct.pack_into("<I", data, found.start() + 24, 10)
    ended = bounded("intake", "--dry-run", files.raw("lies.xlsx", bytes(data)))
    assert (ended.code, ended.peak_mib < 300) == (2, True)


def test_dimensions_of_an_old_workbook_are_not_believed(files, bounded):
    """Defect: handing an .xls on without reading DIMENSIONS: the reader reserves that many cells."""
    data = bytearray(files.xls())
    at = data.index(struct.pack("<HH", 0x0200, 14))
    struct.pack_into("<IIHH", data, at + 4, 0, 1 << 20, 0, 1 << 14)
    ended = bounded("intake", "--dry-run", files.raw("huge.xls", bytes(data)))
    assert (ended.code, "DIMENSIONS" in ended.out) == (2, True)


def test_a_cell_beyond_the_last_column_of_an_old_workbook_is_damage(files, bounded):
    """Defect: not checking columns: 65,536 × 65,536 places are allocated."""
    data = bytearray(files.xls())
    at = data.index(struct.pack("<HHHH", 0x00FD, 10, 1, 6))
    struct.pack_into("<HH", data, at + 4, 0xFFFF, 0xFFFF)
    ended = bounded("intake", "--dry-run", files.raw("far.xls", bytes(data)))
    assert (ended.code, "column 65536" in ended.out) == (2, True)


ERRORS = [
    b'<c r="G2" t="e"><v>#REF!</v></c>',
    b'<c r="G2" t = "e"><v>#REF!</v></c>',
    b"<c t='e' r='G2'><v>#REF!</v></c>",
    b'<c r="G2" x=">" t="e"><v>#REF!</v></c>',
    b'<c r="G2"\n\tt="e"><v><![CDATA[#REF!]]></v></c>',
]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_in_any_spelling_is_never_an_empty_cell(files, error):
    """Defect: looking for t="e" only as spreadsheets write it; the note comes in as empty."""
    parts = files.parts()
    sheet = parts["xl/worksheets/sheet1.xml"]
    changed = re.sub(rb'<c r="G2"[^>]*>.*?</c>', lambda _: error, sheet)
    assert changed != sheet
    path = files.zipped(parts | {"xl/worksheets/sheet1.xml": changed})
    assert [cells[6] for _, cells in open_table(path).rows()] == ["#REF!"]


def test_a_sheet_with_prefixes_reads_like_any_other(files):
    """Defect: refusing (or misreading) what is only spelled otherwise."""
    parts = files.parts()
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    prefixed = re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", sheet).replace("xmlns=", "xmlns:x=")
    path = files.zipped(parts | {"xl/worksheets/sheet1.xml": prefixed.encode()})
    assert [cells[5] for _, cells in open_table(path).rows()] == ["1234.56"]
