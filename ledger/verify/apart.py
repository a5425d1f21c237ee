"""A long log verified in parts, each by one of several processes: they only tell that all is well.

Whatever is not, and whatever keeps the processes from working, is left to a walk through the whole
log in order, so that what is found does not depend on how many processes there were.
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import pairwise

from ledger.errors import MedfundError
from ledger.store.reading import Reading
from ledger.store.recording import Opener, Recording
from ledger.store.seals import Seal
from ledger.verify.walk import Progress, Walk, Walked


def walked_apart(
    recording: Recording, log: Reading, *, processes: int, part: int, progress: Progress | None
) -> Walk | None:
    """Walk through a log by parts of so many events; None where not all is well."""
    last = log.head()
    walk = Walk(log, after=last.last_position)
    bounds = [walk.genesis(), *_bounds(log, part)]
    # A fresh interpreter each, so that no thread or connection of this process is inherited.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, context) as pool:
            work = partial(_walked, recording.elsewhere())
            for (_, until), found in zip(
                pairwise(bounds), pool.map(work, pairwise(bounds)), strict=True
            ):
                if found is None:
                    pool.shutdown(cancel_futures=True)
                    return None
                walk.join(found)
                if progress:
                    progress(until.last_position, last.last_position)
    except (OSError, BrokenProcessPool):
        return None
    walk.end(last)
    return None if walk.findings else walk


def _bounds(log: Reading, part: int) -> Iterator[Seal]:
    """Give the seals at which parts of about so many events end; the last seal ends the last."""
    last = log.head()
    end = 0
    while end < last.last_position:
        seal = log.seal_covering(min(end + part, last.last_position)) or last
        yield seal
        end = max(seal.last_position, end + part)


def _walked(opener: Opener, bounds: tuple[Seal, Seal]) -> Walked | None:
    """Walk from one seal to another in this process; None where anything is not as it has to be."""
    previous, until = bounds
    try:
        with opener() as log:
            walk = Walk(log, after=previous.last_position, until=until.last_position)
            last = walk.through(previous, until=until.no)
    except MedfundError:
        return None
    if walk.findings or last != until:
        return None
    return Walked(walk.events, walk.seals, walk.recomputed)
