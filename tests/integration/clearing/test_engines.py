"""DuckDB, Spark and a naive reading give the same digest, also when a worker of Spark is lost.

The Spark tests start a master and two workers on loopback; ``docs/clearing.md`` says what they need.
"""

import dataclasses
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from support import clearing_city, drg_examples, drg_reference, spark
from support.clearing_examples import SCOPE, Log, golden, ordinary
from support.clearing_reference import reference
from support.office import ADMINISTRATOR, H1, H2, open_office

from ledger.domain.period import Year
from settlement.clearing.cases import kernel
from settlement.clearing.cases.counting import TEXTS
from settlement.clearing.cases.drg_scoring import score_stays
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.run import score_cases
from settlement.clearing.cases.scoring import tables
from settlement.clearing.digest import rows_digest
from settlement.clearing.engine import Engine, Parts, Row
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.question import ask, chosen_from_file
from settlement.clearing.owed import FACTS, OWED
from settlement.clearing.policies.file import read_policy
from settlement.clearing.policies.policy import Dip, Drg, ReviewPoints
from settlement.clearing.records import records_now
from settlement.clearing.year.run import clear_year
from settlement.keys import rotate_person_key
from settlement.year_runs import plan_of

DUCKDB = DuckDBEngine()
EDGES = [
    (Fraction(1, 2), Fraction(2), ReviewPoints.AFTER_COEFFICIENT),
    (Fraction(2, 5), Fraction(7, 4), ReviewPoints.BEFORE_COEFFICIENT),
    # The largest denominator: products near 64 bits.
    (Fraction(49, 100), Fraction(199, 100), ReviewPoints.BEFORE_COEFFICIENT),
]
#: What only stays of DRG groups come to.
OF_STAYS = {
    Standing.SINGLE_REVIEW,
    Standing.NO_DAYS,
    Standing.NO_DATES,
    Standing.INCOMPLETE,
    Standing.BED_DAY,
    Standing.READMITTED,
}
OF_POINTS = set(Standing) - OF_STAYS

Stays = tuple[Log, Drg, dict[str, Parts]]
Golden = tuple[Log, Dip, dict[str, Parts]]


