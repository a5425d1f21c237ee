"""A fresh book on each store, its read models, and builders of facts."""

from collections.abc import Iterator

import pytest
from support.facts import Books, Clock

from ledger.application import FundLedger
from projections.store import ReadStore


@pytest.fixture
def ledger(store_url: str) -> Iterator[FundLedger]:
    with FundLedger(store_url, clock=Clock()) as opened:
        yield opened


@pytest.fixture
def store(store_url: str) -> Iterator[ReadStore]:
    opened = ReadStore.open(store_url)
    yield opened
    opened.close()


@pytest.fixture
def books(ledger: FundLedger) -> Books:
    return Books(ledger)
