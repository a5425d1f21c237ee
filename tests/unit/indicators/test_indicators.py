"""Indicators against worked and published figures; amounts are written in yuan, as published."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger.domain.fund import FUNDS
from ledger.domain.period import Period
from projections.definitions import DEFINITIONS, Definition, Method, Unit, definitions_at
from projections.queries.indicators import REASONS, Target, indicators_document
from projections.queries.monthly import CareKey, Flows, Levels, MonthlyFigures
from projections.queries.scope import FundUnknown

WAN = 10_000  # 万元
YI = 100_000_000  # 亿元


def fen(amount: str, unit: int = 1) -> int:
    exact = Decimal(amount) * unit * 100
    assert exact == int(exact)
    return int(exact)


def spent(amount: int, *, benefit: int | None = None, outside: int = 0) -> Flows:
    return Flows(
        expense=amount + outside,
        expense_subtotal=amount,
        benefit=amount if benefit is None else benefit,
    )


def earned(amount: int, *, outside: int = 0) -> Flows:
    return Flows(income=amount + outside, income_subtotal=amount)


def figures(
    flows: Mapping[tuple[str, str], Flows],
    levels: Mapping[tuple[str, str], Levels] | None = None,
    *,
    first: Mapping[str, str | None] | None = None,
    care: Mapping[tuple[str, str, str], Flows] | None = None,
    funds: tuple[str, ...] = ("310", "390", "610"),
) -> MonthlyFigures:
    leaves = tuple(leaf for fund in funds for leaf in FUNDS[fund].leaves)
    begun = dict.fromkeys(leaves, "2018-01") | dict(first or {})
    by_leaf: dict[str, dict[Period, Levels]] = {}
    for (leaf, month), level in (levels or {}).items():
        by_leaf.setdefault(leaf, {})[Period.parse(month)] = level
    return MonthlyFigures(
        area="330604",
        position=77,
        known_at=None,
        funds=funds,
        leaves=leaves,
        first_months={leaf: month and Period.parse(month) for leaf, month in begun.items()},
        flows={(leaf, Period.parse(month)): flow for (leaf, month), flow in flows.items()},
        care={
            CareKey(leaf, Period.parse(booked), Period.parse(month)): flow
            for (leaf, booked, month), flow in (care or {}).items()
        },
        levels=by_leaf,
    )


def row(given: MonthlyFigures, name: str, fund: str, period: str, **more: Any) -> dict[str, Any]:
    document = indicators_document(given, period=Period.parse(period), **more)
    return next(
        found for found in document["indicators"] if (found["name"], found["fund"]) == (name, fund)
    )


PAYABLE = [
    ("county 2024 residents", WAN, "32470.80", "35356.77", "2024-12", "trailing12", "11.02"),
    (
        "county 2024 employees, all in",
        WAN,
        "33768.83",
        "28438.81",
        "2024-12",
        "trailing12",
        "14.25",
    ),
    ("Shaoxing H1 2023 employees", YI, "216.37", "59.82", "2023-06", "ytd_average", "21.70"),
    ("Shaoxing H1 2023 residents", YI, "22.45", "19.38", "2023-06", "ytd_average", "6.95"),
    ("NHSA 2024 pooled", YI, "30445.50", "13222.71", "2024-12", "trailing12", "27.63"),
    ("NHSA 2024 residents", YI, "8183.02", "10661.49", "2024-12", "ytd_average", "9.21"),
    ("NHSA end of 2023, on 2023", YI, "7663.70", "10457.65", "2023-12", "trailing12", "8.79"),
    ("exactly half a hundredth", 1, "10.05", "120.00", "2023-12", "trailing12", "1.01"),
    ("just below half", 1, "1004.99", "12000.00", "2023-12", "trailing12", "1.00"),
    ("a deficit, half away from nil", 1, "-10.05", "120.00", "2023-12", "trailing12", "-1.01"),
]


@pytest.mark.parametrize("case", PAYABLE, ids=lambda case: case[0])
def test_payable_months_as_published(case):
    what, unit, accumulated, expense, period, variant, published = case
    given = figures(
        {("390", period): spent(fen(expense, unit))},
        {("390", period): Levels(accumulated=fen(accumulated, unit))},
    )
    found = row(given, f"payable_months.{variant}", "390", period)
    assert found["value"] == published, what
    assert found["inputs"]["accumulated_fen"] == fen(accumulated, unit)
    assert found["inputs"]["expense_fen"] == fen(expense, unit)
    assert found["inputs"]["months"] == (6 if period.endswith("06") else 12)


GROWTH = [
    ("county 2024 employees, expense", "28438.81", "25377.10", "12.06"),
    ("county 2024 employees, income", "32076.55", "28291.83", "13.38"),
    ("county 2024 employees, contributions", "31456.38", "26957.76", "16.69"),
    ("half up", "1001.25", "1000.00", "0.13"),
    ("half away from nil", "998.75", "1000.00", "-0.13"),
    ("rounds to nil without a sign", "999.99", "1000.00", "0.00"),
    ("everything gone", "0.00", "1000.00", "-100.00"),
]


@pytest.mark.parametrize(("what", "this", "last", "published"), GROWTH)
@pytest.mark.parametrize("side", ["income", "expenditure"])
def test_growth_as_published(what, this, last, published, side):
    flow = earned if side == "income" else spent
    given = figures(
        {
            ("310.pooled", "2024-07"): flow(fen(this, WAN)),
            ("310.pooled", "2023-02"): flow(fen(last, WAN)),
            ("310.pooled", "2023-12"): flow(fen("999999.99", WAN)),  # outside both windows
            ("310.pooled", "2024-11"): flow(fen("999999.99", WAN)),
        }
    )
    found = row(given, f"{side}_growth_ytd", "310", "2024-10")
    assert found["value"] == published, what
    assert found["inputs"] == {
        "current_fen": fen(this, WAN),
        "base_fen": fen(last, WAN),
    }
    assert found["window"] == {"from": "2024-01", "to": "2024-10"}
    assert found["base_window"] == {"from": "2023-01", "to": "2023-10"}


def test_the_subtotal_leaves_money_between_levels_out_and_the_variant_says_so():
    given = figures(
        {
            ("390", "2024-01"): spent(110, outside=90, benefit=60),
            ("390", "2023-01"): spent(100, outside=0, benefit=50),
        },
        {("390", "2024-01"): Levels(accumulated=1000)},
    )
    assert row(given, "expenditure_growth_ytd", "390", "2024-01")["value"] == "10.00"
    assert row(given, "expenditure_growth_ytd.total", "390", "2024-01")["value"] == "100.00"
    assert row(given, "expenditure_growth_ytd.benefit", "390", "2024-01")["value"] == "20.00"
    months = "payable_months.trailing12"
    assert row(given, months, "390", "2024-01")["value"] == "109.09"
    assert row(given, f"{months}_total", "390", "2024-01")["value"] == "60.00"


def test_months_of_care_are_compared_at_the_same_age():
    given = figures(
        {},
        care={
            ("390", "2023-02", "2023-01"): spent(100),
            ("390", "2023-09", "2023-02"): spent(900),  # came late: not known in March 2023
            ("390", "2024-03", "2024-02"): spent(130),
            ("390", "2024-03", "2023-12"): spent(7),  # last year's care
        },
    )
    found = row(given, "expenditure_growth_ytd.benefit_by_care", "390", "2024-03")
    assert found["inputs"] == {"current_fen": 130, "base_fen": 100}
    assert found["value"] == "30.00"
    count = row(given, "care_months_ytd", "390", "2024-03")
    assert (count["value"], count["unit"]) == (2, "count")


def test_the_adjusted_variant_lists_everything_it_takes_off():
    level = Levels(
        accumulated=1000, advances=100, owed=200, next_year_premiums=300, deposits_held=50
    )
    given = figures({("390", "2023-10"): spent(600)}, {("390", "2023-09"): level})
    found = row(given, "payable_months.adjusted", "390", "2023-10")
    assert found["inputs"] == {
        "accumulated_fen": 1000,
        "advances_fen": 100,
        "unpaid_obligations_fen": 200,
        "deposits_held_fen": 50,
        "next_year_premiums_fen": 300,
        "numerator_fen": 350,
        "expense_fen": 600,
        "months": 12,
    }
    assert found["value"] == "7.00"
    assert row(given, "payable_months.trailing12", "390", "2023-10")["value"] == "20.00"
    assert row(given, "payable_months.without_next_year", "390", "2023-10")["value"] == "14.00"


def test_windows_of_the_three_denominators():
    given = figures(
        {
            ("390", "2022-01"): spent(120_000),
            ("390", "2022-11"): spent(24_000),
            ("390", "2023-10"): spent(12_000),
        },
        {("390", "2022-12"): Levels(accumulated=36_000)},
    )
    trailing = row(given, "payable_months.trailing12", "390", "2023-10")
    assert (trailing["value"], trailing["window"]) == (
        "12.00",
        {"from": "2022-11", "to": "2023-10"},
    )
    elapsed = row(given, "payable_months.ytd_average", "390", "2023-10")
    assert (elapsed["value"], elapsed["inputs"]["months"]) == ("30.00", 10)
    prior = row(given, "payable_months.prior_year", "390", "2023-10")
    assert (prior["value"], prior["window"]) == ("3.00", {"from": "2022-01", "to": "2022-12"})


NULLS = [
    ("one month short", "2022-12", {"2023-10": 5}, "payable_months.trailing12", "window_before"),
    ("one month short", "2022-12", {"2023-10": 5}, "payable_months.adjusted", "window_before"),
    ("began in February", "2023-02", {"2023-10": 5}, "payable_months.ytd_average", "window_before"),
    ("half of last year", "2022-07", {"2022-10": 5}, "payable_months.prior_year", "window_before"),
    ("base cut short", "2022-02", {"2022-10": 5}, "expenditure_growth_ytd", "window_before"),
    ("no base", "2018-01", {"2023-10": 5}, "expenditure_growth_ytd", "base_missing"),
    ("base negative", "2018-01", {"2022-10": -5}, "expenditure_growth_ytd", "base_not_positive"),
    ("no expense", "2018-01", {}, "payable_months.trailing12", "denominator_not"),
    ("returned", "2018-01", {"2023-10": -5}, "payable_months.trailing12", "denominator_not"),
    ("nothing ever", None, {}, "payable_months.trailing12", "no_history"),
    ("nothing ever", None, {}, "expenditure_growth_ytd", "no_history"),
    ("no clearing", "2018-01", {}, "settlement_rate", "no_clearing_run"),
]


@pytest.mark.parametrize("case", NULLS, ids=lambda case: f"{case[0]}, {case[3]}")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_cannot_be_computed_is_null_with_a_reason(case, lang):
    what, first, flows, name, reason = case
    given = figures(
        {("390", month): spent(amount) for month, amount in flows.items()}, first={"390": first}
    )
    found = row(given, name, "390", "2023-10", lang=lang)
    assert found["value"] is None
    assert found["reason"].startswith(reason), what
    assert found["reason_text"] == REASONS[found["reason"]][0 if lang == "zh" else 1]


def test_a_window_that_begins_with_the_first_month_is_whole():
    given = figures(
        {("390", "2023-10"): spent(12)},
        {("390", "2023-01"): Levels(accumulated=24)},
        first={"390": "2022-11"},
    )
    found = row(given, "payable_months.trailing12", "390", "2023-10")
    assert found["value"] == "24.00"  # ten of the twelve months have no flows: they count as nil
    assert "reason" not in found


def test_the_employee_fund_is_the_sum_of_its_sub_funds():
    given = figures(
        {
            ("310.pooled", "2023-10"): Flows(100, 60, 100, 60, 60),
            ("310.personal", "2023-10"): Flows(50, 40, 50, 40, 40),
            ("390", "2023-10"): Flows(10, 20, 10, 20, 20),
        },
        {
            ("310.pooled", "2023-10"): Levels(accumulated=1000),
            ("310.personal", "2023-10"): Levels(accumulated=300),
            ("390", "2023-10"): Levels(accumulated=7),
        },
    )
    surplus = {
        fund: row(given, "surplus_ytd", fund, "2023-10")["value"]
        for fund in ("310.pooled", "310.personal", "310", "390", "basic")
    }
    assert surplus == {"310.pooled": 40, "310.personal": 10, "310": 50, "390": -10, "basic": 40}
    assert row(given, "accumulated_surplus", "310", "2023-10")["value"] == 1300
    assert row(given, "accumulated_surplus", "basic", "2023-10")["value"] == 1307


def test_basic_waits_for_the_later_of_its_funds_and_needs_both():
    flows = {("390", "2022-01"): spent(10), ("390", "2023-01"): spent(10)}
    late = figures(flows, first={"310.pooled": "2022-06", "310.personal": None})
    assert row(late, "expenditure_growth_ytd", "basic", "2023-01")["reason"] == (
        "window_before_first_month"
    )
    alone = figures(flows, funds=("390",))
    assert row(alone, "surplus_ytd", "basic", "2023-01")["reason"] == "fund_missing"


def test_every_fund_sub_fund_and_basic_answers_every_indicator():
    required = {
        "income_growth_ytd",
        "expenditure_growth_ytd",
        "payable_months.trailing12",
        "payable_months.ytd_average",
        "payable_months.prior_year",
        "payable_months.adjusted",
        "surplus_ytd",
        "accumulated_surplus",
        "settlement_rate",
    }
    document = indicators_document(figures({}), period=Period(2023, 10))
    assert (document["period"], document["position"]) == ("2023-10", 77)
    names: dict[str, set[str]] = {}
    for found in document["indicators"]:
        names.setdefault(found["fund"], set()).add(found["name"])
    assert list(names) == ["310", "310.pooled", "310.personal", "390", "610", "basic"]
    assert all(required <= given for given in names.values())
    assert "accumulated_share_of_income" in names["610"]
    assert "accumulated_share_of_income" not in names["390"]


def test_one_fund_is_answered_with_its_sub_funds():
    asked = indicators_document(figures({}), period=Period(2023, 10), fund="310")
    assert {found["fund"] for found in asked["indicators"]} == {
        "310",
        "310.pooled",
        "310.personal",
    }
    asked = indicators_document(figures({}), period=Period(2023, 10), fund="310.pooled")
    assert {found["fund"] for found in asked["indicators"]} == {"310.pooled"}


def test_a_fund_without_a_book_is_refused_never_answered_with_nothing():
    for fund in ("330", "310.other", "banana"):
        with pytest.raises(FundUnknown) as refused:
            indicators_document(figures({}), period=Period(2023, 10), fund=fund)
        assert refused.value.facts["fund"] == fund


def test_medical_assistance_is_measured_against_the_funds_raised():
    given = figures(
        {("610", "2024-05"): earned(fen("3674.71", WAN))},
        {("610", "2024-12"): Levels(accumulated=fen("160.95", WAN))},
    )
    found = row(given, "accumulated_share_of_income", "610", "2024-12")
    assert (found["value"], found["unit"]) == ("4.38", "percent")


TARGETS = [
    ("10", None, "10.00", "met"),
    ("9.99", None, "10.00", "missed"),
    (None, "10.00", "10.00", "met"),
    (None, "10.01", "10.00", "missed"),
    ("10.00", "10.00", "10.00", "met"),
    ("ten", None, "10.00", "unknown"),
    (None, None, "10.00", "none"),
]


@pytest.mark.parametrize(("at_most", "at_least", "value", "status"), TARGETS)
def test_targets_are_compared_with_the_published_figure(at_most, at_least, value, status):
    given = figures({("390", "2024-01"): spent(1_100_004), ("390", "2023-01"): spent(1_000_000)})
    target = Target("expenditure_growth_ytd", "390", 2024, at_most=at_most, at_least=at_least)
    found = row(given, "expenditure_growth_ytd", "390", "2024-01", targets=[target])
    assert (found["value"], found["status"]) == (value, status)
    other_year = Target("expenditure_growth_ytd", "390", 2023, at_most="1")
    unasked = row(given, "expenditure_growth_ytd", "390", "2024-01", targets=[other_year])
    assert (unasked["target"], unasked["status"]) == (None, "none")


def test_a_target_on_a_figure_that_is_null_is_unknown_not_missed():
    target = Target("expenditure_growth_ytd", "390", 2024, at_most="10")
    found = row(figures({}), "expenditure_growth_ytd", "390", "2024-01", targets=[target])
    assert (found["value"], found["status"], found["target"]) == (
        None,
        "unknown",
        {"at_most": "10"},
    )


BANDS = [("2.99", "short"), ("3.00", "low"), ("5.99", "low"), ("6.00", "reasonable")]
BANDS += [("8.99", "reasonable"), ("9.00", "ample"), ("15.00", "excessive"), ("-1.00", "short")]


@pytest.mark.parametrize(("months", "band"), BANDS)
def test_warning_bands_own_their_lower_edge(months, band):
    given = figures(
        {("310.pooled", "2023-10"): spent(1200)},
        {("310.pooled", "2023-10"): Levels(accumulated=fen(months))},
    )
    found = row(given, "payable_months.trailing12", "310.pooled", "2023-10")
    assert (found["value"], found["band"]["key"]) == (months, band)


def test_the_headline_of_employees_is_the_pooled_fund():
    given = figures({})
    headline = {
        fund: row(given, "payable_months.trailing12", fund, "2023-10")["definition"]["headline"]
        for fund in ("310", "310.pooled", "390")
    }
    assert headline == {"310": False, "310.pooled": True, "390": True}


def test_a_later_version_of_a_definition_follows_from_its_date():
    old = next(found for found in DEFINITIONS if found.name == "surplus_ytd")
    new = Definition(
        name="surplus_ytd",
        version=2,
        effective=date(2024, 1, 1),
        unit=Unit.FEN,
        method=Method.ACCUMULATED,
        zh="新口径",
        en="new",
        formula_zh="",
        formula_en="",
    )
    chosen = {
        day.year: next(
            found.id for found in definitions_at(day, [new, old]) if found.name == "surplus_ytd"
        )
        for day in (date(2023, 12, 31), date(2024, 1, 1))
    }
    assert chosen == {2023: "surplus_ytd@1", 2024: "surplus_ytd@2"}
    assert definitions_at(date(2017, 12, 31), [new, old]) == ()


def test_definitions_are_told_apart_by_name_and_version():
    assert len({found.id for found in DEFINITIONS}) == len(DEFINITIONS)
    document = DEFINITIONS[0].document()
    assert document["id"] == "income_growth_ytd@1"
    assert document["rounding"] == "half_up:2"
