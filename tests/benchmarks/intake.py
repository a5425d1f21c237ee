"""A month's claims file, from the file to durable, sealed events: the whole of ``bring_in``.

Reading, checking every row, keeping the file encrypted, comparing with the books, tokens for
persons, JSON, hashes, commits: all in the time, in a process of its own whose peak memory is
measured. The limit is the database taking the same event bytes into the same table with the same
indexes and triggers, in transactions of the same size.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._claims_file import write_claims
from benchmarks._raw import LIMITS, committed
from benchmarks._stores import STORES, scratch
from benchmarks.figures import Figure, Figures, Scale

from ledger.application import FundLedger
from ledger.store import schema
from ledger.store.prepared import Encoded
from medfund.bootstrap import now
from settlement.intake.post_claims import CHUNK

_AIM = {"PostgreSQL": "≥ 0.4", "SQLite": "≥ 0.4"}
_MEMORY = 1 << 30
_LIMITED_BY = (
    "One interpreter: identities, tokens, content hashes, leaf hashes and the tree are made event"
    " by event under its lock; splitting, checking and writing JSON by columns run beside it."
)


def _chunks(url: str) -> Iterator[list[Encoded]]:
    """Read the claims of a log, by the chunk."""
    with FundLedger(url, clock=now) as ledger:
        after = 0
        while page := ledger.log.read_page(after=after, limit=CHUNK):
            after = page[-1].position
            rows = [
                (row.originator_id.bytes, row.originator_version, row.topic, row.state)
                for row in page
                if row.topic.startswith("claim.")
            ]
            if rows:
                yield rows


def _raw_seconds(store: str, source: str) -> float:
    """Time the database alone with the same bytes; reading and packing them is not counted."""
    with scratch(store) as url:
        schema.upgrade(url)
        return sum(committed(url, chunk) for chunk in _chunks(source))


def _brought_in(url: str, path: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks._bring_in", url, str(path)]
    ended = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def _round(store: str, path: Path) -> tuple[dict[str, Any], float]:
    with scratch(store) as url:
        return _brought_in(url, path), _raw_seconds(store, url)


def _figures_of(store: str, path: Path, rows: int, rounds: int) -> Figures:
    done = [_round(store, path) for _ in range(rounds)]
    for ours, _ in done:
        if ours["posted"] != rows:
            raise AssertionError(f"{ours['posted']} of {rows} rows were posted")
    ratios = [raw / ours["seconds"] for ours, raw in done]
    ours, raw = done[-1]
    steps = ", ".join(f"{name} {1e6 * took / rows:.1f}" for name, took in ours["steps"].items())
    yield Figure(
        work=f"claims file (CSV, {rows:,} rows) to sealed events, {store}",
        against=LIMITS[store],
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
        aim=_AIM[store],
        said=f"{rows / ours['seconds']:,.0f} rows/s, limit {rows / raw:,.0f} rows/s;"
        f" {1e6 * ours['cpu'] / rows:.1f} µs of CPU a row with the server's, of these {steps}.",
        limited_by=_LIMITED_BY,
    )
    peaks = [ours["peak"] / _MEMORY for ours, _ in done]
    yield Figure(
        work=f"peak memory of bringing in {rows:,} claims, {store}",
        against="1 GiB",
        ratio=median(peaks),
        low=min(peaks),
        high=max(peaks),
        aim="< 1",
        said=f"{ours['peak'] >> 20:,} MiB.",
    )


def figures(scale: Scale) -> Figures:
    rows = scale.of(1_000_000, 8_000)
    with tempfile.TemporaryDirectory(prefix="medfund-bench-") as folder:
        path = Path(folder, "claims.csv")
        write_claims(path, rows)
        for store in STORES:
            yield from _figures_of(store, path, rows, scale.of(3, 1))
