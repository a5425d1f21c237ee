"""结算单 as tables: the statement that an institution is given and people sign, and its settlements.

The first sheet goes from claims to the bank's line; the second lists the settlements one by one, and
adds up to the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from projections.queries.bridge import ALWAYS
from projections.reports.model import Cell, Kind, Table, columns_in, table
from projections.reports.settlement_pay_tables import bank_table, orders_table, plan_table
from projections.reports.settlement_words import (
    AGREES,
    BRIDGE,
    CLR_TYPES,
    KINDS,
    SETTLED,
    STANDINGS,
    nothing,
    total,
)
from projections.reports.settlement_year_tables import months_table, year_table

SIGNATURES = {
    "zh": ("经办:", "复核:", "负责人:", "定点机构(盖章):", *("日期:",) * 4),
    "en": ("Prepared by:", "Reviewed by:", "Head:", "Institution (seal):", *("Date:",) * 4),
}


def settlement_tables(
    document: Mapping[str, Any],
    *,
    methods: Sequence[Mapping[str, Any]],
    lines: Sequence[Mapping[str, Any]],
    lang: str,
) -> list[Table]:
    """Lay a statement out: one sheet from claims to the bank, one with every settlement."""
    say = 0 if lang == "zh" else 1
    first = [
        _claims(document, lang, say),
        *([_methods(methods, lang, say)] if methods else []),
        _runs(document, lang, say),
        _refusals(document, lang),
        *([_offsets(document, lang)] if document["offsets"] else []),
        *([months_table(document, lang)] if document["months"] else []),
        *(year_table(one, lang, say) for one in document["year"]),
        _bridge(document, lang, say),
        plan_table(document, lang, say),
        orders_table(document, lang),
        bank_table(document, lang, say),
    ]
    whose = " ".join(
        document[name] or "" for name in ("institution", "name", "fund", "period")
    ).strip()
    first[0] = replace(first[0], overleaf=f"{first[0].title}  {whose}")
    below = [first[0], *(replace(one, below=True) for one in first[1:])]
    below[-1] = replace(below[-1], signatures=SIGNATURES[lang])
    return [*below, replace(_lines(document, lines, lang, say), signatures=SIGNATURES[lang])]


def _claims(document: Mapping[str, Any], lang: str, say: int) -> Table:
    columns = columns_in(
        lang,
        ("清算类别", "clr_type", Kind.TEXT, 30),
        ("结算笔数", "settlements", Kind.COUNT, 14),
        ("退费笔数", "refunds", Kind.COUNT, 14),
        ("记账金额(元)", "booked (yuan)", Kind.FEN, 20),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            " ".join((row["clr_type"], CLR_TYPES.get(row["clr_type"], ("", ""))[say])).strip(),
            row["settlements"],
            row["refunds"],
            row["booked_fen"],
        )
        for row in document["claims"]
    ]
    rows.append(
        (
            total(lang),
            *(
                sum(row[name] for row in document["claims"])
                for name in ("settlements", "refunds", "booked_fen")
            ),
        )
    )
    title = f"{document['area_name']}医疗保障基金结算单"
    if lang != "zh":
        title = f"Settlement statement, {document['area_name']}"
    return table(title, columns, rows, notes=_heading(document, lang), emphasised=[len(rows) - 1])


def _heading(document: Mapping[str, Any], lang: str) -> list[str]:
    """Say whose statement it is, of what, and by which run and policy."""
    fund = f"{document['fund']} {fund_name(document['fund'], lang)}"
    who = f"{document['institution']} {document['name']}"
    if lang == "zh":
        notes = [
            f"定点医药机构:{who}    统筹区:{document['area']} {document['area_name']}",
            f"基金:{fund}    清算年月:{document['period']}    单位:元",
        ]
    else:
        notes = [
            f"Institution: {who}    Area: {document['area']} {document['area_name']}",
            f"Fund: {fund}    Period: {document['period']}    Amounts in yuan",
        ]
    # The head of a year names the runs of the year; those of its months stand on their statements.
    of_year = len(document["period"]) == len("2024")
    for run in (one for one in document["runs"] if one["of_year"] == of_year):
        words = (
            ("批次", "政策", "政策哈希", "日志位置", "计划哈希", "结果摘要")
            if lang == "zh"
            else ("Run", "policy", "policy hash", "log position", "plan", "result")
        )
        values = ("run", "policy", "policy_hash", "watermark", "plan_hash", "result")
        pairs = zip(words, (run[name] or "-" for name in values), strict=True)
        notes.append("  ".join(f"{word} {value}" for word, value in pairs))
    asof = "截至日志位置" if lang == "zh" else "As of log position"
    return [*notes, f"{asof} {document['position']}"]


def _methods(methods: Sequence[Mapping[str, Any]], lang: str, say: int) -> Table:
    """Print what each method makes of the cases; of a year month by month, as each was settled."""
    by_month = len({one["month"] for one in methods}) > 1
    columns = columns_in(
        lang,
        *([("清算年月", "month", Kind.TEXT, 10)] if by_month else []),
        ("支付方式", "method", Kind.TEXT, 24),
        ("病例数", "cases", Kind.COUNT, 10),
        ("总费用(元)", "cost (yuan)", Kind.FEN, 20),
        ("记账(元)", "booked (yuan)", Kind.FEN, 20),
        ("点数", "points", Kind.RATIO, 16),
        ("点值(元)", "point value (yuan)", Kind.RATIO, 14),
        ("应付(元)", "due (yuan)", Kind.FEN, 20),
        ("应付÷记账", "due÷booked", Kind.RATIO, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *([one["month"]] if by_month else []),
            f"{one['method']} {KINDS.get(one['kind'], (one['kind'],) * 2)[say]}",
            one["cases"],
            one["cost_fen"],
            one["booked_fen"],
            one["points"],
            one["value"],
            one["due_fen"],
            one["due_over_booked"],
        )
        for one in methods
    ]
    sums = [sum(one[name] for one in methods) for name in ("cases", "cost_fen", "booked_fen")]
    due = sum(one["due_fen"] for one in methods)
    before = [None] if by_month else []
    rows.append((*before, total(lang), *sums, None, None, due, None))
    title = "按支付方式测算(仅计入清算的病例)" if lang == "zh" else "By payment method"
    notes = []
    if by_month:
        notes = [
            "各月按当月点值测算;全年重新计算的结果见年度清算计算"
            if lang == "zh"
            else "Each month by its own point value; what the year comes to stands below"
        ]
    return table(title, columns, rows, notes=notes, emphasised=[len(rows) - 1])


def _runs(document: Mapping[str, Any], lang: str, say: int) -> Table:
    columns = columns_in(
        lang,
        ("事项", "step", Kind.TEXT, 20),
        ("编号", "number", Kind.TEXT, 34),
        ("日期", "date", Kind.TEXT, 12),
        ("金额(元)", "amount (yuan)", Kind.FEN, 20),
        ("经办", "by", Kind.TEXT, 12),
        ("复核", "approved by", Kind.TEXT, 12),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    words = (("申报", "declared"), ("代为申报", "declared on its behalf"))
    rows: list[tuple[Cell, ...]] = [
        (
            words[one["application"] is None][say],
            one["application"] or one["run"],
            *(one[name] for name in ("date", "amount_fen", "by", "decided_by", "position")),
        )
        for one in document["applications"]
    ]
    rows += [
        (
            SETTLED[run["of_year"], run["state"]][say],
            run["run"],
            *(run["date"], run["payable_fen"], run["prepared_by"], run["decided_by"]),
            run["position"],
        )
        for run in document["runs"]
    ]
    title = "申报与清算" if lang == "zh" else "Applications and runs"
    return table(title, columns, rows or [nothing(lang, columns)])


def _refusals(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("拒付单号", "refusal", Kind.TEXT, 20),
        ("日期", "date", Kind.TEXT, 12),
        ("理由", "reason", Kind.TEXT, 40),
        ("结算ID", "setl_id", Kind.TEXT, 28),
        ("金额(元)", "amount (yuan)", Kind.FEN, 18),
        ("撤销日期", "withdrawn", Kind.TEXT, 12),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    found = document["refusals"]
    rows: list[tuple[Cell, ...]] = [
        (
            one["doc_no"],
            one["date"],
            f"{one['reason_code']} {one['reason']}",
            *(one[name] for name in ("setl_id", "amount_fen", "withdrawn_on", "position")),
        )
        for one in found
    ]
    if len(rows) > 1:
        standing = sum(one["amount_fen"] for one in found if one["withdrawn_on"] is None)
        words = "合计(不含已撤销)" if lang == "zh" else "total, without what was withdrawn"
        rows.append((words, None, None, None, standing, None, None))
    title = "审核拒付" if lang == "zh" else "Refused in the audit"
    emphasised = [len(rows) - 1] if len(rows) > 1 else []
    return table(title, columns, rows or [nothing(lang, columns)], emphasised=emphasised)


def _offsets(document: Mapping[str, Any], lang: str) -> Table:
    columns = columns_in(
        lang,
        ("追回单号", "recovery", Kind.TEXT, 28),
        ("批次", "run", Kind.TEXT, 34),
        ("日期", "date", Kind.TEXT, 12),
        ("本次抵扣(元)", "taken (yuan)", Kind.FEN, 20),
        ("日志位置", "log position", Kind.COUNT, 12),
    )
    rows = [
        tuple(one[name] for name in ("doc_no", "run", "date", "fen", "position"))
        for one in document["offsets"]
    ]
    return table("抵扣追回款" if lang == "zh" else "Recoveries taken off", columns, rows)


def _bridge(document: Mapping[str, Any], lang: str, say: int) -> Table:
    """Print the bridge, line by line, and whether every witness agrees with it."""
    columns = columns_in(
        lang,
        ("勾稽", "bridge", Kind.TEXT, 40),
        ("金额(元)", "amount (yuan)", Kind.FEN, 22),
        ("依据", "by", Kind.TEXT, 34),
        ("日期", "date", Kind.TEXT, 12),
        ("日志位置", "log position", Kind.TEXT, 12),
    )
    rows: list[tuple[Cell, ...]] = [
        (BRIDGE[one["key"]][say], one["fen"], *_grounds(one, lang))
        for one in document["bridge"]
        if one["fen"] or one["key"] in ALWAYS
    ]
    sums = (
        ("应拨金额", "Payable", "payable_fen"),
        ("减:尚未付讫", "less: not paid yet", "unpaid_fen"),
        ("实拨金额(银行付讫)", "Paid", "paid_fen"),
    )
    emphasised = [len(rows), len(rows) + 2]
    rows += [
        (
            words[say],
            -document[key] if key == "unpaid_fen" else document[key],
            *(_paid_by(document, lang) if key == "paid_fen" else (None, None, None)),
        )
        for *words, key in sums
    ]
    if document["paid_otherwise_fen"]:
        words = ("  其中:未经付款单拨付", "  of it: without a payment order")
        rows.append((words[say], document["paid_otherwise_fen"], None, None, None))
    return table(
        "从记账到实拨" if lang == "zh" else "From booked to paid",
        columns,
        rows,
        notes=[agreement(document, lang)],
        emphasised=emphasised,
    )


def _grounds(row: Mapping[str, Any], lang: str) -> tuple[str | None, ...]:
    """Name the documents that a row of the bridge is made of; of many, how many there are."""
    if row["key"] == "booked":
        return ("见结算明细" if lang == "zh" else "see the settlements", None, None)
    return _named([(one["number"], one["date"], one["position"]) for one in row["documents"]], lang)


def _paid_by(document: Mapping[str, Any], lang: str) -> tuple[str | None, ...]:
    return _named(
        [
            (one["order_no"], one["date"], one["answered_at"])
            for one in document["payments"]
            if one["state"] == "paid"
        ],
        lang,
    )


def _named(documents: Sequence[tuple[str, str, int]], lang: str) -> tuple[str | None, ...]:
    """Name documents with their dates and log positions: one by one, or first to last."""
    if not documents:
        return (None, None, None)
    numbers = list(dict.fromkeys(number for number, _, _ in documents))
    said = numbers[0]
    if len(numbers) > 1:
        said += f" 等 {len(numbers)} 份" if lang == "zh" else f" and {len(numbers) - 1} more"
    dates = sorted({date for _, date, _ in documents})
    positions = sorted({str(position) for _, _, position in documents}, key=int)
    ends = [(dates[0], dates[-1]), (positions[0], positions[-1])]
    return (said, *(one if one == last else f"{one}–{last}" for one, last in ends))


def agreement(document: Mapping[str, Any], lang: str) -> str:
    """Say with a mark whether the bridge holds: its sum, and each witness."""
    say = 0 if lang == "zh" else 1
    adds_up = sum(one["fen"] for one in document["bridge"]) == document["payable_fen"]
    adds_up = adds_up and document["payable_fen"] - document["unpaid_fen"] == document["paid_fen"]
    marks = [(("勾稽平衡", "the bridge adds up")[say], adds_up)]
    marks += [
        ((f"与{AGREES[key][0]}一致", f"agrees with the {AGREES[key][1]}")[say], agrees)
        for key, agrees in document["agrees"].items()
    ]
    return "    ".join(f"{'√' if holds else '×'} {words}" for words, holds in marks)


def _lines(
    document: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], lang: str, say: int
) -> Table:
    columns = columns_in(
        lang,
        ("结算ID", "setl_id", Kind.TEXT, 28),
        ("结算日期", "date", Kind.TEXT, 12),
        ("类别", "clr_type", Kind.TEXT, 10),
        ("病种(组)", "group", Kind.TEXT, 14),
        ("天数", "days", Kind.TEXT, 6),
        ("总费用(元)", "cost (yuan)", Kind.FEN, 16),
        ("记账(元)", "booked (yuan)", Kind.FEN, 16),
        ("支付方式", "method", Kind.TEXT, 16),
        ("判定", "standing", Kind.TEXT, 20),
        ("点数", "points", Kind.RATIO, 14),
        ("定额(元)", "price (yuan)", Kind.FEN, 14),
        ("日志位置", "log position", Kind.COUNT, 10),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            one["setl_id"],
            one["date"],
            _kind_of_line(one, say),
            one["group"],
            one["days"],
            one["cost_fen"],
            one["charged_fen"],
            one["method"],
            STANDINGS.get(one["standing"], (one["standing"],) * 2)[say]
            if one["standing"]
            else None,
            one["points"],
            one["worth_fen"],
            one["position"],
        )
        for one in lines
    ]
    charged = sum(int(row[6] or 0) for row in rows)
    rows.append((total(lang), *(None,) * 5, charged, *(None,) * 5))
    booked = next(one["fen"] for one in document["bridge"] if one["key"] == "booked")
    mark = "√" if charged == booked else "×"
    words = f"{mark} 逐笔合计 {format_yuan(charged)},结算单记账 {format_yuan(booked)}"
    if lang != "zh":
        words = f"{mark} lines add up to {format_yuan(charged)}, booked {format_yuan(booked)}"
    title = "结算明细" if lang == "zh" else "Settlements"
    return table(
        f"{title} {document['name']} {document['fund']} {document['period']}",
        columns,
        rows,
        notes=[words],
        emphasised=[len(rows) - 1],
    )


def _kind_of_line(one: Mapping[str, Any], say: int) -> str:
    words = CLR_TYPES.get(one["clr_type"], (one["clr_type"],) * 2)[say]
    if one["reversed"]:
        return f"{words} {('冲销', 'reversed')[say]}"
    return f"{words} {('退费', 'refund')[say]}" if one["refund"] else words
