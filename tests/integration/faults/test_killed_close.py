"""Closing, reopening, correcting and keys are killed at every commit and run again.

Seen red in a copy of the tree: a message that is taken out of the outbox before its work is done.
"""

import pytest
from integration.faults.dying import (
    ADMINISTRATOR,
    CLERK,
    REVIEWER,
    Work,
    assert_survives,
)
from integration.faults.test_killed_intake import FILLED

NOVEMBER, DECEMBER = "330604-390-2023-11-1", "330604-390-2023-12-1"
CLOSE_NOVEMBER = ("close", "2023-11", "--fund", "390", *CLERK)
CLOSE_DECEMBER = ("close", "2023-12", "--fund", "390", *CLERK)
APPROVE_DECEMBER = ("approve", DECEMBER, *REVIEWER)
ASK = ("reopen", "2023-12", "--fund", "390", "--reason", "补记", *CLERK)
REOPENING = f"{DECEMBER[:-1]}2-reopen-5"

ROTATE = ("keys", "rotate", *ADMINISTRATOR)

COMPUTED = (*FILLED, CLOSE_NOVEMBER, ("approve", NOVEMBER, *REVIEWER), CLOSE_DECEMBER)
SEALED = (*COMPUTED, APPROVE_DECEMBER)

#: A command whose work was done when it died may be refused as done: 3.
WORKS = (
    Work(
        "close",
        CLOSE_DECEMBER,
        after=COMPUTED[:-1],
        then=(APPROVE_DECEMBER,),
        commits=3,
        again=(3,),
    ),
    Work("approve", APPROVE_DECEMBER, after=COMPUTED, commits=4),
    Work("reject", ("reject", DECEMBER, "--reason", "重算", *REVIEWER), after=COMPUTED),
    Work("ask to reopen", ASK, after=SEALED, again=(3,)),
    Work("reopen", ("approve", REOPENING, *REVIEWER), after=(*SEALED, ASK)),
    Work("reverse", ("reverse", "390-4", *CLERK), after=FILLED, again=(3,)),
    Work("rotate", ROTATE, after=FILLED, commits=2, repeats=True),
    Work(
        "destroy",
        ("keys", "destroy", "1", "--reason", "到期", *ADMINISTRATOR),
        after=(*FILLED, ROTATE),
        commits=2,
    ),
)


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_a_step_of_a_month_survives_a_death_at_every_commit(scene, work):
    assert_survives(scene, work)
