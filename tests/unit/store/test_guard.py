"""The order in which a commit is refused, without any database."""

from dataclasses import replace

import pytest

from ledger.domain.period import Period
from ledger.store.books import BookState
from ledger.store.commit import (
    BookKey,
    BookNotOpened,
    Commit,
    Freeze,
    IntakeLease,
    IntakeUnfinished,
    KeyConflict,
    LeaseLost,
    MonthNotOpen,
    Receipt,
    Total,
    TotalKey,
    TransitionRefused,
)
from ledger.store.guard import Standing, decide, live_totals
from ledger.store.seals import NO_DIGEST, Seal

BOOK, OTHER = BookKey("330604", "310"), BookKey("330604", "390")
MONTH = Period(2023, 5)
HEAD = Seal(1, 1, 1, 1, 0, NO_DIGEST, NO_DIGEST, NO_DIGEST)
SEALED = BookState(None, MONTH.next, MONTH, MONTH)

EVERYTHING_WRONG = Commit(
    "key",
    "hash",
    booked=frozenset({(BOOK, MONTH), (OTHER, MONTH)}),
    lease=IntakeLease("330604", "claims", "i1", 1),
    transitions=(Freeze(BOOK, MONTH), Freeze(BookKey("330604", "610"), MONTH)),
)
STANDING = Standing(
    HEAD,
    recorded=("other", Receipt(1, 1, 1)),
    lease=("i2", 2),
    books={BOOK: SEALED},
    open_intakes={BOOK: "i2"},
)


def refusal(commit, standing):
    with pytest.raises(Exception, match=r".") as error:
        decide(commit, standing)
    return error.type


def test_refusals_come_in_a_fixed_order():
    commit, standing = EVERYTHING_WRONG, STANDING
    assert refusal(commit, standing) is KeyConflict
    standing = replace(standing, recorded=None)
    assert refusal(commit, standing) is LeaseLost
    standing = replace(standing, lease=("i1", 1))
    assert refusal(commit, standing) is MonthNotOpen  # books in the order of their codes
    commit = replace(commit, booked=frozenset({(OTHER, MONTH)}))
    assert refusal(commit, standing) is BookNotOpened
    commit = replace(commit, booked=frozenset())
    assert refusal(commit, standing) is TransitionRefused
    standing = replace(standing, books={BOOK: BookState()})
    assert refusal(commit, standing) is IntakeUnfinished
    standing = replace(standing, open_intakes={})
    assert refusal(commit, standing) is BookNotOpened  # 610
    commit = replace(commit, transitions=commit.transitions[:1])
    assert decide(commit, standing).repeated is None


def test_what_was_recorded_is_recognised_before_anything_is_refused():
    standing = replace(STANDING, recorded=("hash", Receipt(4, 7, 9, repeated=True)))
    assert decide(EVERYTHING_WRONG, standing).repeated == Receipt(4, 7, 9, repeated=True)
    assert decide(EVERYTHING_WRONG, standing).writes == ()


def test_totals_are_written_in_one_order_whoever_names_them():
    keys = [TotalKey("330604", fund, "treasury", 1) for fund in ("390", "310.pooled", "610")]
    totals = {key: Total(1, 0, 1) for key in keys}
    live = live_totals(Commit("k", "h", totals=totals))
    assert [key.fund for key, _ in live] == ["310.pooled", "390", "610"]
    staged = Commit("k", "h", totals=totals, staged_for="I1")
    assert live_totals(staged) == []
    [write] = decide(staged, Standing(HEAD)).writes
    assert [row["fund"] for row in write.rows] == ["310.pooled", "390", "610"]


def test_a_commit_that_opens_an_intake_has_to_name_it():
    with pytest.raises(ValueError, match="names it"):
        Commit("k", "h", opens_intake=(BOOK,))
