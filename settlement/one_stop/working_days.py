"""Working days (工作日): Monday to Friday, as far as an area's dated calendar does not say otherwise.

The State Council names the holidays (法定节假日) and the weekends that are worked (调休) anew each year:
they are dated data of the setup, ``[[policies]] name = "calendar"`` with ``holidays`` and
``workdays``. Without them a holiday counts as a working day, so a deadline may come out too early.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import cast

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Holidays, and weekends that are worked; both as ISO dates."""

    holidays: frozenset[str] = field(default_factory=frozenset)
    workdays: frozenset[str] = field(default_factory=frozenset)

    def is_working(self, day: date) -> bool:
        text = day.isoformat()
        if text in self.workdays:
            return True
        return day.weekday() < _SATURDAY and text not in self.holidays

    def after(self, day: date, days: int) -> date:
        """Give the working day that is so many working days after a day, which itself does not count."""
        while days:
            day += timedelta(days=1)
            days -= self.is_working(day)
        return day


def calendar_of(policies: Mapping[tuple[str, str], Mapping[str, object]]) -> Calendar:
    """Gather the calendars of a setup, of whatever years."""
    holidays: set[str] = set()
    workdays: set[str] = set()
    for (name, _), content in policies.items():
        if name == "calendar":
            holidays.update(map(str, cast("Iterable[object]", content.get("holidays") or ())))
            workdays.update(map(str, cast("Iterable[object]", content.get("workdays") or ())))
    return Calendar(frozenset(holidays - workdays), frozenset(workdays))


def limit_of(policies: Mapping[tuple[str, str], Mapping[str, object]], day: str) -> int:
    """Give the working days within which a manual claim is settled (办结期限), 30 if nothing is said."""
    found = [
        (effective, content.get("working_days"))
        for (name, effective), content in policies.items()
        if name == "manual_claims" and effective <= day
    ]
    _, days = max(found, default=("", None), key=lambda one: one[0])
    return days if isinstance(days, int) and days > 0 else 30
