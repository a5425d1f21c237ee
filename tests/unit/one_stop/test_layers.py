"""基本 → 大病 → 救助: the worked examples of the paper (§3.4), boundaries and ceilings."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.one_stop.layers import (
    Cost,
    Layer,
    LayerPolicy,
    OtherFund,
    Segment,
    YearSoFar,
    by_segments,
    cumulative,
    deviations,
    settle,
)

YUAN = 100


def share(text):
    return Fraction(text)


def layer(deductible, *segments, ceiling=None):
    """A layer in yuan: (upper edge or None, share)."""
    return Layer(
        deductible_fen=deductible * YUAN,
        segments=tuple(
            Segment(upto_fen=None if upto is None else upto * YUAN, share=Fraction(part))
            for upto, part in segments
        ),
        ceiling_fen=None if ceiling is None else ceiling * YUAN,
    )


CATASTROPHIC = layer(12_000, (30_000, "0.6"), (100_000, "0.65"), (None, "0.75"))


@pytest.mark.parametrize(
    ("qualified", "paid"),
    [
        (0, 0),
        (12_000, 0),  # the deductible itself is not paid
        (12_001, 60),
        (30_000, 10_800_00),
        (100_000, 56_300_00),
        (150_000, 93_800_00),
    ],
)
def test_catastrophic_by_segments(qualified, paid):
    """150,000 left: 18,000 x 0.6 + 70,000 x 0.65 + 50,000 x 0.75 = 93,800."""
    assert by_segments(qualified * YUAN, CATASTROPHIC) == paid


LIANYUNGANG = layer(200, (10_000, "0.80"), (None, "0.85"))


#: Children and students have ten points more.
LIANYUNGANG_YOUNG = layer(200, (10_000, "0.90"), (None, "0.95"))


@pytest.mark.parametrize(
    ("within", "paid", "young"),
    [
        (200, 0, 0),
        (10_000, 7_840_00, 8_820_00),
        (12_000, 9_540_00, 10_720_00),
    ],
)
def test_basic_of_residents_by_segments(within, paid, young):
    assert by_segments(within * YUAN, LIANYUNGANG) == paid
    assert by_segments(within * YUAN, LIANYUNGANG_YOUNG) == young


#: A city of Shandong, level 3: employees 600 and 86 %, residents 800 and 65 %, both up to 200,000;
#: catastrophic from 14,000 on, up to 400,000.
SHANDONG = LayerPolicy(
    basic=layer(800, (None, "0.65"), ceiling=200_000),
    catastrophic=layer(14_000, (None, "0.6"), ceiling=400_000),
)


@pytest.mark.parametrize(
    ("within", "basic", "catastrophic"),
    [
        (800, 0, 0),
        (20_800, 13_000_00, 0),  # 7,800 are left
        (50_800, 32_500_00, 2_580_00),  # 18,300 - 14,000 = 4,300 x 0.6
        (308_492, 199_999_80, 56_695_32),
        (308_493, 200_000_00, 56_695_80),  # 200,000.45 is above the ceiling
        (2_000_000, 200_000_00, 400_000_00),
    ],
)
def test_ceilings_of_residents_at_level_three(within, basic, catastrophic):
    found = settle(Cost(total_fen=within * YUAN), SHANDONG, YearSoFar())
    parts = found.parts.get("hifp_pay", 0), found.parts.get("hifmi_pay", 0)
    assert parts == (basic, catastrophic)


def test_a_hundred_thousand_with_twenty_outside_the_list():
    policy = LayerPolicy(
        basic=layer(600, (None, "0.6")), catastrophic=layer(20_360, (None, "0.65"))
    )
    found = settle(Cost(total_fen=100_000 * YUAN, own_fen=20_000 * YUAN), policy, YearSoFar())
    assert found.parts["hifp_pay"] == 47_640_00
    assert found.parts["hifmi_pay"] == 7_800_00  # 12,000 enter the layer


STACK = LayerPolicy(
    basic=layer(1_200, (None, "0.65")),
    catastrophic=layer(15_000, (None, "0.6")),
    assistance=layer(0, (None, "0.7")),
)
STACK_COST = Cost(
    total_fen=80_000_00, own_fen=8_000_00, first_share_fen=4_000_00, above_limit_fen=500_00
)


def test_the_full_stack():
    found = settle(STACK_COST, STACK, YearSoFar())
    assert found.within_scope_fen == 67_500_00
    assert found.parts == {"hifp_pay": 43_095_00, "hifmi_pay": 5_643_00, "maf_pay": 13_133_40}
    assert found.person_fen == 18_128_60
    assert sum(found.parts.values()) + found.person_fen == 80_000_00


def test_a_later_settlement_finds_the_deductible_met():
    first = settle(STACK_COST, STACK, YearSoFar())
    again = settle(STACK_COST, STACK, first.year)
    assert again.parts["hifmi_pay"] == 14_643_00  # 24,405 x 0.6: nothing is deducted twice


def test_ceilings_are_yearly():
    policy = LayerPolicy(basic=layer(600, (None, "0.86"), ceiling=200_000))
    year = YearSoFar(basic_paid_fen=199_000_00)
    found = settle(Cost(total_fen=50_000_00), policy, year)
    assert found.parts["hifp_pay"] == 1_000_00
    assert found.person_fen == 49_000_00
    over = settle(Cost(total_fen=50_000_00), policy, found.year)
    assert over.parts["hifp_pay"] == 0


def test_other_funds_take_their_turn_from_what_is_left():
    policy = LayerPolicy(
        basic=layer(0, (None, "0.5")),
        others=(
            OtherFund(part="cvlserv_pay", share=Fraction(1, 2)),
            OtherFund(part="hifes_pay", share=Fraction(1, 3)),
        ),
    )
    found = settle(Cost(total_fen=1_000_00), policy, YearSoFar())
    assert found.parts == {"hifp_pay": 500_00, "cvlserv_pay": 250_00, "hifes_pay": 83_33}
    assert found.person_fen == 166_67


def test_less_than_nothing_in_scope_is_refused():
    with pytest.raises(ValueError, match="outside"):
        settle(Cost(total_fen=100, own_fen=101), STACK, YearSoFar())


def test_a_settlement_that_does_not_follow_the_policy_is_flagged_with_both_figures():
    found = settle(STACK_COST, STACK, YearSoFar())
    assert deviations(found.parts, found) == []
    [one] = deviations(found.parts | {"maf_pay": 13_133_41}, found)
    assert (one.part, one.settled_fen, one.by_policy_fen) == ("maf_pay", 13_133_41, 13_133_40)
    missing = deviations({"hifp_pay": 43_095_00}, found)
    assert [one.part for one in missing] == ["hifmi_pay", "maf_pay"]


@given(st.lists(st.integers(0, 10**7), max_size=8))
def test_a_year_cut_into_settlements_is_paid_as_one(settlements):
    """累计计算: the sum over settlements is the year's, to the fen."""
    so_far = paid = 0
    for fen in settlements:
        paid += cumulative(so_far, fen, CATASTROPHIC, paid)
        so_far += fen
    assert paid == by_segments(so_far, CATASTROPHIC)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_every_fen_is_paid_by_somebody(total, own, qualified):
    cost = Cost(total_fen=total, own_fen=min(own, total))
    found = settle(cost, STACK, YearSoFar(qualified_fen=qualified))
    assert sum(found.parts.values()) + found.person_fen == total
    assert all(fen >= 0 for fen in found.parts.values())
    assert found.person_fen >= cost.own_fen


