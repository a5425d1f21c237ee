"""``[yearly]`` of a policy file: its form, with every key checked."""

from fractions import Fraction

from pydantic import Field, model_validator

from settlement.clearing.policies import yearly_rules as yearly
from settlement.clearing.policies.words import PolicyTable, Share


class YearlyTable(PolicyTable):
    """``[yearly]``: how the year is cleared; every key may be left out."""

    year: int | None = Field(default=None, ge=2000, le=9998)
    bands_on: yearly.BandsOn = yearly.BandsOn.FUND
    bands_of: yearly.BandsOf = yearly.BandsOf.POINTS
    assessment: yearly.Assessment = yearly.Assessment.AFTER_BANDS
    surplus: yearly.Surplus = yearly.Surplus.FUND
    surplus_shared: Share = Fraction(0)
    reserve_cap: Share = Fraction(1)
    held_back: yearly.HeldBack = yearly.HeldBack.UNPAID
    no_method: yearly.NoMethod = yearly.NoMethod.AS_BOOKED
    months: yearly.Months = yearly.Months.SETTLED
    rounding: yearly.Rounding = yearly.Rounding.FEN
    review_cap: Share | None = None

    @model_validator(mode="after")
    def _shares_are_parts(self) -> "YearlyTable":
        for name in ("surplus_shared", "reserve_cap", "review_cap"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} 须在 0 与 1 之间 / {name} lies between nil and one")
        return self

    def rules(self) -> yearly.YearlyRules:
        said = {name: getattr(self, name) for name in type(self).model_fields if name != "year"}
        return yearly.YearlyRules(year=None if self.year is None else str(self.year), **said)
