"""From events in a store, through its archive, to points: the same on both stores."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.facts import AREA, H1, H2, Books, Clock, settled

from ledger.application import FundLedger
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.events.base import Source
from ledger.events.cases import CaseGrouped, CaseReviewed
from ledger.events.claim import ClaimFact
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.run import Scored, parts_of, score_cases
from settlement.clearing.cases.scoring import Scope
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.policies.policy import Dip, Group

RULES = Dip(
    groups={"A": Group(points4=1_000_0000, average_fen=1_000_000)},
    coefficients4={H1: 10_000, H2: 8_500},
)
SCOPE = Scope(
    area=AREA,
    fund="310.pooled",
    insutypes=frozenset({"310"}),
    months=frozenset(),
    kinds=frozenset({("11", "21", H1), ("11", "21", H2)}),
)


@pytest.fixture
def books(store_url: str) -> Iterator[Books]:
    with FundLedger(store_url, clock=Clock()) as ledger:
        opened = Books(ledger)
        opened.found("310", "390")
        yield opened


def case(setl_id: str, fen: int, day: str, **others: str) -> ClaimFact:
    """One stay in group A; a negative amount is its refund."""
    fund = others.pop("fund", "310.pooled")
    fact = settled(setl_id, {fund: fen}, day, **others)
    return msgspec.structs.replace(fact, details={"dise_code": "A"}, insutype=fund[:3])


def cleared(books: Books, folder: Path, *, months: list[str], at: int | None = None) -> Scored:
    bring_up_to(books.ledger.log, folder)
    archive = Archive(folder)
    watermark = at or archive.covered_to
    archive.require(watermark)
    parts = parts_of(archive, area=AREA, since=min(months), until=watermark)
    scope = dataclasses.replace(SCOPE, months=frozenset(months))
    return score_cases(DuckDBEngine(), parts, RULES, scope, watermark=watermark)


def test_cases_of_the_log_become_points(books, tmp_path):
    wrong = case("S4", 1_000_000, "2024-02-05")
    books.post(case("S1", 1_000_000, "2024-01-05"), case("S2", 300_000, "2024-01-06"))
    books.post(case("S3", 900_000, "2024-02-05", institution=H2))
    position = books.post(wrong).last_position
    books.post(case("S5", 1_000_000, "2024-02-06", fund="390"))
    before = cleared(books, tmp_path, months=["2024-01", "2024-02"])
    assert before.points4 == {H1: 2_300_0000, H2: 850_0000}

    books.post(case("S1", -1_000_000, "2024-03-01"))  # refunded in a later month
    books.reverse_claim(wrong, position, day="2024-02-05")
    after = cleared(books, tmp_path, months=["2024-01", "2024-02"])
    assert after.points4 == {H1: 300_0000, H2: 850_0000}
    assert [one.cases for one in after.tallies if one.standing is Standing.CANCELLED] == [2]
    assert cleared(books, tmp_path, months=["2024-01"]).points4 == {H1: 300_0000}

    again = cleared(books, tmp_path, months=["2024-01", "2024-02"], at=before.record.watermark)
    assert again == before


def test_groupings_and_reviews_of_the_log_amend_its_cases(books, tmp_path):
    known = {"area": AREA, "institution": H1, "period": "2024-01", "reason": "复核", "by": "clerk1"}
    ungrouped = msgspec.structs.replace(case("S1", 1_000_000, "2024-01-05"), details={})
    books.post(ungrouped, case("S2", 300_000, "2024-01-06"))
    before = cleared(books, tmp_path, months=["2024-01"])
    assert before.points4 == {H1: 300_0000}
    assert [one.standing for one in before.held_back] == [Standing.NO_GROUP]

    grouped = CaseGrouped(setl_id="S1", dise_code="A", source=Source(), **known)
    reviewed = CaseReviewed(
        setl_id="S2",
        decision="accepted",
        points4=450_0000,
        review_no="2024-7",
        source=Source(),
        **known,
    )
    books.append([grouped, reviewed])
    assert cleared(books, tmp_path, months=["2024-01"]).points4 == {H1: 1_450_0000}
    again = cleared(books, tmp_path, months=["2024-01"], at=before.record.watermark)
    assert again == before
