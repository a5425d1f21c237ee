"""What is owed by stage, read from the archive: the same as the read models say, on both stores."""

import pytest
from support.facts import AREA, H1, H2, Books, Clock, settled
from support.random_books import RandomBooks

from ledger.application import FundLedger
from ledger.domain.chart import STAGES
from projections.follow import bring_up_to
from projections.queries.obligations import stage_rows
from projections.store import ReadStore
from settlement.clearing.owed import Group, Month, Records
from settlement.clearing.records import records_now


@pytest.fixture
def books(store_url):
    with FundLedger(store_url, clock=Clock()) as ledger:
        yield Books(ledger)


def records(books, folder) -> Records:
    return records_now(books.ledger.log, folder / "parquet", area=AREA)


def by_read_models(books, url):
    reads = ReadStore.open(url)
    try:
        bring_up_to(books.ledger, reads, books.ledger.log.last_position())
        with reads.reading() as reading:
            return {
                Month(row.fund, row.institution, row.month): {
                    account: fen for account, fen in row.by_account.items() if fen
                }
                for row in stage_rows(reading)
                if any(row.by_account.values())
            }
    finally:
        reads.close()


def without_counter_side(owed):
    """What was incurred and the prepaid asset are no obligations; the rest stands in both."""
    shown = {
        month: {
            account: fen
            for account, fen in accounts.items()
            if account not in {"claims.incurred", "advance.prepayment"}
        }
        for month, accounts in owed.items()
    }
    return {month: accounts for month, accounts in shown.items() if accounts}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_archive_and_the_read_models_say_the_same(books, store_url, tmp_path, seed):
    """Counting what a running intake posted, or losing a reversal or a step, fails here."""
    RandomBooks(books, seed, settling=True).write(60)
    owed = without_counter_side(records(books, tmp_path).owed())
    assert len(owed) > 5
    assert owed == by_read_models(books, store_url)


def test_a_month_and_all_later_ones_are_whole_without_what_was_booked_before(books, tmp_path):
    books.found("310", "390")
    books.post(settled("s1", {"390": 1000}, "2023-01-05"), settled("s2", {"390": 70}, "2023-02-06"))
    asked = records(books, tmp_path)
    assert asked.by_stage("390", H1, "2023-02") == dict.fromkeys(STAGES, 0) | {"owed.booked": 70}
    assert Month("390", H1, "2023-01") not in asked.owed(since="2023-02")
    assert asked.by_stage("390", H1, "2023-01")["owed.booked"] == 1000


def test_what_settlements_of_a_group_made_each_fund_owe(books, tmp_path):
    """A refund lowers its own month's group; what was reversed, or is still coming in, is not there."""
    books.found("310", "390")
    wrong = settled("s3", {"310.pooled": 500}, "2023-01-07", clr_type="21")
    books.post(
        settled("s1", {"310.pooled": 1000, "310.personal": 40}, "2023-01-05", clr_type="21"),
        settled("s2", {"310.pooled": 70}, "2023-01-06", clr_type="11"),
        settled("s4", {"310.pooled": 9}, "2023-01-06", institution=H2, clr_type="21"),
        settled("s5", {"310.pooled": 8}, "2023-02-06", clr_type="21"),
    )
    position = books.post(wrong).last_position
    books.reverse_claim(wrong, position, day="2023-03-01")
    books.post(
        settled("s1", {"310.pooled": -1000, "310.personal": -40}, "2023-02-01", clr_type="21")
    )
    books.start_claims("i1", "310.pooled")
    books.claims(
        "i1", settled("s6", {"310.pooled": 5}, "2023-01-09", clr_type="21", intake_id="i1")
    )
    group = Group(H1, "310", "21", "2023-01")
    asked = records(books, tmp_path).booked_by_group("2023-01")
    assert asked == {
        group: {"310.pooled": (1000, 1), "310.personal": (40, 1)},
        Group(H1, "310", "11", "2023-01"): {"310.pooled": (70, 1)},
        Group(H2, "310", "21", "2023-01"): {"310.pooled": (9, 1)},
    }
    assert [one.intake for one in records(books, tmp_path).unfinished_intakes()] == ["i1"]
    books.complete_claims("i1")
    assert list(records(books, tmp_path).unfinished_intakes()) == []
    asked = records(books, tmp_path).booked_by_group("2023-01", "2023-02")
    assert asked[group] == {"310.pooled": (1005, 2), "310.personal": (40, 1)}
    assert asked[Group(H1, "310", "21", "2023-02")] == {
        "310.pooled": (-992, 0),
        "310.personal": (-40, -1),
    }
