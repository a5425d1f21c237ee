"""The URL of a store (数据库地址): ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from ledger.store.failures import NotAStore

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


class Address(NamedTuple):
    """Where a store is. ``shown`` is the address without a password, for messages and logs."""

    shown: str
    path: str | None  # of an SQLite file
    url: str | None  # of a PostgreSQL database, as libpq reads it

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None


def parse(url: str) -> Address:
    """Read a store's URL; NotAStore where it is none."""
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        path = unquote(url.removeprefix(_SQLITE))
        if ":memory:" in path:
            raise NotAStore(store=url, reason="the books need a file, not memory")
        return Address(url, path, None)
    if url.startswith(_POSTGRES):
        plain = "postgresql://" + url.partition("://")[2]
        return Address(_without_password(plain), None, plain)
    scheme = url.partition("://")[0]
    raise NotAStore(store=f"{scheme}://…", reason="unknown kind of database")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}", query=""))
