"""Worked examples of the field that stand beside those of the methods, as tables to check by hand.

Points by averages (§1.3, §2.1), what a hospital is due of total cost (§1.3, §2.3), the rates of the
synthetic clearing both ways round (§1.6, §1.8), a published value that takes from who has more, and
how many cases may be put up for review (医保办发〔2024〕9号).
"""

from fractions import Fraction

import pytest

from settlement.clearing.methods import dip, drg
from settlement.clearing.month.review_caps import OF_DIP, OF_DRG, ReviewCap
from settlement.clearing.monthly import Counted, due_of_month, rate, value_text
from settlement.clearing.point_value import POINT, fund_only_value, published, share_at_value
from settlement.clearing.policies.file import PolicyRejected, policy_of, read_policy
from settlement.clearing.policies.policy import (
    Budget,
    Cases,
    Dip,
    Family,
    Method,
    PointValue,
    Policy,
    SharingBy,
)

F = Fraction
YUAN = 100


@pytest.mark.parametrize(
    ("group", "area", "dip_points", "drg_points", "weight"),
    [
        ("12000.00", "12000.00", "1000", "100", "1"),
        ("15000.00", "12000.00", "1250", "125", "1.25"),
        ("10000.00", "12000.00", "833.3333", "83.3333", "0.8333"),
        ("20000.00", "12000.00", "1666.6667", "166.6667", "1.6667"),
        ("0.01", "160.00", "0.0625", "0.0063", "0.0001"),  # 0.00625 and 0.0000625: half goes up
    ],
)
def test_points_of_a_group_are_its_average_cost_by_that_of_the_area(
    group, area, dip_points, drg_points, weight
):
    """RW = m ÷ M; 病种分值 = RW x 1000; 基准点数 = RW x 100; 权重 = RW."""
    averages = [int(F(one) * YUAN) for one in (group, area)]
    assert dip.group_points4(*averages) == F(dip_points) * POINT
    assert drg.base_points4(*averages) == F(drg_points) * POINT
    assert drg.weight4(*averages) == F(weight) * POINT


POLICY = """
[policy]
name = "by-averages"
title = "t"
fund = "390"
effective = 2024-01-01
[budget]
year = "1.00"
[[methods]]
name = "m"
kind = "{kind}"
{keys}
groups_file = "groups.csv"
"""
KINDS = [
    ("dip", 'coefficient_default = "1"', 12_500_000),
    ("drg", 'coefficients = { H33060400001 = "1" }', 1_250_000),
    ("drg_rate", 'rate = "1"', 12_500),
]


@pytest.mark.parametrize(("kind", "keys", "points4"), KINDS)
def test_a_policy_may_name_averages_in_place_of_points(kind, keys, points4, tmp_path):
    """A is 15,000.00 of 12,000.00; B has points of its own."""
    path = tmp_path / "policy.toml"
    groups = "病种编码,次均费用,分值\nA,15000.00,\nB,15000.00,7\n"
    (tmp_path / "groups.csv").write_text(groups, encoding="utf-8")
    text = POLICY.format(kind=kind, keys=keys)
    path.write_text(text + 'area_average = "12000.00"\n', encoding="utf-8")
    (method,) = policy_of(read_policy(path)).methods
    found = {code: one.points4 for code, one in method.rules.groups.items()}
    assert found == {"A": points4, "B": 70_000}
    for wrong in (
        "",
        'area_average = "0.01"\n',
    ):  # neither, and beyond what the kernel is exact for
        path.write_text(text + wrong, encoding="utf-8")
        with pytest.raises(PolicyRejected) as caught:
            read_policy(path)
        assert ": A" in caught.value.facts["problems"]


