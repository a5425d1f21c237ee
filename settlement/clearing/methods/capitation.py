"""Capitation (按人头付费): a sum for each person who signed, less what they needed elsewhere.

``due = Σ months (heads x monthly rate x factor) - visits elsewhere (转外扣减)``, where the factor
carries age and risk and its absence is 1. Whether all of a visit elsewhere is deducted is policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ledger.domain.money import fen_share, round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Persons of one class in one month (签约人数), with the class's monthly rate."""

    heads: int
    rate_fen: int
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Persons of one class who signed with an institution, from one month to another (YYYY-MM)."""

    institution: str
    since: str
    until: str
    heads: Heads

    def in_month(self, month: str) -> bool:
        """Tell whether they are counted in a month."""
        return self.since <= month <= self.until


def quota_fen(months: Iterable[Heads]) -> int:
    """Give the sum for all heads in fen, rounded half-up once at the end."""
    return int(round_half_up(sum((one.heads * one.rate_fen * one.factor for one in months), 0)))


def capitation_fen(
    months: Iterable[Heads], *, elsewhere_fen: int, deducted: Fraction = Fraction(1)
) -> int:
    """Give what is due in fen; negative where visits elsewhere came to more than the heads."""
    return quota_fen(months) - fen_share(elsewhere_fen, deducted)
