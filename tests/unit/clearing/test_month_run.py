"""A month asked of the engine: which method takes a case, prices of cases, and what does not add up."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sqlglot
from sqlglot import exp
from support.clearing_examples import AREA, FUND, MONTH, Log, entry

from ledger.domain.period import Period
from settlement.clearing.cases import kernel
from settlement.clearing.cases.counting import TEXTS
from settlement.clearing.cases.priced import MAX_AMOUNT_FEN
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.methods.per_diem import PerDiemCap, Stage
from settlement.clearing.month.partitions import by_parts
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.month.refusals import TotalsDiffer
from settlement.clearing.policies.policy import (
    Budget,
    Cases,
    DayWard,
    Dip,
    DrgFixedRate,
    Family,
    FeeForService,
    Group,
    Method,
    PerDiem,
    PointValue,
    Policy,
    PricedReviews,
)

H1, H2 = "H33010000001", "H33010000002"
GROUPS = {"A": Group(points4=10_000_000, average_fen=1_000_000)}
DIP = Dip(groups=GROUPS, coefficients4={H1: 10_000, H2: 8_500})


def cleared(folder, log, *methods, watermark=None, year_fen=1_200_00, value=None, parts=None):
    policy = Policy(
        name="p",
        title="p",
        fund=FUND,
        effective="2025-01-01",
        budget=Budget(year_fen=year_fen, reserve=Fraction(0)),
        point_value=value or PointValue(),
        methods=methods,
    )
    question = Question(
        AREA,
        FUND,
        Period.parse(MONTH),
        log.position if watermark is None else watermark,
        log.write(folder),
        DuckDBEngine(memory_mib=64, threads=1),
    )
    if parts is not None:
        question = by_parts(question, parts)
    return clear_month(question, Chosen("p@1", "hash", policy))


def due(found):
    return {
        (one.counted.institution, one.counted.method): (one.counted.cases, one.due_fen)
        for one in found.due.lines
    }


def method(name, rules, **cases):
    return Method(
        name=name,
        cases=Cases(**{key: frozenset(value) for key, value in cases.items()}),
        rules=rules,
    )


def test_the_first_method_that_fits_takes_a_case_and_no_other(tmp_path):
    """Every combination of type, care and institution goes where ``method_of`` sends it."""
    log = Log()
    for clr_type in ("11", "21"):
        for med_type in ("21", "52"):
            for institution in (H1, H2):
                kind = {"clr_type": clr_type, "med_type": med_type}
                log.settle("A", institution, 1_000_000, **kind)
    as_booked = FeeForService()
    found = cleared(
        tmp_path,
        log,
        method("one", as_booked, clr_types=["21"], med_types=["52"], institutions=[H2]),
        method("two", as_booked, med_types=["52"]),
        method("three", DIP, clr_types=["21"]),
        method("four", as_booked, institutions=[H1]),
    )
    assert {key: cases for key, (cases, _) in due(found).items()} == {
        (H2, "one"): 1,
        (H1, "two"): 2,  # 11/52 and 21/52
        (H2, "two"): 1,  # 11/52
        (H1, "three"): 1,  # 21/21
        (H2, "three"): 1,
        (H1, "four"): 1,  # 11/21
    }
    assert [(one.kind, one.cases) for one in found.gaps] == [(("11", "21", H2), 1)]


@pytest.mark.parametrize(
    ("cap", "expected"), [(PerDiemCap.FIXED, 3 * 200 + 50), (PerDiemCap.LOWER, 600)]
)
def test_days_are_priced_by_stage_and_what_has_none_is_held_back(cap, expected, tmp_path):
    log = Log()
    log.settle(None, H1, 600, days="4")
    for days in (None, "", "3661", "-1", "4.0", "04"):
        log.settle(None, H1, 500, days=days)
    log.settle(None, H1, kernel.MAX_COST_FEN + 1, days="1")
    log.settle(None, H1, 500, days="0")
    stages = (Stage(upto_day=3, rate_fen=200), Stage(upto_day=None, rate_fen=50))
    found = cleared(tmp_path, log, method("days", PerDiem(stages=stages, cap=cap)))
    assert due(found) == {(H1, "days"): (2, expected)}
    assert {(one.reason, one.tally.group, one.tally.cases) for one in found.held} == {
        ("no_days", None, 2),
        ("days_out_of_bounds", "3661", 1),
        ("days_out_of_bounds", "-1", 1),
        ("days_out_of_bounds", "4.0", 1),
        ("days_out_of_bounds", "04", 1),
        ("cost_out_of_bounds", "1", 1),
    }


def test_a_rate_is_rounded_for_each_case(tmp_path):
    """Weight 1.0005 at 0.10 yuan is 10.005 fen: 10 a case, 30 for three and not 30.015."""
    log = Log()
    for _ in range(3):
        log.settle("A", H1, 100)
    log.settle("B", H1, 100)
    groups = {"A": Group(points4=10_005, average_fen=1)}
    found = cleared(
        tmp_path, log, method("rate", DrgFixedRate(groups=groups, rate=Fraction(1, 10)))
    )
    assert due(found) == {(H1, "rate"): (3, 30)}
    assert [(one.reason, one.tally.group) for one in found.held] == [("unknown_group", "B")]


AS_GIVEN, AS_BOOKED, NONE = PricedReviews.AS_GIVEN, PricedReviews.AS_BOOKED, PricedReviews.NONE
RATE = DrgFixedRate(groups={"A": Group(points4=15_000, average_fen=1)}, rate=Fraction(1000))
BEDS = PerDiem(stages=(Stage(upto_day=None, rate_fen=200_00),), cap=PerDiemCap.LOWER)
WARD = DayWard(standards_fen={"A": 900_00}, lower=True)


@pytest.mark.parametrize(
    ("rules", "reviews", "given", "due_fen"),
    [  # a case of group A and one day that cost 800.00, of which 560.00 were booked
        (RATE, NONE, {"points4": 23_333}, 1_500_00),
        (RATE, AS_GIVEN, {"points4": 23_333}, 2_333_30),  # 2.3333 x 1000
        (RATE, AS_GIVEN, {"amount_fen": 700_01}, 700_01),
        (RATE, AS_GIVEN, {}, 1_500_00),
        (RATE, AS_GIVEN, {"points4": 23_333, "decision": "rejected"}, 1_500_00),
        (RATE, AS_BOOKED, {}, 560_00),
        (RATE, AS_BOOKED, {"amount_fen": 1}, None),
        (RATE, AS_GIVEN, {"points4": 1, "amount_fen": 1}, None),
        (RATE, AS_GIVEN, {"points4": kernel.MAX_REVIEW4 + 1}, None),
        (BEDS, NONE, {"amount_fen": 900_00}, 200_00),
        (BEDS, AS_GIVEN, {"amount_fen": 900_00}, 900_00),  # no cap holds what was given
        (BEDS, AS_GIVEN, {}, 200_00),
        (BEDS, AS_GIVEN, {"points4": 10_000}, None),
        (BEDS, AS_BOOKED, {}, 560_00),
        (WARD, NONE, {"amount_fen": 850_00}, 800_00),
        (WARD, AS_GIVEN, {"amount_fen": 850_00}, 850_00),
        (WARD, AS_GIVEN, {"amount_fen": MAX_AMOUNT_FEN + 1}, None),
        (WARD, AS_BOOKED, {}, 560_00),
    ],
)
def test_what_a_review_makes_of_a_priced_case(rules, reviews, given, due_fen, tmp_path):
    log = Log()
    log.review(log.settle("A", H1, 800_00, days="1"), **given)
    found = cleared(tmp_path, log, method("m", replace(rules, reviews=reviews)))
    if due_fen is None:
        assert due(found) == {}
        assert [one.reason for one in found.held] == ["review_out_of_bounds"]
    else:
        assert due(found) == {(H1, "m"): (1, due_fen)}


def test_a_review_prices_what_could_not_be_and_an_amount_is_no_points(tmp_path):
    log = Log()
    log.review(log.settle(None, H1, 800_00), amount_fen=600_00)  # no group
    log.review(log.settle("B", H1, kernel.MAX_COST_FEN + 1), points4=20_000)  # 2 x 1000
    log.review(log.settle("A", H1, kernel.MAX_COST_FEN + 1))
    log.settle("A", H1, kernel.MAX_COST_FEN + 1)
    log.review(log.settle("A", H1, 100_00, clr_type="11"), amount_fen=600_00)
    found = cleared(tmp_path, log, method("rate", RATE, clr_types=["21"]), method("points", DIP))
    assert due(found) == {(H1, "rate"): (3, 600_00 + 2_000_00 + 1_500_00)}
    assert [(one.method, one.reason) for one in found.held] == [
        ("rate", "cost_out_of_bounds"),
        ("points", "review_out_of_bounds"),
    ]


def test_what_is_taken_back_is_cancelled_in_every_method(tmp_path):
    log = Log()
    for rules in ("11", "21", "31"):
        log.refund(log.settle("A", H1, 1_000_000, clr_type=rules, days="1"))
        log.reverse(log.settle("A", H1, 1_000_000, clr_type=rules, days="1"))
    methods = (
        method("booked", FeeForService(), clr_types=["11"]),
        method("points", DIP, clr_types=["21"]),
        method("days", PerDiem(stages=(Stage(upto_day=None, rate_fen=1),)), clr_types=["31"]),
    )
    found = cleared(tmp_path, log, *methods)
    assert due(found) == {}
    assert sum(one.cases for one in found.cancelled) == 6
    assert found.due.pool is not None
    assert found.due.pool.difference_fen == 100_00
    before = cleared(tmp_path / "before", log, *methods, watermark=3)
    assert sum(one.cases for one in before.cancelled) == 1


def test_an_entry_that_owes_a_fund_twice_does_not_add_up(tmp_path):
    """The deliberate defect: such an entry was never written; a text that read it would lose a part."""
    log = Log()
    twice = [*entry({FUND: 300}, H1), *entry({FUND: 400}, H1)]
    log.settle("A", H1, 1_000, postings=twice)
    with pytest.raises(TotalsDiffer) as refused:
        cleared(tmp_path, log, method("points", DIP))
    assert (refused.value.facts["expected"], refused.value.facts["found"]) == (700, 400)


def test_what_the_fund_owes_for_people_insured_otherwise_stands_apart(tmp_path):
    log = Log()
    log.settle("A", H1, 1_000)
    log.settle("A", H1, 1_000, insutype="390")  # a part of theirs is owed by this fund
    found = cleared(tmp_path, log, method("points", DIP))
    assert (found.obligations_fen, found.elsewhere_fen) == (1_400, 700)
    assert due(found) == {(H1, "points"): (1, 100_00)}


def passed_through(institution, fen):
    """What another place's fund pays through ours to an institution here."""
    return [
        {"fund": FUND, "debit": "claims.passthrough", "credit": "owed.passthrough", "fen": fen,
         "party": institution}
    ]  # fmt: skip


