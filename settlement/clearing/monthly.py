"""A month's provisional due (应付) from what the methods counted: pure, in whole fen.

Points share the month's part of the year: (budget - reserve) x the month's weight ÷ all weights,
split over the twelve months by largest remainder, so that they make the year to the fen. A method
without points (按床日、按项目、费率) is due what it prices; it takes nothing from the points' share. The
result does not depend on the order of what comes in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ledger.domain.money import allocate, decimal_text, fen_share
from settlement.clearing.methods.fee_for_service import total_controlled_fen
from settlement.clearing.point_value import (
    Sharing,
    average_ratio_value,
    fund_only_value,
    fund_part,
    published,
    share_at_value,
    share_exactly,
)
from settlement.clearing.policies.policy import (
    Budget,
    Dip,
    Drg,
    Family,
    FeeForService,
    PointValue,
    Policy,
    SharingBy,
)

#: Where the difference of a month's value goes when a clearing is posted (清算差额).
DIFFERENCE_ACCOUNT = "claims.cleared"
RATE_DIGITS = 4
VALUE_DIGITS = 8  # of a value that was not rounded, for the reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one method counted at one institution: cases that stand and are not held back.

    Points are 1/10,000; amounts are fen. ``priced_fen`` is what the method itself says that the
    cases are worth, nil for points and for fee for service.
    """

    institution: str
    method: str
    cases: int
    cost_fen: int
    booked_fen: int  # 记账
    borne_fen: int = 0  # by persons and other funds
    points4: int = 0
    priced_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one institution is due by one method for the month."""

    counted: Counted
    due_fen: int  # 应付


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How the month's part of the budget was shared by points."""

    distributable_fen: int
    points4: int
    value: Fraction | None  # yuan per point as used
    due_fen: int
    difference_fen: int  # distributable - due


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDue:
    """The lines in the order of institution and method, and the pool where points were counted."""

    lines: tuple[Line, ...]
    pool: Pool | None


def month_fen(budget: Budget, month: int | None) -> int:
    """Give what points share in a month (1 to 12); twelve months make the year (None) to the fen."""
    year_fen = budget.year_fen - fen_share(budget.year_fen, budget.reserve)
    return _month_of(year_fen, budget.months, month)


def shares_of_year(policy: Policy, year: str) -> dict[str, int]:
    """Give the weights of a year's months (YYYY-MM), by the months of the budget."""
    weights = policy.budget.months if policy.budget is not None else (1,) * 12
    return {f"{year}-{month:02d}": weight for month, weight in enumerate(weights, start=1)}


def month_quota_fen(policy: Policy, quota_fen: int, month: int | None) -> int:
    """Give a month's part of an institution's total (总额指标), by the months of the budget."""
    weights = policy.budget.months if policy.budget is not None else (1,) * 12
    return _month_of(quota_fen, weights, month)


def _month_of(year_fen: int, weights: Sequence[int], month: int | None) -> int:
    if month is None:
        return year_fen
    return allocate(year_fen, dict(enumerate(weights, start=1)))[month]


def due_of_month(policy: Policy, month: int | None, counted: Iterable[Counted]) -> MonthDue:
    """Give what every institution is due for a month (1 to 12), or for the year (None)."""
    found = {(one.institution, one.method): one for one in counted}
    rules = {method.name: method.rules for method in policy.methods}
    for method in policy.methods:
        if isinstance(method.rules, FeeForService):
            # A total is there whether somebody came or not: what was saved of it may be kept.
            for code in method.rules.quotas_fen:
                none = Counted(
                    institution=code, method=method.name, cases=0, cost_fen=0, booked_fen=0
                )
                found.setdefault((code, method.name), none)
    by_points = {key: one for key, one in found.items() if isinstance(rules[one.method], Dip | Drg)}
    due: dict[tuple[str, str], int] = {}
    pool = None
    if policy.budget is not None and any(isinstance(one, Dip | Drg) for one in rules.values()):
        shared = share_by_points(policy.point_value, month_fen(policy.budget, month), by_points)
        due.update(shared.due)
        pool = Pool(
            distributable_fen=month_fen(policy.budget, month),
            points4=sum(one.points4 for one in by_points.values()),
            value=shared.value,
            due_fen=sum(shared.due.values()),
            difference_fen=shared.difference_fen,
        )
    for key, one in found.items():
        own = rules[one.method]
        if isinstance(own, FeeForService):
            quota = own.quotas_fen.get(one.institution)
            of_month = None if quota is None else month_quota_fen(policy, quota, month)
            due[key] = total_controlled_fen(one.booked_fen, of_month, own.rule)
        elif key not in by_points:
            due[key] = one.priced_fen
    lines = tuple(Line(counted=found[key], due_fen=due[key]) for key in sorted(found))
    return MonthDue(lines=lines, pool=pool)


def share_by_points(
    how: PointValue, distributable_fen: int, counted: dict[tuple[str, str], Counted]
) -> Sharing[tuple[str, str]]:
    """Share an amount of the fund by points, as the policy's family and rounding say.

    An institution is due its points of all methods x the value (医院应得统筹 = 医院总分值 x 点值), rounded
    once; then its methods split that by their points. The difference is what is left of the fund's
    amount (missing, where it is negative) after all dues. Without any point the whole amount is left.
    """
    points = {key: one.points4 for key, one in counted.items()}
    total = sum(points.values())
    if total == 0:
        return Sharing(dict.fromkeys(points, 0), distributable_fen, None)
    borne = {key: one.borne_fen for key, one in counted.items()}
    gross_fen = distributable_fen
    if how.family is Family.TOTAL_COST:
        gross_fen += sum(borne.values())
    value = fund_only_value(gross_fen, total)
    if how.family is Family.AVERAGE_RATIO and how.paid_share is not None:
        value = average_ratio_value(distributable_fen, total, paid_share=how.paid_share)
        gross_fen = fen_share(distributable_fen, 1 / how.paid_share)
    of_methods = _points_of_institutions(points)
    of_institutions = {code: sum(own.values()) for code, own in of_methods.items()}
    if how.by is SharingBy.PUBLISHED:
        whole = share_at_value(gross_fen, of_institutions, value=published(value, how.digits))
    else:
        whole = share_exactly(gross_fen, of_institutions)
    due: dict[tuple[str, str], int] = {}
    for code, own in of_methods.items():
        due |= allocate(whole.due[code], own) if of_institutions[code] else dict.fromkeys(own, 0)
    shared = Sharing(due, whole.difference_fen, whole.value)
    if how.family is Family.FUND_ONLY:
        return shared
    own_part = fund_part(shared, borne)
    return Sharing(own_part.due, distributable_fen - sum(own_part.due.values()), own_part.value)


def _points_of_institutions(
    points: Mapping[tuple[str, str], int],
) -> dict[str, dict[tuple[str, str], int]]:
    found: dict[str, dict[tuple[str, str], int]] = {}
    for (institution, method), points4 in points.items():
        found.setdefault(institution, {})[institution, method] = points4
    return found


def rate(part_fen: int, whole_fen: int) -> str | None:
    """Write a settlement rate (结付率) as decimal text; None where there is nothing to divide by."""
    return decimal_text(Fraction(part_fen, whole_fen), RATE_DIGITS) if whole_fen > 0 else None


def value_text(pool: Pool, how: PointValue) -> str | None:
    """Write the point value in yuan, with the digits it is published with or eight."""
    if pool.value is None:
        return None
    digits = how.digits if how.by is SharingBy.PUBLISHED else VALUE_DIGITS
    return decimal_text(pool.value, digits)
