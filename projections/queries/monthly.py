"""Figures by month of every fund: what growth, payable months and their kin are computed from.

Everything is in fen and by booking date; year-end transfers are left out, so that income and
expense of a closed year stay what they were. A month is a ``Period``; a fund a leaf (``310.pooled``,
``390``): a parent is the sum of its leaves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ledger.domain.fund import parent
from ledger.domain.period import Period, months_between


class Flows(NamedTuple):
    """What came in and went out. 合计 with 上解/补助; 小计 (``*_subtotal``) without."""

    income: int = 0
    expense: int = 0
    income_subtotal: int = 0
    expense_subtotal: int = 0
    benefit: int = 0  # 待遇支出 only: accounts expense.benefit.*

    def plus(self, other: "Flows") -> "Flows":
        """Add two flows up."""
        return Flows(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Levels(NamedTuple):
    """How a fund stands at the end of a month."""

    accumulated: int = 0  # 累计结余
    advances: int = 0  # 暂付款: accounts advance.*
    owed: int = 0  # booked and unpaid, summed over institutions that are owed something
    next_year_premiums: int = 0  # contributions (待转 included) for later years, booked so far
    deposits_held: int = 0  # 质量保证金 held apart; 0 as long as no such account is booked

    def plus(self, other: "Levels") -> "Levels":
        """Add two levels up."""
        return Levels(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class CareKey(NamedTuple):
    """A leaf fund, the month a flow was booked in and the month of care it is for (费款所属期)."""

    fund: str
    booked: Period
    care: Period


@dataclass(frozen=True, slots=True)
class MonthlyFigures:
    """The monthly figures of one area, as of one log position.

    ``flows`` and ``care`` hold only months with a movement. ``levels`` holds, per leaf, the months
    in which a level changed; ``level`` reads any month. ``first_months`` says where the history of a
    leaf begins: its first month with a flow other than openings and adjustments, or the month after
    its opening balance where that is earlier, never before the month its book was opened from; None
    without any history.
    """

    area: str
    position: int
    known_at: int | None
    funds: tuple[str, ...]
    leaves: tuple[str, ...]
    first_months: Mapping[str, Period | None]
    flows: Mapping[tuple[str, Period], Flows]
    care: Mapping[CareKey, Flows]
    levels: Mapping[str, Mapping[Period, Levels]]

    def flow(self, funds: Iterable[str], first: Period, last: Period) -> Flows:
        """Sum the flows of leaves over months, both ends included; a month without flows is nil."""
        total = Flows()
        for fund in funds:
            for month in months_between(first, last):
                total = total.plus(self.flows.get((fund, month), Flows()))
        return total

    def level(self, funds: Iterable[str], month: Period) -> Levels:
        """Sum the levels of leaves at the end of a month."""
        total = Levels()
        for fund in funds:
            reached = [changed for changed in self.levels.get(fund, {}) if changed <= month]
            if reached:
                total = total.plus(self.levels[fund][max(reached)])
        return total

    def by_care(
        self, funds: Iterable[str], first: Period, last: Period, *, booked_through: Period
    ) -> Flows:
        """Sum flows by month of care (费款所属期), as booked up to the end of a month."""
        wanted = set(funds)
        total = Flows()
        for key, flows in self.care.items():
            if key.fund in wanted and first <= key.care <= last and key.booked <= booked_through:
                total = total.plus(flows)
        return total

    def care_months(self, funds: Iterable[str], first: Period, last: Period) -> tuple[Period, ...]:
        """List the months of care inside the benefits booked from first to last.

        A year of cash expense can hold 11 or 13 settlement months.
        """
        wanted = set(funds)
        return tuple(
            sorted(
                {
                    key.care
                    for key, flows in self.care.items()
                    if key.fund in wanted and first <= key.booked <= last and flows.benefit
                }
            )
        )

    def first_month(self, funds: Iterable[str]) -> Period | None:
        """Give the month from which figures of these leaves together can be compared.

        A fund's history begins with the first of its sub-funds; that of several funds (``basic``)
        only where all of them that have a history have begun: a sum that one fund joins halfway
        would show that as growth.
        """
        begun: dict[str, Period] = {}
        for fund in funds:
            month = self.first_months.get(fund)
            if month is not None:
                begun[parent(fund)] = min(month, begun.get(parent(fund), month))
        return max(begun.values(), default=None)
