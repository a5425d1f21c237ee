"""Balances and indicators as tables, for the files that finance staff open in Excel."""

from collections.abc import Mapping
from typing import Any

from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from projections.reports.model import Kind, Table, columns_in, table


def balances_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay a balances document out (科目余额表)."""
    columns = columns_in(
        lang,
        ("险种", "fund", Kind.TEXT, 14),
        ("科目", "account", Kind.TEXT, 30),
        ("借方累计(元)", "debit (yuan)", Kind.FEN, 20),
        ("贷方累计(元)", "credit (yuan)", Kind.FEN, 20),
        ("余额(元)", "balance (yuan)", Kind.FEN, 20),
    )
    rows = [
        (
            row["fund"],
            row["account_name"],
            row["debit_fen"],
            row["credit_fen"],
            row["balance_fen"],
        )
        for row in document["balances"]
    ]
    title = "科目余额表" if lang == "zh" else "Trial balance"
    return table(title, columns, rows, notes=[_as_of(document, lang)])


def funds_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay the funds of a balances document out (基金收支结余表)."""
    columns = columns_in(
        lang,
        ("险种", "fund", Kind.TEXT, 14),
        ("名称", "name", Kind.TEXT, 30),
        ("本年收入(元)", "income (yuan)", Kind.FEN, 20),
        ("本年支出(元)", "expense (yuan)", Kind.FEN, 20),
        ("本年收支结余(元)", "surplus (yuan)", Kind.FEN, 20),
        ("累计结余(元)", "accumulated (yuan)", Kind.FEN, 20),
    )
    rows = [
        (
            row["fund"],
            fund_name(row["fund"], lang),
            row["income_fen"],
            row["expense_fen"],
            row["surplus_fen"],
            row["accumulated_fen"],
        )
        for row in document["funds"]
    ]
    title = "基金收支结余" if lang == "zh" else "Funds"
    return table(title, columns, rows, notes=[_as_of(document, lang)])


def _as_of(document: Mapping[str, Any], lang: str) -> str:
    day, position = document["as_of"], document["position"]
    if lang == "zh":
        return f"截至 {day},日志位置 {position}"
    return f"As of {day}, log position {position}"


def indicators_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay an indicators document out (基金运行指标), each with its definition."""
    columns = columns_in(
        lang,
        ("险种", "fund", Kind.TEXT, 14),
        ("指标", "indicator", Kind.TEXT, 36),
        ("值", "value", Kind.RATIO, 20),
        ("单位", "unit", Kind.TEXT, 10),
        ("口径", "definition", Kind.TEXT, 80),
        ("无值原因", "reason", Kind.TEXT, 30),
    )
    rows = [
        (
            row["fund"],
            row["name"],
            shown_value(row, grouped=False),
            "元" if row["unit"] == "fen" else row["unit"],
            row["definition"][lang],
            row.get("reason"),
        )
        for row in document["indicators"]
    ]
    note = (
        f"{document['period']},日志位置 {document['position']}"
        if lang == "zh"
        else f"{document['period']}, log position {document['position']}"
    )
    return table("基金运行指标" if lang == "zh" else "Indicators", columns, rows, notes=[note])


def shown_value(row: Mapping[str, Any], *, grouped: bool = True) -> str | None:
    """Write an indicator's value for a reader: amounts as yuan; None where there is none."""
    if row["value"] is None:
        return None
    return format_yuan(row["value"], grouped=grouped) if row["unit"] == "fen" else str(row["value"])
