"""The journal (序时账) as a table: one row per line of a voucher (凭证), for CSV and Excel."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Column, Kind, Table, table

_HEADS = (
    ("凭证字号", "voucher", Kind.TEXT, 20),
    ("记账日期", "booked_on", Kind.TEXT, 12),
    ("单据日期", "date", Kind.TEXT, 12),
    ("单据号", "doc_no", Kind.TEXT, 20),
    ("摘要", "summary", Kind.TEXT, 40),
    ("险种", "fund", Kind.TEXT, 14),
    ("科目", "account", Kind.TEXT, 28),
    ("借方", "debit", Kind.FEN, 18),
    ("贷方", "credit", Kind.FEN, 18),
    ("对方", "party", Kind.TEXT, 18),
    ("附件", "attachments", Kind.COUNT, 6),
    ("制单", "prepared_by", Kind.TEXT, 10),
    ("复核", "reviewed_by", Kind.TEXT, 10),
    ("记账", "booked_by", Kind.TEXT, 10),
    ("冲销凭证", "reverses", Kind.TEXT, 20),
    ("来源批次", "intake", Kind.TEXT, 16),
    ("来源行", "line", Kind.COUNT, 8),
    ("日志位置", "position", Kind.COUNT, 10),
)


def journal_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay a journal document out as a table; a nil side is an empty cell."""
    columns = [Column(zh if lang == "zh" else en, kind, width) for zh, en, kind, width in _HEADS]
    rows = [
        (
            voucher["label"],
            voucher["booked_on"],
            voucher["date"],
            voucher["doc_no"],
            voucher["summary"],
            line["fund"],
            line["account_name"],
            line["debit_fen"] or None,
            line["credit_fen"] or None,
            line["party"],
            voucher["attachments"],
            voucher["prepared_by"],
            voucher["reviewed_by"],
            voucher["booked_by"],
            _label(voucher["reverses"]),
            voucher["source"]["intake"],
            voucher["source"]["line"],
            voucher["position"],
        )
        for voucher in document["vouchers"]
        for line in voucher["lines"]
    ]
    note = f"{document['area']} {document['period'] or ''} position {document['position']}"
    return table("序时账" if lang == "zh" else "Journal", columns, rows, notes=[note])


def _label(other: Any) -> str | None:
    """Name the voucher that a red-letter one reverses."""
    if isinstance(other, Mapping):
        return str(other.get("label") or other.get("position"))
    return None if other is None else str(other)