COUNTED = PointValue(family=Family.TOTAL_COST, insured_elsewhere=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # 700,000 + 300,000 borne, one case
        (PointValue(family=Family.TOTAL_COST), {(H1, "points"): (1, 700_000)}),
        # 700,000 + 300,000 + 800,000 borne = 1,800,000 over 1,850 points: 972,973 and 827,027
        (COUNTED, {(H1, "points"): (1, 672_973), (H2, "points"): (1, 27_027)}),
    ],
)
def test_people_insured_elsewhere_count_in_points_where_the_policy_says_so(
    value, expected, tmp_path
):
    """What others bear of their cases is theirs; the fund here owes what the points make of the rest."""
    log = Log()
    log.settle("A", H1, 1_000_000)
    log.settle("A", H2, 800_000, postings=passed_through(H2, 560_000))
    log.settle(None, H2, 500, clr_type="31", days="1", postings=passed_through(H2, 350))
    to_shanghai = [{**passed_through("310104", 700_000)[0], "credit": "owed.remote"}]
    log.settle("A", H1, 1_000_000, postings=to_shanghai)
    methods = (
        method("points", DIP, clr_types=["21"]),
        method("days", PerDiem(stages=(Stage(upto_day=None, rate_fen=100),))),
    )
    told = {"year_fen": 12 * 700_000, "value": value}
    found = cleared(tmp_path, log, *methods, **told)
    assert due(found) == expected
    assert found.due.pool.difference_fen == 0
    assert found.obligations_fen == sum(one.counted.booked_fen for one in found.due.lines)
    in_parts = cleared(tmp_path / "parts", log, *methods, parts=3, **told)
    assert (in_parts.due, in_parts.record.result) == (found.due, found.record.result)


def test_no_text_of_a_run_divides_but_by_whole_numbers():
    for text in TEXTS:
        assert not [*sqlglot.parse_one(text, read="duckdb").find_all(exp.Div)]
        spark = sqlglot.parse_one(kernel.in_dialect(text, "spark"), read="spark")
        assert not [*spark.find_all(exp.Div)]
