"""Balanced entries (分录) of the two books.

A line says which fund it touches; an entry balances in every fund and sub-fund it touches, so that
no fund ever pays for another by accident (财会〔2017〕28号: every fund is an independent entity).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ledger.errors import BooksDamaged


class Book(StrEnum):
    """The two books: the statutory one and the management sub-ledger."""

    CASH = "cash"  # 法定账 (收付实现制)
    OBLIGATIONS = "obligations"  # 应付账 (管理台账): what institutions are owed


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry (借方或贷方) in fen; negative only in a red-letter reversal (红字冲销).

    ``party`` is whom the amount concerns where the account is kept by name (暂付款 by institution).
    """

    fund: str
    account: str
    debit_fen: int = 0
    credit_fen: int = 0
    party: str | None = None


Entry = tuple[Line, ...]


class UnbalancedEntry(BooksDamaged):
    """Debits and credits of a fund differ (借贷不平)."""

    code = "unbalanced_entry"
    zh = "分录在险种 {fund} 上借贷不平:借方 {debit_fen} 分,贷方 {credit_fen} 分。"
    en = (
        "The entry does not balance in fund {fund}: debit {debit_fen} fen, credit {credit_fen} fen."
    )
    hint_zh = "这是程序错误,请停止记账并联系维护人员。"
    hint_en = "This is a defect of the program: stop posting and call its maintainers."


def balanced(lines: Iterable[Line]) -> Entry:
    """Give the lines as an entry after checking that they balance in every fund they touch."""
    entry = tuple(lines)
    sums: dict[str, list[int]] = {}
    for line in entry:
        if (line.debit_fen == 0) == (line.credit_fen == 0):
            raise UnbalancedEntry(
                fund=line.fund, debit_fen=line.debit_fen, credit_fen=line.credit_fen
            )
        amounts = sums.setdefault(line.fund, [0, 0])
        amounts[0] += line.debit_fen
        amounts[1] += line.credit_fen
    for fund, (debit, credit) in sums.items():
        if debit != credit:
            raise UnbalancedEntry(fund=fund, debit_fen=debit, credit_fen=credit)
    return entry


def transfer(
    fund: str,
    *,
    debit: str,
    credit: str,
    fen: int,
    debit_party: str | None = None,
    credit_party: str | None = None,
) -> Entry:
    """Debit one account and credit another of the same fund; a negative amount swaps the sides."""
    if fen < 0:
        return transfer(
            fund,
            debit=credit,
            credit=debit,
            fen=-fen,
            debit_party=credit_party,
            credit_party=debit_party,
        )
    return balanced(
        (
            Line(fund, debit, debit_fen=fen, party=debit_party),
            Line(fund, credit, credit_fen=fen, party=credit_party),
        )
    )


def red_letter(entry: Entry) -> Entry:
    """Reverse an entry in red (红字冲销): same accounts, same sides, negative amounts."""
    return balanced(
        Line(line.fund, line.account, -line.debit_fen, -line.credit_fen, line.party)
        for line in entry
    )
