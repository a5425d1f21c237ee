"""Seals (封记): a Merkle root over the events of each commit, chained to the seal before.

A leaf is the SHA-256 of an event's canonical row: the very bytes of PostgreSQL's binary COPY of
(originator_id, originator_version, topic, state), on both stores, so that a book has the same seals
wherever it is kept. A row begins with 0x00 (four columns, as a 16-bit number) and an inner node with
0x01: neither can pass for the other.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

GENESIS_NO = 0
NO_DIGEST = bytes(32)

_START = struct.pack("!hi", 4, 16)
_MIDDLE = struct.Struct("!iqi").pack
_INT = struct.Struct("!i").pack
_SEAL_BODY = struct.Struct("!qqqqq").pack
_SEAL_TAG = b"medfund.seal.v1\0"


class Seal(NamedTuple):
    """One commit's seal row. ``at_us`` is the moment of the commit, never before the last one's."""

    no: int
    first_position: int
    last_position: int
    events: int
    at_us: int
    root: bytes
    prev: bytes
    digest: bytes


def canonical_row(stream: bytes, version: int, topic: bytes, state: bytes) -> bytes:
    """Give the bytes of an event that are hashed, and copied to PostgreSQL as they are."""
    return _START + stream + _MIDDLE(8, version, len(topic)) + topic + _INT(len(state)) + state


def canonical_rows(events: Iterable[tuple[bytes, int, str, bytes]]) -> list[bytes]:
    """Give the canonical rows of many events (stream id, version, topic, state).

    Versions and topics are few: what lies between stream id and state is made once for each.
    """
    rows: list[bytes] = []
    middles: dict[tuple[int, str], bytes] = {}
    for stream, version, topic, state in events:
        middle = middles.get((version, topic))
        if middle is None:
            name = topic.encode()
            middle = middles[version, topic] = _MIDDLE(8, version, len(name)) + name
        rows.append(_START + stream + middle + _INT(len(state)) + state)
    return rows


def leaf(row: bytes) -> bytes:
    """Hash one canonical row."""
    return sha256(row).digest()


def leaves(rows: Iterable[bytes]) -> list[bytes]:
    """Hash canonical rows."""
    return [sha256(row).digest() for row in rows]


def _level_above(nodes: Sequence[bytes]) -> list[bytes]:
    above = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(nodes[::2], nodes[1::2], strict=False)
    ]
    if len(nodes) % 2:
        above.append(nodes[-1])
    return above


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Fold the leaves pairwise; a node without a partner moves up as it is."""
    nodes = leaves
    while len(nodes) > 1:
        nodes = _level_above(nodes)
    return nodes[0] if nodes else NO_DIGEST


def seal_digest(seal: Seal, *, key: str, input_hash: str) -> bytes:
    """Hash what a seal says (its own ``digest`` aside), with the commit's key and input hash."""
    return sha256(
        b"".join(
            (
                _SEAL_TAG,
                seal.prev,
                _SEAL_BODY(
                    seal.no, seal.first_position, seal.last_position, seal.events, seal.at_us
                ),
                seal.root,
                sha256(key.encode()).digest(),
                sha256(input_hash.encode()).digest(),
            )
        )
    ).digest()


def seal_after(
    last: Seal, *, root: bytes, events: int, now_us: int, key: str, input_hash: str
) -> Seal:
    """Seal the next commit: no gap in numbers or positions, no step back in time."""
    first = last.last_position + 1
    body = Seal(
        last.no + 1,
        first,
        first + events - 1,
        events,
        max(now_us, last.at_us),
        root,
        last.digest,
        b"",
    )
    return body._replace(digest=seal_digest(body, key=key, input_hash=input_hash))


class Step(NamedTuple):
    """One step of a proof: the hash of the neighbour, and whether it stands to the right."""

    neighbour: bytes
    on_the_right: bool


class Proof(NamedTuple):
    """Shows that one event is under a seal without showing any other event (存证)."""

    position: int
    seal: Seal
    steps: tuple[Step, ...]


def proof_steps(leaves: Sequence[bytes], index: int) -> tuple[Step, ...]:
    """Collect the neighbours on the way from a leaf to the root."""
    steps: list[Step] = []
    nodes = leaves
    while len(nodes) > 1:
        neighbour = index ^ 1
        if neighbour < len(nodes):
            steps.append(Step(nodes[neighbour], neighbour > index))
        nodes, index = _level_above(nodes), index // 2
    return tuple(steps)


def check_proof(proof: Proof, row: bytes) -> bool:
    """Tell whether an event's canonical row lies under the proof's seal."""
    node = leaf(row)
    for neighbour, on_the_right in proof.steps:
        pair = node + neighbour if on_the_right else neighbour + node
        node = sha256(b"\x01" + pair).digest()
    return node == proof.seal.root
