"""What is asked of a clearing (清算的提问): which fund and time, by which policy, read up to where.

Whoever asks is refused where the figures could not be whole: a fund that is not cleared, a policy that
changes on the way, an intake that has not finished.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ledger.aggregates.area import Area
from ledger.aggregates.policies import Policies, Version
from ledger.archive.read import Archive
from ledger.domain.fund import PERSONAL, parent
from ledger.domain.period import Period, Year
from ledger.store.reading import Reading
from settlement.clearing.cases.counting import Answer
from settlement.clearing.cases.run import parts_of
from settlement.clearing.cases.scoring import Kind, Scope
from settlement.clearing.engine import Engine, Parts
from settlement.clearing.month.refusals import (
    FundNotCleared,
    IntakeUnderWay,
    PolicyChangesWithinMonth,
)
from settlement.clearing.policies.file import policy_of
from settlement.clearing.policies.policy import Method, Policy
from settlement.intake.owing import BASIC_FUND, PART_FUND
from settlement.policies import content_hash


@dataclass(frozen=True, slots=True)
class Chosen:
    """A policy with the name and hash that the run gives it."""

    id: str
    content_hash: str
    policy: Policy


#: Counts the cases of a method in a scope by other hands: workers that have a part each.
CountElsewhere = Callable[[Chosen, Method, Scope], Answer]


@dataclass(frozen=True, slots=True)
class Question:
    """Which month of which fund, read from where, up to which position."""

    area: str
    fund: str
    period: Period | Year
    watermark: int
    parts: Mapping[str, Parts]
    engine: Engine
    elsewhere: CountElsewhere | None = None  # counts the cases of a method, if not the engine here

    def scope(self, kinds: frozenset[Kind] = frozenset()) -> Scope:
        return Scope(
            area=self.area,
            fund=self.fund,
            insutypes=insutypes_of(self.fund),
            months=frozenset(map(str, self.period.months)),
            kinds=kinds,
        )

    @property
    def month(self) -> int | None:
        """Give the month (1 to 12); None where all of the year is asked for."""
        return self.period.month if isinstance(self.period, Period) else None


def insutypes_of(fund: str) -> frozenset[str]:
    """Name the insurance types whose 统筹基金支付 a fund owes."""
    own = {insutype for insutype, basic in BASIC_FUND.items() if basic == fund}
    return frozenset(own or {fund})


def refuse_other_funds(area: Area, fund: str) -> None:
    """FundNotCleared for a fund that only owes parts of others' settlements, or is none of the area's."""
    cleared = area.leaf_funds - {PERSONAL, *PART_FUND.values()}
    if fund not in cleared:
        raise FundNotCleared(fund=fund, funds=", ".join(sorted(cleared)) or "-")


def chosen_of(version: Version) -> Chosen:
    """Give a proposed policy, whatever its state."""
    return Chosen(version.id, version.content_hash, policy_of(version.content))


def chosen_from_file(content: dict[str, object]) -> Chosen:
    """Give a policy that was read from a file and not proposed."""
    policy = policy_of(content)
    return Chosen(policy.name, content_hash(content), policy)


def policy_of_month(policies: Policies, fund: str, period: Period) -> Chosen:
    """Give the policy in force on every day of a month; NoPolicyInForce names the first day without."""
    days = [period.first_day.replace(day=day) for day in range(1, period.last_day.day + 1)]
    first = policies.in_force(fund, days[0].isoformat())
    for day in days[1:]:
        later = policies.in_force(fund, day.isoformat())
        if later is not first:
            raise PolicyChangesWithinMonth(
                period=str(period), first=first.id, second=later.id, day=day.isoformat()
            )
    return chosen_of(first)


def refuse_unfinished(log: Reading, area: str, fund: str) -> None:
    """IntakeUnderWay while a claims intake that touches the fund has started and not completed."""
    for one in log.unfinished_intakes(area):
        if one.book.fund == parent(fund):
            raise IntakeUnderWay(fund=fund, intake=one.intake)


def ask(
    archive: Archive, engine: Engine, *, area: str, fund: str, period: Period | Year, watermark: int
) -> Question:
    """Put the question for a month or a year; ArchiveBehind where the archive does not reach the watermark."""
    archive.require(watermark)
    parts = parts_of(archive, area=area, since=str(period.months[0]), until=watermark)
    return Question(area, fund, period, watermark, parts, engine)
