"""From what is approved to what the bank paid, by figures a clerk can check, on both stores.

Fund 390. Booked at the counter in January, by kind of benefit; approved; ordered on 2024-03-05:

    institution  booked                                     approved             ordered
    H1           住院 600.00  门诊 300.00  慢特病 100.00       Jan 366.68  Feb −33.34   333.34 of January
    H2           住院 900.00                                 Jan 800.00  Feb  20.00   820.00
    H3           -                                          Jan 10.00   Feb −10.00   nothing, 结转

H1 in kinds, 333.34 by 600 : 300 : 100: 200.004, 100.002 and 33.334; two fen short of nothing are one
fen over, and of the two equal remainders (0.4) 慢特病 (chronic) has the smaller name: 200.00, 100.00,
33.34. H2: nothing was booked in February, so its 20.00 are 其他待遇.
"""

import threading

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, H1, H2, REVIEWER, open_office
from support.paying import approve_months

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.errors import Conflict, RuleRefused
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.owed import Records
from settlement.payout.ordering import approve_payout
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

H3 = "H33060400003"
SETTLED = [
    ("S1", H1, "21", "21", "600.00"),
    ("S2", H1, "11", "11", "300.00"),
    ("S3", H1, "140104", "11", "100.00"),
    ("S4", H2, "21", "21", "900.00"),
]
APPROVED = [
    (H1, "2024-01", 36_668),
    (H1, "2024-02", -3_334),
    (H2, "2024-01", 80_000),
    (H2, "2024-02", 2_000),
    (H3, "2024-01", 1_000),
    (H3, "2024-02", -1_000),
]
one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
BATCH = f"{AREA}-payout-390-2024-03-1"


def claim(setl_id, institution, med_type, clr_type, yuan):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": "390",
        "med_type": med_type,
        "clr_type": clr_type,
        "setl_time": "2024-01-05 10:00:00",
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
        approve_months(office.ledger, AREA, "390", APPROVED, "2024-02-20")
    return store_url


@pytest.fixture
def ask(book, medfund):
    def run(*words, code=0, user=None):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


@pytest.fixture
def prepare(ask):
    def run(*more, fund="390", day="2024-03-05", code=0, user=CLERK):
        return ask("payout", "prepare", "--fund", fund, "--date", day, *more, code=code, user=user)

    return run


def stages(ask, fund="390"):
    """Debit − credit of what moves while paying, without what is nil."""
    accounts = ("owed.approved", "owed.ordered", "claims.paid", "expenditure")
    found = {
        row["account"]: row["balance_fen"]
        for book in ("cash", "obligations")
        for row in ask("balances", "--fund", fund, "--book", book)["balances"]
    }
    return tuple(found.get(account, 0) for account in accounts)


def by_kind(ask):
    return {
        row["account"].removeprefix("expense.benefit."): row["balance_fen"]
        for row in ask("balances", "--fund", "390")["balances"]
        if row["account"].startswith("expense")
    }


def order(document):
    return [
        (
            one["institution"],
            one["amount_fen"],
            [(p["month"], p["amount_fen"]) for p in one["months"]],
        )
        for one in document["lines"]
    ]


def test_from_approved_to_paid(prepare, ask):
    """Ordering each month by itself pays H1 too much; a kind by kind rounding loses a fen."""
    waiting = prepare()
    assert (waiting["payout"], waiting["state"], waiting["total_fen"]) == (
        BATCH,
        "waiting",
        115_334,
    )
    assert order(waiting) == [
        (H1, 33_334, [("2024-01", 33_334)]),
        (H2, 82_000, [("2024-01", 80_000), ("2024-02", 2_000)]),
    ]
    assert [(one["institution"], one["amount_fen"], one["reason"]) for one in waiting["held"]] == [
        (H3, 0, "carried")
    ]
    assert stages(ask) == (-115_334, 0, 0, 0), "nothing is ordered before the approval"
    assert ask("approve", BATCH, user=CLERK, code=3)["error"]["code"] == "role_missing"
    ordered = ask("approve", BATCH, user=REVIEWER)
    assert (ordered["state"], ordered["ordered_fen"], ordered["open_fen"]) == (
        *("approved", 115_334),
        115_334,
    )
    assert stages(ask) == (0, -115_334, 0, 0)
    paid = ask("payout", "confirm", BATCH, "--date", "2024-03-06", "--bank-ref", "B1", user=CLERK)
    assert (paid["recorded"], paid["paid_fen"], paid["open_fen"]) == (2, 115_334, 0)
    assert stages(ask) == (0, 0, -115_334, -115_334)
    assert by_kind(ask) == {
        "inpatient": 20_000 + 80_000,
        "outpatient": 10_000,
        "chronic": 3_334,
        "other": 2_000,
    }
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]
    listed = ask("payout", "list", "--fund", "390", "--period", "2024-03")["payouts"]
    assert [(one["payout"], one["paid_fen"]) for one in listed] == [(BATCH, 115_334)]


