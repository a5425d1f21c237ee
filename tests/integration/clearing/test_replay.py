"""A recorded run of a month or a year done again: from its record, at its position, on either engine."""

import json
from datetime import date

import pytest
from support import spark
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from settlement.clearing.policies.file import read_policy
from settlement.clearing.records import records_now
from settlement.month_runs import clearing_of
from settlement.policies import approve_policy, propose
from settlement.run_replay import replay_month

FUND, MARCH = "310.pooled", "2024-03"
RUN = f"{AREA}-clear-{FUND}-{MARCH}-1"
POLICY = """
[policy]
name = "inpatient"
title = "2024年度支付方式"
fund = "310.pooled"
effective = 2024-01-01

[budget]
year = "120000.00"

[[methods]]
name = "inpatient"
kind = "drg"
groups = { A = { points = "125", average = "15000.00" } }
coefficients = { H33060400001 = "1.08", H33060400002 = "1" }

[monthly]
basis = "due"

[yearly]
months = "expected"
"""


def claim(number, institution, cost, **others):
    paid = {"medfee_sumamt": cost, "fund_pay_sumamt": cost, "acct_pay": "0", "psn_cash_pay": "0"}
    when = {"setl_time": "2024-03-20 10:00:00", "begndate": "2024-03-10", "enddate": "2024-03-20"}
    who = {"setl_id": f"S{number}", "psn_no": f"P{number}", "fixmedins_code": institution}
    return who | when | paid | {"dise_code": "A"} | others


MONTH = [
    claim(1, H1, "15000.00"),
    claim(2, H1, "60000.00"),
    claim(3, H2, "5000.00"),
    claim(4, H2, "15000.00", psn_no="P1", begndate="2024-03-25", enddate="2024-03-28"),
]


@pytest.fixture
def office(store_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDFUND_ARCHIVE", str(tmp_path / "office.archive"))
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as office:
        office.setup("310")
        office.bring_claims(MONTH)
        content = read_policy(tmp_path / "policy.toml")
        version = propose(office.ledger, office.area, content, user=CLERK)
        approve_policy(office.ledger, office.area, policy=version.id, user=REVIEWER)
        yield office


@pytest.fixture
def ask(medfund, office):
    def asked(*words, user=None, code=0):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out + answer.err
        return answer.json

    return asked


@pytest.fixture
def recorded(ask, office):
    """A run that was approved, and a month that went on after it: another claim, another policy."""
    assert ask("clear", MARCH, "--fund", FUND, user=CLERK)["run"] == RUN
    ask("approve", RUN, user=REVIEWER)
    office.bring_claims([claim(5, H2, "15000.00"), claim(6, H1, "7000.00", dise_code="")])
    text = POLICY.replace('points = "125"', 'points = "150"').replace('"1.08"', '"1.5"')
    (office.folder / "later.toml").write_text(text, encoding="utf-8")
    content = read_policy(office.folder / "later.toml")
    version = propose(office.ledger, office.area, content, user=CLERK)
    approve_policy(office.ledger, office.area, policy=version.id, user=REVIEWER)


def test_a_run_comes_to_the_same_whatever_came_after_it(recorded, ask, medfund):
    found = ask("clear", "replay", RUN)
    assert found["equal"]
    assert found["differs"] == []
    assert found["policy"] == "inpatient@1"
    assert found["recorded"]["result"] == found["replayed"]["result"]
    later = ask("clear", MARCH, "--fund", FUND, "--dry-run")
    assert later["watermark"] > found["watermark"]
    assert later["run"]["result"] != found["recorded"]["result"]
    for lang, word in (("zh", "重算一致"), ("en", "It comes to the same")):
        assert word in medfund("clear", "replay", RUN, "--lang", lang).out
    refused = ask("clear", "replay", f"{RUN}0", code=2)["error"]
    assert refused["code"] == "unknown_clearing"


def test_a_run_whose_rules_or_amounts_are_others_is_told(recorded, office, tmp_path):
    """The deliberate defect: a claim is taken out of the archive's answer by another watermark."""
    _, run = clearing_of(office.ledger, office.area, RUN)
    records = records_now(office.ledger.log, tmp_path / "office.archive", area=AREA)
    behind = replay_month(office.ledger, office.area, records, run, computed_on=date(2024, 7, 1))
    assert behind.differs == ["parameters", "result", "plan_hash"]


def test_counted_in_parts_the_run_is_the_same(recorded, ask, monkeypatch):
    """``MEDFUND_CLEARING_PARTS``: without a queue the parts are counted one after the other here."""
    whole = ask("clear", MARCH, "--fund", FUND, "--dry-run")
    monkeypatch.setenv("MEDFUND_CLEARING_PARTS", "3")
    parts = ask("clear", MARCH, "--fund", FUND, "--dry-run")
    assert json.dumps(parts) == json.dumps(whole)
    assert whole["total"]["cases"] == 5
    monkeypatch.setenv("MEDFUND_BROKER_URL", "redis://127.0.0.1:1/0")
    found = ask("clear", MARCH, "--fund", FUND, "--dry-run", code=5)
    assert found["error"]["code"] == "clearing_parts_not_sent"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_runs_of_duckdb_are_proved_on_spark(recorded, ask, monkeypatch):
    """A month's and a year's; the store has no say in it, and a session takes its time."""
    spark.require_spark()
    monkeypatch.setenv("MEDFUND_SPARK_MASTER", "local[1]")
    year = ask("clear", "2024", "--fund", FUND, user=CLERK)["run"]
    ask("approve", year, user=REVIEWER)
    for run in (RUN, year):
        found = ask("clear", "replay", run, "--engine", "spark")
        assert (found["equal"], found["differs"]) == (True, [])
        assert (found["recorded"]["engine"], found["replayed"]["engine"]) == ("duckdb", "spark")
