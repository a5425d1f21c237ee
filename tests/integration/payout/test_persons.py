"""手工报销 and 零星: persons are paid by a file that nobody keeps; no event, seal or report names them."""

import csv
import sqlite3

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, REVIEWER, open_office
from support.one_stop import write_policy

one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
NAME, ACCOUNT, NUMBER = "王小明", "6222021211000012345", "33060419800101"
ROWS = [
    {"受理号": "LX001", "金额": "1234.56", "险种": "390"},
    {"受理号": "LX002", "金额": "100.00", "险种": "610", "待遇类别": "医疗救助"},
]
FIRST = {"人员编号": NUMBER, "姓名": NAME, "银行账号": ACCOUNT, "开户行": "工商银行上虞支行"}


def rows(*changed):
    return [FIRST | row for row in changed or ROWS]


@pytest.fixture
def ask(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "610")

    def run(*words, code=0, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


@pytest.fixture
def bring(ask, tmp_path):
    def run(given, name="零星.csv", code=0):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in given for key in row)))
            writer.writeheader()
            writer.writerows(given)
        return ask("intake", path, code=code)["files"][0]

    return run


def balances(ask, fund):
    return {
        row["account"]: row["balance_fen"] for row in ask("balances", "--fund", fund)["balances"]
    }


def released(ask, name, target, **how):
    answer = ask("payout", "release", name, "-o", target, **how)
    return answer, target.read_bytes().decode("utf-8-sig") if target.exists() else ""


def test_from_the_file_to_the_bank_and_back(ask, bring, tmp_path):
    """Expense before the bank has paid, or a released file without a second person, fails here."""
    brought = bring(rows())
    assert (brought["kind"], brought["posted"]) == ("person_payments", 2)
    name = f"{AREA}-persons-{brought['intake']}"
    target = tmp_path / "代发.csv"
    early, _ = released(ask, name, target, code=3)
    assert early["error"]["code"] == "person_payout_not_ready"
    assert ask("approve", name, code=3)["error"]["code"] == "role_missing"
    assert ask("approve", name, user=REVIEWER)["state"] == "approved"
    answer, text = released(ask, name, target)
    assert (answer["state"], answer["released"], answer["total_fen"]) == ("released", 1, 133_456)
    lines = text.splitlines()
    assert lines[1] == f"{name}-0001,{NAME},{ACCOUNT},工商银行上虞支行,1234.56"
    assert lines[2].endswith(",100.00")
    again, same = released(ask, name, tmp_path / "again.csv")
    assert (again["released"], same) == (1, text), "the same file is logged once"
    assert balances(ask, "390") == {}
    result = {"付款单号": f"{name}-0001", "付款结果": "成功", "付款日期": "2024-03-06"}
    result |= {"金额": "1234.56"}
    assert bring([result], "结果.csv")["posted"] == 1
    failed = ("payout", "fail", name, "--line", "2", "--reason", "户名不符", "--date", "2024-03-06")
    assert ask(*failed)["recorded"] == 1
    assert ask(*failed)["recorded"] == 0, "the same again"
    assert balances(ask, "390") == {"expense.benefit.manual": 123_456, "expenditure": -123_456}
    assert balances(ask, "610") == {}
    assert bring(rows(), "same.csv")["duplicate"]
    corrected = bring(rows(ROWS[0], ROWS[1] | {"银行账号": "6222"}), "corrected.csv")
    assert (corrected["posted"], corrected["already"]) == (1, 1), (
        "what was paid does not come again"
    )
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]


@one_store
def test_paid_twice_is_refused_and_what_came_back_is_paid_again(ask, bring, tmp_path):
    def pay(name, day):
        ask("approve", name, user=REVIEWER)
        released(ask, name, tmp_path / f"{day}.csv")
        assert ask("payout", "confirm", name, "--date", day)["recorded"] == 1

    first = f"{AREA}-persons-{bring(rows(ROWS[1]))['intake']}"
    pay(first, "2024-03-06")
    assert balances(ask, "610") == {"expense.benefit.assistance": 10_000, "fiscal": -10_000}
    more = bring(rows(ROWS[1] | {"金额": "100.01"}), "more.csv", code=2)
    assert [one["code"] for one in more["rejections"]] == ["person_payment_conflict"]
    back = ("payout", "fail", first, "--returned", "--line", "1", "--reason", "账户注销")
    assert ask(*back, "--date", "2024-03-08")["recorded"] == 1
    assert balances(ask, "610")["fiscal"] == 0
    second = f"{AREA}-persons-{bring(rows(ROWS[1] | {'银行账号': '6222'}), 'again.csv')['intake']}"
    assert second != first
    pay(second, "2024-03-10")
    found = balances(ask, "610")
    assert (found["fiscal"], found["expense.benefit.returned"]) == (-10_000, -10_000)
    assert ask("payout", "persons", first)["payments"][0]["state"] == "returned"


