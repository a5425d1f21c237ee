"""结算考核指标 as tables: each fund and its institutions, and the point value of every month."""

from collections.abc import Mapping
from typing import Any

from ledger.domain.fund import fund_name
from projections.reports.model import Kind, Table, columns_in, table


def measures_tables(document: Mapping[str, Any], *, lang: str) -> list[Table]:
    """Lay a measures document out; a measure without a value is an empty cell."""
    columns = columns_in(
        lang,
        ("险种", "fund", Kind.TEXT, 14),
        ("机构", "institution", Kind.TEXT, 36),
        ("机构数", "institutions", Kind.COUNT, 8),
        ("批次", "batches", Kind.COUNT, 8),
        ("病例", "cases", Kind.COUNT, 10),
        ("审定(元)", "settled (yuan)", Kind.FEN, 18),
        ("记账(元)", "booked (yuan)", Kind.FEN, 18),
        ("应付(元)", "due (yuan)", Kind.FEN, 18),
        ("应付÷记账%", "due÷booked %", Kind.RATIO, 12),
        ("记账÷应付%", "booked÷due %", Kind.RATIO, 12),
        ("匹配率%", "match rate %", Kind.RATIO, 12),
        ("填报准确率%", "accuracy %", Kind.RATIO, 12),
        ("误差率%", "error rate %", Kind.RATIO, 12),
        ("CMI", "CMI", Kind.RATIO, 10),
        ("次均费用(元)", "average cost (yuan)", Kind.FEN, 16),
    )
    rows = [
        (
            row["fund"],
            f"{row['institution']} {row['name']}" if row["institution"] else _all(row, lang),
            *(row[name] for name in ("institutions", "batches", "cases")),
            *(row[name] for name in ("settled_fen", "booked_fen", "due_fen")),
            *(row[name] for name in ("due_over_booked", "booked_over_due", "match_rate")),
            *(row[name] for name in ("record_accuracy", "error_rate", "case_mix_index")),
            row["average_cost_fen"],
        )
        for row in document["measures"]
    ]
    whole = [number for number, row in enumerate(document["measures"]) if not row["institution"]]
    note = f"{document['area']} {document['period']}"
    note += (",日志位置" if lang == "zh" else ", log position") + f" {document['position']}"
    measures = table(
        "结算考核指标" if lang == "zh" else "Measures of settlement",
        columns,
        rows,
        notes=[note],
        emphasised=whole,
    )
    return [measures, _values(document, lang)]


def _all(row: Mapping[str, Any], lang: str) -> str:
    return f"{fund_name(row['fund'], lang)} " + ("合计" if lang == "zh" else "total")


def _values(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("险种", "fund", Kind.TEXT, 14),
        ("清算年月", "month", Kind.TEXT, 10),
        ("点值(元)", "point value (yuan)", Kind.RATIO, 16),
        ("清算批次", "run", Kind.TEXT, 34),
    )
    rows = [
        tuple(row[name] for name in ("fund", "period", "point_value", "run"))
        for row in document["point_values"]
    ]
    return table("各月点值" if lang == "zh" else "Point value by month", columns, rows)
