"""Many seeds at once (批量模拟): each in a book of its own, on every processor there is."""

import logging
import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from medfund.logging import configure_logging
from medfund.simulation.machine import Workshop
from medfund.simulation.run import STEPS, Run, run_seed

Progress = Callable[[int, int | None], None]

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a file system in memory, where there is one
_AT_ONCE = 5  # seeds that a process takes together


@dataclass(slots=True)
class Simulation:
    """What the runs of some seeds came to."""

    first_seed: int
    steps: int
    runs: list[Run] = field(default_factory=list)

    @property
    def failed(self) -> list[Run]:
        """Give the runs in which a rule broke."""
        return [run for run in self.runs if not run.ok]

    def document(self, *, with_traces: bool) -> dict[str, Any]:
        """Give the JSON document of ``simulate``; a failed run always shows its trace."""
        happened: Counter[str] = Counter()
        for run in self.runs:
            happened.update(run.happened)
        digests = "\n".join(run.digest for run in self.runs)
        return {
            "ok": not self.failed,
            "seeds": len(self.runs),
            "first_seed": self.first_seed,
            "steps": self.steps,
            "events": sum(run.events for run in self.runs),
            "commits": sum(run.commits for run in self.runs),
            "digest": sha256(digests.encode()).hexdigest(),
            "failed": [run.document() for run in self.failed],
            "runs": [run.document() for run in self.runs if run.ok] if with_traces else [],
            "happened": dict(sorted(happened.items())),
        }


@contextmanager
def in_memory() -> Iterator[Path]:
    """Give a folder that is removed afterwards; in memory where the system has a place for it."""
    place = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="medfund-simulate-", dir=place) as name:
        yield Path(name)


def simulate(
    seeds: Sequence[int],
    *,
    steps: int = STEPS,
    jobs: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Simulation:
    """Play seeds; a run depends on nothing but its seed, so the order of processes says nothing."""
    found = Simulation(seeds[0], steps)
    many = min(jobs or os.cpu_count() or 1, len(seeds))
    with in_memory() as folder:
        for run in _played(seeds, folder, steps=steps, jobs=many):
            found.runs.append(run)
            progress(len(found.runs), len(seeds))
    return found


def _played(seeds: Sequence[int], folder: Path, *, steps: int, jobs: int) -> Iterator[Run]:
    if jobs == 1:
        _begin(folder)
        yield from map(partial(_play, steps=steps), seeds)
        return
    # A fresh interpreter each, so that no thread or connection of this process is inherited.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(folder,)) as pool:
        yield from pool.map(partial(_play, steps=steps), seeds, chunksize=_AT_ONCE)


class _Own:
    """The workshop of this process."""

    workshop: Workshop | None = None


def _begin(folder: Path) -> None:
    """Make this process's workshop; refusals of the product are expected here and not logged."""
    configure_logging(level=logging.CRITICAL)
    mine = folder / str(os.getpid())
    mine.mkdir(exist_ok=True)
    _Own.workshop = Workshop(mine)


def _play(seed: int, *, steps: int) -> Run:
    if _Own.workshop is None:
        raise RuntimeError("the workshop comes first")
    return run_seed(seed, _Own.workshop, steps=steps)
