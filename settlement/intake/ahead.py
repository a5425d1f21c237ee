"""Two things at a time: while the database is at work, the next rows are prepared.

What waits for a database and what runs in Arrow or in a hash lets other threads run.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Give the same items in the same order, each made while the one before is used."""
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
    with ThreadPoolExecutor(max_workers=1) as thread:
        done = thread.submit(other)
        found = work()
        done.result()
    return found
