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

_NIL = Total(0, 0, 0)
_STEPS: dict[type[MonthFact], Callable[[BookKey, Period], Transition]] = {
    MonthFrozen: Freeze,
    CloseRejected: Thaw,
    MonthSealed: SealMonth,
    MonthReopened: Reopen,
}


def _add(into: Totals, key: TotalKey, debit_fen: int, credit_fen: int, lines: int) -> None:
    before = into.get(key, _NIL)
    into[key] = Total(
        before.debit_fen + debit_fen, before.credit_fen + credit_fen, before.lines + lines
    )


class Recomputed:
    """A fold of the whole log, one fact after the other.

    Rows of an intake count in ``live`` unless it has started and not completed; until that is
    known they wait under the intake's id.
    """

    def __init__(self) -> None:
        self.live: Totals = {}
        self.books: dict[BookKey, BookState] = {}
        self._waiting: Staged = {}
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
    def staged(self) -> Staged:
        """Totals of claims intakes that have started and not completed."""
        return self._waiting

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
        intake = None if source is None else source.intake
        into = self.live
        if intake is not None and intake not in self._completed:
            into = self._waiting.setdefault(intake, {})
        month = Period.parse(fact.booked_on[:7]).ordinal
        for posting in fact.postings:
            fund, fen = posting.fund, posting.fen
            _add(into, TotalKey(fact.area, fund, posting.debit, month), fen, 0, 1)
            _add(into, TotalKey(fact.area, fund, posting.credit, month), 0, fen, 1)

    def _release(self, intake: str) -> None:
        for key, total in self._waiting.pop(intake, {}).items():
            _add(self.live, key, *total)
