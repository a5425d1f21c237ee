"""Totals and book states folded again from the log: what the guard's tables have to say."""

from collections.abc import Callable

from ledger.domain.period import Period
from ledger.events.base import Fact, Posted
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.month import CloseRejected, MonthFact, MonthFrozen, MonthReopened, MonthSealed
from ledger.events.setup import FundOpened
from ledger.store import books
from ledger.store.books import BookState
from ledger.store.commit import (
    BookKey,
    Freeze,
    OpenBook,
    Reopen,
    SealMonth,
    Thaw,
    Total,
    TotalKey,
    Transition,
    TransitionRefused,
)

Totals = dict[TotalKey, Total]
Staged = dict[str, Totals]

#: Sum and number of postings by area, booking month, fund, debit and credit account: an account's
#: totals are made of them at the end, which is quicker than for each event.
_Sums = dict[tuple[str, int, str, str, str], list[int]]

_STEPS: dict[type[MonthFact], Callable[[BookKey, Period], Transition]] = {
    MonthFrozen: Freeze,
    CloseRejected: Thaw,
    MonthSealed: SealMonth,
    MonthReopened: Reopen,
}


def _totals_of(sums: _Sums) -> Totals:
    totals: dict[TotalKey, list[int]] = {}
    for (area, month, fund, debit, credit), (fen, lines) in sums.items():
        for side, account in enumerate((debit, credit)):
            total = totals.setdefault(TotalKey(area, fund, account, month), [0, 0, 0])
            total[side] += fen
            total[2] += lines
    return {key: Total(*total) for key, total in totals.items()}


class Recomputed:
    """A fold of the whole log, one fact after the other.

    Rows of an intake count in ``live`` unless it has started and not completed; until that is
    known they wait under the intake's id.
    """

    def __init__(self) -> None:
        self.books: dict[BookKey, BookState] = {}
        self._live: _Sums = {}
        self._waiting: dict[str, _Sums] = {}
        self._months: dict[str, int] = {}
        self._started: set[str] = set()
        self._completed: set[str] = set()

    def add(self, fact: Fact) -> None:
        """Count one fact; TransitionRefused where a month's step does not fit the one before."""
        if isinstance(fact, Posted):
            self._add_postings(fact)
        elif isinstance(fact, IntakeStarted):
            self._started.add(fact.intake)
        elif isinstance(fact, IntakeCompleted):
            self._completed.add(fact.intake)
            self._release(fact.intake)
        elif isinstance(fact, FundOpened):
            first = Period.parse(fact.first) if fact.first else None
            self._step(OpenBook(BookKey(fact.area, fact.fund), first))
        elif isinstance(fact, MonthFact) and type(fact) in _STEPS:
            step = _STEPS[type(fact)]
            self._step(step(BookKey(fact.area, fact.fund), Period.parse(fact.period)))

    def finish(self) -> None:
        """Count the rows of intakes that never started by themselves: they were posted whole."""
        for intake in set(self._waiting) - self._started:
            self._release(intake)

    @property
    def live(self) -> Totals:
        """Totals of everything that counts."""
        return _totals_of(self._live)

    @property
    def staged(self) -> Staged:
        """Totals of claims intakes that have started and not completed."""
        return {intake: _totals_of(sums) for intake, sums in self._waiting.items()}

    @property
    def unfinished(self) -> set[str]:
        """Name the intakes that have started and not completed."""
        return self._started - self._completed

    def _step(self, step: Transition) -> None:
        before = self.books.get(step.book)
        if isinstance(step, OpenBook) and before is not None:
            raise TransitionRefused(
                area=step.book.area, fund=step.book.fund, period="-", step="建账 open"
            )
        self.books[step.book] = books.after(before, step)

    def _add_postings(self, fact: Posted) -> None:
        source = getattr(fact, "source", None)
        sums = self._live
        intake = None if source is None else source.intake
        if intake is not None and intake not in self._completed:
            found = self._waiting.get(intake)
            sums = self._waiting.setdefault(intake, {}) if found is None else found
        area, day = fact.area, fact.booked_on
        month = self._months.get(day)
        if month is None:
            month = self._months[day] = Period.parse(day[:7]).ordinal
        for posting in fact.postings:
            key = area, month, posting.fund, posting.debit, posting.credit
            total = sums.get(key)
            if total is None:
                sums[key] = [posting.fen, 1]
            else:
                total[0] += posting.fen
                total[1] += 1

    def _release(self, intake: str) -> None:
        for key, (fen, lines) in self._waiting.pop(intake, {}).items():
            total = self._live.setdefault(key, [0, 0])
            total[0] += fen
            total[1] += lines
