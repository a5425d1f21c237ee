"""An append that is encoded, packed and hashed (准备提交): all the work that needs no lock.

An event travels here as a plain tuple, not as an object: a claims file brings millions of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.store.seals import canonical_rows, leaves, merkle_root

#: Stream id (16 bytes), version, topic and state of one event, as it is going to be stored.
Encoded = tuple[bytes, int, str, bytes]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Events in the order in which they are going to lie in the log, and their Merkle root.

    ``packed`` are their canonical rows one after the other: what PostgreSQL is sent.
    """

    events: Sequence[Encoded]
    packed: bytes
    root: bytes


def prepare(events: Iterable[Encoded]) -> Prepared:
    """Pack and hash the events of one append; ValueError where there is none."""
    kept = tuple(events)
    if not kept:
        raise ValueError("an append needs at least one event")
    if {len(stream) for stream, _, _, _ in kept} != {16}:
        raise ValueError("streams of the log are named by 16 bytes")
    rows = canonical_rows(kept)
    return Prepared(kept, b"".join(rows), merkle_root(leaves(rows)))
