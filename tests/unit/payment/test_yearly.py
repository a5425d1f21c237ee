"""The year of one fund: where the budget goes, by figures that can be checked by hand.

The synthetic clearing of the domain paper (§1.8): budget 10,000,000.00, reserve 5 %, points 520000,
300000 and 127500.5; with the bands of §1.6 (saving kept from 80 % on, 70 % of an overrun up to 110 %)::

         booked        due            booked ÷ due   bands                           to pay
    H1   5,600,000.00  5,213,717.57   107.41 %       0.3 x due + 0.7 x booked        5,484,115.27
    H2   2,900,000.00  3,007,913.98    96.41 %       due                             3,007,913.98
    H3     900,000.00  1,278,368.45    70.40 %       booked                            900,000.00
                                                     the reserve bears 270,397.70, 229,602.30 left
                                                     378,368.45 saved and not kept
    9,392,029.25 + 229,602.30 + 378,368.45 = 10,000,000.00

Deliberate defects that these tests catch: an overrun paid without a reserve, a surplus lost, a
deduction taken twice, the edge of a band given to the other one, a difference that forgets what an
earlier run posted.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.clearing.bands import Band, Bands, Ratio
from settlement.clearing.monthly import Counted, due_of_month
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
from settlement.clearing.policies.yearly_rules import (
    Assessment,
    BandsOf,
    BandsOn,
    HeldBack,
    Rounding,
    Surplus,
    YearlyRules,
)
from settlement.clearing.yearly import YearBooks, due_of_year

POINTS4 = {"H1": 520_000_0000, "H2": 300_000_0000, "H3": 127_500_5000}
BOOKED = {"H1": 5_600_000_00, "H2": 2_900_000_00, "H3": 900_000_00}
DUE = {"H1": 5_213_717_57, "H2": 3_007_913_98, "H3": 1_278_368_45}
F = Fraction
BANDS = Bands(
    ratio=Ratio.BOOKED_TO_DUE,
    bands=(
        Band(upto=F(4, 5), owns_edge=False, booked=F(1)),
        Band(upto=F(1), due=F(1)),
        Band(upto=F(11, 10), due=F(3, 10), booked=F(7, 10)),
        Band(upto=None, due=F(107, 100)),
    ),
)
METHOD = Method(
    name="inpatient",
    cases=Cases(),
    rules=Dip(groups={"A": Group(points4=1, average_fen=1)}, coefficients4={}),
)


EXACT = PointValue()


def policy(*, bands=BANDS, point_value=EXACT, methods=(METHOD,), **rules):
    return Policy(
        name="p",
        title="t",
        fund="310.pooled",
        effective="2024-01-01",
        budget=Budget(year_fen=10_000_000_00),
        point_value=point_value,
        methods=methods,
        bands=bands,
        yearly=YearlyRules(**rules),
    )


def counted(code, *, method="inpatient", booked=None, points4=None, **more):
    return Counted(
        institution=code,
        method=method,
        cases=1,
        cost_fen=0,
        booked_fen=BOOKED[code] if booked is None else booked,
        points4=POINTS4[code] if points4 is None else points4,
        **more,
    )


def plain_books(**changes):
    """Every institution was settled what it was booked."""
    books = {code: YearBooks(booked_fen=fen, settled_fen=fen) for code, fen in BOOKED.items()}
    return books | {code: replace(books[code], **change) for code, change in changes.items()}


def cleared(rules=None, books=None, cases=None):
    chosen = rules or policy()
    cases = [counted(code) for code in POINTS4] if cases is None else cases
    year = due_of_year(
        chosen, due_of_month(chosen, None, cases), plain_books() if books is None else books
    )
    assert year.unaccounted_fen == 0
    return year


def column(year, name):
    return {line.institution: getattr(line, name) for line in year.lines}


def test_the_synthetic_year_of_the_field_with_bands():
    year = cleared()
    assert column(year, "due_fen") == DUE
    assert column(year, "final_fen") == {
        "H1": 5_484_115_27,
        "H2": 3_007_913_98,
        "H3": 900_000_00,
    }
    assert column(year, "difference_fen") == {"H1": -115_884_73, "H2": 107_913_98, "H3": 0}
    pool = year.pool
    assert (pool.reserve_fen, pool.reserve_used_fen) == (500_000_00, 270_397_70)
    assert (pool.reserve_left_fen, pool.surplus_kept_fen) == (229_602_30, 378_368_45)
    assert pool.point_difference_fen == 0


@pytest.mark.parametrize(("digits", "difference"), [(4, -19_01), (6, -6), (None, 0)])
def test_a_published_value_leaves_a_named_difference(digits, difference):
    """+19.01 and +0.06 more than the budget (§1.8); exact sharing leaves nothing."""
    how = PointValue() if digits is None else PointValue(by=SharingBy.PUBLISHED, digits=digits)
    year = cleared(policy(bands=None, point_value=how))
    assert year.pool.point_difference_fen == difference
    assert sum(column(year, "final_fen").values()) == 9_500_000_00 - difference


@pytest.mark.parametrize(
    ("booked", "paid"),
    [
        (700_000, 700_000),
        (799_999, 799_999),
        (800_000, 1_000_000),  # the edge is of the band above
        (900_000, 1_000_000),
        (1_000_000, 1_000_000),
        (1_050_000, 1_035_000),
        (1_100_000, 1_070_000),  # the edge is of the band below; both say the same here
        (1_200_000, 1_070_000),
    ],
)
def test_the_bands_of_the_field_on_a_year(booked, paid):
    """§1.6: 1,000,000 is due; the reserve is large enough."""
    chosen = replace(policy(), budget=Budget(year_fen=1_250_000_00, reserve=F(1, 5)))
    cases = [counted("H1", booked=booked * 100)]
    books = {"H1": YearBooks(booked_fen=booked * 100, settled_fen=booked * 100)}
    (line,) = cleared(chosen, books, cases).lines
    assert (line.due_fen, line.final_fen) == (1_000_000_00, paid * 100)
    assert line.difference_fen == (paid - booked) * 100


@pytest.mark.parametrize(
    ("rules", "h1", "reserve_left", "kept", "not_borne"),
    [
        ({}, 5_484_115_27, 229_602_30, 378_368_45, 0),
        # 40 % of the reserve, 200,000.00, may bear overruns
        ({"reserve_cap": F(2, 5)}, 5_413_717_57, 300_000_00, 378_368_45, 70_397_70),
        ({"reserve_cap": F(0)}, 5_213_717_57, 500_000_00, 378_368_45, 270_397_70),
        # what is saved bears overruns first: 378,368.45 - 270,397.70 is left of it
        ({"surplus": Surplus.RESERVE}, 5_484_115_27, 500_000_00, 107_970_75, 0),
        (
            {"surplus": Surplus.RESERVE, "reserve_cap": F(0)},
            *(5_484_115_27, 500_000_00, 107_970_75, 0),
        ),
    ],
)
def test_who_bears_an_overrun(rules, h1, reserve_left, kept, not_borne):
    year = cleared(policy(**rules))
    assert column(year, "final_fen")["H1"] == h1
    assert (year.pool.reserve_left_fen, year.pool.surplus_kept_fen) == (reserve_left, kept)
    assert year.pool.not_borne_fen == not_borne


def test_what_a_surplus_cannot_bear_the_reserve_bears():
    """H3 was booked 1,200,000.00 of 1,278,368.45 and keeps it: nothing is saved, the reserve pays."""
    cases = [counted("H1"), counted("H2"), counted("H3", booked=1_200_000_00)]
    pool = cleared(policy(surplus=Surplus.RESERVE), {}, cases).pool
    assert (pool.surplus_used_fen, pool.surplus_kept_fen) == (0, 0)
    assert (pool.reserve_used_fen, pool.reserve_left_fen) == (270_397_70, 229_602_30)


def test_a_reserve_that_does_not_suffice_is_shared_by_largest_remainder():
    """Two overruns of 10.00 and 20.00 on a reserve of 1.00: 0.33 and 0.67."""
    bands = Bands(ratio=Ratio.BOOKED_TO_DUE, bands=(Band(upto=None, booked=F(1)),))
    chosen = replace(policy(bands=bands), budget=Budget(year_fen=101_00, reserve=F(1, 101)))
    cases = [counted("H1", booked=60_00, points4=1), counted("H2", booked=70_00, points4=1)]
    year = cleared(chosen, {}, cases)
    assert column(year, "borne_fen") == {"H1": 33, "H2": 67}
    assert column(year, "not_borne_fen") == {"H1": 9_67, "H2": 19_33}
    assert column(year, "band_fen") == {"H1": 50_33, "H2": 50_67}


def test_a_part_of_the_surplus_is_shared_by_what_is_due():
    """Half of 378,368.45 is 189,184.23, half-up; by dues that make 9,500,000.00."""
    year = cleared(policy(surplus_shared=F(1, 2)))
    assert column(year, "surplus_fen") == {"H1": 103_826_65, "H2": 59_899_99, "H3": 25_457_59}
    assert year.pool.surplus_kept_fen == 189_184_22


@pytest.mark.parametrize(
    ("order", "final"),
    [
        (Assessment.AFTER_BANDS, 5_484_115_27 - 100_000_00),
        # 0.3 x (5,213,717.57 - 100,000.00) + 0.7 x 5,600,000.00: it costs 30 % of the deduction
        (Assessment.BEFORE_BANDS, 5_454_115_27),
    ],
)
def test_the_order_of_assessment_and_bands(order, final):
    books = plain_books(H1={"assessed_fen": 100_000_00})
    year = cleared(policy(assessment=order), books)
    assert column(year, "final_fen")["H1"] == final


def test_refused_amounts_and_deductions_are_each_taken_once():
    books = plain_books(
        H2={"refused_fen": 7_913_98, "assessed_fen": 1_00, "settled_fen": 2_892_086_02}
    )
    year = cleared(books=books)
    assert column(year, "final_fen")["H2"] == 2_999_999_00
    assert column(year, "difference_fen")["H2"] == 2_999_999_00 - 2_892_086_02


def test_on_the_total_the_bands_compare_with_what_persons_bore_on_both_sides():
    """Due 100 + 400 borne against booked 109 + 400: 101.8 %, not 109 %."""
    bands = Bands(
        ratio=Ratio.BOOKED_TO_DUE,
        bands=(Band(upto=F(105, 100), booked=F(1)), Band(upto=None, due=F(1))),
    )
    chosen = replace(policy(bands=bands), budget=Budget(year_fen=125_00, reserve=F(1, 5)))
    cases = [counted("H1", booked=109_00, borne_fen=400_00)]
    total = replace(chosen, yearly=YearlyRules(bands_on=BandsOn.TOTAL))
    assert column(cleared(chosen, {}, cases), "band_fen") == {"H1": 100_00}
    assert column(cleared(total, {}, cases), "band_fen") == {"H1": 109_00}


OTHERS = (
    METHOD,
    Method(name="beds", cases=Cases(), rules=PerDiem(stages=())),
    Method(name="clinic", cases=Cases(), rules=FeeForService()),
)


def test_methods_without_points_stay_outside_of_the_bands_unless_the_policy_says_so():
    cases = [
        counted("H1"),
        counted("H1", method="beds", booked=50_00, points4=0, priced_fen=80_00),
        counted("H1", method="clinic", booked=30_00, points4=0),
    ]
    books = {"H1": YearBooks(booked_fen=5_600_100_00, settled_fen=5_600_100_00)}
    apart = cleared(policy(methods=OTHERS), books, cases).lines[0]
    assert (apart.priced_fen, apart.as_booked_fen) == (110_00, 20_00)
    assert apart.due_fen == 9_500_000_00
    within = cleared(policy(methods=OTHERS, bands_of=BandsOf.ALL), books, cases).lines[0]
    assert (within.due_fen, within.priced_fen) == (9_500_110_00, 0)


@pytest.mark.parametrize(
    ("held", "final"), [(HeldBack.UNPAID, 3_007_913_98), (HeldBack.AS_BOOKED, 3_008_413_98)]
)
def test_what_is_still_held_back_is_unpaid_or_as_booked(held, final):
    books = plain_books(H2={"booked_fen": 2_900_500_00, "held_fen": 500_00})
    assert column(cleared(policy(held_back=held), books), "final_fen")["H2"] == final


def test_whole_yuan_leave_a_difference_that_is_shown():
    year = cleared(policy(rounding=Rounding.YUAN))
    assert column(year, "final_fen") == {"H1": 5_484_115_00, "H2": 3_007_914_00, "H3": 900_000_00}
    assert column(year, "rounding_fen") == {"H1": -27, "H2": 2, "H3": 0}


def test_clearing_again_posts_the_difference_to_what_was_cleared():
    first = cleared()
    books = {
        line.institution: YearBooks(booked_fen=line.booked_fen, settled_fen=line.final_fen)
        for line in first.lines
    }
    assert set(column(cleared(books=books), "difference_fen").values()) == {0}
    later = cleared(books=books | {"H2": replace(books["H2"], refused_fen=5_00)})
    assert column(later, "difference_fen") == {"H1": 0, "H2": -5_00, "H3": 0}


def test_what_is_not_settled_yet_and_will_be_is_not_posted_twice():
    books = plain_books(H2={"settled_fen": 2_000_000_00, "unsettled_fen": 900_000_00})
    assert column(cleared(books=books), "difference_fen")["H2"] == 107_913_98


def test_an_institution_without_cases_keeps_what_it_was_booked():
    books = plain_books() | {"P9": YearBooks(booked_fen=77_00, settled_fen=70_00, refused_fen=7_00)}
    (line,) = [line for line in cleared(books=books).lines if line.institution == "P9"]
    assert (line.as_booked_fen, line.final_fen, line.difference_fen) == (77_00, 70_00, 0)


FEN = st.integers(min_value=0, max_value=10**9)
YEARS = st.lists(st.tuples(FEN, FEN, st.integers(0, 10**8), FEN, FEN), min_size=1, max_size=6)
SHARES = st.fractions(min_value=0, max_value=1, max_denominator=20)
RULES = st.fixed_dictionaries(
    {
        "bands_on": st.sampled_from(BandsOn),
        "bands_of": st.sampled_from(BandsOf),
        "assessment": st.sampled_from(Assessment),
        "surplus": st.sampled_from(Surplus),
        "surplus_shared": SHARES,
        "reserve_cap": SHARES,
        "held_back": st.sampled_from(HeldBack),
        "rounding": st.sampled_from(Rounding),
    }
)
VALUES = st.builds(
    PointValue,
    family=st.sampled_from([Family.FUND_ONLY, Family.TOTAL_COST]),
    by=st.sampled_from(SharingBy),
    digits=st.integers(0, 6),
)


def random_year(rows):
    cases, books = [], {}
    for number, (booked, borne, points4, priced, deducted) in enumerate(rows):
        code = f"H{number}"
        cases.append(counted(code, booked=booked, points4=points4, borne_fen=borne))
        cases.append(counted(code, method="beds", booked=priced // 2, points4=0, priced_fen=priced))
        books[code] = YearBooks(
            booked_fen=booked + priced,
            refused_fen=deducted // 3,
            assessed_fen=deducted // 7,
            settled_fen=booked,
            unsettled_fen=deducted,
            held_fen=priced // 5,
        )
    return cases, books


@settings(max_examples=150, deadline=None)
@given(rows=YEARS, rules=RULES, value=VALUES, budget=FEN, reserve=SHARES.filter(lambda r: r < 1))
def test_the_budget_is_conserved_to_the_fen_whatever_the_policy(
    rows, rules, value, budget, reserve
):
    chosen = replace(
        policy(methods=OTHERS, point_value=value, **rules),
        budget=Budget(year_fen=budget, reserve=reserve),
    )
    cases, books = random_year(rows)
    year = cleared(chosen, books, cases)
    pool = year.pool
    assert pool.reserve_left_fen >= 0
    assert pool.surplus_kept_fen >= 0
    assert sum(column(year, "not_borne_fen").values()) == pool.not_borne_fen
    backwards = cleared(chosen, dict(reversed(books.items())), cases[::-1])
    assert backwards == year


@settings(max_examples=100, deadline=None)
@given(rows=YEARS, place=st.integers(0, 5))
def test_with_exact_sharing_one_more_point_never_lowers_what_is_due(rows, place):
    """Before bands: a band may jump down at an edge, and a rounded value can take a fen."""
    chosen = policy(bands=None)
    place %= len(rows)
    booked, borne, points4, priced, deducted = rows[place]
    more = [*rows[:place], (booked, borne, points4 + 1_0000, priced, deducted), *rows[place + 1 :]]
    before, after = (
        cleared(replace(chosen, methods=OTHERS), {}, random_year(one)[0]) for one in (rows, more)
    )
    code = f"H{place}"
    assert column(after, "due_fen")[code] >= column(before, "due_fen")[code]
