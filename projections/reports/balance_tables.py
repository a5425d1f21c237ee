"""A four-way reconciliation as tables, for the file that goes to the bank or bureau (余额调节表)."""

from collections.abc import Iterator, Mapping
from typing import Any

from projections.reports.model import Cell, Kind, Table, columns_in, table

_Document = Mapping[str, Any]


def balance_tables(document: _Document, *, lang: str) -> list[Table]:
    """Lay out the balances with their adjustments, then what is open, then amounts that differ."""
    return [_balances(document, lang), _outstanding(document, lang), _unequal(document, lang)]


def _balances(document: _Document, lang: str) -> Table:
    columns = columns_in(
        lang,
        ("账户", "account", Kind.TEXT, 22),
        ("项目", "item", Kind.TEXT, 34),
        ("中心账(元)", "our books (yuan)", Kind.FEN, 18),
        ("对方账(元)", "their statement (yuan)", Kind.FEN, 18),
        ("说明", "note", Kind.TEXT, 34),
    )
    rows = [
        [account["account"], *row]
        for account in document["accounts"]
        for row in _account_rows(account, lang)
    ]
    title = "余额调节表" if lang == "zh" else "Reconciliation of balances"
    return table(title, columns, rows, notes=_notes(document, lang))


def _account_rows(account: _Document, lang: str) -> Iterator[list[Cell]]:
    zh = lang == "zh"
    by_sums = account["basis"] != "balance"
    since = account["since"]
    head = ("余额" if zh else "balance") if not by_sums else ("发生额合计" if zh else "movements")
    note = (f"自 {since} 起" if zh else f"since {since}") if by_sums else None
    yield [head, account["ours_fen"], account["theirs_fen"], note]
    for key, name_zh, name_en in (
        ("theirs_in_fen", "加:对方已收、我方未收", "plus: in theirs, received"),
        ("theirs_out_fen", "减:对方已付、我方未付", "less: in theirs, paid"),
    ):
        yield [name_zh if zh else name_en, account[key], None, None]
    for key, name_zh, name_en in (
        ("ours_in_fen", "加:我方已收、对方未收", "plus: in ours, received"),
        ("ours_out_fen", "减:我方已付、对方未付", "less: in ours, paid"),
    ):
        yield [name_zh if zh else name_en, None, account[key], None]
    adjusted = "调节后余额" if zh else "adjusted"
    result = account["result_name"]
    yield [adjusted, account["adjusted_ours_fen"], account["adjusted_theirs_fen"], result]
    if account["difference_fen"]:
        parts = (
            f"其中期初 {_yuan(account['opening_fen'])}、金额不符 {_yuan(account['unequal_fen'])}"
            if zh
            else f"opening {_yuan(account['opening_fen'])}, unequal {_yuan(account['unequal_fen'])}"
        )
        yield ["差额" if zh else "difference", account["difference_fen"], None, parts]


def _outstanding(document: _Document, lang: str) -> Table:
    columns = columns_in(
        lang,
        ("账户", "account", Kind.TEXT, 22),
        ("哪一方", "side", Kind.TEXT, 10),
        ("日期", "date", Kind.TEXT, 12),
        ("金额(元)", "amount (yuan)", Kind.FEN, 18),
        ("单据号/流水号", "reference", Kind.TEXT, 24),
        ("摘要", "text", Kind.TEXT, 36),
        ("未达天数", "days open", Kind.COUNT, 10),
        ("责任人", "owner", Kind.TEXT, 14),
        ("处理", "resolution", Kind.TEXT, 24),
        ("差异编号", "break", Kind.TEXT, 26),
    )
    rows: list[list[Cell]] = [
        [
            account["account"],
            _side(one, document, lang),
            one["date"],
            one["fen"],
            one["ref"],
            one["text"],
            one["days"],
            one["owner"],
            one.get("way_name"),
            one.get("break"),
        ]
        for account in document["accounts"]
        for one in account["outstanding"]
    ]
    title = "未达账项" if lang == "zh" else "Outstanding items"
    return table(title, columns, rows, notes=_notes(document, lang))


def _unequal(document: _Document, lang: str) -> Table:
    columns = columns_in(
        lang,
        ("账户", "account", Kind.TEXT, 22),
        ("单据号", "reference", Kind.TEXT, 24),
        ("中心金额(元)", "ours (yuan)", Kind.FEN, 18),
        ("对方金额(元)", "theirs (yuan)", Kind.FEN, 18),
        ("中心日期", "date, ours", Kind.TEXT, 12),
        ("对方日期", "date, theirs", Kind.TEXT, 12),
        ("差异编号", "break", Kind.TEXT, 26),
    )
    rows: list[list[Cell]] = [
        [
            account["account"],
            one["ours"]["ref"],
            one["ours"]["fen"],
            one["theirs"]["fen"],
            one["ours"]["date"],
            one["theirs"]["date"],
            one.get("break"),
        ]
        for account in document["accounts"]
        for one in account["unequal"]
    ]
    title = "金额不符" if lang == "zh" else "Amounts that differ"
    return table(title, columns, rows, notes=_notes(document, lang))


def _side(one: _Document, document: _Document, lang: str) -> str:
    if one["side"] != "ours":
        return str(document["counterparty_name"])
    return "中心" if lang == "zh" else "ours"


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _notes(document: _Document, lang: str) -> list[str]:
    area, period, position = document["area"], document["period"], document["position"]
    name, signed = document["counterparty_name"], document.get("signature") or {}
    recorded, by = signed.get("recorded_by") or "-", signed.get("signed_by") or "-"
    if lang == "zh":
        return [
            f"统筹区 {area},与{name},{period},日志位置 {position}",
            f"登记:{recorded} 复核签字:{by}",
        ]
    return [
        f"area {area}, with the {name}, {period}, log position {position}",
        f"recorded by {recorded}, signed by {by}",
    ]
