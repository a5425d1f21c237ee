"""The auditor (审计员): reads what every commit wrote, with nothing but SQL and JSON, and adds up itself.

After each commit: positions without a gap, seals chained, entries balanced, each document booked
as its paper says and where the months allow, no fine in a fund, sealed months untouched, the
guard's totals and books equal to the fold of the log.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from ledger.domain.period import Period
from medfund.simulation.effects import Net
from medfund.simulation.findings import Broken, require
from medfund.simulation.months_kept import Balances, Book, BookKept, MonthsKept
from medfund.simulation.papers import DocKey, Paper
from medfund.simulation.settlements_kept import SettlementsKept

TotalKey = tuple[str, str, str, int]  # area, leaf fund, account, month
Totals = dict[TotalKey, tuple[int, int, int]]  # debit, credit, lines
Fact = dict[str, Any]

_OBLIGATIONS = ("owed.", "claims.")


class Event(NamedTuple):
    """One event of the log as an auditor reads it."""

    position: int
    topic: str
    fact: Fact


class Auditor:
    """Follows one book from its first event on."""

    def __init__(self, path: str, issued: dict[DocKey, list[Paper]]) -> None:
        self.position = self.commits = 0
        self.digest = ""
        self.digests: dict[int, str] = {}  # of the seals, by their last position
        self.live: Totals = {}
        self.staged: dict[str, Totals] = {}
        self.standing: dict[DocKey, Net] = {}
        self.posted: set[DocKey] = set()
        self.papers: dict[DocKey, Paper] = {}  # the paper that was posted last
        self.rows: dict[str, list[DocKey]] = {}  # what came in, by intake
        self.completed: set[str] = set()
        self.running: dict[str, frozenset[Book]] = {}
        self.topics: Counter[str] = Counter()
        self.months = MonthsKept(self.balances)
        self.settlements = SettlementsKept(self.months.roles, self._issue)
        self._last_intake: dict[DocKey, str] = {}
        self._booked_last: dict[DocKey, str] = {}
        self._opened: set[str] = set()
        self._at_us = 0
        self._issued = issued
        self._path = path
        self._connection = _connect(path)

    def reopen(self) -> None:
        """Look at the disk after a crash: everything that was committed is there."""
        self._connection = _connect(self._path)
        found = self._rows("SELECT no, last_position, digest FROM seals ORDER BY no DESC LIMIT 1")
        no, position, digest = found[0]
        kept = (self.commits, self.position, self.digest)
        same = (no, position, digest.hex() if no else "") == kept
        require(
            same, "a commit that was confirmed survives a crash", kept=kept, found=(no, position)
        )

    def begin_step(self) -> None:
        """Forget how far the books were open before: everybody looks anew."""
        self._opened = set()
        self._note_bounds()

    def _note_bounds(self) -> None:
        bounds = (book.open_from for book in self.months.books.values())
        self._opened.update(Period.from_ordinal(one).first_day.isoformat() for one in bounds if one)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def audit(self) -> int:
        """Read what was committed since the last look; give how many commits."""
        seals = self._rows(
            "SELECT s.no, s.first_position, s.last_position, s.events, s.at_us, s.prev, s.digest,"
            " i.key FROM seals AS s LEFT JOIN idempotency AS i ON i.seal_no = s.no"
            " WHERE s.no > ? ORDER BY s.no",
            self.commits,
        )
        for no, first, last, events, at_us, prev, digest, key in seals:
            about = {"seal": no, "key": key}
            gapless = (no, first, last - first + 1) == (self.commits + 1, self.position + 1, events)
            require(gapless, "positions have no gap", first=first, last=last, **about)
            chained = not self.digest or prev.hex() == self.digest
            require(chained and at_us >= self._at_us, "seals are chained, never earlier", **about)
            require(key is not None, "every commit has its key", **about)
            found = list(self._events(first, last))
            numbers = [event.position for event in found]
            require(numbers == list(range(first, last + 1)), "positions have no gap", **about)
            self._commit(found)
            self.commits, self.position, self.digest = no, last, digest.hex()
            self._at_us = at_us
            self._note_bounds()
            self.digests[last] = self.digest
        if seals:
            self._compare_tables()
        return len(seals)

    def balances(self, book: Book, month: int) -> Balances:
        """Fold a book's balances up to a month (inclusive); nil ones that have lines stay."""
        area, fund = book
        found: Balances = {}
        for (its_area, leaf, account, at), (debit, credit, _) in self.live.items():
            if its_area == area and at <= month and leaf.partition(".")[0] == fund:
                found[leaf, account] = found.get((leaf, account), 0) + debit - credit
        return found

    # --- one commit ---------------------------------------------------------------------------

    def _commit(self, events: list[Event]) -> None:
        reopened = any(event.topic == "month.reopened.v1" for event in events)
        for event in events:
            self.topics[event.topic] += 1
            try:
                self._event(event, events, reopened=reopened)
            except Broken as broken:
                broken.facts |= {"position": event.position, "topic": event.topic}
                raise

    def _event(self, event: Event, commit: list[Event], *, reopened: bool) -> None:
        fact, topic = event.fact, event.topic.rpartition(".")[0]
        if "postings" in fact:
            self._booked(topic, event, reopened=reopened)
        elif topic.startswith("intake."):
            self._intake(topic, event, commit)
        elif topic in {"month.frozen", "close.approved"}:
            self._step_with_message(topic, event)
        elif topic.startswith(("clearing.", "payout.", "prepayment.")):
            self.settlements.told(topic, event.position, fact)
        else:
            self._step_of_a_month(topic, event)

    def _step_of_a_month(self, topic: str, event: Event) -> None:
        fact = event.fact
        if topic == "close.computed":
            self.months.computed(fact)
        elif topic == "close.rejected":
            self.months.rejected(fact)
        elif topic == "month.sealed":
            named = self.digests.get(fact["sealed_position"], "")
            self.months.sealed(fact, digest=named)
        elif topic == "reopen.requested":
            self.months.reopening_asked(fact, event.position)
        elif topic == "reopen.rejected":
            self.months.reopening_rejected(fact)
        elif topic == "month.reopened":
            self.months.reopened(fact)
        elif topic == "fund.opened":
            self.months.fund_opened(fact)
        elif topic == "user.enrolled":
            self.months.enrolled(fact)

    def _step_with_message(self, topic: str, event: Event) -> None:
        """A step that work follows from leaves its message in the same commit."""
        fact = event.fact
        if topic == "month.frozen":
            book = (fact["area"], fact["fund"])
            running = sorted(intake for intake, books in self.running.items() if book in books)
            require(not running, "no freeze while an intake runs", running=running)
            self.months.frozen(fact, event.position)
        else:
            self.months.approved(fact, event.position)
        actor = "compute_close" if topic == "month.frozen" else "post_close"
        sent = self._rows(
            "SELECT count(*) FROM outbox WHERE actor = ? AND key = ?", actor, fact["run"]
        )
        require(sent[0][0] == 1, "the outbox row is written with its event", run=fact["run"])

    def _intake(self, topic: str, event: Event, commit: list[Event]) -> None:
        fact = event.fact
        intake = fact["intake"]
        if topic == "intake.started":
            require(intake not in self.running, "an intake starts once", intake=intake)
            books = {(fact["area"], fund.partition(".")[0]) for fund in fact["funds"]}
            self.running[intake] = frozenset(books)
            self.rows[intake] = []
            return
        if topic == "intake.reversed":
            left = [key for key in self.rows.get(intake, ()) if self._brought_by(key, intake)]
            require(not left, "a reversed intake leaves no row", intake=intake, left=left)
            self.completed.discard(intake)
            return
        require(intake not in self.completed, "an intake completes once", intake=intake)
        if fact["kind"] == "fund_flows":
            mine = [one for one in commit if "doc_no" in one.fact]
            require(len(mine) == fact["posted"], "a file is posted whole", intake=intake)
        else:
            require(self.running.pop(intake, None) is not None, "an intake completes that ran")
            kept = self.rows[intake]
            require(len(kept) == fact["posted"], "no row is lost", said=fact["posted"], rows=kept)
            self._release(intake)
        if fact["rejected"] == 0:
            self.completed.add(intake)

    def _brought_by(self, key: DocKey, intake: str) -> bool:
        return key in self.standing and self._last_intake.get(key) == intake

    def _release(self, intake: str) -> None:
        for key, sums in self.staged.pop(intake, {}).items():
            _add(self.live, key, *sums)

    # --- one entry ----------------------------------------------------------------------------

    def _booked(self, topic: str, event: Event, *, reopened: bool) -> None:
        fact = event.fact
        net: Net = {}
        for posting in fact["postings"]:
            debit, credit = posting["debit"], posting["credit"]
            one_book = debit.startswith(_OBLIGATIONS) == credit.startswith(_OBLIGATIONS)
            balanced = debit != credit and type(posting["fen"]) is int and one_book
            require(balanced, "entries balance in each fund and book", posting=posting)
            for account, fen in ((debit, posting["fen"]), (credit, -posting["fen"])):
                place = (posting["fund"], account)
                net[place] = net.get(place, 0) + fen
        net = {place: fen for place, fen in net.items() if fen}
        if topic == "year.transferred":
            self.months.transferred(fact, event.position, reopened=reopened)
        elif topic.startswith(("settlement.", "payment.")):
            self._require_open(fact)
            self.settlements.moved(event.position, fact)
            self.settlements.posted(topic, event.position, fact, net)
        else:
            self.settlements.moved(event.position, fact)
            self._require_open(fact)
            self._document(topic, event, net)
        self._add_up(fact)

    def _require_open(self, fact: Fact) -> None:
        month = Period.parse(fact["booked_on"][:7]).ordinal
        for book in _books_of(fact):
            open_from = self.months.books[book].open_from
            allowed = open_from is None or month >= open_from
            require(allowed, "sealed and frozen months do not change", booked_on=fact["booked_on"])

    def _require_booked_on(self, fact: Fact, day: str) -> None:
        """Its own day if that month is open in every fund it touches, else the first open day.

        A freeze that is withdrawn between the look and the booking leaves it in the month after.
        """
        bounds = [self.months.books[book].open_from for book in _books_of(fact)]
        open_from = max((bound for bound in bounds if bound is not None), default=None)
        wanted = day
        if open_from is not None and Period.parse(day[:7]).ordinal < open_from:
            wanted = Period.from_ordinal(open_from).first_day.isoformat()
        booked = fact["booked_on"]
        allowed = booked == wanted or (booked > day and booked in self._opened)
        require(allowed, "booked where the months allow", booked=booked, wanted=wanted)

    def _document(self, topic: str, event: Event, net: Net) -> None:
        fact = event.fact
        if topic.startswith("fine."):
            held = {account for _, account in net} - {"fiscal", "income", "payable.fine"}
            require(not held, "no fine in a fund", accounts=sorted(held))
        key = _key_of(topic, fact)
        if topic in {"document.reversed", "claim.reversed"}:
            before = self.standing.pop(key, None)
            require(before is not None, "only what stands is reversed", key=key)
            wanted = {place: -fen for place, fen in (before or {}).items()}
            require(net == wanted, "a reversal is its original in red", key=key, net=net)
            self._require_booked_on(fact, self._booked_last[key])
            return
        require(key not in self.standing, "a document is posted once", key=key)
        paper = self._paper(key, fact)
        require(net == paper.net, "booked as the paper says", key=key, net=net, paper=paper.net)
        self._require_booked_on(fact, paper.day.isoformat())
        self.standing[key], self.papers[key] = net, paper
        self.posted.add(key)
        intake = fact["source"].get("intake", "")
        self.rows.setdefault(intake, []).append(key)
        self._last_intake[key], self._booked_last[key] = intake, fact["booked_on"]

    def _paper(self, key: DocKey, fact: Fact) -> Paper:
        for paper in self._issued.get(key, ()):
            row = paper.row
            if not row:  # of a prepayment: of the day on which the bank paid it
                return replace(paper, day=date.fromisoformat(fact["date"]))
            if "doc_no" not in row:
                return paper
            said = (fact["date"], fact["fund"], fact["item"], fact["amount_fen"])
            if said == (row["date"], row["fund"], row["item"], int(row["amount"].replace(".", ""))):
                return paper
        raise Broken("what is booked was brought in", key=key)

    def _issue(self, paper: Paper) -> None:
        self._issued.setdefault(paper.key, []).append(paper)

    def _add_up(self, fact: Fact) -> None:
        intake = (fact.get("source") or {}).get("intake")
        into = self.live
        if intake in self.running:
            into = self.staged.setdefault(intake, {})
        month = Period.parse(fact["booked_on"][:7]).ordinal
        for posting in fact["postings"]:
            fund, fen = posting["fund"], posting["fen"]
            _add(into, (fact["area"], fund, posting["debit"], month), fen, 0, 1)
            _add(into, (fact["area"], fund, posting["credit"], month), 0, fen, 1)

    # --- the tables beside the log ------------------------------------------------------------

    def _compare_tables(self) -> None:
        sums = "area, fund, account, month, debit_fen, credit_fen, lines"
        live = {row[:4]: row[4:] for row in self._rows(f"SELECT {sums} FROM totals")}
        _require_same("guard totals are the fold of the log", live, self.live)
        staged: dict[str, Totals] = {}
        for intake, *row in self._rows(f"SELECT intake, {sums} FROM staged_totals"):
            area, fund, account, month, debit, credit, lines = row
            staged.setdefault(intake, {})[area, fund, account, month] = (debit, credit, lines)
        waiting = {intake: totals for intake, totals in self.staged.items() if totals}
        require(staged == waiting, "totals of a running intake wait apart", intakes=sorted(waiting))
        months = {
            (area, fund): tuple(rest)
            for area, fund, *rest in self._rows(
                "SELECT area, fund, open_from, frozen_through, sealed_through FROM books"
            )
        }
        kept = {book: _bounds(state) for book, state in self.months.books.items()}
        _require_same("books stand as the log says", months, kept)
        open_intakes = {row[0] for row in self._rows("SELECT DISTINCT intake FROM open_intakes")}
        require(
            open_intakes == set(self.running), "running intakes are marked", marked=open_intakes
        )

    def _events(self, first: int, last: int) -> Iterator[Event]:
        found = self._rows(
            "SELECT rowid, topic, state FROM events WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
            first,
            last,
        )
        for position, topic, state in found:
            yield Event(position, topic, json.loads(state))

    def _rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, params).fetchall()


def _connect(path: str) -> sqlite3.Connection:
    """Open for reading only; he looks on in the thread of whoever has just committed."""
    return sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


def _add(into: Totals, key: TotalKey, debit: int, credit: int, lines: int) -> None:
    before = into.get(key, (0, 0, 0))
    into[key] = (before[0] + debit, before[1] + credit, before[2] + lines)


def _books_of(fact: Fact) -> set[Book]:
    return {(fact["area"], posting["fund"].partition(".")[0]) for posting in fact["postings"]}


def _key_of(topic: str, fact: Fact) -> DocKey:
    if "doc_no" in fact:
        return fact["area"], "doc", fact["doc_no"]
    refund = fact.get("refund", topic == "claim.refunded")
    return fact["area"], "refund" if refund else "claim", fact["setl_id"]


def _bounds(state: BookKept) -> tuple[int | None, ...]:
    frozen = state.sealed if state.frozen is None else state.frozen
    return state.open_from, frozen, state.sealed


def _require_same(rule: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> None:
    if found != wanted:
        keys = sorted({*found, *wanted}, key=str)
        pairs = {key: (found.get(key), wanted.get(key)) for key in keys}
        differing = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        raise Broken(rule, differing=differing)
