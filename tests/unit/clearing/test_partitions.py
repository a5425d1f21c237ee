"""A run that is counted in parts is the run that is counted in one go."""

from dataclasses import replace
from fractions import Fraction

import pytest
from support.clearing_examples import AREA, FUND, MONTH, golden
from support.drg_examples import golden_stays

from ledger.domain.period import Period
from settlement.clearing.cases.counting import count_cases
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month import partitions
from settlement.clearing.month.partitions import Partition, PartsDiffer, by_parts, cut, parse_key
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.policies.policy import Budget, Cases, DrgFixedRate, Method, Policy

PART = Partition(AREA, FUND, MONTH, 12, "inpatient-2025@2", 1, 3, 16)


def question(log, folder):
    engine = DuckDBEngine(memory_mib=64, threads=1)
    return Question(AREA, FUND, Period.parse(MONTH), log.position, log.write(folder), engine)


def chosen(*rules):
    methods = [
        Method(name=f"m{number}", cases=cases, rules=one)
        for number, (cases, one) in enumerate(rules)
    ]
    budget = Budget(year_fen=1_200_000_00, reserve=Fraction(0))
    policy = Policy(
        name="p", title="p", fund=FUND, effective="2025-01-01", budget=budget, methods=(*methods,)
    )
    return Chosen("p@1", "hash", policy)


@pytest.fixture(scope="module")
def stays(tmp_path_factory):
    log, rules = golden_stays()
    return question(log, tmp_path_factory.mktemp("stays")), rules


@pytest.mark.parametrize("of", [1, 5])
def test_parts_of_stays_are_the_whole(stays, of):
    """Sizes of groups and readmissions across institutions are seen by every part."""
    asked, rules = stays
    anywhere = replace(rules, rules=replace(rules.rules, readmission_anywhere=True))
    everything = chosen((Cases(), anywhere))
    whole = clear_month(asked, everything)
    assert whole.held
    assert clear_month(by_parts(asked, of), everything) == whole


def test_parts_of_several_methods_are_the_whole(tmp_path):
    log, rules = golden()
    asked = question(log, tmp_path)
    some = Cases(institutions=frozenset({"H33010000001", "H33010000002"}))
    several = chosen(
        (some, DrgFixedRate(groups=rules.groups, rate=Fraction(1, 1000))), (Cases(), rules)
    )
    assert clear_month(by_parts(asked, 3), several) == clear_month(asked, several)


def test_every_institution_is_in_one_part():
    parts = [replace(PART, number=number) for number in range(16)]
    for code in (f"H3301{number:07d}" for number in range(200)):
        assert sum(part.takes(code) for part in parts) == 1


def test_a_key_says_all_that_a_worker_needs(tmp_path):
    assert parse_key(PART.key) == PART
    log, rules = golden()
    everything = chosen((Cases(), rules))
    asked = question(log, tmp_path)
    keys = [part.key for part in cut(asked, everything, everything.policy.methods[0], 3)]
    assert keys[2] == f"{AREA}/{FUND}/{MONTH}/{log.position}/p@1/0/2/3"


def test_an_answer_is_read_as_it_was_written_and_not_by_other_rules(stays):
    asked, rules = stays
    kinds = frozenset(("21", "21", f"H3301000000{number}") for number in range(1, 7))
    scope = asked.scope(kinds)
    found = count_cases(asked.engine, asked.parts, rules, scope, watermark=asked.watermark)
    assert found.readmitted
    content = partitions.written(found)
    assert partitions.read(PART, content) == found
    other = content.replace(b'"kernel":"', b'"kernel":"0')
    with pytest.raises(PartsDiffer):
        partitions.read(PART, other)
