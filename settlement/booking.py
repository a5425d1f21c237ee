"""When a fact is booked (记账日期), and what a batch of facts adds to the running totals.

Booking date: the fact's own date if its month is open when it is recorded, else the first day of
the earliest open month (design §3.8). A fact that touches several funds has one booking date at
which all of them are open.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Protocol

from ledger.domain.chart import CHART
from ledger.domain.entry import Book, Entry, sides
from ledger.domain.fund import parent
from ledger.domain.period import Period
from ledger.events.base import Posted
from ledger.events.cash import OpeningAdjusted, OpeningRecorded
from ledger.events.month import YearTransferred
from ledger.store.commit import BookKey, BookNotOpened, Total, TotalKey


class OpenState(Protocol):
    """The part of a book's guard that decides about booking."""

    @property
    def open_from(self) -> Period | None: ...


Books = Mapping[BookKey, OpenState]


def books_touched(area: str, entry: Entry) -> frozenset[BookKey]:
    """List the books (parent funds) that an entry touches."""
    return frozenset(BookKey(area, parent(posting.fund)) for posting in entry)


def booking_date(day: date, books: Iterable[BookKey], states: Books) -> date:
    """Decide the booking date; BookNotOpened where a fund has no book here."""
    open_from: Period | None = None
    for book in books:
        state = states.get(book)
        if state is None:
            raise BookNotOpened(area=book.area, fund=book.fund)
        if state.open_from is not None and (open_from is None or state.open_from > open_from):
            open_from = state.open_from
    if open_from is None or Period.of(day) >= open_from:
        return day
    return open_from.first_day


def totals_of(facts: Iterable[Posted]) -> dict[TotalKey, Total]:
    """Add the postings of facts up by leaf fund × account × booking month."""
    sums: dict[TotalKey, list[int]] = {}
    months: dict[str, int] = {}
    for fact in facts:
        month = months.get(fact.booked_on)
        if month is None:
            month = Period.of(date.fromisoformat(fact.booked_on)).ordinal
            months[fact.booked_on] = month
        for side in sides(fact.postings):
            total = sums.setdefault(TotalKey(fact.area, side.fund, side.account, month), [0, 0, 0])
            total[0] += side.debit_fen
            total[1] += side.credit_fen
            total[2] += 1
    return {key: Total(*amounts) for key, amounts in sums.items()}


def booked_months(facts: Iterable[Posted]) -> frozenset[tuple[BookKey, Period]]:
    """List every (book, month) that facts are booked into: what must be open under the lock."""
    return frozenset(
        (book, Period.of(date.fromisoformat(fact.booked_on)))
        for fact in facts
        for book in books_touched(fact.area, fact.postings)
    )


def first_months(facts: Iterable[Posted]) -> dict[BookKey, Period]:
    """Give, by book, the first month these facts give it a history for.

    A flow gives its month; an opening balance dated the last day of a month opens the next one.
    Claims and year-end transfers give none: they are no flows of the fund.
    """
    first: dict[BookKey, Period] = {}
    for fact in facts:
        if isinstance(fact, YearTransferred):
            continue
        day = date.fromisoformat(fact.booked_on)
        if isinstance(fact, OpeningRecorded | OpeningAdjusted):
            day += timedelta(days=1)
        for posting in fact.postings:
            if CHART[posting.debit].book is not Book.CASH:
                continue
            book = BookKey(fact.area, parent(posting.fund))
            month = Period.of(day)
            if book not in first or month < first[book]:
                first[book] = month
    return first
