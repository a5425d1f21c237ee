"""Rows of ``prepayments`` (预付申请): whom to prepay what for which month, typed or rejected."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.domain.period import Period
from settlement.intake import cells as read
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import choice
from settlement.intake.columns import PREPAYMENTS
from settlement.intake.moments import parse_day, parse_month
from settlement.intake.order_rows import Fault, OrderForm, check_orders, fund_faults
from settlement.intake.readers import Table
from settlement.intake.row_reader import CheckContext
from settlement.intake.statement_rows import CheckedStatements, known_institution
from settlement.intake.vocabulary import FUND_WORDS, by_word


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepayRow:
    """What one institution is to be prepaid of one leaf fund for one month."""

    line: int
    institution: str
    fund: str
    period: Period
    date: dt.date
    fen: int

    @property
    def group(self) -> tuple[str, Period, str]:
        """An institution stands once for a fund and month."""
        return self.fund, self.period, self.institution

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        return *self.group, self.date, self.fen


def check_prepayments(table: Table, context: CheckContext) -> CheckedStatements[PrepayRow]:
    """Check every row of a ``prepayments`` table."""

    def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
        yield from fund_faults(row["fund"], context.funds)
        if row["amount"] is not None and row["amount"] <= 0:
            yield "amount", "prepayment_not_positive", {}

    form = OrderForm(
        kind=PREPAYMENTS,
        parsers={
            "fixmedins_code": known_institution(context.institutions),
            "fixmedins_name": read.parse_text,
            "fund": choice(by_word(FUND_WORDS), code="unknown_fund"),
            "period": parse_month,
            "date": parse_day,
            "amount": parse_amount,
            "note": read.parse_text,
        },
        faults=faults,
        typed=_typed,
        named=lambda row: row.institution,
    )
    return check_orders(table, form)


def _typed(line: int, row: Mapping[str, Any]) -> PrepayRow:
    return PrepayRow(
        line=line,
        institution=row["fixmedins_code"],
        fund=row["fund"],
        period=row["period"],
        date=row["date"],
        fen=row["amount"],
    )
