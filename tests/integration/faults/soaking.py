"""Writers of mixed sizes in processes of their own, and the readers that follow them."""

import random
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import uuid4

import psycopg
from integration.store.building import contributions, post
from support.lengths import length

from ledger.application import FundLedger
from ledger.store.commit import Receipt
from projections.follow import bring_up_to
from projections.store import ReadStore

WRITERS = 6
#: Commits of each writer by their size in events: 20,100 or 117,000 events of all six together.
MIX: dict[int, int] = length({1: 150, 50: 24, 2000: 1}, {1: 500, 50: 60, 2000: 8})
_PAGE = 997  # no multiple of a commit's size: pages begin and end within commits


class Delivered(NamedTuple):
    """One event as a reader was given it, its bytes by their digest."""

    position: int
    stream: str
    version: int
    topic: str
    digest: str


def _now() -> datetime:
    return datetime.now(UTC)


def sizes_of(name: str) -> list[int]:
    """Give a writer's commits in an order of its own."""
    sizes = [size for size, count in MIX.items() for _ in range(count)]
    random.Random(name).shuffle(sizes)
    return sizes


def write(url: str, name: str) -> list[tuple[int, Receipt]]:
    """Append commit after commit; give the size of each with where it is said to lie."""
    with FundLedger(url, clock=_now) as ledger:
        return [
            (size, post(ledger, f"{name}-{number}", contributions(f"{name}-{number}", size)))
            for number, size in enumerate(sizes_of(name))
        ]


def write_unlocked(url: str, name: str) -> int:
    """Append as the library does without its lock: positions by the sequence, any order of commits.

    This is the deliberate defect that the soak has to catch (``POSTGRES_ENABLE_DB_FUNCTIONS``).
    """
    written = 0
    with psycopg.connect(url) as connection:
        for size in sizes_of(name)[:60]:
            streams = [uuid4() for _ in range(size)]
            connection.execute(
                "INSERT INTO events (originator_id, originator_version, topic, state)"
                " SELECT id, 1, 'unlocked', '' FROM unnest(%s::uuid[]) AS id",
                [streams],
            )
            connection.commit()
            written += size
    return written


def project(url: str, until: int) -> int:
    """Follow the log with the projector while it is being written; give the rounds it took."""
    rounds = 0
    with FundLedger(url, clock=_now) as ledger:
        reads = ReadStore.open(url)
        try:
            reached = 0
            while reached < until:
                last = ledger.log.wait_for_append(after=reached, timeout=5)
                reached = bring_up_to(ledger, reads, last, page_size=_PAGE)
                rounds += 1
        finally:
            reads.close()
    return rounds


class Tail:
    """A reader that follows the log from its beginning."""

    def __init__(self, ledger: FundLedger) -> None:
        self._log = ledger.log
        self.delivered: list[Delivered] = []

    @property
    def after(self) -> int:
        return self.delivered[-1].position if self.delivered else 0

    def read_on(self) -> int:
        """Take the next page; give how many events it had."""
        page = self._log.read_page(after=self.after, limit=_PAGE)
        self.delivered += _delivered(
            (row.position, row.originator_id.hex, row.originator_version, row.topic, row.state)
            for row in page
        )
        return len(page)

    def wait(self) -> None:
        self._log.wait_for_append(after=self.after, timeout=0.5)


def _delivered(rows: Iterable[tuple[int, str, int, str, bytes]]) -> list[Delivered]:
    return [Delivered(*row[:4], sha256(row[4]).hexdigest()) for row in rows]


def stored(url: str) -> list[Delivered]:
    """Ask the database itself for all events, around the product."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        rows = file.execute(
            "SELECT rowid, originator_id, originator_version, topic, state FROM events"
            " ORDER BY rowid"
        ).fetchall()
        file.close()
        return _delivered(rows)
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT notification_id, originator_id, originator_version, topic, state FROM events"
            " ORDER BY notification_id"
        ).fetchall()
    return _delivered((position, stream.hex, *rest) for position, stream, *rest in found)
