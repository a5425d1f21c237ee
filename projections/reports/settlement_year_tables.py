"""A year's statement in its parts (年度结算单): each month's run, and the clearing of the year."""

from collections.abc import Mapping
from typing import Any

from projections.reports.model import Cell, Kind, Table, columns_in, table
from projections.reports.settlement_words import YEAR, total

_MONTH = (
    ("记账", "booked", "booked_fen", 1),
    ("拒付", "refused", "refused_fen", -1),
    ("另行", "otherwise", "otherwise_fen", -1),
    ("未结", "waiting", "waiting_fen", -1),
    ("审定", "settled", "settled_fen", 1),
    ("保证金", "deposit", "deposit_fen", -1),
    ("差额", "difference", "difference_fen", 1),
    ("承保机构", "insurer", "insurer_fen", -1),
    ("抵扣追回", "recoveries", "offset_fen", -1),
    ("冲预付", "prepayment", "prepaid_fen", -1),
    ("结转入", "carried in", "carried_in_fen", 1),
    ("结转出", "carried out", "carried_out_fen", -1),
    ("应拨", "payable", "payable_fen", 1),
)
#: What one run hands to the next is not added up.
_HANDED_ON = {"carried_in_fen", "carried_out_fen"}


def months_table(document: Mapping[str, Any], lang: str) -> Table:
    """Print every run of a month with the steps from booked to payable, and their sums."""
    found = document["months"]
    names = [one for one in _MONTH if one[2] not in _RARE or any(row[one[2]] for row in found)]
    columns = columns_in(
        lang,
        ("清算年月", "month", Kind.TEXT, 10),
        *((zh, en, Kind.FEN, 14) for zh, en, _, _ in names),
    )
    rows: list[tuple[Cell, ...]] = [
        (row["period"], *(sign * row[name] for *_, name, sign in names)) for row in found
    ]
    sums = (
        None if name in _HANDED_ON else sum(sign * row[name] for row in found)
        for *_, name, sign in names
    )
    rows.append((total(lang), *sums))
    title = "各月清算(元)" if lang == "zh" else "Run by run (yuan)"
    return table(title, columns, rows, emphasised=[len(rows) - 1])


_RARE = {"otherwise_fen", "waiting_fen", "insurer_fen", "difference_fen"}


def year_table(one: Mapping[str, Any], lang: str, say: int) -> Table:
    """Print what the clearing of the year came to, in the order in which it adds up."""
    columns = columns_in(
        lang,
        (f"年度清算 {one['run']}", f"clearing of the year {one['run']}", Kind.TEXT, 40),
        ("金额(元)", "amount (yuan)", Kind.FEN, 22),
    )
    rows: list[tuple[Cell, ...]] = [
        (words[say], sign * one[name]) for words, name, sign, always in YEAR if always or one[name]
    ]
    sums = {"final_fen", "difference_fen"}
    shown = [name for _, name, _, always in YEAR if always or one[name]]
    return table(
        "年度清算计算" if lang == "zh" else "Clearing of the year",
        columns,
        rows,
        emphasised=[number for number, name in enumerate(shown) if name in sums],
    )
