"""A small random book on each store, and ways to look at an archive from outside."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from support.facts import Books, Clock
from support.random_books import RandomBooks

from ledger.application import FundLedger


@pytest.fixture
def ledger(store_url: str) -> Iterator[FundLedger]:
    """A book of some sixty commits: documents, claims, reversals, files."""
    with FundLedger(store_url, clock=Clock()) as opened:
        RandomBooks(Books(opened), 1).write(60)
        yield opened


def bytes_of(folder: Path) -> dict[str, str]:
    """Every file of an archive with the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
