"""Laws of dues and of the year for any figures, whatever the methods, family, rounding and order.

Three methods count points (``dip``, ``day``, ``drg``) and share one budget; the others price or follow
what was booked. An institution can have all of them in one month.
"""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from settlement.clearing.bands import Band, Bands, Ratio
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.monthly import Counted, MonthDue, due_of_month, month_fen
from settlement.clearing.policies.policy import (
    Budget,
    Capitation,
    Cases,
    CountyCommunity,
    DayWard,
    DayWardPoints,
    Dip,
    Drg,
    DrgFixedRate,
    Family,
    FeeForService,
    Method,
    PerDiem,
    PointValue,
    Policy,
    SharingBy,
)
from settlement.clearing.policies.yearly_rules import (
    Assessment,
    BandsOf,
    BandsOn,
    HeldBack,
    Rounding,
    Surplus,
    YearlyRules,
)
from settlement.clearing.yearly import YearBooks, YearDue, due_of_year

F = Fraction
RULES = {
    "dip": Dip(groups={}, coefficients4={}),
    "day": DayWardPoints(groups={}, coefficients4={}),
    "drg": Drg(groups={}, coefficients4={}),
    "rate": DrgFixedRate(groups={}, rate=F(1)),
    "beds": PerDiem(stages=()),
    "ward": DayWard(standards_fen={}),
    "heads": Capitation(heads=()),
    "county": CountyCommunity(weights={}, year=CommunityYear(raised_fen=0, distributable=F(1))),
    "fees": FeeForService(quotas_fen={"H1": 12_000_01}, rule=TotalControl(excess_paid=F(1, 3))),
}
METHODS = tuple(Method(name=name, cases=Cases(), rules=rules) for name, rules in RULES.items())
BY_POINTS = ("dip", "day", "drg")
PRICED = ("rate", "beds", "ward", "heads", "county")
HOSPITALS = ("H1", "H2", "H3", "H4")
FEN = st.integers(0, 10**9)


def counted(*, institution, method, points4, booked, borne, priced):
    """What a method counted: points or a price, never both."""
    return Counted(
        institution=institution,
        method=method,
        cases=1,
        cost_fen=booked + borne,
        booked_fen=booked,
        borne_fen=borne,
        points4=points4 if method in BY_POINTS else 0,
        priced_fen=priced if method in PRICED else 0,
    )


#: Small numbers too: a fen that is lost shows where there are few.
POINTS4 = st.one_of(st.integers(0, 9), st.integers(0, 40), st.integers(0, 10**9))
COUNTED = st.builds(
    counted,
    institution=st.sampled_from(HOSPITALS),
    method=st.sampled_from([*RULES, *2 * BY_POINTS]),
    points4=POINTS4,
    booked=FEN,
    borne=FEN,
    priced=FEN,
)
MONTHS = st.lists(
    COUNTED, min_size=4, max_size=14, unique_by=lambda one: (one.institution, one.method)
)
VALUES = st.builds(
    lambda family, by, digits, share: PointValue(
        family=family,
        by=by,
        digits=digits,
        paid_share=share if family is Family.AVERAGE_RATIO else None,
    ),
    st.sampled_from(Family),
    st.sampled_from(SharingBy),
    st.integers(0, 8),
    st.fractions(F(1, 10), 1, max_denominator=20),
)
BUDGETS = st.builds(
    Budget,
    year_fen=st.one_of(st.integers(0, 5_000), st.integers(0, 10**11)),
    reserve=st.fractions(0, F(1, 2), max_denominator=20),
    months=st.lists(st.integers(0, 3), min_size=12, max_size=12).filter(any).map(tuple),
)
#: A month, or None: the year.
PERIODS = st.none() | st.integers(1, 12)


def policy(value, budget, **more):
    return Policy(
        name="p",
        title="t",
        fund="390",
        effective="2024-01-01",
        budget=budget,
        point_value=value,
        methods=METHODS,
        **more,
    )


def dues(found: MonthDue, *methods: str) -> dict[str, int]:
    """Give what each institution is due by some methods together."""
    sums: dict[str, int] = {}
    for line in found.lines:
        if line.counted.method in methods:
            code = line.counted.institution
            sums[code] = sums.get(code, 0) + line.due_fen
    return sums


@given(VALUES, BUDGETS, MONTHS, PERIODS, st.randoms(use_true_random=False))
def test_points_share_the_budget_to_the_fen_and_other_methods_take_nothing_of_it(
    value, budget, rows, month, chance
):
    own = policy(value, budget)
    found = due_of_month(own, month, rows)
    pool = found.pool
    assert pool is not None
    assert pool.distributable_fen == month_fen(budget, month)
    assert sum(dues(found, *BY_POINTS).values()) + pool.difference_fen == pool.distributable_fen
    conserving = value.by is SharingBy.EXACT and value.family is not Family.AVERAGE_RATIO
    if conserving and pool.points4:
        assert pool.difference_fen == 0
    priced = {(one.institution, one.method): one.priced_fen for one in rows}
    for line in found.lines:
        if line.counted.method in PRICED:
            assert line.due_fen == priced[line.counted.institution, line.counted.method]
    shuffled = [*rows]
    chance.shuffle(shuffled)
    assert due_of_month(own, month, shuffled) == found


