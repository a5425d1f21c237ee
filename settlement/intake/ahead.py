"""Two things at a time: while the database is at work, the next rows are prepared.

What waits for a database and what runs in Arrow or in a hash lets other threads run.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")


class _Threads:
    allowed = True


@contextmanager
def one_thing_at_a_time() -> Iterator[None]:
    """Start no threads meanwhile, in the whole process.

    For the simulator: a run can be replayed only where the order of all statements is the seed's.
    """
    before, _Threads.allowed = _Threads.allowed, False
    try:
        yield
    finally:
        _Threads.allowed = before


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Give the same items in the same order, each made while the one before is used."""
    if not _Threads.allowed:
        yield from items
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(_next, items)
        while found := coming.result():
            coming = thread.submit(_next, items)
            yield found[0]


def _next(items: Iterator[_Item]) -> tuple[_Item] | None:
    """Give one item in a tuple; a StopIteration does not leave a thread well."""
    for item in items:
        return (item,)
    return None


def beside(other: Callable[[], None], work: Callable[[], _Item]) -> _Item:
    """Do two things at once and end when both are done; an error of either is raised."""
    if not _Threads.allowed:
        other()
        return work()
    with ThreadPoolExecutor(max_workers=1) as thread:
        done = thread.submit(other)
        found = work()
        done.result()
    return found
