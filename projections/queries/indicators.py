"""Indicators (指标) of a month: growth, payable months and their kin, each with definition and inputs.

Pure: monthly figures in, document out. Integers and fractions only, rounded half-up once, here. A
value that cannot be computed is null with a reason (``REASONS``), never nil and never left out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ledger.domain.fund import BASIC, EMPLOYEE, FUNDS, RESIDENT, leaves
from ledger.domain.money import decimal_text
from ledger.domain.period import Period
from projections.definitions import (
    DEFINITIONS,
    PAYABLE_HEADLINES,
    Bands,
    Basis,
    Definition,
    Flow,
    Method,
    Unit,
    Window,
    bands_at,
    definitions_at,
)
from projections.queries.monthly import Flows, MonthlyFigures
from projections.queries.scope import FundUnknown

#: Why a value is null (contract §5), in both languages.
REASONS: dict[str, tuple[str, str]] = {
    "no_history": ("该基金尚无任何收支记录", "the fund has no history yet"),
    "window_before_first_month": (
        "取数区间早于该基金首个月份",
        "the window begins before the fund's first month",
    ),
    "base_missing": ("上年同期没有收支", "the same months of last year have no flows"),
    "base_not_positive": ("上年同期数不为正", "the figure of last year is not positive"),
    "denominator_not_positive": ("分母不为正", "the denominator is not positive"),
    "fund_missing": ("本统筹区未建全 310 与 390 账套", "the area lacks the book of 310 or of 390"),
    "no_clearing_run": ("尚无清算结果", "no clearing has been run yet"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """年度指标 for one indicator of one fund: exactly one of the two bounds, or both."""

    indicator: str
    fund: str
    year: int
    at_most: str | None = None
    at_least: str | None = None

    def document(self) -> dict[str, str]:
        """Give the bounds that are set."""
        both = {"at_most": self.at_most, "at_least": self.at_least}
        return {side: bound for side, bound in both.items() if bound is not None}

    def judge(self, value: Fraction | None) -> str:
        """Compare a value, as published (rounded), with the bounds: met, missed, unknown or none."""
        if not self.document():
            return "none"
        try:
            limits = {side: Fraction(bound) for side, bound in self.document().items()}
        except ValueError:
            return "unknown"  # a bound that is no number judges nothing
        if value is None:
            return "unknown"
        kept = limits.get("at_least", value) <= value <= limits.get("at_most", value)
        return "met" if kept else "missed"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A value or the reason why there is none, and what it was computed from."""

    value: Fraction | None
    inputs: Mapping[str, int]
    window: tuple[Period, Period] | None = None
    base_window: tuple[Period, Period] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """One definition asked of some leaves together, for one month."""

    figures: MonthlyFigures
    funds: tuple[str, ...]
    period: Period
    definition: Definition

    @property
    def january(self) -> Period:
        return Period(self.period.year, 1)

    def before_history(self, first: Period) -> str | None:
        """Say why a window that begins here cannot be read; None where it can."""
        begun = self.figures.first_month(self.funds)
        if begun is None:
            return "no_history"
        return "window_before_first_month" if first < begun else None


def indicators_document(
    figures: MonthlyFigures,
    *,
    period: Period,
    fund: str | None = None,
    targets: Iterable[Target] = (),
    lang: str = "zh",
    definitions: Iterable[Definition] = DEFINITIONS,
) -> dict[str, Any]:
    """Compute every indicator of a month, of one fund (with its sub-funds) or of all and ``basic``."""
    in_force = definitions_at(period.last_day, definitions)
    bounds = {
        (target.indicator, target.fund): target for target in targets if target.year == period.year
    }
    return {
        "period": str(period),
        "position": figures.position,
        "indicators": [
            _row(
                _compute(figures, scope, period, definition),
                definition,
                {"area": figures.area, "fund": scope, "name": definition.name},
                target=bounds.get((definition.name, scope)),
                band=bands_at(period.last_day, scope),
                lang=lang,
            )
            for scope in _scopes(figures, fund)
            for definition in in_force
            if not definition.only_funds or scope in definition.only_funds
        ],
    }


def _scopes(figures: MonthlyFigures, fund: str | None) -> list[str]:
    if fund is not None and fund not in (*figures.funds, *figures.leaves, BASIC):
        raise FundUnknown(area=figures.area, fund=fund, funds=", ".join(figures.funds) or "-")
    if fund is not None:
        subs = leaves(fund) if fund in FUNDS else ()
        return list(dict.fromkeys((fund, *subs)))
    every = [part for code in figures.funds for part in dict.fromkeys((code, *leaves(code)))]
    return [*every, BASIC]


