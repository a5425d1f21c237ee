"""What every item posts, as a table that a bookkeeper can check line by line.

Columns: item, fund, what the row says beside it, then debit and credit by the names of the chart.
``+`` begins a further posting of the same entry, with its fund if it is another one. Every amount
is 1,234.56 yuan.
"""

import pytest

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.entry import Posting
from ledger.domain.posting_rules import (
    ITEMS,
    Flow,
    RuleNotApplicable,
    claim_entry,
    entry_of,
    reclassification_entry,
    year_transfer_entry,
)

H1 = "H33060400001"
FEN = 123_456
ACCOUNT = {account.zh: account.key for account in CHART.values()}

TABLE = """
opening_balance | 390 | | 财政专户存款 | 一般基金结余
opening_balance | 390 | money_account=expenditure | 支出户存款 | 一般基金结余
opening_balance | 390 | account=net_assets | 财政专户存款 | 一般基金结余
opening_balance | 390 | account=term_deposit | 定期存款 | 一般基金结余
opening_balance | 390 | account=advance.prepayment, counterparty=H33060400001 | 暂付款—预付金@H33060400001 | 一般基金结余
opening_balance | 390 | account=payable.suspense, counterparty=某公司 | 一般基金结余 | 暂收款—其他@某公司
opening_balance | 390 | account=loan, counterparty=财政局 | 一般基金结余 | 借入款项@财政局
opening_adjustment | 390 | | 财政专户存款 | 一般基金结余
opening_adjustment | 390 | minus | 一般基金结余 | 财政专户存款
opening_adjustment | 390 | minus, account=payable.suspense | 暂收款—其他 | 一般基金结余

contribution.employer | 310.pooled | | 财政专户存款 | 社会保险费收入—单位缴费
contribution.employer | 310.pooled | tax_collects | 国库存款 | 社会保险费收入—单位缴费
contribution.employer | 310.pooled | tax_collects, money_account=income | 收入户存款 | 社会保险费收入—单位缴费
contribution.individual | 390 | tax_collects | 国库存款 | 社会保险费收入—个人缴费
contribution.collective | 390 | | 财政专户存款 | 社会保险费收入—集体扶持
contribution.assisted | 390 | | 财政专户存款 | 社会保险费收入—资助参保
contribution.fiscal | 390 | | 财政专户存款 | 社会保险费收入—财政代缴
contribution.pending | 310.pooled | tax_collects | 国库存款 | 待转保险费收入
contribution.late_fee | 310.pooled | tax_collects | 国库存款 | 其他收入—滞纳金
contribution.refund | 390 | | 社会保险费收入—退费 | 财政专户存款
contribution.refund | 390 | tax_collects | 社会保险费收入—退费 | 国库存款
subsidy.central | 390 | tax_collects | 财政专户存款 | 财政补贴收入—中央
subsidy.province | 390 | | 财政专户存款 | 财政补贴收入—省级
subsidy.city | 390 | | 财政专户存款 | 财政补贴收入—市级
subsidy.county | 390 | | 财政专户存款 | 财政补贴收入—县级
interest | 310.pooled | | 财政专户存款 | 利息收入
interest | 310.pooled | money_account=expenditure | 支出户存款 | 利息收入
transfer_in | 310.personal | | 财政专户存款 | 转移收入
transfer_out | 310.personal | | 转移支出 | 支出户存款
superior_subsidy | 390 | | 财政专户存款 | 上级补助收入
remit_up | 390 | | 上解上级支出 | 支出户存款
inferior_remit | 390 | | 财政专户存款 | 下级上解收入
subsidy_down | 390 | | 补助下级支出 | 支出户存款
other_income | 390 | | 财政专户存款 | 其他收入
breach_damages | 390 | counterparty=H33060400001 | 财政专户存款 | 其他收入—违约金
other_expense | 390 | | 其他支出 | 支出户存款
personal_credit | 310.pooled | | 社会保险费收入—划入个人账户 | 财政专户存款 + 310.personal 财政专户存款 | 社会保险费收入—划入个人账户

benefit.inpatient | 310.pooled | | 社会保险待遇支出—住院 | 支出户存款
benefit.inpatient | 610 | | 社会保险待遇支出—住院 | 财政专户存款
benefit.inpatient | 310.pooled | counterparty=H33060400001 | 社会保险待遇支出—住院 | 支出户存款 + 应付定点机构—已记账@H33060400001 | 已拨付医疗费用@H33060400001
benefit.inpatient | 310.pooled | counterparty=某参保人 | 社会保险待遇支出—住院 | 支出户存款
benefit.inpatient | 310.pooled | money_account=fiscal | 社会保险待遇支出—住院 | 财政专户存款
benefit.outpatient | 390 | | 社会保险待遇支出—门诊统筹 | 支出户存款
benefit.chronic | 390 | | 社会保险待遇支出—门诊慢特病 | 支出户存款
benefit.pharmacy | 310.personal | | 社会保险待遇支出—药店购药 | 支出户存款
benefit.special_drug | 310.pooled | | 社会保险待遇支出—特药 | 支出户存款
benefit.maternity_medical | 310.pooled | | 社会保险待遇支出—生育医疗 | 支出户存款
benefit.maternity_allowance | 310.pooled | | 社会保险待遇支出—生育津贴 | 支出户存款
benefit.personal_account | 310.personal | | 社会保险待遇支出—个人账户支出 | 支出户存款
benefit.assistance | 610 | | 社会保险待遇支出—医疗救助 | 财政专户存款
benefit.manual | 390 | | 社会保险待遇支出—手工报销 | 支出户存款
benefit.other | 390 | | 社会保险待遇支出—其他待遇 | 支出户存款
benefit_returned | 390 | | 支出户存款 | 社会保险待遇支出—退汇
benefit_returned | 610 | | 财政专户存款 | 社会保险待遇支出—退汇
benefit_returned | 390 | counterparty=H33060400001 | 支出户存款 | 社会保险待遇支出—退汇 + 已拨付医疗费用@H33060400001 | 应付定点机构—已记账@H33060400001
assisted_participation | 610 | counterparty_fund=390 | 资助参保支出 | 财政专户存款 + 390 财政专户存款 | 社会保险费收入—资助参保

catastrophic_premium | 390 | | 大病保险支出 | 支出户存款
catastrophic_loss_support | 390 | | 大病保险支出 | 支出户存款
catastrophic_advance | 390 | counterparty=某保险公司 | 暂付款—大病保险垫付@某保险公司 | 支出户存款
catastrophic_reimbursed | 390 | counterparty=某保险公司 | 支出户存款 | 暂付款—大病保险垫付@某保险公司
catastrophic_surplus_return | 390 | | 财政专户存款 | 其他收入—大病保险盈余返还

prepayment | 310.pooled | counterparty=H33060400001 | 暂付款—预付金@H33060400001 | 支出户存款
prepayment_offset | 310.pooled | counterparty=H33060400001 | 社会保险待遇支出—预付金冲抵@H33060400001 | 暂付款—预付金@H33060400001 + 应付定点机构—已记账@H33060400001 | 已拨付医疗费用@H33060400001
prepayment_return | 310.pooled | counterparty=H33060400001 | 支出户存款 | 暂付款—预付金@H33060400001
advance_out | 390 | counterparty=某公司 | 暂付款—其他@某公司 | 支出户存款
advance_back | 390 | counterparty=某公司 | 支出户存款 | 暂付款—其他@某公司
suspense_in | 390 | counterparty=某公司 | 财政专户存款 | 暂收款—其他@某公司
suspense_out | 390 | counterparty=某公司 | 暂收款—其他@某公司 | 财政专户存款
suspense_settle | 390 | counterparty=某公司 | 暂收款—其他@某公司 | 其他收入@某公司
suspense_settle | 390 | account=income.contribution.individual | 暂收款—其他 | 社会保险费收入—个人缴费
loan_in | 390 | counterparty=财政局 | 财政专户存款 | 借入款项@财政局
loan_back | 390 | counterparty=财政局 | 借入款项@财政局 | 财政专户存款
deposit_in | 390 | | 定期存款 | 财政专户存款
deposit_back | 390 | | 财政专户存款 | 定期存款
remote_prefund_out | 310.pooled | counterparty=省中心 | 暂付款—异地预付金@省中心 | 财政专户存款
remote_prefund_back | 310.pooled | counterparty=省中心 | 财政专户存款 | 暂付款—异地预付金@省中心
remote_clearing_paid | 310.pooled | counterparty=省中心 | 社会保险待遇支出—异地就医清算 | 财政专户存款
remote_clearing_paid | 310.pooled | counterparty=310104 | 社会保险待遇支出—异地就医清算 | 财政专户存款
remote_clearing_paid | 310.pooled | counterparty=310104, original_doc=QF-1 | 社会保险待遇支出—异地就医清算 | 财政专户存款 + 应付异地清算@310104 | 已拨付医疗费用@310104
remote_received | 310.pooled | counterparty=省中心 | 财政专户存款 | 暂收款—异地就医@省中心
remote_paid_on | 310.pooled | counterparty=H33060400001 | 暂收款—异地就医@H33060400001 | 财政专户存款
remote_paid_on | 310.pooled | counterparty=H33060400001, original_doc=QF-1 | 暂收款—异地就医@H33060400001 | 财政专户存款 + 应付定点机构—异地代付@H33060400001 | 已转付异地参保人医疗费用@H33060400001
remote_paid_on | 310.pooled | counterparty=市中心 | 暂收款—异地就医@市中心 | 财政专户存款

recovery | 310.pooled | original_year=2023 | 财政专户存款 | 社会保险待遇支出—本年追回
recovery | 310.pooled | original_year=2022 | 财政专户存款 | 其他收入—跨年度追回
recovery | 310.pooled | original_year=2023, method=instalment | 财政专户存款 | 社会保险待遇支出—本年追回
recovery | 310.pooled | original_year=2022, money_account=expenditure | 支出户存款 | 其他收入—跨年度追回
recovery | 310.pooled | original_year=2023, method=offset | 社会保险待遇支出—抵扣追回款的拨付 | 社会保险待遇支出—本年追回
recovery | 310.pooled | original_year=2022, method=offset, counterparty=H33060400001 | 社会保险待遇支出—抵扣追回款的拨付 | 其他收入—跨年度追回 + 应付定点机构—已记账@H33060400001 | 已拨付医疗费用@H33060400001
recovery | 310.pooled | original_year=2022, method=deposit, counterparty=H33060400001 | 社会保险待遇支出—抵扣追回款的拨付 | 其他收入—跨年度追回 + 应付定点机构—已记账@H33060400001 | 已拨付医疗费用@H33060400001
recovery | 310.pooled | original_year=2022, method=cash, counterparty=H33060400001 | 财政专户存款 | 其他收入—跨年度追回
recovery | 310.pooled | original_year=2023, method=account | 财政专户存款 | 社会保险待遇支出—本年追回 + 310.personal 社会保险待遇支出—个人账户支出 | 财政专户存款
fine_received | 390 | | 不记账
fine_received | 390 | money_account=fiscal, counterparty=H33060400001 | 财政专户存款 | 暂收款—应缴国库@H33060400001
fine_remitted | 390 | | 不记账
fine_remitted | 390 | money_account=fiscal, counterparty=H33060400001 | 暂收款—应缴国库@H33060400001 | 财政专户存款

move.treasury_to_fiscal | 390 | | 财政专户存款 | 国库存款
move.income_to_fiscal | 390 | | 财政专户存款 | 收入户存款
move.fiscal_to_expenditure | 390 | | 支出户存款 | 财政专户存款
move.expenditure_to_fiscal | 390 | | 财政专户存款 | 支出户存款
move.expenditure_interest_to_fiscal | 390 | | 财政专户存款 | 支出户存款
move.treasury_refund | 390 | | 国库存款 | 财政专户存款
"""  # noqa: E501 (a table is read across)
ROWS = [line for line in TABLE.splitlines() if line]


