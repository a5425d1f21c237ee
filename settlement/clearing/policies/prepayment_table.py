"""``[prepayment]`` of a policy file: its form, with every key checked."""

from fractions import Fraction

from pydantic import model_validator

from settlement.clearing.policies.prepayment_rules import GATES, Deficit, PrepaymentRules
from settlement.clearing.policies.words import PolicyTable, Share


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
