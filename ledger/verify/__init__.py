"""Verify the books (校验): every event under its seal, every seal in the chain, every total right.

Everything is read as of one moment. A Merkle root tells which commit was altered, not which of its
events; what is missing or was added is told to the position. A chain that was rebuilt with correct
hashes, or cut off at its end, can only be told by an anchor (存证锚点) kept elsewhere.
"""

import os
from dataclasses import dataclass
from typing import Protocol

from ledger.store.finding import Finding
from ledger.store.recording import Recording
from ledger.verify.anchor import Anchor, AnchorUnreadable
from ledger.verify.apart import walked_apart
from ledger.verify.tables import guard_findings
from ledger.verify.walk import Progress, walked

__all__ = ["Anchor", "AnchorUnreadable", "Verification", "verify"]

#: A log of several parts is worth a process for each processor, but no more than these.
_PART, _SEVERAL, _MOST = 50_000, 4, 8


@dataclass(frozen=True, slots=True)
class Verification:
    """What verify found. ``anchor`` is the present last seal, to be kept elsewhere."""

    ok: bool
    events: int
    seals: int
    first_bad_position: int | None
    findings: tuple[Finding, ...]
    anchor: Anchor


class Ledger(Protocol):
    """What verify reads: the log of the books."""

    @property
    def log(self) -> Recording: ...


def verify(
    ledger: Ledger,
    *,
    anchor: Anchor | None = None,
    progress: Progress | None = None,
    processes: int | None = None,
    part: int = _PART,
) -> Verification:
    """Check the whole log, its seals, keys, totals and books against each other.

    A log of several parts is read by several processes; what is found does not depend on it.
    """
    many = min(os.cpu_count() or 1, _MOST) if processes is None else processes
    with ledger.log.snapshot() as log:
        walk = None
        if many > 1 and log.last_position() >= _SEVERAL * part:
            walk = walked_apart(ledger.log, log, processes=many, part=part, progress=progress)
        if walk is None:
            walk = walked(log, progress)
        findings = walk.findings
        if anchor is not None:
            findings.extend(anchor.held_against(log))
        if not findings:
            # Totals of a damaged log would only repeat the damage.
            findings.extend(guard_findings(log, walk.recomputed))
        bad = [one.position for one in findings if one.position is not None]
        return Verification(
            ok=not findings,
            events=walk.events,
            seals=walk.seals,
            first_bad_position=min(bad, default=None),
            findings=tuple(findings),
            anchor=Anchor.of(log.head()),
        )
