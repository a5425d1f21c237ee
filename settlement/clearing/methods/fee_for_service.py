"""Fee for service under a total (按项目付费、总额控制): what was booked, against a quota.

Within the quota the booked amount is paid, and of what was saved a share may be kept; above it a
share of the excess is paid up to a limit. Shares and limit are policy; without a quota (``None``)
the booked amount is paid as it is (据实结算).
"""

from dataclasses import dataclass
from fractions import Fraction

from ledger.domain.money import fen_share


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalControl:
    """How an institution's total (总额控制指标) is used."""

    saving_kept: Fraction = Fraction(0)  # 结余留用
    excess_paid: Fraction = Fraction(0)  # 合理超支分担
    excess_upto: Fraction | None = None  # of the quota; None: without limit


def total_controlled_fen(booked_fen: int, quota_fen: int | None, rule: TotalControl) -> int:
    """Give what is due for a period in fen; shares are rounded half-up to the fen."""
    if quota_fen is None:
        return booked_fen
    if booked_fen <= quota_fen:
        return booked_fen + fen_share(quota_fen - booked_fen, rule.saving_kept)
    excess = booked_fen - quota_fen
    if rule.excess_upto is not None:
        excess = min(excess, fen_share(quota_fen, rule.excess_upto))
    return quota_fen + fen_share(excess, rule.excess_paid)
