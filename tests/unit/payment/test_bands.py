"""结余留用、超支分担 as tables that a finance person can check, edges on both sides."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.clearing.bands import (
    Band,
    Bands,
    Ratio,
    band_of,
    band_problems,
    banded,
    capped_by_reserve,
    edges_of,
)

#: The common pattern of the paper (§1.6): below 80 % as booked, 80-100 % what is due, then 70 % of
#: the excess up to 110 %.
COMMON = Bands(
    ratio=Ratio.BOOKED_TO_DUE,
    bands=(
        Band(upto=Fraction(80, 100), owns_edge=False, booked=Fraction(1)),
        Band(upto=Fraction(1), due=Fraction(1)),
        Band(upto=Fraction(110, 100), due=Fraction(3, 10), booked=Fraction(7, 10)),
        Band(upto=None, due=Fraction(107, 100)),
    ),
)

YUAN = 100
MILLION = 1_000_000 * YUAN


@pytest.mark.parametrize(
    ("booked", "paid"),
    [
        (700_000, 700_000),
        (799_999, 799_999),
        (800_000, 1_000_000),  # the jump at 80 %
        (900_000, 1_000_000),
        (1_000_000, 1_000_000),
        (1_050_000, 1_035_000),
        (1_100_000, 1_070_000),
        (1_200_000, 1_070_000),
    ],
)
def test_the_common_bands_on_a_due_of_a_million(booked, paid):
    assert banded(COMMON, due_fen=MILLION, booked_fen=booked * YUAN) == paid * YUAN


INVERSE = Bands(
    ratio=Ratio.DUE_TO_BOOKED,
    bands=(
        Band(upto=Fraction(10, 11), owns_edge=False, due=Fraction(107, 100)),
        Band(upto=Fraction(1), owns_edge=False, due=Fraction(3, 10), booked=Fraction(7, 10)),
        Band(upto=Fraction(100, 80), due=Fraction(1)),
        Band(upto=None, booked=Fraction(1)),
    ),
)


@given(
    due=st.integers(1, 10**12),
    booked=st.one_of(st.integers(1, 10**12), st.sampled_from([8, 10, 11]).map(lambda n: n * 10**9)),
)
def test_the_same_rule_written_the_other_way_round_pays_the_same(due, booked):
    """110 % of booked ÷ due is 10/11 of due ÷ booked: exact, so no case falls between the two."""
    assert banded(COMMON, due_fen=due, booked_fen=booked) == banded(
        INVERSE, due_fen=due, booked_fen=booked
    )


@pytest.mark.parametrize("owns", [True, False])
def test_the_policy_says_which_band_owns_an_edge(owns):
    bands = Bands(
        ratio=Ratio.BOOKED_TO_DUE,
        bands=(
            Band(upto=Fraction(1, 3), owns_edge=owns, constant_fen=1),
            Band(upto=None, constant_fen=2),
        ),
    )
    assert banded(bands, due_fen=300, booked_fen=100) == (1 if owns else 2)
    assert banded(bands, due_fen=300, booked_fen=99) == 1
    assert banded(bands, due_fen=300, booked_fen=101) == 2


def test_a_constant_bonus_and_a_jump_need_the_constant():
    bonus = Bands(
        ratio=Ratio.BOOKED_TO_DUE,
        bands=(
            Band(upto=Fraction(9, 10), due=Fraction(1), constant_fen=50_000_00),
            Band(upto=None, due=Fraction(1)),
        ),
    )
    assert banded(bonus, due_fen=MILLION, booked_fen=900_000 * YUAN) == MILLION + 50_000_00
    assert banded(bonus, due_fen=MILLION, booked_fen=900_000 * YUAN + 1) == MILLION


def test_half_a_fen_is_rounded_up_once():
    half = Bands(ratio=Ratio.BOOKED_TO_DUE, bands=(Band(upto=None, due=Fraction(1, 2)),))
    assert banded(half, due_fen=3, booked_fen=1) == 2
    assert banded(half, due_fen=1, booked_fen=1) == 1


def test_a_cap_on_the_whole_payment():
    capped = Bands(
        ratio=Ratio.BOOKED_TO_DUE,
        bands=(Band(upto=None, booked=Fraction(1)),),
        at_most_of_due=Fraction(105, 100),
    )
    assert banded(capped, due_fen=1000, booked_fen=1200) == 1050
    assert banded(capped, due_fen=1000, booked_fen=1050) == 1050
    assert banded(capped, due_fen=1000, booked_fen=900) == 900


def test_nothing_due_is_the_last_band_and_nothing_at_all_pays_nothing():
    assert band_of(COMMON, due_fen=0, booked_fen=1) == 3
    assert banded(COMMON, due_fen=0, booked_fen=500) == 0
    assert banded(COMMON, due_fen=0, booked_fen=0) == 0
    assert banded(COMMON, due_fen=500, booked_fen=0) == 0


@pytest.mark.parametrize(("due", "booked"), [(-1, 5), (5, -1)])
def test_a_negative_amount_is_not_banded(due, booked):
    with pytest.raises(ValueError, match="carried forward"):
        banded(COMMON, due_fen=due, booked_fen=booked)


@pytest.mark.parametrize(
    "bands",
    [
        (),
        (Band(upto=Fraction(1)),),
        (Band(upto=None), Band(upto=None)),
        (Band(upto=Fraction(1)), Band(upto=Fraction(1)), Band(upto=None)),
        (Band(upto=Fraction(2)), Band(upto=Fraction(1)), Band(upto=None)),
        (Band(upto=Fraction(0)), Band(upto=None)),
    ],
)
def test_bands_with_holes_are_refused(bands):
    with pytest.raises(ValueError, match="edge"):
        Bands(ratio=Ratio.BOOKED_TO_DUE, bands=bands)
    assert band_problems(COMMON) == []
    assert edges_of(COMMON) == [Fraction(4, 5), Fraction(1), Fraction(11, 10)]


@pytest.mark.parametrize(
    ("reserve", "borne", "missing"),
    [
        (1000, {"H1": 300, "H2": 100}, 0),
        (400, {"H1": 300, "H2": 100}, 0),
        (399, {"H1": 299, "H2": 100}, 1),
        (100, {"H1": 75, "H2": 25}, 300),
        (1, {"H1": 1, "H2": 0}, 399),
        (0, {"H1": 0, "H2": 0}, 400),
    ],
)
def test_the_reserve_bears_what_it_holds(reserve, borne, missing):
    shared = capped_by_reserve({"H1": 300, "H2": 100, "H3": 0, "H4": -50}, reserve_fen=reserve)
    assert (shared.borne, shared.not_borne_fen) == (borne, missing)
