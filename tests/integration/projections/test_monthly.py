"""Monthly figures: flows, levels at month end, month of care, where history begins."""

import pytest
from support.facts import AREA, H1, H2, Books, day, flow, settled

from ledger.domain.period import Period
from ledger.events.month import YearTransferred
from projections.follow import bring_up_to
from projections.queries.balances import balances_document
from projections.queries.monthly import Flows, Levels, MonthlyFigures, monthly_figures


def figures(ledger, store) -> MonthlyFigures:
    bring_up_to(ledger, store, ledger.log.last_position())
    return monthly_figures(store, ledger, area=AREA)


def month(text: str) -> Period:
    return Period.parse(text)


@pytest.fixture
def year(books: Books) -> Books:
    books.found("310", "390")
    books.post(
        flow("opening_balance", "390", 1_000, "2022-11-30"),
        flow("contribution.individual", "390", 300, "2022-12-05"),
        flow("contribution.individual", "390", 200, "2022-12-06", belongs_to="2023-01"),
        flow("superior_subsidy", "390", 40, "2022-12-07"),
        flow("benefit.inpatient", "390", 100, "2022-12-08", belongs_to="2022-11"),
        flow("prepayment", "390", 60, "2022-12-09", counterparty=H1),
        flow("remit_up", "390", 5, "2023-02-01"),
        flow("contribution.employer", "310.pooled", 9, "2023-03-01"),
    )
    return books


def test_flows_are_with_and_without_other_levels(ledger, store, year):
    found = figures(ledger, store)
    assert found.flows["390", month("2022-12")] == Flows(540, 100, 500, 100, 100)
    assert found.flow(["390"], month("2022-12"), month("2023-02")) == Flows(540, 105, 500, 100, 100)
    assert found.funds == ("310", "390")
    assert found.leaves == ("310.pooled", "310.personal", "390")


def test_levels_stand_until_they_change(ledger, store, year):
    found = figures(ledger, store)
    assert found.level(["390"], month("2022-10")) == Levels()
    assert found.level(["390"], month("2022-11")) == Levels(accumulated=1_000)
    assert found.level(["390"], month("2022-12")) == Levels(1_440, 60, 0, 200)
    # In January next year's premiums are this year's.
    assert found.level(["390"], month("2023-01")) == Levels(1_440, 60, 0, 0)
    assert found.level(["390", "310.pooled"], month("2030-01")).accumulated == 1_435 + 9


def test_a_year_end_transfer_moves_nothing_in_the_figures(ledger, store, year, books):
    before = figures(ledger, store)
    entry = flow("contribution.individual", "390", 1, "2022-12-31").postings
    closing = YearTransferred(
        area=AREA,
        booked_on="2022-12-31",
        postings=(
            type(entry[0])("390", "income.contribution.individual", "net_assets", 500),
            type(entry[0])("390", "net_assets", "expense.benefit.inpatient", 100),
        ),
        rules_version=1,
        prepared_by="clerk1",
        fund="390",
        period="2022-12",
        run="r",
        summary="年终结转",
    )
    books.post(closing)
    after = figures(ledger, store)
    assert (after.flows, after.levels, after.care) == (before.flows, before.levels, before.care)
    document = balances_document(store, ledger, area=AREA, fund="390", as_of=day("2022-12-31"))
    assert document["funds"][0]["income_fen"] == 540
    assert document["funds"][0]["accumulated_fen"] == 1_440
    income = {row["account"]: row["balance_fen"] for row in document["balances"]}
    assert income["income.contribution.individual"] == 0


def test_what_is_owed_does_not_net_between_institutions(ledger, store, books):
    books.found("390")
    books.start_claims("c1", "390")
    books.claims(
        "c1",
        settled("s1", {"390": 70}, "2023-01-03", intake_id="c1"),
        settled("s2", {"390": 50}, "2023-02-04", institution=H2, intake_id="c1"),
    )
    books.complete_claims("c1")
    books.post(flow("benefit.inpatient", "390", 90, "2023-02-05", counterparty=H1))
    found = figures(ledger, store)
    owed = [found.level(["390"], month(at)).owed for at in ("2022-12", "2023-01", "2023-02")]
    assert owed == [0, 70, 50]


def test_figures_by_month_of_care(ledger, store, year):
    found = figures(ledger, store)
    care = found.by_care(
        ["390"], month("2022-11"), month("2022-11"), booked_through=month("2022-12")
    )
    assert care == Flows(expense=100, expense_subtotal=100, benefit=100)
    early = found.by_care(
        ["390"], month("2022-11"), month("2022-11"), booked_through=month("2022-11")
    )
    assert early == Flows()
    assert found.care_months(["390"], month("2022-12"), month("2022-12")) == (month("2022-11"),)


@pytest.mark.parametrize(
    "case",
    [
        (None, [], None),
        (None, [("interest", 5, "2023-03-31")], "2023-03"),
        (None, [("opening_balance", 5, "2022-12-31")], "2023-01"),
        (None, [("opening_balance", 5, "2023-01-15")], "2023-01"),
        (None, [("opening_balance", 5, "2022-12-31"), ("interest", 5, "2023-03-31")], "2023-01"),
        (None, [("opening_adjustment", 5, "2020-12-31"), ("interest", 5, "2023-03-31")], "2023-03"),
        (
            "2023-05",
            [("opening_balance", 5, "2023-04-30"), ("interest", 5, "2023-05-31")],
            "2023-05",
        ),
        ("2023-05", [("interest", 5, "2023-07-01")], "2023-07"),
        ("2023-05", [("opening_balance", 5, "2022-12-31")], "2023-05"),
    ],
)
def test_where_history_begins(ledger, store, books, case):
    opened, rows, first = case
    books.found("390", first=opened)
    for item, fen, on in rows:
        books.append([flow(item, "390", fen, on)], booked=frozenset())
    found = figures(ledger, store).first_months["390"]
    assert found == (month(first) if first else None)


def test_what_was_wholly_reversed_leaves_no_history(ledger, store, books):
    books.found("390")
    for item, on in (("interest", "2019-01-01"), ("opening_balance", "2018-12-31")):
        wrong = flow(item, "390", 5, on)
        books.reverse(wrong, books.post(wrong).first_position, day=on)
    books.post(flow("interest", "390", 5, "2023-03-01"))
    assert figures(ledger, store).first_months["390"] == month("2023-03")
