"""What both recorders do alike around an append, and the small writes outside of one.

Leases and the outbox are written outside the log's own transaction: they are no facts.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from ledger.errors import MedfundError
from ledger.store import statements as sql
from ledger.store.commit import Commit, IntakeLease, Receipt, StreamConflict
from ledger.store.failures import GuardChanged, LogOverrun
from ledger.store.guard import Params, repeated
from ledger.store.prepared import Encoded, Prepared, prepare
from ledger.store.reading import Reading, microseconds

#: From here on an append is worth the bulk path, and a look at its key before it is prepared.
BULK = 32

Clock = Callable[[], datetime]
#: Opens the log once more, as of one moment; can be sent to another process.
Opener = Callable[[], AbstractContextManager[Reading]]


class Recording(Reading):
    """The writing side that the two recorders share."""

    clock: Clock

    @abstractmethod
    def record(self, prepared: Prepared, commit: Commit) -> Receipt:
        """Append prepared events with everything that goes with them, or nothing at all."""

    @abstractmethod
    def write(self, statement: str, rows: Sequence[Params]) -> list[tuple[Any, ...]]:
        """Run one small write in a transaction of its own and give what it returns."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Reading]:
        """Read as of one moment, however long it takes."""

    @abstractmethod
    def elsewhere(self) -> Opener:
        """Say how another process reads this log."""

    @abstractmethod
    def wait_for_append(self, *, after: int, timeout: float) -> int:
        """Wait until the log goes beyond a position or the time is up; give its last position."""

    @abstractmethod
    def close(self) -> None:
        """Wake whoever waits and let go of what is not pooled."""

    def recorded_before(self, commit: Commit) -> Receipt | None:
        """Look at the key without a lock; KeyConflict where its input was another.

        Whoever asks before preparing saves a resumed import from packing and hashing in vain.
        """
        return repeated(commit, self.receipt(commit.key))

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append through the library's own ways in (``save``), which name their Commit too."""
        events = [
            (_named(one), one.originator_version, one.topic, one.state) for one in stored_events
        ]
        return _positions(self.record(prepare(events), _commit_of(kwargs)))

    def now_us(self) -> int:
        """Read the injected clock."""
        return microseconds(self.clock())

    def acquire_lease(
        self, *, area: str, kind: str, intake: str, seconds: int
    ) -> IntakeLease | None:
        """Take the lease of (area, kind), also an expired one; None while somebody holds it."""
        now = self.now_us()
        row: Params = {"area": area, "kind": kind, "intake": intake}
        times = {"now_us": now, "expires_us": now + seconds * 1_000_000}
        found = self.write(sql.ACQUIRE_LEASE, [row | times])
        return IntakeLease(area, kind, intake, found[0][0]) if found else None

    def renew_lease(self, lease: IntakeLease, *, seconds: int) -> bool:
        """Prolong a lease; false where it was taken over."""
        until = {"expires_us": self.now_us() + seconds * 1_000_000}
        return bool(self.write(sql.MOVE_LEASE, [asdict(lease) | until]))

    def release_lease(self, lease: IntakeLease) -> bool:
        """Give a lease back; its row stays, so that tokens never repeat."""
        return bool(self.write(sql.MOVE_LEASE, [asdict(lease) | {"expires_us": 0}]))

    def mark_sent(self, ids: Sequence[int]) -> None:
        """Note that the queue has taken these messages."""
        now = self.now_us()
        if ids:
            self.write(sql.MARK_SENT, [{"id": one, "now_us": now} for one in sorted(ids)])

    def refusal_of(self, events: Sequence[Encoded]) -> MedfundError:
        """Tell why the database refused the events, after everything was rolled back."""
        stray = self.rows(sql.UNSEALED, {})
        if stray:
            return LogOverrun(position=stray[0][0], seal=self.head().no)
        places = [(UUID(bytes=stream), version) for stream, version, _, _ in events]
        heads = self.stream_heads(sorted({stream for stream, _ in places}))
        taken = sorted(
            stream
            for stream, version in places
            if stream in heads and heads[stream].originator_version >= version
        )
        doubled = len(places) - len(set(places))
        if taken or doubled:
            example = taken[0] if taken else min(places)[0]
            return StreamConflict(count=len(taken) or doubled, example=str(example))
        return GuardChanged(table="seals, idempotency")


def _named(event: StoredEvent) -> bytes:
    if not isinstance(event.originator_id, UUID):
        raise TypeError("streams of the log are named by UUIDs")
    return event.originator_id.bytes


def _commit_of(kwargs: Mapping[str, Any]) -> Commit:
    """Take the Commit out of what the library hands through: nobody writes without one."""
    commit = kwargs.get("commit")
    if not isinstance(commit, Commit):
        raise TypeError("every append names its Commit")
    return commit


def _positions(receipt: Receipt) -> Sequence[int]:
    """List the positions of an append for the library; none where it had been recorded before."""
    if receipt.repeated:
        return []
    return range(receipt.first_position, receipt.last_position + 1)
