"""A check of one-stop layers as a table, for whoever follows the deviations up (一站式核查结果)."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Kind, Table, columns_in, table

_UNSURE = {
    "history_begins": ("年度历史不完整", "history begins within the year"),
    "key_rotated": ("人员标识密钥已轮换", "the person key was rotated"),
    "earlier_unjudged": ("年内有未核查的结算", "an earlier settlement was not judged"),
}


def unsure_name(reason: str | None, lang: str) -> str | None:
    """Say why what the year had used before may be incomplete."""
    return None if reason is None else _UNSURE[reason][lang != "zh"]


def layers_table(document: Mapping[str, Any], *, lang: str) -> Table:
    """Lay out every deviation with both amounts."""
    columns = columns_in(
        lang,
        ("结算ID", "setl_id", Kind.TEXT, 28),
        ("结算日期", "date", Kind.TEXT, 12),
        ("人员标识", "person", Kind.TEXT, 34),
        ("机构编号", "institution", Kind.TEXT, 16),
        ("医疗类别", "med_type", Kind.TEXT, 10),
        ("政策", "policy", Kind.TEXT, 20),
        ("规则", "rule", Kind.TEXT, 16),
        ("支付项", "part", Kind.TEXT, 16),
        ("结算金额(元)", "settled (yuan)", Kind.FEN, 16),
        ("政策金额(元)", "by policy (yuan)", Kind.FEN, 16),
        ("差额(元)", "difference (yuan)", Kind.FEN, 16),
        ("存疑", "unsure", Kind.TEXT, 24),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    rows = [
        [
            *(one[key] for key in ("setl_id", "date", "person", "institution", "med_type")),
            *(one[key] for key in ("policy", "rule", "part")),
            *(one[key] for key in ("settled_fen", "by_policy_fen", "difference_fen")),
            unsure_name(one["unsure"], lang),
            one["position"],
        ]
        for one in document["flagged"]
    ]
    title = "一站式待遇核查" if lang == "zh" else "Check of one-stop layers"
    area, fund, period = document["area"], document["fund"], document["period"]
    note = (
        f"统筹区 {area},险种 {fund},结算月份 {period},日志位置 {document['position']}"
        if lang == "zh"
        else f"area {area}, fund {fund}, settled in {period}, log position {document['position']}"
    )
    return table(title, columns, rows, notes=[note])
