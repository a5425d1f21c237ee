"""A fresh book on each store, its read models, and builders of facts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.facts import Books, Clock
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.store import schema
from projections.store import ReadStore


@pytest.fixture(params=["sqlite", "postgresql"])
def book_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'book.db'}"
        return
    with fresh_database(require_postgres()) as url:
        yield url


@pytest.fixture
def ledger(book_url: str) -> Iterator[FundLedger]:
    schema.upgrade(book_url)
    with FundLedger(book_url, clock=Clock()) as opened:
        yield opened


@pytest.fixture
def store(book_url: str) -> Iterator[ReadStore]:
    opened = ReadStore.open(book_url)
    yield opened
    opened.close()


@pytest.fixture
def books(ledger: FundLedger) -> Books:
    return Books(ledger)
