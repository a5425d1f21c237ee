"""The chart of accounts: stable keys, unique codes and names, one word for one account."""

from collections import Counter

import pytest

from ledger.domain.chart import (
    BENEFIT_KINDS,
    CHART,
    MONEY_ACCOUNTS,
    STAGES,
    AccountClass,
    account_name,
    account_words,
)
from ledger.domain.entry import Book


@pytest.mark.parametrize("column", ["key", "code", "zh", "en"])
def test_no_two_accounts_share_a_key_a_code_or_a_name(column):
    told = Counter(getattr(account, column) for account in CHART.values())
    assert [text for text, times in told.items() if times > 1 or not text.strip()] == []


@pytest.mark.parametrize(
    ("kind", "heads", "debit_side"),
    [
        ("money", {"收入户存款", "财政专户存款", "支出户存款", "国库存款", "定期存款"}, True),
        ("asset", {"暂付款"}, True),
        ("liability", {"暂收款", "借入款项"}, False),
        ("net_assets", {"一般基金结余"}, False),
        ("income", {"社会保险费收入", "财政补贴收入", "利息收入", "上级补助收入", "下级上解收入",
                    "转移收入", "其他收入", "待转保险费收入"}, False),
        ("expense", {"社会保险待遇支出", "资助参保支出", "大病保险支出", "上解上级支出",
                     "补助下级支出", "转移支出", "其他支出"}, True),
        ("owed", {"应付定点机构", "应付异地清算"}, False),
        ("incurred", {"已发生医疗费用", "已拨付医疗费用", "审核拒付医疗费用", "抵扣追回款", "冲抵预付金",
                      "年度清算差额", "不予返还质量保证金", "承保机构支付医疗费用", "手工报销医疗费用",
                      "代付异地参保人医疗费用", "已转付异地参保人医疗费用"}, True),
    ],
)  # fmt: skip
def test_the_elements_hold_the_accounts_of_the_standard(kind, heads, debit_side):
    accounts = [account for account in CHART.values() if account.kind == kind]
    assert {account.zh.partition("—")[0] for account in accounts} == heads
    assert {account.on_debit_side for account in accounts} == {debit_side}
    book = Book.OBLIGATIONS if kind in {"owed", "incurred"} else Book.CASH
    assert {account.book for account in accounts} == {book}


def test_only_what_passes_between_levels_stands_outside_the_subtotal():
    outside = {account.zh for account in CHART.values() if not account.in_subtotal}
    assert outside == {"上级补助收入", "下级上解收入", "上解上级支出", "补助下级支出"}


def test_every_kind_of_benefit_and_every_money_account_has_its_account():
    assert {f"expense.benefit.{kind}" for kind in BENEFIT_KINDS} <= set(CHART)
    assert {CHART[key].kind for key in MONEY_ACCOUNTS} == {AccountClass.MONEY}


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("net_assets", "net_assets"),
        ("一般基金结余", "net_assets"),
        ("3001", "net_assets"),
        ("暂付款—预付金", "advance.prepayment"),
        ("暂付款", "advance.other"),
        ("应缴国库", "payable.fine"),
        ("财政专户", "fiscal"),
    ],
)
def test_a_file_may_use_key_name_code_or_a_usual_word(word, key):
    assert account_words()[word] == key


def test_an_area_s_own_code_stands_over_the_default_one():
    words = account_words({"fiscal": "1004", "treasury": "1003", "owed.booked": "9"})
    assert words["1004"] == "fiscal"
    assert words["1003"] == "treasury"
    assert words["财政专户存款"] == "fiscal"
    assert words["expenditure"] == words["支出户存款"] == "expenditure"
    assert {"1005", "9"}.isdisjoint(words)


def test_a_word_of_a_file_never_means_an_account_of_the_obligations_book():
    assert {CHART[key].book for key in account_words().values()} == {Book.CASH}


def test_an_account_is_named_for_its_reader():
    assert account_name("income.other.recovery") == "其他收入—跨年度追回"
    assert account_name("income.other.recovery", "en") == "Recoveries of earlier years"


def test_the_stages_of_what_is_owed_stand_in_their_order():
    told = [(key, CHART[key].code, CHART[key].zh.partition("—")[2]) for key in STAGES]
    assert told == [
        ("owed.booked", "8101", "已记账"),
        ("owed.declared", "8102", "已申报"),
        ("owed.approved", "8103", "已审定"),
        ("owed.deposit", "8104", "质量保证金"),
        ("owed.ordered", "8105", "已下付款单"),
    ]
