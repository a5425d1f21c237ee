"""Line charts as geometry: whole numbers that the template draws as SVG, without any script.

A figure that is null leaves a gap in its line; it is never drawn as nil.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

WIDTH, HEIGHT = 560, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 92, 14, 30
_MOST_STEPS = 6
_LABEL_GAP = 16
_MARK = ""  # the name of the mark among the labels: no series is called so

_Placing = Callable[[Fraction], int]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a name and a value, as published, for every month of the axis."""

    name: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A value in its place."""

    x: int
    y: int
    month: str
    value: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series as runs of neighbouring points, and where its name stands."""

    name: str
    runs: tuple[tuple[Point, ...], ...]
    label_y: int

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(point for run in self.runs for point in run)

    @property
    def last(self) -> Point | None:
        return self.points[-1] if self.points else None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A level worth a line of its own (a target), and where its name stands."""

    at: int
    text: str
    label_y: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready to draw."""

    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    mark: Mark | None
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def chart(months: Sequence[str], series: Sequence[Series], *, mark: str | None = None) -> Chart:
    """Lay out a chart over months; ``mark`` is a level worth a line of its own (a target)."""
    seen = [Fraction(value) for one in series for value in one.values if value is not None]
    seen += [Fraction(mark)] if mark is not None else []
    low, high, step = _scale(min(seen, default=Fraction(0)), max(seen, default=Fraction(1)))

    def y_of(value: Fraction) -> int:
        return _TOP + round((high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM))

    lines = [_line(one, months, y_of) for one in series]
    mark_y = None if mark is None else y_of(Fraction(mark))
    wanted = {line.name: line.label_y for line in lines if line.last}
    labels = _spread(wanted | ({_MARK: mark_y} if mark_y is not None else {}))
    return Chart(
        lines=tuple(replace(line, label_y=labels.get(line.name, 0)) for line in lines),
        across=tuple(Tick(_x(number, len(months)), month) for number, month in enumerate(months)),
        up=tuple(Tick(y_of(Fraction(at)), f"{at}") for at in range(low, high + 1, step)),
        mark=None if mark is None or mark_y is None else Mark(mark_y, mark, labels[_MARK]),
    )


def _x(number: int, months: int) -> int:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * number // max(months - 1, 1)


def _scale(low: Fraction, high: Fraction) -> tuple[int, int, int]:
    """Choose whole bounds around nil and the values, and a step of 1, 2 or 5 times a power of ten."""
    low, high = min(low, Fraction(0)), max(high, Fraction(0))
    size = max(high - low, Fraction(1))
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(one for one in steps if size / one <= _MOST_STEPS)
    bottom, top = low // step * step, -(-high // step) * step
    return bottom, max(top, bottom + step), step


def _line(series: Series, months: Sequence[str], y_of: _Placing) -> Line:
    runs: list[list[Point]] = [[]]
    for number, (month, value) in enumerate(zip(months, series.values, strict=True)):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(Point(_x(number, len(months)), y_of(Fraction(value)), month, value))
    kept = tuple(tuple(run) for run in runs if run)
    return Line(series.name, kept, kept[-1][-1].y if kept else 0)


def _spread(wanted: Mapping[str, int]) -> dict[str, int]:
    """Move the names at the right end apart, so that they can be read."""
    placed: dict[str, int] = {}
    free_from = _TOP
    for name in sorted(wanted, key=lambda one: wanted[one]):
        placed[name] = max(wanted[name], free_from)
        free_from = placed[name] + _LABEL_GAP
    return placed
