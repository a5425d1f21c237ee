"""How institutions stand decides whom an order goes to: suspended, resumed, terminated, merged.

Approved on fund 390 for January: H1 100.00, H2 200.00.
"""

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office
from support.paying import approve_months

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
APPROVED = [(H1, "2024-01", 10_000), (H2, "2024-01", 20_000)]


@pytest.fixture
def ask(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("390", "610")
        approve_months(office.ledger, AREA, "390", APPROVED, "2024-02-20")

    def run(*words, code=0, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


def change(ask, word, code, *more, day="2024-03-01", wrong=0):
    asked = ("institution", word, code, "--from", day, "--reason", "专项检查", *more)
    return ask(*asked, code=wrong)


def decide(ask, word, code, *more, day="2024-03-01"):
    name = change(ask, word, code, *more, day=day)["change"]
    return ask("approve", name, user=REVIEWER)


def orders(ask, day="2024-03-05"):
    """Whom an order would go to on a day, for whom, how much, and who is held back."""
    found = ask("payout", "prepare", "--fund", "390", "--date", day, "--dry-run")
    lines = [(one["institution"], one["payee"], one["amount_fen"]) for one in found["lines"]]
    return lines, [(one["institution"], one["reason"]) for one in found["held"]]


BOTH = [(H1, H1, 10_000), (H2, H2, 20_000)]


def test_a_suspended_institution_is_owed_and_not_ordered_until_it_resumes(ask):
    """A change that takes effect before its date or its approval fails here."""
    waiting = change(ask, "suspend", H1)
    assert (waiting["state"], waiting["change"]) == ("waiting", f"{AREA}-institution-{H1}-1")
    assert orders(ask) == (BOTH, [])
    assert change(ask, "suspend", H1)["change"] == waiting["change"], "the same again"
    assert ask("approve", waiting["change"], code=3)["error"]["code"] == "role_missing"
    assert ask("approve", waiting["change"], user=REVIEWER)["state"] == "approved"
    assert orders(ask, "2024-02-29") == (BOTH, [])
    assert orders(ask) == ([(H2, H2, 20_000)], [(H1, "suspended")])
    decide(ask, "resume", H1, day="2024-03-10")
    assert orders(ask, "2024-03-09")[1] == [(H1, "suspended")]
    assert orders(ask, "2024-03-10") == (BOTH, [])
    shown = ask("institution", "show", H1)
    assert [one["status"] for one in shown["changes"]] == ["suspended", "active"]


def test_a_batch_prepared_before_the_suspension_is_not_ordered_after_it(ask):
    name = ask("payout", "prepare", "--fund", "390", "--date", "2024-03-05")["payout"]
    decide(ask, "suspend", H1)
    assert ask("approve", name, user=REVIEWER, code=3)["error"]["code"] == "payout_stale"


def test_a_merged_institution_is_paid_to_its_successor(ask):
    decide(ask, "merge", H1, "--into", H2)
    assert orders(ask) == ([(H1, H2, 10_000), (H2, H2, 20_000)], [])
    decide(ask, "suspend", H2, day="2024-03-03")
    assert orders(ask) == ([], [(H1, "payee_suspended"), (H2, "suspended")])


def test_a_terminated_institution_gets_its_final_settlement(ask):
    decide(ask, "terminate", H1)
    found = ask("payout", "prepare", "--fund", "390", "--date", "2024-03-05", "--dry-run")
    assert [(one["institution"], one["final"]) for one in found["lines"]] == [
        (H1, True),
        (H2, False),
    ]


REFUSED = [
    (("suspend", "H33060400009"), 2, "status_faulty"),
    (("merge", H1, "--into", H1), 2, "status_faulty"),
    (("merge", H1, "--into", "H33060400009"), 2, "status_faulty"),
    (("resume", H1), 3, "status_not_fitting"),
]


def test_what_cannot_follow_is_refused(ask):
    for words, code, name in REFUSED:
        assert change(ask, *words, wrong=code)["error"]["code"] == name, words
    sent_back = change(ask, "suspend", H1)["change"]
    back = ask("reject", sent_back, "--reason", "写错")
    assert back["rejected_because"] == "写错", "one's own"
    assert ask("reject", sent_back, "--reason", "写错") == back, "said once more"
    assert ask("approve", sent_back, user=REVIEWER, code=3)["error"]["code"] == (
        "status_change_not_waiting"
    )
    decide(ask, "merge", H1, "--into", H2)
    assert change(ask, "suspend", H1, wrong=3)["error"]["code"] == "status_not_fitting"
    back = change(ask, "merge", H2, "--into", H1, wrong=2)["error"]
    assert back["code"] == "status_faulty", "no circle"
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]
