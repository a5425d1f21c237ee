"""Posting a ``claims`` file in chunks under an intake of its own (design §5).

started → chunks → completed: each is a commit under its own key, so a killed intake goes on where
it was when the file comes again, and its rows count only once it is completed. A lease per area and
kind keeps a second process out; its token fences off one that was overtaken.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress
from operator import add, itemgetter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.fund import parent
from ledger.domain.period import Period
from ledger.events.base import Envelope
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.store.commit import (
    BookKey,
    Commit,
    IntakeLease,
    MonthNotOpen,
    StreamConflict,
    Total,
    TotalKey,
)
from ledger.store.prepared import Encoded, Prepared, prepare
from ledger.store.vault import Vault
from settlement.intake.ahead import ahead
from settlement.intake.attempt import Attempt
from settlement.intake.claim_columns import ClaimColumns, in_chunks
from settlement.intake.claim_facts import ClaimEncoder, streams
from settlement.intake.owing import Owing
from settlement.intake.standing import standing

CHUNK = 10_000
_TRIES = 5

Chunk = tuple[ClaimColumns, ...]
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class ClaimsPlan:
    """What a checked file is going to post: its size, funds and months."""

    accepted: int
    rejected: int
    funds: tuple[str, ...]  # leaf funds
    months: tuple[str, ...]
    partial: bool
    standing: Sequence[int]  # lines of the rows that stood in some form when the file was checked


class _Fresh(NamedTuple):
    """Rows that do not stand yet, with their streams and places on them."""

    claims: ClaimColumns
    streams: Sequence[bytes]
    versions: Sequence[int]


class _Ready(NamedTuple):
    """A chunk on its way into the log; ``mine`` of its rows this round posted before."""

    chunk: Chunk
    mine: int
    prepared: Prepared | None  # None where every row stands
    commit: Commit


class ClaimPoster:
    """Posts the rows of one claims file."""

    def __init__(
        self,
        ledger: FundLedger,
        vault: Vault,
        area: Area,
        *,
        attempt: Attempt,
        user: str,
        lease: IntakeLease,
        lease_seconds: int,
    ) -> None:
        self._ledger = ledger
        self._vault = vault
        self._area = area
        self._attempt = attempt
        self._user = user
        self._lease = lease
        self._lease_seconds = lease_seconds
        _, self._person_key = vault.person_token("")
        self._encoder = ClaimEncoder(
            area=area.code,
            owing=Owing(area),
            intake=attempt.intake,
            user=user,
            person_key=self._person_key,
        )
        self._stood = pa.array([], pa.int64())

    def post(
        self, claims: Iterator[ClaimColumns], plan: ClaimsPlan, progress: Progress
    ) -> IntakeCompleted:
        """Post everything that does not stand yet; again after a crash with the same end."""
        self._stood = pa.array(plan.standing, pa.int64())
        started_at = self._start(plan)
        posted = already = done = 0
        for ready in ahead(self._made_ready(in_chunks(claims, CHUNK), started_at)):
            rows = sum(map(len, ready.chunk))
            mine = self._post_chunk(ready, started_at)
            posted += mine
            already += rows - mine
            done += rows
            self._ledger.log.renew_lease(self._lease, seconds=self._lease_seconds)
            progress(done, plan.accepted)
        return self._complete(plan, posted=posted, already=already)

    def _start(self, plan: ClaimsPlan) -> int:
        """Mark the intake as unfinished for the books it touches; give the start's position."""
        attempt = self._attempt
        if attempt.started_at is not None:
            return attempt.started_at
        started = IntakeStarted(
            area=attempt.area,
            intake=attempt.intake,
            by=self._user,
            kind=attempt.kind,
            file=attempt.file,
            content=attempt.content,
            accepted=plan.accepted,
            rejected=plan.rejected,
            partial=plan.partial,
            funds=plan.funds,
            months=plan.months,
        )
        books = sorted({BookKey(attempt.area, parent(fund)) for fund in plan.funds})
        receipt = self._ledger.append(
            [Envelope(attempt.stream, attempt.round, started)],
            Commit(
                key=f"{attempt.key}:start",
                input_hash=attempt.content,
                lease=self._lease,
                opens_intake=tuple(books),
            ),
        )
        return receipt.first_position

    def _made_ready(self, chunks: Iterable[Chunk], started_at: int) -> Iterator[_Ready]:
        """Prepare every chunk as if nothing had happened since the file was checked.

        Only rows that stood then are looked up again; that nobody was first with any other is
        known from the log, which refuses a second fact in its place.
        """
        for chunk in chunks:
            yield self._ready(chunk, self._stood, started_at)

    def _post_chunk(self, ready: _Ready, started_at: int) -> int:
        """Post what of a chunk does not stand yet; give how many rows this round has posted of it."""
        doubtful: pa.Array | None = self._stood
        for tries_left in range(_TRIES - 1, -1, -1):
            prepared = ready.prepared
            if prepared is None:
                return ready.mine
            try:
                self._ledger.append_prepared(prepared, ready.commit)
            except (MonthNotOpen, StreamConflict) as wrong:
                if not tries_left:
                    raise
                if isinstance(wrong, StreamConflict):
                    doubtful = None
                ready = self._ready(ready.chunk, doubtful, started_at)
                continue
            return ready.mine + len(prepared.events)
        raise AssertionError("the last try returns or raises")

    def _ready(self, chunk: Chunk, doubtful: pa.Array | None, started_at: int) -> _Ready:
        """Encode, pack and hash what of a chunk does not stand yet."""
        fresh, mine = self._fresh(chunk, doubtful, started_at)
        events, commit = self._encoded(fresh)
        return _Ready(chunk, mine, prepare(events) if events else None, commit)

    def _fresh(
        self, chunk: Chunk, doubtful: pa.Array | None, started_at: int
    ) -> tuple[list[_Fresh], int]:
        """Give the rows that do not stand yet, looking up those on ``doubtful`` lines (None: all).

        Beside them the number of rows that this round posted before it was interrupted.
        """
        fresh, mine = [], 0
        for claims in chunk:
            names = streams(self._area.code, claims)
            asked = names
            if doubtful is not None:
                mask = pc.is_in(claims.lines, value_set=doubtful).to_pylist()
                asked = [name for name, ask in zip(names, mask, strict=True) if ask]
            known = standing(self._ledger.log, asked)
            if not known:
                fresh.append(_Fresh(claims, names, [1] * len(names)))
                continue
            heads = [known.get(name) for name in names]
            new = [head is None or head.reversed for head in heads]
            mine += sum(not head.reversed and head.position > started_at for head in heads if head)
            versions = [1 if head is None else head.version + 1 for head in heads]
            fresh.append(
                _Fresh(
                    claims.where(pa.array(new)),
                    list(compress(names, new)),
                    list(compress(versions, new)),
                )
            )
        return fresh, mine

    def _encoded(self, fresh: Sequence[_Fresh]) -> tuple[list[Encoded], Commit]:
        """Write the events of a chunk, sorted by stream, and the commit that goes with them."""
        states = self._ledger.log.books(self._area.code)
        events: list[Encoded] = []
        said: list[str] = []
        booked: set[tuple[BookKey, Period]] = set()
        totals: dict[TotalKey, Total] = {}
        for claims, names, versions in fresh:
            if not versions:
                continue
            persons = self._vault.person_tokens(
                claims.plain("psn_no").to_pylist(), self._person_key
            )
            found = self._encoder.encode(claims, persons, states)
            events += zip(names, versions, found.topics, found.states, strict=True)
            said += found.contents
            booked |= found.booked
            for key, total in found.totals.items():
                before = totals.get(key, Total(0, 0, 0))
                totals[key] = Total(*map(add, before, total))
        events.sort(key=itemgetter(0))
        digest = sha256("".join(said).encode()).hexdigest()
        commit = Commit(
            key=f"{self._attempt.key}:chunk:{digest[:32]}",
            input_hash=digest,
            booked=frozenset(booked),
            totals=totals,
            lease=self._lease,
            staged_for=self._attempt.intake,
        )
        return events, commit

    def _complete(self, plan: ClaimsPlan, *, posted: int, already: int) -> IntakeCompleted:
        """Let the rows count: from this position on they are known."""
        attempt = self._attempt
        completed = IntakeCompleted(
            area=attempt.area,
            intake=attempt.intake,
            by=self._user,
            kind=attempt.kind,
            file=attempt.file,
            content=attempt.content,
            accepted=plan.accepted,
            rejected=plan.rejected,
            posted=posted,
            already=already,
        )
        self._ledger.append(
            [Envelope(attempt.stream, attempt.round + 1, completed)],
            Commit(
                key=f"{attempt.key}:complete",
                input_hash=attempt.content,
                lease=self._lease,
                releases=attempt.intake,
                closes_intake=attempt.intake,
            ),
        )
        return completed
