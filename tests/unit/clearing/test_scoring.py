"""Points of single cases by the rules of deviation, and the bounds within which they are exact."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from support.clearing_examples import SCOPE, Log

from settlement.clearing.cases import kernel
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.run import Scored, score_cases
from settlement.clearing.cases.scoring import NotComputable, tables
from settlement.clearing.engine import Parts
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.policies.policy import Dip, Group, ReviewPoints

ENGINE = DuckDBEngine(memory_mib=64, threads=1)
HOSPITAL = "H33010000001"


def scored(folder: Path, log: Log, rules: Dip) -> Scored:
    return score_cases(ENGINE, log.write(folder), rules, SCOPE, watermark=log.position)


def dip(points: int, average_yuan: int, coefficient4: int = 10_000, **others: Any) -> Dip:
    group = Group(points4=points * 10_000, average_fen=average_yuan * 100)
    return Dip(groups={"A": group}, coefficients4={HOSPITAL: coefficient4}, **others)


@pytest.mark.parametrize(
    ("group", "cost", "standing", "expected"),
    [
        ((1000, 10_000), 10_000, Standing.NORMAL, 1000),
        ((1000, 10_000), 20_000, Standing.NORMAL, 1000),  # an edge is normal
        ((1000, 10_000), 25_000, Standing.HIGH, 1500),
        ((1000, 10_000), 5_000, Standing.NORMAL, 1000),  # an edge is normal
        ((800, 8_000), 3_000, Standing.LOW, 300),
        ((800, 8_000), 8_000, Standing.NORMAL, 800),
    ],
)
def test_points_follow_the_deviation_of_the_cost(group, cost, standing, expected, tmp_path):
    log = Log()
    log.settle("A", HOSPITAL, cost * 100)
    found = scored(tmp_path, log, dip(*group))
    (one,) = found.tallies
    assert (one.standing, one.points4) == (standing, expected * 10_000)


@pytest.mark.parametrize(("points", "expected"), [(300, 255), (800, 680)])
def test_the_institution_s_coefficient_multiplies(points, expected, tmp_path):
    log = Log()
    log.settle("A", HOSPITAL, 800_000)
    found = scored(tmp_path, log, dip(points, 8_000, coefficient4=8_500))
    assert found.points4 == {HOSPITAL: expected * 10_000}


@pytest.mark.parametrize(
    ("group", "cost", "coefficient4", "expected4"),
    [
        (Group(points4=10_002, average_fen=4_000), 1_000, 10_000, 2_501),  # 2,500.5
        (Group(points4=10_001, average_fen=4_000), 4_000, 5_000, 5_001),  # 5,000.5
        (Group(points4=10_001, average_fen=4_000), 4_000, 4_999, 4_999),  # 4,999.4999
    ],
)
def test_each_step_is_rounded_half_up(group, cost, coefficient4, expected4, tmp_path):
    log = Log()
    log.settle("A", HOSPITAL, cost)
    rules = Dip(groups={"A": group}, coefficients4={HOSPITAL: coefficient4})
    assert scored(tmp_path, log, rules).points4 == {HOSPITAL: expected4}


def test_an_edge_between_two_fen_is_exact(tmp_path):
    group = Group(points4=10_000, average_fen=1_001)  # edges at 400.4 and 1751.75 fen
    rules = Dip(
        groups={"A": group},
        coefficients4={HOSPITAL: 10_000},
        low=Fraction(2, 5),
        high=Fraction(7, 4),
    )
    log = Log()
    for cost in (400, 401, 1_751, 1_752):
        log.settle("A", HOSPITAL, cost)
    counted = {one.standing: one.cases for one in scored(tmp_path, log, rules).tallies}
    assert counted == {Standing.LOW: 1, Standing.NORMAL: 2, Standing.HIGH: 1}


def test_what_is_unknown_is_held_back_and_named(tmp_path):
    log = Log()
    log.settle(None, HOSPITAL, 100)
    first = log.settle("B", HOSPITAL, 200)
    log.settle("B", HOSPITAL, 300)
    log.settle("A", "H33019999999", 400)
    found = scored(tmp_path, log, dip(1000, 10_000))
    assert [
        (one.standing, one.institution, one.group, one.cases, one.cost_fen)
        for one in found.held_back
    ] == [
        (Standing.NO_GROUP, HOSPITAL, None, 1, 100),
        (Standing.UNKNOWN_GROUP, HOSPITAL, "B", 2, 500),
        (Standing.UNKNOWN_INSTITUTION, "H33019999999", "A", 1, 400),
    ]
    assert found.held_back[1].first_position == first
    assert sum(found.points4.values()) == 0


def test_a_refunded_or_reversed_settlement_is_no_case(tmp_path):
    log = Log()
    log.refund(log.settle("A", HOSPITAL, 1_000_000))
    log.reverse(log.settle("A", HOSPITAL, 1_000_000))
    log.reverse(log.refund(log.settle("A", HOSPITAL, 1_000_000)))  # the refund was a mistake
    found = scored(tmp_path, log, dip(1000, 10_000))
    counted = {one.standing: (one.cases, one.points4) for one in found.tallies}
    assert counted == {Standing.CANCELLED: (2, 0), Standing.NORMAL: (1, 10_000_000)}


#: Group A: 1,000 points, average 10,000.00; the hospital's coefficient is 0.85; cost 30,000.00 is high.
REVIEWS = [
    ("accepted", 1_600, ReviewPoints.AFTER_COEFFICIENT, (Standing.REVIEWED, 1_600)),
    ("accepted", 1_600, ReviewPoints.BEFORE_COEFFICIENT, (Standing.REVIEWED, 1_360)),
    ("accepted", None, ReviewPoints.AFTER_COEFFICIENT, (Standing.REVIEWED, 850)),  # as normal
    (
        "rejected",
        None,
        ReviewPoints.AFTER_COEFFICIENT,
        (Standing.HIGH, 1_700),
    ),  # 1000 x (3 - 2 + 1)
]


@pytest.mark.parametrize(("decision", "points", "stands_for", "expected"), REVIEWS)
def test_a_review_replaces_the_points_of_a_case(decision, points, stands_for, expected, tmp_path):
    log = Log()
    settled = log.settle("A", HOSPITAL, 3_000_000)
    log.review(settled, None if points is None else points * 10_000, decision=decision)
    rules = dip(1000, 10_000, coefficient4=8_500, review_points=stands_for)
    (one,) = scored(tmp_path, log, rules).tallies
    assert (one.cases, one.standing, one.points4) == (1, expected[0], expected[1] * 10_000)


def test_a_case_held_back_counts_once_it_is_grouped(tmp_path):
    log = Log()
    settled = log.settle(None, HOSPITAL, 1_000_000)
    log.settle("A", HOSPITAL, 1_000_000)
    held = log.position
    log.group(settled, "B")  # not in the list
    log.group(settled, "A")
    parts, rules = log.write(tmp_path), dip(1000, 10_000)
    standings = [
        {
            one.standing: (one.group, one.points4)
            for one in score_cases(ENGINE, parts, rules, SCOPE, watermark=at).tallies
        }
        for at in (held, held + 1, held + 2)
    ]
    normal = {Standing.NORMAL: (None, 10_000_000)}
    assert standings == [
        normal | {Standing.NO_GROUP: (None, 0)},
        normal | {Standing.UNKNOWN_GROUP: ("B", 0)},
        {Standing.NORMAL: (None, 20_000_000)},
    ]


def test_a_watermark_shows_the_cases_as_they_stood_there(tmp_path):
    log = Log()
    settled = log.settle("A", HOSPITAL, 1_000_000)
    log.refund(settled)
    log.settle("A", HOSPITAL, 1_000_000)
    parts, rules = log.write(tmp_path), dip(1000, 10_000)
    points = [
        sum(score_cases(ENGINE, parts, rules, SCOPE, watermark=at).points4.values())
        for at in range(4)
    ]
    assert points == [0, 10_000_000, 0, 10_000_000]


def test_parts_of_no_settlement_give_nothing(tmp_path):
    found = scored(tmp_path, Log(), dip(1000, 10_000))
    assert found.tallies == ()


@pytest.mark.parametrize(
    "rules",
    [
        dip(6_001, 10_000),
        dip(1000, 9),
        dip(1000, 5_000_001),
        dip(1000, 10_000, coefficient4=100_001),
        dip(1000, 10_000, low=Fraction(3, 2)),
        dip(1000, 10_000, high=Fraction(1, 2)),
        dip(1000, 10_000, high=Fraction(203, 101)),
    ],
)
def test_numbers_beyond_exactness_are_refused(rules):
    with pytest.raises(NotComputable):
        tables(rules, SCOPE, watermark=1)


def test_the_largest_products_fit_into_64_bits():
    highest = kernel.MAX_COST_FEN * kernel.MAX_DENOMINATOR
    case = 2 * kernel.MAX_BASE4 * highest + kernel.MAX_AVERAGE_FEN * kernel.MAX_DENOMINATOR
    case4 = kernel.MAX_BASE4 * kernel.MAX_COST_FEN // kernel.MIN_AVERAGE_FEN + 1
    points = 2 * case4 * kernel.MAX_COEFFICIENT4 + kernel.ONE
    reviewed = 2 * kernel.MAX_REVIEW4 * kernel.MAX_COEFFICIENT4 + kernel.ONE
    assert max(case, points, reviewed) < 2**63


def test_the_kernel_divides_whole_numbers_only():
    tree = sqlglot.parse_one(kernel.KERNEL, read="duckdb")
    assert not [*tree.find_all(exp.Div)]
    spark = sqlglot.parse_one(kernel.in_dialect(kernel.KERNEL, "spark"), read="spark")
    assert not [*spark.find_all(exp.Div)]
    assert len([*spark.find_all(exp.IntDiv)]) == len([*tree.find_all(exp.IntDiv)])


def test_a_name_that_an_engine_would_take_for_a_pattern_is_refused():
    with pytest.raises(ValueError, match="pattern"):
        Parts((), (Path("part-*.parquet"),))
