"""The synthetic clearing of the paper (§1.8), at published values and exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.clearing.point_value import (
    POINT,
    average_ratio_value,
    due_at_value,
    fund_only_value,
    fund_part,
    published,
    share_at_value,
    share_exactly,
)

POINTS = {"H1": 520_000 * POINT, "H2": 300_000 * POINT, "H3": 127_500_5000}
DISTRIBUTABLE = 9_500_000_00


def test_the_exact_value():
    value = fund_only_value(DISTRIBUTABLE, sum(POINTS.values()))
    assert f"{float(value):.11f}" == "10.02637993331"
    assert published(value, 4) == Fraction("10.0264")
    assert published(value, 6) == Fraction("10.026380")


@pytest.mark.parametrize(
    ("digits", "due", "difference"),
    [
        (4, {"H1": 5_213_728_00, "H2": 3_007_920_00, "H3": 1_278_371_01}, -19_01),
        (6, {"H1": 5_213_717_60, "H2": 3_007_914_00, "H3": 1_278_368_46}, -6),
    ],
)
def test_a_published_value_over_or_underspends(digits, due, difference):
    value = published(fund_only_value(DISTRIBUTABLE, sum(POINTS.values())), digits)
    found = share_at_value(DISTRIBUTABLE, POINTS, value=value)
    assert (found.due, found.difference_fen) == (due, difference)


def test_exact_sharing_spends_the_budget_to_the_fen():
    found = share_exactly(DISTRIBUTABLE, POINTS)
    assert found.due == {"H1": 5_213_717_57, "H2": 3_007_913_98, "H3": 1_278_368_45}
    assert found.difference_fen == 0


def test_ties_go_to_the_larger_remainder_then_to_the_smaller_code():
    assert share_exactly(5, {"H2": 1, "H1": 1, "H3": 1}).due == {"H2": 2, "H1": 2, "H3": 1}
    assert share_exactly(1, {"H2": 1, "H1": 1}).due == {"H2": 0, "H1": 1}


def test_the_total_cost_family_leaves_the_funds_own_part():
    """Fund 600 and others 400 shared over 500:500 points; H1's patients paid 150, H2's 250."""
    gross = share_exactly(1000, {"H1": 500, "H2": 500})
    own = fund_part(gross, {"H1": 150, "H2": 250})
    assert own.due == {"H1": 350, "H2": 250}
    assert sum(own.due.values()) == 600


def test_an_average_payment_ratio_does_not_conserve_the_fund():
    """70 % on average: at the value for total cost, 700 of fund are worth 1000 of cost."""
    value = average_ratio_value(700_00, 100 * POINT, paid_share=Fraction(7, 10))
    assert value == 10
    assert due_at_value(100 * POINT, value) == 1000_00


def test_no_points_no_value():
    assert share_exactly(100, {"H1": 0}).value is None
    assert share_exactly(100, {"H1": 0}).difference_fen == 100
    with pytest.raises(ValueError, match="points"):
        fund_only_value(100, 0)


_points = st.dictionaries(
    st.text("ABC123", min_size=1, max_size=4), st.integers(0, 10**9), min_size=1
)


@given(st.integers(0, 10**12), _points)
def test_the_budget_is_conserved_and_the_order_of_input_irrelevant(budget, points):
    found = share_exactly(budget, points)
    assert sum(found.due.values()) + found.difference_fen == budget
    again = share_exactly(budget, dict(reversed(points.items())))
    assert again.due == found.due


@given(st.integers(0, 10**10), _points, st.integers(1, 10**7))
def test_more_points_never_lower_what_a_hospital_is_due(budget, points, more):
    """Before bands; a rounded point value does not have this property (docs/clearing.md)."""
    code = min(points)
    before = share_exactly(budget, points)
    after = share_exactly(budget, points | {code: points[code] + more})
    assert after.due[code] >= before.due[code]
