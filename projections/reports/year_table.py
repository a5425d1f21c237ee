"""The lines of a cleared year as a table (年度清算明细): one row for each institution."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Kind, Table, columns_in, table

_AMOUNTS = (
    ("记账", "booked", "booked_fen"),
    ("应付", "due", "due_fen"),
    ("分担后", "after bands", "band_fen"),
    ("其中调节金承担", "of it borne by the reserve", "borne_fen"),
    ("其中结余返还", "of it surplus shared", "surplus_fen"),
    ("其他方法", "other methods", "priced_fen"),
    ("据实", "as booked", "as_booked_fen"),
    ("审核拒付", "refused", "refused_fen"),
    ("考核扣款", "assessed", "assessed_fen"),
    ("取整", "rounding", "rounding_fen"),
    ("最终", "final", "final_fen"),
    ("已结算", "settled", "settled_fen"),
    ("各月待结算", "expected of the months", "expected_fen"),
    ("差额", "difference", "difference_fen"),
    ("返还质量保证金", "deposit released", "release_fen"),
    ("不予返还质量保证金", "deposit forfeited", "forfeit_fen"),
)
_STATES = {
    "open": ("待确认", "open"),
    "confirmed": ("已确认", "confirmed"),
    "disputed": ("有异议", "disputed"),
    "dismissed": ("异议不予采纳", "dismissed"),
}


def year_table(document: Mapping[str, Any], lang: str) -> Table:
    """Write a run's lines with their sums at the end."""
    columns = [
        ("机构编码", "institution", Kind.TEXT, 16),
        ("机构名称", "name", Kind.TEXT, 24),
        ("考核得分", "score", Kind.TEXT, 10),
        ("机构意见", "said", Kind.TEXT, 14),
        ("点数", "points", Kind.TEXT, 16),
        ("例数", "cases", Kind.COUNT, 8),
        *((f"{zh}(元)", f"{en} (yuan)", Kind.FEN, 16) for zh, en, _ in _AMOUNTS),
    ]
    at = 0 if lang == "zh" else 1
    rows: list[tuple[str | int | None, ...]] = [
        (
            one["institution"],
            one["name"],
            one["score"],
            _STATES[one["standing"]["state"]][at],
            one["points"],
            one["cases"],
            *(one[key] for _, _, key in _AMOUNTS),
        )
        for one in document["institutions"]
    ]
    total = document["total"]
    sums = (total[key] for _, _, key in _AMOUNTS)
    rows.append(("合计" if lang == "zh" else "total", *[None] * 4, total["cases"], *sums))
    title = "年度清算批次" if lang == "zh" else "Clearing of the year"
    return table(
        f"{title} {document['run']}",
        columns_in(lang, *columns),
        rows,
        emphasised=[len(rows) - 1],
    )