#: 救助 70 % up to 50,000 a year; 倾斜救助 of a burden above 10,000: 50 %, above 40,000: 80 %, up to 25,000.
HELPED = LayerPolicy(
    basic=layer(0, (None, "0")),
    assistance=layer(0, (None, "0.7"), ceiling=50_000),
    tilted=layer(10_000, (40_000, "0.5"), (None, "0.8"), ceiling=25_000),
)


@pytest.mark.parametrize(
    ("left", "assisted", "tilted"),
    [
        (0, 0, 0),
        (30_000, 21_000_00, 0),
        (33_333, 23_333_10, 0),  # a burden of 9,999.90
        (33_334, 23_333_80, 10),  # 10,000.20: half of 0.20
        (60_000, 42_000_00, 4_000_00),  # 18,000: half of 8,000
        (90_000, 50_000_00, 15_000_00),  # 40,000, the ceiling of assistance being reached
        (90_001, 50_000_00, 15_000_80),
        (102_500, 50_000_00, 25_000_00),  # 52,500: 15,000 + 80 % of 12,500, just the ceiling
        (110_000, 50_000_00, 25_000_00),
    ],
)
def test_further_assistance_of_what_is_still_a_burden(left, assisted, tilted):
    found = settle(Cost(total_fen=left * YUAN), HELPED, YearSoFar())
    assert (found.parts["maf_pay"], found.tilted_fen) == (assisted + tilted, tilted)
    assert found.person_fen == left * YUAN - assisted - tilted


@given(st.lists(st.integers(0, 6_000_000), max_size=8))
def test_a_year_of_further_assistance_does_not_depend_on_how_it_was_cut(costs):
    year, paid, tilted = YearSoFar(), 0, 0
    for cost in costs:
        found = settle(Cost(total_fen=cost), HELPED, year)
        assert 0 <= found.person_fen <= cost
        year, paid = found.year, paid + found.parts["maf_pay"]
        tilted += found.tilted_fen
    whole = settle(Cost(total_fen=sum(costs)), HELPED, YearSoFar())
    assert (paid, tilted) == (whole.parts["maf_pay"], whole.tilted_fen)


def test_further_assistance_never_pays_more_than_is_left():
    """Earlier settlements paid too little: assistance catches up within its ceiling, and no fen twice."""
    year = YearSoFar(assistance_base_fen=90_000_00, assistance_paid_fen=0)
    found = settle(Cost(total_fen=10_000_00), HELPED, year)
    assert found.parts["maf_pay"] - found.tilted_fen == 7_000_00
    assert (found.tilted_fen, found.person_fen) == (3_000_00, 0)
