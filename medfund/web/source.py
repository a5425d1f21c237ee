"""What the web door is given to answer from; ``medfund.bootstrap.House`` is one."""

from datetime import date
from typing import Protocol

from ledger.application import FundLedger
from projections.store import ReadStore


class Source(Protocol):
    """One book (账套), open for reading."""

    @property
    def ledger(self) -> FundLedger:
        """The books: only their log is read here."""

    @property
    def reads(self) -> ReadStore:
        """The read models."""

    def today(self) -> date:
        """Give today's date in Asia/Shanghai."""

    def catch_up(self) -> int:
        """Bring the read models up to the log as it is now; give the position reached."""
