"""The product computes from the sample area what its files say when they are read without it."""

import pytest
from support.plain_reading import Totals, read_rows
from support.terminal import asking

from medfund.demo import SampleArea, write_sample_area

LEAVES = ("310.pooled", "310.personal", "390", "392", "330", "320", "610")


@pytest.fixture(scope="module", params=[4, 11])
def area(request, tmp_path_factory) -> SampleArea:
    return write_sample_area(tmp_path_factory.mktemp("area"), seed=request.param, claims=600)


@pytest.fixture(scope="module")
def said(area: SampleArea) -> Totals:
    added = Totals()
    for path in area.flow_files:
        for row in read_rows(path):
            added.add(row)
    return added


@pytest.fixture(scope="module")
def answers(area: SampleArea, tmp_path_factory) -> dict[str, dict]:
    ask = asking(tmp_path_factory.mktemp("book") / "area.db")
    ask("db", "upgrade")
    ask("--as", "admin1", "setup", str(area.setup))
    files = [*area.flow_files, *area.claims_files]
    brought = ask("--as", "clerk1", "intake", *map(str, files))
    assert sum(one["posted"] for one in brought["files"]) > area.claims
    assert [one for one in brought["files"] if one["rejected"] or one["problems"]] == []
    return {
        "balances": ask("balances", "--as-of", area.last_period),
        "indicators": ask("indicators", area.last_period),
    }


@pytest.mark.parametrize("fund", LEAVES)
def test_balances_and_subtotals_agree(answers, said, fund):
    found = {one["fund"]: one for one in answers["balances"]["funds"]}[fund]
    income = sum(
        amount
        for (leaf, month), amount in said.income.items()
        if leaf == fund and month.startswith("2023")
    )
    assert found["accumulated_fen"] == said.accumulated(fund) * 100
    assert found["expense_subtotal_fen"] == said.spent((fund,), "2023-01", "2023-10") * 100
    assert found["income_subtotal_fen"] == income * 100


@pytest.mark.parametrize(
    ("fund", "name", "value"),
    [
        ("310", "expenditure_growth_ytd", "6.85"),
        ("310.pooled", "payable_months.trailing12", "28.50"),
        ("390", "expenditure_growth_ytd", "5.95"),
        ("390", "payable_months.trailing12", "5.45"),
    ],
)
def test_the_published_indicators_come_out_for_any_seed(answers, fund, name, value):
    found = [
        one["value"]
        for one in answers["indicators"]["indicators"]
        if (one["fund"], one["name"]) == (fund, name)
    ]
    assert found == [value]


def test_no_money_account_is_below_nil(answers):

    money = [
        one
        for one in answers["balances"]["balances"]
        if one["account"] in {"fiscal", "expenditure", "treasury", "term_deposit"}
    ]
    assert money
    assert [one for one in money if one["balance_fen"] < 0] == []
