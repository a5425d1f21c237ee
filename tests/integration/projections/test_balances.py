"""Balances on both time axes, and what counts as income and expense."""

from typing import Any

import pytest
from sqlalchemy import select
from support.facts import AREA, H1, day, flow, settled

from ledger.application import FundLedger
from projections.follow import PositionBeyondLog, bring_up_to
from projections.queries.balances import balances_document
from projections.queries.scope import AreaUnknown, FundUnknown
from projections.store import ReadStore


def read(ledger: FundLedger, store: ReadStore, **more: Any) -> dict[str, Any]:
    bring_up_to(ledger, store, ledger.log.last_position())
    question: dict[str, Any] = {"area": AREA, "as_of": day("2023-12-31")} | more
    return balances_document(store, ledger, **question)


def funds(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["fund"]: row for row in document["funds"]}


def accounts(document: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["fund"], row["account"]): row["balance_fen"] for row in document["balances"]}


def test_income_expense_and_accumulated_of_a_fund(ledger, store, books):
    books.found("310", "390")
    books.post(
        flow("opening_balance", "390", 1_000_00, "2022-12-31"),
        flow("contribution.individual", "390", 300_00, "2023-02-01"),
        flow("superior_subsidy", "390", 50_00, "2023-02-01"),
        flow("benefit.inpatient", "390", 120_00, "2023-03-05", counterparty=H1),
        flow("remit_up", "390", 10_00, "2023-03-06"),
    )
    row = funds(read(ledger, store))["390"]
    assert row == {
        "area": AREA,
        "fund": "390",
        "income_fen": 350_00,
        "expense_fen": 130_00,
        "surplus_fen": 220_00,
        "accumulated_fen": 1_220_00,
        "income_subtotal_fen": 300_00,
        "expense_subtotal_fen": 120_00,
    }
    # Only what is booked up to the day asked for, of its calendar year.
    assert funds(read(ledger, store, as_of=day("2023-03-05")))["390"]["expense_fen"] == 120_00
    assert funds(read(ledger, store, as_of=day("2024-01-01")))["390"]["expense_fen"] == 0
    assert funds(read(ledger, store, as_of=day("2024-01-01")))["390"]["accumulated_fen"] == 1_220_00


def test_the_employee_fund_is_the_sum_of_its_sub_funds(ledger, store, books):
    books.found("310", "390")
    books.post(
        flow("contribution.employer", "310.pooled", 500_00, "2023-01-10"),
        flow("personal_credit", "310.pooled", 200_00, "2023-01-31"),
    )
    document = read(ledger, store, fund="310")
    assert [row["fund"] for row in document["funds"]] == ["310", "310.pooled", "310.personal"]
    found = funds(document)
    assert found["310"]["income_fen"] == 500_00
    assert found["310.pooled"]["income_fen"] == 300_00
    assert found["310.personal"]["income_fen"] == 200_00
    assert accounts(document)["310.personal", "fiscal"] == 200_00
    only = read(ledger, store, fund="310.personal")
    assert [row["fund"] for row in only["funds"]] == ["310.personal"]
    assert {row["fund"] for row in only["balances"]} == {"310.personal"}
    everything = read(ledger, store)
    assert [row["fund"] for row in everything["funds"]] == [
        "310",
        "310.pooled",
        "310.personal",
        "390",
    ]


def test_each_book_shows_its_own_accounts(ledger, store, books):
    books.found("390")
    books.post(flow("benefit.inpatient", "390", 120_00, "2023-03-05", counterparty=H1))
    assert accounts(read(ledger, store)) == {
        ("390", "expense.benefit.inpatient"): 120_00,
        ("390", "expenditure"): -120_00,
    }
    assert accounts(read(ledger, store, book="obligations")) == {
        ("390", "owed.booked"): 120_00,
        ("390", "claims.paid"): -120_00,
    }


def test_a_negative_accumulated_balance_is_flagged_not_refused(ledger, store, books):
    books.found("390")
    books.post(flow("benefit.inpatient", "390", 1, "2023-03-05"))
    assert funds(read(ledger, store))["390"]["flag"] == "negative_accumulated"


