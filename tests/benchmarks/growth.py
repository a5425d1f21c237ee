"""What an append and the plan of a close cost in a log of a million and of twenty million events.

The log is filled through the product itself: claims, 20,000 a commit, on streams as random as theirs,
prepared before the timer; then some more are timed. The plan of a close is ``close --dry-run``: books,
totals and the streams of the month, through the API of the close. How much dearer the database's own
COPY (``executemany`` on SQLite) into the same table has become stands beside the append: streams are
random, so each row of a large log touches another page of their index, and it matters whether that
index fits into the memory of the server. The full form writes some 20 GB to each store and takes
about half an hour; the short form grows from 10,000 to 30,000 events.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from random import Random
from statistics import median

from benchmarks._claims import chunks, commit_of
from benchmarks._raw import memory, rolled_back
from benchmarks._stores import AREA, STORES, opened
from benchmarks.figures import Figure, Figures, Scale, seconds

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.store.codec import encode_all
from ledger.store.prepared import Encoded, prepare
from settlement.closing import dry_run_close
from settlement.setup import load_area

_STREAM_BYTES = 16


class _Growing:
    """A log that grows by the chunk; each chunk lies on streams of its own."""

    def __init__(self, ledger: FundLedger, url: str, size: int) -> None:
        [chunk] = islice(chunks(size), 1)
        self.ledger = ledger
        self._url = url
        self._encoded = encode_all(chunk)
        self._commit = commit_of("chunk", chunk)
        self._random = Random(1)

    @property
    def events(self) -> int:
        return self.ledger.log.last_position()

    def _next(self) -> list[Encoded]:
        streams = sorted(self._random.randbytes(_STREAM_BYTES) for _ in self._encoded)
        return [(stream, *event[1:]) for stream, event in zip(streams, self._encoded, strict=True)]

    def append(self) -> float:
        """Append one chunk more and give the seconds that took."""
        prepared = prepare(self._next())
        commit = replace(self._commit, key=f"chunk-{self.events}")
        return seconds(lambda: self.ledger.append_prepared(prepared, commit))

    def raw(self) -> float:
        """Let the database take one chunk more, and back; give the seconds the taking took."""
        return rolled_back(self._url, self._next())

    def close(self) -> float:
        """Make the plan of a close and give the seconds that took."""
        area = load_area(self.ledger, AREA)
        return seconds(lambda: dry_run_close(self.ledger, area, fund="310", period=Period(2024, 3)))

    def grow(self, events: int) -> None:
        while self.events < events:
            self.append()


def _times(work: Callable[[], float], rounds: int) -> list[float]:
    work()
    return [work() for _ in range(rounds)]


def _figure(
    what: str, store: str, sizes: tuple[int, int], times: list[list[float]], **more: str
) -> Figure:
    before, after = map(median, times)
    return Figure(
        work=f"{what}, {store}, {sizes[1]:,} events in the log",
        against=f"the same at {sizes[0]:,} events",
        ratio=after / before,
        low=min(times[1]) / before,
        high=max(times[1]) / before,
        aim=more.get("aim", "≤ 1.3"),
        said=f"{1000 * before:.2f} ms, then {1000 * after:.2f} ms.",
        limited_by=more.get("limited_by", ""),
    )


def figures(scale: Scale) -> Figures:
    chunk = scale.of(20_000, 5_000)
    sizes = scale.of(1_000_000, 10_000), scale.log(20_000_000, 30_000)
    appends, plans = scale.of(25, 5), scale.of(50, 15)
    for store in STORES:
        with opened(store) as (ledger, url):
            held = f"Each row lies on another page of the index of streams; {memory(url)}."
            log = _Growing(ledger, url, chunk)
            append_times, raw_times, close_times = [], [], []
            for size in sizes:
                log.grow(size)
                append_times.append(_times(log.append, appends))
                raw_times.append(_times(log.raw, appends))
                close_times.append(_times(log.close, plans))
        yield _figure(f"append of {chunk:,} events", store, sizes, append_times, limited_by=held)
        raw = f"the database's own taking of {chunk:,} rows, rolled back"
        yield _figure(raw, store, sizes, raw_times, aim="")
        yield _figure("plan of a close", store, sizes, close_times)
