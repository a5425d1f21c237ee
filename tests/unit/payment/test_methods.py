"""Payment methods with the worked examples of the paper, boundaries and rounding included."""

from fractions import Fraction

import pytest

from settlement.clearing.methods import (
    capitation,
    county_community,
    day_ward,
    drg,
    fee_for_service,
    per_diem,
)
from settlement.clearing.methods.capitation import Heads
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.drg import DrgRules, HighTier
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.methods.per_diem import PerDiemCap, Stage

YUAN = 100
RULES = DrgRules()
K3 = DrgRules(high_tiers=(HighTier(upto_points=None, multiple=Fraction(3)),))
BASE = drg.base_points4(15_000 * YUAN, 12_000 * YUAN)
COEFFICIENT = 10_800  # 1.08


def points(value):
    return int(Fraction(value) * drg.POINT)


def test_drg_base_and_complete():
    assert points("125") == BASE
    assert drg.complete_points4(BASE, COEFFICIENT) == points("135")


@pytest.mark.parametrize(
    ("cost", "expected"), [(9_000, "81"), (14_500, "125"), (13_888, "124.992")]
)
def test_drg_incomplete_is_capped_at_the_base(cost, expected):
    found = drg.incomplete_points4(
        BASE, COEFFICIENT, cost_fen=cost * YUAN, average_fen=15_000 * YUAN
    )
    assert found == points(expected)


@pytest.mark.parametrize(
    ("cost", "rules", "expected"),
    [
        (5_999.99, RULES, "50"),  # low multiple: 125 x 0.39999933
        (6_000, RULES, "135"),  # 0.4 itself is normal
        (37_500, RULES, "135"),  # 2.5 itself is normal
        (37_501.5, RULES, "135.0125"),
        (60_000, RULES, "322.50"),  # 125 points fall into the tier k = 2.5
        (60_000, K3, "260.00"),  # the paper's figure, with k = 3 as data
        (45_000, K3, "135"),
    ],
)
def test_drg_low_and_high_multiples(cost, rules, expected):
    found = drg.multiple_points4(
        BASE,
        COEFFICIENT,
        cost_fen=round(cost * YUAN),
        average_fen=15_000 * YUAN,
        rules=rules,
    )
    exact = Fraction(expected) * drg.POINT
    assert found == (499_999 if expected == "50" else exact)


@pytest.mark.parametrize(
    ("base", "multiple"),
    [("100", 3), ("100.0001", Fraction(5, 2)), ("200", Fraction(5, 2)), ("200.0001", 2)],
)
def test_drg_tiers_own_their_upper_edge(base, multiple):
    assert drg.high_multiple(points(base), RULES.high_tiers) == multiple


def test_drg_bed_days_and_readmission():
    assert drg.bed_day_points4(points("3.5"), 42) == points("147")
    assert drg.after_readmission4(points("135"), RULES) == points("67.50")
    assert [drg.is_readmission(days, RULES) for days in (0, 15, 16)] == [True, True, False]


def test_drg_fixed_rate():
    """费率 10,000 yuan for a weight of 1.2345."""
    assert drg.fixed_rate_fen(12_345, Fraction(10_000)) == 12_345_00
    assert drg.fixed_rate_fen(1, Fraction("50")) == 1  # half a fen goes up


STAGES = (
    Stage(upto_day=30, rate_fen=200_00),
    Stage(upto_day=90, rate_fen=160_00),
    Stage(upto_day=None, rate_fen=120_00),
)


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (0, 0),
        (1, 200_00),
        (30, 6_000_00),
        (31, 6_160_00),
        (90, 15_600_00),
        (91, 15_720_00),
        (365, 48_600_00),
    ],
)
def test_per_diem_by_stages(days, due):
    assert per_diem.stay_fen(days, 10**9, stages=STAGES, cap=PerDiemCap.FIXED) == due
    assert sum(per_diem.days_by_stage(days, STAGES)) == days


