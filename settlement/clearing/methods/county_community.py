"""A county medical community under one budget (紧密型医共体总额付费): paid to the lead, split inside.

``total = funds raised x distributable share ± adjustments``;
``retained = (total - treated inside - treated outside) x assessment``. The lead hospital signs and is
paid (payee ≠ provider); what is retained, or overspent, is split over the members by weights that
the community has agreed. Catastrophic insurance, assistance, consultation and family-doctor fees
stay outside the budget (毕节2025).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ledger.domain.money import allocate, fen_share


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityYear:
    """One community's year in fen."""

    raised_fen: int
    distributable: Fraction  # after risk reserve, catastrophic premium, regional reserve
    adjustment_fen: int = 0
    inside_fen: int = 0  # 本地发生
    outside_fen: int = 0  # 转外发生
    assessment: Fraction = Fraction(1)  # 考核系数, on what is retained
    overrun_borne: Fraction = Fraction(1)  # the community's share of an overrun


@dataclass(frozen=True, slots=True)
class CommunityResult:
    """What the year comes to: the budget, what is retained (negative: borne), and each one's part."""

    total_fen: int
    retained_fen: int
    members: dict[str, int]


def total_fen(year: CommunityYear) -> int:
    """Give the community's budget, the share rounded half-up to the fen."""
    return fen_share(year.raised_fen, year.distributable) + year.adjustment_fen


def community_part(year: CommunityYear, left_fen: int) -> int:
    """Give what the community retains of what is left, or bears of what is lacking (negative)."""
    return fen_share(left_fen, year.assessment if left_fen >= 0 else year.overrun_borne)


def community_year(year: CommunityYear, weights: Mapping[str, int]) -> CommunityResult:
    """Give what the community retains or bears, split over its members without loss."""
    total = total_fen(year)
    retained = community_part(year, total - year.inside_fen - year.outside_fen)
    return CommunityResult(total, retained, allocate(retained, weights))
