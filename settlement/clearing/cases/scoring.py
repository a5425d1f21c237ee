"""What the kernel is told for one run of scoring by disease groups (按病种分值, DIP).

Deviation (费用偏差) is said in exact fractions of the group's average cost and handed to the kernel
as whole fen for each group, so that no engine compares fractions:

- cost < low x average: points = base x cost ÷ average
- cost > high x average: points = base x (cost ÷ average - high + 1)
- else, the edges included: points = base

then x the factor of the auxiliary directory (辅助目录) where the case hit an entry of it, the largest if
it hit several; then x the institution's coefficient, or that of primary-care groups (基层病种) where the
group is one. Each of the steps is rounded half-up to 1/10,000. An accepted review (特例单议) counts the
points it gave, or those of a normal case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from ledger.errors import InputRejected
from settlement.clearing.cases import kernel
from settlement.clearing.engine import Row, Table
from settlement.clearing.policies.policy import Dip, Group, ReviewPoints


class NotComputable(InputRejected):
    """A number of the rules lies where the kernel's whole numbers are not exact."""

    code = "clearing_number_out_of_bounds"
    zh = "清算参数 {name} 为 {value},应在 {low} 至 {high} 之间。"
    en = "The clearing parameter {name} is {value}; it has to lie between {low} and {high}."
    hint_zh = "请核对病种分值、次均费用和系数的单位(分值和系数为万分之一,金额为分)。"
    hint_en = "Check the units: points and coefficients are 1/10,000, amounts are fen."


#: What a method is chosen by: clearing type (清算类别), kind of care (医疗类别), institution.
Kind = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose cases: of an area's people insured so (险种), in months of care, of these kinds.

    What counts as booked is what ``fund``, a leaf, was charged. With ``insured_elsewhere`` people of
    other places who were treated here count too, nothing being booked for them.
    """

    area: str
    fund: str
    insutypes: frozenset[str]
    months: frozenset[str]
    kinds: frozenset[Kind] = frozenset()
    insured_elsewhere: bool = False


def scope_tables(
    scope: Scope,
    coefficients4: Mapping[str, int],
    *,
    watermark: int,
    other_coefficient4: int | None = None,
) -> dict[str, Table]:
    """Give the small tables that say which cases.

    An institution without a coefficient has none, or ``other_coefficient4``.
    """
    found: dict[str, Iterable[Row]] = {
        "bounds": [(scope.area, scope.fund, watermark, int(scope.insured_elsewhere))],
        "insutypes": [(code,) for code in scope.insutypes],
        "months": [(code,) for code in scope.months],
        # A kind is named once, so the sorting never comes to the coefficient.
        "kinds": [(*kind, coefficients4.get(kind[2], other_coefficient4)) for kind in scope.kinds],
    }
    return {name: Table(kernel.TABLES[name], sorted(rows)) for name, rows in found.items()}


def narrowed(told: Mapping[str, Table], own: frozenset[Kind] | None) -> dict[str, Table]:
    """Leave only some of the kinds in a run's tables, for a part of its cases; None leaves all."""
    if own is None:
        return dict(told)
    kinds = told["kinds"]
    return {**told, "kinds": Table(kinds.columns, [row for row in kinds.rows if row[:3] in own])}


def tables(
    rules: Dip, scope: Scope, *, watermark: int, hits: Iterable[str] = ()
) -> dict[str, Table]:
    """Give the small tables of a run; NotComputable where a number is out of the kernel's bounds.

    ``hits`` are the sets of entries of the auxiliary directory that cases have (``HITS``).
    """
    check_bounds("low", rules.low, 0, 1)
    check_bounds("high", rules.high, 1, kernel.MAX_MULTIPLE)
    for name, edge in (("low", rules.low), ("high", rules.high)):
        check_bounds(f"{name} (denominator)", edge.denominator, 1, kernel.MAX_DENOMINATOR)
    groups = [(code, *_group(code, one, rules)) for code, one in rules.groups.items()]
    coefficients4 = {
        **rules.coefficients4,
        "primary_coefficient": rules.primary_coefficient4,
        "other_coefficient": rules.other_coefficient4 or 0,
    }
    for code, coefficient4 in coefficients4.items():
        check_bounds(code, coefficient4, 0, kernel.MAX_COEFFICIENT4)
    most4 = max(coefficients4.values())
    for entry, factor4 in rules.auxiliary4.items():
        check_bounds(entry, factor4, 0, kernel.MAX_COEFFICIENT4)
        check_bounds(
            f"{entry} x coefficient",
            Fraction(factor4 * most4, kernel.ONE),
            0,
            kernel.MAX_COEFFICIENT4,
        )
    return {
        **scope_tables(
            scope,
            rules.coefficients4,
            watermark=watermark,
            other_coefficient4=rules.other_coefficient4,
        ),
        "groups": Table(kernel.TABLES["groups"], sorted(groups)),
        "auxiliary": Table(
            kernel.TABLES["auxiliary"], [(one, factor_of(one, rules)) for one in sorted(hits)]
        ),
        "reviews": review_table(rules.review_points),
    }


def factor_of(hits: str, rules: Dip) -> int | None:
    """Give the largest factor of the entries that a case hit; None where one is not in the list."""
    factors = [rules.auxiliary4.get(entry) for entry in hits.split("+")]
    known = [factor4 for factor4 in factors if factor4 is not None]
    return max(known) if len(known) == len(factors) else None


def review_table(points: ReviewPoints) -> Table:
    """Say whether an institution's coefficient multiplies the points of a review."""
    before = points is ReviewPoints.BEFORE_COEFFICIENT
    return Table(kernel.TABLES["reviews"], [(int(before),)])


def _group(code: str, group: Group, rules: Dip) -> tuple[int | None, ...]:
    base4, average = group.points4, group.average_fen
    check_bounds(code, base4, 0, kernel.MAX_BASE4)
    check_bounds(code, average, kernel.MIN_AVERAGE_FEN, kernel.MAX_AVERAGE_FEN)
    times, parts = rules.high.numerator, rules.high.denominator
    return (
        base4,
        average,
        ceil(rules.low * average),
        floor(rules.high * average),
        parts,
        (times - parts) * average,
        rules.primary_coefficient4 if code in rules.primary else None,
    )


def check_bounds(name: str, value: int | Fraction, low: int, high: int) -> None:
    """NotComputable where a number of the rules lies outside."""
    if not low <= value <= high:
        raise NotComputable(name=name, value=str(value), low=low, high=high)