def flow_of(item: str, fund: str, options: str) -> Flow:
    said: dict[str, object] = {}
    for option in filter(None, options.split(", ")):
        key, _, value = option.partition("=")
        said[key] = int(value) if key == "original_year" else value or True
    fen = -FEN if said.pop("minus", False) else FEN
    return Flow(item=item, fund=fund, fen=fen, year=2023, **said)


def postings_of(fund: str, text: str) -> set[Posting]:
    found = set()
    for part in text.split(" + ") if text != "不记账" else ():
        debit, credit = part.split(" | ")
        own, _, account = debit.rpartition(" ")
        debit, _, party = account.partition("@")
        credit = credit.partition("@")[0]
        found.add(Posting(own or fund, ACCOUNT[debit], ACCOUNT[credit], FEN, _party(part)))
        assert party in ("", _party(part))
    return found


def _party(part: str) -> str | None:
    named = {word.partition("@")[2].strip() for word in part.split(" | ") if "@" in word}
    return named.pop() if named else None


@pytest.mark.parametrize("row", ROWS)
def test_an_item_posts_what_the_table_says(row):
    item, fund, options, entry = (cell.strip() for cell in row.split(" |", maxsplit=3))
    assert set(entry_of(flow_of(item, fund, options))) == postings_of(fund, entry)