@given(st.integers(0, 8), BUDGETS, MONTHS, PERIODS)
def test_a_published_value_is_off_by_its_last_digit_and_half_a_fen_an_institution(
    digits, budget, rows, month
):
    """What goes to the named account is bounded: nobody can hide anything in it."""
    value = PointValue(by=SharingBy.PUBLISHED, digits=digits)
    pool = due_of_month(policy(value, budget), month, rows).pool
    assert pool is not None
    assume(pool.points4)
    institutions = len({one.institution for one in rows if one.points4})
    of_the_value = F(pool.points4, 10_000) * F(100, 2 * 10**digits)
    assert abs(pool.difference_fen) <= of_the_value + F(institutions, 2)


@given(VALUES, BUDGETS, MONTHS, PERIODS)
def test_points_are_points_whichever_method_counted_them(value, budget, rows, month):
    """医院应得统筹 = 医院总分值 x 点值: one rounding for a hospital, not one for each of its methods."""
    sums: dict[str, Counted] = {}
    for one in rows:
        if one.method in BY_POINTS:
            before = sums.get(one.institution)
            sums[one.institution] = replace(
                one,
                method="dip",
                points4=one.points4 + (before.points4 if before else 0),
                borne_fen=one.borne_fen + (before.borne_fen if before else 0),
            )
    own = policy(value, budget)
    apart, together = due_of_month(own, month, rows), due_of_month(own, month, [*sums.values()])
    assert dues(apart, *BY_POINTS) == dues(together, "dip")


@given(st.sampled_from(Family), BUDGETS, PERIODS, MONTHS, st.data())
def test_with_exact_sharing_one_more_point_never_lowers_what_a_hospital_is_due(
    family, budget, month, rows, data
):
    """Before bands, for the month and the year, in every family, however many methods it has."""
    pointed = [one for one in rows if one.method in BY_POINTS]
    assume(any(one.points4 for one in pointed))
    lucky = data.draw(st.sampled_from(pointed))
    more = data.draw(st.sampled_from([1, 10_000, 12_345_678]))
    value = PointValue(
        family=family, paid_share=F(7, 10) if family is Family.AVERAGE_RATIO else None
    )
    own = policy(value, budget)
    others = [one for one in rows if one is not lucky]
    before = due_of_month(own, month, rows)
    after = due_of_month(own, month, [*others, replace(lucky, points4=lucky.points4 + more)])
    code = lucky.institution
    assert dues(after, *BY_POINTS)[code] >= dues(before, *BY_POINTS)[code]
    if month is None:
        less, higher = (
            next(line for line in due_of_year(own, found, {}).lines if line.institution == code)
            for found in (before, after)
        )
        assert higher.due_fen >= less.due_fen


SHARES = st.fractions(0, 1, max_denominator=20)
YEARLY = st.builds(
    YearlyRules,
    bands_on=st.sampled_from(BandsOn),
    bands_of=st.sampled_from(BandsOf),
    assessment=st.sampled_from(Assessment),
    surplus=st.sampled_from(Surplus),
    surplus_shared=SHARES,
    reserve_cap=SHARES,
    held_back=st.sampled_from(HeldBack),
    rounding=st.sampled_from(Rounding),
)
#: The common bands (§1.6), bands with a constant and a jump, and none.
BANDS = st.sampled_from(
    [
        None,
        Bands(
            ratio=Ratio.BOOKED_TO_DUE,
            bands=(
                Band(upto=F(4, 5), owns_edge=False, booked=F(1)),
                Band(upto=F(1), due=F(1)),
                Band(upto=F(11, 10), due=F(3, 10), booked=F(7, 10)),
                Band(upto=None, due=F(107, 100)),
            ),
        ),
        Bands(
            ratio=Ratio.DUE_TO_BOOKED,
            bands=(
                Band(upto=F(10, 11), due=F(1, 3), booked=F(2, 3), constant_fen=7),
                Band(upto=None, due=F(1), constant_fen=50_000_01),
            ),
            at_most_of_due=F(21, 20),
        ),
    ]
)
BOOKS = st.builds(
    YearBooks,
    booked_fen=FEN,
    refused_fen=st.integers(0, 10**6),
    held_fen=st.integers(0, 10**6),
    assessed_fen=st.integers(0, 10**6),
)
#: What is known when the year is cleared, and again after corrections.
KNOWN = st.tuples(MONTHS, st.fixed_dictionaries(dict.fromkeys(HOSPITALS, BOOKS)))


def year_of(own: Policy, known, settled: dict[str, int]) -> YearDue:
    rows, books = known
    told = {code: replace(one, settled_fen=settled[code]) for code, one in books.items()}
    found = due_of_year(own, due_of_month(own, None, rows), told)
    assert found.unaccounted_fen == 0, "Σ final, refused, kept and left is what there was"
    backwards = due_of_year(own, due_of_month(own, None, rows[::-1]), dict(reversed(told.items())))
    assert backwards == found
    return found


@given(
    st.builds(policy, VALUES, BUDGETS, bands=BANDS, yearly=YEARLY),
    st.fixed_dictionaries(dict.fromkeys(HOSPITALS, FEN)),
    st.lists(KNOWN, min_size=1, max_size=3),
)
def test_months_and_the_deltas_of_every_run_of_a_year_make_its_final(own, months, known):
    """Whatever changes from run to run: what was posted altogether is what the last run says."""
    settled = dict(months)
    for one in known:
        found = year_of(own, one, settled)
        assert {line.institution for line in found.lines} == set(HOSPITALS)
        for line in found.lines:
            settled[line.institution] += line.difference_fen
            assert settled[line.institution] == line.final_fen
    again = year_of(own, known[-1], settled)
    assert {line.difference_fen for line in again.lines} == {0}, "clearing again posts nothing"
