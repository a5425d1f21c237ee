"""A month's money against bank, fiscal bureau and tax office, to the signed result, on both stores.

Deliberate defects that these tests catch: an item of the month before forgotten or matched twice; a
match recorded twice; openings counted as movements; the sign of an adjustment; a result signed by
who recorded it; matches that the next month undoes.
"""

import csv

import openpyxl
import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.domain.identity import match_stream, reconciliation_stream
from ledger.domain.period import Period
from ledger.events.base import Envelope
from ledger.events.outstanding import BalancesReconciled, MatchRecorded
from ledger.store.commit import Commit, StreamConflict
from settlement.reconciliation.money_recording import PaymentMatched, month_of_money, record_money

ACCOUNT, FISCAL = "33001660400001", "33001660400002"


def flow(doc_no, day, item, amount, fund="390", **more):
    return {"doc_no": doc_no, "date": day, "fund": fund, "item": item, "amount": amount, **more}


def line(day, amount, balance="", ref="", party="", summary="", account=ACCOUNT):  # noqa: PLR0917
    keys = ("date", "amount", "balance", "bank_ref", "counterparty", "summary", "account")
    return dict(zip(keys, (day, amount, balance, ref, party, summary, account), strict=True))


#: The expenditure account in January: what the books have, and what the bank has.
FLOWS = [
    flow("QC1", "2024-01-01", "opening_balance", "5000.00", money_account="支出户"),
    flow("QC2", "2024-01-01", "opening_balance", "90000.00", money_account="财政专户"),
    flow("HB1", "2024-01-04", "move.fiscal_to_expenditure", "10000.00"),
    flow("BF01", "2024-01-08", "benefit.inpatient", "4000.00", counterparty=H1),
    flow("BF02", "2024-01-09", "benefit.inpatient", "1500.00", counterparty=H2),
    flow("BF03", "2024-01-20", "benefit.inpatient", "300.00", counterparty=H1),
    flow("BF04", "2024-01-20", "benefit.outpatient", "200.00", counterparty=H1),
    flow("BF05", "2024-01-25", "benefit.inpatient", "700.00", counterparty=H2),
    flow("BF06", "2024-01-31", "benefit.inpatient", "900.00", counterparty=H2),
]
JANUARY = [
    line("2024-01-04", "10000.00", "15000.00", "S01", "上虞区财政局"),
    line("2024-01-08", "-4000.00", "11000.00", "BF01", "第一人民医院"),
    line("2024-01-10", "-1500.00", "9500.00", "S03", "中医医院", "拨付"),
    line("2024-01-20", "-500.00", "9000.00", "S04", "第一人民医院", "合并拨付"),
    line("2024-01-25", "-770.00", "8230.00", "S05", "中医医院", "单据 BF05"),
    line("2024-01-31", "12.34", "8242.34", "S06", "", "结息"),
]
FEBRUARY = [line("2024-02-02", "-900.00", "7342.34", "S07", "中医医院")]


@pytest.fixture
def books(banked, state):
    assert banked.bring_flows(FLOWS).state == "posted"
    assert state(*JANUARY).posted == len(JANUARY)
    return banked


@pytest.fixture
def reconcile(books, medfund):
    def answer(counterparty, period="2024-01", *words, user=None):
        said = medfund("reconcile", counterparty, period, "--json", *words, user=user)
        assert said.code == 0, said.out + said.err
        return said.json

    return answer


def only(document):
    (account,) = document["accounts"]
    return account


def test_the_balances_meet_once_adjusted(reconcile):
    """余额调节表, to be checked by hand:

    books   7,400.00 = 5,000 + 10,000 − 4,000 − 1,500 − 300 − 200 − 700 − 900
    bank    8,242.34
    interest only at the bank +12.34; BF06 only in the books −900.00; BF05 700.00 against 770.00
    """
    account = only(reconcile("bank"))
    assert account["account"] == ACCOUNT
    assert (account["ours_fen"], account["theirs_fen"]) == (740_000, 824_234)
    assert account["matches"] == {"amount": 1, "ref": 1, "party": 1, "day_sum": 1}
    outstanding = {(one["side"], one["ref"]): one["fen"] for one in account["outstanding"]}
    assert outstanding == {("theirs", "S06"): 1_234, ("ours", "BF06"): -90_000}
    (unequal,) = account["unequal"]
    assert (unequal["ours"]["fen"], unequal["theirs"]["fen"]) == (-70_000, -77_000)
    assert (account["adjusted_ours_fen"], account["adjusted_theirs_fen"]) == (741_234, 734_234)
    assert account["difference_fen"] == account["unequal_fen"] == 7_000
    assert (account["opening_fen"], account["result"]) == (0, "apart")


