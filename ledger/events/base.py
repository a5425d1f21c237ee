"""What all stored facts have in common."""

from typing import ClassVar
from uuid import UUID

import msgspec

from ledger.domain.entry import Posting


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as it is stored: small, frozen, no wall clock, no random id (design §3.8).

    Dates are ``YYYY-MM-DD`` text and months ``YYYY-MM`` text, so that an auditor reads with SQL
    what a program reads with this class. Amounts are integer fen.
    """

    TOPIC: ClassVar[str]


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a fact came from (来源): the intake and the line in its file, or a hand."""

    intake: str | None = None
    line: int | None = None


class Posted(Fact, frozen=True, kw_only=True):
    """A fact with postings: booked on a date, under a version of the posting rules."""

    area: str
    booked_on: str  # 记账日期: decides balances, journal and indicators
    postings: tuple[Posting, ...]
    rules_version: int
    prepared_by: str  # 制单


class Envelope(msgspec.Struct, frozen=True):
    """A fact on its stream: what the event store keeps."""

    originator_id: UUID
    originator_version: int
    fact: Fact