def test_what_was_known_at_a_position_inside_a_commit(ledger, store, books):
    books.found("390")
    receipt = books.post(
        flow("contribution.individual", "390", 1_00, "2023-01-01", doc_no="a"),
        flow("contribution.individual", "390", 2_00, "2023-01-02", doc_no="b"),
        flow("contribution.individual", "390", 4_00, "2023-01-03", doc_no="c"),
    )
    books.post(flow("contribution.individual", "390", 8_00, "2023-01-04"))
    income = [
        funds(read(ledger, store, known_at=at))["390"]["income_fen"]
        for at in range(receipt.first_position - 1, receipt.last_position + 2)
    ]
    assert income == [0, 1_00, 3_00, 7_00, 15_00]
    with store.reading() as reading:
        c = reading.balances.movements.c
        known = set(reading.connection.scalars(select(c.known_from)))
    assert known == {receipt.last_position, receipt.last_position + 1}


def test_settlements_wait_for_their_intake(ledger, store, books):
    books.found("310", "390")
    books.start_claims("c1", "390")
    books.claims(
        "c1",
        settled("s1", {"390": 70_00}, "2023-03-01", intake_id="c1"),
        settled("s2", {"390": 30_00}, "2023-03-02", intake_id="c1"),
    )
    before = books.claims("c1", settled("s3", {"390": 5_00}, "2023-03-02", intake_id="c1"))
    assert accounts(read(ledger, store, book="obligations")) == {}
    done = books.complete_claims("c1")
    assert accounts(read(ledger, store, book="obligations"))["390", "owed.booked"] == -105_00
    early = read(ledger, store, book="obligations", known_at=before.last_position)
    assert accounts(early) == {}
    late = read(ledger, store, book="obligations", known_at=done.last_position)
    assert accounts(late)["390", "claims.incurred"] == 105_00


def test_settlements_of_a_completion_inside_a_larger_commit(ledger, store, books):
    books.found("390")
    books.start_claims("c1", "390")
    books.claims("c1", settled("s1", {"390": 70_00}, "2023-03-01", intake_id="c1"))
    receipt = books.append(
        [
            books.completed("c1", "claims"),
            settled("late", {"390": 1_00}, "2023-03-01", intake_id="c1"),
        ],
        releases="c1",
        closes_intake="c1",
    )
    found = [
        accounts(read(ledger, store, book="obligations", known_at=at)).get(("390", "owed.booked"))
        for at in range(receipt.first_position - 1, receipt.last_position + 1)
    ]
    assert found == [None, -70_00, -71_00]


def test_questions_about_what_is_not_there_are_refused(ledger, store, books):
    books.found("390")
    with pytest.raises(AreaUnknown):
        read(ledger, store, area="999999")
    for fund in ("310", "310.pooled", "390.pooled", "xyz"):
        with pytest.raises(FundUnknown):
            read(ledger, store, fund=fund)
    with pytest.raises(PositionBeyondLog):
        read(ledger, store, known_at=10_000)
    with pytest.raises(PositionBeyondLog):
        bring_up_to(ledger, store, 10_000)


def test_inside_a_commit_a_settlement_counts_unless_its_own_intake_runs(ledger, store, books):
    """Caught: every settlement left out of a part of a commit as soon as any intake runs."""
    books.found("390")
    books.start_claims("c1", "390")
    books.complete_claims("c1")
    books.start_claims("c2", "390")
    late = books.post(
        settled("s1", {"390": 9_00}, "2023-03-01", intake_id="c1"),
        flow("interest", "390", 1, "2023-03-01"),
    )
    chunk = books.claims(
        "c2",
        settled("s2", {"390": 5_00}, "2023-03-02", intake_id="c2"),
        settled("s3", {"390": 5_00}, "2023-03-02", intake_id="c2"),
    )
    for at in (late.first_position, chunk.first_position):
        found = accounts(read(ledger, store, book="obligations", known_at=at))
        assert found["390", "owed.booked"] == -9_00
