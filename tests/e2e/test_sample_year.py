"""``demo --year`` of a small city: the books say what its files say, statements what the run says."""

import csv
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from support.terminal import Ask, asking

from ledger.archive.read import Archive
from ledger.domain.period import Period
from medfund.bootstrap import open_house
from medfund.cli import main
from medfund.settings import Settings
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.case_list import charged, list_cases
from settlement.clearing.month.question import ask as asked
from settlement.clearing.month.question import policy_of_month
from settlement.policies import load_policies

MONTH, FUNDS = "2024-01", {"310": "310.pooled", "390": "390"}


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    """A city in whose January 1,500 settlements lie; no other month was brought in."""
    folder = tmp_path_factory.mktemp("city")
    words = ["demo", "--year", "--claims", "17400", "--months", "1", "--folder", str(folder)]
    assert main(words) == 0
    return folder


@pytest.fixture(scope="module")
def ask(city) -> Ask:
    return asking(city / "year.db")


def test_the_obligations_are_what_the_files_say(city, ask):
    said: Counter[tuple[str, str]] = Counter()
    text = (city / "year" / f"claims-{MONTH}.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        said[FUNDS[row["insutype"]], row["fixmedins_code"]] += int(Decimal(row["hifp_pay"]) * 100)
        said["310.personal", row["fixmedins_code"]] += int(Decimal(row["acct_pay"]) * 100)
    booked: Counter[tuple[str, str]] = Counter()
    for row in ask("obligations", "--period", MONTH)["obligations"]:
        booked[row["fund"], row["institution"]] += row["booked_fen"]
    assert +booked == +said


@pytest.mark.parametrize("fund", FUNDS.values())
def test_the_lines_of_all_statements_add_up_to_the_run(city, ask, fund: str):
    run = ask("clear", MONTH, "--fund", fund, "--dry-run")
    of_run = {
        (one["institution"], method["method"]): (
            method["cases"],
            method["points"],
            method["booked_fen"],
        )
        for one in run["institutions"]
        for method in one["methods"]
    }
    with open_house(Settings(database_url=f"sqlite:///{city / 'year.db'}")) as house:
        area = house.area()
        question = asked(
            Archive(house.archive),
            DuckDBEngine(memory_mib=400),
            area=area.code,
            fund=fund,
            period=Period.parse(MONTH),
            watermark=run["watermark"],
        )
        chosen = policy_of_month(load_policies(house.ledger, area.code), fund, question.period)
        lines = {
            code: list_cases(question, chosen.policy, code)
            for code in sorted({code for code, _ in of_run})[:12]
        }
    found = defaultdict(lambda: [0, 0, 0])
    for code, many in lines.items():
        settled = {one.setl_id for one in many if one.refund}
        for one in many:
            looked_at = one.standing is None or one.standing >= one.standing.NORMAL
            if one.setl_id not in settled and looked_at:
                sums = found[code, one.method]
                sums[0] += 1
                sums[1] += one.points4
                sums[2] += one.booked_fen
    assert {
        key: (cases, f"{points // 10_000}.{points % 10_000:04d}", fen)
        for key, (cases, points, fen) in found.items()
    } == {key: value for key, value in of_run.items() if key[0] in lines}
    owed = ask("obligations", "--period", MONTH, "--fund", fund)["institutions"]
    booked = {one["institution"]: one["booked_fen"] for one in owed}
    assert {code: charged(many) for code, many in lines.items()} == {
        code: booked[code] for code in lines
    }
