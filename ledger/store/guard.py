"""What is decided under the lock (design §3.2): may this commit be written, and what it writes.

A recorder takes the lock, reads a ``Standing`` and hands it to ``decide``, which is pure. The order
of refusals is fixed: key, lease, months booked into, steps of a book (with unfinished intakes).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from ledger.domain.period import Period
from ledger.store import books
from ledger.store import statements as sql
from ledger.store.books import BookState
from ledger.store.commit import (
    BookKey,
    BookNotOpened,
    Commit,
    Freeze,
    IntakeUnfinished,
    KeyConflict,
    LeaseLost,
    MonthNotOpen,
    OpenBook,
    Receipt,
    Total,
    TotalKey,
)
from ledger.store.failures import GuardChanged
from ledger.store.seals import Seal

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store says under the lock about everything that a commit touches."""

    head: Seal
    recorded: tuple[str, Receipt] | None = None
    lease: tuple[str, int] | None = None
    books: Mapping[BookKey, BookState] = field(default_factory=dict)
    open_intakes: Mapping[BookKey, str] = field(default_factory=dict)


class Write(NamedTuple):
    """One statement with its rows. ``table`` is named where exactly one row has to change."""

    sql: str
    rows: list[Params]
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either the receipt of what had been recorded before, or the writes that go with the events."""

    repeated: Receipt | None
    writes: tuple[Write, ...] = ()


def books_touched(commit: Commit) -> set[BookKey]:
    """Name the books that a commit depends on."""
    found = {book for book, _ in commit.booked}
    found.update(step.book for step in commit.transitions)
    found.update(commit.history)
    return found


def areas_touched(commit: Commit) -> list[str]:
    """Name the areas of the books that a commit depends on."""
    return sorted({book.area for book in books_touched(commit)})


def repeated(commit: Commit, recorded: tuple[str, Receipt] | None) -> Receipt | None:
    """Recognise a commit that had been recorded; KeyConflict where its content was another."""
    if recorded is None:
        return None
    input_hash, receipt = recorded
    if input_hash != commit.input_hash:
        raise KeyConflict(key=commit.key)
    return receipt


def _check_lease(commit: Commit, standing: Standing) -> None:
    lease = commit.lease
    if lease is not None and standing.lease != (lease.intake, lease.token):
        raise LeaseLost(intake=lease.intake)


def _check_months(commit: Commit, standing: Standing) -> None:
    """Refuse booking into a month that is frozen or sealed, or of a book that was never opened."""
    for book, month in sorted(commit.booked):
        state = standing.books.get(book)
        if state is None:
            raise BookNotOpened(area=book.area, fund=book.fund)
        if not state.is_open(month):
            raise MonthNotOpen(
                area=book.area,
                fund=book.fund,
                period=str(month),
                open_from=str(state.open_from),
            )


def _moved(commit: Commit, standing: Standing) -> dict[BookKey, BookState]:
    """Apply the transitions, and refuse a freeze while an intake for the book is unfinished."""
    moved: dict[BookKey, BookState] = {}
    for step in commit.transitions:
        before = moved.get(step.book, standing.books.get(step.book))
        if before is None and not isinstance(step, OpenBook):
            raise BookNotOpened(area=step.book.area, fund=step.book.fund)
        moved[step.book] = books.after(before, step)
        if isinstance(step, Freeze) and step.book in standing.open_intakes:
            raise IntakeUnfinished(
                area=step.book.area,
                fund=step.book.fund,
                intake=standing.open_intakes[step.book],
            )
    return moved


def decide(commit: Commit, standing: Standing) -> Verdict:
    """Refuse the commit, recognise it, or list what it writes beside what every commit writes.

    Every commit writes its events, live totals, messages, seal and key; each store has its own
    fast way of doing that.
    """
    before = repeated(commit, standing.recorded)
    if before is not None:
        return Verdict(before)
    _check_lease(commit, standing)
    _check_months(commit, standing)
    moved = _moved(commit, standing)
    return Verdict(None, (*_book_writes(commit, standing, moved), *_intake_writes(commit)))


def _book_writes(
    commit: Commit, standing: Standing, moved: Mapping[BookKey, BookState]
) -> Iterator[Write]:
    states = dict(moved)
    for book, month in commit.history.items():
        state = states.get(book, standing.books.get(book))
        if state is None:
            raise BookNotOpened(area=book.area, fund=book.fund)
        if state.history_from is None or month < state.history_from:
            states[book] = books.with_history(state, month)
    for book in sorted(states):
        old, new = standing.books.get(book), states[book]
        if old is None:
            yield Write(sql.INSERT_BOOK, [_book_row(book, new)])
        elif old != new:
            row = _book_row(book, new) | {
                "old_open_from": _ordinal(old.open_from),
                "old_frozen_through": _ordinal(old.frozen_through),
                "old_sealed_through": _ordinal(old.sealed_through),
            }
            yield Write(sql.MOVE_BOOK, [row], table="books")


def _ordinal(month: Period | None) -> int | None:
    return None if month is None else month.ordinal


def _book_row(book: BookKey, state: BookState) -> Params:
    months = {name: _ordinal(month) for name, month in state._asdict().items()}
    return {"area": book.area, "fund": book.fund, **months}


def _intake_writes(commit: Commit) -> Iterator[Write]:
    if commit.staged_for is not None and commit.totals:
        staged: list[Params] = [
            {**key._asdict(), **total._asdict(), "intake": commit.staged_for}
            for key, total in sorted_totals(commit)
        ]
        yield Write(sql.STAGE_TOTALS, staged)
    if commit.releases is not None:
        yield Write(sql.RELEASE_TOTALS, [{"intake": commit.releases}])
        yield Write(sql.DROP_STAGED, [{"intake": commit.releases}])
    if commit.opens_intake:
        intake = commit.intake
        opened = [{**book._asdict(), "intake": intake} for book in sorted(commit.opens_intake)]
        yield Write(sql.OPEN_INTAKE, opened)
    if commit.closes_intake is not None:
        yield Write(sql.CLOSE_INTAKE, [{"intake": commit.closes_intake}])


def sorted_totals(commit: Commit) -> list[tuple[TotalKey, Total]]:
    """List a commit's totals, sorted: writers of the same rows wait for each other in one order."""
    return sorted(commit.totals.items())


