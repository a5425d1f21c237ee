"""Which URLs name a store, and that no message shows a password."""

import pytest

from ledger.store.address import parse
from ledger.store.failures import NotAStore


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///medfund.db", "medfund.db"),
        ("sqlite:////var/lib/books.db", "/var/lib/books.db"),
        ("sqlite:///with%20space.db", "with space.db"),
        ("sqlite:///账簿.db", "账簿.db"),
    ],
)
def test_files(url, path):
    where = parse(url)
    assert (where.is_sqlite, where.path, where.url) == (True, path, None)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_servers(scheme):
    where = parse(f"{scheme}://me:secret@db.example:5433/books?sslmode=require")
    assert where.url == "postgresql://me:secret@db.example:5433/books?sslmode=require"
    assert where.shown == "postgresql://me@db.example:5433/books"
    assert not where.is_sqlite


@pytest.mark.parametrize(
    "url", ["", "medfund.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://u:pw@h/x"]
)
def test_what_is_no_store(url):
    with pytest.raises(NotAStore) as error:
        parse(url)
    assert "pw" not in error.value.message("zh") + error.value.message("en")