def _row(
    outcome: _Outcome,
    definition: Definition,
    head: Mapping[str, str],
    *,
    target: Target | None,
    band: Bands | None,
    lang: str,
) -> dict[str, Any]:
    scope = head["fund"]
    row: dict[str, Any] = {
        **head,
        "value": _shown(outcome.value, definition),
        "unit": definition.unit.value,
        "definition": definition.document()
        | {"scope": list(_leaves_of(scope)), "headline": _is_headline(definition, scope)},
        "inputs": dict(outcome.inputs),
    }
    for name, months in (("window", outcome.window), ("base_window", outcome.base_window)):
        if months is not None:
            row[name] = {"from": str(months[0]), "to": str(months[1])}
    row["target"] = None if target is None else target.document()
    row["status"] = _status(outcome.value, definition, target)
    if outcome.reason is not None:
        row["reason"] = outcome.reason
        row["reason_text"] = REASONS[outcome.reason][0 if lang == "zh" else 1]
    if band is not None and outcome.value is not None and definition.unit is Unit.MONTHS:
        row["band"] = _band(Fraction(_published(outcome.value, definition)), band, lang)
    return row


def _leaves_of(scope: str) -> tuple[str, ...]:
    return (*leaves(EMPLOYEE), *leaves(RESIDENT)) if scope == BASIC else leaves(scope)


def _is_headline(definition: Definition, scope: str) -> bool:
    if definition.method is Method.PAYABLE_MONTHS:
        return definition.headline and scope in PAYABLE_HEADLINES
    return definition.headline


def _compute(
    figures: MonthlyFigures, scope: str, period: Period, definition: Definition
) -> _Outcome:
    if scope == BASIC and not {EMPLOYEE, RESIDENT} <= set(figures.funds):
        return _Outcome(None, {}, reason="fund_missing")
    question = _Question(figures, _leaves_of(scope), period, definition)
    return _METHODS[definition.method](question)


def _published(value: Fraction, definition: Definition) -> str:
    return decimal_text(value, definition.digits)


def _shown(value: Fraction | None, definition: Definition) -> str | int | None:
    """Write a ratio as decimal text, rounded half-up once; an amount or count stays whole."""
    if value is None:
        return None
    whole = definition.unit in (Unit.FEN, Unit.COUNT)
    return int(value) if whole else _published(value, definition)


def _status(value: Fraction | None, definition: Definition, target: Target | None) -> str:
    if target is None:
        return "none"
    if value is None or definition.unit in (Unit.FEN, Unit.COUNT):
        return target.judge(value)
    return target.judge(Fraction(_published(value, definition)))


def _band(months: Fraction, bands: Bands, lang: str) -> dict[str, str]:
    band = bands.of(months)
    name = band.zh if lang == "zh" else band.en
    return {"key": band.key, "name": name, "effective": bands.effective.isoformat()}


# --- the arithmetic ----------------------------------------------------------------------------


def _picked(flows: Flows, flow: Flow, basis: Basis) -> int:
    if basis in (Basis.BENEFIT, Basis.BENEFIT_BY_CARE):
        return flows.benefit
    if flow is Flow.INCOME:
        return flows.income if basis is Basis.TOTAL else flows.income_subtotal
    return flows.expense if basis is Basis.TOTAL else flows.expense_subtotal


def _growth(question: _Question) -> _Outcome:
    """基金支出增长率: cumulative months of this year against the same months of last year."""
    definition, last = question.definition, question.period
    this_year, last_year = _flows_of(question, last), _flows_of(question, last.plus(-12))
    current = _picked(this_year, definition.flow, definition.basis)
    base = _picked(last_year, definition.flow, definition.basis)
    months = (question.january, last)
    base_months = (question.january.plus(-12), last.plus(-12))
    reason = question.before_history(base_months[0])
    if reason is None and base <= 0:
        reason = "base_missing" if last_year == Flows() else "base_not_positive"
    inputs = {"current_fen": current, "base_fen": base}
    if reason is not None:
        return _Outcome(None, inputs, months, base_months, reason)
    return _Outcome(Fraction(current, base) * 100 - 100, inputs, months, base_months)


def _flows_of(question: _Question, last: Period) -> Flows:
    """Sum January..``last``; by month of care both years are taken as known at the same age."""
    first = Period(last.year, 1)
    if question.definition.basis is Basis.BENEFIT_BY_CARE:
        return question.figures.by_care(question.funds, first, last, booked_through=last)
    return question.figures.flow(question.funds, first, last)


