"""审核拒付 by hand: prepared by one, approved by another, withdrawn after an appeal, on both stores."""

import threading

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.errors import Conflict
from projections.follow import bring_up_to
from projections.queries.monthly import monthly_figures
from projections.queries.obligations import owed_by_stage
from settlement.refusing import approve_refusal
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

SETTLED = [
    ("S1", H1, "390", "2024-01-04 10:00:00", "600.00"),
    ("S2", H1, "390", "2024-01-05 10:00:00", "400.00"),
    ("S3", H1, "390", "2024-02-05 10:00:00", "50.00"),
    ("S4", H2, "390", "2024-01-05 10:00:00", "900.00"),
]


def claim(setl_id, institution, fund, moment, yuan):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": fund,
        "setl_time": moment,
        "medfee_sumamt": yuan,
        "fund_pay_sumamt": yuan,
        "hifp_pay": yuan,
        "acct_pay": "0",
        "psn_cash_pay": "0",
    }


@pytest.fixture
def book(store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
        assert not office.bring_claims([claim(*one) for one in SETTLED]).rejections
    return store_url


@pytest.fixture
def refuse(book, medfund):
    def run(
        *more, amount="123.45", period="2024-01", institution=H1, code=0, user=CLERK, **options
    ):
        given = {"fund": "390", "institution": institution, "period": period, "amount": amount}
        given |= {"reason-code": "A01", "reason": "超限定支付", "date": "2024-02-10"} | options
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        answer = medfund("--json", "refuse", *words, *more, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


@pytest.fixture
def ask(book, medfund):
    def run(*words, code=0, user=None):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


def stands(ask, institution=H1):
    """What of an institution is booked, refused, paid and owed."""
    rows = ask("obligations", "--fund", "390", "--institution", institution)["institutions"]
    names = ("booked_fen", "refused_fen", "paid_fen", "owed_fen")
    return tuple(rows[0][name] for name in names)


def test_only_what_a_second_person_approves_is_posted(refuse, ask):
    """Posting at the preparation, or approving one's own, fails here."""
    waiting = refuse("--doc-no", "J2024001")
    assert waiting["refusal"] == f"{AREA}-refusal-J2024001"
    assert (waiting["state"], waiting["amount_fen"]) == ("waiting", 12345)
    assert stands(ask) == (105_000, 0, 0, 105_000)
    name = waiting["refusal"]
    assert ask("approve", name, user=CLERK, code=3)["error"]["code"] == "role_missing"
    posted = ask("approve", name, user=REVIEWER)
    assert (posted["state"], posted["approved_by"], posted["booked_on"]) == (
        *("posted", REVIEWER),
        "2024-02-10",
    )
    assert stands(ask) == (105_000, 12_345, 0, 92_655)
    assert stands(ask, H2) == (90_000, 0, 0, 90_000)
    assert ask("approve", name, user=REVIEWER) == posted, "once more changes nothing"
    by_account = {
        row["account"]: row["balance_fen"]
        for row in ask("balances", "--book", "obligations", "--fund", "390")["balances"]
    }
    assert by_account["owed.booked"] == -(105_000 + 90_000 - 12_345)
    assert by_account["claims.refused"] == -12_345
    assert ask("balances", "--fund", "390")["balances"] == []
    assert ask("replay", "--compare")["equal"]


def test_whoever_prepared_it_cannot_approve_it_even_with_both_roles(
    refuse, ask, store_url, tmp_path
):
    with open_office(store_url, tmp_path) as office:
        setup = {
            "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]},
            "users": [{"name": "both1", "roles": ["clerk", "reviewer"]}],
        }
        apply_setup(office.ledger, SetupFile.model_validate(setup), user=ADMINISTRATOR)
    name = refuse(user="both1")["refusal"]
    assert ask("approve", name, user="both1", code=3)["error"]["code"] == "own_refusal"
    assert ask("approve", name, user=REVIEWER)["state"] == "posted"
    appealed = ("refuse", "--withdraw", name, "--reason", "申诉成立")
    assert ask(*appealed, user="both1")["state"] == "appealed"
    assert ask("approve", name, user="both1", code=3)["error"]["code"] == "own_refusal"


def test_more_than_is_owed_is_refused_with_the_figures(refuse, ask):
    """Reading the institution's other months, or other institutions, fails here."""
    too_much = refuse(amount="1000.01", code=3)["error"]
    assert too_much["code"] == "refused_too_much"
    assert (too_much["facts"]["booked"], too_much["facts"]["declared"]) == ("1,000.00", "0.00")
    first = refuse(amount="600.00")["refusal"]
    second = refuse(amount="400.01")["refusal"]
    assert ask("approve", first, user=REVIEWER)["state"] == "posted"
    assert ask("approve", second, user=REVIEWER, code=3)["error"]["code"] == "refused_too_much"
    third = refuse(amount="400.00")["refusal"]
    ask("approve", third, user=REVIEWER)
    assert stands(ask) == (105_000, 100_000, 0, 5_000)


def test_the_same_number_again_changes_nothing_and_other_content_is_a_conflict(refuse, ask):
    again = ("--doc-no", "J1")
    first = refuse(*again)
    events = ask("verify")["events"]
    assert refuse(*again, date="2024-02-12") == first
    assert refuse(*again, amount="1.00", code=3)["error"]["code"] == "refusal_conflict"
    assert ask("verify")["events"] == events
    ask("approve", first["refusal"], user=REVIEWER)
    assert refuse(*again)["state"] == "posted"
    assert refuse(*again, amount="1.00", code=3)["error"]["code"] == "refusal_conflict"
    assert refuse()["refusal"] == refuse()["refusal"] != first["refusal"], "named after its content"


def test_what_is_sent_back_posts_nothing_and_frees_its_number(refuse, ask):
    name = refuse("--doc-no", "J1")["refusal"]
    back = ask("reject", name, "--reason", "依据不足", user=REVIEWER)
    assert (back["state"], back["reason"]) == ("rejected", "依据不足")
    assert ask("reject", name, "--reason", "依据不足", user=REVIEWER) == back, "the same again"
    assert stands(ask) == (105_000, 0, 0, 105_000)
    assert ask("approve", name, user=REVIEWER, code=3)["error"]["code"] == "refusal_not_waiting"
    second = refuse("--doc-no", "J1", amount="1.00")
    assert (second["state"], second["revision"]) == ("waiting", 2)
    assert ask("reject", name, "--reason", "写错", user=CLERK)["state"] == "rejected", "one's own"


def test_an_appeal_is_dismissed_or_restores_what_was_owed(refuse, ask):
    """A withdrawal that is booked as a payment or not at all fails here."""
    name = refuse("--doc-no", "J1")["refusal"]
    withdraw = ("refuse", "--withdraw", name, "--reason", "申诉成立", "--date", "2024-03-01")
    assert ask(*withdraw, user=CLERK, code=3)["error"]["code"] == "refusal_not_waiting"
    ask("approve", name, user=REVIEWER)
    assert ask(*withdraw, user=CLERK)["state"] == "appealed"
    assert ask("reject", name, "--reason", "维持", user=REVIEWER)["state"] == "posted"
    assert stands(ask)[1] == 12_345
    assert ask(*withdraw, user=CLERK)["state"] == "appealed"
    assert ask("approve", name, user=REVIEWER)["state"] == "withdrawn"
    assert stands(ask) == (105_000, 0, 0, 105_000)
    assert ask("replay", "--compare")["equal"]
    events = ask("trace", name)["events"]
    assert [one["topic"].split(".")[1] for one in events] == [
        *("proposed", "decided", "appealed", "upheld", "appealed", "withdrawn"),
    ]
    assert refuse("--doc-no", "J1", amount="1.00")["revision"] == 2


def test_a_settlement_is_refused_as_far_as_the_fund_owes_for_it(refuse, ask):
    of_it = ("--setl-id", "S2")
    assert refuse(*of_it, amount="400.01", code=3)["error"]["code"] == "settlement_refused_too_much"
    name = refuse(*of_it, amount="300.00")["refusal"]
    ask("approve", name, user=REVIEWER)
    over = refuse(*of_it, amount="100.01", code=3)["error"]
    assert (over["facts"]["owed"], over["facts"]["refused"]) == ("400.00", "300.00")
    ask("refuse", "--withdraw", name, "--reason", "申诉成立", user=CLERK)
    ask("approve", name, user=REVIEWER)
    assert refuse(*of_it, amount="400.00")["state"] == "waiting"


FAULTS = [
    ({"fund": "310"}, "fund"),
    ({"institution": "H99999999999"}, "institution"),
    ({"amount": "0"}, "amount"),
    ({"amount": "-1.00"}, "amount"),
    ({"amount": "1.005"}, "amount"),
    ({"reason": " "}, "reason"),
    ({"reason-code": "A 1"}, "reason_code"),
    ({"date": "2999-01-01"}, "date"),
    ({"period": "2024-03"}, "period"),
    ({"doc-no": "J 1"}, "doc_no"),
    ({"setl-id": "S9"}, "setl_id"),
    ({"setl-id": "S3"}, "setl_id"),
    ({"setl-id": "S4"}, "setl_id"),
]


def test_what_cannot_be_posted_is_told_by_its_field(refuse, ask):
    for given, field in FAULTS:
        error = refuse(**given, code=2)["error"]
        assert (error["code"], error["facts"]["field"]) == ("refusal_faulty", field), given
    assert ask("approve", f"{AREA}-refusal-J9", user=REVIEWER, code=2)["error"]["code"] == (
        "unknown_refusal"
    )
    assert refuse("--withdraw", "x", code=64)["error"]["code"] == "usage"
    assert ask("refuse", "--fund", "390", "--reason", "x", code=64)["error"]["code"] == "usage"


def test_a_sealed_month_books_the_refusal_in_the_first_open_one(refuse, ask, store_url, tmp_path):
    name = refuse(date="2024-01-31")["refusal"]
    with open_office(store_url, tmp_path) as office:
        office.close("390", "2024-01")
    assert ask("approve", name, user=REVIEWER)["booked_on"] == "2024-02-01"
    assert ask("replay", "--compare")["equal"]


def caught_up(office):
    bring_up_to(office.ledger, office.reads, office.position)
    return office.reads


def unpaid(store_url, tmp_path):
    """What payable months take off for institutions, and for their deposits, at the end."""
    with open_office(store_url, tmp_path) as office:
        levels = monthly_figures(caught_up(office), office.ledger, area=AREA).levels["390"]
    return levels[max(levels)].owed, levels[max(levels)].deposits_held


def test_payable_months_take_off_only_what_is_not_refused(refuse, ask, store_url, tmp_path):
    assert unpaid(store_url, tmp_path) == (195_000, 0)
    ask("approve", refuse(amount="1000.00")["refusal"], user=REVIEWER)
    assert unpaid(store_url, tmp_path) == (95_000, 0)


def test_of_two_decisions_on_the_same_figures_one_is_told(refuse, ask, store_url, tmp_path):
    """Appending the decision to the refusal's own stream lets both pass."""
    names = [refuse("--doc-no", f"J{number}", amount="600.00")["refusal"] for number in (1, 2)]
    both_have_read = threading.Barrier(2)

    def decide(name, told):
        with open_office(store_url, tmp_path) as office:

            def owed(fund, institution, month):
                found = owed_by_stage(
                    caught_up(office), area=AREA, fund=fund, institution=institution, month=month
                )
                both_have_read.wait(timeout=30)
                return found

            try:
                approve_refusal(office.ledger, office.area, refusal=name, owed=owed, user=REVIEWER)
                told[name] = "posted"
            except Conflict as error:
                told[name] = error.code

    told: dict[str, str] = {}
    threads = [threading.Thread(target=decide, args=(name, told)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.values()) == ["posted", "stream_conflict"]
    assert stands(ask)[1] == 60_000
