"""Totals and book states folded again from the log: what the guard's tables have to say."""

from collections.abc import Callable, Iterable
from typing import Any

from ledger.domain.entry import Posting
from ledger.domain.period import Period
from ledger.events.base import Fact, Posted
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.month import CloseRejected, MonthFact, MonthFrozen, MonthReopened, MonthSealed
from ledger.events.setup import FundOpened
from ledger.store import books
from ledger.store.books import BookState
from ledger.store.codec import decode_fact, posted_decoder
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

#: Sum and number of postings by fund, debit and credit account: an account's totals are made of
#: them at the end, which is quicker than for each event.
_Sums = dict[tuple[str, str, str], list[int]]
#: Area, booking date and intake (None: by hand) of events whose postings are summed together.
_Where = tuple[str, str, str | None]

_STEPS: dict[type[MonthFact], Callable[[BookKey, Period], Transition]] = {
    MonthFrozen: Freeze,
    CloseRejected: Thaw,
    MonthSealed: SealMonth,
    MonthReopened: Reopen,
}


class Recomputed:
    """A fold of the log, or of a part of it that others are joined to in their order.

    Rows of an intake count in ``live`` unless it has started and not completed.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[int, Transition]] = []  # of books, with their positions
        self.sums: dict[_Where, _Sums] = {}
        self.started: set[str] = set()
        self.completed: set[str] = set()

    def add(self, position: int, fact: Fact) -> None:
        """Count one fact; ValueError where it says what cannot be."""
        if isinstance(fact, Posted):
            self._add_postings([fact], sourced=hasattr(fact, "source"))
        elif isinstance(fact, IntakeStarted):
            self.started.add(fact.intake)
        elif isinstance(fact, IntakeCompleted):
            self.completed.add(fact.intake)
        elif isinstance(fact, FundOpened):
            first = Period.parse(fact.first) if fact.first else None
            self.steps.append((position, OpenBook(BookKey(fact.area, fact.fund), first)))
        elif isinstance(fact, MonthFact) and type(fact) in _STEPS:
            step = _STEPS[type(fact)]
            book = BookKey(fact.area, fact.fund)
            self.steps.append((position, step(book, Period.parse(fact.period))))

    def add_stored(self, topic: str, positions: Iterable[int], states: Iterable[bytes]) -> None:
        """Count facts of one topic as they lie in the log; EventUnreadable or ValueError at one."""
        posted = posted_decoder(topic)
        if posted is None:
            for position, state in zip(positions, states, strict=True):
                self.add(position, decode_fact(topic, state, position=position))
        else:
            self._add_postings(map(posted.decode, states), sourced=posted.sourced)

    def join(self, later: "Recomputed") -> None:
        """Add what was folded of a later part of the log."""
        self.steps += later.steps
        self.started |= later.started
        self.completed |= later.completed
        for where, sums in later.sums.items():
            mine = self.sums.setdefault(where, {})
            for pair, (fen, lines) in sums.items():
                total = mine.setdefault(pair, [0, 0])
                total[0] += fen
                total[1] += lines

    def books(self) -> tuple[dict[BookKey, BookState], list[tuple[int, TransitionRefused]]]:
        """Take every step: the books' states, and the steps that did not fit the one before."""
        states: dict[BookKey, BookState] = {}
        refused: list[tuple[int, TransitionRefused]] = []
        for position, step in self.steps:
            try:
                states[step.book] = books.after(states.get(step.book), step)
            except TransitionRefused as error:
                refused.append((position, error))
        return states, refused

    @property
    def unfinished(self) -> set[str]:
        """Name the intakes that have started and not completed."""
        return self.started - self.completed

    @property
    def live(self) -> Totals:
        """Totals of everything that counts."""
        waiting = self.unfinished
        return _totals(one for one in self.sums.items() if one[0][2] not in waiting)

    @property
    def staged(self) -> Staged:
        """Totals of claims intakes that have started and not completed."""
        waiting: dict[str, list[tuple[_Where, _Sums]]] = {}
        for where, sums in self.sums.items():
            if where[2] in self.unfinished:
                waiting.setdefault(where[2], []).append((where, sums))
        return {intake: _totals(found) for intake, found in waiting.items()}

    def _add_postings(self, facts: Iterable[Any], *, sourced: bool) -> None:
        """Sum the postings of facts, whether of the catalogue or as ``posted_decoder`` reads them."""
        for fact in facts:
            where = fact.area, fact.booked_on, fact.source.intake if sourced else None
            sums = self.sums.get(where)
            if sums is None:
                Period.parse(fact.booked_on[:7])  # a ValueError now, for this event
                sums = self.sums[where] = {}
            for posting in fact.postings:
                pair = posting.fund, posting.debit, posting.credit
                total = sums.get(pair)
                if total is None or not posting.fen:
                    Posting(*pair, posting.fen)  # a ValueError: no amount, or one account twice
                    total = sums[pair] = [0, 0]
                total[0] += posting.fen
                total[1] += 1


def _totals(found: Iterable[tuple[_Where, _Sums]]) -> Totals:
    totals: dict[TotalKey, list[int]] = {}
    for (area, day, _), sums in found:
        month = Period.parse(day[:7]).ordinal
        for (fund, debit, credit), (fen, lines) in sums.items():
            for side, account in enumerate((debit, credit)):
                total = totals.setdefault(TotalKey(area, fund, account, month), [0, 0, 0])
                total[side] += fen
                total[2] += lines
    return {key: Total(*total) for key, total in totals.items()}
