"""Point value (点值): what one point of a month or year is worth in one fund, and who gets what.

Two families are in use, both per pooling area and fund (DIP 技术规范; 年度结算点值):

- fund only 基金点值: (budget of the fund - regional reserve) ÷ points
- total cost 总费用点值: (fund + what persons and others paid) ÷ points; an institution's due is its
  points x value less what persons and others paid it. With an average payment ratio instead
  (fund ÷ ratio ÷ points) the fund is not conserved by itself.

A published value has a fixed number of digits: it over- or underspends the budget, and the
difference goes to a named account. Exact sharing by largest remainder does neither. Points are whole
numbers of 1/10,000 (``points4``) throughout; amounts are fen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, TypeVar

from ledger.domain.money import allocate, fen_share, round_half_up

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

POINT = 10_000  # units of ``points4`` in one point

#: Who points are counted for: an institution, or an institution and a method.
_Key = TypeVar("_Key", bound="SupportsRichComparison")


@dataclass(frozen=True, slots=True)
class Sharing(Generic[_Key]):
    """What each institution is due, and what of the distributable amount is left (or missing)."""

    due: dict[_Key, int]
    difference_fen: int  # distributable - Σ due: to the account that the policy names
    value: Fraction | None  # yuan per point as used; None where nothing was divided


def fund_only_value(distributable_fen: int, points4: int) -> Fraction:
    """Give the exact value of a point in yuan: distributable ÷ points."""
    if points4 <= 0:
        raise ValueError("there is no point value without points")
    return Fraction(distributable_fen * POINT, points4 * 100)


def average_ratio_value(fund_fen: int, points4: int, *, paid_share: Fraction) -> Fraction:
    """Give the exact total-cost value from the average share that the fund pays (平均支付比例)."""
    if not 0 < paid_share <= 1:
        raise ValueError("the average payment ratio lies above nil and at most at 1")
    return fund_only_value(fund_fen, points4) / paid_share


def published(value: Fraction, digits: int) -> Fraction:
    """Round a value to the digits it is published with (公布位数), half-up."""
    return round_half_up(value, digits)


def due_at_value(points4: int, value: Fraction) -> int:
    """Price points at a value in yuan: fen, rounded half-up once."""
    return fen_share(points4, value * 100 / POINT)


def share_at_value(
    distributable_fen: int, points: Mapping[_Key, int], *, value: Fraction
) -> Sharing[_Key]:
    """Pay every institution its points at a (published) value; the difference is shown."""
    due = {code: due_at_value(points4, value) for code, points4 in points.items()}
    return Sharing(due, distributable_fen - sum(due.values()), value)


def share_exactly(distributable_fen: int, points: Mapping[_Key, int]) -> Sharing[_Key]:
    """Split the whole amount by points: largest remainder, ties to the smaller code."""
    total = sum(points.values())
    if total == 0:
        return Sharing(dict.fromkeys(points, 0), distributable_fen, None)
    due = allocate(distributable_fen, points)
    return Sharing(due, 0, fund_only_value(distributable_fen, total))


def fund_part(gross: Sharing[_Key], borne_by_others: Mapping[_Key, int]) -> Sharing[_Key]:
    """Take what persons and other funds paid off each due of the total-cost family.

    ``gross`` was shared over fund + persons + others; what remains is the fund's own part. It can be
    negative where persons paid more than the points are worth: it is carried forward, not cut off.
    """
    due = {code: fen - borne_by_others.get(code, 0) for code, fen in gross.due.items()}
    return Sharing(due, gross.difference_fen, gross.value)
