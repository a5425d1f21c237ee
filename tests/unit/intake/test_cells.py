"""Identifiers, texts, codes, flags and integers."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from settlement.intake.cells import (
    BadCell,
    choice,
    choice_or_code,
    parse_code,
    parse_flag,
    parse_identifier,
    parse_integer,
    parse_text,
    whole_number,
)

at = datetime.fromisoformat


def refused(parse, cell):
    with pytest.raises(BadCell) as caught:
        parse(cell)
    return caught.value.code


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("330604199001011234", "330604199001011234"),
        ("  SJ-2023/001 ", "SJ-2023/001"),
        ("0012\t", "0012"),
        ('="0012"', "0012"),
        ("沪财〔2023〕1号", "沪财〔2023〕1号"),
        ("a\u3000b", "a\u3000b"),
        ("x" * 64, "x" * 64),
        ("", None),
        (" \u200b", None),
        (None, None),
    ],
)
def test_an_identifier_is_kept_as_written(cell, text):
    assert parse_identifier(cell) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (3.30604199001011e17, "numeric_identifier"),
        (12, "numeric_identifier"),
        (12.0, "numeric_identifier"),
        (date(2023, 1, 5), "numeric_identifier"),  # "1-5" as Excel understood it
        (at("2023-01-05T00:00:00"), "numeric_identifier"),
        (True, "boolean_cell"),
        ("x" * 65, "text_too_long"),
        ("a\x00b", "control_character"),
        ("a\nb", "control_character"),
        ("a\u202eb", "control_character"),
        ("a\u200bb", "control_character"),
        ("#NAME?", "formula_error"),
    ],
)
def test_a_damaged_identifier_is_refused(cell, code):
    assert refused(parse_identifier, cell) == code


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("第一\n人民医院 ", "第一\n人民医院"),
        (12, "12"),
        (12.0, "12"),
        (123456789012345 - 1, "123456789012344"),
        (date(2023, 1, 5), "2023-01-05"),
        (at("2023-01-05T03:04:05"), "2023-01-05 03:04:05"),
        ("", None),
        (None, None),
    ],
)
def test_free_text_may_be_a_number_or_a_date(cell, text):
    assert parse_text(cell) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (6.222021234567891e18, "numeric_identifier"),  # an account number that lost digits
        (12.5, "numeric_identifier"),
        ("x" * 501, "text_too_long"),
        ("a\x07", "control_character"),
        ("#VALUE!", "formula_error"),
        (False, "boolean_cell"),
    ],
)
def test_damaged_text_is_refused(cell, code):
    assert refused(parse_text, cell) == code


@pytest.mark.parametrize(
    ("cell", "text"),
    [("21", "21"), (21, "21"), (21.0, "21"), ("２１", "21"), (" I63.900 ", "I63.900"), ("", None)],
)
def test_a_code_may_be_a_short_number(cell, text):
    assert parse_code(cell) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("住院", "malformed_code"),
        ("x" * 31, "malformed_code"),
        ("a b", "malformed_code"),
        (45.1, "numeric_identifier"),
        (True, "boolean_cell"),
    ],
)
def test_a_code_of_other_characters_is_refused(cell, code):
    assert refused(parse_code, cell) == code


@pytest.mark.parametrize(
    ("cell", "number"),
    [("3", 3), ("003", 3), ("３", 3), (3, 3), (3.0, 3), ("", None), (None, None), (" ", None)],
)
def test_reads_an_integer(cell, number):
    assert parse_integer(cell) == number


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("3.0", "not_an_integer"),
        ("三", "not_an_integer"),
        (3.5, "not_an_integer"),
        ("-1", "number_out_of_range"),
        (-1, "number_out_of_range"),
        ("1234567", "number_out_of_range"),
        (True, "boolean_cell"),
    ],
)
def test_refuses_what_is_no_count(cell, code):
    assert refused(parse_integer, cell) == code


@pytest.mark.parametrize(
    ("cell", "flag"),
    [
        ("0", 0),
        ("1", 1),
        (1, 1),
        (0.0, 0),
        (True, 1),
        ("是", 1),
        ("正常", 0),
        ("退费", 1),
        ("", None),
    ],
)
def test_reads_a_flag(cell, flag):
    assert parse_flag(cell) == flag


@pytest.mark.parametrize("cell", ["2", 2, "x", -1])
def test_refuses_what_is_no_flag(cell):
    assert refused(parse_flag, cell) == "not_a_flag"


WORDS = {"310": "310", "职工医保": "310", "dip": "3"}


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (310, "310"),
        (310.0, "310"),
        ("３１０", "310"),
        ("职工 医保", "310"),
        ("DIP", "3"),
        ("", None),
    ],
)
def test_a_choice_reads_codes_and_names(cell, key):
    assert choice(WORDS)(cell) == key


def test_a_choice_refuses_other_words_and_says_what_is_allowed():
    with pytest.raises(BadCell) as caught:
        choice(WORDS, code="unknown_fund")("职保")
    assert caught.value.code == "unknown_fund"
    assert caught.value.facts == {"allowed": ("310", "3"), "named": ("职工医保(310)", "dip(3)")}


def test_an_open_choice_lets_local_codes_pass():
    parse = choice_or_code({"住院": "21"}, digits=2)
    assert [parse(cell) for cell in ("住院", "9901", "21", 1, 21.0, "")] == [
        *("21", "9901", "21", "01", "21"),
        None,
    ]
    assert refused(parse, "康复") == "malformed_code"
    assert refused(parse, "1234567") == "malformed_code"


@examples(100)
@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_whole_number_keeps_its_digits(number):
    assert whole_number(float(number), "x") == str(number)


@examples(100)
@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=64))
def test_printable_identifiers_pass_untouched(text):
    if text[0] not in "#=":
        assert parse_identifier(text) == text
