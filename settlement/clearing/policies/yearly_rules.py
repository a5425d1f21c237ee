"""What differs from place to place in the yearly clearing (年度清算): ``[yearly]`` of a policy."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class BandsOn(StrEnum):
    """Which amounts the bands compare (口径)."""

    FUND = "fund"  # 基金口径: what the fund is due and what it was booked
    TOTAL = "total"  # 全口径: with what persons and other funds bore on both sides


class BandsOf(StrEnum):
    """Whose amounts go through the bands."""

    POINTS = "points"  # methods with points: they share the budget
    ALL = "all"  # every method of the policy


class Assessment(StrEnum):
    """When the assessment's deduction (考核扣款) is taken."""

    AFTER_BANDS = "after_bands"  # from what the bands gave
    BEFORE_BANDS = "before_bands"  # from what is due, before the bands


class Surplus(StrEnum):
    """What becomes of what the bands do not leave with institutions (不予留用的结余)."""

    FUND = "fund"  # stays with the fund
    RESERVE = "reserve"  # joins the regional reserve: it bears overruns first


class HeldBack(StrEnum):
    """What cases are due that are still held back (挂起) when the year is cleared."""

    UNPAID = "unpaid"  # nothing: what was settled for them is taken back
    AS_BOOKED = "as_booked"  # what was booked


class NoMethod(StrEnum):
    """What cases are due that no method of the policy takes."""

    AS_BOOKED = "as_booked"  # what was booked: the yearly clearing does not touch them
    REFUSE = "refuse"  # nothing is cleared while there are any


class Months(StrEnum):
    """What of the year's months must have been settled before."""

    SETTLED = "settled"  # all of it: else the run is refused
    EXPECTED = "expected"  # what is not yet counts as settled: its own run will settle it


class Rounding(StrEnum):
    """What an institution's final amount is rounded to, half-up; the difference is shown."""

    FEN = "fen"
    YUAN = "yuan"


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyRules:
    """How a year is cleared; every default is the plainest reading of 管理规程(2025版) art. 27."""

    year: str | None = None  # clears this year, whatever was in force in its months
    bands_on: BandsOn = BandsOn.FUND
    bands_of: BandsOf = BandsOf.POINTS
    assessment: Assessment = Assessment.AFTER_BANDS
    surplus: Surplus = Surplus.FUND
    surplus_shared: Fraction = Fraction(0)  # of what is left of the surplus, by what is due
    reserve_cap: Fraction = Fraction(1)  # share of the reserve that may bear overruns
    held_back: HeldBack = HeldBack.UNPAID
    no_method: NoMethod = NoMethod.AS_BOOKED
    months: Months = Months.SETTLED
    rounding: Rounding = Rounding.FEN
    review_cap: Fraction | None = None  # of cases put up for review; None: 5 ‰ (DIP), 5 % (DRG)
