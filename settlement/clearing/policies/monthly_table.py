"""``[monthly]`` of a policy file: how a month is settled before the year is cleared."""

from fractions import Fraction

from pydantic import model_validator

from settlement.clearing.policies.policy import Basis, Monthly, PrepaymentOffset, Unapplied
from settlement.clearing.policies.words import PolicyTable, Share


class MonthlyTable(PolicyTable):
    """``[monthly]``."""

    basis: Basis = Basis.BOOKED
    share: Share = Fraction(1)
    without_application: Unapplied = Unapplied.BOOKED
    prepayment_offset: PrepaymentOffset = PrepaymentOffset.YEARLY
    prepayment_share: Share = Fraction(1)
    insurer_share: Share = Fraction(0)

    @model_validator(mode="after")
    def _has_shares_of_a_whole(self) -> "MonthlyTable":
        for name in ("share", "prepayment_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} 须大于 0 且不超过 1 / above nil and at most one: {name}")
        if not 0 <= self.insurer_share <= 1:
            raise ValueError("insurer_share 须在 0 与 1 之间 / insurer_share is from nil to one")
        return self

    def monthly(self) -> Monthly:
        return Monthly(**{name: getattr(self, name) for name in type(self).model_fields})
