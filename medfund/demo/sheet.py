"""The rows of the sample area's fund flows (基金收支流水), and what they do to money and balances."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from ledger.domain.fund import ASSISTANCE
from ledger.domain.period import Period

_INCOME = (
    "opening_balance",
    "contribution.",
    "subsidy.",
    "interest",
    "transfer_in",
    "superior_subsidy",
    "other_income",
    "breach_damages",
    "benefit_returned",
    "recovery",
    "suspense_settle",
)
_EXPENSE = (
    "contribution.refund",
    "benefit.",
    "catastrophic_premium",
    "remote_clearing_paid",
    "prepayment_offset",
    "transfer_out",
    "other_expense",
    "remit_up",
    "assisted_participation",
    "personal_credit",
)
#: Money that comes or goes without being income or expense (暂付、暂收、定期存款).
_PASSING = {
    "prepayment": -1,
    "prepayment_return": 1,
    "remote_prefund_out": -1,
    "remote_prefund_back": 1,
    "remote_received": 1,
    "remote_paid_on": -1,
    "suspense_in": 1,
    "suspense_out": -1,
    "advance_out": -1,
    "advance_back": 1,
    "deposit_in": -1,
    "deposit_back": 1,
}
_MOVES = {
    "move.treasury_to_fiscal": ("treasury", "fiscal"),
    "move.fiscal_to_expenditure": ("fiscal", "expenditure"),
    "move.expenditure_interest_to_fiscal": ("expenditure", "fiscal"),
}
#: What is paid from the expenditure account (支出户) where the row names no account.
_FROM_EXPENDITURE = (
    "benefit.",
    "catastrophic_premium",
    "prepayment",
    "transfer_out",
    "other_expense",
    "remit_up",
    "advance_out",
)


@dataclass(frozen=True, slots=True)
class Flow:
    """One row of a fund_flows file; `fen` is written as yuan."""

    day: date
    fund: str
    item: str
    fen: int
    doc_no: str = ""
    belongs_to: str = ""
    counterparty: str = ""
    counterparty_fund: str = ""
    money_account: str = ""
    original_doc: str = ""
    original_year: str = ""
    method: str = ""
    account: str = ""
    channel: str = ""
    person_class: str = ""
    note: str = ""

    @property
    def effect(self) -> int:
        """Say by how much the accumulated balance (累计结余) of the row's own fund changes."""
        if self.method == "offset" and self.item == "recovery":
            return 0  # booked gross: what is paid and what is recovered meet in the same row
        if self.item.startswith(_EXPENSE):
            return -self.fen
        return self.fen if self.item.startswith(_INCOME) else 0

    def changes(self) -> Iterator[tuple[str, str, int]]:
        """Say what the row brings to and takes from money accounts: fund, account, fen."""
        if self.item in _MOVES:
            source, target = _MOVES[self.item]
            yield self.fund, source, -self.fen
            yield self.fund, target, self.fen
        elif self.item != "prepayment_offset" and not self.account:
            change = self.effect or _PASSING.get(self.item, 0) * self.fen
            yield self.fund, self._place(), change
            if self.counterparty_fund:
                yield self.counterparty_fund, "fiscal", self.fen

    def _place(self) -> str:
        spent = self.item.startswith(_FROM_EXPENDITURE) and self.fund != ASSISTANCE
        return self.money_account or ("expenditure" if spent else "fiscal")


class FlowSheet:
    """Collects flows, numbers them per fund and month, and knows what is left where."""

    def __init__(self) -> None:
        self._rows: dict[Period, list[Flow]] = defaultdict(list)
        self._numbers: Counter[tuple[str, Period]] = Counter()
        self._money: Counter[tuple[str, str]] = Counter()
        self._spent: Counter[tuple[str, str, Period]] = Counter()
        self._net: Counter[str] = Counter()

    def add(self, flow: Flow) -> str:
        """Take a flow and give its number, unless it has one; a flow of nothing is not taken."""
        if flow.fen == 0:
            return ""
        month = Period.of(flow.day)
        number = flow.doc_no or self._next_number(flow.fund, month)
        self._rows[month].append(replace(flow, doc_no=number))
        for fund, account, change in flow.changes():
            self._money[fund, account] += change
            if change < 0:
                self._spent[fund, account, month] -= change
        self._net[flow.fund] += flow.effect
        if flow.counterparty_fund:
            self._net[flow.counterparty_fund] += flow.fen
        return number

    def _next_number(self, fund: str, month: Period) -> str:
        self._numbers[fund, month] += 1
        short = fund.replace(".pooled", "T").replace(".personal", "G")
        return f"{short}-{month.year}{month.month:02d}-{self._numbers[fund, month]:04d}"

    def months(self) -> list[Period]:
        """List the months that have flows."""
        return sorted(self._rows)

    def rows(self, month: Period) -> list[Flow]:
        """List a month's flows by day, in the order they were taken within a day."""
        return sorted(self._rows[month], key=lambda flow: flow.day)

    def net(self, fund: str) -> int:
        """Say by how much all flows change the accumulated balance of a fund."""
        return self._net[fund]

    def spent(self, fund: str, account: str, month: Period) -> int:
        """Say what leaves a money account in a month."""
        return self._spent[fund, account, month]

    def left(self, fund: str, account: str) -> int:
        """Say what lies in a money account after everything taken so far."""
        return self._money[fund, account]
