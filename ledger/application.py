"""The write API of the books: append facts with their commit, and read the log back."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.utils import Environment, EnvType

from ledger.events.base import Envelope
from ledger.store import address
from ledger.store.codec import FactMapper, decode_all, encode_all
from ledger.store.commit import Commit, Receipt
from ledger.store.postgres import PostgresStore
from ledger.store.prepared import Encoded, Prepared, prepare
from ledger.store.recording import BULK, Clock, Recording
from ledger.store.sqlite import SqliteStore

PAGE = 5000


class FundLedger(Application[UUID]):
    """The books (账簿) in one database: one log, one global order.

    ``clock`` gives the commit time of seals and leases; facts carry no wall clock.
    """

    name = "medfund"

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._address = address.parse(url)
        self._clock = clock
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Leave the process environment to the doors: nothing here is set from outside."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        where = self._address
        if where.path is not None:
            return SqliteStore(env, path=where.path, clock=self._clock)
        return PostgresStore(env, url=where.url or "", store=where.shown, clock=self._clock)

    def construct_mapper(self) -> Mapper[UUID]:
        return FactMapper(self.construct_transcoder())

    @property
    def log(self) -> Recording:  # type: ignore[override]  # the library's ``log`` is deprecated
        """The log itself: reading it, its seals, books and totals; leases and the outbox."""
        if not isinstance(self.recorder, Recording):
            raise TypeError(type(self.recorder).__name__)
        return self.recorder

    def append(self, envelopes: Sequence[Envelope], commit: Commit) -> Receipt:
        """Append facts with everything that goes with them, or nothing at all.

        The same key with the same input hash is recognised and adds nothing.
        """
        return self.append_encoded(encode_all(envelopes), commit)

    def append_encoded(self, events: Sequence[Encoded], commit: Commit) -> Receipt:
        """Append events that are already encoded; the same promises as ``append``."""
        if len(events) >= BULK:
            before = self.log.recorded_before(commit)
            if before is not None:
                return before
        return self.append_prepared(prepare(events), commit)

    def append_prepared(self, prepared: Prepared, commit: Commit) -> Receipt:
        """Append what ``prepare`` has packed and hashed, perhaps while the last one was written."""
        return self.log.record(prepared, commit)

    def facts(
        self, *, after: int = 0, until: int | None = None, page: int = PAGE
    ) -> Iterator[tuple[int, Envelope]]:
        """Read the log in order, page by page."""
        while rows := self.log.read_page(after=after, limit=page, until=until):
            yield from decode_all(rows)
            after = rows[-1].position

    def history(self, stream: UUID) -> list[tuple[int, Envelope]]:
        """Read one stream from its beginning."""
        return decode_all(self.log.stream(stream))

    def close(self) -> None:
        """End every connection."""
        recorder = getattr(self, "recorder", None)
        if isinstance(recorder, Recording):
            recorder.close()
        super().close()
