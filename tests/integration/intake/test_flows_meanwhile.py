"""While a clerk's file is held against the books, somebody else posts or freezes what it is about."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from support.office import Office, open_office

ROW = {"fund": "310.pooled", "item": "interest", "date": "2024-01-05"}


def rows(**amounts: str) -> list[dict[str, str]]:
    return [ROW | {"doc_no": number, "amount": amount} for number, amount in amounts.items()]


def before_the_next_append(office: Office, do: Callable[[], Any]) -> list[Any]:
    """Let somebody else go first, once, when the file is ready to be written."""
    append, done = office.ledger.append, []

    def overtaken(*words: Any) -> Any:
        if not done:
            done.append(None)
            done[0] = do()
        return append(*words)

    office.ledger.append = overtaken  # type: ignore[method-assign]
    return done


@pytest.fixture
def office(store_url, tmp_path) -> Iterator[Office]:
    with open_office(store_url, tmp_path) as opened:
        opened.setup("310")
        yield opened


def test_a_number_posted_with_another_amount_meanwhile_is_rejected_and_nothing_is_posted(office):
    done = before_the_next_append(office, lambda: office.bring_flows(rows(A2="7.00")))
    found = office.bring_flows(rows(A1="1.00", A2="2.00", A3="3.00"))
    assert done[0].posted == 1
    assert (found.state, found.posted, found.rejected) == ("rejected", 0, 1)
    assert [(one.line, one.field, one.code) for one in found.rejections] == [
        (3, "doc_no", "doc_no_conflict")
    ]
    assert office.balances(date(2024, 1, 31))["310.pooled", "income.interest"] == -7_00


def test_of_a_partial_file_the_rest_is_posted_and_the_count_says_so(office):
    before_the_next_append(office, lambda: office.bring_flows(rows(A2="7.00")))
    found = office.bring_flows(rows(A1="1.00", A2="2.00", A3="3.00"), partial=True)
    assert (found.state, found.accepted, found.posted, found.rejected) == ("partial", 2, 2, 1)
    assert office.balances(date(2024, 1, 31))["310.pooled", "income.interest"] == -11_00
    office.assert_sound()


def test_the_same_document_posted_meanwhile_counts_as_already_there(office):
    before_the_next_append(office, lambda: office.bring_flows(rows(A2="2.00")))
    found = office.bring_flows(rows(A1="1.00", A2="2.00"))
    assert (found.state, found.accepted, found.posted, found.already) == ("posted", 2, 1, 1)
    assert office.balances(date(2024, 1, 31))["310.pooled", "income.interest"] == -3_00


def test_a_month_frozen_meanwhile_books_the_file_in_the_next_one(office):
    assert office.bring_flows(rows(A0="5.00")).state == "posted"
    before_the_next_append(office, lambda: office.close("310", "2024-01"))
    found = office.bring_flows(rows(A1="1.00"))
    assert (found.state, found.posted) == ("posted", 1)
    interest = ("310.pooled", "income.interest")
    assert office.balances(date(2024, 1, 31))[interest] == -5_00
    assert office.balances(date(2024, 2, 1))[interest] == -6_00
    office.assert_sound()
