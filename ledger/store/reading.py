"""Reading the log and what stands beside it: the same questions to both databases.

Each question is one statement, so an answer is always of one moment; ``snapshot`` of a recorder
gives a ``Reading`` whose answers are all of the same moment.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ledger.domain.period import Period
from ledger.store import guard
from ledger.store import statements as sql
from ledger.store.books import BookState
from ledger.store.codec import StoredRow
from ledger.store.commit import BookKey, Receipt, Total, TotalKey
from ledger.store.failures import GuardChanged
from ledger.store.seals import Proof, Seal, canonical_row, leaf, proof_steps
from ledger.store.statements import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_END = 2**63 - 1
_PAGE = 5000


def microseconds(moment: datetime) -> int:
    """Count the microseconds since 1970; a moment without a time zone is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs its time zone: {moment.isoformat()}")
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at_us: int) -> datetime:
    """Give the moment back from its microseconds, in UTC."""
    return _EPOCH + at_us * _MICROSECOND


#: An event's position, topic and state as they lie in the log.
StoredFact = tuple[int, str, bytes]


#: Position, stream, version, topic, state of one event.
PlainRow = tuple[int, bytes, int, str, bytes]


class Columns(NamedTuple):
    """Events side by side: quicker than an object for each where the whole log is gone through.

    A stream is no bytes at all where the database holds none of ours.
    """

    positions: Sequence[int]
    streams: Sequence[bytes]
    versions: Sequence[int]
    topics: Sequence[str]
    states: Sequence[bytes]

    def part(self, start: int, end: int | None = None) -> "Columns":
        """Give some of the events."""
        return Columns(
            self.positions[start:end],
            self.streams[start:end],
            self.versions[start:end],
            self.topics[start:end],
            self.states[start:end],
        )


class UnfinishedIntake(NamedTuple):
    """An intake that has started for a book and not completed (未完成的导入)."""

    intake: str
    book: BookKey


class PendingMessage(NamedTuple):
    """An outbox row that has not been handed to the queue yet."""

    id: int
    actor: str
    key: str
    position: int


