"""Every benchmark in its short form: it runs, its figures come out whole. No test waits for a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import names
from benchmarks.figures import Figure, Paired, paired
from benchmarks.table import as_page, as_text

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", names())
def test_a_benchmark_gives_its_figures(name, tmp_path):
    into = tmp_path / "figures.json"
    words = [sys.executable, "-m", "benchmarks", name, "--short", "--into", str(into)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = [Figure.of(one) for one in json.loads(into.read_text())]
    assert figures
    for figure in figures:
        assert figure.work
        assert figure.against
        assert 0 < figure.low <= figure.ratio <= figure.high
        assert figure.aim == "" or figure.reached is not None, (
            f"an aim nobody can read: {figure.aim}"
        )
    assert len(as_text(figures).splitlines()) >= len(figures)


def test_a_ratio_is_taken_round_by_round():
    """Ours takes 2, 4 and 6 s, theirs 1, 4 and 2 s: as fast, half and a third as fast."""
    found = Paired(ours=[2.0, 4.0, 6.0], theirs=[1.0, 4.0, 2.0])
    assert found.speed() == (0.5, pytest.approx(1 / 3), 1.0)
    assert found.time() == (2.0, 1.0, 3.0)


def test_the_order_of_the_two_changes_each_round():
    order = []
    paired(lambda: order.append("o") or 1.0, lambda: order.append("t") or 1.0, rounds=2, warm=0)
    assert order == ["t", "o", "o", "t"]


@pytest.mark.parametrize(
    ("aim", "ratio", "reached"),
    [("≥ 0.5", 0.5, True), ("≥ 0.5", 0.49, False), ("≤ 3", 3.0, True), ("≤ 3", 3.1, False)],
)
def test_an_aim_is_reached_or_the_page_says_that_it_is_not(aim, ratio, reached):
    figure = Figure(work="w", against="a", ratio=ratio, low=ratio, high=ratio, aim=aim)
    assert figure.reached is reached
    page = as_page({"some": [figure]})
    assert f"{aim} {'✓' if reached else '✗'}" in page


def test_the_page_shows_every_figure_that_is_kept():
    """docs/benchmarks.md is written from docs/benchmarks.json, never by hand."""
    kept = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    figures = {name: [Figure.of(one) for one in many] for name, many in kept.items()}
    assert set(figures) <= set(names())
    for row in as_page(figures).splitlines():
        if row.startswith("| `"):
            assert row in page
