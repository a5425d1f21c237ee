"""Money in whole fen: written as yuan, rounded and split at named places, nothing lost."""

from fractions import Fraction

import pytest

from ledger.domain.money import (
    Money,
    allocate,
    decimal_text,
    fen_share,
    format_yuan,
    round_half_up,
)


@pytest.mark.parametrize(
    ("fen", "grouped", "plain"),
    [
        (0, "0.00", "0.00"),
        (1, "0.01", "0.01"),
        (-1, "-0.01", "-0.01"),
        (99, "0.99", "0.99"),
        (100, "1.00", "1.00"),
        (-12_345, "-123.45", "-123.45"),
        (99_999, "999.99", "999.99"),
        (100_000, "1,000.00", "1000.00"),
        (717_795_000, "7,177,950.00", "7177950.00"),
        (-100_000_000_000_001, "-1,000,000,000,000.01", "-1000000000000.01"),
    ],
)
def test_fen_are_written_as_yuan(fen, grouped, plain):
    assert (format_yuan(fen), format_yuan(fen, grouped=False)) == (grouped, plain)
    assert str(Money(fen)) == grouped


def test_money_adds_subtracts_turns_and_compares():
    assert Money(250) + Money(-100) == Money(150)
    assert Money(250) - Money(300) == Money(-50)
    assert -Money(7) == Money(-7)
    assert sorted([Money(3), Money(-5), Money(0)]) == [Money(-5), Money(0), Money(3)]


@pytest.mark.parametrize("fen", [1.0, "1", True, None, Fraction(1)])
def test_money_is_whole_fen_or_nothing(fen):
    with pytest.raises(TypeError, match="fen must be an int"):
        Money(fen)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        ("1/2", 0, "1"),
        ("-1/2", 0, "-1"),
        ("3/2", 0, "2"),
        ("5/2", 0, "3"),
        ("49/100", 0, "0"),
        ("-149/100", 0, "-1"),
        ("2849/1000", 2, "57/20"),
        ("5/1000", 2, "1/100"),
        ("-5/1000", 2, "-1/100"),
        ("4999999/1000000000", 2, "0"),
        ("150", -2, "200"),
        ("-149", -2, "-100"),
        ("7", 3, "7"),
    ],
)
def test_rounding_is_half_up_away_from_zero(value, digits, rounded):
    assert round_half_up(Fraction(value), digits) == Fraction(rounded)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        ("685/10000", 2, "0.07"),
        ("137/20", 2, "6.85"),
        ("57/2", 2, "28.50"),
        ("-1/3", 2, "-0.33"),
        ("-1/1000", 2, "0.00"),
        ("2/3", 4, "0.6667"),
        ("199/2", 0, "100"),
        ("-199/2", 0, "-100"),
        ("999999/1000000", 2, "1.00"),
        ("1/8", 3, "0.125"),
    ],
)
def test_ratios_are_written_with_a_fixed_number_of_digits(value, digits, text):
    assert decimal_text(Fraction(value), digits) == text


@pytest.mark.parametrize(
    ("fen", "ratio", "share"),
    [(100, "1/3", 33), (101, "1/2", 51), (-101, "1/2", -51), (0, "1/7", 0), (1, "49/100", 0)],
)
def test_a_share_is_rounded_once_to_the_fen(fen, ratio, share):
    assert fen_share(fen, Fraction(ratio)) == share


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, {"甲": 1, "乙": 1}, {"甲": 50, "乙": 50}),
        # 101 by halves: both remainders are equal, the smaller key gets the fen.
        (101, {"H2": 1, "H1": 1}, {"H2": 50, "H1": 51}),
        (100, {"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        # 10 by 5:3:2 → 5, 3, 2 without remainder.
        (10, {"a": 5, "b": 3, "c": 2}, {"a": 5, "b": 3, "c": 2}),
        # 7 by 6:3:1 → 4.2, 2.1, 0.7: the fen left goes to the largest remainder.
        (7, {"a": 6, "b": 3, "c": 1}, {"a": 4, "b": 2, "c": 1}),
        (-7, {"a": 6, "b": 3, "c": 1}, {"a": -4, "b": -2, "c": -1}),
        (5, {"a": 0, "b": 1}, {"a": 0, "b": 5}),
        (0, {"a": 3, "b": 1}, {"a": 0, "b": 0}),
        (1, {"a": 10**18, "b": 10**18 + 1}, {"a": 0, "b": 1}),
    ],
)
def test_an_amount_is_split_by_largest_remainder(total, weights, shares):
    assert allocate(total, weights) == shares


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 0, "b": 0}])
def test_nothing_can_be_split_by_weights_that_are_all_zero(weights):
    with pytest.raises(ValueError, match="positive"):
        allocate(100, weights)


def test_weights_are_never_negative():
    with pytest.raises(ValueError, match="negative"):
        allocate(100, {"a": 2, "b": -1})
