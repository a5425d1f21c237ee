"""Lines of a bank's statement: ways of writing an amount, balances that follow, persons left out.

Deliberate defects that these tests catch: the sign of money out lost; a break in the balance passed
over, or only the first one told; newest-first statements refused; equal lines counted once; a
person's name kept.
"""

import datetime as dt
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.banking import banks_of
from settlement.intake import bank_rows
from settlement.intake.bank_rows import check_payments
from settlement.intake.columns import KINDS
from settlement.intake.counterparties import summary_without_person, without_person
from settlement.intake.layouts import layouts_of
from settlement.intake.readers import open_table
from settlement.intake.rejections import FileRefused
from settlement.intake.row_reader import CheckContext
from settlement.setup_file import SetupFile

HEAD = ["date", "amount", "balance", "counterparty", "summary", "bank_ref", "account"]
ACCOUNT = "3300"


def line(day, amount, balance="", party="", summary="", ref="", account=ACCOUNT):  # noqa: PLR0917
    return [f"2023-10-{day:02}", amount, balance, party, summary, ref, account]


@pytest.fixture
def check(files, context):
    """Check rows as a file, with what the setup says of banks."""

    def checked(rows, head=HEAD, *, source=None, profile=None, **setup):
        banks = banks_of(setup)
        there = replace(context, banks=banks, source=source, parties={"第一人民医院": "H1"})
        path = files.csv([head, *rows])
        return check_payments(open_table(path, layouts=layouts_of(banks, profile)), there)

    return checked


def test_a_statement_is_recognised_by_its_head(files, flow_head):
    assert open_table(files.csv([HEAD])).kind.name == "bank_statement"
    zh = ["交易日期", "金额", "余额", "对方户名", "摘要", "流水号", "账号"]
    assert open_table(files.csv([zh])).kind.name == "bank_statement"
    assert open_table(files.csv([flow_head])).kind.name == "fund_flows"
    with pytest.raises(FileRefused) as refused:  # a fund_flows file that lacks a column stays one
        open_table(files.csv([[*flow_head[:-3], "amount", "account", "money_account", "note"]]))
    assert [one.facts["kind"] for one in refused.value.problems] == ["fund_flows"]


def test_money_in_and_out(check):
    checked = check(
        [
            line(9, "-1,500.00", "8500.00", "第一人民医院", "拨付9月", "P001"),
            line(10, "+200.00", "+8,700.00", "上虞区财政局", "用款", "P002"),
        ]
    )
    assert checked.rejections == []
    out, into = checked.rows
    assert (out.fen, out.balance_fen, out.ref) == (-150_000, 850_000, "P001")
    assert (out.institution, out.counterparty, out.period) == ("H1", "第一人民医院", "2023-10")
    assert (into.fen, into.institution) == (20_000, None)
    assert (into.place.source, into.place.account) == ("bank", ACCOUNT)


@pytest.mark.parametrize("newest_first", [False, True])
def test_every_break_of_the_running_balance_is_listed(check, newest_first):
    rows = [
        line(1, "100", "100.00"),
        line(2, "50", "150.00"),
        line(3, "-20", "131.00"),  # should be 130.00
        line(4, "10", "141.00"),
        line(5, "10", "150.00"),  # should be 151.00
        line(6, "1", "151.00"),
    ]
    checked = check(rows[::-1] if newest_first else rows)
    broken = {one.value: one.facts["expected_fen"] for one in checked.rejections}
    assert broken == {"131.00": 13_000, "150.00": 15_100}
    assert {one.code for one in checked.rejections} == {"balance_broken"}
    assert [row.date.day for row in checked.rows] == [1, 2, 4, 6], "in the order of time"


def test_balances_are_followed_account_by_account(check):
    rows = [
        line(1, "100", "100.00", account="1"),
        line(1, "7", "907.00", account="2"),
        line(2, "50", "150.00", account="1"),
        line(2, "-7", "900.00", account="2"),
    ]
    assert check(rows).rejections == []


def test_after_a_row_that_cannot_be_read_the_balance_starts_anew(check):
    rows = [
        line(1, "100", "100.00"),
        line(2, "?", "130.00"),
        line(3, "20", "150.00"),
        line(4, "1", "152.00"),
    ]
    found = [(one.line, one.code) for one in check(rows).rejections]
    assert found == [(3, "not_an_amount"), (5, "balance_broken")]


