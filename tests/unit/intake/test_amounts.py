"""Yuan as people and spreadsheets write it, to whole fen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ledger.domain.money import format_yuan
from settlement.intake.amounts import MAX_FEN, parse_amount, parse_amount_wan
from settlement.intake.cells import BadCell

READS = [
    ("1234.56", 123456),
    ("1,234.56", 123456),
    ("12,345,678.9", 1234567890),
    ("1234", 123400),
    ("0.00", 0),
    (".5", 50),
    ("007.10", 710),
    ("-12.34", -1234),
    ("−12.34", -1234),  # U+2212, as typeset tables write it
    ("１２３．４５", 12345),
    ("１，２３４．５６", 123456),
    ("¥1,234.50", 123450),
    ("￥ 88", 8800),
    ("-¥5.00", -500),
    ("¥-5.00", -500),
    ("\u3000 12.30\xa0", 1230),
    ("\ufeff12.30\u200b", 1230),
    ("12.30\t", 1230),
    ('="12.30"', 1230),
    ("0" * 60 + "1.00", 100),
    ("10000000000000.00", MAX_FEN),
    (1234.56, 123456),
    (1234, 123400),
    (310.0, 31000),
    (0.1, 10),
    (-0.07, -7),
    (1e3, 100000),
    (9999999999999.99, 999999999999999),
]

REFUSED = [
    ("12.345", "too_many_decimals"),
    ("1.000", "too_many_decimals"),
    ("1,23.45", "malformed_thousands"),
    ("1234,567.00", "malformed_thousands"),
    ("1,234,56", "malformed_thousands"),
    (",123", "malformed_thousands"),
    ("1.2e3", "scientific_notation"),
    ("3.30604E+17", "scientific_notation"),
    ("(1,234.56)", "parenthesised_amount"),
    ("（5.00）", "parenthesised_amount"),
    ("--5", "not_an_amount"),
    ("-¥-5", "not_an_amount"),
    ("+5", "not_an_amount"),
    ("5.", "not_an_amount"),
    (".", "not_an_amount"),
    ("1 234.56", "not_an_amount"),
    ("12元", "not_an_amount"),
    ("abc", "not_an_amount"),
    ("-", "not_an_amount"),
    ("NaN", "not_an_amount"),
    ("inf", "not_an_amount"),
    ("１２.３.４", "not_an_amount"),
    ("٣٤.٥٠", "not_an_amount"),  # digits of another script are no figures of ours
    ("²³.⁴⁵x", "not_an_amount"),
    ("#REF!", "formula_error"),
    ("#DIV/0!", "formula_error"),
    ("10000000000000.01", "amount_too_large"),
    ("9" * 400, "amount_too_large"),
    (1e300, "amount_too_large"),
    (10**20, "amount_too_large"),
    (0.1 + 0.2, "too_many_decimals"),
    (0.005, "too_many_decimals"),
    (12.345, "too_many_decimals"),
    (math.nan, "not_an_amount"),
    (math.inf, "not_an_amount"),
    (True, "boolean_cell"),
]


@pytest.mark.parametrize(("cell", "fen"), READS)
def test_reads_yuan(cell, fen):
    assert parse_amount(cell) == fen


@pytest.mark.parametrize(("cell", "code"), REFUSED)
def test_refuses_what_is_no_amount_in_yuan(cell, code):
    with pytest.raises(BadCell) as refused:
        parse_amount(cell)
    assert refused.value.code == code


@pytest.mark.parametrize("cell", ["", "  ", "\u3000", None, '=""'])
def test_an_empty_cell_is_empty_and_never_zero(cell):
    assert parse_amount(cell) is None
    assert parse_amount_wan(cell) is None


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("717.795", 717_795_000),
        ("0.000001", 1),
        ("1", 1_000_000),
        ("-2.5", -2_500_000),
        ("12,345.678901", 12_345_678_901),
        (717.795, 717_795_000),
        (3, 3_000_000),
    ],
)
def test_reads_wan_yuan_to_the_fen(cell, fen):
    assert parse_amount_wan(cell) == fen


@pytest.mark.parametrize("cell", ["0.0000001", "1.2345678", 1.2345678])
def test_refuses_wan_yuan_beyond_the_fen(cell):
    with pytest.raises(BadCell) as refused:
        parse_amount_wan(cell)
    assert refused.value.code == "too_many_decimals"
    assert refused.value.facts == {"places": 6}


@examples(100)
@given(fen=st.integers(-MAX_FEN, MAX_FEN), grouped=st.booleans())
def test_what_we_write_reads_back(fen, grouped):
    assert parse_amount(format_yuan(fen, grouped=grouped)) == fen


@examples(100)
@given(fen=st.integers(-(10**14), 10**14))
def test_a_spreadsheet_number_reads_to_the_fen(fen):
    assert parse_amount(fen / 100) == fen


@examples(100)
@given(fen=st.integers(0, MAX_FEN))
def test_full_width_digits_read_like_narrow_ones(fen):
    wide = format_yuan(fen).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.,"})
    assert parse_amount(wide) == fen


@examples(100)
@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused_by_name(text):
    try:
        fen = parse_amount(text)
    except BadCell:
        return
    assert fen is None or abs(fen) <= MAX_FEN
