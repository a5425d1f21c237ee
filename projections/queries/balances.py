"""余额表: balances per leaf fund and account, and what each fund took in, spent and holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger.domain.chart import CHART, AccountClass, account_name
from ledger.domain.entry import Book
from ledger.domain.fund import leaves
from projections.page import CLOSING
from projections.queries.known import KnownLedger, MonthKey, known_as_of, movements_by_month
from projections.queries.scope import scope_of
from projections.store import ReadStore

#: Where 累计结余 lies: fund balance, and income and expense not yet transferred to it.
_ACCUMULATED = frozenset({AccountClass.NET_ASSETS, AccountClass.INCOME, AccountClass.EXPENSE})
_CHART_ORDER = {key: number for number, key in enumerate(CHART)}


@dataclass(slots=True)
class FundSums:
    """A fund's year so far (合计 and 小计) and its 累计结余, in fen."""

    income: int = 0
    expense: int = 0
    income_subtotal: int = 0
    expense_subtotal: int = 0
    accumulated: int = 0

    def add(
        self, account: str, nature: str, debit: int, credit: int, /, *, this_year: bool
    ) -> None:
        """Add sums of one account; openings touch net assets only, so they are no income."""
        about = CHART[account]
        if about.kind in _ACCUMULATED:
            self.accumulated += credit - debit
        if nature == CLOSING or not this_year:
            return
        if about.kind is AccountClass.INCOME:
            self.income += credit - debit
            self.income_subtotal += credit - debit if about.in_subtotal else 0
        elif about.kind is AccountClass.EXPENSE:
            self.expense += debit - credit
            self.expense_subtotal += debit - credit if about.in_subtotal else 0

    def document(self, area: str, fund: str) -> dict[str, Any]:
        """Give the row of the contract; a negative accumulated balance is flagged, never refused."""
        row: dict[str, Any] = {
            "area": area,
            "fund": fund,
            "income_fen": self.income,
            "expense_fen": self.expense,
            "surplus_fen": self.income - self.expense,
            "accumulated_fen": self.accumulated,
            "income_subtotal_fen": self.income_subtotal,
            "expense_subtotal_fen": self.expense_subtotal,
        }
        return row | ({"flag": "negative_accumulated"} if self.accumulated < 0 else {})


def balances_document(
    store: ReadStore,
    ledger: KnownLedger,
    *,
    area: str | None,
    fund: str | None = None,
    as_of: date,
    known_at: int | None = None,
    book: str = Book.CASH,
    lang: str = "zh",
) -> dict[str, Any]:
    """Answer ``balances``: booked up to ``as_of``, known at ``known_at`` (contract §5)."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        known = known_as_of(reading, ledger, known_at)
        sums = movements_by_month(reading, known, area=scope.area, leaves=scope.leaves, until=as_of)
    return {
        "position": reading.position,
        "as_of": as_of.isoformat(),
        "known_at": known_at,
        "balances": _account_rows(sums, area=scope.area, leaves=scope.leaves, book=book, lang=lang),
        "funds": [
            _fund_sums(sums, code, as_of.year).document(scope.area, code) for code in scope.codes
        ],
    }


def _account_rows(
    sums: Mapping[MonthKey, tuple[int, int]],
    *,
    area: str,
    leaves: tuple[str, ...],
    book: str,
    lang: str,
) -> list[dict[str, Any]]:
    accounts: dict[tuple[str, str], list[int]] = {}
    for key, (debit, credit) in sums.items():
        if CHART[key.account].book == book:
            row = accounts.setdefault((key.fund, key.account), [0, 0])
            row[0] += debit
            row[1] += credit
    order = {leaf: number for number, leaf in enumerate(leaves)}
    in_order = sorted(accounts, key=lambda key: (order[key[0]], _CHART_ORDER[key[1]]))
    return [
        {
            "area": area,
            "fund": fund,
            "book": str(book),
            "account": account,
            "account_name": account_name(account, lang),
            "debit_fen": accounts[fund, account][0],
            "credit_fen": accounts[fund, account][1],
            "balance_fen": accounts[fund, account][0] - accounts[fund, account][1],
        }
        for fund, account in in_order
    ]


def _fund_sums(sums: Mapping[MonthKey, tuple[int, int]], code: str, year: int) -> FundSums:
    wanted = frozenset(leaves(code))
    found = FundSums()
    for key, (debit, credit) in sums.items():
        if key.fund in wanted:
            this_year = key.month.startswith(f"{year:04d}-")
            found.add(key.account, key.nature, debit, credit, this_year=this_year)
    return found
