"""Projecting and rebuilding are killed at every commit and run again: the figures do not show it.

Seen red in a copy of the tree: a page's rows and its position in two transactions.
"""

import pytest
from integration.faults.dying import CLERK, Work, assert_survives
from integration.faults.test_killed_intake import FILLED
from support.lengths import length

#: So small that the log has several pages.
PAGES = {"page_size": length("15", "2")}
CLAIMED = (*FILLED, ("intake", "claims.csv", *CLERK))

WORKS = (
    Work("project", ("balances",), after=CLAIMED, commits=3, settings=PAGES),
    Work("rebuild", ("rebuild",), after=(*CLAIMED, ("balances",)), commits=5, settings=PAGES),
)


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_read_models_survive_a_death_at_every_commit(scene, work):
    assert_survives(scene, work)
