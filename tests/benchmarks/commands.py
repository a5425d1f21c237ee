"""One command per commit: a contribution entered by hand, against the library's plain ``save``.

Ours makes the fact, its postings' totals and months, and appends it with guard, totals, idempotency
key, outbox row and seal. Theirs is the event-sourcing library as it comes: an aggregate of the same
fields, its JSON, its recorder; no guard, totals, key, outbox or seal. Both are measured in
CPU-seconds of the client and of the server's backend together (``CpuClock``), in turns.
"""

from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from benchmarks._stores import AREA, STORES, CpuClock, opened, scratch
from benchmarks.figures import Figure, Figures, Scale, paired
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate

from ledger.application import FundLedger
from ledger.domain.identity import document_stream
from ledger.domain.posting_rules import RULES_VERSION, Flow, entry_of
from ledger.events.base import Envelope, Source
from ledger.events.cash import ContributionReceived
from ledger.store.commit import Commit, OutboxMessage
from settlement.booking import booked_months, first_months, totals_of

_AIMS = {"PostgreSQL": "≥ 1.0", "SQLite": "≥ 0.8"}
_LIMITED_BY = {
    "PostgreSQL": "",
    "SQLite": "Half is Python, half is SQLite: five statements and a commit of thirteen pages (events,"
    " seal, key, totals, outbox and their indexes) where theirs is one statement and two pages.",
}
_DAY = "2024-03-15"


class Contribution(Aggregate):
    """The peer: what a reader of the library's tutorial would write."""

    def __init__(
        self,
        *,
        area: str,
        booked_on: str,
        postings: list[dict[str, Any]],
        rules_version: int,
        prepared_by: str,
        doc_no: str,
        revision: int,
        fund: str,
        item: str,
        date: str,
        belongs_to: str,
        amount_fen: int,
        summary: str,
        content: str,
    ) -> None:
        self.area = area
        self.booked_on = booked_on
        self.postings = postings
        self.rules_version = rules_version
        self.prepared_by = prepared_by
        self.doc_no = doc_no
        self.revision = revision
        self.fund = fund
        self.item = item
        self.date = date
        self.belongs_to = belongs_to
        self.amount_fen = amount_fen
        self.summary = summary
        self.content = content


def _by_hand(ledger: FundLedger, number: int) -> None:
    """Append one contribution as a use-case does."""
    doc_no, fen = f"SJ-2024-{number:06d}", 120_000_00 + number
    summary = f"单位缴费 {number}"
    content = sha256(summary.encode()).hexdigest()
    fact = ContributionReceived(
        area=AREA,
        booked_on=_DAY,
        postings=entry_of(
            Flow(item="contribution.employer", fund="310.pooled", fen=fen, year=2024)
        ),
        rules_version=RULES_VERSION,
        prepared_by="clerk1",
        doc_no=doc_no,
        revision=1,
        fund="310.pooled",
        item="contribution.employer",
        date=_DAY,
        belongs_to="2024-03",
        amount_fen=fen,
        summary=summary,
        content=content,
        source=Source(),
    )
    facts = (fact,)
    ledger.append(
        [Envelope(document_stream(AREA, doc_no), 1, fact)],
        Commit(
            key=f"contribution:{doc_no}",
            input_hash=content,
            booked=booked_months(facts),
            totals=totals_of(facts),
            history=first_months(facts),
            outbox=(OutboxMessage("contribution_received", doc_no),),
        ),
    )


def _saved(app: Application[Any], number: int) -> None:
    """Save one contribution as the library's tutorial does."""
    doc_no, fen = f"SJ-2024-{number:06d}", 120_000_00 + number
    summary = f"单位缴费 {number}"
    app.save(
        Contribution(
            area=AREA,
            booked_on=_DAY,
            postings=[
                {
                    "fund": "310.pooled",
                    "debit": "treasury",
                    "credit": "income.contribution.employer",
                    "fen": fen,
                }
            ],
            rules_version=RULES_VERSION,
            prepared_by="clerk1",
            doc_no=doc_no,
            revision=1,
            fund="310.pooled",
            item="contribution.employer",
            date=_DAY,
            belongs_to="2024-03",
            amount_fen=fen,
            summary=summary,
            content=sha256(summary.encode()).hexdigest(),
        )
    )


def _plain(url: str) -> Application[Any]:
    """Give the library's application on its stock recorder, with the durability that ours has."""
    if url.startswith("sqlite"):
        env = {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": url.removeprefix("sqlite:///"),
        }
    else:
        where = urlsplit(url)
        env = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": where.path.removeprefix("/"),
            "POSTGRES_HOST": where.hostname or "",
            "POSTGRES_PORT": str(where.port or 5432),
            "POSTGRES_USER": where.username or "",
            "POSTGRES_PASSWORD": where.password or "trusted",
        }
    return Application(env=env)


def _timed(
    clock: CpuClock, command: Callable[[Any, int], None], app: object, commits: int
) -> Callable[[], float]:
    numbers = count(1)

    def run() -> float:
        start = clock.seconds()
        for _ in range(commits):
            command(app, next(numbers))
        return clock.seconds() - start

    return run


def figures(scale: Scale) -> Figures:
    commits = scale.of(400, 40)
    for store in STORES:
        with ExitStack() as stack:
            ledger, ours_at = stack.enter_context(opened(store))
            theirs_at = stack.enter_context(scratch(store))
            app = stack.enter_context(_plain(theirs_at))
            clocks = [CpuClock(ours_at), CpuClock(theirs_at)]
            for clock in clocks:
                stack.callback(clock.close)
            found = paired(
                _timed(clocks[0], _by_hand, ledger, commits),
                _timed(clocks[1], _saved, app, commits),
                rounds=scale.of(9, 3),
            )
        ratio, low, high = found.speed()
        each = [1e6 * min(times) / commits for times in (found.ours, found.theirs)]
        yield Figure(
            work=f"one command per commit (contribution by hand), {store}",
            against="the library's plain app.save, CPU of client and server",
            ratio=ratio,
            low=low,
            high=high,
            aim=_AIMS[store],
            said=f"{commits} commits a round; CPU a commit {each[0]:.0f} µs, theirs {each[1]:.0f} µs.",
            limited_by=_LIMITED_BY[store],
        )