@one_store
def test_a_failed_order_may_be_ordered_again_and_nothing_else(prepare, ask):
    prepare()
    ask("approve", BATCH, user=REVIEWER)
    failed = (
        "payout",
        "fail",
        BATCH,
        "--line",
        "1",
        "--reason",
        "户名不符",
        "--date",
        "2024-03-06",
    )
    assert ask(*failed, user=CLERK)["failed_fen"] == 33_334
    assert stages(ask) == (-33_334, -82_000, 0, 0)
    again = prepare(day="2024-03-07")
    assert (again["payout"], order(again)) == (
        f"{AREA}-payout-390-2024-03-2",
        [(H1, 33_334, [("2024-01", 33_334)])],
    )
    ask("approve", again["payout"], user=REVIEWER)
    assert prepare(day="2024-03-08", code=3)["error"]["code"] == "nothing_to_pay"
    assert ask("payout", "show", BATCH)["open_fen"] == 82_000
    assert ask("replay", "--compare")["equal"]


@one_store
def test_the_same_result_changes_nothing_and_another_one_conflicts(prepare, ask):
    prepare()
    ask("approve", BATCH, user=REVIEWER)
    paid = ("payout", "confirm", BATCH, "--date", "2024-03-06", "--bank-ref", "B1")
    ask(*paid, "--line", "1", user=CLERK)
    assert ask(*paid, user=CLERK)["recorded"] == 1, "the other order"
    events = ask("verify")["events"]
    assert ask(*paid, user=CLERK)["recorded"] == 0
    assert ask(*paid, "--line", "2", user=CLERK)["recorded"] == 0
    failed = ("payout", "fail", BATCH, "--line", "1", "--reason", "x", "--date", "2024-03-06")
    assert ask(*failed, user=CLERK, code=3)["error"]["code"] == "payment_result_conflict"
    other = (*paid[:-1], "B2", "--line", "1")
    assert ask(*other, user=CLERK, code=3)["error"]["code"] == "payment_result_conflict"
    assert ask("verify")["events"] == events
    wrong = (*paid, "--line", "3")
    assert ask(*wrong, user=CLERK, code=2)["error"]["code"] == "unknown_payout"


def test_a_payment_that_comes_back_is_owed_again_and_no_recovery(prepare, ask):
    """退汇 and paying again: expense counts once, nothing is recovered."""
    prepare()
    ask("approve", BATCH, user=REVIEWER)
    paid = ("payout", "confirm", BATCH, "--date", "2024-03-06")
    ask(*paid, user=CLERK)
    back = ("payout", "fail", BATCH, "--returned", "--line", "1", "--reason", "账户注销")
    back += ("--date", "2024-03-09")
    assert ask(*back, user=CLERK)["returned_fen"] == 33_334
    assert stages(ask) == (-33_334, 0, -82_000, -82_000)
    assert ask(*paid, "--line", "1", user=CLERK)["recorded"] == 0, "known, though it came back"
    assert ask(*back, user=CLERK)["recorded"] == 0
    again = prepare(day="2024-03-10")["payout"]
    ask("approve", again, user=REVIEWER)
    ask("payout", "confirm", again, "--date", "2024-03-11", user=CLERK)
    assert stages(ask) == (0, 0, -115_334, -115_334)
    kinds = by_kind(ask)
    assert sum(kinds.values()) == 115_334
    assert kinds["returned"] == -33_334
    assert "recovered" not in kinds
    assert ask("replay", "--compare")["equal"]


