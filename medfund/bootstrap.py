"""Where everything is put together: the only place that builds stores, clocks and keys."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.store import address
from ledger.store.vault import Vault
from medfund.settings import Settings
from projections.follow import bring_up_to
from projections.store import ReadStore
from settlement.setup import load_area

#: The field's clock (北京时间): months begin and end by it.
ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Read the clock, in Asia/Shanghai."""
    return datetime.now(ZONE)


def new_key() -> bytes:
    """Make a random key of 32 bytes."""
    return os.urandom(32)


def archive_folder(settings: Settings) -> Path:
    """Say where the archive lies: beside the SQLite file, else by the database's name right here."""
    if settings.archive is not None:
        return Path(settings.archive)
    where = address.parse(settings.database_url)
    if where.path is not None:
        return Path(f"{where.path}.archive")
    name = urlsplit(settings.database_url).path.strip("/")
    return Path(f"{name or 'medfund'}.archive")


@dataclass(frozen=True, slots=True)
class House:
    """An opened book: the log, its read models, and the keys beside it."""

    settings: Settings
    ledger: FundLedger
    reads: ReadStore
    vault: Vault

    def today(self) -> date:
        """Give today's date in Asia/Shanghai."""
        return now().date()

    @property
    def archive(self) -> Path:
        """Give the folder of the archive, whether there is one yet or not."""
        return archive_folder(self.settings)

    def area(self, code: str | None = None) -> Area:
        """Give the area named, else the only one of the book."""
        return load_area(self.ledger, code)

    def catch_up(self) -> int:
        """Bring the read models up to the log as it stands, so that one reads one's own writes."""
        position = self.ledger.log.last_position()
        bring_up_to(self.ledger, self.reads, position, page_size=self.settings.page_size)
        return position


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Open the book that the settings name, and close it again."""
    with FundLedger(settings.database_url, clock=now) as ledger:
        reads = ReadStore.open(settings.database_url)
        try:
            vault = Vault(
                reads.engine,
                clock=now,
                new_key=new_key,
                master_key=settings.person_key_bytes(),
            )
            yield House(settings, ledger, reads, vault)
        finally:
            reads.close()