def test_equal_lines_are_several(check):
    rows = [line(1, "-5", summary="手续费"), line(1, "-5", summary="手续费"), line(2, "-5")]
    assert [row.nth for row in check(rows).rows] == [1, 2, 1]


def test_a_statement_without_balances_says_so(check):
    checked = check([line(1, "5")])
    assert [(one.code, one.stops) for one in checked.problems] == [("balance_unchecked", False)]


PROFILE = {
    "name": "gs",
    "heads": {
        "date": "记账日",
        "paid_in": "贷方发生额",
        "paid_out": "借方发生额",
        "bank_ref": "凭证",
    },
    "date_format": "DD/MM/YYYY",
    "account": ACCOUNT,
}
DIRECTED = {
    "name": "nh",
    "heads": {"amount": "发生额", "direction": "收付标志"},
    "in_words": ["来"],
    "out_words": ["往"],
}


@pytest.mark.parametrize(
    ("profile", "head", "rows", "fens"),
    [
        (
            PROFILE,
            ["记账日", "借方发生额", "贷方发生额", "余额", "凭证"],
            [["09/10/2023", "15.00", "", "85", "A"], ["10/10/2023", "", "5", "90", "B"]],
            [-1_500, 500],
        ),
        (
            DIRECTED,
            ["日期", "收付标志", "发生额", "流水号"],
            [["2023-10-09", "往", "15", "A"], ["2023-10-10", "来", "5", "B"]],
            [-1_500, 500],
        ),
        (
            {"name": "turned", "heads": {"amount": "付出"}, "sign": "out_positive"},
            ["日期", "付出", "流水号"],
            [["2023-10-09", "15", "A"], ["2023-10-09", "-5", "B"]],
            [-1_500, 500],
        ),
    ],
)
def test_a_bank_writes_in_its_own_layout(check, profile, head, rows, fens):
    setup = SetupFile.model_validate(
        {"area": {"code": "330604", "name": "x", "funds": ["390"]}, "bank_profiles": [profile]}
    )
    checked = check(rows, head, bank_profiles=[one.model_dump() for one in setup.bank_profiles])
    assert checked.rejections == []
    assert [row.fen for row in checked.rows] == fens
    assert checked.rows[0].date == dt.date(2023, 10, 9)


def test_both_ways_or_neither_is_refused(check):
    head = ["记账日", "借方发生额", "贷方发生额", "余额", "凭证"]
    rows = [["09/10/2023", "15", "15", "", ""], ["09/10/2023", "", "", "", ""]]
    rows.append(["2023-10-09", "1", "", "", ""])
    checked = check(rows, head, bank_profiles=[PROFILE])
    assert [(one.line, one.field, one.code) for one in checked.rejections] == [
        (2, "paid_in", "one_amount_needed"),
        (3, "paid_in", "one_amount_needed"),
        (4, "date", "not_a_date"),
    ]


def test_which_of_two_layouts_is_for_a_person_to_say(check):
    american = PROFILE | {"name": "us", "date_format": "MM/DD/YYYY"}
    head = ["记账日", "借方发生额", "贷方发生额", "凭证"]
    rows = [["09/10/2023", "15.00", "", "A"]]
    with pytest.raises(FileRefused) as refused:
        check(rows, head, bank_profiles=[PROFILE, american])
    assert [one.code for one in refused.value.problems] == ["several_layouts"]
    named = check(rows, head, bank_profiles=[PROFILE, american], profile="us")
    assert named.rows[0].date == dt.date(2023, 9, 10)
    with pytest.raises(FileRefused) as refused:
        check(rows, head, bank_profiles=[PROFILE], profile="nobody")
    assert [one.code for one in refused.value.problems] == ["unknown_layout"]


REGISTERED = [
    {"account": "3300", "money_account": "expenditure", "funds": ["310"]},
    {"account": "3301", "money_account": "fiscal"},
]


