"""Stages of what an institution is owed, as `obligations` and the payable months show them."""

from support.facts import AREA, H1, H2, settled, stepped

from ledger.domain import settlement_entries as steps
from ledger.domain.period import Period
from projections.compare import compare
from projections.follow import bring_up_to
from projections.queries.monthly import monthly_figures
from projections.queries.obligations import obligations_document, owed_by_stage

F = "390"
#: A month of H1 from its claims to its payment: day, entry.
MONTH = [
    ("2023-02-03", steps.declared_entry(F, H1, 900)),
    ("2023-02-10", steps.refused_entry(F, H1, declared_fen=100, booked_fen=20)),
    ("2023-02-15", steps.approved_entry(F, H1, declared_fen=800, deposit_fen=40)),
    ("2023-02-16", steps.recovery_offset_entry(F, H1, 60, same_year=True)),
    ("2023-02-16", steps.prepayment_offset_entry(F, H1, 200)),
    ("2023-02-17", steps.insurer_entry(F, H1, 7)),
    ("2023-02-20", steps.ordered_entry(F, H1, 450)),
    ("2023-02-25", steps.paid_entry(F, H1, {"inpatient": 250, "chronic": 50})),
    ("2023-03-05", steps.deposit_forfeited_entry(F, H1, 15)),
    ("2023-03-06", steps.year_cleared_entry(F, H1, -30)),
]
STANDS = {
    "booked_fen": 1000,
    "refused_fen": 120,
    "undeclared_fen": 80,
    "declared_fen": 0,
    "approved_fen": 13,
    "deposit_fen": 25,
    "ordered_fen": 150,
    "offset_fen": 60,
    "prepaid_fen": 200,
    "insurer_fen": 7,
    "forfeited_fen": 15,
    "cleared_fen": 30,
    "paid_fen": 300,
    "owed_fen": 268,
}


def settle(ledger, store, books):
    books.found("310", "390")
    books.post(settled("s1", {F: 1000}, "2023-01-05"))
    books.post(settled("s2", {F: 70}, "2023-01-06", institution=H2))
    for number, (day, entry) in enumerate(MONTH):
        books.post(stepped(number, entry, day, belongs_to="2023-01"))
    bring_up_to(ledger, store, ledger.log.last_position())


def test_obligations_show_every_stage_and_their_sum(ledger, store, books):
    settle(ledger, store, books)
    document = obligations_document(store, area=AREA)
    shown = {row["institution"]: row for row in document["institutions"]}
    assert {name: shown[H1][name] for name in STANDS} == STANDS
    assert (shown[H2]["undeclared_fen"], shown[H2]["owed_fen"]) == (70, 70)
    assert {(row["month"], row["clr_type"]) for row in document["obligations"]} == {
        ("2023-01", "11"),
        ("2023-01", "-"),
    }
    found = owed_by_stage(store, area=AREA, fund=F, institution=H1, month="2023-01")
    assert list(found.values()) == [80, 0, 13, 25, 150]
    assert set(
        owed_by_stage(store, area=AREA, fund=F, institution=H1, month="2023-02").values()
    ) == {0}


def test_replay_read_models_and_guards_agree_about_every_stage(ledger, store, books):
    settle(ledger, store, books)
    compared = compare(ledger, store)
    assert {"stages", "obligations", "parties", "guard_totals"} <= set(compared["compared"])
    assert compared["differences"] == []


def test_a_stage_that_a_read_model_lost_is_told(ledger, store, books):
    """Comparing only booked and paid finds nothing here."""
    settle(ledger, store, books)
    with store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE claim_obligations_g1 SET deposit_fen = deposit_fen - 1 WHERE clr_type = '-'"
        )
    told = {one["key"].rpartition("/")[2] for one in compare(ledger, store)["differences"]}
    assert told == {"owed.booked", "owed.deposit"}


def test_payable_months_take_off_every_stage_and_deposits_apart(ledger, store, books):
    """Counting owed.booked alone gives 80 + 70 at the end of February."""
    settle(ledger, store, books)
    levels = monthly_figures(store, ledger, area=AREA).levels[F]
    shown = {
        str(month): (levels[month].owed, levels[month].deposits_held)
        for month in (Period(2023, 1), Period(2023, 2), Period(2023, 3))
    }
    assert shown == {
        "2023-01": (1070, 0),
        "2023-02": (80 + 43 + 150 + 70, 40),
        "2023-03": (80 + 13 + 150 + 70, 25),
    }


def test_what_an_institution_owes_back_lowers_nobody_else_s_claim(ledger, store, books):
    """结转: an approved amount below nil."""
    books.found("390")
    books.post(settled("s2", {F: 70}, "2023-01-06", institution=H2))
    books.post(stepped(1, steps.year_cleared_entry(F, H1, -500), "2023-01-31"))
    bring_up_to(ledger, store, ledger.log.last_position())
    assert monthly_figures(store, ledger, area=AREA).levels[F][Period(2023, 1)].owed == 70
    rows = obligations_document(store, area=AREA)["institutions"]
    assert [row["owed_fen"] for row in rows] == [-500, 70]
