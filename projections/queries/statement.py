"""The figures of a fund's income statement (基金收支表) for a month."""

from datetime import date

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.period import Period
from projections.page import ADJUSTMENT, CLOSING, OPENING
from projections.queries.known import KnownLedger, known_as_of, movements_by_month
from projections.queries.scope import scope_of
from projections.reports.statement import StatementFigures
from projections.store import ReadStore

_ENDING = {AccountClass.NET_ASSETS, AccountClass.INCOME, AccountClass.EXPENSE}


def statement_figures(
    store: ReadStore,
    ledger: KnownLedger,
    *,
    area: str | None,
    fund: str,
    period: Period,
    known_at: int | None = None,
) -> StatementFigures:
    """Read a fund's or sub-fund's statement for a month, booked up to its end."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        known = known_as_of(reading, ledger, known_at)
        until: date = period.last_day
        sums = movements_by_month(reading, known, area=scope.area, leaves=scope.leaves, until=until)
    month: dict[str, int] = {}
    year: dict[str, int] = {}
    opening = adjustments = 0
    january = str(Period(period.year, 1))
    for key, (debit, credit) in sums.items():
        kind = CHART[key.account].kind
        if kind not in _ENDING:
            continue
        if key.month < january or key.nature == OPENING:
            opening += credit - debit
        elif key.nature == ADJUSTMENT:
            adjustments += credit - debit
        elif kind is not AccountClass.NET_ASSETS and key.nature != CLOSING:
            fen = credit - debit if kind is AccountClass.INCOME else debit - credit
            year[key.account] = year.get(key.account, 0) + fen
            if key.month == str(period):
                month[key.account] = month.get(key.account, 0) + fen
    return StatementFigures(
        fund=fund,
        period=period,
        position=reading.position,
        opening_fen=opening,
        adjustments_fen=adjustments,
        month=month,
        year=year,
    )