def test_per_diem_fixed_or_the_lower_of_both():
    stay = {"days": 10, "cost_fen": 1_500_00, "stages": STAGES}
    assert per_diem.stay_fen(**stay, cap=PerDiemCap.LOWER) == 1_500_00
    assert per_diem.stay_fen(**stay, cap=PerDiemCap.FIXED) == 2_000_00


@pytest.mark.parametrize(
    "stages",
    [
        (),
        STAGES[:2],
        (STAGES[2], STAGES[0]),
        (Stage(upto_day=30, rate_fen=1), Stage(upto_day=30, rate_fen=1), STAGES[2]),
    ],
)
def test_per_diem_stages_with_holes_are_told(stages):
    assert per_diem.stage_problems(stages)
    assert per_diem.stage_problems(STAGES) == []


def test_capitation():
    """12,000 heads at 8.50 with factor 1.1, 3,000 at 8.50; 20,000 yuan of visits elsewhere."""
    months = [
        Heads(heads=12_000, rate_fen=8_50, factor=Fraction(11, 10)),
        Heads(heads=3_000, rate_fen=8_50),
    ]
    assert capitation.quota_fen(months) == 137_700_00
    assert capitation.capitation_fen(months, elsewhere_fen=20_000_00) == 117_700_00
    half = capitation.capitation_fen(months, elsewhere_fen=20_000_00, deducted=Fraction(1, 2))
    assert half == 127_700_00
    assert capitation.capitation_fen([], elsewhere_fen=1) == -1


@pytest.mark.parametrize(
    ("booked", "due"),
    [
        (90_000_00, 95_000_00),  # half of what was saved is kept
        (100_000_00, 100_000_00),
        (105_000_00, 103_500_00),  # 70 % of the excess
        (110_000_00, 107_000_00),
        (130_000_00, 107_000_00),  # nothing above 10 %
    ],
)
def test_total_control(booked, due):
    rule = TotalControl(
        saving_kept=Fraction(1, 2), excess_paid=Fraction(7, 10), excess_upto=Fraction(1, 10)
    )
    assert fee_for_service.total_controlled_fen(booked, 100_000_00, rule) == due


def test_without_a_quota_the_booked_amount_is_paid():
    assert fee_for_service.total_controlled_fen(123, None, TotalControl()) == 123
    unlimited = TotalControl(excess_paid=Fraction(1))
    assert fee_for_service.total_controlled_fen(300, 100, unlimited) == 300


def test_day_cases():
    assert day_ward.day_case_fen(3_000_00, 2_800_00, lower=True) == 2_800_00
    assert day_ward.day_case_fen(3_000_00, 2_800_00, lower=False) == 3_000_00
    assert day_ward.day_points4(points("80"), Fraction(9, 10)) == points("72")


def test_a_county_community_keeps_what_it_saved():
    """100m raised, 92 % to distribute; 80m inside and 10m outside spent; assessment 0.95."""
    year = CommunityYear(
        raised_fen=100_000_000_00,
        distributable=Fraction(92, 100),
        inside_fen=80_000_000_00,
        outside_fen=10_000_000_00,
        assessment=Fraction(95, 100),
    )
    found = county_community.community_year(year, {"H1": 2, "H2": 1})
    assert (found.total_fen, found.retained_fen) == (92_000_000_00, 1_900_000_00)
    assert found.members == {"H1": 1_266_666_67, "H2": 633_333_33}


def test_a_county_community_bears_its_share_of_an_overrun():
    year = CommunityYear(
        raised_fen=1_000_00,
        distributable=Fraction(1),
        adjustment_fen=-100_00,
        inside_fen=1_000_00,
        overrun_borne=Fraction(1, 2),
    )
    found = county_community.community_year(year, {"H1": 1, "H2": 1})
    assert (found.total_fen, found.retained_fen) == (900_00, -50_00)
    assert sum(found.members.values()) == -50_00