@one_store
def test_bad_rows_are_told_and_nobody_is_named(ask, bring):
    bad = [
        {"受理号": "LX1", "金额": "0", "险种": "390"},
        {"受理号": "LX2", "金额": "1.00", "险种": "310"},
        {"受理号": "LX3", "金额": "1.00", "险种": "390", "姓名": ""},
    ]
    found = bring(rows(*bad), code=2)
    assert [(one["line"], one["field"], one["code"]) for one in found["rejections"]] == [
        (2, "amount", "person_amount_not_positive"),
        (3, "fund", "sub_fund_needed"),
        (4, "psn_name", "required"),
    ]
    assert found["posted"] == 0
    name = f"{AREA}-persons-{found['intake']}"
    assert ask("approve", name, user=REVIEWER, code=2)["error"]["code"] == "unknown_person_payout"


@one_store
def test_a_batch_that_is_sent_back_frees_its_references(ask, bring):
    name = f"{AREA}-persons-{bring(rows())['intake']}"
    assert ask("reject", name, "--reason", "账号有误")["state"] == "rejected", "one's own"
    assert bring(rows(ROWS[0] | {"银行账号": "6222"}), "next.csv")["posted"] == 1


@one_store
def test_no_person_stands_in_the_log_and_the_kept_file_can_be_erased(
    ask, bring, store_url, tmp_path
):
    """A name or account in an event, or a file that outlives its key, fails here."""
    brought = bring(rows())
    name = f"{AREA}-persons-{brought['intake']}"
    ask("approve", name, user=REVIEWER)
    released(ask, name, tmp_path / "代发.csv")
    ask("payout", "confirm", name, "--date", "2024-03-06")
    with sqlite3.connect(store_url.removeprefix("sqlite:///")) as database:
        states = "".join(str(state) for (state,) in database.execute("SELECT state FROM events"))
    whole = states.encode()
    for secret in (NAME, ACCOUNT, NUMBER, "工商银行"):
        assert secret.encode() not in whole
    ask("keys", "erase", brought["intake"], "--reason", "已付讫", user=ADMINISTRATOR)
    gone, _ = released(ask, name, tmp_path / "late.csv", code=3)
    assert gone["error"]["code"] == "key_destroyed"
    assert not (tmp_path / "late.csv").exists()
    assert ask("payout", "persons", name)["payments"][0]["state"] == "paid"
    assert ask("verify")["ok"]


@one_store
def test_a_manual_claim_is_paid_as_it_was_settled_and_owed_no_more(
    store_url, tmp_path, medfund, bring, ask
):
    """The synthetic stack: 43,095.00 of 390, 10,988.25 of 392 and 9,391.73 of 610, all for one person.

    A batch of institutions that orders what is owed to persons fails here too.
    """
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "392", "610")
    policy = write_policy(tmp_path)
    ask("policy", "approve", ask("policy", "propose", policy)["policy"], user=REVIEWER)
    claim = ask(
        *("manual", "claim", "--claim-no", "SG-1", "--person", NUMBER, "--insutype", "390"),
        *("--date", "2024-03-20", "--received", "2024-04-02", "--documents", "6"),
        *("--reason", "异地急诊", "--total", "80000", "--own", "8000", "--first-share", "4000"),
        *("--above-limit", "500", "--level", "3", "--assistance-class", "01"),
    )["manual_claim"]
    owed = {"390": "43095.00", "392": "10988.25", "610": "9391.73"}
    given = [{"受理号": "SG-1", "险种": fund, "金额": yuan} for fund, yuan in owed.items()]
    early = bring(rows(*given), "early.csv", code=2)
    assert {one["code"] for one in early["rejections"]} == {"manual_claim_not_owed"}
    ask("approve", claim, user=REVIEWER)
    wrong = [given[0] | {"金额": "43095.01"}, given[1] | {"人员编号": "33060419800102"}]
    found = bring(rows(*wrong), "wrong.csv", code=2)
    assert [one["code"] for one in found["rejections"]] == [
        "manual_claim_differs",
        "manual_claim_of_another",
    ]
    nothing = ask("payout", "prepare", "--fund", "390", code=3)["error"]
    assert nothing["code"] == "nothing_to_pay", "a person is no institution"
    name = f"{AREA}-persons-{bring(rows(*given), 'paid.csv')['intake']}"
    ask("approve", name, user=REVIEWER)
    released(ask, name, tmp_path / "代发.csv")
    assert ask("payout", "confirm", name, "--date", "2024-05-06")["recorded"] == 3
    standing = ask("obligations", "--fund", "390")["institutions"]
    assert [(one["paid_fen"], one["owed_fen"]) for one in standing] == [(4_309_500, 0)]
    assert balances(ask, "392") == {"expense.benefit.manual": 1_098_825, "expenditure": -1_098_825}
    back = ("payout", "fail", name, "--returned", "--line", "1", "--reason", "账户注销")
    ask(*back, "--date", "2024-05-08")
    standing = ask("obligations", "--fund", "390")["institutions"]
    assert [(one["paid_fen"], one["owed_fen"]) for one in standing] == [(0, 4_309_500)]
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]
