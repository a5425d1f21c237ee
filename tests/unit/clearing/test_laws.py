"""Laws of clearing for any small history: order, parts and threads do not matter, nothing is lost."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.clearing_examples import COEFFICIENTS4, SCOPE, Log
from support.clearing_reference import reference

from settlement.clearing.cases import kernel
from settlement.clearing.cases.run import score_cases
from settlement.clearing.digest import rows_digest
from settlement.clearing.engine import Parts
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.point_value import share_exactly
from settlement.clearing.policies.policy import Dip, Group

groups = st.builds(
    Group,
    points4=st.integers(0, kernel.MAX_BASE4),
    average_fen=st.integers(kernel.MIN_AVERAGE_FEN, kernel.MAX_AVERAGE_FEN),
)
rules = st.builds(
    Dip,
    groups=st.fixed_dictionaries({"A": groups, "B": groups}),
    coefficients4=st.just(COEFFICIENTS4),
    low=st.fractions(0, 1, max_denominator=kernel.MAX_DENOMINATOR),
    high=st.fractions(1, 5, max_denominator=kernel.MAX_DENOMINATOR),
)
claims = st.tuples(
    st.sampled_from(["A", "B", "C", "", None]),
    st.sampled_from([*COEFFICIENTS4, "H33019999999"]),
    st.integers(-1, kernel.MAX_COST_FEN + 1),
    st.sampled_from(["stays", "refunded", "reversed", "refund reversed"]),
)


def history(lines: list[tuple[str | None, str, int, str]]) -> Log:
    log = Log()
    for group, institution, cost, end in lines:
        settled = log.settle(group, institution, cost)
        if end == "reversed":
            log.reverse(settled)
        elif end != "stays":
            refund = log.refund(settled)
            if end == "refund reversed":
                log.reverse(refund)
    return log


@given(rules, st.lists(claims, max_size=12), st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_kernel_is_the_naive_reading_at_every_position(rules, lines, data):
    log = history(lines)
    at = data.draw(st.integers(0, log.position))
    with tempfile.TemporaryDirectory() as folder:
        parts = log.write(Path(folder))
        found = score_cases(DuckDBEngine(threads=1), parts, rules, SCOPE, watermark=at)
        expected = reference(parts, rules, SCOPE, watermark=at)
    assert found.record.result == rows_digest(expected)


@given(rules, st.lists(claims, min_size=2, max_size=12), st.integers(1, 5), st.randoms())
@settings(max_examples=10, deadline=None, derandomize=True)
def test_how_the_archive_is_cut_does_not_matter(rules, lines, rows_a_part, chance):
    log = history(lines)
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        once = log.write(Path(whole))
        many = {
            name: _shuffled(one, chance)
            for name, one in log.write(Path(cut), rows_a_part=rows_a_part).items()
        }
        digests = {
            score_cases(
                DuckDBEngine(threads=threads), parts, rules, SCOPE, watermark=log.position
            ).record.result
            for parts, threads in ((once, 1), (many, 2))
        }
    assert len(digests) == 1


def _shuffled(parts: Parts, chance) -> Parts:
    files = [*parts.files]
    chance.shuffle(files)
    return Parts(parts.columns, tuple(files))


points = st.dictionaries(st.text("HP0123456789", min_size=1, max_size=6), st.integers(0, 10**15))


@given(st.integers(0, 10**15), points.filter(lambda by: sum(by.values()) > 0), st.randoms())
def test_a_budget_is_shared_to_the_fen_in_any_order(budget_fen, by_institution, chance):
    shared = share_exactly(budget_fen, by_institution)
    assert sum(shared.due.values()) == budget_fen
    total = sum(by_institution.values())
    for institution, fen in shared.due.items():
        assert abs(fen * total - budget_fen * by_institution[institution]) < total
    order = [*by_institution.items()]
    chance.shuffle(order)
    assert share_exactly(budget_fen, dict(order)).due == shared.due
