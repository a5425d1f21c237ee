"""Bands of the yearly clearing (结余留用、超支分担): what is paid between what is due and booked.

``booked`` 记账 is what the fund's part came to at the counter, ``due`` 应付 is points × point value.
A band gives ``a × due + b × booked + c``, rounded once, half-up to the fen. Two factors and a constant
are needed: a share of the quota beside a share of the excess, and a jump at an edge, cannot be said
with one share (corrections, "Clearing arithmetic"). Cities differ in every number, so all of them
are policy; the edges are exact fractions and the policy names the band that owns one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from ledger.domain.money import allocate, fen_share, round_half_up


class Ratio(StrEnum):
    """Which way round the area's rule writes the ratio (口径); 110 % one way is 10/11 the other."""

    BOOKED_TO_DUE = "booked/due"  # 使用率
    DUE_TO_BOOKED = "due/booked"  # 结付率


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One band up to an edge; the last one has none. ``owns_edge``: the edge itself is in here."""

    upto: Fraction | None
    owns_edge: bool = True
    due: Fraction = Fraction(0)
    booked: Fraction = Fraction(0)
    constant_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """The bands of one policy in rising order of its ratio, and its cap on the whole payment."""

    ratio: Ratio
    bands: tuple[Band, ...]
    at_most_of_due: Fraction | None = None  # never more than this share of what is due

    def __post_init__(self) -> None:
        if problems := band_problems(self):
            raise ValueError("; ".join(problems))


def band_problems(policy: Bands) -> list[str]:
    """Name everything that keeps bands from covering every ratio exactly once."""
    edges = [band.upto for band in policy.bands]
    if not edges or edges[-1] is not None or None in edges[:-1]:
        return ["the last band, and only the last, has no edge"]
    named = [edge for edge in edges if edge is not None]
    rising = all(a < b for a, b in itertools.pairwise(named))
    return [] if rising and all(edge > 0 for edge in named) else ["edges are positive and rise"]


def band_of(policy: Bands, *, due_fen: int, booked_fen: int) -> int:
    """Give the place of the band that a pair of amounts lies in; fractions are never divided out.

    Nothing due against something booked is the worst ratio there is. Both nil: the first band.
    """
    if due_fen < 0 or booked_fen < 0:
        raise ValueError("a negative amount has no band: it is carried forward")
    above, below = booked_fen, due_fen
    if policy.ratio is Ratio.DUE_TO_BOOKED:
        above, below = due_fen, booked_fen
    for place, band in enumerate(policy.bands):
        if band.upto is None:
            break
        left, right = above * band.upto.denominator, below * band.upto.numerator
        if left < right or (left == right and band.owns_edge):
            return place
    return len(policy.bands) - 1


def banded(policy: Bands, *, due_fen: int, booked_fen: int) -> int:
    """Give what is paid in fen for one institution."""
    if due_fen == booked_fen == 0:
        return 0
    band = policy.bands[band_of(policy, due_fen=due_fen, booked_fen=booked_fen)]
    exact = band.due * due_fen + band.booked * booked_fen + band.constant_fen
    paid = int(round_half_up(exact))
    if policy.at_most_of_due is not None:
        paid = min(paid, fen_share(due_fen, policy.at_most_of_due))
    return paid


@dataclass(frozen=True, slots=True)
class Shared:
    """What the reserve bears of the overruns: per institution, and what it could not bear."""

    borne: dict[str, int]
    not_borne_fen: int


def capped_by_reserve(overruns: dict[str, int], *, reserve_fen: int) -> Shared:
    """Let the regional reserve (调节金) bear overruns up to what it holds.

    Where it does not suffice, every institution gets the same share of it, by largest remainder.
    """
    wanted = {code: fen for code, fen in overruns.items() if fen > 0}
    total = sum(wanted.values())
    if total <= reserve_fen:
        return Shared(dict(wanted), 0)
    borne = allocate(reserve_fen, wanted) if reserve_fen > 0 else dict.fromkeys(wanted, 0)
    return Shared(borne, total - sum(borne.values()))


def edges_of(policy: Bands) -> Sequence[Fraction]:
    """List the edges, for a page that shows them and for tests that try both sides of each."""
    return [band.upto for band in policy.bands if band.upto is not None]
