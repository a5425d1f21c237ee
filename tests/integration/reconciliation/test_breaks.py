"""What is done about differences, with institutions and with money, on both stores.

Deliberate defects that these tests catch: one's own proposal approved; a correction of another
amount accepted; a carried difference that stops ageing; a break that came back taken as resolved; a
released match that stays in the balances.
"""

import pytest
from support.office import CLERK, H1, REVIEWER

from ledger.events.outstanding import BreakResolved, MatchRecorded

ACCOUNT = "33001660400001"


def flow(doc_no, day, item, amount, **more):
    return {"doc_no": doc_no, "date": day, "fund": "390", "item": item, "amount": amount, **more}


def line(day, amount, balance, ref, summary=""):
    return {
        "date": day,
        "amount": amount,
        "balance": balance,
        "bank_ref": ref,
        "summary": summary,
        "account": ACCOUNT,
    }


@pytest.fixture
def books(banked, state, medfund):
    """The bank paid interest and took a fee that the books do not have; one payment is only ours."""
    banked.bring_flows(
        [
            flow("QC01", "2024-01-01", "opening_balance", "1000.00", money_account="支出户"),
            flow("BF01", "2024-01-08", "benefit.inpatient", "400.00", counterparty=H1),
            flow("BF02", "2024-01-31", "benefit.inpatient", "90.00", counterparty=H1),
        ]
    )
    state(
        line("2024-01-08", "-400.00", "600.00", "BF01"),
        line("2024-01-21", "5.00", "605.00", "S2", "结息"),
        line("2024-01-22", "-1.00", "604.00", "S3", "手续费"),
    )
    record(medfund, "2024-01")
    return banked


def record(medfund, period):
    said = medfund("reconcile", "bank", period, "--record", "--json", user=CLERK)
    assert said.code == 0, said.out
    return said.json


@pytest.fixture
def breaks(books, medfund):
    """Give the listed differences by what they are about."""

    def listed(*words):
        document = medfund("reconcile", "breaks", *words, "--json").json
        return {row["subject"].split()[-1]: row for row in document["breaks"]}

    return listed


@pytest.fixture
def resolve(medfund):
    def resolved(row, way, *words, user=CLERK, code=0):
        said = medfund(
            *("reconcile", "resolve", row["id"], "--way", way, "--reason", "经核对", "--json"),
            *words,
            user=user,
        )
        assert said.code == code, said.out
        return said.json

    return resolved


def test_recorded_differences_are_listed_with_age_and_owner(breaks):
    found = breaks()
    assert {key: row["fen"] for key, row in found.items()} == {
        "结息": 500,
        "手续费": -100,
        "第一人民医院": -9_000,
    }
    interest = found["结息"]
    assert (interest["counterparty"], interest["since"]) == ("bank", "2024-01-21")
    assert (interest["owner"], interest["state"]) == (CLERK, "open")
    assert interest["days"] > found["第一人民医院"]["days"] > 100


def test_ours_stand_at_once_and_carried_goes_on_ageing(breaks, resolve):
    found = breaks()
    ours = resolve(found["第一人民医院"], "ours", "--owner", "开户银行")
    assert (ours["state"], ours["owner"], ours["decided_by"]) == ("resolved", "开户银行", CLERK)
    carried = resolve(found["手续费"], "carry")
    assert (carried["state"], carried["days"]) == ("carried", found["手续费"]["days"])
    assert set(breaks("--open")) == {"结息", "手续费"}
    again = resolve(found["手续费"], "carry")
    assert again["state"] == "carried"
    error = resolve(found["第一人民医院"], "theirs", code=3)["error"]
    assert error["code"] == "break_not_waiting"


def test_theirs_stand_only_with_a_second_person(breaks, resolve, medfund):
    row = breaks()["结息"]
    assert resolve(row, "theirs", user="clerk2")["state"] == "waiting"
    own = medfund("approve", row["id"], "--json", user="clerk2")
    assert (own.code, own.json["error"]["code"]) == (3, "own_break")
    back = medfund("reject", row["id"], "--reason", "请附回单", "--json", user=REVIEWER).json
    assert (back["state"], back["note"]) == ("open", "请附回单")
    resolve(row, "theirs")
    done = medfund("approve", row["id"], "--json", user=REVIEWER).json
    assert (done["state"], done["prepared_by"], done["decided_by"]) == ("resolved", CLERK, REVIEWER)
    assert medfund("approve", row["id"], "--json", user=REVIEWER).json == done, "nothing changes"
    assert medfund("approve", row["id"], user="clerk2").code == 3


