"""``[prepayment]`` of a policy (预付金): when institutions are prepaid, and how much.

The defaults are those of the national notice of November 2024: employee pooled 12 payable months,
residents 6, nothing after a deficit last year or with one forecast over a rolling 12 months.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from pydantic import model_validator

from ledger.domain.fund import POOLED, RESIDENT
from settlement.clearing.policy_words import PolicyTable, Share

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


class PrepaymentTable(PolicyTable):
    """``[prepayment]``; every key may be left out."""

    gate_months: Share | None = None
    size_months: Share = Fraction(1)
    deficit_last_year: Deficit = Deficit.REFUSE
    deficit_forecast: Deficit = Deficit.REFUSE

    @model_validator(mode="after")
    def _is_not_below_nil(self) -> "PrepaymentTable":
        if (self.gate_months or 0) < 0 or self.size_months <= 0:
            raise ValueError("月数须大于零 / months are above nil")
        return self

    def rules(self, fund: str) -> PrepaymentRules:
        """Give the rules, with the gate of the fund where the table names none."""
        gate = self.gate_months if self.gate_months is not None else GATES.get(fund)
        return PrepaymentRules(
            gate_months=gate,
            size_months=self.size_months,
            deficit_last_year=self.deficit_last_year,
            deficit_forecast=self.deficit_forecast,
        )
