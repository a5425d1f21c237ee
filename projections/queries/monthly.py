"""Figures by month of every fund: what growth, payable months and their kin are computed from.

Everything is in fen and by booking date; year-end transfers are left out, so that income and
expense of a closed year stay what they were. A month is a ``Period``; a fund a leaf (``310.pooled``,
``390``): a parent is the sum of its leaves.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ledger.domain.chart import CHART, STAGES, AccountClass
from ledger.domain.fund import parent
from ledger.domain.period import Period, months_between
from projections.page import CLOSING, FLOW, OPENING
from projections.queries.known import (
    Known,
    KnownLedger,
    MonthKey,
    known_as_of,
    movements_by_month,
)
from projections.queries.measures import due_by_month
from projections.queries.scope import scope_of
from projections.store import Reading, ReadStore

_PREMIUMS = ("income.contribution.", "income.pending")
_DEPOSIT = "owed.deposit"
_ACCUMULATED = (AccountClass.NET_ASSETS, AccountClass.INCOME, AccountClass.EXPENSE)


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
    owed: int = 0  # at every stage but the deposit, over institutions that are owed something
    next_year_premiums: int = 0  # contributions (待转 included) for later years, booked so far
    deposits_held: int = 0  # 质量保证金 held apart, summed in the same way

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
    #: What approved clearings make due, and what was booked of it, by leaf fund and month.
    cleared: Mapping[tuple[str, Period], tuple[int, int]] = field(default_factory=dict)

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


def monthly_figures(
    store: ReadStore, ledger: KnownLedger, *, area: str | None, known_at: int | None = None
) -> MonthlyFigures:
    """Read the monthly figures of an area: all of its funds, all months, known at a position."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area)
        known = known_as_of(reading, ledger, known_at)
        leaves = scope.leaves
        sums = movements_by_month(reading, known, area=scope.area, leaves=leaves)
        care = _care(reading, known, area=scope.area)
        stages = [*(one for one in STAGES if one != _DEPOSIT), "owed.remote"]
        owed = _owed(reading, known, stages, area=scope.area)
        held = _owed(reading, known, [_DEPOSIT], area=scope.area)
        opened = _opened(reading, scope.area)
        openings = _opening_days(reading, known, area=scope.area)
        cleared = due_by_month(reading, scope.area, known_at=known_at)
    return MonthlyFigures(
        area=scope.area,
        position=reading.position,
        known_at=known_at,
        funds=scope.funds,
        leaves=leaves,
        first_months={leaf: _first_month(leaf, sums, openings, opened) for leaf in leaves},
        flows=_flows(sums),
        care={key: _flow_of(by_account) for key, by_account in care.items()},
        levels={leaf: _levels(leaf, sums, care, owed, held) for leaf in leaves},
        cleared=cleared,
    )


_ByAccount = dict[str, tuple[int, int]]


def _flow_of(by_account: Mapping[str, tuple[int, int]]) -> Flows:
    """Add up income and expense accounts, each with its debits and credits."""
    total = Flows()
    for account, (debit, credit) in by_account.items():
        about = CHART[account]
        if about.kind is AccountClass.INCOME:
            fen = credit - debit
            total = total.plus(Flows(income=fen, income_subtotal=fen if about.in_subtotal else 0))
        elif about.kind is AccountClass.EXPENSE:
            fen = debit - credit
            benefit = fen if account.startswith("expense.benefit.") else 0
            subtotal = fen if about.in_subtotal else 0
            total = total.plus(Flows(expense=fen, expense_subtotal=subtotal, benefit=benefit))
    return total


def _flows(sums: Mapping[MonthKey, tuple[int, int]]) -> dict[tuple[str, Period], Flows]:
    months: dict[tuple[str, Period], _ByAccount] = {}
    for key, (debit, credit) in sums.items():
        if key.nature != CLOSING and CHART[key.account].kind in _ACCUMULATED[1:]:
            by_account = months.setdefault((key.fund, Period.parse(key.month)), {})
            before = by_account.get(key.account, (0, 0))
            by_account[key.account] = (before[0] + debit, before[1] + credit)
    return {key: _flow_of(by_account) for key, by_account in months.items()}


def _first_month(
    leaf: str,
    sums: Mapping[MonthKey, tuple[int, int]],
    openings: Mapping[str, date],
    opened: Mapping[str, Period | None],
) -> Period | None:
    """Find where a leaf's history begins; what was wholly reversed in red left no flow."""
    begun = {
        Period.parse(key.month)
        for key, amounts in sums.items()
        if key.fund == leaf
        and key.nature == FLOW
        and any(amounts)
        and CHART[key.account].kind not in {AccountClass.OWED, AccountClass.INCURRED}
    }
    if leaf in openings:
        begun.add(Period.of(openings[leaf] + timedelta(days=1)))
    if not begun:
        return None
    start = opened.get(parent(leaf))
    return max(min(begun), start) if start else min(begun)


def _levels(
    leaf: str,
    sums: Mapping[MonthKey, tuple[int, int]],
    care: Mapping[CareKey, Mapping[str, tuple[int, int]]],
    owed: Mapping[str, Mapping[Period, int]],
    held: Mapping[str, Mapping[Period, int]],
) -> dict[Period, Levels]:
    """Carry each level forward from month to month, from the first change to the last."""
    changes = _changes(leaf, sums)
    premiums = _premiums(leaf, care)
    debts, deposits = owed.get(leaf, {}), held.get(leaf, {})
    touched = {*changes, *debts, *deposits, *(booked for booked, _ in premiums)}
    if not touched:
        return {}
    # A premium for next year stops being one in January, a month in which nothing may be booked.
    last = max(touched | {Period(year, 1) for _, year in premiums})
    levels: dict[Period, Levels] = {}
    accumulated = advances = debt = deposit = 0
    for month in months_between(min(touched), last):
        change = changes.get(month, (0, 0))
        accumulated, advances = accumulated + change[0], advances + change[1]
        debt, deposit = debts.get(month, debt), deposits.get(month, deposit)
        ahead = sum(
            fen for (booked, year), fen in premiums.items() if booked <= month and year > month.year
        )
        levels[month] = Levels(accumulated, advances, debt, ahead, deposit)
    return levels


