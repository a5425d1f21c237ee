"""Random areas through the command line against the oracle, to the fen, on both stores.

The oracle (`support.oracle`) is written from the outside description and imports no product code;
the files come in every form (CSV in three encodings, .xlsx, .xls, either language, titles, 万元).
"""

from pathlib import Path
from typing import Any

import pytest
from support.oracle import PERSONAL, POOLED, Books, head, leaves_of
from support.oracle_area import RandomArea
from support.oracle_files import Writer, days_of, setup_text

SEEDS = (3, 17)


class Case:
    """One random area, brought in; asked through the command line."""

    def __init__(self, seed: int, medfund: Any, folder: Path) -> None:
        self.drawn = RandomArea(seed, months=26, claims=60)
        self.books = Books(self.drawn.area)
        self._medfund = medfund
        (folder / "setup.toml").write_text(setup_text(self.drawn.area), encoding="utf-8")
        self.ask("setup", folder / "setup.toml", user="admin1")
        writer = Writer(seed, self.drawn.area, folder)
        files = [*writer.flow_files(), *writer.claim_files()]
        self.brought = self.ask("intake", *files, user="clerk1")["files"]

    def ask(self, *words: Any, user: str | None = None) -> Any:
        answer = self._medfund("--json", *words, user=user)
        assert answer.code == 0, answer.out
        return answer.json


@pytest.fixture(params=SEEDS)
def case(request, medfund, tmp_path) -> Case:
    return Case(request.param, medfund, tmp_path)


def test_the_figures_are_the_oracles(case):
    rows = len(case.drawn.area.flows) + len(case.drawn.area.claims)
    assert sum(one["posted"] for one in case.brought) == rows
    assert {notice["code"] for one in case.brought for notice in one["problems"]} <= {
        "part_not_booked"
    }
    for as_of in [*days_of(case.drawn.months)[::2], f"{case.drawn.months[-1]}-31"[:7]]:
        check_balances(case, as_of)
    for place in (0, 11, 12, -1):
        check_indicators(case, case.drawn.months[place])
    replayed = case.ask("replay", "--compare")
    assert replayed["equal"]
    assert not replayed["differences"]
    assert case.ask("verify")["ok"]


def check_balances(case: Case, as_of: str) -> None:
    until = as_of if len(as_of) == 10 else f"{as_of}-31"
    answer = case.ask("balances", "--as-of", as_of)
    seen: dict[tuple[str, str], int] = {}
    for row in answer["balances"]:
        key = row["fund"], head(row["account_name"])
        seen[key] = seen.get(key, 0) + row["balance_fen"]
    assert {key: fen for key, fen in seen.items() if fen} == case.books.accounts(until)
    expected = case.books.fund_rows(until)
    assert {row["fund"]: row for row in answer["funds"]}.keys() == expected.keys()
    for row in answer["funds"]:
        assert expected[row["fund"]].items() <= row.items(), (as_of, row["fund"])
    owed: dict[str, int] = {}
    for row in case.ask("balances", "--book", "obligations", "--as-of", as_of)["balances"]:
        if row["account_name"].startswith("应付"):
            owed[row["fund"]] = owed.get(row["fund"], 0) - row["balance_fen"]
    assert {fund: fen for fund, fen in owed.items() if fen} == case.books.owed_by_fund(until)


def check_indicators(case: Case, period: str) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for one in case.ask("indicators", period)["indicators"]:
        seen.setdefault(one["fund"], {})[one["name"]] = one["value"]
        assert one["definition"]
        assert one["value"] is not None or one["reason"], one["name"]
    asked = {fund: [fund] for fund in (*case.drawn.area.funds, POOLED, PERSONAL)}
    for scope, funds in (asked | {"basic": ["310", "390"]}).items():
        leaves = [leaf for fund in funds for leaf in leaves_of(fund)]
        expected = case.books.indicators(leaves, case.books.first_of(funds), period)
        assert expected.items() <= seen[scope].items(), (period, scope)