def test_an_open_item_has_an_age_and_an_owner(reconcile):
    (older, newer) = sorted(only(reconcile("bank"))["outstanding"], key=lambda one: one["side"])
    assert (older["owner"], older["date"]) == (CLERK, "2024-01-31")
    assert older["days"] >= 152  # the terminal's own day
    assert (newer["owner"], newer["text"]) == (CLERK, "结息")
    assert newer["line"] == 7


def test_what_was_open_is_matched_in_the_next_month_and_stays_matched(books, state, reconcile):
    assert reconcile("bank", "2024-01", "--record", user=CLERK)["recorded"]["repeated"] is False
    state(*FEBRUARY)
    books.bring_flows([flow("LX1", "2024-02-05", "interest", "12.34", money_account="支出户")])
    february = only(reconcile("bank", "2024-02"))
    assert february["matches"] == {"amount": 1, "ref": 1, "party": 2, "day_sum": 1}
    open_items = [(one["side"], one["fen"]) for one in february["outstanding"]]
    assert open_items == [("theirs", 1_234), ("ours", 1_234)], "five days apart: too far"
    assert february["difference_fen"] == 7_000
    assert only(reconcile("bank", "2024-01"))["ours_fen"] == 740_000, "January is as it was"


def test_days_apart_is_a_dated_policy(books, setup_again, reconcile):
    policy = {"name": "reconciliation", "effective": "2024-02-01", "content": {"days_apart": 5}}
    setup_again(policies=[policy])
    books.bring_flows([flow("LX1", "2024-02-05", "interest", "12.34", money_account="支出户")])
    assert [one["ref"] for one in only(reconcile("bank", "2024-02"))["outstanding"]] == ["BF06"]


def test_recording_twice_adds_nothing_and_a_payment_is_matched_once(books, reconcile):
    reconcile("bank", "2024-01", "--record", user=CLERK)
    position = books.position
    assert reconcile("bank", "2024-01", "--record", user=CLERK)["recorded"]["repeated"] is True
    assert books.position == position
    history = books.ledger.history(reconciliation_stream(AREA, "bank", "2024-01"))
    assert [type(one.fact) for _, one in history] == [BalancesReconciled]
    found = month_of_money(books.ledger, books.area, "bank", Period(2024, 1))
    used = [pair for pair in found.accounts[0].pairings if pair.match is not None]
    assert len(used) == 4
    stream = match_stream(AREA, "bank", "expenditure", "ours", used[0].ours[0].item)
    ((_, recorded),) = books.ledger.history(stream)
    assert isinstance(recorded.fact, MatchRecorded)
    with pytest.raises(StreamConflict):  # the store itself keeps it one to one
        books.ledger.append([Envelope(stream, 1, recorded.fact)], Commit(key="x", input_hash="y"))
    books.assert_sound()


def test_of_two_who_record_at_once_the_second_is_told(books):
    found = month_of_money(books.ledger, books.area, "bank", Period(2024, 1))
    record_money(books.ledger, books.area, found, user=CLERK)
    with pytest.raises(PaymentMatched):
        record_money(books.ledger, books.area, found, user="clerk2")


def test_a_second_person_signs_and_a_difference_needs_a_reason(books, reconcile, medfund):
    sign = ("reconcile", "sign", "2024-01", "--counterparty", "bank", "--json")
    assert medfund(*sign, user=REVIEWER).json["error"]["code"] == "reconciliation_not_recorded"
    reconcile("bank", "2024-01", "--record", user="clerk2")
    assert medfund(*sign, user=CLERK).json["error"]["code"] == "role_missing"
    assert medfund(*sign, user="clerk2").json["error"]["code"] == "own_reconciliation"
    apart = medfund(*sign, user=REVIEWER)
    assert (apart.code, apart.json["error"]["code"]) == (3, "reconciliation_apart")
    signed = medfund(*sign, "--reason", "BF05 由银行更正", user=REVIEWER)
    assert signed.json["signed_by"] == REVIEWER
    assert medfund(*sign, user=REVIEWER).json["repeated"] is True
    assert reconcile("bank")["signature"]["signed_by"] == REVIEWER


