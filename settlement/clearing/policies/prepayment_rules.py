"""Rules of prepayment (预付金): when institutions are prepaid, and how much.

The defaults are those of the national notice of November 2024: employee pooled 12 payable months,
residents 6, nothing after a deficit last year or with one forecast over a rolling 12 months.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from ledger.domain.fund import POOLED, RESIDENT

#: Payable months that a fund needs, where its policy says nothing; other funds are not prepaid from.
GATES = {POOLED: Fraction(12), RESIDENT: Fraction(6)}


class Deficit(StrEnum):
    """Whether a deficit (当期赤字) keeps a fund from prepaying."""

    REFUSE = "refuse"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaymentRules:
    """When a fund may prepay, and what a month of prepayment is."""

    gate_months: Fraction | None = None  # None: the fund may not prepay at all
    size_months: Fraction = Fraction(1)  # of last year's booked, unless the command says otherwise
    deficit_last_year: Deficit = Deficit.REFUSE
    deficit_forecast: Deficit = Deficit.REFUSE  # the last 12 months carried on


def default_rules(fund: str) -> PrepaymentRules:
    """Give the rules of a leaf fund whose policy says nothing."""
    return PrepaymentRules(gate_months=GATES.get(fund))
