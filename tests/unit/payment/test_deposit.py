"""质量保证金: both orders to the fen, and what an assessment releases."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.clearing.deposit import (
    DepositOrder,
    ReleaseRule,
    ScoreWithoutRule,
    release,
    withhold,
)

FIVE = Fraction(5, 100)


@pytest.mark.parametrize(
    ("order", "deposit", "payable"),
    [
        (DepositOrder.OF_DECLARED, 40_617_28, 769_382_79),
        (DepositOrder.AFTER_DEDUCTION, 40_500_00, 769_500_07),
    ],
)
def test_the_papers_example(order, deposit, payable):
    """812,345.67 declared, 2,345.60 deducted (§1.7)."""
    found = withhold(812_345_67, 2_345_60, share=FIVE, order=order)
    assert found == (2_345_60, deposit, payable)


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 10**12),
    st.integers(0, 500),
    st.sampled_from(DepositOrder),
)
def test_the_three_parts_add_up_and_nothing_is_withheld_from_a_negative(
    declared, deduction, per_myriad, order
):
    found = withhold(declared, deduction, share=Fraction(per_myriad, 10_000), order=order)
    assert sum(found) == declared
    assert found.deposit_fen >= 0
    if declared <= 0:
        assert found.deposit_fen == 0


def test_more_than_five_percent_is_refused():
    with pytest.raises(ValueError, match="5 %"):
        withhold(100, 0, share=Fraction(501, 10_000), order=DepositOrder.OF_DECLARED)


#: ≥ 90 all of it, 80 to 90 the score as a percentage, below 60 nothing (§1.6): 60 to 80 is a gap.
RULES = (
    ReleaseRule(from_score=Fraction(90), share=Fraction(1)),
    ReleaseRule(from_score=Fraction(80), below=Fraction(90)),
    ReleaseRule(from_score=Fraction(0), below=Fraction(60), share=Fraction(0)),
)


@pytest.mark.parametrize(
    ("score", "released"),
    [("100", 1000), ("90", 1000), ("89.95", 900), ("85", 850), ("80", 800), ("59.99", 0), ("0", 0)],
)
def test_what_a_score_releases(score, released):
    assert release(1000, Fraction(score), RULES) == released


@pytest.mark.parametrize("score", ["60", "70", "79.99"])
def test_a_score_without_a_rule_refuses(score):
    with pytest.raises(ScoreWithoutRule):
        release(1000, Fraction(score), RULES)
