"""DRG points (DRG点数法) and its fixed-rate variant (费率法), one case at a time.

Formulas of the Zhejiang type (金华2017, 浙江2020 as explained by Hangzhou); shares, multiples, tiers
and days differ from place to place and are policy. Points are whole numbers of 1/10,000; every term
below is rounded once, half-up, before it goes on: the complete points are a figure of their own, that
the others build on.

- base 基准点数 = group average ÷ area average x 100
- complete 完整 = base x coefficient 差异系数
- incomplete 不完整 = complete x cost ÷ group average, at most base
- low multiple 低倍率 (cost < low x average) = base x cost ÷ average, at most base
- high multiple 高倍率 (cost > k x average) = complete + base x (cost ÷ average - k)
- bed-day group 床日 = days x daily points
- readmission 再入院 within N days into the same group: the earlier stay's points are halved
- fixed rate 费率法 = rate x weight; weight 权重 = group average ÷ area average
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ledger.domain.money import fen_share, round_half_up

POINT = 10_000
ONE = 10_000  # coefficients are whole numbers of 1/10,000


@dataclass(frozen=True, slots=True, kw_only=True)
class HighTier:
    """From which multiple of the average a case is high, for base points up to an edge."""

    upto_points: Fraction | None  # None: everything above; the edge belongs to this tier
    multiple: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class DrgRules:
    """What an area's rule fixes for a year."""

    low_multiple: Fraction = Fraction(4, 10)
    high_tiers: tuple[HighTier, ...] = (
        HighTier(upto_points=Fraction(100), multiple=Fraction(3)),
        HighTier(upto_points=Fraction(200), multiple=Fraction(5, 2)),
        HighTier(upto_points=None, multiple=Fraction(2)),
    )
    readmission_days: int = 15
    readmission_keeps: Fraction = Fraction(1, 2)  # 1: no readmission is looked for
    readmission_anywhere: bool = False  # a stay in another institution counts too
    undated_held: bool = True  # a stay without a date of admission is held back
    incomplete_ways: frozenset[str] = frozenset()  # 离院方式 of an incomplete stay
    min_cases: int = 0  # a group with fewer in a run wants single reviews


def _points4(value: Fraction) -> int:
    return int(round_half_up(value))


def base_points4(group_average_fen: int, area_average_fen: int) -> int:
    """基准点数: the group's average cost as a percentage of the area's."""
    return _points4(Fraction(group_average_fen * 100 * POINT, area_average_fen))


def weight4(group_average_fen: int, area_average_fen: int) -> int:
    """病组权重 RW: the group's average cost ÷ the area's, as the fixed rate (费率法) takes it."""
    return _points4(Fraction(group_average_fen * POINT, area_average_fen))


def complete_points4(base4: int, coefficient4: int) -> int:
    """Give the points of a complete stay (完整住院)."""
    return _points4(Fraction(base4 * coefficient4, ONE))


def incomplete_points4(base4: int, coefficient4: int, *, cost_fen: int, average_fen: int) -> int:
    """Give the points of a stay that was broken off (不完整住院), at most the base points."""
    complete4 = complete_points4(base4, coefficient4)
    return min(_points4(Fraction(complete4 * cost_fen, average_fen)), base4)


def high_multiple(base4: int, tiers: Sequence[HighTier]) -> Fraction:
    """Give the multiple of the average above which a case of these base points is high."""
    for tier in tiers:
        if tier.upto_points is None or base4 <= tier.upto_points * POINT:
            return tier.multiple
    raise ValueError("the last tier has no upper edge")


def multiple_points4(
    base4: int, coefficient4: int, *, cost_fen: int, average_fen: int, rules: DrgRules
) -> int:
    """Give the points of a complete stay by its cost: low, normal or high (boundaries are normal)."""
    cost = Fraction(cost_fen, average_fen)
    if cost < rules.low_multiple:
        return min(_points4(base4 * cost), base4)
    multiple = high_multiple(base4, rules.high_tiers)
    if cost > multiple:
        return complete_points4(base4, coefficient4) + _points4(base4 * (cost - multiple))
    return complete_points4(base4, coefficient4)


def bed_day_points4(daily4: int, days: int) -> int:
    """Give the points of a bed-day group (床日病组)."""
    return daily4 * days


def after_readmission4(points4: int, rules: DrgRules) -> int:
    """Give what an earlier stay keeps after a readmission into the same group within the days."""
    return _points4(points4 * rules.readmission_keeps)


def is_readmission(days_between: int, rules: DrgRules) -> bool:
    """Tell whether a new stay this many days after a discharge reduces the earlier one."""
    return 0 <= days_between <= rules.readmission_days


def fixed_rate_fen(weight4: int, rate: Fraction) -> int:
    """费率法: price a case's weight at a fixed rate in yuan, rounded half-up to the fen."""
    return fen_share(weight4, rate * 100 / POINT)
