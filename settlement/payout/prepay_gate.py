"""May a fund prepay institutions (预付条件)? Judged by the guard's running totals, not by read models.

The figures are those of the indicator ``payable_months.trailing12`` and of the surplus (合计): the
balance at the end of a month, divided by the average monthly expense (小计) of the 12 months to it. A
transfer at the year's end (年终结转) is no flow and is taken off again. What cannot be computed is no
permission.
"""

from fractions import Fraction

from ledger.application import FundLedger
from ledger.domain.chart import CHART, AccountClass
from ledger.domain.fund import parent
from ledger.domain.money import decimal_text, format_yuan
from ledger.domain.period import Period
from ledger.errors import RuleRefused
from ledger.events.prepayment import GateFigures
from ledger.store.commit import BookKey
from settlement.clearing.policies.prepayment_rules import Deficit, PrepaymentRules
from settlement.year_end import year_transfers

_MONTHS = 12
_FLOWS = {AccountClass.INCOME, AccountClass.EXPENSE}
_BALANCE = {AccountClass.NET_ASSETS, *_FLOWS}


class PrepaymentRefused(RuleRefused):
    """The fund may not prepay (不符合预付条件)."""

    code = "prepayment_refused"
    zh = (
        "险种 {fund} 不符合预付条件({why}):{period} 末可支付 {months} 个月,须 {needed} 个月;"
        "上年结余 {last_year} 元,近 12 个月结余 {forecast} 元。"
    )
    en = (
        "Fund {fund} may not prepay ({why}): {months} payable months at the end of {period}, {needed}"
        " are needed; surplus of last year {last_year}, of the last 12 months {forecast}."
    )
    hint_zh = "条件见政策的 [prepayment];地方另有规定的,提交政策新版本。"
    hint_en = "The gate is [prepayment] of the fund's policy; propose a version where it differs."


class PrepaymentNotOffered(RuleRefused):
    """No gate is known for this fund, so nothing is prepaid from it (该险种不预付)."""

    code = "prepayment_not_offered"
    zh = "险种 {fund} 没有预付条件,不能预付。"
    en = "There is no gate for fund {fund}, so nothing is prepaid from it."
    hint_zh = "请在该险种的政策中写明 [prepayment] 的 gate_months。"
    hint_en = "Name gate_months under [prepayment] of the fund's policy."


class _Flows:
    """Income and expense of a leaf fund by booking month, without year-end transfers."""

    def __init__(self, ledger: FundLedger, area: str, fund: str, period: Period) -> None:
        book = BookKey(area, parent(fund))
        self._sums: dict[tuple[int, str], int] = {}
        for key, total in ledger.log.totals(book, through=period).items():
            if key.fund == fund and CHART[key.account].kind in _BALANCE:
                self._add(key.month, key.account, total.debit_fen - total.credit_fen)
        self.accumulated = -sum(self._sums.values())
        for key, fen in year_transfers(ledger, book, through=period).items():
            if key.fund == fund:
                self._add(key.month, key.account, -fen)
        state = ledger.log.books(area)[book]
        self.first = state.history_from or state.first_month

    def _add(self, month: int, account: str, fen: int) -> None:
        self._sums[month, account] = self._sums.get((month, account), 0) + fen

    def expense(self, first: Period, last: Period, *, subtotal: bool) -> int:
        return self._sum(first, last, AccountClass.EXPENSE, subtotal=subtotal)

    def surplus(self, first: Period, last: Period) -> int | None:
        """Give income less expense (合计); None where the window begins before the history."""
        if self.first is None or first < self.first:
            return None
        income = self._sum(first, last, AccountClass.INCOME, subtotal=False)
        return -income - self.expense(first, last, subtotal=False)

    def _sum(self, first: Period, last: Period, kind: AccountClass, *, subtotal: bool) -> int:
        return sum(
            fen
            for (month, account), fen in self._sums.items()
            if first.ordinal <= month <= last.ordinal
            and CHART[account].kind is kind
            and (not subtotal or CHART[account].in_subtotal)
        )


def gate_figures(
    ledger: FundLedger, area: str, fund: str, *, prepaid: Period, rules: PrepaymentRules
) -> GateFigures:
    """Compute what a prepayment for a month is judged by, at the end of the month before."""
    if rules.gate_months is None:
        raise PrepaymentNotOffered(fund=fund)
    period = prepaid.plus(-1)
    flows = _Flows(ledger, area, fund, period)
    since = period.plus(1 - _MONTHS)
    expense = flows.expense(since, period, subtotal=True)
    reason = None
    if flows.first is None:
        reason = "no_history"
    elif since < flows.first:
        reason = "window_before_first_month"
    elif expense <= 0:
        reason = "denominator_not_positive"
    months = None if reason else Fraction(flows.accumulated * _MONTHS, expense)
    last_year = prepaid.year - 1
    return GateFigures(
        period=str(period),
        accumulated_fen=flows.accumulated,
        expense_fen=expense,
        payable_months=None if months is None else decimal_text(months),
        needed_months=decimal_text(rules.gate_months),
        last_year_surplus_fen=flows.surplus(Period(last_year, 1), Period(last_year, _MONTHS)),
        forecast_surplus_fen=flows.surplus(since, period),
        reason=reason,
    )


def refuse_at_gate(fund: str, gate: GateFigures, rules: PrepaymentRules) -> None:
    """PrepaymentRefused where one of the conditions does not hold, with all the figures."""
    why = [
        *_months_missing(gate, rules),
        *_deficit("deficit_last_year", rules.deficit_last_year, gate.last_year_surplus_fen),
        *_deficit("deficit_forecast", rules.deficit_forecast, gate.forecast_surplus_fen),
    ]
    if why:
        raise PrepaymentRefused(
            fund=fund,
            why=", ".join(why),
            period=gate.period,
            months=gate.payable_months or "-",
            needed=gate.needed_months,
            last_year=_yuan(gate.last_year_surplus_fen),
            forecast=_yuan(gate.forecast_surplus_fen),
        )


def _months_missing(gate: GateFigures, rules: PrepaymentRules) -> list[str]:
    if gate.reason is not None:
        return [gate.reason]
    enough = gate.accumulated_fen * _MONTHS >= (rules.gate_months or 0) * gate.expense_fen
    return [] if enough else ["payable_months"]


def _deficit(name: str, rule: Deficit, surplus: int | None) -> list[str]:
    if rule is Deficit.IGNORE:
        return []
    if surplus is None:
        return [f"{name}_unknown"]
    return [name] if surplus < 0 else []


def _yuan(fen: int | None) -> str:
    return "-" if fen is None else format_yuan(fen)
