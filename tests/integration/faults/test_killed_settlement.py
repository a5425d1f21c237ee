"""Every command of settling dies at its commits and is run again: neither books nor answers show it.

In the short form on one journey through all of them: on the embedded store each command dies before its
first commit, after it, and further on; on the server every third one after its first commit.
``MEDFUND_TEST_SOAK=long`` kills on both at every commit in turn, and each command by itself at each of
its commits.

Seen red in a copy of the tree: a run that is sent back twice is refused as decided; an order that is
prepared once more although the same one waits.
"""

import pytest
from integration.faults.dying import (
    KILLED,
    Work,
    answer_of,
    assert_same,
    assert_survives,
)
from integration.faults.settling import BOOKED, JOURNEY, SHOWN
from support.lengths import LONG, length
from support.picture import picture

from medfund.bootstrap import open_house
from medfund.settings import Settings

STEPS = list(JOURNEY.values())
WORKS = [
    Work(
        name,
        ("--json", *words),
        after=(*BOOKED, *STEPS[:number]),
        answers=words[0] != "intake",  # that says how much of the file was there already
        shown=SHOWN,
    )
    for number, (name, words) in enumerate(JOURNEY.items())
]


@pytest.mark.skipif(not LONG, reason="long form")
@pytest.mark.parametrize("work", WORKS, ids=str)
def test_a_step_of_settling_survives_a_death_at_every_commit(scene, work):
    assert_survives(scene, work)


def deaths_of(scene, number):
    """Say where a command dies, one run after the other; where it makes fewer commits it lives."""
    if not (LONG or scene.copies.embedded):
        return [("after", 1)] if number % 3 == 0 else []
    return [("before", 1), *(("after", at) for at in length((1, 2, 4), range(1, 20)))]


def travelled(scene, dying):
    """Go through all commands; give how often one died, the answers, and the book."""
    deaths, answers = 0, {}
    with scene.copies.lent(scene.book(BOOKED)) as url:
        for number, (name, words) in enumerate(JOURNEY.items()):
            points = iter([*dying(scene, number), None])
            while (ended := scene.run(url, ("--json", *words), kill=next(points))).code == KILLED:
                deaths += 1
            assert ended.code == 0, (name, ended)
            answers[name] = None if words[0] == "intake" else answer_of(ended)
        shown = {" ".join(words): scene.must(url, ("--json", *words)) for words in SHOWN}
        with open_house(Settings(database_url=url)) as house:
            facts = list(house.ledger.facts())
        return deaths, picture(url) | {"shown": shown, "said": answers, "facts": facts}


def test_a_journey_on_which_every_command_dies_ends_where_it_should(embedded, served):
    _, truth = travelled(embedded, lambda *_: ())
    for scene in (embedded, served):
        deaths, found = travelled(scene, deaths_of)
        assert deaths >= len(JOURNEY) // 3
        if (
            scene is served
        ):  # tables and the paths of files are others there; what they say is the same
            found |= {name: truth[name] for name in ("tables", "reports")}
        assert_same(found, truth, f"killed {deaths} times on the way")
