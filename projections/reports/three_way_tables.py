"""The three desks of an institution's month as a table (三方核对表)."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Cell, Kind, Table, columns_in, table

#: Every station with its head: Chinese, English.
STATIONS = {
    "booked_fen": ("已记账", "booked"),
    "applied_fen": ("机构申请", "applied for"),
    "declared_fen": ("已申报", "declared"),
    "refused_fen": ("拒付", "refused"),
    "deposit_fen": ("保证金", "deposit"),
    "approved_fen": ("审定", "approved"),
    "offset_fen": ("冲抵", "offset"),
    "ordered_fen": ("下付款单", "ordered"),
    "paid_fen": ("银行付讫", "paid"),
    "bank_fen": ("对账单已见", "in a statement"),
}


def three_way_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay out the stations of every institution and fund, and where they part."""
    unit = "(元)" if lang == "zh" else " (yuan)"
    columns = columns_in(
        lang,
        ("机构编号", "institution", Kind.TEXT, 16),
        ("机构名称", "name", Kind.TEXT, 28),
        ("基金", "fund", Kind.TEXT, 14),
        *((f"{zh}{unit}", f"{en}{unit}", Kind.FEN, 16) for zh, en in STATIONS.values()),
        ("差异所在", "where they part", Kind.TEXT, 60),
    )
    rows: list[list[Cell]] = [
        [
            row["institution"],
            row["name"],
            row["fund"],
            *(row[key] for key in STATIONS),
            "; ".join(f"{one['why']} {_yuan(one['fen'])}" for one in row["parts"]) or None,
        ]
        for row in document["rows"]
    ]
    area, period, position = document["area"], document["period"], document["position"]
    if lang == "zh":
        title, note = "三方核对表", f"统筹区 {area},清算年月 {period},日志位置 {position}"
    else:
        title, note = "Three desks", f"area {area}, month of care {period}, log position {position}"
    return table(title, columns, rows, notes=[note])


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
