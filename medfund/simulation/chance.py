"""Chance (随机): every part of a run draws from a stream of its own, so that none disturbs another."""

import random


def stream(seed: int, of: str) -> random.Random:
    """Give the stream of one part of a run."""
    return random.Random(f"{seed}:{of}")  # noqa: S311  nothing secret is drawn
