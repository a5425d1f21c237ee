"""A fresh SQLite book for tests of the runner itself."""

from pathlib import Path

import pytest

from ledger.store import schema


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    schema.upgrade(url)
    return url
