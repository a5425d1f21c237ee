"""The projector (投影) against reading the same pages of the log, and its cost as the log grows.

``theirs`` is the log's own way to read a page, whole rows; ``ours`` reads position, topic and state,
folds and writes all views. The lean reading alone is said beside it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks._province import Log, Province, at_work, emptied
from benchmarks.figures import Figure, Scale, paired
from support.services import fresh_database, require_durable_postgres

from ledger.application import FundLedger
from ledger.store import schema
from projections.follow import PAGE_SIZE, bring_up_to
from projections.store import ReadStore


def figures(scale: Scale) -> Iterator[Figure]:
    events = scale.of(1_000_000, 10_000)
    grown = scale.log(20_000_000, 30_000)
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            yield from _on(name, _fresh(name, stack), scale, events)
    with ExitStack() as stack:
        yield _grown(_fresh("PostgreSQL", stack), scale, events, grown)


def _fresh(name: str, stack: ExitStack) -> str:
    if name == "SQLite":
        url = f"sqlite:///{Path(stack.enter_context(TemporaryDirectory()), 'books.db')}"
    else:
        url = stack.enter_context(fresh_database(require_durable_postgres()))
    schema.upgrade(url)
    return url


def _on(name: str, url: str, scale: Scale, events: int) -> Iterator[Figure]:
    Log.filled(url, Province().commits(), events)
    with at_work(url) as (ledger, store):
        last = ledger.log.last_position()
        found = paired(
            partial(_project, ledger, store, last),
            partial(_read_whole, ledger, last),
            rounds=3,
            warm=scale.of(1, 0),
        )
        lean = min(_read_lean(ledger, last) for _ in range(2))
    ratio, low, high = found.speed()
    rate, lean_rate = last / min(found.ours), last / lean
    yield Figure(
        work=f"projector, all views, {events:,} events, incremental, {name}",
        against="reading the same pages (whole rows) without projecting",
        ratio=ratio,
        low=low,
        high=high,
        aim="≥ 0.6",
        said=f"{rate:,.0f} events/s; reading whole rows {last / min(found.theirs):,.0f}/s,"
        f" position, topic and state only {lean_rate:,.0f}/s",
        limited_by="decoding and adding up in Python: 5 µs an event, of which decoding is half"
        + ("" if name == "SQLite" else "; the staged sums of a running intake, written each page"),
    )


def _project(ledger: FundLedger, store: ReadStore, last: int) -> float:
    emptied(store)
    start = perf_counter()
    bring_up_to(ledger, store, last)
    return perf_counter() - start


def _read_whole(ledger: FundLedger, last: int) -> float:
    start = perf_counter()
    position = 0
    while position < last:
        position = ledger.log.read_page(after=position, limit=PAGE_SIZE)[-1].position
    return perf_counter() - start


def _read_lean(ledger: FundLedger, last: int) -> float:
    start = perf_counter()
    for after in range(0, last, PAGE_SIZE):
        ledger.log.read_facts(after=after, until=min(after + PAGE_SIZE, last))
    return perf_counter() - start


def _grown(url: str, scale: Scale, small: int, large: int) -> Figure:
    """Project the same number of further events onto a small log, and onto a large one."""
    more = scale.of(200_000, 5_000)
    commits = Province().commits()
    seconds = []
    for size in (small, large):
        log = Log.filled(url, commits, size)
        with at_work(url) as (ledger, store):
            # Catching up by a rebuild's pages; what is timed comes after it.
            bring_up_to(ledger, store, ledger.log.last_position(), page_size=100_000)
        taken = []
        for _ in range(scale.of(3, 2)):
            before = log.position
            log.fill(commits, before + more)
            with at_work(url) as (ledger, store):
                start = perf_counter()
                bring_up_to(ledger, store, ledger.log.last_position())
                taken.append((perf_counter() - start) / (log.position - before))
        seconds.append(taken)
        log.close()
    ratios = sorted(b / a for a, b in zip(*seconds, strict=True))
    said = " and ".join(
        f"{1e6 * min(taken):.1f} µs at {n:,}"
        for taken, n in zip(seconds, (small, large), strict=True)
    )
    return Figure(
        work="cost of projecting an event as the log grows, PostgreSQL",
        against=f"the same at {small:,} events",
        ratio=ratios[len(ratios) // 2],
        low=ratios[0],
        high=ratios[-1],
        aim="≤ 1.3",
        said=said,
        limited_by="",
    )
