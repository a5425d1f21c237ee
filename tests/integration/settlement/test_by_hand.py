"""追回 and 罚款 by hand: the checks and facts of a file's row, prepared by one, approved by another."""

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, H1, REVIEWER, open_office

from ledger.domain.identity import document_stream
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile


@pytest.fixture
def book(store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
    return store_url


@pytest.fixture
def ask(book, medfund):
    def run(*words, code=0, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


RECOVER = ("recover", "--fund", "310.pooled", "--amount", "100.00", "--original-year", "2024")
DAY = ("--date", "2024-02-19")
NAME = f"{AREA}-document-ZH1"


def recover(*more):
    return (*RECOVER, "--doc-no", "ZH1", *DAY, *more)


def facts(url, tmp_path, doc_no):
    with open_office(url, tmp_path) as office:
        return [one.fact for _, one in office.ledger.history(document_stream(AREA, doc_no))]


def test_a_recovery_by_hand_is_the_fact_that_a_file_s_row_makes(ask, book, tmp_path):
    """Posting at the preparation fails here."""
    waiting = ask(*recover("--counterparty", H1))
    assert (waiting["proposal"], waiting["state"]) == (NAME, "waiting")
    assert facts(book, tmp_path, "ZH1") == []
    posted = ask("approve", NAME, user=REVIEWER)
    assert (posted["state"], posted["prepared_by"], posted["decided_by"]) == (
        *("posted", CLERK),
        REVIEWER,
    )
    (fact,) = facts(book, tmp_path, "ZH1")
    assert (fact.TOPIC, fact.amount_fen, fact.prepared_by, fact.source.intake) == (
        *("recovery.received.v1", 100_00, CLERK),
        None,
    )
    row = {"doc_no": "ZH1", "date": "2024-02-19", "fund": "310.pooled", "item": "recovery"}
    row |= {"amount": "100.00", "original_year": "2024", "counterparty": H1}
    with open_office(book, tmp_path) as office:
        outcome = office.bring_flows([row])
        assert (outcome.rejections, outcome.posted, outcome.already) == ([], 0, 1)
        office.assert_sound()


def test_nobody_approves_what_nobody_else_prepared(ask, book, tmp_path):
    """Four eyes hold for somebody who has both roles."""
    setup = {
        "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]},
        "users": [{"name": "both1", "roles": ["clerk", "reviewer"]}],
    }
    with open_office(book, tmp_path) as office:
        apply_setup(office.ledger, SetupFile.model_validate(setup), user=ADMINISTRATOR)
    ask(*recover(), user="both1")
    assert ask("approve", NAME, user="both1", code=3)["error"]["code"] == "own_proposal"
    assert ask("approve", NAME, user=CLERK, code=3)["error"]["code"] == "role_missing"
    unknown = ask("approve", f"{AREA}-document-ZH9", user=REVIEWER, code=2)
    assert unknown["error"]["code"] == "unknown_proposal"
    back = ask("reject", NAME, "--reason", "年度有误", user=REVIEWER)
    assert back["state"] == "rejected"
    assert ask("reject", NAME, "--reason", "年度有误", user=REVIEWER) == back, "the same again"
    assert ask("approve", NAME, user=REVIEWER, code=3)["error"]["code"] == "proposal_not_waiting"
    assert facts(book, tmp_path, "ZH1") == []


def test_the_same_number_again_changes_nothing_and_other_content_is_a_conflict(ask, book, tmp_path):
    first = ask(*recover())
    assert ask(*recover()) == first
    other = ("--note", "另一笔")
    assert ask(*recover(*other), code=3)["error"]["code"] == "document_conflict"
    ask("approve", NAME, user=REVIEWER)
    assert ask(*recover())["state"] == "posted"
    assert ask(*recover(*other), code=3)["error"]["code"] == "document_conflict"
    ask("reverse", "ZH1", "--reason", "错账")
    assert ask(*recover(*other))["state"] == "waiting"
    ask("approve", NAME, user=REVIEWER)
    assert [getattr(one, "revision", None) for one in facts(book, tmp_path, "ZH1")] == [1, 1, 2]


def test_a_recovery_is_checked_as_a_file_s_row(ask):
    faulty = ask(
        *RECOVER[:3], "--amount", "-1", "--original-year", "2025", "--doc-no", "ZH1", *DAY, code=2
    )
    assert faulty["error"]["code"] == "document_faulty"
    assert faulty["error"]["facts"]["fields"] == ["amount", "original_year"]
    account = (
        "recover",
        "--fund",
        "390",
        "--amount",
        "1",
        "--original-year",
        "2024",
        "--doc-no",
        "ZH2",
    )
    told = ask(*account, "--method", "account", *DAY, code=2)["error"]
    assert told["facts"]["codes"] == ["rule_not_applicable"]


def test_a_fine_is_registered_and_never_income_of_the_fund(ask, book, tmp_path):
    fine = ("penalize", "--fund", "390", "--amount", "5000", "--counterparty", H1, *DAY)
    name = ask(*fine, "--doc-no", "FK1")["proposal"]
    ask("approve", name, user=REVIEWER)
    (fact,) = facts(book, tmp_path, "FK1")
    assert (fact.TOPIC, fact.postings) == ("fine.registered.v1", ())
    name = ask(*fine, "--doc-no", "FK2", "--money-account", "fiscal")["proposal"]
    ask("approve", name, user=REVIEWER)
    balances = ask("balances", "--fund", "390")["balances"]
    assert {(row["account"], row["balance_fen"]) for row in balances} == {
        ("fiscal", 500_000),
        ("payable.fine", -500_000),
    }
