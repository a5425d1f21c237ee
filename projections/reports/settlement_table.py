"""The lines of a clearing run as a table (清算批次明细): one row for each institution."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Kind, Table, columns_in, table

_TEXTS = (
    ("机构编码", "institution", "institution", 16),
    ("机构名称", "name", "name", 24),
    ("收款机构", "payee", "payee", 16),
)
_AMOUNTS = (
    ("记账", "booked", "booked_fen"),
    ("审核拒付", "refused", "refused_fen"),
    ("另行拨付或扣减", "paid or taken off otherwise", "otherwise_fen"),
    ("暂不结算", "not settled now", "waiting_fen"),
    ("审定", "settled", "settled_fen"),
    ("其中代为申报", "of it declared on behalf", "on_behalf_fen"),
    ("质量保证金", "deposit", "deposit_fen"),
    ("应付差额", "to what is due", "difference_fen"),
    ("承保机构支付", "paid by the insurer", "insurer_fen"),
    ("抵扣追回", "recoveries offset", "offset_fen"),
    ("冲抵预付金", "prepayment offset", "prepaid_fen"),
    ("结转入", "carried in", "carried_in_fen"),
    ("结转出", "carried out", "carried_out_fen"),
    ("应拨付", "payable", "payable_fen"),
    ("当月应付", "due of the month", "due_fen"),
)


def settlement_table(document: Mapping[str, Any], lang: str) -> Table:
    """Write a run's lines with their sums at the end."""
    found = document["settlement"]
    columns = [
        *((zh, en, Kind.TEXT, width) for zh, en, _, width in _TEXTS),
        ("例数", "cases", Kind.COUNT, 8),
        *((f"{zh}(元)", f"{en} (yuan)", Kind.FEN, 16) for zh, en, _ in _AMOUNTS),
    ]
    rows: list[tuple[str | int | None, ...]] = [
        (
            *(one[key] for _, _, key, _ in _TEXTS),
            one["cases"],
            *(one[key] for _, _, key in _AMOUNTS),
        )
        for one in found["lines"]
    ]
    total = found["total"]
    sums = (total.get(key) for _, _, key in _AMOUNTS)
    rows.append(("合计" if lang == "zh" else "total", None, None, total["cases"], *sums))
    title = "清算批次" if lang == "zh" else "Clearing run"
    return table(
        f"{title} {document['run']}",
        columns_in(lang, *columns),
        rows,
        emphasised=[len(rows) - 1],
    )
