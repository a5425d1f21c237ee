"""Definitions of the indicators (指标口径) as dated data: what is divided by what, over which months.

Practice differs (domain paper §6.1): the same published "payable months" can mean four things. So
every figure carries its definition, and a definition is never edited: a new version with a later
``effective`` date follows it. ``docs/indicators.md`` shows this table to readers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

from ledger.domain.fund import EMPLOYEE, POOLED, RESIDENT


class Unit(StrEnum):
    """What a value counts."""

    PERCENT = "percent"
    MONTHS = "months"
    FEN = "fen"
    COUNT = "count"


class Method(StrEnum):
    """The arithmetic of an indicator; everything else about it is data."""

    GROWTH = "growth"  # 同比增长率: January..PERIOD against the same months of last year
    PAYABLE_MONTHS = "payable_months"  # 可支付月数: balance ÷ average monthly expense
    SURPLUS = "surplus"  # 本年收支结余
    ACCUMULATED = "accumulated"  # 累计结余
    SHARE_OF_INCOME = "share_of_income"  # 累计结余占当年筹集资金的比例
    MONTHS_WITH_FLOWS = "months_with_flows"  # 有收支的月份数
    CARE_MONTHS = "care_months"  # 本期支付涉及的费用所属月份数
    SETTLEMENT_RATE = "settlement_rate"  # 结付率


class Flow(StrEnum):
    """Which side of the statement is measured."""

    INCOME = "income"
    EXPENSE = "expense"


class Basis(StrEnum):
    """How much of a side counts (口径)."""

    SUBTOTAL = "subtotal"  # 小计: without 上解/补助
    TOTAL = "total"  # 合计: with 上解/补助
    BENEFIT = "benefit"  # 仅待遇支出
    BENEFIT_BY_CARE = "benefit_by_care"  # 仅待遇支出, by 费用所属期


class Window(StrEnum):
    """Which months make the monthly average."""

    TRAILING12 = "trailing12"  # the 12 calendar months ending with PERIOD
    YTD_AVERAGE = "ytd_average"  # January..PERIOD ÷ months elapsed
    PRIOR_YEAR = "prior_year"  # last calendar year ÷ 12


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator definition (指标口径). ``less`` names what the numerator leaves out."""

    name: str
    version: int
    effective: date
    unit: Unit
    method: Method
    zh: str
    en: str
    formula_zh: str
    formula_en: str
    headline: bool = False
    flow: Flow = Flow.EXPENSE
    basis: Basis = Basis.SUBTOTAL
    window: Window = Window.TRAILING12
    less: tuple[str, ...] = ()
    digits: int = 2
    only_funds: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name this version of the definition for ever, e.g. ``surplus_ytd@1``."""
        return f"{self.name}@{self.version}"

    def document(self) -> dict[str, Any]:
        """Give the definition as it stands beside every value."""
        shown: dict[str, Any] = {
            "id": self.id,
            "version": self.version,
            "effective": self.effective.isoformat(),
            "zh": f"{self.zh}：{self.formula_zh}",
            "en": f"{self.en}: {self.formula_en}",
            "headline": self.headline,
        }
        if self.method in (Method.GROWTH, Method.PAYABLE_MONTHS):
            shown["basis"] = self.basis.value
        if self.method is Method.PAYABLE_MONTHS:
            shown["denominator"] = self.window.value
            shown["adjusted"] = bool(self.less)
            shown["less"] = list(self.less)
        if self.unit in (Unit.PERCENT, Unit.MONTHS):
            shown["rounding"] = f"half_up:{self.digits}"
        return shown


_FIRST = date(
    2018, 1, 1
)  # 财会〔2017〕28号 takes effect; every definition below reads its accounts

#: What the auditor's variant takes off the balance: money that is owed or not this year's
#: (paying hospitals late raises the headline; the obligations book answers it).
ADJUSTMENTS = ("advances", "unpaid_obligations", "deposits_held", "next_year_premiums")


def _growth(
    suffix: str, flow: Flow, basis: Basis, scope: tuple[str, str], *, headline: bool = False
) -> Definition:
    noun = ("基金收入", "income") if flow is Flow.INCOME else ("基金支出", "expenditure")
    return Definition(
        name=f"{noun[1]}_growth_ytd{suffix}",
        version=1,
        effective=_FIRST,
        unit=Unit.PERCENT,
        method=Method.GROWTH,
        zh=f"{noun[0]}累计同比增长率（{scope[0]}）",
        en=f"Growth of {noun[1]}, year to date ({scope[1]})",
        formula_zh="（本年1月至本期累计 ÷ 上年同期累计 − 1）× 100%",
        formula_en="(January to this month ÷ the same months of last year − 1) × 100 %",
        headline=headline,
        flow=flow,
        basis=basis,
    )


_AVERAGE = {
    Window.TRAILING12: ("截至本期的12个月月均", "the average month of the 12 months to this one"),
    Window.YTD_AVERAGE: ("本年1月至本期月均", "the average month from January to this one"),
    Window.PRIOR_YEAR: ("上年全年月均", "the average month of last year"),
}
_BASIS = {
    Basis.SUBTOTAL: ("本年支出小计", "expense, subtotal 小计"),
    Basis.TOTAL: (
        "本年支出合计（含上解、补助）",
        "expense, total 合计 with remittances and subsidies",
    ),
}


def _payable(
    suffix: str,
    window: Window,
    *,
    basis: Basis = Basis.SUBTOTAL,
    less: tuple[str, ...] = (),
    taken_off: tuple[str, str] = ("", ""),
    headline: bool = False,
) -> Definition:
    return Definition(
        name=f"payable_months.{suffix}",
        version=1,
        effective=_FIRST,
        unit=Unit.MONTHS,
        method=Method.PAYABLE_MONTHS,
        zh="可支付月数",
        en="Payable months",
        formula_zh=f"期末累计结余{taken_off[0]} ÷ {_AVERAGE[window][0]}支出（{_BASIS[basis][0]}）",
        formula_en=(
            f"accumulated balance{taken_off[1]} ÷ {_AVERAGE[window][1]} ({_BASIS[basis][1]})"
        ),
        headline=headline,
        basis=basis,
        window=window,
        less=less,
    )


def _plain(
    name: str, unit: Unit, method: Method, titles: tuple[str, str], formulas: tuple[str, str]
) -> Definition:
    return Definition(
        name=name,
        version=1,
        effective=_FIRST,
        unit=unit,
        method=method,
        zh=titles[0],
        en=titles[1],
        formula_zh=formulas[0],
        formula_en=formulas[1],
    )


_SUBTOTAL = ("小计，不含上解、补助", "subtotal 小计, without remittances and subsidies")
_TOTAL = ("合计，含上解、补助", "total 合计, with remittances and subsidies")

DEFINITIONS: tuple[Definition, ...] = (
    _growth("", Flow.INCOME, Basis.SUBTOTAL, _SUBTOTAL, headline=True),
    _growth("", Flow.EXPENSE, Basis.SUBTOTAL, _SUBTOTAL, headline=True),
    _payable("trailing12", Window.TRAILING12, headline=True),
    _payable("ytd_average", Window.YTD_AVERAGE),
    _payable("prior_year", Window.PRIOR_YEAR),
    _payable(
        "adjusted",
        Window.TRAILING12,
        less=ADJUSTMENTS,
        taken_off=(
            "减暂付款、已记账未付、暂扣保证金、已收次年保费",
            " less advances, booked and unpaid claims, deposits held, next year's premiums",
        ),
    ),
    _plain(
        "surplus_ytd",
        Unit.FEN,
        Method.SURPLUS,
        ("本年收支结余", "Surplus of the year to date"),
        (
            "本年1月至本期收入合计 − 支出合计",
            "income − expense, both total 合计, from January to this month",
        ),
    ),
    _plain(
        "accumulated_surplus",
        Unit.FEN,
        Method.ACCUMULATED,
        ("累计结余", "Accumulated balance"),
        ("期初结余及调整 + 历年收支结余", "openings and adjustments + every surplus since"),
    ),
    _plain(
        "settlement_rate",
        Unit.PERCENT,
        Method.SETTLEMENT_RATE,
        ("结付率", "Settlement rate"),
        (
            "本年1月至本期已批准清算的应付 ÷ 同期计入清算病例的记账 × 100%",
            "amount due by the approved clearings since January ÷ what was booked of their cases × 100 %",
        ),
    ),
    _growth(".total", Flow.INCOME, Basis.TOTAL, _TOTAL),
    _growth(".total", Flow.EXPENSE, Basis.TOTAL, _TOTAL),
    _growth(".benefit", Flow.EXPENSE, Basis.BENEFIT, ("仅待遇支出", "benefits only")),
    _growth(
        ".benefit_by_care",
        Flow.EXPENSE,
        Basis.BENEFIT_BY_CARE,
        ("仅待遇支出，按费用所属期", "benefits only, by month of care"),
    ),
    _payable("trailing12_total", Window.TRAILING12, basis=Basis.TOTAL),
    _payable(
        "without_next_year",
        Window.TRAILING12,
        less=("next_year_premiums",),
        taken_off=("减已收次年保费", " less next year's premiums"),
    ),
    _plain(
        "months_with_flows_ytd",
        Unit.COUNT,
        Method.MONTHS_WITH_FLOWS,
        ("本年有收支的月份数", "Months of the year with any flow"),
        ("1月至本期中有收入或支出的月份", "months from January to this one with income or expense"),
    ),
    _plain(
        "care_months_ytd",
        Unit.COUNT,
        Method.CARE_MONTHS,
        ("本年待遇支出所含费用所属月份数", "Months of care inside this year's benefit payments"),
        (
            "1月至本期支付的待遇涉及的费用所属期个数（一年可能含11或13个结算月）",
            "distinct months of care paid since January (a year can hold 11 or 13)",
        ),
    ),
    Definition(
        name="accumulated_share_of_income",
        version=1,
        effective=_FIRST,
        unit=Unit.PERCENT,
        method=Method.SHARE_OF_INCOME,
        zh="累计结余占当年筹集资金比例",
        en="Accumulated balance as a share of the year's funds",
        formula_zh="累计结余 ÷ 本年1月至本期收入合计 × 100%（年末应不超过15%，财社〔2013〕217号）",
        formula_en="accumulated balance ÷ income since January × 100 % (at year-end at most 15 %)",
        flow=Flow.INCOME,
        only_funds=("610",),
    ),
)


@dataclass(frozen=True, slots=True)
class Band:
    """A warning band (预警档) of payable months: from ``at_least`` (included) up to the next one."""

    key: str
    zh: str
    en: str
    at_least: Fraction


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands of one fund, in force from a date (口径 2009: 6–9 个月 is reasonable)."""

    fund: str
    effective: date
    bands: tuple[Band, ...]

    def of(self, months: Fraction) -> Band:
        """Find the band; below the lowest edge is the lowest band."""
        fitting = [band for band in self.bands if months >= band.at_least]
        return fitting[-1] if fitting else self.bands[0]