def _window(question: _Question) -> tuple[Period, Period, int]:
    period = question.period
    match question.definition.window:
        case Window.TRAILING12:
            return period.plus(-11), period, 12
        case Window.YTD_AVERAGE:
            return question.january, period, period.month
        case Window.PRIOR_YEAR:
            return Period(period.year - 1, 1), Period(period.year - 1, 12), 12


def _payable_months(question: _Question) -> _Outcome:
    """可支付月数: (balance − what is taken off) ÷ (expense of the window ÷ its months)."""
    first, last, count = _window(question)
    flows = question.figures.flow(question.funds, first, last)
    expense = _picked(flows, Flow.EXPENSE, question.definition.basis)
    level = question.figures.level(question.funds, question.period)
    less = {
        "advances": level.advances,
        "unpaid_obligations": level.owed,
        "deposits_held": level.deposits_held,
        "next_year_premiums": level.next_year_premiums,
    }
    taken_off = {name: less[name] for name in question.definition.less}
    numerator = level.accumulated - sum(taken_off.values())
    inputs = {
        "accumulated_fen": level.accumulated,
        **{f"{name}_fen": fen for name, fen in taken_off.items()},
        "numerator_fen": numerator,
        "expense_fen": expense,
        "months": count,
    }
    reason = question.before_history(first)
    if reason is None and expense <= 0:
        reason = "denominator_not_positive"
    if reason is not None:
        return _Outcome(None, inputs, (first, last), reason=reason)
    return _Outcome(Fraction(numerator * count, expense), inputs, (first, last))


def _surplus(question: _Question) -> _Outcome:
    """本年收支结余: income less expense, both 合计, since January."""
    months = (question.january, question.period)
    flows = question.figures.flow(question.funds, *months)
    inputs = {"income_fen": flows.income, "expense_fen": flows.expense}
    return _Outcome(Fraction(flows.income - flows.expense), inputs, months)


def _accumulated(question: _Question) -> _Outcome:
    """累计结余 at the end of the month."""
    fen = question.figures.level(question.funds, question.period).accumulated
    return _Outcome(Fraction(fen), {"accumulated_fen": fen})


def _share_of_income(question: _Question) -> _Outcome:
    """医疗救助: 累计结余 as a share of the funds raised this year (财社〔2013〕217号)."""
    months = (question.january, question.period)
    income = question.figures.flow(question.funds, *months).income
    accumulated = question.figures.level(question.funds, question.period).accumulated
    inputs = {"accumulated_fen": accumulated, "income_fen": income}
    reason = question.before_history(months[0])
    if reason is None and income <= 0:
        reason = "denominator_not_positive"
    if reason is not None:
        return _Outcome(None, inputs, months, reason=reason)
    return _Outcome(Fraction(accumulated * 100, income), inputs, months)


def _months_with_flows(question: _Question) -> _Outcome:
    """有收支的月份数: how many of the year's months hold any income or expense."""
    first, last = question.january, question.period
    seen = {
        month
        for (fund, month), flows in question.figures.flows.items()
        if fund in question.funds and first <= month <= last and flows != Flows()
    }
    inputs = {"months_with_flows": len(seen), "months_elapsed": last.month}
    return _Outcome(Fraction(len(seen)), inputs, (first, last))


def _care_months(question: _Question) -> _Outcome:
    """本年待遇支出所含费用所属月份数: a year of cash can hold 11 or 13 settlement months."""
    months = (question.january, question.period)
    count = len(question.figures.care_months(question.funds, *months))
    return _Outcome(Fraction(count), {"care_months": count}, months)


def _settlement_rate(question: _Question) -> _Outcome:
    """结付率: what approved clearings make due since January ÷ what was booked of the same cases."""
    first, last = question.january, question.period
    found = [
        amounts
        for (fund, month), amounts in question.figures.cleared.items()
        if fund in question.funds and first <= month <= last
    ]
    due, booked = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0)
    if not found:
        return _Outcome(None, {}, (first, last), reason="no_clearing_run")
    inputs = {"due_fen": due, "booked_fen": booked, "clearings": len(found)}
    if booked <= 0:
        return _Outcome(None, inputs, (first, last), reason="denominator_not_positive")
    return _Outcome(Fraction(due * 100, booked), inputs, (first, last))


_METHODS: Mapping[Method, Callable[[_Question], _Outcome]] = {
    Method.GROWTH: _growth,
    Method.PAYABLE_MONTHS: _payable_months,
    Method.SURPLUS: _surplus,
    Method.ACCUMULATED: _accumulated,
    Method.SHARE_OF_INCOME: _share_of_income,
    Method.MONTHS_WITH_FLOWS: _months_with_flows,
    Method.CARE_MONTHS: _care_months,
    Method.SETTLEMENT_RATE: _settlement_rate,
}