def test_a_correction_is_matched_by_hand_in_the_same_commit(books, breaks, resolve, medfund):
    """The interest is booked in June, far beyond the days that amounts may be apart."""
    row = breaks()["结息"]
    needed = resolve(row, "corrected", code=2)["error"]
    assert needed["code"] == "correcting_document_needed"
    books.bring_flows([flow("LX01", "2024-06-03", "interest", "5.01", money_account="支出户")])
    resolve(row, "corrected", "--document", "LX01")
    wrong = medfund("approve", row["id"], "--json", user=REVIEWER).json["error"]
    assert wrong["code"] == "document_does_not_correct"
    assert (wrong["facts"]["needed"], wrong["facts"]["found"]) == ("5.00", "5.01")
    back = ("reject", row["id"], "--reason", "金额不符", "--json")
    first, again = (medfund(*back, user=REVIEWER) for _ in range(2))
    assert (again.code, again.json) == (0, first.json)
    books.bring_flows([flow("LX02", "2024-06-03", "interest", "5.00", money_account="支出户")])
    resolve(row, "corrected", "--document", "LX02")
    assert medfund("approve", row["id"], "--json", user=REVIEWER).json["state"] == "resolved"
    first = books.position - 2
    facts = [books.ledger.log.event_at(first + at).topic for at in range(3)]
    assert facts == [BreakResolved.TOPIC, MatchRecorded.TOPIC, MatchRecorded.TOPIC]
    (account,) = medfund("reconcile", "bank", "2024-06", "--json").json["accounts"]
    assert account["matches"]["hand"] == 1
    assert {one["fen"] for one in account["outstanding"]} == {-100, -9_000, 501}
    books.assert_sound()


def test_a_match_is_released_and_its_payments_are_open_again(books, medfund):
    (account,) = medfund("reconcile", "bank", "2024-01", "--json").json["accounts"]
    (matched,) = account["matched"]
    released = medfund(
        *("reconcile", "release", matched["match"], "--reason", "勾错", "--json"), user=CLERK
    ).json
    assert released["payments"] == 2
    assert record(medfund, "2024-01")["recorded"]["repeated"] is False
    (account,) = medfund("reconcile", "bank", "2024-01", "--json").json["accounts"]
    assert account["matched"][0]["match"] == matched["match"]
    books.assert_sound()
    unknown = medfund("reconcile", "release", "nothing", "--reason", "x", "--json", user=CLERK)
    assert unknown.json["error"]["code"] == "unknown_match"


def test_what_is_matched_later_is_no_difference_any_more(books, state, breaks, medfund):
    state(line("2024-02-01", "-90.00", "514.00", "S4"))
    record(medfund, "2024-02")
    assert set(breaks()) == {"结息", "手续费"}


def test_the_result_shows_what_is_done_about_each_item(breaks, resolve, medfund):
    resolve(breaks()["手续费"], "carry", "--owner", "出纳")
    (account,) = medfund("reconcile", "bank", "2024-01", "--json").json["accounts"]
    fee = next(one for one in account["outstanding"] if one["fen"] == -100)
    assert (fee["state"], fee["way"], fee["owner"]) == ("carried", "carry", "出纳")
    assert fee["break"] == breaks()["手续费"]["id"]


def test_an_unknown_break_is_refused(books, resolve):
    for number in ("330604-break-0000000000", "nonsense"):
        assert resolve({"id": number}, "carry", code=2)["error"]["code"] == "unknown_break"


def statement(**more):
    return {
        "fixmedins_code": H1,
        "insutype": "390",
        "clr_type": "21",
        "stmt_begndate": "2024-01-01",
        "stmt_enddate": "2024-01-31",
        "medfee_sumamt": "100.00",
        "fund_pay_sumamt": "60.00",
        "acct_pay": "0.00",
        "fixmedins_setl_cnt": "1",
        **more,
    }


def test_with_institutions_a_difference_that_comes_back_is_open_again(
    banked, state, breaks, resolve, medfund
):
    def recorded():
        assert medfund("reconcile", "institution", "2024-01", "--record", user=CLERK).code == 0

    state(statement())
    recorded()
    (row,) = [one for one in breaks().values() if one["counterparty"] == "institution"]
    assert (row["fen"], row["period"]) == (-6_000, "2024-01")
    assert resolve(row, "ours")["state"] == "resolved"
    state(statement(medfee_sumamt="0", fund_pay_sumamt="0", fixmedins_setl_cnt="0"))
    recorded()
    assert not [one for one in breaks().values() if one["counterparty"] == "institution"]
    state(statement(fund_pay_sumamt="61.00"))
    recorded()
    (row,) = [one for one in breaks().values() if one["counterparty"] == "institution"]
    assert row["state"] == "open"
    first = row["first_recorded"]
    state(statement(fund_pay_sumamt="62.00"))
    recorded()
    (row,) = [one for one in breaks().values() if one["counterparty"] == "institution"]
    assert (row["fen"], row["first_recorded"]) == (-6_200, first), "it is the same difference"
    assert resolve(row, "carry")["state"] == "carried"
    document = medfund("reconcile", "institution", "2024-01", "--json").json
    assert document["groups"][0]["break"] == row["id"]


def test_a_result_with_institutions_is_signed_too(banked, state, medfund):
    state(statement())
    assert medfund("reconcile", "institution", "2024-01", "--record", user=CLERK).code == 0
    sign = ("reconcile", "sign", "2024-01", "--counterparty", "institution", "--json")
    assert medfund(*sign, user=REVIEWER).json["signed_by"] == REVIEWER
    document = medfund("reconcile", "institution", "2024-01", "--json").json
    assert document["signature"]["signed_by"] == REVIEWER
    state(statement(fund_pay_sumamt="61.00"))
    assert medfund("reconcile", "institution", "2024-01", "--record", user=CLERK).code == 0
    document = medfund("reconcile", "institution", "2024-01", "--json").json
    assert document["signature"]["signed_by"] is None, "a later result is signed anew"