@pytest.mark.parametrize(
    ("accounts", "source", "account", "place"),
    [
        ([], None, "", ("bank", "expenditure")),
        ([], None, "6222 0001", ("bank", "62220001")),
        ([], None, "财政专户", ("fiscal", "fiscal")),
        ([], "treasury", "", ("treasury", "treasury")),
        ([], "tax", "", ("tax", "tax")),
        (REGISTERED, None, "33-01", ("fiscal", "3301")),
        (REGISTERED, "bank", "", ("bank", "3300")),
        (REGISTERED, None, "", ("bank", "3300")),
        (REGISTERED, "treasury", "", "bank_account_needed"),
        (REGISTERED, None, "9999", "unknown_bank_account"),
    ],
)
def test_whose_statement_a_row_is_of(check, accounts, source, account, place):
    checked = check([line(1, "5", account=account)], bank_accounts=accounts, source=source)
    if isinstance(place, str):
        assert [(one.field, one.code) for one in checked.rejections] == [("account", place)]
    else:
        (row,) = checked.rows
        assert (row.place.source, row.place.account) == place


def test_a_tax_offices_list_needs_no_account(check):
    head = ["日期", "金额", "险种", "电子税票号码", "来源"]
    rows = [["2023-10-09", "1200.00", "职工医保", "333066231000012345", "税务"]]
    (row,) = check(rows, head, bank_accounts=REGISTERED).rows
    assert (row.place.source, row.fund, row.ref) == ("tax", "310", "333066231000012345")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("张三", "张**"),
        ("欧阳小明", "欧**"),
        ("阿依古丽·买买提", "阿**"),
        ("第一人民医院", "第一人民医院"),
        ("财政局", "财政局"),
        ("支出户", "支出户"),
        ("国药店", "国药店"),
        ("6222021234567890123", "62***23"),
    ],
)
def test_a_person_is_shortened_and_an_office_is_not(name, kept):
    assert without_person(name) == kept


def test_a_summary_repeats_neither_name_nor_card():
    said = summary_without_person("报销 张三 330604199001011234 单JF20231009000123", "张三")
    assert said == "报销 张** 33***34 单JF20231009000123"
    assert summary_without_person("转账", None) == "转账"


@settings(max_examples=25)  # each is a file
@given(
    st.lists(st.integers(-500, 500).filter(bool), min_size=1, max_size=12),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_statement_that_adds_up_is_never_refused(amounts, opening, newest_first):
    """Any amounts with their true balances pass; one wrong balance in the middle is told."""
    balance, rows = opening, []
    for amount in amounts:
        balance += amount
        rows.append(f"2023-10-01,{amount},{balance},A")
    text = "\n".join(["date,amount,balance,bank_ref", *(rows[::-1] if newest_first else rows)])
    context = CheckContext(
        area="330604", today=dt.date(2023, 11, 1), funds=frozenset({"390"}), accounts={}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        path.write_text(text, encoding="utf-8")
        checked = check_payments(open_table(path), context)
    assert checked.rejections == []
    assert sum(row.fen for row in checked.rows) == 100 * sum(amounts)


def test_the_kind_is_the_contracts():
    assert [column.key for column in KINDS["bank_statement"]][: len(HEAD)] == HEAD


def test_a_file_that_is_wrong_as_a_whole_stops(check, monkeypatch):
    monkeypatch.setattr(bank_rows, "MOST_REJECTED_ROWS", 3)
    checked = check([line(1, "?")] * 5)
    assert [one.code for one in checked.problems] == ["too_many_rejected"]
    assert {one.line for one in checked.rejections} == {2, 3, 4}


def test_control_totals_and_titles(check, files, context):
    rows = [line(1, "5"), line(2, "-2"), ["合计", "3.00", "", "", "2", "", ""]]
    assert [one.code for one in check(rows).problems] == ["balance_unchecked"]
    rows[-1][1] = "4.00"
    assert "control_total_mismatch" in [one.code for one in check(rows).problems]
    head = ["记账日", "借方发生额", "贷方发生额", "凭证", "摘要"]
    apart = [["09/10/2023", "2", "", "A", ""], ["09/10/2023", "", "5", "B", ""]]
    both = check([*apart, ["合计", "2", "5", "", "2"]], head, bank_profiles=[PROFILE])
    assert [one.code for one in both.problems] == ["balance_unchecked"]
    titled = files.xlsx([["中国工商银行对账单"], [], HEAD, line(1, "5", "5.00")], name="t.xlsx")
    assert check_payments(open_table(titled), context).rows[0].fen == 500


@pytest.mark.parametrize("amount", ["+-5", "++5", "+", "-+5"])
def test_one_sign_is_enough(check, amount):
    assert [one.code for one in check([line(1, amount)]).rejections] == ["not_an_amount"]