def live_totals(commit: Commit) -> list[tuple[TotalKey, Total]]:
    """List what a commit adds to the live totals; that of a running intake is kept apart."""
    return sorted_totals(commit) if commit.staged_for is None else []


class Read(NamedTuple):
    """One read under the lock."""

    sql: str
    params: Params


Rows = Sequence[tuple[Any, ...]]
_SEAL, _KEY = len(Seal._fields), len(Seal._fields) + 4


def reads(commit: Commit) -> list[Read]:
    """List what has to be read under the lock for a commit; ``standing`` takes the answers.

    The first of them, GUARD, is for most commits the only one.
    """
    areas = areas_touched(commit)
    plan = [Read(sql.GUARD, {"key": commit.key, "area": areas[0] if areas else ""})]
    plan.extend(Read(sql.FIND_BOOKS, {"area": area}) for area in areas[1:])
    if commit.lease is not None:
        lease = {"area": commit.lease.area, "kind": commit.lease.kind}
        plan.append(Read(sql.FIND_LEASE, lease))
    if any(isinstance(step, Freeze) for step in commit.transitions):
        plan.extend(Read(sql.FIND_OPEN_INTAKES, {"area": area}) for area in areas)
    return plan


def standing(commit: Commit, plan: Iterable[Read], answers: Iterable[Rows]) -> Standing:
    """Make a Standing of the answers to ``reads``, of no more books than the commit touches."""
    touched = books_touched(commit)
    recorded: tuple[str, Receipt] | None = None
    head: Seal | None = None
    lease: tuple[str, int] | None = None
    found: dict[BookKey, BookState] = {}
    intakes: dict[BookKey, str] = {}
    for read, rows in zip(plan, answers, strict=True):
        if read.sql is sql.GUARD:
            if rows:
                head, recorded = Seal._make(rows[0][:_SEAL]), recorded_of([rows[0][_SEAL:_KEY]])
            for row in rows:
                if row[_KEY : _KEY + 2] in touched:
                    found.update([book_of(row[_KEY:])])
        elif read.sql is sql.FIND_LEASE:
            lease = (rows[0][0], rows[0][1]) if rows else None
        elif read.sql is sql.FIND_BOOKS:
            found.update(map(book_of, rows))
        else:
            intakes.update({BookKey(area, fund): intake for area, fund, intake in rows})
    if head is None:
        raise GuardChanged(table="seals")
    return Standing(head, recorded, lease, found, intakes)


def recorded_of(rows: Rows) -> tuple[str, Receipt] | None:
    """Read the answer to FIND_KEY: the input hash and where the commit lies."""
    if not rows or rows[0][0] is None:
        return None
    input_hash, no, first, last = rows[0]
    return input_hash, Receipt(no, first, last, repeated=True)


_month = cache(Period.from_ordinal)  # months are few, and every commit reads some


def book_of(row: tuple[Any, ...]) -> tuple[BookKey, BookState]:
    """Read a row of ``books``."""
    area, fund, *months = row
    try:
        state = [None if month is None else _month(month) for month in months]
    except ValueError as error:  # a number that is no month was written around the store
        raise GuardChanged(table="books") from error
    return BookKey(area, fund), BookState(*state)
