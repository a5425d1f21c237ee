"""A month's provisional due from what was counted: families, quotas, months, and the laws of sums."""

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.methods.per_diem import Stage
from settlement.clearing.monthly import (
    Counted,
    due_of_month,
    month_fen,
    month_quota_fen,
    rate,
    value_text,
)
from settlement.clearing.policies.policy import (
    Budget,
    Cases,
    Dip,
    Family,
    FeeForService,
    Group,
    Method,
    PerDiem,
    PointValue,
    Policy,
    SharingBy,
)

DIP = Dip(groups={"A": Group(points4=10_000, average_fen=1_000)}, coefficients4={"H1": 10_000})


def policy(value=None, *, year=1200_00, reserve=Fraction(0), rules=DIP, **others):
    return Policy(
        name="p",
        title="p",
        fund="390",
        effective="2024-01-01",
        budget=Budget(year_fen=year, reserve=reserve),
        point_value=value or PointValue(),
        methods=(Method(name="m", cases=Cases(), rules=rules),),
        **others,
    )


def counted(institution, points=0, *, booked=0, borne=0, priced=0):
    return Counted(
        institution=institution,
        method="m",
        cases=1,
        points4=points * 10_000,
        cost_fen=booked + borne,
        booked_fen=booked,
        borne_fen=borne,
        priced_fen=priced,
    )


def dues(found):
    return {one.counted.institution: one.due_fen for one in found.lines}


@pytest.mark.parametrize(
    ("budget", "months", "year"),
    [
        # 1000.01 less 5 % (50.0005, half-up 50.00) = 950.01: 79.1675 a month, a fen more for nine
        (Budget(year_fen=1000_01), [79_17] * 9 + [79_16] * 3, 950_01),
        (
            Budget(year_fen=100, reserve=Fraction(0), months=(0, *[1] * 3, *[0] * 8)),
            [0, 34, 33, 33, *[0] * 8],
            100,
        ),
        (Budget(year_fen=0), [0] * 12, 0),
    ],
)
def test_twelve_months_make_the_year(budget, months, year):
    assert [month_fen(budget, month) for month in range(1, 13)] == months
    assert sum(months) == year


@given(
    st.integers(0, 10**13),
    st.fractions(0, Fraction(1, 2)),
    st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(any),
)
def test_no_fen_of_a_year_is_lost_over_its_months(year, reserve, months):
    whole = month_fen(Budget(year_fen=year, reserve=reserve, months=(1, *[0] * 11)), 1)
    budget = Budget(year_fen=year, reserve=reserve, months=tuple(months))
    assert sum(month_fen(budget, month) for month in range(1, 13)) == whole


def test_a_quota_follows_the_months_of_the_budget():
    own = dataclasses.replace(policy(), budget=Budget(year_fen=0, months=(2, *[1] * 11)))
    assert [month_quota_fen(own, 1300_00, month) for month in (1, 2)] == [200_00, 100_00]
    assert month_quota_fen(dataclasses.replace(own, budget=None), 1200_00, 1) == 100_00


@pytest.mark.parametrize(
    ("value", "expected", "difference", "said"),
    [
        # 100.00 over 3 points
        (PointValue(), {"H1": 66_67, "H2": 33_33}, 0, "33.33333333"),
        (
            PointValue(by=SharingBy.PUBLISHED, digits=2),
            {"H1": 66_66, "H2": 33_33},
            1,
            "33.33",
        ),
        # 100.00 of the fund and 50.00 of others over 3 points: 50.00 a point, less what others paid
        (PointValue(family=Family.TOTAL_COST), {"H1": 60_00, "H2": 40_00}, 0, "50.00000000"),
        # 100.00 ÷ 80 % = 125.00 over 3 points less 50.00: 75.00 of the fund, 25.00 are left
        (
            PointValue(family=Family.AVERAGE_RATIO, paid_share=Fraction(4, 5)),
            {"H1": 43_33, "H2": 31_67},
            25_00,
            "41.66666667",
        ),
        (
            PointValue(
                family=Family.AVERAGE_RATIO,
                paid_share=Fraction(4, 5),
                by=SharingBy.PUBLISHED,
                digits=1,
            ),
            {"H1": 43_40, "H2": 31_70},
            24_90,
            "41.7",
        ),
    ],
)
def test_families_of_the_point_value(value, expected, difference, said):
    cases = [counted("H2", 1, borne=10_00, booked=1), counted("H1", 2, borne=40_00, booked=1)]
    found = due_of_month(policy(value), 1, cases)
    assert dues(found) == expected
    assert found.pool is not None
    assert (found.pool.distributable_fen, found.pool.difference_fen) == (100_00, difference)
    assert found.pool.due_fen + found.pool.difference_fen == 100_00
    assert value_text(found.pool, value) == said


