"""``verify`` of a whole log against reading the same rows and SHA-256 over their bytes.

The log is claims, 10,000 a commit. ``verify`` hashes each event into its commit's tree, checks the
chain of seals, decodes every event strictly and folds totals, books and intakes again, with a
process for each processor; the limit only reads the pages and hashes stream, topic and state of each
row into one digest.
"""

import os
from hashlib import sha256
from itertools import islice
from statistics import median

from benchmarks._claims import chunks, commit_of
from benchmarks._stores import STORES, opened
from benchmarks.figures import Figure, Figures, Scale, paired, seconds

from ledger.application import FundLedger
from ledger.store import statements as sql
from ledger.verify import verify

_CHUNK, _PAGE = 10_000, 5_000
_LIMITED_BY = (
    "A process needs three to four times the limit's CPU for an event: a hash of its own and half a"
    " node of the tree above it, objects for its fields, and one row at a time from the database."
)


def _read(ledger: FundLedger) -> None:
    """Read every row of the log once and hash its bytes."""
    digest = sha256()
    with ledger.log.snapshot() as log:
        after = 0
        while rows := log.rows(sql.PLAIN_PAGE, {"after": after, "limit": _PAGE}):
            for _, stream, _, topic, state in rows:
                digest.update(stream if isinstance(stream, bytes) else stream.encode())
                digest.update(topic.encode())
                digest.update(state)
            after = rows[-1][0]


def _verified(ledger: FundLedger) -> None:
    if not verify(ledger).ok:
        raise AssertionError("the log that was just written does not verify")


def figures(scale: Scale) -> Figures:
    size = scale.of(1_000_000, 8_000)
    for store in STORES:
        with opened(store) as (ledger, _):
            for number, chunk in enumerate(islice(chunks(_CHUNK), size // _CHUNK)):
                ledger.append(chunk, commit_of(f"chunk-{number}", chunk))
            found = paired(
                lambda ledger=ledger: seconds(lambda: _verified(ledger)),
                lambda ledger=ledger: seconds(lambda: _read(ledger)),
                rounds=scale.of(5, 3),
            )
        ratio, low, high = found.speed()
        rates = [size / median(times) for times in (found.ours, found.theirs)]
        yield Figure(
            work=f"verify, {size:,} events, {store}",
            against="reading the same rows and SHA-256 over their bytes",
            ratio=ratio,
            low=low,
            high=high,
            aim="≥ 0.5",
            said=f"{rates[0]:,.0f} events/s with {os.cpu_count()} processes, the limit"
            f" {rates[1]:,.0f} with one.",
            limited_by=_LIMITED_BY,
        )
