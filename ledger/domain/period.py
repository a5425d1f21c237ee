"""Accounting months (会计期间, 账期) and calendar years."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_TEXT = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month, written ``YYYY-MM``; bounds are half-open dates in Asia/Shanghai."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 1900 <= self.year <= 9998):
            raise ValueError(f"no such month: {self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read ``YYYY-MM``; anything else is a ValueError."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise ValueError(f"not a month (YYYY-MM): {text!r}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> "Period":
        """Give the month a date lies in."""
        return cls(day.year, day.month)

    @classmethod
    def from_ordinal(cls, ordinal: int) -> "Period":
        """Give the month back from its number of months since year 0."""
        return cls(ordinal // 12, ordinal % 12 + 1)

    @property
    def ordinal(self) -> int:
        """Months since year 0: what guards and totals are keyed by."""
        return self.year * 12 + self.month - 1

    @property
    def months(self) -> tuple["Period", ...]:
        """Give the month itself, as a year gives its twelve."""
        return (self,)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> "Period":
        return self.plus(1)

    @property
    def previous(self) -> "Period":
        return self.plus(-1)

    def plus(self, months: int) -> "Period":
        """Move by a number of months, backwards with a negative one."""
        return Period.from_ordinal(self.ordinal + months)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True, order=True)
class Year:
    """A calendar year as it is cleared (清算年度), written ``YYYY``."""

    year: int

    @classmethod
    def parse(cls, text: str) -> "Year":
        """Read ``YYYY``; anything else is a ValueError."""
        if not re.fullmatch(r"[0-9]{4}", text):
            raise ValueError(f"not a year (YYYY): {text!r}")
        found = cls(int(text))
        _ = found.months  # a year without months is none
        return found

    @property
    def months(self) -> tuple[Period, ...]:
        return tuple(Period(self.year, month) for month in range(1, 13))

    def __str__(self) -> str:
        return f"{self.year:04d}"


def months_between(first: Period, last: Period) -> list[Period]:
    """List the months from first to last, both included."""
    return [Period.from_ordinal(number) for number in range(first.ordinal, last.ordinal + 1)]
