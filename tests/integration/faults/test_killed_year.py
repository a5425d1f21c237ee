"""``demo --year`` of a small city is killed in the middle of a month and run again: the same books.

Seen red in a copy of the tree: a rerun that always begins a new book.
"""

import shutil
from pathlib import Path

import pytest
from integration.faults.dying import assert_same, assert_sound
from support.mortal import KILLED, Commands, Ended
from support.picture import picture

MORNING, EVENING = "2025-03-01 08:00:00", "2025-03-01 18:00:00"
CITY = ("demo", "--year", "--claims", "240", "--months", "2")


def run(commands: Commands, folder: Path, now: str = MORNING, **how) -> Ended:
    return commands.run("sqlite://", *CITY, "--folder", str(folder), now=now, **how)


def book(folder: Path) -> str:
    return f"sqlite:///{folder / 'year.db'}"


@pytest.fixture(scope="module")
def undisturbed(commands: Commands, tmp_path_factory) -> tuple[int, dict]:
    folder = tmp_path_factory.mktemp("year")
    ended = run(commands, folder)
    assert ended.code == 0, ended
    assert ended.commits > 20
    return ended.commits, picture(book(folder), times=False)


@pytest.mark.parametrize(
    ("eighths", "moment"), [(3, "before"), (5, "after"), (8, "before")], ids=str
)
def test_a_killed_year_goes_on_where_its_book_stands(
    commands, undisturbed, tmp_path, eighths: int, moment: str
):
    commits, truth = undisturbed
    died = run(commands, tmp_path, kill=(moment, commits * eighths // 8))
    assert died.code == KILLED, died
    assert_sound(book(tmp_path))
    again = run(commands, tmp_path, now=EVENING)
    assert again.code == 0, again
    assert again.commits < commits
    assert_same(picture(book(tmp_path), times=False), truth, f"{moment} {eighths}/8")


def test_a_finished_year_is_only_looked_at_again_and_another_city_begins_anew(commands, tmp_path):
    first = run(commands, tmp_path)
    assert first.code == 0, first
    before = (tmp_path / "year.db").stat().st_ino
    again = run(commands, tmp_path, now=EVENING)
    assert (again.code, _figures(again)) == (0, _figures(first))
    assert (tmp_path / "year.db").stat().st_ino == before
    shutil.rmtree(tmp_path / "year")
    other = run(commands, tmp_path, now=EVENING)
    assert (other.code, _figures(other)) == (0, _figures(first))
    assert (tmp_path / "year.db").stat().st_ino != before


def _figures(ended: Ended) -> list[str]:
    """Give what a run said of the city, without how long it took."""
    return [line.partition("] ")[2] or line for line in ended.said.splitlines()]