@pytest.fixture(scope="module", params=EDGES, ids=lambda edges: f"{edges[0]}-{edges[1]}")
def golden_set(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    low, high, review_points = request.param
    log, rules = golden(low, high)
    rules = dataclasses.replace(rules, review_points=review_points)
    return log, rules, log.write(tmp_path_factory.mktemp("golden"), rows_a_part=1500)


@pytest.fixture(scope="module")
def cluster() -> Iterator[spark.Cluster]:
    with spark.cluster() as running:
        yield running


def test_the_golden_set_on_duckdb_is_the_naive_reading(golden_set):
    log, rules, parts = golden_set
    found = score_cases(DUCKDB, parts, rules, SCOPE, watermark=log.position)
    expected = reference(parts, rules, SCOPE, watermark=log.position)
    assert {one.standing for one in found.tallies} == OF_POINTS
    assert found.record.result == rows_digest(expected)


def test_the_golden_set_on_spark_is_that_on_duckdb(golden_set, cluster):
    from settlement.clearing.engines.spark import SparkEngine  # noqa: PLC0415 - may be absent

    log, rules, parts = golden_set
    here = score_cases(DUCKDB, parts, rules, SCOPE, watermark=log.position)
    there = score_cases(SparkEngine(cluster.session), parts, rules, SCOPE, watermark=log.position)
    assert here.tallies == there.tallies
    assert {here.record.engine, there.record.engine} == {"duckdb", "spark"}
    for name in ("kernel", "parameters", "watermark", "result"):
        assert getattr(here.record, name) == getattr(there.record, name)


RULES_OF_STAYS = {"plain": drg_examples.PLAIN, "hardest": drg_examples.HARDEST}


@pytest.fixture(scope="module", params=RULES_OF_STAYS)
def golden_stays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stays:
    log, rules = drg_examples.golden_stays(RULES_OF_STAYS[request.param])
    return log, rules, log.write(tmp_path_factory.mktemp("stays"), rows_a_part=1500)


def test_golden_stays_on_duckdb_are_the_naive_reading(golden_stays):
    log, rules, parts = golden_stays
    found = score_stays(DUCKDB, parts, rules, SCOPE, watermark=log.position)
    expected = drg_reference.reference(parts, rules, SCOPE, watermark=log.position)
    missing = {Standing.NO_DATES} if not rules.rules.undated_held else set()
    assert {one.standing for one in found.tallies} == set(Standing) - missing - {
        Standing.UNKNOWN_AUXILIARY
    }
    assert found.record.result == rows_digest(expected)
    assert found.readmissions is not None
    assert found.readmissions.key_versions == (1, 2)


def test_golden_stays_on_spark_are_those_on_duckdb(golden_stays, cluster):
    from settlement.clearing.engines.spark import SparkEngine  # noqa: PLC0415 - may be absent

    log, rules, parts = golden_stays
    here = score_stays(DUCKDB, parts, rules, SCOPE, watermark=log.position)
    there = score_stays(SparkEngine(cluster.session), parts, rules, SCOPE, watermark=log.position)
    assert here.tallies == there.tallies
    assert here.readmissions == there.readmissions
    assert here.readmissions.uncompared > 0
    assert here.record.result == there.record.result
    assert here.record.parameters == there.record.parameters


#: Every kind of method that an engine is asked for, so that every text is asked.
YEAR_POLICY = """
[policy]
name = "year"
title = "2023年度支付方式"
fund = "310.pooled"
effective = 2023-01-01

[budget]
year = "30000.01"
reserve = "0"

[[methods]]
name = "wards"
kind = "per_diem"
med_types = ["2106"]
stages = [{ rate = "200.00" }]
reviews = "as_given"

[[methods]]
name = "rates"
kind = "drg_rate"
med_types = ["41"]
groups = { A = { points = "1.0001", average = "10000.00" } }
rate = "333.33"

[[methods]]
name = "county"
kind = "county_community"
med_types = ["22"]
members = { H33060400001 = 1, H33060400002 = 1 }
raised = "1000.01"
insured_in = ["330604"]

[[methods]]
name = "by-group"
kind = "dip"
med_types = ["52"]
auxiliary = { "CCI3" = "1.2" }
groups = { A = { points = "1000", average = "10000.00" } }
coefficients = { H33060400001 = "1", H33060400002 = "1" }

[[methods]]
name = "stays"
kind = "drg"
groups = { A = { points = "125", average = "15000.00" }, B = { points = "125", average = "15000.00" } }
coefficients = { H33060400001 = "1", H33060400002 = "1" }
min_cases = 3

[bands]
ratio = "booked/due"
band = [{ upto = "100%", due = "1" }, { due = "1.07" }]

[yearly]
months = "expected"
"""
_STAY = {"begndate": "2023-03-01", "enddate": "2023-03-05", "dise_code": "A"}


def _year_of_ties() -> list[dict[str, str]]:
    """The same cases at both hospitals: equal points, costs on the edges, stays of one day."""
    rows = []
    for code in (H1, H2):
        for number, (cost, more) in enumerate(
            [
                ("5000.00", {"med_type": "52", "dise_code": "A"}),  # the lower edge
                ("20000.00", {"med_type": "52", "dise_code": "A"}),  # the upper one
                ("10000.00", {"med_type": "52"}),  # grouped later, with a hit
                ("6000.00", _STAY),  # the lower edge of stays
                ("15000.00", _STAY | {"psn_no": "P1", "enddate": "2023-03-01"}),
                ("15000.00", _STAY | {"psn_no": "P1", "enddate": "2023-03-01"}),  # the same day
                ("15000.00", _STAY | {"dise_code": "B"}),  # too few of them
                ("2000.00", {"med_type": "2106", "days": "7"}),
                ("400.00", {"med_type": "41", "dise_code": "A"}),
                ("333.33", {"med_type": "22", "insuplc_admdvs": "330604"}),
            ]
        ):
            rows.append(
                {
                    "setl_id": f"{code[-1]}{number}",
                    "psn_no": f"P{code[-1]}{number}",
                    "fixmedins_code": code,
                    "setl_time": f"2023-0{3 + number % 2}-31 10:00:00".replace("04-31", "04-30"),
                    "medfee_sumamt": cost,
                    "fund_pay_sumamt": cost,
                    "acct_pay": "0",
                    "psn_cash_pay": "0",
                }
                | more
            )
    return rows


@dataclasses.dataclass
class _Listening:
    """An engine, and the texts that it was asked."""

    engine: Engine
    asked: set[str] = dataclasses.field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def answer(self, text: str, *told: Any) -> list[Row]:
        self.asked.add(text)
        return self.engine.answer(text, *told)


def test_a_year_on_spark_is_that_on_duckdb(cluster, migrated_sqlite, tmp_path):
    """Every text of a year, and what it posts: deviation edges, equal remainders, stays of one day."""
    from settlement.clearing.engines.spark import SparkEngine  # noqa: PLC0415 - may be absent

    book = shutil.copy(migrated_sqlite, tmp_path / "books.db")
    (tmp_path / "policy.toml").write_text(YEAR_POLICY, encoding="utf-8")
    with open_office(f"sqlite:///{book}", tmp_path, today=date(2024, 3, 1)) as office:
        office.setup("310", "390")
        rows = _year_of_ties()
        assert office.bring_claims(rows[::2]).posted == len(rows[::2])
        rotate_person_key(office.ledger, office.vault, office.area, user=ADMINISTRATOR)
        assert office.bring_claims(rows[1::2]).posted == len(rows[1::2])
        late = [
            {"setl_id": f"{code[-1]}2", "dise_code": "A", "auxiliary": "CCI3", "reason": "补传"}
            for code in (H1, H2)
        ]
        assert office.bring(office.write_file("late.csv", late), kind="groupings").posted == 2
        scores = [{"fixmedins_code": H2, "year": "2023", "score": "85", "deduction": "0.01"}]
        scores[0]["fund"] = "310.pooled"
        assert office.bring(office.write_file("s.csv", scores), kind="assessments").posted == 1
        records = records_now(office.ledger.log, tmp_path / "parquet", area=office.area.code)
    chosen = chosen_from_file(read_policy(tmp_path / "policy.toml"))
    found = {}
    for engine in map(_Listening, (DUCKDB, SparkEngine(cluster.session))):
        question = ask(
            records.archive,
            engine,
            area=records.area,
            fund="310.pooled",
            period=Year(2023),
            watermark=records.watermark,
        )
        plan = plan_of(clear_year(question, dataclasses.replace(records, engine=engine), chosen))
        found[engine.name] = plan
        assert engine.asked >= {*TEXTS, OWED, FACTS}
    here, there = found["duckdb"], found["spark"]
    assert here.lines == there.lines
    assert here.hash == there.hash
    for name in ("kernel", "parameters", "watermark", "result"):
        record, other = here.found.cleared.record, there.found.cleared.record
        assert getattr(record, name) == getattr(other, name)
    first, second = here.lines
    assert first.points4 == second.points4 > 0
    assert first.due_fen == second.due_fen + 1, "the odd fen is the smaller code's"


def test_division_in_floats_is_caught_by_the_golden_set_and_not_by_random_data(tmp_path):
    """The deliberate defect: ``//`` through doubles, as some translators of SQL write it."""
    in_floats = sqlglot.parse_one(kernel.KERNEL, read="duckdb").transform(_through_doubles)
    wrong = {}
    for made in (golden, ordinary):
        log, rules = made()
        parts = log.write(tmp_path / made.__name__, rows_a_part=30_000)
        told = tables(rules, SCOPE, watermark=log.position)
        exact = DUCKDB.answer(kernel.KERNEL, parts, told)
        floated = DUCKDB.answer(in_floats.sql("duckdb"), parts, told)
        wrong[made.__name__] = len({*exact} - {*floated})
    assert wrong["golden"] > 0
    assert wrong["ordinary"] == 0  # which is why the golden set is there


def _through_doubles(node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.IntDiv):
        return node
    return exp.cast(exp.Floor(this=exp.paren(node.this / node.expression)), "BIGINT")


def test_a_worker_killed_in_the_middle_changes_nothing(cluster, tmp_path):
    """``SIGKILL`` to a worker and its executor after some tasks and before the last."""
    from settlement.clearing.engines.spark import SparkEngine  # noqa: PLC0415 - may be absent

    city = clearing_city.lay_out(tmp_path, 360_000, parts_a_month=2)
    asked = (city.parts, clearing_city.RULES, clearing_city.SCOPE)
    expected = score_cases(DUCKDB, *asked, watermark=city.watermark)
    found = []

    def run() -> None:
        engine = SparkEngine(cluster.session)
        found.append(score_cases(engine, *asked, watermark=city.watermark))

    running = threading.Thread(target=run)
    running.start()
    done, of = _in_the_middle(cluster, tasks=len(city.parts["settled"].files))
    cluster.kill_worker()
    running.join(timeout=120)
    assert 0 < done < of
    assert cluster.executors() == 1
    assert found
    assert found[0].record.result == expected.record.result
    assert found[0].tallies == expected.tallies


def _in_the_middle(cluster: spark.Cluster, *, tasks: int) -> tuple[int, int]:
    """Wait until the stage over the settlements has done a few of its tasks."""
    tracker = cluster.session.sparkContext.statusTracker()
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info and info.numTasks >= tasks and info.numCompletedTasks > 2:
                return info.numCompletedTasks, info.numTasks
        time.sleep(0.01)
    raise TimeoutError("the stage was not seen at work")


def test_memory_is_bounded_and_nothing_is_left_behind(tmp_path):
    city = clearing_city.lay_out(tmp_path / "city", 120_000)
    spill = tmp_path / "spill"
    found = {
        score_cases(
            DuckDBEngine(memory_mib=mib, threads=threads, spill=spill),
            city.parts,
            clearing_city.RULES,
            clearing_city.SCOPE,
            watermark=city.watermark,
        ).record.result
        for mib, threads in ((48, 1), (160, 2))
    }
    assert len(found) == 1
    assert not spill.exists() or not [*Path(spill).iterdir()]
