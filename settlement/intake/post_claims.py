"""Posting a ``claims`` file in chunks under an intake of its own (design §5).

started → chunks → completed: each is a commit under its own key, so a killed intake goes on where
it was when the file comes again, and its rows count only once it is completed. A lease per area and
kind keeps a second process out; its token fences off one that was overtaken.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.fund import parent
from ledger.domain.identity import claim_stream
from ledger.events.base import Envelope
from ledger.events.claim import ClaimFact
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.store.commit import BookKey, Commit, IntakeLease, MonthNotOpen, StreamConflict
from ledger.store.vault import Vault
from settlement.booking import booked_months, totals_of
from settlement.intake.attempt import Attempt
from settlement.intake.claim_facts import Owing, claim_content, claim_fact
from settlement.intake.claim_rows import ClaimRow
from settlement.intake.standing import Standing, standing

CHUNK = 10_000
_TRIES = 5

Rows = Callable[[], Iterator[ClaimRow]]
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class ClaimsPlan:
    """What a checked file is going to post: its size, funds and months."""

    accepted: int
    rejected: int
    funds: tuple[str, ...]  # leaf funds
    months: tuple[str, ...]
    partial: bool


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
        self._owing = Owing(area)
        _, self._person_key = vault.person_token("")

    def post(self, rows: Rows, plan: ClaimsPlan, progress: Progress) -> IntakeCompleted:
        """Post everything that does not stand yet; again after a crash with the same end."""
        started_at = self._start(plan)
        posted = already = done = 0
        for chunk in _chunks(rows(), CHUNK):
            mine = self._post_chunk(chunk, started_at)
            posted += mine
            already += len(chunk) - mine
            done += len(chunk)
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

    def _post_chunk(self, chunk: Sequence[ClaimRow], started_at: int) -> int:
        """Post what of a chunk does not stand yet; give how many rows this round has posted of it."""
        for tries_left in range(_TRIES - 1, -1, -1):
            rows, mine = self._fresh(chunk, started_at)
            if not rows:
                return mine
            try:
                self._append(rows)
            except (MonthNotOpen, StreamConflict):
                if not tries_left:
                    raise
                continue
            return mine + len(rows)
        raise AssertionError("the last try returns or raises")

    def _fresh(
        self, chunk: Sequence[ClaimRow], started_at: int
    ) -> tuple[list[tuple[ClaimRow, int]], int]:
        """Give rows that do not stand yet with their place on their stream.

        Beside them the number of rows that this round posted before it was interrupted.
        """
        streams = [
            claim_stream(self._area.code, row.setl_id, refund=row.is_refund) for row in chunk
        ]
        known = standing(self._ledger.log, streams)
        fresh, mine = [], 0
        for row, stream in zip(chunk, streams, strict=True):
            head = known.get(stream)
            if head is None:
                fresh.append((row, 1))
            elif head.reversed:
                fresh.append((row, head.version + 1))
            elif head.position > started_at:
                mine += 1
        return fresh, mine

    def _append(self, rows: Sequence[tuple[ClaimRow, int]]) -> None:
        states = self._ledger.log.books(self._area.code)
        facts: list[tuple[int, ClaimFact]] = []
        for row, version in rows:
            person, person_key = self._vault.person_token(row.psn_no, self._person_key)
            fact = claim_fact(
                row,
                area=self._area,
                owing=self._owing,
                states=states,
                person=person,
                person_key=person_key,
                intake=self._attempt.intake,
                user=self._user,
            )
            facts.append((version, fact))
        envelopes = [
            Envelope(
                claim_stream(self._area.code, fact.setl_id, refund=row.is_refund), version, fact
            )
            for (row, _), (version, fact) in zip(rows, facts, strict=True)
        ]
        envelopes.sort(key=lambda envelope: envelope.originator_id.bytes)
        only_facts = [fact for _, fact in facts]
        digest = sha256("".join(fact.content for fact in only_facts).encode()).hexdigest()
        self._ledger.append(
            envelopes,
            Commit(
                key=f"{self._attempt.key}:chunk:{digest[:32]}",
                input_hash=digest,
                booked=booked_months(only_facts),
                totals=totals_of(only_facts),
                lease=self._lease,
                staged_for=self._attempt.intake,
            ),
        )

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


def same_claim(vault: Vault, row: ClaimRow, head: Standing) -> bool:
    """Tell whether a row says what stands already, also across a rotation of the person key."""
    person, _ = vault.person_token(row.psn_no, head.person_key)
    return claim_content(row, person) == head.content


def _chunks(rows: Iterable[ClaimRow], size: int) -> Iterator[list[ClaimRow]]:
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk
