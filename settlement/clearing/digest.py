"""Fingerprints of what a run was told and what it found: equal on every engine, or someone erred."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

from settlement.clearing.engine import Row, Table


def rows_digest(rows: Iterable[Row]) -> str:
    """Give the SHA-256 of rows as canonical JSON, whatever their order."""
    return _digest(sorted([list(row) for row in rows], key=json.dumps))


def tables_digest(tables: Mapping[str, Table]) -> str:
    """Give the SHA-256 of a run's small tables."""
    return _digest({name: [list(row) for row in table.rows] for name, table in tables.items()})


def _digest(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(said.encode()).hexdigest()