@one_store
def test_whoever_prepared_it_cannot_approve_it(prepare, ask, store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        setup = {
            "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]},
            "users": [{"name": "both1", "roles": ["clerk", "reviewer"]}],
        }
        apply_setup(office.ledger, SetupFile.model_validate(setup), user=ADMINISTRATOR)
    prepare(user="both1")
    assert ask("approve", BATCH, user="both1", code=3)["error"]["code"] == "own_payout"
    early = ("payout", "confirm", BATCH, "--date", "2024-03-06")
    assert ask(*early, user=CLERK, code=3)["error"]["code"] == "payout_not_waiting"
    back = ask("reject", BATCH, "--reason", "重制", user="both1")
    assert (back["state"], back["reason"]) == ("rejected", "重制")
    assert ask("approve", BATCH, user=REVIEWER, code=3)["error"]["code"] == "payout_not_waiting"


@one_store
def test_the_same_batch_again_is_the_one_that_waits_and_a_choice_is_another(prepare, ask):
    first = prepare()
    events = ask("verify")["events"]
    assert prepare()["payout"] == first["payout"]
    assert prepare("--dry-run")["payout"] == first["payout"]
    assert ask("verify")["events"] == events
    chosen = prepare("--institution", H2, "--period", "2024-02")
    assert order(chosen) == [(H2, 2_000, [("2024-02", 2_000)])]
    ask("approve", chosen["payout"], user=REVIEWER)
    stale = ask("approve", BATCH, user=REVIEWER, code=3)["error"]
    assert (stale["code"], stale["facts"]["prepared"], stale["facts"]["payable"]) == (
        *("payout_stale", "820.00"),
        "800.00",
    )
    assert stages(ask) == (-113_334, -2_000, 0, 0), "all of a batch or nothing"


FAULTS = [
    (("--fund", "310"), 2, "payout_faulty"),
    (("--fund", "390", "--date", "2999-01-01"), 2, "payout_faulty"),
    (("--fund", "310.pooled"), 3, "nothing_to_pay"),
]


@one_store
def test_what_cannot_be_prepared_is_told(ask):
    for words, code, name in FAULTS:
        said = ask("payout", "prepare", *words, code=code, user=CLERK)
        assert said["error"]["code"] == name, words
    for number in ("x", f"{AREA}-payout-390-2024-03-9", f"{AREA}-payout-390-2024-13-1"):
        assert ask("payout", "show", number, code=2)["error"]["code"] == "unknown_payout"
    assert ask("payout", "prepare", "--fund", "390", code=3)["error"]["code"] == "nobody_named"


def test_the_banks_results_come_as_a_file(prepare, ask, store_url, tmp_path):
    """One row each; a row that the books forbid keeps the file out, and the same file is known."""
    prepare()
    rows = [
        {"付款单号": f"{BATCH}-0001", "处理结果": "成功", "金额": "333.34"},
        {"付款单号": f"{BATCH}-0002", "处理结果": "失败", "失败原因": "户名不符"},
    ]
    rows = [row | {"付款日期": "2024-03-06", "流水号": f"B{no}"} for no, row in enumerate(rows)]

    def bring(*changed, name="结果.csv"):
        with open_office(store_url, tmp_path) as office:
            outcome = office.bring(office.write_file(name, [*changed]))
        assert outcome.kind == "payment_results"
        return outcome.posted, outcome.already, [one.code for one in outcome.rejections]

    assert bring(*rows, name="early.csv")[2] == ["unknown_payment_order"] * 2, "not approved yet"
    ask("approve", BATCH, user=REVIEWER)
    wrong = [
        rows[0] | {"金额": "333.35"},
        rows[1] | {"付款单号": f"{BATCH}-0003"},
        rows[1] | {"失败原因": ""},
    ]
    assert bring(*wrong, name="wrong.csv") == (
        *(0, 0),
        ["payment_amount_differs", "unknown_payment_order", "required"],
    )
    assert bring(*rows) == (2, 0, [])
    assert bring(*rows)[:2] == (0, 2)
    assert bring(*reversed(rows), name="again.csv") == (0, 2, [])
    assert bring(rows[1] | {"处理结果": "成功"}, name="x.csv")[2] == ["payment_result_conflict"]
    shown = ask("payout", "show", BATCH)
    assert [(one["state"], one["bank_ref"]) for one in shown["lines"]] == [
        ("paid", "B0"),
        ("failed", "B1"),
    ]
    back = rows[0] | {"处理结果": "退汇", "失败原因": "账户注销", "付款日期": "2024-03-08"}
    assert bring(rows[0], back, name="back.csv") == (1, 1, [])
    assert stages(ask) == (-115_334, 0, 0, 0)
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]


@one_store
def test_the_order_of_the_bank_is_a_sheet_with_its_sum(prepare, ask, medfund, tmp_path):
    prepare()
    target = tmp_path / "orders.csv"
    assert medfund("payout", "show", BATCH, "--format", "csv", "-o", target).code == 0
    lines = target.read_text("utf-8-sig").splitlines()
    assert lines[1].startswith(f"{BATCH}-0001,390,2024-03-05,{H1},第一人民医院,{H1}")
    assert lines[-1] == "合计,,,,,,,1153.34,"
    sheet = tmp_path / "orders.xlsx"
    assert medfund("payout", "show", BATCH, "--format", "xlsx", "-o", sheet).code == 0
    assert sheet.read_bytes()[:2] == b"PK"


def test_of_two_orders_for_one_amount_one_is_told(prepare, ask, store_url, tmp_path):
    """Both have computed what is payable; appending beside the months' streams lets both pass."""
    names = [prepare()["payout"], prepare("--period", "2024-01")["payout"]]
    assert len(set(names)) == 2
    both_have_read = threading.Barrier(2)
    records = {}
    told = []

    def decide(name):
        with open_office(store_url, tmp_path) as office:
            once = iter([True])

            def ask_once(fund):
                if next(once, False):
                    both_have_read.wait(timeout=60)
                return records[fund]

            try:
                approve_payout(office.ledger, office.area, payout=name, ask=ask_once, user=REVIEWER)
            except (Conflict, RuleRefused) as error:
                told.append(error.code)

    with open_office(store_url, tmp_path) as office:
        folder = tmp_path / "asked"
        bring_up_to(office.ledger.log, folder, position=office.position)
        records["390"] = Records(Archive(folder), DuckDBEngine(), AREA, office.position)
    threads = [threading.Thread(target=decide, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["payout_stale"], told
    assert stages(ask)[:2] in {(0, -115_334), (-2_000, -113_334)}
