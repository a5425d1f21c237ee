"""``demo --year`` of a small city is killed on its way and run again: the same books.

The short form settles a month; the long one the whole year and its clearing, and dies in that, too. Of
the clearing of a year every commit is a death in ``test_killed_settlement.py``.

Seen red in a copy of the tree: a rerun that always begins a new book.
"""

import shutil
from pathlib import Path

import pytest
from integration.faults.dying import assert_same, assert_sound
from support.lengths import LONG, length
from support.mortal import KILLED, Commands, Ended
from support.picture import picture

MORNING, EVENING = "2025-03-01 08:00:00", "2025-03-01 18:00:00"
CITY = ("demo", "--year", "--claims", "360", "--months", length("1", "12"))
#: Where it dies, in thousandths of its commits.
DEATHS = {
    "while claims are brought in": ("before", 300),
    "while it is settled": ("after", 700),
    "while it is paid": ("before", 900),
}
if LONG:
    DEATHS |= {"while the year is cleared": ("after", 975), "at its end": ("before", 995)}


def run(commands: Commands, folder: Path, now: str = MORNING, **how) -> Ended:
    return commands.run("sqlite://", *CITY, "--folder", str(folder), now=now, **how)


def book(folder: Path) -> str:
    return f"sqlite:///{folder / 'year.db'}"


@pytest.fixture(scope="module")
def undisturbed(commands: Commands, tmp_path_factory) -> tuple[Path, Ended]:
    folder = tmp_path_factory.mktemp("year")
    ended = run(commands, folder)
    assert ended.code == 0, ended
    assert ended.commits > 40
    return folder, ended


@pytest.fixture(scope="module")
def truth(undisturbed) -> dict:
    return picture(book(undisturbed[0]), times=False)


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_a_killed_year_goes_on_where_its_book_stands(
    commands, undisturbed, truth, tmp_path, death: tuple[str, int]
):
    commits = undisturbed[1].commits
    died = run(commands, tmp_path, kill=(death[0], commits * death[1] // 1000))
    assert died.code == KILLED, died
    assert_sound(book(tmp_path))
    again = run(commands, tmp_path, now=EVENING)
    assert again.code == 0, again
    assert again.commits < commits
    assert_same(picture(book(tmp_path), times=False), truth, str(death))


def test_a_finished_year_is_only_looked_at_again_and_another_city_begins_anew(
    commands, undisturbed, truth
):
    folder, first = undisturbed
    again = run(commands, folder, now=EVENING)
    assert (again.code, _figures(again)) == (0, _figures(first))
    assert again.commits < 10, "nothing is done twice"
    shutil.rmtree(folder / "year")
    other = run(commands, folder, now=EVENING)
    assert (other.code, _figures(other)) == (0, _figures(first))
    assert other.commits == first.commits


def _figures(ended: Ended) -> list[str]:
    """Give what a run said of the city, without how long it took."""
    return [line.partition("] ")[2] or line for line in ended.said.splitlines()]
