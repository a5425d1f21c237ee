"""How a statement is paid, as tables (结算单的拨付): plan of payments, orders and the bank's lines."""

from collections.abc import Mapping
from typing import Any

from ledger.domain.money import format_yuan
from projections.reports.model import Cell, Kind, Table, columns_in, table
from projections.reports.settlement_words import PLAN, STATES, nothing

_PARTS = (
    ("其中本期(元)", "of this period", "amount_fen"),
    ("其中以前(元)", "of months before", "earlier_fen"),
    ("其中以后(元)", "of months after", "later_fen"),
)


def plan_table(document: Mapping[str, Any], lang: str, say: int) -> Table:
    """Print the plan of the fund's month of payment; nil where there is none."""
    columns = columns_in(
        lang,
        ("用款计划", "plan of payments", Kind.TEXT, 20),
        ("月份", "month", Kind.TEXT, 12),
        ("编号、文号", "number, paper", Kind.TEXT, 34),
        ("日期", "date", Kind.TEXT, 12),
        ("金额(元)", "amount (yuan)", Kind.FEN, 20),
        ("经办", "by", Kind.TEXT, 12),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            PLAN[one["step"]][say],
            *(one[name] for name in ("period", "number", "date", "fen", "by", "position")),
        )
        for one in document["plan"]
    ]
    note = "批复到基金,为该基金全部机构的金额"
    if lang != "zh":
        note = "Granted by fund: the amounts are of all institutions of the fund"
    title = "用款计划:申请、批复、拨款、下单" if lang == "zh" else "Plan of payments"
    return table(title, columns, rows or [nothing(lang, columns)], notes=[note])


def orders_table(document: Mapping[str, Any], lang: str) -> Table:
    """Print every payment order: whole, and what of it is of this period, of months before and after."""
    shown = [
        one
        for one in _PARTS
        if one[2] == "amount_fen" or any(row[one[2]] for row in document["payments"])
    ]
    columns = columns_in(
        lang,
        ("付款单号", "order", Kind.TEXT, 34),
        ("收款单位", "payee", Kind.TEXT, 16),
        ("下单日期", "ordered", Kind.TEXT, 12),
        ("经办、复核", "by, approved by", Kind.TEXT, 16),
        ("总额(元)", "whole (yuan)", Kind.FEN, 18),
        *((zh, en, Kind.FEN, 18) for zh, en, _ in shown),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *(one[name] for name in ("order_no", "payee", "ordered_on")),
            "、".join(filter(None, (one["prepared_by"], one["approved_by"]))),
            one["whole_fen"],
            *(one[name] for *_, name in shown),
            one["ordered_at"],
        )
        for one in document["payments"]
    ]
    title = "付款单" if lang == "zh" else "Payment orders"
    return table(title, columns, rows or [nothing(lang, columns)])


def bank_table(document: Mapping[str, Any], lang: str, say: int) -> Table:
    """Print what the bank said of every order, and the line of its statement that it is."""
    columns = columns_in(
        lang,
        ("银行结果", "the bank's result", Kind.TEXT, 34),
        ("状态", "state", Kind.TEXT, 12),
        ("银行日期", "date", Kind.TEXT, 12),
        ("银行流水号", "bank reference", Kind.TEXT, 22),
        ("金额(元)", "amount (yuan)", Kind.FEN, 18),
        ("日志位置", "log position", Kind.COUNT, 12),
        ("对账单行(账号、日期、流水号、金额)", "line of the statement", Kind.TEXT, 52),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            one["order_no"],
            STATES[one["state"]][say],
            one["date"],
            one["bank_ref"] or one["reason"],
            one["whole_fen"] if one["date"] else None,
            one["answered_at"],
            _stated(one["bank_lines"]) or (("未勾对", "not matched")[say] if one["date"] else None),
        )
        for one in document["payments"]
    ]
    title = "银行结果与对账单" if lang == "zh" else "The bank"
    return table(title, columns, rows or [nothing(lang, columns)])


def _stated(lines: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['account']} {one['date']} {one['ref'] or '-'} {format_yuan(one['fen'])}"
        for one in lines
    )
