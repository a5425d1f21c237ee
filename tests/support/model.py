"""A small pure model of the books: what the ledger must say, kept in two dictionaries.

It knows the rules of a month (open, frozen, sealed) and how a document moves a fund's accounts by
the standard's own words; it knows nothing of events, stores, postings or projections.
"""

from collections import defaultdict
from dataclasses import dataclass, field

INCOME = {"利息": "利息收入", "个人缴费": "社会保险费收入—个人缴费"}
EXPENSE = {"住院": "社会保险待遇支出—住院", "门诊": "社会保险待遇支出—门诊统筹"}
FISCAL, EXPENDITURE, NET = "财政专户存款", "支出户存款", "一般基金结余"
Changes = list[tuple[str, str, int]]  # fund, account, fen; debit is positive


def changes_of(item: str, fund: str, fen: int) -> Changes:
    """Say what a document does to the accounts."""
    if item in INCOME:
        return [(fund, FISCAL, fen), (fund, INCOME[item], -fen)]
    if item in EXPENSE:
        place = FISCAL if fund == "610" else EXPENDITURE
        return [(fund, EXPENSE[item], fen), (fund, place, -fen)]
    if item == "资助参保支出":
        paid = [("610", "资助参保支出", fen), ("610", FISCAL, -fen)]
        return [*paid, ("390", FISCAL, fen), ("390", "社会保险费收入—资助参保", -fen)]
    assert item == "罚款", item  # due to the treasury, never the fund's (条例 art. 45)
    return []


@dataclass
class Fund:
    """How far the months of one fund are closed; a month is a number, December a multiple of 12."""

    sealed: int
    frozen: bool = False  # the month after the sealed ones waits for its reviewer
    transfers: dict[int, Changes] = field(default_factory=dict)

    @property
    def open_from(self) -> int:
        return self.sealed + 1 + self.frozen


class Model:
    """The books of a bureau as a bookkeeper would keep them on paper."""

    def __init__(self, *funds: str, first: int) -> None:
        self.funds = {fund: Fund(first - 1) for fund in funds}
        self.documents: dict[str, tuple[int, Changes]] = {}  # what stands: booking month, changes
        self.claims: dict[str, tuple[str, int]] = {}  # what stands: fund, fen
        self.booked: list[tuple[int, Changes]] = []

    def month_for(self, month: int, changes: Changes) -> int:
        """Give the booking month: its own, else the first one open in every fund it touches."""
        touched = {fund for fund, _, _ in changes}
        return max([month, *(self.funds[fund].open_from for fund in touched)])

    def post(self, doc_no: str, item: str, fund: str, fen: int, month: int) -> int:
        changes = changes_of(item, fund, fen)
        booked = self.month_for(month, changes)
        self.documents[doc_no] = booked, changes
        self.booked.append((booked, changes))
        return booked

    def reverse(self, doc_no: str) -> int:
        month, changes = self.documents.pop(doc_no)
        booked = self.month_for(month, changes)
        self.booked.append((booked, [(fund, name, -fen) for fund, name, fen in changes]))
        return booked

    def seal(self, fund: str) -> None:
        book = self.funds[fund]
        book.sealed, book.frozen = book.sealed + 1, False
        if book.sealed % 12 == 0:
            changes: Changes = []
            for (owner, name), fen in self.balances(book.sealed).items():
                if owner == fund and not name.endswith(("存款", NET)):
                    changes += [(fund, name, -fen), (fund, NET, fen)]
            book.transfers[book.sealed] = changes
            self.booked.append((book.sealed, changes))

    def reopen(self, fund: str) -> None:
        book = self.funds[fund]
        undone = book.transfers.pop(book.sealed, [])
        self.booked.append((book.sealed, [(fund, name, -fen) for _, name, fen in undone]))
        book.sealed -= 1

    def balances(self, until: int) -> dict[tuple[str, str], int]:
        """Give debit − credit of every account that is not nil, up to a month."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for month, changes in self.booked:
            for fund, name, fen in changes if month <= until else ():
                sums[fund, name] += fen
        return {key: fen for key, fen in sums.items() if fen}

    def owed(self, fund: str) -> int:
        return sum(fen for owner, fen in self.claims.values() if owner == fund)
