"""One row of a fund_flows file: what it becomes, and everything that can be wrong with it."""

import datetime as dt

import pytest

from ledger.domain.fund import FUNDS, LEAF_NAMES
from ledger.domain.period import Period
from ledger.domain.posting_rules import ITEMS
from settlement.intake import vocabulary
from settlement.intake.fund_flow_rows import (
    FundFlowRow,
    check_fund_flow,
    check_reclassifications,
)
from settlement.intake.vocabulary import by_word


@pytest.fixture
def check(flow_row, context):
    """Check a right row with some cells changed."""
    return lambda **changes: check_fund_flow(flow_row(**changes), line=7, context=context)


@pytest.fixture
def codes(check):
    """List what is wrong with a row as (field, code)."""

    def listed(**changes):
        found = check(**changes)
        return [] if isinstance(found, FundFlowRow) else [(f.field, f.code) for f in found]

    return listed


def test_a_right_row_is_typed(check):
    assert check() == FundFlowRow(
        line=7,
        doc_no="SJ0001",
        date=dt.date(2023, 1, 5),
        area="330604",
        fund="390",
        item="contribution.individual",
        amount_fen=123456,
        belongs_to=Period(2023, 1),
    )


def test_every_column_is_read(check):
    row = check(
        fund="职工基本医疗保险统筹基金",
        item="追回",
        belongs_to="2022-12",
        counterparty=" ｈ33060400001 ",
        counterparty_fund="医疗救助",
        money_account="财政专户",
        original_doc="FK0009",
        original_year="2022",
        method="抵扣",
        account="暂付款",
        channel="线上",
        person_class="在职",
        note=12.0,
    )
    assert row == FundFlowRow(
        line=7,
        doc_no="SJ0001",
        date=dt.date(2023, 1, 5),
        area="330604",
        fund="310.pooled",
        item="recovery",
        amount_fen=123456,
        belongs_to=Period(2022, 12),
        counterparty="H33060400001",
        counterparty_fund="610",
        money_account="fiscal",
        original_doc="FK0009",
        original_year=2022,
        method="offset",
        account="advance.other",
        channel="online",
        person_class="在职",
        note="12",
    )


def test_the_vocabulary_has_every_item_and_fund_of_the_books():
    assert set(vocabulary.ITEM_WORDS) == ITEMS
    assert set(vocabulary.FUND_WORDS) == set(FUNDS) | set(LEAF_NAMES)
    for code, (zh, _) in LEAF_NAMES.items():
        assert by_word(vocabulary.FUND_WORDS)[zh] == code
    for fund in FUNDS.values():
        assert by_word(vocabulary.FUND_WORDS)[fund.zh] == fund.code


