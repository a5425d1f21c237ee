"""A batch of payment orders as a table for the bank (付款单): one row for each order."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Kind, Table, columns_in, table

_COLUMNS = (
    ("付款单号", "order", Kind.TEXT, 34),
    ("险种", "fund", Kind.TEXT, 12),
    ("付款日期", "date", Kind.TEXT, 12),
    ("机构编码", "institution", Kind.TEXT, 16),
    ("机构名称", "name", Kind.TEXT, 24),
    ("收款方编码", "payee", Kind.TEXT, 16),
    ("收款方名称", "payee name", Kind.TEXT, 24),
    ("金额(元)", "amount (yuan)", Kind.FEN, 16),
    ("清算年月", "months", Kind.TEXT, 20),
)


def payout_table(document: Mapping[str, Any], lang: str) -> Table:
    """Write the orders of a batch, with their sum at the end."""
    rows: list[tuple[str | int | None, ...]] = [
        (
            one["order_no"],
            document["fund"],
            document["date"],
            one["institution"],
            one["name"],
            one["payee"],
            one["payee_name"],
            one["amount_fen"],
            " ".join(part["month"] for part in one["months"]),
        )
        for one in document["lines"]
    ]
    whole = "合计" if lang == "zh" else "total"
    rows.append((whole, *(None,) * 6, document["total_fen"], None))
    title = "付款单" if lang == "zh" else "Payment orders"
    return table(
        f"{title} {document['payout']}",
        columns_in(lang, *_COLUMNS),
        rows,
        emphasised=[len(rows) - 1],
    )
