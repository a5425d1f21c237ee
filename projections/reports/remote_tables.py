"""A reconciled allocation as a table, for the other place and for the file (异地清分对账结果)."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Kind, Table, columns_in, table

ROLES = {
    "remote": ("参保地", "place of insurance"),
    "passthrough": ("就医地", "place of care"),
}


def remote_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay out every settlement that is not confirmed, with both sides."""
    columns = columns_in(
        lang,
        ("结算ID", "setl_id", Kind.TEXT, 28),
        ("退费标志", "refund", Kind.TEXT, 8),
        ("本区角色", "our role", Kind.TEXT, 12),
        ("状态", "state", Kind.TEXT, 10),
        ("就医地", "place of care", Kind.TEXT, 10),
        ("机构编号", "institution", Kind.TEXT, 16),
        ("本区医疗费(元)", "cost, ours (yuan)", Kind.FEN, 16),
        ("本区支付(元)", "paid, ours (yuan)", Kind.FEN, 16),
        ("清分医疗费(元)", "cost, allocated (yuan)", Kind.FEN, 16),
        ("清分支付(元)", "paid, allocated (yuan)", Kind.FEN, 16),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    rows = [
        [
            one["setl_id"],
            "1" if one["refund"] else "0",
            ROLES[one["role"]][lang != "zh"],
            *(one[key] for key in ("state_name", "mdtrtarea", "institution")),
            *(one[key] for key in ("ours_medfee_fen", "ours_fen")),
            *(one[key] for key in ("theirs_medfee_fen", "theirs_fen", "position")),
        ]
        for one in document["open"]
    ]
    title = "异地清分对账差异" if lang == "zh" else "Allocation across areas: open settlements"
    area, period, position = document["area"], document["period"], document["position"]
    note = (
        f"统筹区 {area},清分年月 {period},日志位置 {position}"
        if lang == "zh"
        else f"area {area}, allocated in {period}, log position {position}"
    )
    return table(title, columns, rows, notes=[note])
