"""The state of a fund's book (账套状态) and its transitions: pure, for the guard and for verify.

At most one month is frozen ahead of the sealed ones, so a book is either at rest (frozen = sealed)
or has one month waiting for its seal (frozen = sealed + 1, or the very first freeze).
"""

from typing import NamedTuple

from ledger.domain.period import Period
from ledger.store.commit import (
    BookKey,
    Freeze,
    OpenBook,
    Reopen,
    SealMonth,
    Thaw,
    Transition,
    TransitionRefused,
)


class BookState(NamedTuple):
    """How far a book is open, frozen and sealed; None where there is no bound yet.

    ``open_from`` None means that every month is open. ``open_before_freeze`` is what a withdrawn
    freeze goes back to, ``first_sealed`` the first month that was ever sealed.
    """

    first_month: Period | None = None
    open_from: Period | None = None
    frozen_through: Period | None = None
    sealed_through: Period | None = None
    history_from: Period | None = None
    open_before_freeze: Period | None = None
    first_sealed: Period | None = None

    def is_open(self, month: Period) -> bool:
        """Tell whether entries may be booked into a month."""
        return self.open_from is None or month >= self.open_from


#: Names of the steps in the message of a refusal.
_STEPS = {
    OpenBook: "建账 open",
    Freeze: "锁账 freeze",
    Thaw: "撤销锁账 thaw",
    SealMonth: "封账 seal",
    Reopen: "反结账 reopen",
}


def _refused(step: Transition) -> TransitionRefused:
    month = step.first if isinstance(step, OpenBook) else step.month
    return TransitionRefused(
        area=step.book.area,
        fund=step.book.fund,
        period=str(month) if month else "-",
        step=_STEPS[type(step)],
    )


def _frozen(state: BookState, step: Freeze) -> BookState:
    awaited = state.frozen_through.next if state.frozen_through else None
    if state.frozen_through != state.sealed_through or (awaited or step.month) != step.month:
        raise _refused(step)
    if not state.is_open(step.month):
        raise _refused(step)
    return state._replace(
        frozen_through=step.month,
        open_from=step.month.next,
        open_before_freeze=state.open_from,
    )


def _awaits_seal(state: BookState, month: Period) -> bool:
    return state.frozen_through == month and state.sealed_through != month


def _thawed(state: BookState, step: Thaw) -> BookState:
    if not _awaits_seal(state, step.month):
        raise _refused(step)
    return state._replace(
        frozen_through=state.sealed_through,
        open_from=state.open_before_freeze,
        open_before_freeze=None,
    )


def _sealed(state: BookState, step: SealMonth) -> BookState:
    if not _awaits_seal(state, step.month):
        raise _refused(step)
    return state._replace(
        sealed_through=step.month,
        open_before_freeze=None,
        first_sealed=state.first_sealed or step.month,
    )


def _reopened(state: BookState, step: Reopen) -> BookState:
    if not state.sealed_through == step.month == state.frozen_through:
        raise _refused(step)
    before = None if step.month == state.first_sealed else step.month.previous
    return state._replace(
        sealed_through=before,
        frozen_through=before,
        open_from=step.month,
        first_sealed=state.first_sealed if before else None,
    )


def after(state: BookState | None, step: Transition) -> BookState:
    """Give a book's state after a step; TransitionRefused where it does not start from this state.

    ``state`` is None where the book has not been opened.
    """
    match step:
        case OpenBook() if state is None:
            return BookState(first_month=step.first, open_from=step.first)
        case Freeze() if state is not None:
            return _frozen(state, step)
        case Thaw() if state is not None:
            return _thawed(state, step)
        case SealMonth() if state is not None:
            return _sealed(state, step)
        case Reopen() if state is not None:
            return _reopened(state, step)
        case _:
            raise _refused(step)


def with_history(state: BookState, month: Period) -> BookState:
    """Let a book's history begin no later than a month."""
    return state._replace(history_from=min(state.history_from or month, month))


Books = dict[BookKey, BookState]
