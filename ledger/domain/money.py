"""Money (金额) as whole fen, and the only places where it is divided or rounded.

Yuan exists only as text at the doors. Nothing here knows a float: a rate is an int or a Fraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

_Key = TypeVar("_Key", bound="SupportsRichComparison")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of money in whole fen (分)."""

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise TypeError(f"fen must be an int, not {type(self.fen).__name__}")

    def __add__(self, other: Self) -> "Money":
        return Money(self.fen + other.fen)

    def __sub__(self, other: Self) -> "Money":
        return Money(self.fen - other.fen)

    def __neg__(self) -> "Money":
        return Money(-self.fen)

    def __str__(self) -> str:
        return format_yuan(self.fen)


def format_yuan(fen: int, *, grouped: bool = True) -> str:
    """Write fen as yuan (元) with two decimals: 123456 → ``1,234.56``."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{rest:02d}" if grouped else f"{sign}{yuan}.{rest:02d}"


def round_half_up(value: Fraction | int, digits: int = 0) -> Fraction:
    """Round half-up away from zero (四舍五入), the rounding of the field unless a policy names another."""
    scale = Fraction(10) ** digits
    scaled = abs(Fraction(value)) * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return (whole if value >= 0 else -whole) / scale


def decimal_text(value: Fraction | int, digits: int = 2) -> str:
    """Write a ratio as decimal text with a fixed number of digits, rounded half-up."""
    rounded = round_half_up(value, digits)
    sign = "-" if rounded < 0 else ""
    whole, rest = divmod(abs(rounded.numerator) * (10**digits // rounded.denominator), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def fen_share(total_fen: int, ratio: Fraction) -> int:
    """Take a share of an amount, rounded half-up to the fen."""
    return int(round_half_up(total_fen * ratio))


def allocate(total_fen: int, weights: Mapping[_Key, int]) -> dict[_Key, int]:
    """Split an amount by integer weights so that nothing is lost (最大余额法, largest remainder).

    Every share is floored first; the fen that are left go one each to the largest remainders, ties
    to the smaller key. A negative total is split as its mirror image. Weights are not negative and
    not all zero.
    """
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("weights must not be negative")
    base = sum(weights.values())
    if base == 0:
        raise ValueError("at least one weight must be positive")
    sign, size = (-1, -total_fen) if total_fen < 0 else (1, total_fen)
    shares = {key: size * weight // base for key, weight in weights.items()}
    left = size - sum(shares.values())
    by_remainder = sorted(sorted(weights), key=lambda key: -(size * weights[key] % base))
    for key in by_remainder[:left]:
        shares[key] += 1
    return {key: sign * share for key, share in shares.items()}
