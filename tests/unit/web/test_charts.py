"""Charts as geometry: scales, gaps, labels that can be read."""

from fractions import Fraction
from itertools import pairwise

import pytest

from medfund.web.charts import HEIGHT, WIDTH, Series, chart

MONTHS = ["2023-01", "2023-02", "2023-03"]

SCALES = [
    (("0", "28.50", "5"), None, ["0", "5", "10", "15", "20", "25", "30"]),
    (("6.85", "5.95", "7"), None, ["0", "2", "4", "6", "8"]),
    (("-3", "12", "0"), None, ["-5", "0", "5", "10", "15"]),
    (("-3", "-2", "-1"), None, ["-3", "-2", "-1", "0"]),
    (("1", "2", "3"), "10.00", ["0", "2", "4", "6", "8", "10"]),
    (("0", "0", "0"), None, ["0", "1"]),
    ((None, None, None), None, ["0", "1"]),
    (("100000", "3", "1"), None, ["0", "20000", "40000", "60000", "80000", "100000"]),
]


@pytest.mark.parametrize(("values", "mark", "ticks"), SCALES)
def test_the_scale_holds_nil_and_every_value_in_round_steps(values, mark, ticks):
    drawn = chart(MONTHS, [Series("a", values)], mark=mark)
    assert [tick.text for tick in drawn.up] == ticks
    inside = [point.y for line in drawn.lines for point in line.points]
    assert all(0 < y < HEIGHT for y in inside)
    assert drawn.up[0].at > drawn.up[-1].at  # upwards


def test_points_lie_where_their_values_say():
    drawn = chart(MONTHS, [Series("a", ("0", "5", "10"))])
    (line,) = drawn.lines
    at = {tick.text: tick.at for tick in drawn.up}
    assert [point.y for point in line.points] == [at["0"], (at["0"] + at["10"]) // 2, at["10"]]
    assert [point.x for point in line.points] == [tick.at for tick in drawn.across]
    assert line.points[0].x == drawn.left
    assert line.points[-1].x == drawn.right < WIDTH


def test_a_null_is_a_gap_and_never_nil():
    drawn = chart([*MONTHS, "2023-04"], [Series("a", ("1", None, "3", "4"))])
    (line,) = drawn.lines
    assert [[point.value for point in run] for run in line.runs] == [["1"], ["3", "4"]]
    assert [point.month for point in line.points] == ["2023-01", "2023-03", "2023-04"]
    nothing = chart(MONTHS, [Series("a", (None, None, None))])
    assert (nothing.lines[0].runs, nothing.lines[0].last) == ((), None)


def test_labels_at_the_end_keep_apart():
    drawn = chart(
        MONTHS, [Series("a", ("1", "1", "10.00")), Series("b", ("1", "1", "10.01"))], mark="10"
    )
    labels = sorted([line.label_y for line in drawn.lines] + [drawn.mark.label_y])
    assert min(b - a for a, b in pairwise(labels)) >= 16


def test_a_mark_has_its_own_line():
    drawn = chart(MONTHS, [Series("a", ("1", "2", "3"))], mark="6.00")
    at = {Fraction(tick.text): tick.at for tick in drawn.up}
    assert (drawn.mark.at, drawn.mark.text) == (at[Fraction(6)], "6.00")
    assert chart(MONTHS, [Series("a", ("1", "2", "3"))]).mark is None
