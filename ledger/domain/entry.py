"""Balanced entries (分录) of the two books.

An entry is a tuple of postings; a posting debits one account and credits another *of the same
fund* with the same amount. So an entry balances in every fund and sub-fund it touches by
construction, and no fund can pay for another by accident (财会〔2017〕28号: every fund is an
independent accounting entity). Which book a posting belongs to follows from its accounts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Book(StrEnum):
    """The two books: the statutory one and the management sub-ledger."""

    CASH = "cash"  # 法定账 (收付实现制)
    OBLIGATIONS = "obligations"  # 应付账 (管理台账): what institutions are owed


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount in fen, debited (借) to one account and credited (贷) to another of one fund.

    ``fen`` is negative only in a red-letter reversal and in the refund of a settlement. ``party`` is whom it concerns where an
    account is kept by name (暂付款 and 应付 by institution).
    """

    fund: str
    debit: str
    credit: str
    fen: int
    party: str | None = None

    def __post_init__(self) -> None:
        if type(self.fen) is not int or self.fen == 0:
            raise ValueError(f"a posting needs a whole amount that is not nil, not {self.fen!r}")
        if self.debit == self.credit:
            raise ValueError(f"a posting needs two accounts, not {self.debit!r} twice")


Entry = tuple[Posting, ...]


class Side(NamedTuple):
    """One line of an entry as a voucher shows it: an account with a debit or a credit in fen."""

    fund: str
    account: str
    debit_fen: int
    credit_fen: int
    party: str | None


def sides(entry: Iterable[Posting]) -> Iterator[Side]:
    """Spell an entry out as debit and credit lines."""
    for posting in entry:
        yield Side(posting.fund, posting.debit, posting.fen, 0, posting.party)
        yield Side(posting.fund, posting.credit, 0, posting.fen, posting.party)


def move(fund: str, *, debit: str, credit: str, fen: int, party: str | None = None) -> Posting:
    """Post an amount; a negative one swaps the sides, so that the posting itself is positive."""
    if fen < 0:
        return Posting(fund, credit, debit, -fen, party)
    return Posting(fund, debit, credit, fen, party)


def red_letter(entry: Iterable[Posting]) -> Entry:
    """Reverse an entry in red (红字冲销): same accounts, same sides, negative amounts."""
    return tuple(
        Posting(posting.fund, posting.debit, posting.credit, -posting.fen, posting.party)
        for posting in entry
    )
