"""What the overview page shows, from monthly figures: cards, tables and two charts.

No arithmetic of its own: every figure is one that ``indicators`` answers too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.domain.fund import POOLED, RESIDENT, fund_name, parent
from ledger.domain.money import format_yuan
from ledger.domain.period import Period, months_between
from medfund.web.charts import Chart, Series, chart
from projections.definitions import DEFINITIONS, Definition
from projections.queries.indicators import Target, indicators_document
from projections.queries.monthly import MonthlyFigures

_TREND_MONTHS = 13  # a year and the same month of last year
_PAYABLE = "payable_months.trailing12"
_GROWTH = "expenditure_growth_ytd"
_COLUMNS = (
    "income_growth_ytd",
    _GROWTH,
    _PAYABLE,
    "payable_months.ytd_average",
    "payable_months.prior_year",
    "payable_months.adjusted",
)

_TREND = tuple(one for one in DEFINITIONS if one.name in {_PAYABLE, _GROWTH})

Row = Mapping[str, Any]
_Named = dict[tuple[str, str], Row]


@dataclass(frozen=True, slots=True)
class Card:
    """One fund's headline figures."""

    fund: str
    name: str
    accumulated: str
    negative: bool
    payable: Row
    growth: Row


@dataclass(frozen=True, slots=True)
class FundLine:
    """One fund, sub-fund or ``basic`` in the two tables."""

    fund: str
    name: str
    is_sub_fund: bool
    money: tuple[int, int, int, int]  # income, expense, surplus, accumulated
    cells: tuple[Row, ...]
    state: str | None

    def yuan(self) -> tuple[str, ...]:
        return tuple(format_yuan(fen) for fen in self.money)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page for one month."""

    period: Period
    months: tuple[Period, ...]
    position: int
    cards: tuple[Card, ...]
    lines: tuple[FundLine, ...]
    columns: tuple[str, ...]
    payable_chart: Chart
    growth_chart: Chart
    definitions: tuple[Row, ...]


def known_months(figures: MonthlyFigures) -> tuple[Period, ...]:
    """List the months from the first with a flow to the last."""
    seen = [month for _, month in figures.flows]
    return tuple(months_between(min(seen), max(seen))) if seen else ()


def overview(
    figures: MonthlyFigures,
    *,
    period: Period,
    targets: Iterable[Target] = (),
    states: Mapping[str, str] | None = None,
    lang: str = "zh",
) -> Overview:
    """Make the page of one month. ``states`` says per fund how its month stands."""
    wanted = tuple(targets)
    axis = [period.plus(number) for number in range(1 - _TREND_MONTHS, 1)]

    def ask(month: Period, definitions: Iterable[Definition]) -> _Named:
        document = indicators_document(
            figures, period=month, targets=wanted, lang=lang, definitions=definitions
        )
        return {(row["fund"], row["name"]): row for row in document["indicators"]}

    now = ask(period, DEFINITIONS)
    by_month = {month: ask(month, _TREND) for month in axis[:-1]} | {period: now}
    scopes = list(dict.fromkeys(fund for fund, _ in now))
    return Overview(
        period=period,
        months=known_months(figures),
        position=figures.position,
        cards=tuple(_card(now, fund, lang) for fund in _card_funds(figures)),
        lines=tuple(_fund_line(now, fund, states or {}, lang) for fund in scopes),
        columns=_COLUMNS,
        payable_chart=_trend(by_month, _PAYABLE, (POOLED, RESIDENT), lang),
        growth_chart=_trend(by_month, _GROWTH, ("310", RESIDENT), lang),
        definitions=tuple(_definitions(now)),
    )


def _card_funds(figures: MonthlyFigures) -> list[str]:
    return [fund for fund in ("310", "390", "610") if fund in figures.funds] or list(
        figures.funds[:3]
    )


def _card(now: _Named, fund: str, lang: str) -> Card:
    """Headline of a fund; employees' payable months are those of the pooled fund (统筹基金)."""
    payer = POOLED if fund == parent(POOLED) else fund
    accumulated = now[fund, "accumulated_surplus"]["value"]
    return Card(
        fund,
        fund_name(fund, lang),
        format_yuan(accumulated),
        accumulated < 0,
        now[payer, _PAYABLE],
        now[fund, _GROWTH],
    )


def _fund_line(now: _Named, fund: str, states: Mapping[str, str], lang: str) -> FundLine:
    surplus = now[fund, "surplus_ytd"]
    inputs = surplus["inputs"]
    money = (
        inputs.get("income_fen", 0),
        inputs.get("expense_fen", 0),
        surplus["value"] or 0,
        now[fund, "accumulated_surplus"]["value"] or 0,
    )
    return FundLine(
        fund=fund,
        name=fund_name(fund, lang),
        is_sub_fund="." in fund,
        money=money,
        cells=tuple(now[fund, name] for name in _COLUMNS),
        state=states.get(fund),
    )


def _trend(
    by_month: Mapping[Period, _Named], name: str, funds: tuple[str, ...], lang: str
) -> Chart:
    last = by_month[max(by_month)]
    shown = [fund for fund in funds if (fund, name) in last]
    series = [
        Series(
            fund_name(fund, lang), tuple(named[fund, name]["value"] for named in by_month.values())
        )
        for fund in shown
    ]
    bounds = {
        bound for fund in shown for bound in ((last[fund, name]["target"] or {}).values() or ())
    }
    mark = bounds.pop() if len(bounds) == 1 else None
    return chart([str(month) for month in by_month], series, mark=mark)


def _definitions(now: _Named) -> list[Row]:
    found: dict[str, Row] = {}
    for row in now.values():
        found.setdefault(row["name"], row["definition"] | {"name": row["name"]})
    return list(found.values())
