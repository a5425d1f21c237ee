"""A reconciliation with institutions as tables, for the file that goes to the institution (对账结果)."""

from collections.abc import Iterator, Mapping
from typing import Any

from projections.reports.model import Cell, Kind, Table, columns_in, table

_SUMS = ("cases", "medfee_fen", "fund_fen", "account_fen")
_AMOUNTS = _SUMS[1:]
_PARTS = {"all": ("全部", "all"), "normal": ("正常", "normal"), "refunds": ("退费", "refunds")}


def reconciliation_tables(document: Mapping[str, Any], *, lang: str) -> list[Table]:
    """Lay out totals (institutions without a statement last), results by fund, and breaks."""
    return [
        _totals_table(document, lang),
        _funds_table(document, lang),
        _breaks_table(document, lang),
    ]


def _sides(*names: tuple[str, str, Kind]) -> Iterator[tuple[str, str, Kind, int]]:
    for side_zh, side_en in (("中心", "ours"), ("机构", "theirs")):
        for zh, en, kind in names:
            yield f"{side_zh}{zh}", f"{en}, {side_en}", kind, 16


_FIGURES = (
    ("医疗费总额(元)", "medical fee (yuan)", Kind.FEN),
    ("基金支付(元)", "fund (yuan)", Kind.FEN),
    ("个人账户(元)", "account (yuan)", Kind.FEN),
)


def _totals_table(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("机构编号", "institution", Kind.TEXT, 16),
        ("机构名称", "name", Kind.TEXT, 28),
        ("险种类型", "insutype", Kind.TEXT, 10),
        ("清算类别", "clr_type", Kind.TEXT, 10),
        ("范围", "part", Kind.TEXT, 8),
        ("对账结果代码", "result code", Kind.TEXT, 10),
        ("对账结果", "result", Kind.TEXT, 10),
        *_sides(("笔数", "cases", Kind.COUNT), *_FIGURES),
        ("挂账天数", "days open", Kind.COUNT, 10),
    )
    rows = [_group_row(row, lang) for row in document["groups"]]
    rows += [_unreconciled_row(row, lang) for row in document["unreconciled"]]
    title = "机构对账结果(总账)" if lang == "zh" else "Reconciliation with institutions: totals"
    return table(title, columns, rows, notes=[_note(document, lang)])


def _group_row(row: Mapping[str, Any], lang: str) -> list[Cell]:
    theirs = row["theirs"] or dict.fromkeys(_SUMS)
    return [
        row["institution"],
        row["name"],
        row["insutype"],
        row["clr_type"],
        _PARTS[row["part"]][lang != "zh"],
        row["result"],
        row["result_name"],
        *(row["ours"][key] for key in _SUMS),
        *(theirs[key] for key in _SUMS),
        _days(row),
    ]


def _unreconciled_row(row: Mapping[str, Any], lang: str) -> list[Cell]:
    missing = "未对账" if lang == "zh" else "no statement"
    ours = [row["ours"][key] for key in _SUMS]
    head: list[Cell] = [row["institution"], row["name"], None, None, None, None, missing]
    return [*head, *ours, *([None] * len(_SUMS)), _days(row)]


_REASONS = {
    "several_funds": ("对账单未分险种", "not stated by fund"),
    "no_statement": ("未对账", "no statement"),
    "no_fund": ("中心无此项应付", "no fund of ours owes it"),
}


def _funds_table(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("机构编号", "institution", Kind.TEXT, 16),
        ("机构名称", "name", Kind.TEXT, 28),
        ("基金", "fund", Kind.TEXT, 14),
        ("清算类别", "clr_type", Kind.TEXT, 10),
        ("中心应付(元)", "ours (yuan)", Kind.FEN, 18),
        ("机构金额(元)", "theirs (yuan)", Kind.FEN, 18),
        ("对账结果代码", "result code", Kind.TEXT, 10),
        ("对账结果", "result", Kind.TEXT, 12),
        ("说明", "note", Kind.TEXT, 20),
    )
    rows: list[list[Cell]] = [
        [
            row["institution"],
            row["name"],
            row["fund"],
            row["clr_type"],
            row["ours_fen"],
            row["theirs_fen"],
            row["result"],
            row["result_name"],
            _REASONS[row["reason"]][lang != "zh"] if row["reason"] else None,
        ]
        for row in document["by_fund"]
    ]
    title = "机构对账结果(分基金)" if lang == "zh" else "Reconciliation with institutions: by fund"
    return table(title, columns, rows, notes=[_note(document, lang)])


def _breaks_table(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("机构编号", "institution", Kind.TEXT, 16),
        ("结算ID", "setl_id", Kind.TEXT, 28),
        ("退费结算标志", "refd_setl_flag", Kind.TEXT, 8),
        ("对账结果代码", "result code", Kind.TEXT, 10),
        ("对账结果", "result", Kind.TEXT, 10),
        *_sides(*_FIGURES),
        ("日志位置", "log position", Kind.COUNT, 12),
        ("导入批次", "intake", Kind.TEXT, 16),
        ("文件行号", "line", Kind.COUNT, 10),
        ("挂账天数", "days open", Kind.COUNT, 10),
    )
    rows = [
        _break_row(result["institution"], row)
        for result in document["details"]
        for row in result["breaks"]
    ]
    title = "机构对账差异(明细账)" if lang == "zh" else "Reconciliation with institutions: breaks"
    return table(title, columns, rows, notes=[_note(document, lang)])


def _break_row(institution: str, row: Mapping[str, Any]) -> list[Cell]:
    nothing = dict.fromkeys(_AMOUNTS)
    return [
        institution,
        row["setl_id"],
        "1" if row["refund"] else "0",
        row["result"],
        row["result_name"],
        *((row["ours"] or nothing)[key] for key in _AMOUNTS),
        *((row["theirs"] or nothing)[key] for key in _AMOUNTS),
        row["position"],
        row["intake"],
        row["line"],
        _days(row),
    ]


def _days(row: Mapping[str, Any]) -> int | None:
    first = row["first_recorded"]
    return first["days"] if first else None


def _note(document: Mapping[str, Any], lang: str) -> str:
    area, period, position = document["area"], document["period"], document["position"]
    if lang == "zh":
        return f"统筹区 {area},结算月份 {period},日志位置 {position}"
    return f"area {area}, settled in {period}, log position {position}"