def test_every_item_stands_in_the_table():
    assert {row.split(" | ")[0] for row in ROWS} == ITEMS - {"reclassification"}


@pytest.mark.parametrize("row", ROWS)
def test_a_posting_stays_in_one_book_and_never_turns_negative(row):
    item, fund, options, _ = (cell.strip() for cell in row.split(" |", maxsplit=3))
    for posting in entry_of(flow_of(item, fund, options)):
        assert posting.fen == FEN
        assert CHART[posting.debit].book is CHART[posting.credit].book


@pytest.mark.parametrize("item", ["fine_received", "fine_remitted"])
@pytest.mark.parametrize("place", [None, "treasury", "fiscal", "income", "expenditure"])
def test_a_fine_is_nobodys_income_and_nobodys_expense(item, place):
    flow = Flow(item=item, fund="390", fen=FEN, year=2023, money_account=place)
    touched = {CHART[key].kind for one in entry_of(flow) for key in (one.debit, one.credit)}
    assert touched <= {AccountClass.MONEY, AccountClass.LIABILITY}


@pytest.mark.parametrize(
    ("item", "fund", "options", "reason"),
    [
        ("assisted_participation", "610", "", "须注明对方险种"),
        ("recovery", "390", "original_year=2023, method=account", "个账抵扣只用于 310.pooled"),
        ("opening_balance", "390", "account=no.such", "没有科目 no.such"),
        ("opening_balance", "390", "account=income.interest", "期初科目只能是资产"),
        ("opening_adjustment", "390", "account=expense.other", "期初科目只能是资产"),
        ("suspense_settle", "390", "account=payable.suspense", "不能结转到暂收款自身"),
    ],
)
def test_a_row_that_fits_no_rule_is_refused_with_its_reason(item, fund, options, reason):
    with pytest.raises(RuleNotApplicable) as refused:
        entry_of(flow_of(item, fund, options))
    assert reason in refused.value.message("zh")
    assert item in refused.value.message("en")