@pytest.mark.parametrize("item", sorted(ITEMS))
def test_every_item_reads_in_both_languages(item, check):
    fund = {
        "transfer_in": "310.personal",
        "transfer_out": "310.personal",
        "personal_credit": "310.pooled",
        "assisted_participation": "610",
    }.get(item, "390")
    extra = {
        "account": "income.interest" if item == "reclassification" else "",
        "original_year": "2023",
        "counterparty_fund": "390" if item == "assisted_participation" else "",
    }
    for word in (item, item.upper(), *vocabulary.ITEM_WORDS[item]):
        row = check(item=word, fund=fund, **extra)
        assert isinstance(row, FundFlowRow), row
        assert row.item == item


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"doc_no": ""}, [("doc_no", "required")]),
        ({"doc_no": 3.3e17}, [("doc_no", "numeric_identifier")]),
        ({"date": ""}, [("date", "required")]),
        ({"date": "2023-02-30"}, [("date", "impossible_date")]),
        ({"date": "2024-11-16"}, [("date", "date_in_future")]),
        ({"area": "330605"}, [("area", "other_area")]),
        ({"area": "3306"}, [("area", "malformed_area")]),
        ({"area": 330604.0}, []),
        ({"fund": "职保"}, [("fund", "unknown_fund")]),
        ({"fund": "310"}, [("fund", "sub_fund_needed")]),
        ({"fund": 310}, [("fund", "sub_fund_needed")]),
        ({"fund": "职工医保"}, [("fund", "sub_fund_needed")]),
        ({"fund": "410"}, [("fund", "fund_not_in_book")]),
        ({"fund": 390.0}, []),
        ({"item": "缴费"}, [("item", "unknown_item")]),
        ({"item": "contribution"}, [("item", "unknown_item")]),
        ({"amount": ""}, [("amount", "required")]),
        ({"amount": "0"}, [("amount", "zero_amount")]),
        ({"amount": "0.00"}, [("amount", "zero_amount")]),
        ({"amount": "-1"}, [("amount", "negative_amount")]),
        ({"amount": "1.234"}, [("amount", "too_many_decimals")]),
        ({"amount": "-1", "item": "opening_balance"}, [("amount", "negative_amount")]),
        ({"amount": "-1", "item": "opening_adjustment"}, []),
        ({"amount": "-1", "item": "reclassification", "account": "国库"}, []),
        ({"amount": "0", "item": "opening_adjustment"}, [("amount", "zero_amount")]),
        ({"item": "reclassification"}, [("account", "account_needed")]),
        ({"account": "不存在"}, [("account", "unknown_account")]),
        ({"item": "recovery"}, [("original_year", "original_year_needed")]),
        ({"item": "recovery", "original_year": "2023"}, []),
        (
            {"item": "recovery", "original_year": "2024"},
            [("original_year", "original_year_after_date")],
        ),
        ({"item": "recovery", "original_year": "去年"}, [("original_year", "not_an_integer")]),
        ({"item": "transfer_in"}, [("fund", "fund_does_not_fit_item")]),
        ({"item": "transfer_out", "fund": "310.pooled"}, [("fund", "fund_does_not_fit_item")]),
        ({"item": "transfer_in", "fund": "310"}, [("fund", "sub_fund_needed")]),
        ({"item": "personal_credit"}, [("fund", "fund_does_not_fit_item")]),
        (
            {"item": "assisted_participation", "fund": "610"},
            [("counterparty_fund", "counterparty_fund_needed")],
        ),
        (
            {"item": "assisted_participation", "fund": "610", "counterparty_fund": "610"},
            [("counterparty_fund", "counterparty_fund_same")],
        ),
        (
            {"item": "assisted_participation", "fund": "610", "counterparty_fund": "310"},
            [("counterparty_fund", "sub_fund_needed")],
        ),
        (
            {"item": "assisted_participation", "fund": "610", "counterparty_fund": "410"},
            [("counterparty_fund", "fund_not_in_book")],
        ),
        (
            {"item": "assisted_participation", "fund": "390", "counterparty_fund": "610"},
            [("fund", "fund_does_not_fit_item")],
        ),
        ({"item": "assisted_participation", "fund": "610", "counterparty_fund": "390"}, []),
        ({"item": "contribution.assisted"}, []),
        ({"item": "contribution.assisted", "counterparty_fund": "900"}, []),
        (
            {"item": "contribution.assisted", "counterparty_fund": "610"},
            [("counterparty_fund", "payer_fund_in_book")],
        ),
        (
            {"item": "contribution.assisted", "counterparty_fund": "310"},
            [("counterparty_fund", "payer_fund_in_book")],
        ),
        ({"item": "other_income", "counterparty_fund": "310"}, []),
        ({"counterparty_fund": "x"}, [("counterparty_fund", "unknown_fund")]),
        ({"money_account": "基本户"}, [("money_account", "unknown_code")]),
        ({"method": "刷卡"}, [("method", "unknown_code")]),
        ({"channel": "邮寄"}, [("channel", "unknown_code")]),
        ({"belongs_to": "2023-13"}, [("belongs_to", "not_a_month")]),
        ({"note": "#REF!"}, [("note", "formula_error")]),
        ({"note": "x" * 501}, [("note", "text_too_long")]),
        ({"counterparty": 6.222e18}, [("counterparty", "numeric_identifier")]),
    ],
)
def test_what_is_wrong_is_said(codes, changes, expected):
    assert codes(**changes) == expected