@pytest.mark.parametrize("family", [Family.FUND_ONLY, Family.TOTAL_COST])
@pytest.mark.parametrize("by", [*SharingBy])
def test_a_month_without_points_leaves_all_of_its_amount(family, by):
    found = due_of_month(policy(PointValue(family=family, by=by)), 1, [counted("H1", booked=5)])
    assert (dues(found), found.pool.difference_fen) == ({"H1": 0}, 100_00)
    assert value_text(found.pool, PointValue()) is None


@pytest.mark.parametrize(
    ("booked", "due"),
    [(None, 30_00), (0, 30_00), (40_00, 58_00), (100_00, 100_00), (300_00, 125_00)],
)
def test_fee_for_service_against_the_month_s_part_of_a_total(booked, due):
    """1,200.00 a year: 100.00; 30 % of a saving are kept, half of an excess up to 50 % is paid."""
    rule = TotalControl(
        saving_kept=Fraction(3, 10), excess_paid=Fraction(1, 2), excess_upto=Fraction(1, 2)
    )
    rules = FeeForService(quotas_fen={"H1": 1200_00}, rule=rule)
    cases = [] if booked is None else [counted("H1", booked=booked)]
    found = due_of_month(policy(rules=rules), 1, [*cases, counted("H2", booked=70_00)])
    assert (dues(found), found.pool) == ({"H1": due, "H2": 70_00}, None)


def test_a_method_with_prices_is_due_its_prices():
    rules = PerDiem(stages=(Stage(upto_day=None, rate_fen=1),))
    found = due_of_month(policy(rules=rules), 1, [counted("H1", priced=123, booked=200)])
    assert (dues(found), found.pool) == ({"H1": 123}, None)


def shared_by(fen, **points):
    """Share an amount by points of several methods: ``H1a=3`` are three points of H1's method a."""
    methods = tuple(Method(name=name, cases=Cases(), rules=DIP) for name in "abc")
    own = dataclasses.replace(policy(year=fen), methods=methods)
    cases = [
        dataclasses.replace(counted(key[:2], many), method=key[2:]) for key, many in points.items()
    ]
    found = due_of_month(own, None, cases)
    return {f"{one.counted.institution}{one.counted.method}": one.due_fen for one in found.lines}


def test_the_methods_of_a_hospital_split_its_due_to_the_fen():
    assert shared_by(100, H1a=1, H1b=1, H1c=1) == {"H1a": 34, "H1b": 33, "H1c": 33}
    assert shared_by(101, H1a=1, H1b=1, H2a=2) == {"H1a": 26, "H1b": 25, "H2a": 50}
    assert shared_by(7, H1a=0, H1b=2, H2a=0) == {"H1a": 0, "H1b": 7, "H2a": 0}


def test_one_more_point_takes_nothing_from_a_hospital_with_two_methods():
    """6 fen by 16 : 11 : 3 and 17 : 11 : 3. Shared by hospital and method, H1 had 4 fen and then 3."""
    before = shared_by(6, H1a=3, H1b=13, H2a=11, H3a=3)
    after = shared_by(6, H1a=4, H1b=13, H2a=11, H3a=3)
    assert [one["H1a"] + one["H1b"] for one in (before, after)] == [3, 3]
    assert list(before.values()) == [1, 2, 2, 1]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(1, 3, "0.3333"), (2, 3, "0.6667"), (-1, 3, "-0.3333"), (5, 0, None), (5, -1, None)],
)
def test_a_rate_is_text_or_nothing(part, whole, said):
    assert rate(part, whole) == said


_CASES = st.lists(
    st.builds(
        counted,
        st.text("H123", min_size=1, max_size=3),
        st.integers(0, 10**6),
        booked=st.integers(0, 10**9),
        borne=st.integers(0, 10**9),
    ),
    unique_by=lambda one: one.institution,
)
_VALUES = st.builds(
    PointValue,
    family=st.sampled_from([Family.FUND_ONLY, Family.TOTAL_COST]),
    by=st.sampled_from([*SharingBy]),
    digits=st.integers(0, 8),
)


@given(_VALUES, st.integers(0, 10**12), _CASES, st.randoms(use_true_random=False))
def test_dues_and_difference_make_the_month_whatever_the_order(value, year, cases, chance):
    own = policy(value, year=year)
    found = due_of_month(own, 7, cases)
    assert found.pool is not None
    assert sum(dues(found).values()) + found.pool.difference_fen == month_fen(own.budget, 7)
    if value.by is SharingBy.EXACT and any(one.points4 for one in cases):
        assert found.pool.difference_fen == 0
    shuffled = [*cases]
    chance.shuffle(shuffled)
    assert due_of_month(own, 7, shuffled) == found
