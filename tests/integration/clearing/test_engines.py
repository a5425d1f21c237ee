"""DuckDB, Spark and a naive reading give the same digest, also when a worker of Spark is lost.

The Spark tests start a master and two workers on loopback; ``docs/clearing.md`` says what they need.
"""

import dataclasses
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from support import clearing_city, drg_examples, drg_reference, spark
from support.clearing_examples import SCOPE, Log, golden, ordinary
from support.clearing_reference import reference

from settlement.clearing.cases import kernel
from settlement.clearing.cases.drg_scoring import score_stays
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.run import score_cases
from settlement.clearing.cases.scoring import tables
from settlement.clearing.digest import rows_digest
from settlement.clearing.engine import Parts
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.policies.policy import Dip, Drg, ReviewPoints

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
