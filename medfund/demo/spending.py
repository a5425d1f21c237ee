"""What the sample area's funds spend: benefits by kind, transfers, recoveries, prepayments."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from ledger.domain.fund import ASSISTANCE, PERSONAL, POOLED, RESIDENT
from ledger.domain.money import allocate
from ledger.domain.period import Period
from medfund.demo.claims import Settled
from medfund.demo.institutions import HOSPITALS, PHARMACIES
from medfund.demo.plan import LAST, THIS_YEAR, Expenditure
from medfund.demo.sheet import Flow, FlowSheet

_TIERS = (("三级医疗机构汇总", 56), ("二级医疗机构汇总", 30), ("基层医疗机构汇总", 14))
_KINDS = {
    POOLED: {
        "benefit.inpatient": 520,
        "benefit.outpatient": 170,
        "benefit.chronic": 90,
        "benefit.special_drug": 40,
        "benefit.pharmacy": 40,
        "benefit.maternity_medical": 15,
        "benefit.maternity_allowance": 45,
        "benefit.manual": 15,
        "remote_clearing_paid": 65,
    },
    PERSONAL: {"benefit.personal_account": 960, "benefit.manual": 40},
    RESIDENT: {
        "benefit.inpatient": 620,
        "benefit.outpatient": 160,
        "benefit.chronic": 80,
        "benefit.special_drug": 30,
        "benefit.manual": 20,
        "remote_clearing_paid": 90,
    },
    "392": {"benefit.inpatient": 900, "benefit.special_drug": 100},
    "330": {"benefit.inpatient": 850, "benefit.outpatient": 150},
    "320": {"benefit.outpatient": 550, "benefit.inpatient": 450},
    ASSISTANCE: {"benefit.assistance": 930, "benefit.manual": 70},
}
_TIERED = {"benefit.inpatient", "benefit.outpatient", "benefit.chronic"}
_BY_CLR_TYPE = {"11": "benefit.outpatient", "21": "benefit.inpatient", "41": "benefit.pharmacy"}
#: From here institutions are paid one by one for the settlements of the month before.
_PAID_BY_INSTITUTION = (LAST.previous, LAST)
#: 通报: 追回 746.42 万元 in January to October 2023, 86.04 of it by self-check; fines 77.49 beside.
_SELF_CHECK, _INSPECTED, _BY_OFFSET, _FINED = 860_400_00, 6_533_800_00, 70_000_00, 774_900_00


@dataclass(frozen=True, slots=True)
class _Recovery:
    fund: str
    fen: int
    institution: str
    note: str
    earlier: bool = False
    by_offset: bool = False


class Spending:
    """Adds a month's expense of each fund to the sheet, to the planned 支出小计 exactly."""

    def __init__(self, sheet: FlowSheet, rng: Random, plan: Expenditure, settled: Settled) -> None:
        self._sheet, self._rng, self._plan = sheet, rng, plan
        self._settled = settled
        self._prepaid: Counter[str] = Counter()
        self._prepaid_by: dict[str, str] = {}
        self._recoveries = _draw_recoveries(rng)
        self._by_offset = _Recovery(
            POOLED, _BY_OFFSET, HOSPITALS[rng.randrange(8)].code, by_offset=True, note="稽核抵扣"
        )
        self._fines = _draw_fines(rng)

    def add(self, month: Period) -> None:
        """Add what all funds pay in a month."""
        self._prepayments(month)
        for fund, kinds in _KINDS.items():
            left = self._plan.by_month[fund][month]
            left += self._recovered_and_returned(month, fund)
            left -= self._others(month, fund)
            if month in _PAID_BY_INSTITUTION:
                left -= self._institutions(month, fund, left)
            self._summaries(month, fund, allocate(left, kinds))
        for fen, institution in self._fines.get(month, ()):
            self._add(
                month,
                26,
                POOLED,
                "fine_received",
                fen,
                counterparty=institution,
                note="行政处罚罚款，缴入国库，仅登记",
            )
        if month.month == 12:
            fen = self._plan.level(POOLED, month) // 4
            self._add(month, 27, POOLED, "remit_up", fen, note="上解市级调剂金")

    def _summaries(self, month: Period, fund: str, by_kind: dict[str, int]) -> None:
        """Pay by kind, in one sum for each tier of institutions."""
        for item, fen in by_kind.items():
            tiers = dict(_TIERS) if item in _TIERED else {_payee(fund, item): 1}
            for number, (payee, share) in enumerate(allocate(fen, tiers).items()):
                self._add(
                    month,
                    12 + 3 * number,
                    fund,
                    item,
                    share,
                    belongs_to=str(month.previous),
                    counterparty=payee,
                    money_account="fiscal" if item.startswith("remote") else "",
                    channel="manual" if item == "benefit.manual" else "online",
                )

    def _institutions(self, month: Period, fund: str, budget: int) -> int:
        """Pay what the settlements of the month before left owing, less 5 % kept as deposit."""
        owed = {
            (clr_type, institution): fen
            for (when, owing, clr_type, institution), fen in sorted(self._settled.items())
            if (when, owing) == (month.previous, fund) and fen > 0
        }
        total = sum(owed.values())
        if not total:
            return 0
        payable = min(total * 95 // 100, budget * 4 // 5)
        withheld = 0
        for (clr_type, institution), fen in allocate(payable, owed).items():
            item = _BY_CLR_TYPE[clr_type]
            if fund in {PERSONAL, ASSISTANCE}:
                item = "benefit.personal_account" if fund == PERSONAL else "benefit.assistance"
            offset = 0
            if fund == POOLED and clr_type == "21":
                offset = self._offset(month, institution, fen)
                recovered = self._recovered_by_offset(month, institution, fen // 4)
                offset, withheld = offset + recovered, withheld + recovered
            self._add(
                month,
                11,
                fund,
                item,
                fen - offset,
                belongs_to=str(month.previous),
                counterparty=institution,
                channel="online",
            )
        return payable - withheld

    def _recovered_by_offset(self, month: Period, institution: str, limit: int) -> int:
        """Take a recovery out of what an institution is owed (抵扣): posted gross, nil in expense."""
        one = self._by_offset
        if month != LAST or institution != one.institution:
            return 0
        fen = min(one.fen, limit)
        self._add(month, 11, POOLED, "recovery", fen, **_recovery_columns(one, LAST.year))
        self._add(
            month,
            22,
            POOLED,
            "recovery",
            one.fen - fen,
            **_recovery_columns(replace(one, by_offset=False, earlier=True), LAST.year),
        )
        return fen

    def _prepayments(self, month: Period) -> None:
        """Give prepayments (预付金) to the three largest hospitals; those of 2022 come back."""
        for hospital in HOSPITALS[:3]:
            code = hospital.code
            if month.month == 3:
                fen = self._rng.randrange(30, 70) * 100_000_00
                self._prepaid_by[code] = self._add(
                    month, 9, POOLED, "prepayment", fen, counterparty=code, note="医保基金预付金"
                )
                self._prepaid[code] += fen
            if (month.year, month.month) == (2022, 12):
                self._add(
                    month,
                    19,
                    POOLED,
                    "prepayment_return",
                    self._prepaid.pop(code),
                    counterparty=code,
                    money_account="expenditure",
                    original_doc=self._prepaid_by[code],
                )

    def _offset(self, month: Period, institution: str, payable: int) -> int:
        """Set part of a prepayment off against what is payable (预付冲抵)."""
        fen = min(payable // 4, self._prepaid[institution] // 2)
        self._prepaid[institution] -= fen
        self._add(
            month,
            11,
            POOLED,
            "prepayment_offset",
            fen,
            belongs_to=str(month.previous),
            counterparty=institution,
            original_doc=self._prepaid_by.get(institution, ""),
        )
        return fen

    def _recovered_and_returned(self, month: Period, fund: str) -> int:
        """Book recoveries and bounced payments; say by how much they lower the month's expense."""
        lowered = 0
        for one in self._recoveries.get(month, ()):
            if one.fund == fund:
                lowered += 0 if one.earlier else one.fen
                columns = _recovery_columns(one, month.year)
                self._add(month, 22, fund, "recovery", one.fen, **columns)
        if month.month % 4 == 2 and fund in {POOLED, RESIDENT}:
            fen = self._rng.randrange(3_000_00, 9_000_00)
            lowered += fen
            self._add(
                month,
                24,
                fund,
                "benefit_returned",
                fen,
                money_account="expenditure",
                note="零星报销账号有误退汇",
            )
        return lowered

    def _others(self, month: Period, fund: str) -> int:
        """Pay what is no benefit but inside the 支出小计; say how much."""
        paid: list[int] = []
        if fund == PERSONAL:
            paid.append(self._rng.randrange(200_000_00, 500_000_00))
            self._add(month, 17, fund, "transfer_out", paid[-1])
        if fund == RESIDENT and month.month in {1, 7}:
            paid.append(self._plan.level(RESIDENT, month) * 3 // 20)
            self._add(
                month, 13, fund, "catastrophic_premium", paid[-1], counterparty="承办保险公司"
            )
        if fund in {POOLED, RESIDENT} and (month.year, month.month) in {(2021, 11), (2022, 3)}:
            paid.append(self._rng.randrange(800_000_00, 1_500_000_00))
            self._add(month, 20, fund, "benefit.other", paid[-1], note="新冠疫苗及接种费用")
        if fund == POOLED and month.month == 12:
            paid.append(self._rng.randrange(1_000_00, 6_000_00))
            self._add(month, 27, fund, "other_expense", paid[-1])
        return sum(paid)

    def _add(self, month: Period, day: int, fund: str, item: str, fen: int, **columns: str) -> str:
        when = date(month.year, month.month, day)
        return self._sheet.add(Flow(day=when, fund=fund, item=item, fen=fen, **columns))


def _payee(fund: str, item: str) -> str:
    if item == "benefit.manual":
        return "零星报销汇总"
    if item.startswith("remote"):
        return "省级异地清算"
    if item == "benefit.maternity_allowance":
        return "用人单位汇总"
    return "定点零售药店汇总" if fund == PERSONAL or "pharmacy" in item else "定点医疗机构汇总"


def _recovery_columns(one: _Recovery, year: int) -> dict[str, str]:
    return {
        "counterparty": one.institution,
        "original_year": str(year - one.earlier),
        "method": "offset" if one.by_offset else "cash",
        "note": one.note,
    }


def _draw_recoveries(rng: Random) -> dict[Period, list[_Recovery]]:
    """Draw who paid back what: 2023 to the reported sums, 2022 by chance."""
    found: dict[Period, list[_Recovery]] = {}
    for year, total, count, note in (
        (2022, rng.randrange(1_500_000_00, 3_500_000_00), 9, "稽核追回"),
        (2023, _SELF_CHECK, 6, "自查自纠退回"),
        (2023, _INSPECTED, 12, "稽核检查追回"),
    ):
        shares = allocate(total, {number: rng.randrange(40, 161) for number in range(count)})
        for number, fen in shares.items():
            month = Period(year, rng.randrange(1, 11))
            earlier = month.month < 4 or number % 3 == 0
            fund = (POOLED, RESIDENT, POOLED, RESIDENT, PERSONAL)[number % 5]
            places = PHARMACIES if fund == PERSONAL else HOSPITALS
            institution = places[rng.randrange(len(places))].code
            found.setdefault(month, []).append(
                _Recovery(fund, fen, institution, note, earlier=earlier)
            )
    return found


def _draw_fines(rng: Random) -> dict[Period, list[tuple[int, str]]]:
    months = rng.sample(THIS_YEAR, 4)
    shares = allocate(_FINED, {month: rng.randrange(50, 151) for month in months})
    return {
        month: [(fen, HOSPITALS[rng.randrange(len(HOSPITALS))].code)]
        for month, fen in shares.items()
    }
