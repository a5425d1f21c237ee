"""What the sample area's funds receive: contributions, subsidies, interest, and the smaller kinds."""

from datetime import date
from random import Random

from ledger.domain.fund import ASSISTANCE, PERSONAL, POOLED, RESIDENT
from ledger.domain.money import allocate
from ledger.domain.period import Period
from medfund.demo.plan import ASSISTED_PERSONS, ASSISTED_PREMIUM, Expenditure
from medfund.demo.sheet import Flow, FlowSheet

_ASSISTED_MONTHS = (1, 2, 4, 6, 9)
#: Percent of a year's individual premiums by month: collected from September (集中缴费期).
_COLLECTION = {9: 3, 10: 9, 11: 46, 12: 38, 1: 3, 2: 1}
_SUBSIDIES = (
    ("subsidy.central", (4, 9), 7),
    ("subsidy.province", (3, 8), 13),
    ("subsidy.city", (6,), 8),
    ("subsidy.county", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 4),
)


class Income:
    """Adds a month's income of each fund to the sheet."""

    def __init__(self, sheet: FlowSheet, rng: Random, plan: Expenditure) -> None:
        self._sheet, self._rng, self._plan = sheet, rng, plan
        weights = {month: rng.randrange(80, 121) for month in _ASSISTED_MONTHS}
        self._assisted = allocate(ASSISTED_PERSONS, weights)

    def add(self, month: Period) -> None:
        """Add what all funds receive in a month."""
        self._employee(month)
        self._resident(month)
        self._smaller_funds(month)
        if month.month % 3 == 0:
            self._interest(month)
        if month.year == 2023 and month.month in self._assisted:
            persons = self._assisted[month.month]
            self._add(
                month,
                18,
                ASSISTANCE,
                "assisted_participation",
                persons * ASSISTED_PREMIUM,
                counterparty_fund=RESIDENT,
                counterparty="城乡居民基本医疗保险基金",
                note=f"资助参保{persons}人×585.00元",
            )

    def _employee(self, month: Period) -> None:
        pooled, personal = self._plan.level(POOLED, month), self._plan.level(PERSONAL, month)
        credit = pooled * self._rng.randrange(78, 84) // 1000
        employer = pooled * self._rng.randrange(1120, 1190) // 1000 + credit
        self._receipts(month, POOLED, "contribution.employer", employer)
        individual = personal * self._rng.randrange(1020, 1070) // 1000 - credit
        self._receipts(month, PERSONAL, "contribution.individual", individual)
        self._add(
            month,
            25,
            POOLED,
            "personal_credit",
            credit,
            counterparty_fund=PERSONAL,
            note="退休人员个人账户划入",
        )
        late = self._small(8_000, 60_000)
        self._add(month, 20, POOLED, "contribution.late_fee", late, money_account="treasury")
        self._add(
            month,
            24,
            POOLED,
            "contribution.refund",
            self._small(5_000, 50_000),
            money_account="treasury",
            channel="manual",
            note="多缴退费",
        )
        self._add(month, 16, PERSONAL, "transfer_in", self._small(300_000, 600_000))
        if month.month == 6:
            subsidy = pooled // 12
            self._add(month, 28, POOLED, "superior_subsidy", subsidy, counterparty="市医疗保障局")
        if month.month in {5, 11}:
            fen = self._small(20_000, 90_000)
            self._add(month, 19, POOLED, "breach_damages", fen, note="违反服务协议违约金")

    def _receipts(self, month: Period, fund: str, item: str, fen: int) -> None:
        """Split a month's contributions over the treasury's notices, by class of person."""
        for person_class, percent in (("企业在职", 68), ("机关事业", 20), ("灵活就业", 12)):
            days = allocate(fen * percent // 100, {day: 90 + day for day in (8, 15, 22)})
            for day, share in days.items():
                self._add(
                    month,
                    day,
                    fund,
                    item,
                    share,
                    money_account="treasury",
                    channel="online" if person_class != "灵活就业" else "manual",
                    person_class=person_class,
                )

    def _resident(self, month: Period) -> None:
        year = 12 * self._plan.level(RESIDENT, month)
        share = _COLLECTION.get(month.month)
        if share:
            insured_year = month.year + 1 if month.month >= 9 else month.year
            premiums = year * 37 * share // 10_000
            by_channel = allocate(premiums, {"online": 70, "manual": 28, "budget": 2})
            for day, channel in ((12, "online"), (23, "manual"), (24, "budget")):
                budget = channel == "budget"
                self._add(
                    month,
                    day,
                    RESIDENT,
                    "contribution.fiscal" if budget else "contribution.individual",
                    by_channel[channel],
                    belongs_to=f"{insured_year}-01",
                    money_account="treasury",
                    channel="" if budget else channel,
                    note=f"{insured_year}年度城乡居民参保缴费",
                )
        if month.month == 10:
            self._add(
                month,
                20,
                RESIDENT,
                "contribution.collective",
                self._small(300_000, 700_000),
                belongs_to=f"{month.year + 1}-01",
                money_account="treasury",
            )
        payers = ("中央财政", "省财政厅", "市财政局", "区财政局")
        for (item, months, percent), payer in zip(_SUBSIDIES, payers, strict=True):
            if month.month in months:
                fen = year * 63 * percent // 10_000
                self._add(month, 14, RESIDENT, item, fen * 104 // 100, counterparty=payer)

    def _smaller_funds(self, month: Period) -> None:
        self._receipts(month, "330", "contribution.employer", self._around("330", month, 116))
        self._receipts(month, "320", "contribution.employer", self._around("320", month, 119))
        fen = self._around("392", month, 108)
        self._add(month, 15, "392", "contribution.individual", fen, money_account="treasury")
        if month.month in {3, 9}:
            self._add(month, 17, "392", "subsidy.county", self._small(1_500_000, 2_000_000))
        fen = self._around(ASSISTANCE, month, 76)
        self._add(month, 10, ASSISTANCE, "subsidy.county", fen)
        if month.month == 2:
            self._add(month, 11, ASSISTANCE, "subsidy.central", self._small(6_000_000, 6_600_000))
        if month.month == 5:
            self._add(month, 11, ASSISTANCE, "subsidy.province", self._small(5_000_000, 5_600_000))
        if month.month == 8:
            fen = self._small(900_000, 1_300_000)
            self._add(month, 11, ASSISTANCE, "other_income", fen, note="福利彩票公益金")

    def _interest(self, month: Period) -> None:
        for fund in (POOLED, PERSONAL, RESIDENT, "392", "330", "320", ASSISTANCE):
            year = 12 * self._plan.level(fund, month)
            fen = year * self._rng.randrange(60, 80) // 20_000
            self._add(month, 21, fund, "interest", fen, note="财政专户结息")
        for fund in (POOLED, RESIDENT):
            fen = self._small(3_000, 9_000)
            self._add(month, 21, fund, "interest", fen, money_account="expenditure")
            self._add(month, 23, fund, "move.expenditure_interest_to_fiscal", fen)

    def _around(self, fund: str, month: Period, percent: int) -> int:
        """Draw an amount around a share of what the fund spends in a month."""
        return (
            self._plan.level(fund, month)
            * self._rng.randrange(10 * percent, 10 * percent + 50)
            // 1000
        )

    def _small(self, low: int, high: int) -> int:
        """Draw an amount between two sums in yuan, in fen."""
        return self._rng.randrange(low * 100, high * 100)

    def _add(self, month: Period, day: int, fund: str, item: str, fen: int, **columns: str) -> None:
        when = date(month.year, month.month, day)
        self._sheet.add(Flow(day=when, fund=fund, item=item, fen=fen, **columns))