_LOW = (
    Band("short", "严重不足", "critically short", Fraction(0)),
    Band("low", "偏低", "low", Fraction(3)),
    Band("reasonable", "合理", "reasonable", Fraction(6)),
    Band("ample", "充裕", "ample", Fraction(9)),
)
#: Unverified thresholds ([K] in the domain paper): dated data that a policy replaces.
BANDS: tuple[Bands, ...] = (
    Bands(POOLED, _FIRST, (*_LOW, Band("excessive", "结余过多", "excessive", Fraction(15)))),
    Bands(EMPLOYEE, _FIRST, (*_LOW, Band("excessive", "结余过多", "excessive", Fraction(15)))),
    Bands(RESIDENT, _FIRST, _LOW),
)

#: Which of a fund's scopes the headline payable months speak for: personal accounts cannot pay
#: pooled benefits, so for employees it is the pooled fund (corrections, payable months).
PAYABLE_HEADLINES = (POOLED, RESIDENT)


def definitions_at(
    day: date, definitions: Iterable[Definition] = DEFINITIONS
) -> tuple[Definition, ...]:
    """Choose the version of every definition that is in force on a day, in the order of the table."""
    chosen: dict[str, Definition] = {}
    for definition in definitions:
        known = chosen.get(definition.name)
        newer = known is None or known.effective <= definition.effective
        if definition.effective <= day and newer:
            chosen[definition.name] = definition
    return tuple(chosen.values())


def bands_at(day: date, fund: str, table: Iterable[Bands] = BANDS) -> Bands | None:
    """Choose the warning bands of a fund that are in force on a day."""
    known = [bands for bands in table if bands.fund == fund and bands.effective <= day]
    return max(known, key=lambda bands: bands.effective, default=None)
