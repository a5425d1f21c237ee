"""凭证: gapless numbers per fund and month, red letters, who signs; months, intakes, obligations."""

from typing import Any

import pytest
from support.facts import AREA, H1, H2, flow, settled

from ledger.events import month as months
from ledger.events.intake import IntakeReversed
from projections.follow import PositionBeyondLog, bring_up_to
from projections.queries.intakes import IntakeUnknown, intakes_document
from projections.queries.journal import journal_document
from projections.queries.obligations import obligations_document
from projections.queries.periods import periods_document

RUN = f"{AREA}-390-2023-01-1"


def up(ledger, store) -> None:
    bring_up_to(ledger, store, ledger.log.last_position())


def journal(ledger, store, **more: Any) -> dict[str, Any]:
    up(ledger, store)
    return journal_document(store, area=AREA, **more)


def labels(document: dict[str, Any]) -> list[str]:
    return [voucher["label"] for voucher in document["vouchers"]]


def test_numbers_have_no_gaps_per_fund_and_month(ledger, store, books):
    books.found("310", "390", "610")
    books.post(
        flow("interest", "390", 1, "2023-01-31"),
        flow("interest", "390", 2, "2023-02-01"),
        flow("interest", "310.pooled", 3, "2023-01-05"),
    )
    books.post(
        flow("fine_received", "390", 9, "2023-01-06"),  # register only: no voucher
        flow("personal_credit", "310.pooled", 4, "2023-01-06"),
        flow("interest", "390", 5, "2023-01-01"),
    )
    books.post(flow("assisted_participation", "610", 6, "2023-01-07", counterparty_fund="390"))
    assert labels(journal(ledger, store)) == [
        "310-2023-01-0001",
        "310-2023-01-0002",
        "390-2023-01-0001",
        "390-2023-01-0002",
        "390-2023-01-0003",
        "390-2023-02-0001",
        "610-2023-01-0001",
    ]
    assert labels(journal(ledger, store, fund="390", period="2023-01"))[-1] == "390-2023-01-0003"
    # Both sides of the assisted participation: in each fund a voucher of its own that balances.
    one = journal(ledger, store, fund="610")["vouchers"][0]
    assert [(line["fund"], line["account"]) for line in one["lines"]] == [
        ("610", "expense.assisted_participation"),
        ("610", "fiscal"),
    ]
    other = journal(ledger, store, fund="390", period="2023-01")["vouchers"][-1]
    assert other["position"] == one["position"]
    assert {line["fund"] for line in other["lines"]} == {"390"}
    personal = journal(ledger, store, fund="310.personal")
    assert labels(personal) == ["310-2023-01-0002"]
    assert personal["totals"] == {"vouchers": 1, "lines": 2, "debit_fen": 4, "credit_fen": 4}


def test_only_cash_postings_stand_in_a_voucher(ledger, store, books):
    books.found("390")
    books.post(flow("benefit.inpatient", "390", 100, "2023-01-05", counterparty=H1))
    voucher = journal(ledger, store)["vouchers"][0]
    assert [line["account"] for line in voucher["lines"]] == [
        "expense.benefit.inpatient",
        "expenditure",
    ]


def test_a_reversal_is_red_and_names_its_original(ledger, store, books):
    books.found("390")
    wrong = flow("interest", "390", 100, "2023-01-05")
    posted = books.post(wrong)
    reversal = books.reverse(wrong, posted.first_position, day="2023-02-01")
    books.post(flow("interest", "390", 90, "2023-01-05", doc_no=wrong.doc_no, revision=2))
    first, second, red = journal(ledger, store)["vouchers"]
    assert first["reversed_by"] == {
        "position": reversal.first_position,
        "label": "390-2023-02-0001",
    }
    assert red["reverses"] == {"position": posted.first_position, "label": "390-2023-01-0001"}
    assert [line["debit_fen"] for line in red["lines"]] == [-100, 0]
    assert (second["doc_no"], second["revision"]) == (wrong.doc_no, 2)
    before = journal(ledger, store, known_at=posted.last_position)["vouchers"]
    assert [voucher["reversed_by"] for voucher in before] == [None]
    with pytest.raises(PositionBeyondLog):
        journal(ledger, store, known_at=99)


def month_facts() -> list[months.MonthFact]:
    who: dict[str, Any] = {"area": AREA, "fund": "390", "period": "2023-01", "run": RUN}
    return [
        months.MonthFrozen(**who, by="clerk1"),
        months.CloseComputed(**who, by="clerk1", cutoff_position=5, plan_hash="p", plan={}),
        months.CloseApproved(**who, by="reviewer1", plan_hash="p"),
        months.MonthSealed(
            **who, by="poster1", plan_hash="p", sealed_position=8, sealed_digest="d"
        ),
        months.ReopenRequested(**who | {"run": f"{RUN}-reopen"}, by="clerk1", reason="错账"),
        months.MonthReopened(
            **who | {"run": f"{RUN}-reopen"}, by="reviewer1", requested_by="clerk1"
        ),
    ]