class Reading(ABC):
    """Questions to the log. ``dialect`` and ``rows`` are what a database adds."""

    dialect: Dialect

    @abstractmethod
    def rows(self, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one read and give all of its rows."""

    @abstractmethod
    def stored_rows(self, rows: Sequence[tuple[Any, ...]]) -> list[StoredRow]:
        """Give the database's event rows their types."""

    @abstractmethod
    def stream_bytes(self, streams: Sequence[Any]) -> Sequence[bytes]:
        """Give the bytes of streams as PLAIN_PAGE names them; none for what is no name of ours."""

    @abstractmethod
    def stream_name(self, stream: UUID) -> object:
        """Give a stream's id as the database compares it."""

    @abstractmethod
    def heads(self, streams: Sequence[bytes]) -> list[StoredRow]:
        """Give the last event of each stream that exists, by the 16 bytes that name it.

        Thousands may be asked for at once, without an object for each.
        """

    def stream_heads(self, streams: Sequence[UUID]) -> dict[UUID, StoredRow]:
        """Give the last event of each stream that exists."""
        found = self.heads([stream.bytes for stream in streams])
        return {row.originator_id: row for row in found}

    def last_position(self) -> int:
        """Give the position of the last sealed event, 0 in an empty log."""
        return self.head().last_position

    def head(self) -> Seal:
        """Give the last seal; in an empty log that is the genesis seal."""
        found = self.rows(sql.HEAD, {})
        if not found:
            raise GuardChanged(table="seals")
        return Seal._make(found[0])

    def read_page(self, *, after: int, limit: int, until: int | None = None) -> list[StoredRow]:
        """Give the events after a position in the order of the log, up to ``until`` inclusive."""
        bounds = {"after": after, "until": _END if until is None else until, "limit": limit}
        return self.stored_rows(self.rows(sql.PAGE, bounds))

    def read_facts(self, *, after: int, until: int) -> list[StoredFact]:
        """Give position, topic and state of the events after a position, up to ``until`` inclusive.

        For those who fold millions: the stream's id would cost a third of the reading.
        """
        return self.rows(sql.FACTS, {"after": after, "until": until})

    def columns(self, *, after: int, limit: int) -> Columns:
        """Give the events after a position, for whoever goes through the whole log."""
        rows = self.rows(sql.PLAIN_PAGE, {"after": after, "limit": limit})
        if not rows:
            return Columns((), (), (), (), ())
        positions, streams, versions, topics, states = zip(*rows, strict=True)
        return Columns(positions, self.stream_bytes(streams), versions, topics, states)

    def plain_page(self, *, after: int, limit: int) -> list[PlainRow]:
        """Give the same as rows."""
        return list(zip(*self.columns(after=after, limit=limit), strict=True))

    def stream(self, stream: UUID) -> list[StoredRow]:
        """Give all events of one stream."""
        return self.stored_rows(self.rows(sql.STREAM, {"id": self.stream_name(stream)}))

    def streams_between(self, first: UUID, last: UUID) -> list[StoredRow]:
        """Give all events of the streams whose ids lie between two, both included."""
        bounds = {"first": self.stream_name(first), "last": self.stream_name(last)}
        return self.stored_rows(self.rows(sql.STREAMS_BETWEEN, bounds))

    def event_at(self, position: int) -> StoredRow | None:
        """Give the event at a position."""
        found = self.stored_rows(self.rows(sql.EVENT_AT, {"at": position}))
        return found[0] if found else None

    def seals(self, *, after: int = 0, limit: int = 1000) -> list[Seal]:
        """Give the seals after a seal number."""
        found = self.rows(sql.SEALS, {"after": after, "limit": limit})
        return [Seal._make(row) for row in found]

    def seal_covering(self, position: int) -> Seal | None:
        """Give the seal of the commit that a position belongs to."""
        found = self.rows(sql.SEAL_COVERING, {"at": position}) if position > 0 else []
        return Seal._make(found[0]) if found else None

    def last_seal_at(self, moment: datetime) -> Seal | None:
        """Give the last seal at or before a moment: what was known then (design §3.8)."""
        found = self.rows(sql.SEAL_AT, {"at_us": microseconds(moment)})
        seal = Seal._make(found[0]) if found else None
        return seal if seal and seal.no > 0 else None

    def prove(self, position: int) -> Proof | None:
        """Prove that the event at a position is under its seal (存证), showing no other event."""
        seal = self.seal_covering(position)
        if seal is None:
            return None
        events = self.read_page(
            after=seal.first_position - 1, limit=seal.events, until=seal.last_position
        )
        leaves = [
            leaf(
                canonical_row(
                    row.originator_id.bytes, row.originator_version, row.topic.encode(), row.state
                )
            )
            for row in events
        ]
        return Proof(position, seal, proof_steps(leaves, position - seal.first_position))

    def books(self, area: str | None = None) -> dict[BookKey, BookState]:
        """Give the state of every opened book, of one area or of all."""
        if area is None:
            return dict(map(guard.book_of, self.rows(sql.ALL_BOOKS, {})))
        return dict(sorted(map(guard.book_of, self.rows(sql.FIND_BOOKS, {"area": area}))))

    def totals(self, book: BookKey, *, through: Period | None = None) -> dict[TotalKey, Total]:
        """Give the running totals of a book with its sub-funds, up to a booking month inclusive."""
        found = self.rows(
            sql.BOOK_TOTALS,
            {
                "area": book.area,
                "fund": book.fund,
                "fund_dot": f"{book.fund}.",
                "through": 12 * 9999 if through is None else through.ordinal,
            },
        )
        return {TotalKey(*row[:4]): Total(*row[4:]) for row in found}

    def receipt(self, key: str) -> tuple[str, Receipt] | None:
        """Give what was recorded under an idempotency key: the input's hash and where it lies."""
        return guard.recorded_of(self.rows(sql.FIND_KEY, {"key": key}))

    def unfinished_intakes(self, area: str | None = None) -> list[UnfinishedIntake]:
        """List the intakes that have started and not completed, one row per book they touch."""
        asked = sql.ALL_OPEN_INTAKES if area is None else sql.FIND_OPEN_INTAKES
        found = self.rows(asked, {} if area is None else {"area": area})
        return [UnfinishedIntake(intake, BookKey(area, fund)) for area, fund, intake in found]

    def pending_messages(self, limit: int = 100) -> list[PendingMessage]:
        """List outbox rows that were not marked as sent, oldest first."""
        return [PendingMessage._make(row) for row in self.rows(sql.PENDING, {"limit": limit})]


class EventsInOrder:
    """The log's events in their order, read ahead by the page."""

    def __init__(self, log: Reading, *, after: int = 0, until: int | None = None) -> None:
        self._log = log
        self._page = Columns((), (), (), (), ())
        self._next = 0  # in the page
        self._after = after
        self._until = _END if until is None else until  # nothing beyond is worth reading ahead

    def up_to(self, position: int | None) -> Iterator[Columns]:
        """Give the events up to a position inclusive, or all that are left, some at a time."""
        while self._next < len(self._page.positions) or self._read():
            end = len(self._page.positions)
            if position is not None:
                end = bisect_right(self._page.positions, position, lo=self._next)
            if end > self._next:
                yield self._page.part(self._next, end)
                self._next = end
            if end < len(self._page.positions):
                return

    def _read(self) -> bool:
        limit = max(0, min(_PAGE, self._until - self._after))
        self._page, self._next = self._log.columns(after=self._after, limit=limit), 0
        if self._page.positions:
            self._after = self._page.positions[-1]
        return bool(self._page.positions)
