"""Scratch stores for benchmarks, with a book opened in each, and how much CPU work on them takes."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from support.services import fresh_database, require_durable_postgres

from ledger.application import FundLedger
from ledger.domain.identity import area_stream
from ledger.events.base import Envelope
from ledger.events.setup import FundOpened
from ledger.store import schema
from ledger.store.commit import BookKey, Commit, OpenBook

AREA = "330604"
FUNDS = ("310", "390")
STORES = ("PostgreSQL", "SQLite")


@contextlib.contextmanager
def scratch(store: str) -> Iterator[str]:
    """Give the URL of an empty database of a kind of store, which is gone afterwards."""
    if store == "SQLite":
        with tempfile.TemporaryDirectory(prefix="medfund-bench-") as folder:
            yield f"sqlite:///{Path(folder, 'scratch.db')}"
    else:
        with fresh_database(require_durable_postgres()) as url:
            yield url


@contextlib.contextmanager
def opened(store: str) -> Iterator[tuple[FundLedger, str]]:
    """Give a ledger with open books, and where it is."""
    with scratch(store) as url:
        schema.upgrade(url)
        with FundLedger(url, clock=lambda: datetime.now(tz=UTC)) as ledger:
            for version, fund in enumerate(FUNDS, start=1):
                fact = FundOpened(area=AREA, by="admin", fund=fund, first=None)
                ledger.append(
                    [Envelope(area_stream(AREA), version, fact)],
                    Commit(f"open:{fund}", "-", transitions=(OpenBook(BookKey(AREA, fund), None),)),
                )
            yield ledger, url


class CpuClock:
    """CPU-seconds of this process and, on PostgreSQL, of the backends that serve a database.

    The kernel keeps a backend's time in nanoseconds in ``/proc/PID/schedstat``. Processes that all
    databases share (checkpoints, the writer of the write-ahead log) are left out: their work cannot
    be told apart, and a commit that waits for its log writes it in the backend itself.
    """

    def __init__(self, url: str) -> None:
        self._admin = None if url.startswith("sqlite") else psycopg.connect(url, autocommit=True)
        self._seen: dict[int, float] = {}

    def seconds(self) -> float:
        return time.process_time() + self._backends()

    def _backends(self) -> float:
        if self._admin is None:
            return 0.0
        found = self._admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        for (pid,) in found:
            stat = Path(f"/proc/{pid}/schedstat").read_text()
            self._seen[pid] = int(stat.split()[0]) / 1e9
        return sum(self._seen.values())

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
