"""The table of all figures, for the terminal and for ``docs/benchmarks.md``."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Figure

_LIBRARIES = (
    *("eventsourcing", "psycopg", "sqlalchemy", "msgspec", "duckdb", "pyarrow"),
    *("dramatiq", "pydantic"),
)

_INTRO = """\
# Benchmarks

Every figure is a **ratio taken in the same run** against a limit or a peer: the two are timed in
turns, the figure is the median of the rounds, with the lowest and the highest beside it. Absolute
rates drift by a factor of two on the machine below; ratios do not. A line says when it was measured.

```sh
./run bench              # all of it, and writes this page
./run bench append       # one of them; replaces its lines here
./run bench --most 5000000 growth   # with a smaller log than twenty million events
./run bench --short      # a short form of each, as CI runs it; writes nothing
```

What it needs: PostgreSQL, and for some lines Java, hledger and ledger. The aims are those that we
set ourselves before measuring; a figure that does not reach its aim says so and what limits it.
"""


def as_text(figures: Sequence[Figure]) -> str:
    """Show the figures of one benchmark on the terminal."""
    return "\n".join(
        f"{_value(one):>10}  {_aim(one):<18} {one.work} | {one.against}"
        + (f"\n{'':30} {one.said}" if one.said else "")
        for one in figures
    )


def as_page(found: Mapping[str, Sequence[Figure]]) -> str:
    """Write ``docs/benchmarks.md``."""
    head = "| benchmark | work | against | ratio | rounds | aim | measured |\n|---|---|---|--:|---|---|---|"
    lines = [
        f"| `{name}` | {one.work} | {one.against} | **{_value(one)}** |"
        f" {one.low:.3g} – {one.high:.3g} | {_aim(one)} | {one.on} |"
        for name, figures in found.items()
        for one in figures
    ]
    notes = [
        f"- **{one.work}** (against {one.against}): {' '.join(filter(None, (one.said, one.limited_by)))}"
        for figures in found.values()
        for one in figures
        if one.said or one.limited_by
    ]
    return "\n".join(
        [
            _INTRO,
            machine(),
            "",
            "## The table",
            "",
            head,
            *lines,
            "",
            "## What was counted, and what limits each figure",
            "",
            *notes,
            "",
        ]
    )


def machine() -> str:
    """Say what the figures were taken on."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"Machine: {cpu}, {os.cpu_count()} cores shared by client and server,"
        f" {pages / 2**30:.0f} GiB. Python {platform.python_version()}, SQLite {_sqlite()},"
        f" {_postgres()}; {libraries}."
    )


def _sqlite() -> str:
    import sqlite3  # noqa: PLC0415 - only for its version

    return sqlite3.sqlite_version


def _postgres() -> str:
    try:
        said = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "PostgreSQL not installed"
    return "PostgreSQL " + said.stdout.split()[2]


def _value(one: Figure) -> str:
    return f"{one.ratio:.3g} {one.unit}".strip()


def _aim(one: Figure) -> str:
    if not one.aim:
        return "–"
    return f"{one.aim} {'✓' if one.reached else '✗'}"
