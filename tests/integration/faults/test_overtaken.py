"""A worker that stood still is overtaken; when it wakes, its fencing token keeps it out.

Seen red in a copy of the tree: a commit whose lease is not looked at.
"""

import pytest
from integration.faults.dying import CLERK, assert_same
from integration.faults.test_killed_intake import FILLED
from support.lengths import length
from support.mortal import LATER, Commands
from support.picture import picture

INTAKE = ("intake", "claims.csv", *CLERK)


@pytest.fixture(scope="module")
def other():
    """Somebody else at another counter."""
    opened = Commands()
    yield opened
    opened.close()


def test_of_two_halted_intakes_the_overtaken_one_posts_nothing_more(scene, commands, other):
    book, words = scene.book(FILLED), scene.words(INTAKE)
    with scene.copies.lent(book) as url:
        commits = commands.run(url, *words).commits
        truth = picture(url, times=False)
    fenced = 0
    first, last = commits // 3, commits - 2
    for mine in range(first, last, length(last, 1)):
        for theirs in range(1, commits, length(2, 1)):
            with scene.copies.lent(book) as url:
                with (
                    commands.halted(url, *words, commit=mine) as me,
                    other.halted(url, *words, commit=theirs, now=LATER) as them,
                ):
                    me.wake()
                    me.ended(0.5)  # it may have to wait for them: they have the lease
                    them.wake()
                    mine_ended, theirs_ended = me.ended(), them.ended()
                assert mine_ended
                assert mine_ended.code == (3 if "lease_lost" in mine_ended.said else 0), mine_ended
                assert theirs_ended
                assert theirs_ended.code == 0, theirs_ended
                fenced += mine_ended.code == 3
                assert_same(picture(url, times=False), truth, f"halted at {mine} and {theirs}")
    assert fenced >= 2, "nobody was ever kept out by the token"
