"""Merkle trees, proofs and seal digests."""

import importlib
import struct
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.store.seals import (
    NO_DIGEST,
    Proof,
    Seal,
    canonical_row,
    check_proof,
    leaf,
    merkle_root,
    proof_steps,
    seal_after,
    seal_digest,
)

BLANK = Seal(0, 0, 0, 0, 0, NO_DIGEST, NO_DIGEST, b"")


def rows(count):
    return [
        canonical_row(bytes([number]) * 16, 1, b"topic.v1", f'{{"n":{number}}}'.encode())
        for number in range(count)
    ]


def test_a_canonical_row_is_a_row_of_a_binary_copy():
    stream = UUID("0123456789abcdef0123456789abcdef")
    row = canonical_row(stream.bytes, 3, "主题.v1".encode(), b"{}")
    columns, rest = struct.unpack("!h", row[:2])[0], row[2:]
    fields = []
    while rest:
        (size,) = struct.unpack("!i", rest[:4])
        fields.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    assert columns == 4
    assert fields == [stream.bytes, (3).to_bytes(8), "主题.v1".encode(), b"{}"]


def test_roots_by_hand():
    a, b, c = (leaf(row) for row in rows(3))
    pair = sha256(b"\x01" + a + b).digest()
    assert merkle_root([a]) == a
    assert merkle_root([a, b]) == pair
    assert merkle_root([a, b, c]) == sha256(b"\x01" + pair + c).digest()


def test_a_leaf_cannot_pass_for_a_node_nor_a_node_for_a_leaf():
    assert all(row[0] == 0 for row in rows(3))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 64, 65])
def test_every_event_can_be_proven_and_no_other_row_with_its_proof(count):
    packed = rows(count)
    leaves = [leaf(row) for row in packed]
    seal = BLANK._replace(no=1, events=count, root=merkle_root(leaves))
    for index, row in enumerate(packed):
        proof = Proof(index + 1, seal, proof_steps(leaves, index))
        assert check_proof(proof, row)
        assert not check_proof(proof, row + b"x")
        assert not check_proof(proof, packed[index - 1]) or count == 1
        assert len(proof.steps) <= count.bit_length()


def test_the_order_of_events_is_part_of_the_root():
    leaves = [leaf(row) for row in rows(5)]
    assert merkle_root(leaves) != merkle_root(leaves[::-1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("no", 2),
        ("first_position", 2),
        ("last_position", 9),
        ("events", 2),
        ("at_us", 1),
        ("root", b"x" * 32),
        ("prev", b"x" * 32),
    ],
)
def test_every_field_of_a_seal_is_under_its_digest(field, value):
    seal = BLANK._replace(no=1, first_position=1, last_position=1, events=1)
    digest = seal_digest(seal, key="k", input_hash="h")
    changed = seal._replace(**{field: value})
    assert changed != seal
    assert seal_digest(changed, key="k", input_hash="h") != digest
    assert seal_digest(seal, key="x", input_hash="h") != digest
    assert seal_digest(seal, key="k", input_hash="x") != digest
    assert seal_digest(seal, key="kh", input_hash="") != digest


def test_the_migration_writes_the_digest_of_the_genesis_seal():
    migration = importlib.import_module("migrations.versions.0001_create_log")
    assert seal_digest(BLANK, key="", input_hash="").hex() == migration._GENESIS


def test_the_next_seal_follows_without_gap_and_never_earlier():
    root = leaf(b"row")
    first = seal_after(BLANK, root=root, events=3, now_us=50, key="a", input_hash="h")
    second = seal_after(first, root=root, events=1, now_us=40, key="b", input_hash="h")
    assert first[:5] == (1, 1, 3, 3, 50)
    assert second[:5] == (2, 4, 4, 1, 50)
    assert second.prev == first.digest
