"""Rows of ``payment_results`` (付款结果): what the bank made of payment orders, typed or rejected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.aggregates.payout import FAILED, PAID, RETURNED
from settlement.intake import cells as read
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import Parser, choice
from settlement.intake.columns import PAYMENT_RESULTS
from settlement.intake.moments import parse_day
from settlement.intake.order_rows import Fault, OrderForm, check_orders
from settlement.intake.readers import Table
from settlement.intake.row_reader import CheckContext
from settlement.intake.statement_rows import CheckedStatements
from settlement.intake.vocabulary import Words, by_word

_RESULT_WORDS: Words = {
    PAID: ("成功", "付讫", "已付", "交易成功", "支付成功"),
    FAILED: ("失败", "交易失败", "支付失败"),
    RETURNED: ("退汇", "已退汇", "退回"),
}
_PARSERS: dict[str, Parser] = {
    "order_no": read.parse_identifier,
    "result": choice(by_word(_RESULT_WORDS)),
    "date": parse_day,
    "amount": parse_amount,
    "bank_ref": read.parse_identifier,
    "reason": read.parse_text,
    "note": read.parse_text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """The bank's word on one payment order."""

    line: int
    order_no: str
    result: str
    date: date
    amount_fen: int | None  # as the file says, to be held against the order
    bank_ref: str | None
    reason: str | None

    @property
    def group(self) -> tuple[str, bool]:
        """An order is paid or fails once, and may come back after it was paid."""
        return self.order_no, self.result == RETURNED

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        return self.order_no, self.result, self.date, self.amount_fen, self.bank_ref, self.reason


def check_results(table: Table, context: CheckContext) -> CheckedStatements[ResultRow]:
    """Check every row of a ``payment_results`` table."""

    def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
        if row["date"] is not None and row["date"] > context.today:
            yield "date", "date_in_future", {"limit": context.today.isoformat()}
        if row["result"] in {FAILED, RETURNED} and row["reason"] is None:
            yield "reason", "required", {}

    form = OrderForm(
        kind=PAYMENT_RESULTS,
        parsers=_PARSERS,
        faults=faults,
        typed=_typed,
        named=lambda row: row.order_no,
    )
    return check_orders(table, form)


def _typed(line: int, row: Mapping[str, Any]) -> ResultRow:
    return ResultRow(
        line=line,
        order_no=row["order_no"],
        result=row["result"],
        date=row["date"],
        amount_fen=row["amount"],
        bank_ref=row["bank_ref"],
        reason=None if row["result"] == PAID else row["reason"],
    )