def test_who_reviewed_and_booked_is_said_once_the_month_is_sealed(ledger, store, books):
    books.found("390")
    books.post(flow("interest", "390", 1, "2023-01-31"))
    signed, states = [], []
    positions = []
    for fact in month_facts():
        positions.append(books.append([fact]).last_position)
        voucher = journal(ledger, store)["vouchers"][0]
        signed.append((voucher["prepared_by"], voucher["reviewed_by"], voucher["booked_by"]))
        states.append(periods_document(store, area=AREA)["periods"][0]["state"])
    nobody = ("clerk1", None, None)
    everybody = ("clerk1", "reviewer1", "poster1")
    assert signed == [nobody, nobody, nobody, everybody, everybody, nobody]
    assert states == ["frozen", "computed", "approved", "sealed", "reopening", "open"]
    at_seal = periods_document(store, area=AREA, known_at=positions[3])["periods"][0]
    assert (at_seal["sealed_digest"], at_seal["approved_by"]) == ("d", "reviewer1")
    assert at_seal["close_run"] == RUN
    now = periods_document(store, area=AREA, fund="390")["periods"][0]
    assert now["sealed_digest"] is None
    assert [step["step"] for step in now["steps"]] == [fact.TOPIC for fact in month_facts()]


def test_a_month_stays_sealed_when_its_reopening_is_refused(ledger, store, books):
    books.found("390")
    who: dict[str, Any] = {"area": AREA, "fund": "390", "period": "2023-01", "run": "again"}
    books.append([*month_facts()[:5], months.ReopenRejected(**who, by="reviewer1", reason="无")])
    up(ledger, store)
    (month,) = periods_document(store, area=AREA)["periods"]
    assert (month["state"], month["close_run"], month["sealed_digest"]) == ("sealed", RUN, "d")


def test_intakes_say_how_far_they_have_come(ledger, store, books):
    books.found("390")
    first = books.append(
        [
            flow("interest", "390", 1, "2023-01-31", intake_id="f1"),
            flow("interest", "390", 2, "2023-01-31", intake_id="f1"),
            books.completed("f1", "fund_flows"),
        ]
    )
    books.start_claims("c1", "390")
    chunk = books.claims("c1", settled("s1", {"390": 5}, "2023-01-01", intake_id="c1"))
    up(ledger, store)
    flows, claims = intakes_document(store, area=AREA)["intakes"]
    assert (flows["state"], flows["kind"]) == ("completed", "fund_flows")
    assert (flows["first_position"], flows["last_position"]) == (
        first.first_position,
        first.last_position - 1,
    )
    assert (claims["state"], claims["posted"]) == ("posting", None)
    books.complete_claims("c1")
    books.append([IntakeReversed(area=AREA, intake="f1", by="a", reason="错", reversed_rows=2)])
    up(ledger, store)
    (claims,) = intakes_document(store, area=AREA, intake="c1")["intakes"]
    assert (claims["state"], claims["first_position"]) == ("completed", chunk.first_position)
    assert intakes_document(store, area=AREA, intake="f1")["intakes"][0]["state"] == "reversed"
    with pytest.raises(IntakeUnknown):
        intakes_document(store, area=AREA, intake="zz")
    voucher = journal(ledger, store)["vouchers"][0]
    assert voucher["source"] == {"intake": "f1", "line": 2, "file": "fund_flows.csv"}


def test_obligations_by_institution_month_and_kind(ledger, store, books):
    books.found("310", "390")
    books.start_claims("c1", "310", "390")
    mistaken = settled(
        "s0", {"390": 3}, "2023-01-05", institution=H2, intake_id="c1", clr_type="21"
    )
    chunk = books.claims(
        "c1",
        mistaken,
        settled("s1", {"310.pooled": 70, "310.personal": 7}, "2023-01-03", intake_id="c1"),
        settled("s1", {"310.pooled": -70, "310.personal": -7}, "2023-01-04", intake_id="c1"),
        settled("s2", {"390": 50}, "2023-01-04", institution=H2, intake_id="c1", clr_type="21"),
    )
    books.complete_claims("c1")
    books.reverse_claim(mistaken, chunk.first_position, day="2023-02-01")
    books.post(
        flow("benefit.inpatient", "390", 60, "2023-02-05", counterparty=H2, belongs_to="2023-01"),
        flow("benefit_returned", "390", 25, "2023-02-06", counterparty=H2, belongs_to="2023-01"),
    )
    up(ledger, store)
    document = obligations_document(store, area=AREA)
    shown = ("institution", "fund", "clr_type", "booked_fen", "paid_fen", "settlements", "refunds")
    rows = [tuple(row[name] for name in shown) for row in document["obligations"]]
    assert rows == [
        (H1, "310.personal", "11", 0, 0, 1, 1),
        (H1, "310.pooled", "11", 0, 0, 1, 1),
        (H2, "390", "-", 0, 35, 0, 0),
        (H2, "390", "21", 50, 0, 1, 0),
    ]
    owed = {(row["institution"], row["fund"]): row["owed_fen"] for row in document["institutions"]}
    assert owed[H2, "390"] == 15
    only = obligations_document(store, area=AREA, fund="390", institution=H2, period="2023-01")
    assert only["institutions"][0]["name"] == H2
