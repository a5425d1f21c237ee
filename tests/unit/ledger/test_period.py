"""Accounting months: how they are written, where they begin and end, what follows what."""

from datetime import date

import pytest

from ledger.domain.period import Period, months_between


@pytest.mark.parametrize(
    ("text", "first", "last", "before", "after"),
    [
        ("2023-01", "2023-01-01", "2023-01-31", "2022-12", "2023-02"),
        ("2023-02", "2023-02-01", "2023-02-28", "2023-01", "2023-03"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-01", "2024-03"),
        ("2000-02", "2000-02-01", "2000-02-29", "2000-01", "2000-03"),
        ("1900-12", "1900-12-01", "1900-12-31", "1900-11", "1901-01"),
        ("2023-12", "2023-12-01", "2023-12-31", "2023-11", "2024-01"),
    ],
)
def test_a_month_knows_its_days_and_its_neighbours(text, first, last, before, after):
    month = Period.parse(text)
    assert str(month) == text
    assert (month.first_day.isoformat(), month.last_day.isoformat()) == (first, last)
    assert (str(month.previous), str(month.next)) == (before, after)
    assert Period.of(month.first_day) == Period.of(month.last_day) == month


@pytest.mark.parametrize(
    "text",
    ["", "2023", "2023-1", "2023-00", "2023-13", "202310", "2023/10", " 2023-10", "2023-10-01",
     "1899-12", "9999-01", "2023-10\n", "２０２３-１０"],
)  # fmt: skip
def test_anything_else_is_no_month(text):
    with pytest.raises(ValueError, match="month"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2023-11", 0, "2023-11"),
        ("2023-11", 2, "2024-01"),
        ("2023-11", -11, "2022-12"),
        ("2023-11", 25, "2025-12"),
    ],
)
def test_months_are_counted_over_the_year(start, months, end):
    assert Period.parse(start).plus(months) == Period.parse(end)


def test_months_between_are_both_included():
    told = months_between(Period(2022, 11), Period(2023, 2))
    assert list(map(str, told)) == ["2022-11", "2022-12", "2023-01", "2023-02"]
    assert months_between(Period(2023, 2), Period(2023, 1)) == []


def test_months_sort_as_they_follow_each_other():
    texts = ["2023-02", "2022-12", "2023-01"]
    assert [str(month) for month in sorted(map(Period.parse, texts))] == sorted(texts)


def test_the_last_month_there_is_still_ends():
    assert Period(9998, 12).ordinal == Period(9998, 11).ordinal + 1
    assert Period.of(date(9998, 11, 30)).last_day == date(9998, 11, 30)
