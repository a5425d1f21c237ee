"""A benchmark's figure: a ratio of two things timed in turns in the same run, never a bare time."""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a run does: the whole thing for the table, or a short form that CI can afford."""

    short: bool = False
    most: int | None = None  # the largest log that is filled, for a machine with less time or disk

    def of(self, full: int, short: int) -> int:
        return short if self.short else full

    def log(self, full: int, short: int) -> int:
        """Say how many events a log is filled with; figures name the size that it had."""
        return min(self.of(full, short), self.most or full)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. ``aim`` is text such as ``≥ 0.9``; ``ratio`` is a median of rounds."""

    work: str
    against: str
    ratio: float
    low: float
    high: float
    aim: str  # "" where the figure only informs
    unit: str = "×"
    said: str = ""  # what was counted and at what rate, on this machine in this run
    limited_by: str = ""  # what keeps it from being better, found by profiling
    on: str = field(default_factory=lambda: datetime.now(tz=UTC).date().isoformat())

    @property
    def reached(self) -> bool | None:
        """Compare with the aim; None where there is none."""
        found = re.fullmatch(r"(≥|≤|<|>) ([0-9.]+).*", self.aim)
        if not found:
            return None
        at_least, bound = found[1] in "≥>", float(found[2])
        return self.ratio >= bound if at_least else self.ratio <= bound

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(**document)

    def document(self) -> dict[str, Any]:
        return asdict(self)


Work = Callable[[], object]
Figures = Iterator[Figure]


def seconds(work: Work) -> float:
    """Time one call."""
    start = perf_counter()
    work()
    return perf_counter() - start


@dataclass(frozen=True, slots=True)
class Paired:
    """Times of two works taken in turns, ``ours`` and ``theirs``, round by round."""

    ours: list[float]
    theirs: list[float]

    def speed(self) -> tuple[float, float, float]:
        """Give our speed as a share of theirs: median, lowest and highest of the rounds."""
        return _three([b / a for a, b in zip(self.ours, self.theirs, strict=True)])

    def time(self) -> tuple[float, float, float]:
        """Give our time as a multiple of theirs: median, lowest and highest of the rounds."""
        return _three([a / b for a, b in zip(self.ours, self.theirs, strict=True)])


def _three(ratios: list[float]) -> tuple[float, float, float]:
    return median(ratios), min(ratios), max(ratios)


def paired(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int, warm: int = 1
) -> Paired:
    """Run two works in turns, the order changing each round; each gives its own seconds.

    What prepares a round is the work's own business and stays out of the seconds it gives.
    """
    for _ in range(warm):
        theirs()
        ours()
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        if turn % 2:
            a = ours()
            b = theirs()
        else:
            b = theirs()
            a = ours()
        times[0].append(a)
        times[1].append(b)
    return Paired(*times)
