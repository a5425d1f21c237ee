"""Per diem by stages (按床日分段付费): long stays, psychiatry, rehabilitation.

``due = Σ over stages (days in the stage x the stage's rate)``; rates fall as a stay grows longer
(≤30, 31-90, >90 days is common), and differ by level of the hospital and by disease. The policy says
whether a stay is paid its rate whatever it cost, or the lower of rate and cost.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class PerDiemCap(StrEnum):
    """What a stay that cost less than its rate is paid."""

    FIXED = "fixed"  # 定额: the rate; saving stays with the hospital
    LOWER = "lower"  # 就低: the lower of rate and cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Days of a stay up to and including ``upto_day``, at one rate in fen a day."""

    upto_day: int | None  # None: from the stage before without end
    rate_fen: int


def stage_problems(stages: Sequence[Stage]) -> list[str]:
    """Name what keeps stages from covering every day once."""
    ends = [stage.upto_day for stage in stages]
    if not ends or ends[-1] is not None or None in ends[:-1]:
        return ["the last stage, and only the last, has no end"]
    days = [0, *(end for end in ends if end is not None)]
    return [] if all(a < b for a, b in itertools.pairwise(days)) else ["stages rise"]


def days_by_stage(days: int, stages: Sequence[Stage]) -> list[int]:
    """Split the days of a stay over the stages."""
    split, begun = [], 0
    for stage in stages:
        end = days if stage.upto_day is None else min(days, stage.upto_day)
        split.append(max(end - begun, 0))
        begun = max(begun, end)
    return split


def stay_fen(days: int, cost_fen: int, *, stages: Sequence[Stage], cap: PerDiemCap) -> int:
    """Give what a stay is due, in fen."""
    if days < 0:
        raise ValueError("a stay has no negative days")
    split = days_by_stage(days, stages)
    rated = sum(count * stage.rate_fen for count, stage in zip(split, stages, strict=True))
    return min(rated, cost_fen) if cap is PerDiemCap.LOWER else rated
