"""Appends of 20,000 claims a transaction, with guard, totals, key, outbox and seal on.

The limit is the database itself taking the same bytes into the same table with the same indexes and
triggers, in one transaction: PostgreSQL's COPY of the packed rows, SQLite's ``executemany`` of rows
made before. "Prepared" is encoded, packed and hashed before the timer; "from facts" starts from the
facts of a chunk, so the JSON, the rows and the Merkle tree are in its time. Both tables grow alike.
"""

from contextlib import ExitStack
from itertools import count
from statistics import median

from benchmarks._claims import chunks, commit_of
from benchmarks._raw import LIMITS, committed
from benchmarks._stores import STORES, opened, scratch
from benchmarks.figures import Figure, Figures, Scale, paired, seconds

from ledger.store import schema
from ledger.store.codec import encode_all
from ledger.store.prepared import prepare

_AIMS = {
    ("PostgreSQL", "prepared rows"): "≥ 0.9",
    ("PostgreSQL", "from facts"): "≥ 0.5",
    ("SQLite", "prepared rows"): "≥ 0.85",
    ("SQLite", "from facts"): "≥ 0.4",
}


def _figure(store: str, start: str, scale: Scale) -> Figure:
    size = scale.of(20_000, 5_000)
    with ExitStack() as stack:
        ledger, _ = stack.enter_context(opened(store))
        raw_url = stack.enter_context(scratch(store))
        schema.upgrade(raw_url)
        our_chunks, their_chunks, keys = chunks(size), chunks(size), count(1)

        def ours() -> float:
            chunk = next(our_chunks)
            commit = commit_of(f"chunk-{next(keys)}", chunk)
            if start == "from facts":
                return seconds(lambda: ledger.append(chunk, commit))
            prepared = prepare(encode_all(chunk))
            return seconds(lambda: ledger.append_prepared(prepared, commit))

        def theirs() -> float:
            return committed(raw_url, encode_all(next(their_chunks)))

        found = paired(ours, theirs, rounds=scale.of(15, 3))
        stored = [len(state) for _, _, _, state in encode_all(next(our_chunks))]
    ratio, low, high = found.speed()
    rates = [size / median(times) for times in (found.ours, found.theirs)]
    return Figure(
        work=f"append {size:,} a transaction, everything on, {store}, {start}",
        against=LIMITS[store],
        ratio=ratio,
        low=low,
        high=high,
        aim=_AIMS[store, start],
        said=f"{rates[0]:,.0f} events/s of {median(stored):.0f} bytes, the limit {rates[1]:,.0f}.",
    )


def figures(scale: Scale) -> Figures:
    for store in STORES:
        for start in ("prepared rows", "from facts"):
            yield _figure(store, start, scale)
