"""Bringing files in is killed at every commit and run again: the books do not show it.

Seen red in a copy of the tree: an intake that is marked as complete before its last chunk is posted.
"""

import pytest
from integration.faults.dying import ADMINISTRATOR, CLERK, Work, assert_survives

FOUNDED = (("db", "upgrade"), ("setup", "setup.toml", *ADMINISTRATOR))
FILLED = (*FOUNDED, ("intake", "flows.csv", *CLERK))

WORKS = (
    Work("schema", ("db", "upgrade"), then=(("setup", "setup.toml", *ADMINISTRATOR),)),
    Work("setup", ("setup", "setup.toml", *ADMINISTRATOR), after=FOUNDED[:1], commits=3),
    Work("flows", ("intake", "flows.csv", *CLERK), after=FOUNDED, commits=3),
    Work(
        "partial",
        ("intake", "more.csv", "--partial", *CLERK),
        after=FILLED,
        commits=3,
        code=2,
    ),
    Work("claims", ("intake", "claims.csv", *CLERK), after=FILLED, commits=13, late=True),
)


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_a_file_brought_in_survives_a_death_at_every_commit(scene, work):
    assert_survives(scene, work)
