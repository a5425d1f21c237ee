"""What the sample area must come out at, and the monthly expenditure that makes it so.

The district's report of October 2023 publishes two figures a fund and no amounts. The seed draws
amounts of a district's size; one free amount a figure (the level of 2023, the opening balance) is
then solved for. Nothing outside this folder knows the figures: the product computes them.
"""

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from ledger.domain.fund import ASSISTANCE, PERSONAL, POOLED, RESIDENT
from ledger.domain.money import allocate, fen_share
from ledger.domain.period import Period, months_between

FIRST, LAST = Period(2021, 10), Period(2023, 10)
MONTHS = tuple(months_between(FIRST, LAST))
BASE_YEAR = tuple(months_between(Period(2022, 1), Period(2022, 10)))
THIS_YEAR = tuple(months_between(Period(2023, 1), Period(2023, 10)))
TRAILING = tuple(months_between(Period(2022, 11), LAST))

#: As published at the end of October 2023 (percent; months), with the scope of the definitions.
EMPLOYEE_GROWTH, RESIDENT_GROWTH = Fraction("6.85"), Fraction("5.95")
POOLED_MONTHS, RESIDENT_MONTHS = Fraction("28.50"), Fraction("5.45")
ASSISTED_PERSONS, ASSISTED_PREMIUM = 12_270, 585_00

Monthly = dict[Period, int]
_SEASON = (102, 84, 103, 100, 101, 100, 102, 101, 99, 98, 103, 107)


@dataclass(frozen=True, slots=True)
class Expenditure:
    """Monthly 支出小计 of every fund, in fen; for 610 without the assisted participation."""

    by_month: dict[str, Monthly]
    pooled_months: Fraction
    resident_months: Fraction

    def level(self, fund: str, month: Period) -> int:
        """Give a smooth month of the fund's expenditure, what income is drawn around."""
        months = self.by_month[fund]
        at = month.ordinal - FIRST.ordinal
        return sum(months.values()) * (930 + 6 * at) // (1000 * len(months))

    def accumulated(self, fund: str) -> int:
        """Say what must be left (累计结余) at the end of LAST to pay for the published months."""
        months = self.pooled_months if fund == POOLED else self.resident_months
        return fen_share(sum(self.by_month[fund][month] for month in TRAILING), months / 12)


def plan_expenditure(rng: Random) -> Expenditure:
    """Draw the levels and solve 2023 for the published growth."""
    raw = {
        POOLED: _raw(rng, rng.randrange(84_000_000_00, 94_000_000_00)),
        PERSONAL: _raw(rng, rng.randrange(40_000_000_00, 48_000_000_00)),
        RESIDENT: _raw(rng, rng.randrange(42_000_000_00, 47_000_000_00)),
        "392": _raw(rng, rng.randrange(2_000_000_00, 2_300_000_00)),
        "330": _raw(rng, rng.randrange(1_500_000_00, 1_700_000_00)),
        "320": _raw(rng, rng.randrange(2_100_000_00, 2_400_000_00)),
        ASSISTANCE: _raw(rng, rng.randrange(1_650_000_00, 1_850_000_00)),
    }
    base = {fund: sum(months[month] for month in BASE_YEAR) for fund, months in raw.items()}
    employee = _grown(base[POOLED] + base[PERSONAL], _near(rng, EMPLOYEE_GROWTH))
    pooled = _grown(base[POOLED], Fraction(rng.randrange(630, 740), 100))
    totals = {
        POOLED: pooled,
        PERSONAL: employee - pooled,
        RESIDENT: _grown(base[RESIDENT], _near(rng, RESIDENT_GROWTH)),
    }
    for fund, total in totals.items():
        shape = {month: raw[fund][month] for month in THIS_YEAR}
        raw[fund].update(allocate(total, shape))
    return Expenditure(raw, _near(rng, POOLED_MONTHS), _near(rng, RESIDENT_MONTHS))


def _raw(rng: Random, base: int) -> Monthly:
    """Draw a series with a trend of some 7 % a year, a season and noise."""
    return {
        month: base * (1000 + 6 * at) * _SEASON[month.month - 1] * rng.randrange(975, 1026) // 10**8
        for at, month in enumerate(MONTHS)
    }


def _grown(base: int, percent: Fraction) -> int:
    return fen_share(base, 1 + percent / 100)


def _near(rng: Random, published: Fraction) -> Fraction:
    """Draw an unrounded figure that rounds to the published one, as a real one would."""
    return published + Fraction(rng.randrange(-30, 31), 10_000)
