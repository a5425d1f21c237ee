"""When a fact is booked, and what it adds to totals and history."""

from dataclasses import dataclass
from datetime import date

import pytest
from support.facts import flow, settled

from ledger.domain.period import Period
from ledger.domain.posting_rules import Flow, entry_of
from ledger.store.commit import BookKey, BookNotOpened, Total
from settlement.booking import (
    booked_months,
    booking_date,
    books_touched,
    first_months,
    totals_of,
)

AREA = "330604"


@dataclass
class Open:
    open_from: Period | None


#: document's date | first open month by fund (``-``: every month) | booking date
DATES = """
2023-01-15 | 390:-                | 2023-01-15
2023-01-15 | 390:2023-01          | 2023-01-15
2023-01-31 | 390:2023-02          | 2023-02-01
2023-02-01 | 390:2023-02          | 2023-02-01
2019-05-05 | 390:2023-02          | 2023-02-01
2024-12-31 | 390:2023-02          | 2024-12-31
2023-01-15 | 390:2023-02 610:-    | 2023-02-01
2023-01-15 | 390:- 610:2023-03    | 2023-03-01
2023-01-15 | 390:2023-02 610:2023-03 | 2023-03-01
2023-02-15 | 390:2023-02 610:2023-03 | 2023-03-01
2023-03-15 | 390:2023-02 610:2023-03 | 2023-03-15
2023-12-31 | 390:2024-01 610:2023-12 | 2024-01-01
"""


@pytest.mark.parametrize("line", DATES.strip().splitlines())
def test_the_booking_date_is_open_in_every_fund_of_the_entry(line):
    day, funds, booked = (cell.strip() for cell in line.split("|"))
    states = {}
    for word in funds.split():
        fund, month = word.split(":")
        states[BookKey(AREA, fund)] = Open(None if month == "-" else Period.parse(month))
    assert booking_date(date.fromisoformat(day), states, states).isoformat() == booked


def test_a_fund_without_a_book_is_refused():
    with pytest.raises(BookNotOpened) as refused:
        booking_date(date(2023, 1, 1), [BookKey(AREA, "610")], {BookKey(AREA, "390"): Open(None)})
    assert refused.value.facts["fund"] == "610"


def test_an_entry_touches_the_books_of_its_parent_funds():
    credit = entry_of(Flow(item="personal_credit", fund="310.pooled", fen=1, year=2023))
    assisted = Flow(
        item="assisted_participation", fund="610", fen=1, year=2023, counterparty_fund="390"
    )
    assert books_touched(AREA, credit) == {BookKey(AREA, "310")}
    assert books_touched(AREA, entry_of(assisted)) == {BookKey(AREA, "610"), BookKey(AREA, "390")}


def test_totals_add_up_both_sides_by_booking_month():
    facts = [
        flow("interest", "390", 100, "2023-01-05"),
        flow("interest", "390", 30, "2023-01-31"),
        flow("interest", "390", 7, "2023-01-31", booked_on="2023-02-01"),
    ]
    found = {
        (key.account, str(Period.from_ordinal(key.month))): total
        for key, total in totals_of(facts).items()
    }
    assert found == {
        ("fiscal", "2023-01"): Total(130, 0, 2),
        ("income.interest", "2023-01"): Total(0, 130, 2),
        ("fiscal", "2023-02"): Total(7, 0, 1),
        ("income.interest", "2023-02"): Total(0, 7, 1),
    }
    assert booked_months(facts) == {
        (BookKey(AREA, "390"), Period(2023, 1)),
        (BookKey(AREA, "390"), Period(2023, 2)),
    }


@pytest.mark.parametrize(
    ("facts", "month"),
    [
        ([flow("interest", "390", 1, "2023-03-31")], "2023-03"),
        ([flow("opening_balance", "390", 1, "2022-12-31")], "2023-01"),
        ([flow("opening_balance", "390", 1, "2023-01-01")], "2023-01"),
        ([flow("opening_adjustment", "390", 1, "2023-01-31")], "2023-02"),
        ([flow("opening_balance", "390", 1, "2022-12-31"),
          flow("interest", "390", 1, "2022-11-30")], "2022-11"),
    ],
)  # fmt: skip
def test_a_history_begins_with_the_first_flow_or_after_the_opening(facts, month):
    assert first_months(facts) == {BookKey(AREA, "390"): Period.parse(month)}


def test_a_settlement_is_no_flow_and_begins_no_history():
    assert first_months([settled("S1", {"390": 5}, "2023-01-05")]) == {}
