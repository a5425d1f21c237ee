"""What other processes do in the concurrency tests; they import it by name."""

import time
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier

from integration.store.building import (
    BOOK,
    contribution,
    contributions,
    freeze,
    post,
    seal,
)

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.store import schema
from ledger.store.commit import MonthNotOpen


def now() -> datetime:
    return datetime.now(UTC)


def close_months(url: str, first: Period, count: int) -> int:
    """Freeze and seal one month after the other."""
    with FundLedger(url, clock=now) as ledger:
        for number in range(count):
            month = first.plus(number)
            freeze(ledger, month)
            time.sleep(0.005)
            seal(ledger, month)
    return count


def book_late(url: str, name: str, last: Period) -> int:
    """Append into the month that was open a moment ago, until all are closed; count the refusals."""
    refused = number = 0
    with FundLedger(url, clock=now) as ledger:
        while True:
            month = ledger.log.books()[BOOK].open_from
            if month > last:
                return refused
            time.sleep(0.002)  # what was read is stale by now, on purpose
            size = 40 if number % 10 == 0 else 1
            try:
                post(
                    ledger, f"{name}-{number}", contributions(f"{name}-{number}", size, month=month)
                )
            except MonthNotOpen:
                refused += 1
            number += 1


def append_many(url: str, name: str, sizes: list[int]) -> int:
    """Append batch after batch under keys of their own; a resumed run repeats the same keys."""
    added = 0
    with FundLedger(url, clock=now) as ledger:
        for number, size in enumerate(sizes):
            key = f"{name}-{number}"
            events = contributions(key, size) if size > 1 else [contribution(key)]
            added += 0 if post(ledger, key, events).repeated else size
    return added


def upgrade_together(url: str, gate: Barrier) -> None:
    """Create the schema at the same moment as the others."""
    gate.wait(60)
    schema.upgrade(url)
