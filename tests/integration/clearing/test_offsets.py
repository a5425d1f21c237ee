"""Recoveries taken from payments to come: prepared, approved, taken run by run, on both stores."""

from datetime import date

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from medfund.bootstrap import now

F = "390"
ID = f"{AREA}-offset-ZH1"

#: What has nothing to do with the store is tested on the embedded one.
embedded = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def claim(setl_id, booked, month, institution=H1):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": F,
        "setl_time": f"{month}-15 10:00:00",
        "medfee_sumamt": booked,
        "hifp_pay": booked,
        "fund_pay_sumamt": booked,
        "acct_pay": "0.00",
        "psn_cash_pay": "0.00",
    }


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as office:
        office.setup("390")
        rows = [claim("S1", "500.00", "2024-03"), claim("S2", "800.00", "2024-04")]
        assert office.bring_claims([*rows, claim("S3", "90.00", "2024-03", H2)]).posted == 3
        yield office


@pytest.fixture
def ask(medfund, office):
    def asked(*words, user=None, code=0):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out + answer.err
        return answer.json

    return asked


@pytest.fixture
def recover(ask):
    def recovered(amount="600.00", *, doc_no="ZH1", year="2024", code=0, **more):
        given = {"fund": F, "counterparty": H1, "amount": amount, "original-year": year}
        given |= {"doc-no": doc_no, "note": "重复收费"} | more
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        return ask("recover", "--from-next-payment", *words, user=CLERK, code=code)

    return recovered


@pytest.fixture
def policy(tmp_path, ask):
    path = tmp_path / "policy.toml"
    path.write_text(
        '[policy]\nname = "resident"\ntitle = "2024"\nfund = "390"\neffective = 2024-01-01\n'
        '[[methods]]\nname = "all"\nkind = "fee_for_service"\n',
        encoding="utf-8",
    )
    ask("policy", "propose", path, user=CLERK)
    ask("policy", "approve", "resident@1", user=REVIEWER)


def settle(ask, month):
    run = ask("clear", month, "--fund", F, user=CLERK)
    ask("approve", run["run"], user=REVIEWER)
    return {one["institution"]: one for one in run["settlement"]["lines"]}


@pytest.mark.usefixtures("policy")
def test_taken_up_to_what_is_payable_and_the_rest_waits(office, ask, recover):
    """600.00: 500.00 of March, 100.00 of April; an earlier year is other income, gross."""
    waiting = recover(year="2023")
    assert (waiting["offset"], waiting["state"], waiting["left_fen"]) == (ID, "waiting", 600_00)
    assert recover(year="2023") == waiting, "the same once more"
    assert recover("1.00", code=3)["error"]["code"] == "offset_conflict"
    assert (
        ask("clear", "2024-03", "--fund", F, "--dry-run")["settlement"]["total"]["offset_fen"] == 0
    )
    assert ask("approve", ID, user=REVIEWER)["state"] == "approved"
    march = settle(ask, "2024-03")
    assert (march[H1]["offset_fen"], march[H1]["payable_fen"]) == (500_00, 0)
    assert (march[H2]["offset_fen"], march[H2]["payable_fen"]) == (0, 90_00)
    (left,) = ask("clear", "offsets")["offsets"]
    assert (left["state"], left["left_fen"]) == ("approved", 100_00)
    april = settle(ask, "2024-04")
    assert (april[H1]["offset_fen"], april[H1]["payable_fen"]) == (100_00, 700_00)
    assert ask("clear", "offsets")["offsets"][0]["state"] == "done"
    rows = {one["account"]: one["balance_fen"] for one in ask("balances", "--fund", F)["balances"]}
    assert (rows["expense.benefit.offset"], rows["income.other.recovery"]) == (600_00, -600_00)
    owed = ask("obligations", "--institution", H1)["institutions"][0]
    assert (owed["approved_fen"], owed["offset_fen"]) == (700_00, 600_00)
    assert ask("clear", "2024-03", "--fund", F, user=CLERK)["state"] == "nothing_new"
    office.assert_sound()


@pytest.mark.usefixtures("policy")
def test_the_oldest_first_the_same_year_lowers_expense_and_what_is_sent_back_is_not_taken(
    office, ask, recover
):
    year = str(now().year)  # the commands ask the clock
    for doc_no, amount in (("ZH2", "450.00"), ("ZH1", "60.00"), ("ZH3", "30.00")):
        recover(amount, doc_no=doc_no, year=year)
    for doc_no in ("ZH2", "ZH1", "ZH3"):
        ask("approve", f"{AREA}-offset-{doc_no}", user=REVIEWER)
    gone = ask("reject", f"{AREA}-offset-ZH3", "--reason", "改以现金退回", user=REVIEWER)
    assert gone["state"] == "rejected"
    run = ask("clear", "2024-03", "--fund", F, user=CLERK)
    taken = [(one["doc_no"], one["fen"], one["same_year"]) for one in run["settlement"]["offsets"]]
    assert taken == [("ZH2", 450_00, True), ("ZH1", 50_00, True)]
    # Sent back while the run waits: what would be posted is not what was seen.
    ask("reject", f"{AREA}-offset-ZH1", "--reason", "改以现金退回", user=REVIEWER)
    error = ask("approve", run["run"], user=REVIEWER, code=3)["error"]
    assert error["code"] == "clearing_changed"
    ask("reject", run["run"], "--reason", "重算", user=CLERK)
    assert settle(ask, "2024-03")[H1]["payable_fen"] == 50_00
    rows = {one["account"]: one["balance_fen"] for one in ask("balances", "--fund", F)["balances"]}
    assert rows["expense.benefit.offset"] == -rows["expense.benefit.recovered"] == 450_00
    office.assert_sound()


@embedded
def test_what_cannot_be_prepared_and_who_may_decide(ask, recover):
    error = recover(
        "-1", **{"counterparty": "H99999999999", "fund": "310", "original-year": "2999"}, code=2
    )
    assert error["error"]["code"] == "offset_faulty"
    assert error["error"]["facts"]["fields"] == ["amount", "counterparty", "fund", "original_year"]
    recover()
    assert ask("approve", ID, user=CLERK, code=3)["error"]["code"] == "role_missing"
    back = ask("reject", ID, "--reason", "写错", user=CLERK)
    assert back["state"] == "rejected", "one's own"
    assert ask("reject", ID, "--reason", "写错", user=CLERK) == back, "the same again"
    assert ask("approve", ID, user=REVIEWER, code=3)["error"]["code"] == "offset_not_waiting"
    assert recover()["state"] == "waiting", "the number is free again"
    assert (
        ask("approve", f"{AREA}-offset-X", user=REVIEWER, code=2)["error"]["code"]
        == "unknown_offset"
    )
    said = ask("recover", "--from-next-payment", "--fund", F, "--amount", "1", "--doc-no", "x",
               "--original-year", "2024", user=CLERK, code=64)  # fmt: skip
    assert said["error"]["code"] == "usage"
