"""How long a question takes: balances as of any date, and as known at any position, at size."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks._province import AREAS, FUNDS, Log, Province, at_work
from benchmarks.figures import Figure, Scale
from support.services import fresh_database, require_durable_postgres

from ledger.application import FundLedger
from ledger.store import schema
from projections.follow import bring_up_to
from projections.queries.balances import balances_document
from projections.store import ReadStore

_FIRST = date(2021, 1, 1)


def figures(scale: Scale) -> Iterator[Figure]:
    events = scale.log(10_000_000, 10_000)
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            if name == "SQLite":
                folder = stack.enter_context(TemporaryDirectory())
                url = f"sqlite:///{Path(folder, 'books.db')}"
            else:
                url = stack.enter_context(fresh_database(require_durable_postgres()))
            schema.upgrade(url)
            Log.filled(url, Province().commits(), events).close()
            with at_work(url) as (ledger, store):
                bring_up_to(ledger, store, ledger.log.last_position(), page_size=100_000)
                yield from _asked(name, scale, ledger, store)


def _asked(name: str, scale: Scale, ledger: FundLedger, store: ReadStore) -> Iterator[Figure]:
    asked = scale.of(500, 40)
    random = Random(11)
    last = ledger.log.last_position()
    years = max(1, last // 3_000_000 + 1)

    def some_day() -> date:
        return _FIRST + timedelta(days=random.randrange(365 * years))

    ask = partial(balances_document, store, ledger)
    yield _figure(
        f"balance of a fund as of any date, {last:,} events, {name}",
        _times(
            asked,
            lambda: ask(area=random.choice(AREAS), fund=random.choice(FUNDS), as_of=some_day()),
        ),
        aim_ms=10,
        limited_by="the snapshot's round trips; the days of one month",
    )
    yield _figure(
        f"balance as known at any position, {last:,} events, {name}",
        _times(
            asked,
            lambda: ask(
                area=random.choice(AREAS), as_of=some_day(), known_at=random.randrange(last)
            ),
        ),
        aim_ms=300,
        limited_by="folding the beginning of one commit (10,000 events); the movements of one area",
    )


def _times(asked: int, question: Callable[[], object]) -> list[float]:
    question()
    times = []
    for _ in range(asked):
        start = perf_counter()
        question()
        times.append(1000 * (perf_counter() - start))
    return sorted(times)


def _figure(work: str, times: list[float], *, aim_ms: int, limited_by: str) -> Figure:
    p99 = times[min(len(times) - 1, round(0.99 * len(times)))]
    return Figure(
        work=work,
        against="—",
        ratio=p99,
        low=times[0],
        high=times[-1],
        aim=f"< {aim_ms}",
        unit="ms",
        said=f"p99 of {len(times)} random questions in one process; median"
        f" {times[len(times) // 2]:.1f} ms",
        limited_by=limited_by,
    )