I1, I2 = "income.contribution.employer", "income.contribution.individual"
E1, E2, E3 = "expense.benefit.inpatient", "expense.benefit.outpatient", "expense.benefit.chronic"


@pytest.mark.parametrize(
    ("amounts", "entry"),
    [
        ({E1: -300, E2: 300}, {(E2, E1, 300)}),
        ({I1: -300, I2: 300}, {(I1, I2, 300)}),
        ({E1: -300, E2: 200, E3: 100}, {(E2, E1, 200), (E3, E1, 100)}),
        ({E1: 300, E2: -200, E3: -100}, {(E1, E2, 200), (E1, E3, 100)}),
        ({"advance.other": -50, "advance.prepayment": 50},
         {("advance.prepayment", "advance.other", 50)}),
        ({E1: 0, E2: 0}, set()),
    ],
)  # fmt: skip
def test_a_reclassification_raises_each_account_in_its_own_sense(amounts, entry):
    found = reclassification_entry("310.pooled", amounts)
    assert {(one.debit, one.credit, one.fen) for one in found} == entry
    for account, fen in amounts.items():
        sign = 1 if CHART[account].on_debit_side else -1
        moved = sum(one.fen * ((one.debit == account) - (one.credit == account)) for one in found)
        assert sign * moved == fen


def test_income_and_expense_do_not_mix_in_a_reclassification():
    with pytest.raises(RuleNotApplicable, match="debit-side and credit-side"):
        reclassification_entry("390", {E1: -100, I1: 100})


def test_a_reclassification_moves_no_money():
    with pytest.raises(RuleNotApplicable, match="moves no money"):
        reclassification_entry("390", {"fiscal": -100, "advance.other": 100})


@pytest.mark.parametrize(
    ("owed", "postings"),
    [
        ({"310.pooled": 8_112, "310.personal": 1_200}, 2),
        ({"310.pooled": -8_112}, 1),
        ({"310.pooled": 0}, 0),
        ({}, 0),
    ],
)
def test_a_settlement_is_owed_by_each_fund_and_a_refund_in_red(owed, postings):
    entry = claim_entry(owed, H1)
    assert len(entry) == postings
    for one in entry:
        expected = Posting(one.fund, "claims.incurred", "owed.booked", owed[one.fund], H1)
        assert one == expected


def test_the_year_end_moves_every_account_to_net_assets_whichever_side_it_stands_on():
    balances = {
        ("310.pooled", "income.interest"): -100,
        ("310.pooled", E1): 70,
        ("310.personal", "income.contribution.to_personal"): -30,
        ("310.pooled", "income.contribution.refund"): 5,
        ("310.pooled", "income.pending"): 0,
    }
    entry = year_transfer_entry(balances)
    assert {(one.fund, one.debit, one.credit, one.fen) for one in entry} == {
        ("310.pooled", "income.interest", "net_assets", 100),
        ("310.pooled", "net_assets", E1, 70),
        ("310.personal", "income.contribution.to_personal", "net_assets", 30),
        ("310.pooled", "net_assets", "income.contribution.refund", 5),
    }