@pytest.mark.parametrize(
    ("institution", "due", "booked", "due_over_booked", "booked_over_due"),
    [
        ("H1", "5213717.60", "5600000.00", "0.9310", "1.0741"),
        ("H2", "3007914.00", "2900000.00", "1.0372", "0.9641"),
        ("H3", "1278368.46", "900000.00", "1.4204", "0.7040"),
    ],
)
def test_the_settlement_rate_of_the_synthetic_clearing(
    institution, due, booked, due_over_booked, booked_over_due
):
    """结付率 93.10 %, 103.72 %, 142.04 % at a value of six digits, and 使用率 the other way round."""
    due_fen, booked_fen = int(F(due) * YUAN), int(F(booked) * YUAN)
    assert rate(due_fen, booked_fen) == due_over_booked, institution
    assert rate(booked_fen, due_fen) == booked_over_due, institution


def counted(institution, points, *, cost, booked, borne):
    return Counted(
        institution=institution,
        method="m",
        cases=1,
        cost_fen=cost * YUAN,
        booked_fen=booked * YUAN,
        borne_fen=borne * YUAN,
        points4=points * POINT,
    )


@pytest.mark.parametrize(
    ("by", "value", "due", "difference"),
    [
        # (60,000 + 41,000) ÷ 9,000 = 11.2222…; H1 5,000 points: 56,111.11 − 20,000
        (SharingBy.EXACT, "11.22222222", {"H1": 36_111_11, "H2": 23_888_89}, 0),
        # at 11.22: 56,100.00 − 20,000 and 44,880.00 − 21,000: 20.00 are left
        (SharingBy.PUBLISHED, "11.22", {"H1": 36_100_00, "H2": 23_880_00}, 20_00),
    ],
)
def test_total_cost_less_what_persons_and_other_funds_bore(by, value, due, difference):
    """月度点值 = (基金 + 个人及其他负担) ÷ 总点数; 医院应得 = 点数 x 点值 − 个人负担 − 其他基金."""
    how = PointValue(family=Family.TOTAL_COST, by=by, digits=2)
    policy = Policy(
        name="p",
        title="t",
        fund="390",
        effective="2024-01-01",
        budget=Budget(year_fen=60_000 * YUAN, reserve=F(0)),
        point_value=how,
        methods=(Method(name="m", cases=Cases(), rules=Dip(groups={}, coefficients4={})),),
    )
    found = due_of_month(
        policy,
        None,
        [
            counted("H1", 5_000, cost=60_000, booked=40_000, borne=20_000),
            counted("H2", 4_000, cost=41_000, booked=20_000, borne=21_000),
        ],
    )
    assert found.pool is not None
    assert {line.counted.institution: line.due_fen for line in found.lines} == due
    assert (value_text(found.pool, how), found.pool.difference_fen) == (value, difference)


@pytest.mark.parametrize(
    ("h1", "value", "due"),
    [
        ("520000.000", "10.0264", "5213728.00"),
        ("520002.500", "10.0264", "5213753.07"),
        ("520003.500", "10.0263", "5213711.09"),  # one point more, 41.98 less
        ("520005.000", "10.0263", "5213726.13"),
    ],
)
def test_a_published_value_is_not_monotone_in_points(h1, value, due):
    """Of §1.8: at four digits the value falls by 0.0001 yuan, for 520,000 points at once."""
    points = {"H1": int(F(h1) * POINT), "H2": 300_000 * POINT, "H3": 127_500_5000}
    rounded = published(fund_only_value(9_500_000_00, sum(points.values())), 4)
    assert rounded == F(value)
    assert share_at_value(9_500_000_00, points, value=rounded).due["H1"] == F(due) * YUAN


@pytest.mark.parametrize(
    ("share", "cases", "allowed"),
    [(OF_DIP, n, a) for n, a in ((0, 0), (199, 0), (200, 1), (399, 1), (400, 2), (12_345, 61))]
    + [(OF_DRG, n, a) for n, a in ((19, 0), (20, 1), (39, 1), (12_345, 617))],
)
def test_cases_that_may_be_put_up_for_review_are_rounded_down(share, cases, allowed):
    """5 ‰ of DIP cases, 5 % of DRG cases: a cap is never exceeded by a part of a case."""
    assert ReviewCap(cases=cases, share=share * cases).allowed == allowed