def test_a_reversed_document_cancels_itself(books, reconcile):
    books.reverse("BF06")
    account = only(reconcile("bank"))
    assert account["matches"]["reversed"] == 1
    assert [one["ref"] for one in account["outstanding"]] == ["S06"]


def test_a_missing_statement_shows_as_a_gap(books, state, reconcile):
    state(line("2024-03-05", "-1.00", "6000.00", "S09"))
    account = only(reconcile("bank", "2024-03"))
    (gap,) = account["gaps"]
    assert (gap["expected_fen"], gap["stated_fen"]) == (824_134, 600_000)


def test_the_fiscal_bureau_and_the_tax_office(books, state, reconcile):
    books.bring_flows(
        [
            flow("JF1", "2024-01-10", "contribution.individual", "380.00"),
            flow("JF2", "2024-01-11", "contribution.employer", "800.00", fund="310.pooled"),
            flow("JF3", "2024-01-11", "contribution.employer", "400.00", fund="310.personal"),
            flow("BT1", "2024-01-15", "subsidy.county", "999.00"),
        ]
    )
    state(
        line("2024-01-04", "-10000.00", "80000.00", "F1", account=FISCAL),
        line("2024-01-16", "999.00", "80999.00", "F2", account=FISCAL),
    )
    assert reconcile("fiscal")["summary"]["even"] == 1
    state(
        {"date": "2024-01-10", "amount": "380.00", "bank_ref": "T1", "fund": "390"},
        {"date": "2024-01-11", "amount": "1200.00", "bank_ref": "T2", "fund": "310"},
        source="tax",
    )
    tax = only(reconcile("tax"))
    assert (tax["basis"], tax["ours_fen"], tax["theirs_fen"]) == ("turnover", 158_000, 158_000)
    assert (tax["matches"], tax["result"]) == ({"amount": 1, "day_sum": 1}, "even")
    one = only(reconcile("tax", "2024-01", "--fund", "310"))
    assert (one["ours_fen"], one["theirs_fen"]) == (120_000, 120_000)


def test_the_treasury_without_a_statement(books, reconcile):
    books.bring_flows([flow("JF1", "2024-01-10", "contribution.individual", "380.00")])
    account = only(reconcile("treasury"))
    assert (account["account"], account["result"]) == ("treasury", "no_statement")
    assert (account["ours_fen"], account["theirs_fen"]) == (38_000, None)
    assert account["difference_fen"] is None


def test_the_result_as_a_file(books, reconcile, tmp_path):
    reconcile("bank", "2024-01", "--result", tmp_path / "x.xlsx")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["1 余额调节表", "2 未达账项", "3 金额不符"]
    cells = [cell.value for row in book["1 余额调节表"].iter_rows() for cell in row]
    assert 7412.34 in cells
    reconcile("bank", "2024-01", "--result", tmp_path / "x.csv")
    text = (tmp_path / "x.csv").read_text(encoding="utf-8-sig")
    assert any("BF06" in row for row in csv.reader(text.splitlines()))


def test_only_what_holds_a_funds_money(reconcile):
    assert reconcile("bank", "2024-01", "--fund", "610")["accounts"] == []
    assert len(reconcile("bank", "2024-01", "--fund", "390")["accounts"]) == 1


def test_a_setup_without_accounts_needs_none(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("390")
        office.bring_flows(FLOWS)
        path = office.write_file("bank.csv", JANUARY)
        assert office.bring(path).state == "posted"
        account = only(medfund("reconcile", "bank", "2024-01", "--json").json)
        assert (account["ours_fen"], account["theirs_fen"]) == (740_000, 824_234)
        assert account["registered"] is False
        assert "没有在设置中登记" in medfund("reconcile", "bank", "2024-01").out
