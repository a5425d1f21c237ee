"""Every rounding of a settlement by its last fen: half goes up, and who has the difference.

Each row is one rounding of docs/formulas.md with an amount whose exact share ends in half a fen (or
half of what is counted), and its neighbour below.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from support.month_lines import standing

from settlement.clearing.bands import Band, Bands, Ratio, banded
from settlement.clearing.cases.budgets import capitation_sums, community_sums
from settlement.clearing.deposit import DepositOrder, ReleaseRule, release, withhold
from settlement.clearing.methods import capitation, county_community, drg, fee_for_service
from settlement.clearing.methods.capitation import Heads, Signed
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.month.lines import Rules, settle
from settlement.clearing.monthly import Counted, due_of_month, month_fen
from settlement.clearing.point_value import POINT, due_at_value, published
from settlement.clearing.policies.policy import (
    Basis,
    Budget,
    Capitation,
    Cases,
    CountyCommunity,
    Dip,
    Family,
    Method,
    Monthly,
    PointValue,
    Policy,
    PrepaymentOffset,
)
from settlement.clearing.policies.yearly_rules import Rounding, Surplus, YearlyRules
from settlement.clearing.yearly import YearBooks, due_of_year

F = Fraction
HALF = F(1, 2)
PLAIN = Bands(ratio=Ratio.BOOKED_TO_DUE, bands=(Band(upto=None, due=F(1)),))


def community(raised, **more):
    return CommunityYear(raised_fen=raised, distributable=F(1, 2), **more)


#: name of the rounding: (what is computed of an amount, [(amount, result), …])
ROUNDINGS = {
    "reserve 调节金: the rest is shared": (
        lambda fen: month_fen(Budget(year_fen=fen, reserve=F(1, 20)), None),
        [(9, 9), (10, 9), (11, 10)],
    ),
    "points x value 点数 x 点值": (
        lambda points4: due_at_value(points4, F(1, 100)),
        [(4_999, 0), (5_000, 1), (15_000, 2)],
    ),
    "published value 公布点值": (
        lambda tenths: published(F(tenths, 10), 0),
        [(4, 0), (5, 1), (14, 1), (15, 2)],
    ),
    "band 分担": (
        lambda fen: banded(
            replace(PLAIN, bands=(Band(upto=None, due=HALF),)), due_fen=fen, booked_fen=fen
        ),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "cap of the bands 封顶": (
        lambda fen: banded(replace(PLAIN, at_most_of_due=HALF), due_fen=fen, booked_fen=fen),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "deposit 质量保证金": (
        lambda fen: withhold(fen, 0, share=F(1, 20), order=DepositOrder.OF_DECLARED).deposit_fen,
        [(9, 0), (10, 1), (29, 1), (30, 2), (-10, 0)],
    ),
    "release 返还: the rest is forfeited": (
        lambda fen: release(fen, F(50), [ReleaseRule(from_score=F(0))]),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "heads 按人头": (
        lambda heads: capitation.quota_fen([Heads(heads=heads, rate_fen=1, factor=HALF)]),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "visits elsewhere 转外扣减": (
        lambda fen: capitation.capitation_fen([], elsewhere_fen=fen, deducted=HALF),
        [(1, -1), (2, -1), (3, -2)],
    ),
    "saving kept 结余留用": (
        lambda fen: fee_for_service.total_controlled_fen(0, fen, TotalControl(saving_kept=HALF)),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "excess paid 超支分担": (
        lambda fen: fee_for_service.total_controlled_fen(fen, 0, TotalControl(excess_paid=HALF)),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "limit of the excess 分担上限": (
        lambda quota: (
            fee_for_service.total_controlled_fen(
                9_999, quota, TotalControl(excess_paid=F(1), excess_upto=HALF)
            )
            - quota
        ),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "budget of a community 医共体总额": (
        lambda fen: county_community.total_fen(community(fen)),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "what a community retains 留用": (
        lambda fen: county_community.community_part(community(0, assessment=HALF), fen),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "what a community bears 分担": (
        lambda fen: county_community.community_part(community(0, overrun_borne=HALF), -fen),
        [(1, -1), (2, -1), (3, -2)],
    ),
    "rate x weight 费率": (
        lambda weight4: drg.fixed_rate_fen(weight4, F(1, 100)),
        [(4_999, 0), (5_000, 1), (15_000, 2)],
    ),
    "points of a readmission 再入院": (
        lambda points4: drg.after_readmission4(points4, drg.DrgRules()),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "complete stay 完整住院": (
        lambda base4: drg.complete_points4(base4, 5_000),
        [(1, 1), (2, 1), (3, 2)],
    ),
    "incomplete stay 不完整住院": (
        lambda base4: drg.incomplete_points4(base4, 10_000, cost_fen=1, average_fen=2),
        [(1, 1), (2, 1), (3, 2)],
    ),
}


@pytest.mark.parametrize("name", ROUNDINGS)
def test_half_goes_up_at_the_named_place_and_nowhere_else(name):
    computed, rows = ROUNDINGS[name]
    assert [(amount, computed(amount)) for amount, _ in rows] == rows


def test_heads_are_rounded_month_by_month():
    """Half a fen a month: twelve fen a year, as the months say, and not six."""
    heads = Heads(heads=1, rate_fen=1, factor=HALF)
    rules = Capitation(
        heads=(Signed(institution="H1", since="2025-01", until="2025-12", heads=heads),)
    )
    months = [f"2025-{month:02d}" for month in range(1, 13)]
    assert [capitation_sums(rules, [month]) for month in months] == [{"H1": 1}] * 12
    assert capitation_sums(rules, months) == {"H1": 12}


@pytest.mark.parametrize(
    ("spent", "members"),
    [
        (0, {"H1": 34, "H2": 33, "H3": 33}),
        (1, {"H1": 33, "H2": 33, "H3": 33}),
        (99, {"H1": 1, "H2": 0, "H3": 0}),
        (101, {"H1": -1, "H2": 0, "H3": 0}),
        (102, {"H1": -1, "H2": -1, "H3": 0}),
    ],
)
def test_a_community_s_part_is_split_over_its_members_to_the_fen(spent, members):
    """100 fen of budget; largest remainder, ties to the smaller code; an overrun is the mirror image."""
    rules = CountyCommunity(
        weights={"H3": 1, "H2": 1, "H1": 1},
        year=CommunityYear(raised_fen=100, distributable=F(1)),
    )
    found = community_sums(
        rules, ["2025-01"], shares={"2025-01": 1}, booked_fen={}, spent_fen={"X": spent}
    )
    assert found == members


#: rules of the month → what of 1 or 2 or 3 fen settled goes where
MONTHLY = {
    "monthly share 月度预拨: the rest stays declared": (Monthly(share=HALF), "settled_fen"),
    "insurer's part 承保机构支付": (Monthly(insurer_share=HALF), "insurer_fen"),
    "prepaid money 冲抵预付金": (
        Monthly(prepayment_offset=PrepaymentOffset.MONTHLY, prepayment_share=HALF),
        "prepaid_fen",
    ),
}


@pytest.mark.parametrize("name", MONTHLY)
def test_shares_of_a_month_are_rounded_half_up(name):
    monthly, column = MONTHLY[name]
    found = [
        settle(standing(fen, fen, prepaid_fen=100), Rules(monthly=monthly)) for fen in (1, 2, 3)
    ]
    assert [one and getattr(one.line, column) for one in found] == [1, 1, 2]


def test_the_second_run_of_a_month_brings_the_share_of_the_whole():
    """A half of 1 and then of 2: 1 and 0, and not 1 and 1."""
    how = Rules(monthly=Monthly(share=HALF))
    first = settle(standing(1, 1), how)
    assert first is not None
    later = settle(standing(2, 1, settled=1, earlier=[first.line]), how)
    assert (first.line.settled_fen, later and later.line.settled_fen) == (1, 0)
    assert Monthly().basis is Basis.BOOKED


def year(*, bands=None, assessed=0, due=(10, 20), **rules):
    """Two hospitals that are due so much of a reserve of 1 fen in 31; booked 50 each."""
    policy = Policy(
        name="p",
        title="t",
        fund="390",
        effective="2024-01-01",
        budget=Budget(year_fen=sum(due) + 1, reserve=F(1, sum(due) + 1)),
        methods=(Method(name="m", cases=Cases(), rules=Dip(groups={}, coefficients4={})),),
        bands=bands,
        yearly=YearlyRules(**rules),
    )
    counted = [
        Counted(institution=code, method="m", cases=1, cost_fen=0, booked_fen=50, points4=fen)
        for code, fen in zip(("H1", "H2"), due, strict=True)
    ]
    books = {"H1": YearBooks(booked_fen=50, assessed_fen=assessed), "H2": YearBooks(booked_fen=50)}
    found = due_of_year(policy, due_of_month(policy, None, counted), books)
    assert found.unaccounted_fen == 0
    return found


def test_roundings_of_the_year_and_who_has_the_difference():
    booked = Bands(ratio=Ratio.BOOKED_TO_DUE, bands=(Band(upto=None, booked=F(1)),))
    # Half of the reserve's fen may bear overruns: half a fen goes up, to the largest remainder.
    found = year(bands=booked, reserve_cap=HALF)
    assert [line.borne_fen for line in found.lines] == [1, 0]  # overruns of 40 and 30
    assert found.pool.reserve_left_fen == 0
    # 1 of 3 fen saved is shared by halves: 1.5 goes up to 2, one fen stays with the fund.
    less = Bands(
        ratio=Ratio.BOOKED_TO_DUE, bands=(Band(upto=None, due=F(9, 10)),)
    )  # 9 of 10, 18 of 20
    found = year(bands=less, surplus=Surplus.FUND, surplus_shared=HALF)
    assert sum(line.surplus_fen for line in found.lines) == 2
    assert found.pool.surplus_kept_fen == 1
    # Whole yuan: 49 fen go down, 50 up, and the line says by how much.
    found = year(due=(49, 50), rounding=Rounding.YUAN)
    assert [(line.final_fen, line.rounding_fen) for line in found.lines] == [(0, -49), (100, 50)]
    found = year(due=(49, 50), assessed=99, rounding=Rounding.YUAN)
    assert found.lines[0].final_fen == -100, "away from nil"


def test_the_average_ratio_is_rounded_before_it_is_shared():
    """5 fen ÷ 40 % = 12.5 of cost: 13 are shared, and what persons bore is taken off: 8 of 5 due."""
    policy = Policy(
        name="p",
        title="t",
        fund="390",
        effective="2024-01-01",
        budget=Budget(year_fen=5, reserve=F(0)),
        point_value=PointValue(family=Family.AVERAGE_RATIO, paid_share=F(2, 5)),
        methods=(Method(name="m", cases=Cases(), rules=Dip(groups={}, coefficients4={})),),
    )
    one = Counted(
        institution="H1",
        method="m",
        cases=1,
        cost_fen=0,
        booked_fen=0,
        borne_fen=5,
        points4=POINT,
    )
    found = due_of_month(policy, None, [one])
    assert found.pool is not None
    assert (found.lines[0].due_fen, found.pool.difference_fen) == (8, -3)
