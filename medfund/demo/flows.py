"""The sample area's fund flows of 25 months, solved so that the published indicators come out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

from ledger.domain.fund import ASSISTANCE, PERSONAL, POOLED, RESIDENT
from ledger.domain.period import Period
from medfund.demo.claims import Settled
from medfund.demo.income import Income
from medfund.demo.institutions import HOSPITALS
from medfund.demo.plan import FIRST, MONTHS, Expenditure
from medfund.demo.sheet import Flow, FlowSheet
from medfund.demo.spending import Spending

#: A prepayment the books open with (yuan): it comes back in December 2021.
_OPEN_PREPAYMENT = 5_000_000
_WITH_EXPENDITURE_ACCOUNT = (POOLED, PERSONAL, RESIDENT, "392", "330", "320")
#: What the expenditure account (支出户) opens with, and to what drawing plans are rounded up.
_FLOAT, _TEN_THOUSAND = 2_000_000_00, 10_000_00
_OPENED_BY_CHANCE = {
    PERSONAL: (600_000_000, 800_000_000),
    "392": (90_000_000, 120_000_000),
    "330": (50_000_000, 70_000_000),
    "320": (30_000_000, 45_000_000),
    ASSISTANCE: (4_000_000, 6_000_000),
}


def sample_flows(rng: Random, *, plan: Expenditure, settled: Settled) -> FlowSheet:
    """Draw all flows; the openings come last because the balances at the end are given."""
    sheet = FlowSheet()
    income, spending = Income(sheet, rng, plan), Spending(sheet, rng, plan, settled)
    for month in MONTHS:
        income.add(month)
        spending.add(month)
        _money_in_passing(sheet, rng, month)
        _moves(sheet, month)
    _openings(sheet, rng, plan)
    return sheet


def _money_in_passing(sheet: FlowSheet, rng: Random, month: Period) -> None:
    """Add what is neither income nor expense: deposits, prefunds, suspense (定期存款、暂付、暂收)."""
    when = (month.year, month.month)

    def add(day: int, fund: str, item: str, yuan: int, **columns: str) -> None:
        day_of_month = date(month.year, month.month, day)
        sheet.add(Flow(day=day_of_month, fund=fund, item=item, fen=yuan * 100, **columns))

    if when == (2022, 1):
        add(5, POOLED, "deposit_in", 500_000_000, method="deposit", note="一年期定期存款")
        add(6, POOLED, "remote_prefund_out", 8_000_000, counterparty="省医疗保障局")
    if when == (2023, 1):
        add(5, POOLED, "deposit_back", 500_000_000, method="deposit", note="定期存款到期")
        add(5, POOLED, "interest", 10_500_000, method="deposit", note="定期存款利息")
        add(6, POOLED, "remote_prefund_back", 8_000_000, counterparty="省医疗保障局")
        add(7, POOLED, "remote_prefund_out", 9_600_000, counterparty="省医疗保障局")
    if month.month % 3 == 1:
        yuan = rng.randrange(300_000, 900_000)
        paid = yuan if when != (2023, 10) else yuan // 2
        note = "省外参保人员在虞就医清算资金"
        add(9, POOLED, "remote_received", yuan, counterparty="省级异地清算", note=note)
        add(19, POOLED, "remote_paid_on", paid, counterparty="省级异地清算", note=note)
    if when == (2021, 12):
        prepaid = {"counterparty": HOSPITALS[0].code, "money_account": "expenditure"}
        add(9, POOLED, "prepayment_return", _OPEN_PREPAYMENT, **prepaid, note="收回上年预付金")
    _unclear_receipts(add, when)


def _unclear_receipts(add: Callable[..., None], when: tuple[int, int]) -> None:
    """Add receipts whose nature is found out later (暂收款、待转收入), each in its own way."""
    if when == (2022, 10):
        add(28, RESIDENT, "suspense_in", 36_540, note="来源不明款项")
    if when == (2022, 12):
        add(9, RESIDENT, "suspense_out", 36_540, note="误缴退回")
    if when == (2023, 5):
        add(16, RESIDENT, "suspense_in", 12_800, note="来源不明款项")
    if when == (2023, 6):
        add(14, RESIDENT, "suspense_settle", 12_800, account="income.other", note="查明为捐赠")
    if when == (2022, 11):
        add(16, POOLED, "contribution.pending", 425_000, money_account="treasury")
    if when == (2022, 12):
        pair = {"doc_no": "310T-202212-CFL1", "note": "待转保险费收入结清"}
        add(14, POOLED, "reclassification", -425_000, account="income.pending", **pair)
        employer = "income.contribution.employer"
        add(14, POOLED, "reclassification", 425_000, account=employer, **pair)


def _moves(sheet: FlowSheet, month: Period) -> None:
    """Empty the treasury at month-end; fund the month's payments at its beginning (用款计划)."""
    for fund in (*_WITH_EXPENDITURE_ACCOUNT, ASSISTANCE):
        arrived = sheet.left(fund, "treasury")
        day = date(month.year, month.month, 27)
        sheet.add(Flow(day, fund, "move.treasury_to_fiscal", arrived, note="国库划转财政专户"))
    for fund in _WITH_EXPENDITURE_ACCOUNT:
        missing = max(0, -sheet.left(fund, "expenditure"))
        plan = -(-missing // _TEN_THOUSAND) * _TEN_THOUSAND
        day = date(month.year, month.month, 4)
        sheet.add(Flow(day, fund, "move.fiscal_to_expenditure", plan, note="月度用款计划"))


def _openings(sheet: FlowSheet, rng: Random, plan: Expenditure) -> None:
    """Open the books on the day before the first month, two of them at the solved balance."""
    opened = {
        POOLED: plan.accumulated(POOLED) - sheet.net(POOLED),
        RESIDENT: plan.accumulated(RESIDENT) - sheet.net(RESIDENT),
    }
    for fund, (low, high) in _OPENED_BY_CHANCE.items():
        opened[fund] = rng.randrange(low, high) * 100
    day = FIRST.previous.last_day
    for fund, fen in sorted(opened.items()):
        prepaid = _OPEN_PREPAYMENT * 100 if fund == POOLED else 0
        kept = _FLOAT if fund in _WITH_EXPENDITURE_ACCOUNT else 0
        parts = (
            Flow(day, fund, "opening_balance", fen - kept - prepaid, money_account="fiscal"),
            Flow(day, fund, "opening_balance", kept, money_account="expenditure"),
            Flow(
                day,
                fund,
                "opening_balance",
                prepaid,
                account="advance.prepayment",
                counterparty=HOSPITALS[0].code,
            ),
        )
        for part in parts:
            sheet.add(replace(part, note="期初结余"))