def test_everything_that_is_wrong_is_said_at_once(codes):
    found = codes(
        doc_no=12, date="2023-13-01", area="1", fund="x", item="y", amount="z", note="#N/A"
    )
    assert [field for field, _ in found] == [
        *("doc_no", "date", "area", "fund", "item", "amount", "note")
    ]
    found = codes(area="330605", fund="410", amount="-5", date="2030-01-01")
    assert found == [
        ("area", "other_area"),
        ("fund", "fund_not_in_book"),
        ("amount", "negative_amount"),
        ("date", "date_in_future"),
    ]


def test_personal_credit_is_written_on_any_code_of_310(check):
    for fund in ("310", "310.pooled", "310.personal", 310.0, "职工医保"):
        assert check(item="划入个人账户", fund=fund).fund == "310.pooled"


def test_personal_credit_needs_both_sub_funds(flow_row, context):
    only_pooled = {name: getattr(context, name) for name in context.__slots__}
    only_pooled["funds"] = frozenset({"310.pooled"})
    cells = flow_row(item="personal_credit", fund="310")
    (wrong,) = check_fund_flow(cells, line=2, context=type(context)(**only_pooled))
    assert (wrong.code, wrong.facts["fund"]) == ("fund_not_in_book", "310.personal")


def test_the_month_defaults_to_the_month_of_the_date(check):
    assert check(date="2023-10-31").belongs_to == Period(2023, 10)
    assert check(date="2023-10-31", belongs_to="2024-01").belongs_to == Period(2024, 1)


def test_a_year_ahead_is_the_last_date_that_makes_sense(check):
    assert isinstance(check(date="2024-11-15"), FundFlowRow)


def test_an_account_is_named_by_key_name_or_code(check, context):
    by_key = {key: word for word, key in context.accounts.items()}
    for word in ("advance.prepayment", "预付金", "暂付款—预付金", "110101", 110101.0):
        assert check(account=word).account == "advance.prepayment"
    assert by_key["advance.prepayment"]


def test_a_rejection_shows_the_cell(check):
    (wrong,) = check(fund=4100.0)
    assert (wrong.line, wrong.field, wrong.value) == (7, "fund", "4100")
    (wrong,) = check(note="#REF!")
    assert wrong.document("zh") == {
        "line": 7,
        "field": "note",
        "code": "formula_error",
        "value": "#REF!",
        "message": "「备注」是公式错误:#REF!。请在表格中更正公式或改填数值。",
    }


def reclassified(doc_no, amount, line, **changes):
    facts = {
        "line": line,
        "doc_no": doc_no,
        "date": dt.date(2023, 1, 5),
        "area": "330604",
        "fund": "390",
        "item": "reclassification",
        "amount_fen": amount,
        "belongs_to": Period(2023, 1),
        "account": f"account{line}",
    }
    return FundFlowRow(**{**facts, **changes})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("R1", 100, {}), ("R1", -100, {})], []),
        ([("R1", 100, {}), ("R1", -60, {}), ("R1", -40, {})], []),
        ([("R1", 100, {}), ("R2", -100, {})], ["reclassification_alone"] * 2),
        ([("R1", 100, {}), ("R1", -99, {})], ["reclassification_unbalanced"] * 2),
        ([("R1", 100, {}), ("R1", -100, {"fund": "610"})], ["reclassification_mixed"] * 2),
        (
            [("R1", 100, {}), ("R1", -100, {"date": dt.date(2023, 1, 6)})],
            ["reclassification_mixed"] * 2,
        ),
        ([("R1", 100, {"item": "interest"})], []),
    ],
)
def test_reclassifications_are_whole_or_rejected(rows, expected):
    made = [reclassified(doc, fen, line, **more) for line, (doc, fen, more) in enumerate(rows)]
    found = check_reclassifications(made)
    assert [wrong.code for wrong in found] == expected
    assert [wrong.line for wrong in found] == list(range(len(expected)))
