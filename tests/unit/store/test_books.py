"""From which state a month may be frozen, thawed, sealed and reopened, and what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.period import Period
from ledger.store.books import BookState, after, with_history
from ledger.store.commit import (
    BookKey,
    Freeze,
    OpenBook,
    Reopen,
    SealMonth,
    Thaw,
    TransitionRefused,
)

BOOK = BookKey("330604", "310")
STEPS = {"open": OpenBook, "freeze": Freeze, "thaw": Thaw, "seal": SealMonth, "reopen": Reopen}


def month(number):
    return Period(2023, 1).plus(number - 1)


def walk(story, first=None):
    """Run ``freeze 1, seal 1`` and give the state; months are numbers."""
    state = after(None, OpenBook(BOOK, first and month(first)))
    for line in filter(None, story.split(", ")):
        verb, number = line.split()
        state = after(state, STEPS[verb](BOOK, month(int(number))))
    return state


def shown(state):
    bounds = (state.open_from, state.frozen_through, state.sealed_through)
    return tuple(one and one.ordinal - month(1).ordinal + 1 for one in bounds)


@pytest.mark.parametrize(
    ("story", "first", "open_from", "frozen", "sealed"),
    [
        ("", None, None, None, None),
        ("", 3, 3, None, None),
        ("freeze 5", None, 6, 5, None),
        ("freeze 5, thaw 5", None, None, None, None),
        ("freeze 5, thaw 5", 3, 3, None, None),
        ("freeze 5, thaw 5, freeze 4", 3, 5, 4, None),
        ("freeze 5, seal 5", None, 6, 5, 5),
        ("freeze 5, seal 5, freeze 6", None, 7, 6, 5),
        ("freeze 5, seal 5, freeze 6, thaw 6", None, 6, 5, 5),
        ("freeze 5, seal 5, freeze 6, seal 6, reopen 6", None, 6, 5, 5),
        ("freeze 5, seal 5, reopen 5", None, 5, None, None),
        ("freeze 5, seal 5, reopen 5, freeze 5", None, 6, 5, None),
        ("freeze 5, seal 5, reopen 5, freeze 5, thaw 5", None, 5, None, None),
        ("freeze 5, seal 5, freeze 6, seal 6, reopen 6, reopen 5", None, 5, None, None),
        ("freeze 12, seal 12, freeze 13", None, 14, 13, 12),
    ],
)
def test_where_a_story_leads(story, first, open_from, frozen, sealed):
    assert shown(walk(story, first)) == (open_from, frozen, sealed)


@pytest.mark.parametrize(
    ("story", "refused", "first"),
    [
        ("", "thaw 1", None),
        ("", "seal 1", None),
        ("", "reopen 1", None),
        ("", "freeze 2", 3),
        ("freeze 5", "freeze 5", None),
        ("freeze 5", "freeze 6", None),
        ("freeze 5", "thaw 4", None),
        ("freeze 5", "seal 4", None),
        ("freeze 5", "seal 6", None),
        ("freeze 5", "reopen 5", None),
        ("freeze 5, seal 5", "freeze 5", None),
        ("freeze 5, seal 5", "freeze 7", None),
        ("freeze 5, seal 5", "seal 5", None),
        ("freeze 5, seal 5", "thaw 5", None),
        ("freeze 5, seal 5, freeze 6", "reopen 5", None),
        ("freeze 5, seal 5, freeze 6, seal 6", "reopen 5", None),
        ("freeze 5, seal 5, reopen 5", "freeze 4", None),
    ],
)
def test_what_a_story_refuses(story, refused, first):
    state = walk(story, first)
    verb, number = refused.split()
    with pytest.raises(TransitionRefused) as error:
        after(state, STEPS[verb](BOOK, month(int(number))))
    assert error.value.facts["period"] == str(month(int(number)))
    assert verb in error.value.facts["step"]


def test_a_book_is_opened_once_and_before_anything_else():
    with pytest.raises(TransitionRefused):
        after(BookState(), OpenBook(BOOK, None))
    for step in (Freeze, Thaw, SealMonth, Reopen):
        with pytest.raises(TransitionRefused):
            after(None, step(BOOK, month(1)))


@given(st.lists(st.tuples(st.sampled_from([Freeze, Thaw, SealMonth, Reopen]), st.integers(1, 5))))
def test_whatever_happens_months_close_in_order_and_closed_months_stay_closed(steps):
    state = after(None, OpenBook(BOOK, None))
    for step, number in steps:
        try:
            state = after(state, step(BOOK, month(number)))
        except TransitionRefused:
            continue
        if state.sealed_through:
            assert state.frozen_through in (state.sealed_through, state.sealed_through.next)
            assert not state.is_open(state.sealed_through)
        if state.frozen_through:
            assert state.open_from == state.frozen_through.next
            assert state.is_open(state.open_from)


def test_history_begins_no_later_than_its_first_month():
    state = with_history(BookState(), month(4))
    assert with_history(state, month(6)).history_from == month(4)
    assert with_history(state, month(2)).history_from == month(2)
