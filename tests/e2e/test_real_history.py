"""Published figures, brought in through the command line, come out as they were published.

The rows, their sources and the breaks in them stand in `tests/support/history.py`.
"""

from decimal import Decimal

import pytest
from support.history import COUNTY, FOLDER, HISTORIES, NATIONAL, Figure, History, fen
from support.terminal import Ask, asking


def bring_in(ask: Ask, *names: str) -> None:
    files = [str(FOLDER / f"{name}.csv") for name in names]
    answer = ask("--as", "clerk1", "intake", *files)
    assert [one["rejections"] + one["problems"] for one in answer["files"]] == [[]] * len(names)


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> dict[str, Ask]:
    """One book for each body whose history was published."""
    folder = tmp_path_factory.mktemp("history")
    opened = {}
    for place in HISTORIES:
        ask = opened[place.name] = asking(folder / f"{place.name}.db")
        ask("db", "upgrade")
        ask("--as", "admin1", "setup", str(FOLDER / f"{place.name}.setup.toml"))
        bring_in(ask, *(name for name in place.files if not name.endswith("-breaks")))
    return opened


@pytest.fixture(scope="module")
def as_published(books) -> dict[str, dict]:
    """What the county's book says before the breaks of its figures are booked."""
    ask = books[COUNTY.name]
    return {"indicators": ask("indicators", "2024-12"), **ask("balances", "--as-of", "2024-12")}


@pytest.fixture(scope="module")
def complete(books, as_published) -> dict[str, Ask]:
    """The same books once every break is booked as a row of its own."""
    bring_in(books[COUNTY.name], "county-2024-breaks")
    return books


def value_of(answer: dict, figure: Figure) -> str | None:
    found = [
        one
        for one in answer["indicators"]
        if (one["fund"], one["name"]) == (figure.fund, figure.name)
    ]
    assert len(found) == 1, figure
    return found[0]["value"]


def said(figure: Figure, place: History) -> str:
    """Give a figure as the product says it: amounts in fen, ratios as they are."""
    amount = figure.name in {"accumulated_surplus", "surplus_ytd"}
    return str(fen(figure.value, place.unit)) if amount else figure.value


FIGURES = [(place, figure) for place in HISTORIES for figure in place.figures]


@pytest.mark.parametrize(
    ("place", "figure"),
    FIGURES,
    ids=[f"{place.name}-{one.fund}-{one.name}-{one.period}" for place, one in FIGURES],
)
def test_the_figure_comes_out(complete, place, figure):
    answer = complete[place.name]("indicators", figure.period)
    assert str(value_of(answer, figure)) == said(figure, place)


@pytest.mark.parametrize("figure", COUNTY.as_published, ids=lambda figure: figure.name)
def test_without_the_break_the_parts_as_published_give_another_figure(as_published, figure):
    assert str(value_of(as_published["indicators"], figure)) == said(figure, COUNTY)


def test_the_county_expense_of_residents_differs_by_the_published_error(as_published, complete):
    before = {one["fund"]: one for one in as_published["funds"]}["390"]
    after = complete[COUNTY.name]("balances", "--as-of", "2024-12")
    stated = {one["fund"]: one for one in after["funds"]}["390"]
    assert before["expense_fen"] == fen("35602.94", "万元")
    assert stated["expense_fen"] == fen("35356.77", "万元")
    pending = [one for one in after["balances"] if one["account"] == "advance.other"]
    assert [one["balance_fen"] for one in pending] == [fen("246.17", "万元")]


def test_the_county_contributions_grew_as_published(complete):
    def received(month: str) -> int:
        answer = complete[COUNTY.name]("balances", "--as-of", month)
        account = "income.contribution.employer"
        rows = [
            one
            for one in answer["balances"]
            if one["account"] == account and one["fund"].startswith("310")
        ]
        assert rows
        return -sum(one["balance_fen"] for one in rows)

    before = received("2023-12")
    grown = Decimal(received("2024-12") - 2 * before) / before * 100
    assert round(grown, 2) == Decimal("16.69")


def test_the_month_of_the_published_10_07_is_not_reproducible_from_the_published_amounts(complete):
    """10.07 was published for employees; no variant of the definition gives it from all-in rows."""
    answer = complete[COUNTY.name]("indicators", "2024-12")
    values = {
        one["name"]: one["value"]
        for one in answer["indicators"]
        if one["fund"] == "310" and one["name"].startswith("payable_months")
    }
    assert values["payable_months.trailing12"] == "14.25"
    assert "10.07" not in values.values()


def test_national_breaks_are_adjustments_and_never_income(complete):
    """What a year's surplus does not explain of its balance is the break, to the fen."""
    ask = complete[NATIONAL.name]

    def funds(month: str) -> dict[str, dict]:
        return {one["fund"]: one for one in ask("balances", "--as-of", month)["funds"]}

    by_year = {year: funds(f"{year}-12") for year in (2021, 2022, 2023, 2024)}
    for fund, year, difference in (
        ("390", 2022, "42.09"),
        ("390", 2023, "17.51"),
        ("390", 2024, "-0.09"),
        ("310", 2022, "116.57"),
        ("310", 2023, "0.00"),
        ("310", 2024, "0.65"),
    ):
        before, after = by_year[year - 1][fund], by_year[year][fund]
        left = after["accumulated_fen"] - before["accumulated_fen"] - after["surplus_fen"]
        assert left == fen(difference, "亿元"), (fund, year)


def test_growth_without_a_year_before_is_null_with_a_reason(complete):
    answer = complete[NATIONAL.name]("indicators", "2021-12")
    growth = [
        one
        for one in answer["indicators"]
        if (one["fund"], one["name"]) == ("390", "expenditure_growth_ytd")
    ]
    assert [one["value"] for one in growth] == [None]
    assert growth[0]["reason"]