def _changes(leaf: str, sums: Mapping[MonthKey, tuple[int, int]]) -> dict[Period, tuple[int, int]]:
    """Give what 累计结余 and 暂付款 changed by in each month, year-end transfers included."""
    changes: dict[Period, tuple[int, int]] = {}
    for key, (debit, credit) in sums.items():
        if key.fund == leaf:
            held = credit - debit if CHART[key.account].kind in _ACCUMULATED else 0
            advanced = debit - credit if key.account.startswith("advance.") else 0
            month = Period.parse(key.month)
            before = changes.get(month, (0, 0))
            changes[month] = (before[0] + held, before[1] + advanced)
    return changes


def _premiums(
    leaf: str, care: Mapping[CareKey, Mapping[str, tuple[int, int]]]
) -> dict[tuple[Period, int], int]:
    """Give contributions booked for a later year, by booking month and that year."""
    found: dict[tuple[Period, int], int] = {}
    for key, by_account in care.items():
        if key.fund != leaf or key.care.year <= key.booked.year:
            continue
        for account, (debit, credit) in by_account.items():
            if account.startswith(_PREMIUMS):
                at = (key.booked, key.care.year)
                found[at] = found.get(at, 0) + credit - debit
    return found


def _care(reading: Reading, known: Known, *, area: str) -> dict[CareKey, _ByAccount]:
    c = reading.balances.care_movements.c
    found = reading.rows(
        select(
            c.fund,
            c.booked_month,
            c.belongs_to,
            c.account,
            func.sum(c.debit_fen),
            func.sum(c.credit_fen),
        )
        .where(c.area == area, c.known_from <= known.base)
        .group_by(c.fund, c.booked_month, c.belongs_to, c.account)
    )
    rows: list[Any] = [tuple(row) for row in found]
    rows += [
        (fund, booked, belongs_to, account, *amounts)
        for (whose, fund, account, booked, belongs_to), amounts in known.part.care.items()
        if whose == area
    ]
    care: dict[CareKey, _ByAccount] = {}
    for fund, booked, belongs_to, account, debit, credit in rows:
        key = CareKey(fund, Period.parse(booked), Period.parse(belongs_to))
        by_account = care.setdefault(key, {})
        before = by_account.get(account, (0, 0))
        by_account[account] = (before[0] + int(debit), before[1] + int(credit))
    return care


def _owed(
    reading: Reading, known: Known, stages: Collection[str], *, area: str
) -> dict[str, dict[Period, int]]:
    """Give, per leaf and month with a change, what is owed at some stages, all of them together.

    An institution that was paid more than it was owed does not lower what others are owed.
    """
    c = reading.balances.party_movements.c
    found = reading.rows(
        select(c.fund, c.booked_month, c.party, func.sum(c.credit_fen) - func.sum(c.debit_fen))
        .where(c.area == area, c.account.in_(stages), c.known_from <= known.base)
        .group_by(c.fund, c.booked_month, c.party)
    )
    rows: list[Any] = [tuple(row) for row in found]
    rows += [
        (fund, month, party, credit - debit)
        for (whose, fund, account, party, month), (
            debit,
            credit,
        ) in known.part.party_movements().items()
        if whose == area and account in stages
    ]
    changes: dict[str, dict[Period, list[tuple[str, int]]]] = {}
    for fund, month, party, fen in rows:
        by_month = changes.setdefault(fund, {})
        by_month.setdefault(Period.parse(month), []).append((party, int(fen)))
    return {fund: _debts(by_month) for fund, by_month in changes.items()}


def _debts(by_month: Mapping[Period, list[tuple[str, int]]]) -> dict[Period, int]:
    standing: dict[str, int] = {}
    debts: dict[Period, int] = {}
    for month in sorted(by_month):
        for party, fen in by_month[month]:
            standing[party] = standing.get(party, 0) + fen
        debts[month] = sum(fen for fen in standing.values() if fen > 0)
    return debts


def _opened(reading: Reading, area: str) -> dict[str, Period | None]:
    c = reading.setup.funds.c
    found = reading.rows(select(c.fund, c.first_month).where(c.area == area))
    return {row.fund: Period.parse(row.first_month) if row.first_month else None for row in found}


def _opening_days(reading: Reading, known: Known, *, area: str) -> dict[str, date]:
    """Give the day of each leaf's first opening balance that still stands."""
    c = reading.balances.movements.c
    found = reading.rows(
        select(c.fund, c.booked_on, func.sum(c.debit_fen), func.sum(c.credit_fen))
        .where(c.area == area, c.nature == OPENING, c.known_from <= known.base)
        .group_by(c.fund, c.booked_on)
    )
    rows: list[Any] = [tuple(row) for row in found]
    rows += [
        (fund, day, debit, credit)
        for (whose, day, fund, _, nature), (debit, credit, _) in known.part.movements().items()
        if whose == area and nature == OPENING
    ]
    standing: dict[tuple[str, str], int] = {}
    for fund, day, debit, credit in rows:
        standing[fund, day] = standing.get((fund, day), 0) + int(debit) + int(credit)
    days: dict[str, date] = {}
    for (fund, day), amount in sorted(standing.items(), reverse=True):
        if amount:
            days[fund] = date.fromisoformat(day)
    return days
