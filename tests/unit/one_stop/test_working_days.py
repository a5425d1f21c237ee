"""办结期限: working days with the holidays and worked weekends that an area's calendar names."""

from datetime import date

import pytest

from settlement.one_stop.working_days import Calendar, calendar_of, limit_of

MAY = Calendar(
    holidays=frozenset({"2024-05-01", "2024-05-02", "2024-05-03"}),
    workdays=frozenset({"2024-04-28", "2024-05-11"}),
)


@pytest.mark.parametrize(
    ("calendar", "received", "days", "due"),
    [
        (Calendar(), "2024-04-26", 1, "2024-04-29"),  # a Friday: Monday is the first
        (Calendar(), "2024-04-26", 5, "2024-05-03"),
        (MAY, "2024-04-26", 1, "2024-04-28"),  # a Sunday that is worked
        (MAY, "2024-04-26", 4, "2024-05-06"),  # 28, 29, 30, then the holiday
        (MAY, "2024-04-26", 9, "2024-05-11"),
        (Calendar(), "2024-04-02", 30, "2024-05-14"),
    ],
)
def test_the_working_day_after(calendar, received, days, due):
    assert calendar.after(date.fromisoformat(received), days).isoformat() == due


def test_calendars_of_all_years_are_gathered():
    policies = {
        ("calendar", "2023-12-01"): {"holidays": ["2024-01-01"]},
        ("calendar", "2024-12-01"): {"holidays": ["2025-01-01"], "workdays": ["2025-01-26"]},
        ("manual_claims", "2024-01-01"): {"working_days": 20},
        ("manual_claims", "2025-01-01"): {"working_days": 15},
    }
    found = calendar_of(policies)
    assert found.holidays == {"2024-01-01", "2025-01-01"}
    assert found.workdays == {"2025-01-26"}
    limits = [limit_of(policies, day) for day in ("2023-06-01", "2024-06-01", "2025-06-01")]
    assert limits == [30, 20, 15]
