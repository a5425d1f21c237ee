"""What the auditor knows of each month (账期): who did what, and what may not change any more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.domain.period import Period
from medfund.simulation.findings import Broken, require

Book = tuple[str, str]  # area, parent fund
Fact = Mapping[str, Any]
#: debit − credit in fen by (leaf fund, account) up to a month (inclusive) or of one month.
Balances = dict[tuple[str, str], int]
BalanceOf = Callable[[Book, int], Balances]


def closes(account: str) -> bool:
    """Tell whether the year's end closes an account into the fund balance."""
    return account.startswith(("income.", "expense."))


@dataclass(slots=True)
class Run:
    """One close run, or one wish to reopen, step by step."""

    name: str
    prepared_by: str
    frozen_at: int
    plan: Mapping[str, Any] | None = None
    plan_hash: str | None = None
    approved_by: str | None = None
    last_position: int = 0  # of what the seal has to cover


@dataclass(slots=True)
class BookKept:
    """How far one book is frozen and sealed, and the closing balances of its sealed months."""

    first: int | None
    frozen: int | None = None
    sealed: int | None = None
    ever_sealed: int | None = None  # the first month that was ever sealed
    run: Run | None = None
    reopening: dict[int, Run] = field(default_factory=dict)  # by month
    transferred: bool = False
    closings: dict[int, Balances] = field(default_factory=dict)

    @property
    def open_from(self) -> int | None:
        """Give the first open month; None where every month is open."""
        last = self.sealed if self.frozen is None else self.frozen
        return self.first if last is None else last + 1

    @property
    def due(self) -> int | None:
        """Give the month that is closed next."""
        return self.first if self.sealed is None else self.sealed + 1


@dataclass(slots=True)
class MonthsKept:
    """The months of all books. Every step is held against the steps before it."""

    balance_of: BalanceOf
    books: dict[Book, BookKept] = field(default_factory=dict)
    roles: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    sealed_months: int = 0
    reopened_months: int = 0

    def fund_opened(self, fact: Fact) -> None:
        """Keep a new book."""
        book = (fact["area"], fact["fund"])
        require(book not in self.books, "a book is opened once", book=book)
        first = fact["first"]
        self.books[book] = BookKept(Period.parse(first).ordinal if first else None)

    def enrolled(self, fact: Fact) -> None:
        """Keep what a user may do."""
        self.roles[fact["area"], fact["user"]] = tuple(fact["roles"])

    def _book(self, fact: Fact) -> tuple[BookKept, int, dict[str, Any]]:
        book = self.books[fact["area"], fact["fund"]]
        about = {"run": fact["run"], "by": fact.get("by")}
        return book, Period.parse(fact["period"]).ordinal, about

    def _require_role(self, fact: Fact, *roles: str) -> None:
        has = self.roles.get((fact["area"], fact["by"]), ())
        held = set(roles) & set(has)
        require(bool(held), "who acts has the role for it", by=fact["by"], has=has, needs=roles)

    def frozen(self, fact: Fact, position: int) -> None:
        """锁账: the next month, once, by somebody who may."""
        book, month, about = self._book(fact)
        require(book.frozen is None, "one month is frozen at a time", **about)
        require(month == (book.due or month), "months close in order", month=month, **about)
        self._require_role(fact, "clerk", "reviewer")
        book.frozen, book.run = month, Run(fact["run"], fact["by"], position)

    def computed(self, fact: Fact) -> None:
        """月结计算: the plan shows the books, and its opening is the closing before it."""
        book, month, about = self._book(fact)
        run = self._run(book.run, fact)
        require(run.plan is None, "a run is computed once", **about)
        require(
            fact["cutoff_position"] == run.frozen_at - 1, "the plan ends at the freeze", **about
        )
        plan = fact["plan"]
        text = json.dumps(plan, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        hashed = sha256(text.encode()).hexdigest()
        require(hashed == fact["plan_hash"], "the hash is that of the plan", **about)
        rows = plan["trial_balance"]
        opening = {(row["fund"], row["account"]): row["opening_fen"] for row in rows}
        closing = {(row["fund"], row["account"]): row["closing_fen"] for row in rows}
        key = (fact["area"], fact["fund"])
        self._same("closing balances are the fold of the log", closing, self.balance_of(key, month))
        before = book.closings.get(month - 1)
        if before is not None:
            self._same("closing = next opening", opening, before)
        run.plan, run.plan_hash = plan, fact["plan_hash"]

    def approved(self, fact: Fact, position: int) -> None:
        """复核: by a second person, for the plan that was computed."""
        book, _, about = self._book(fact)
        run = self._run(book.run, fact)
        require(run.plan is not None and run.approved_by is None, "approved once", **about)
        require(fact["plan_hash"] == run.plan_hash, "what is approved was computed", **about)
        require(fact["by"] != run.prepared_by, "four eyes", **about)
        self._require_role(fact, "reviewer")
        run.approved_by, run.last_position = fact["by"], position

    def rejected(self, fact: Fact) -> None:
        """退回: the freeze is withdrawn."""
        book, month, about = self._book(fact)
        run = self._run(book.run, fact)
        require(
            run.approved_by is None and book.frozen == month, "no approved run goes back", **about
        )
        if fact["by"] != run.prepared_by:
            self._require_role(fact, "reviewer")
        book.frozen = book.run = None

    def transferred(self, fact: Fact, position: int, *, reopened: bool) -> None:
        """年终结转, or its reversal together with the month's reopening."""
        book, month, about = self._book(fact)
        last_day = Period.parse(fact["period"]).last_day.isoformat()
        require(fact["booked_on"] == last_day, "a year ends on its last day", **about)
        require(month % 12 == _DECEMBER, "a year ends in December", **about)
        if reopened:
            require(book.transferred and book.sealed == month, "undone once", **about)
            book.transferred = False
            return
        run = self._run(book.run, fact)
        allowed = run.approved_by is not None and not book.transferred and book.frozen == month
        require(allowed, "a year is transferred once, after approval", **about)
        book.transferred, run.last_position = True, position

    def sealed(self, fact: Fact, *, digest: str) -> None:
        """封账: after approval, naming the log's seal (``digest``); its balances stay for good."""
        book, month, about = self._book(fact)
        run = self._run(book.run, fact)
        require(
            run.approved_by is not None and book.frozen == month, "sealed once approved", **about
        )
        covered = fact["sealed_position"] >= run.last_position
        named = covered and digest == fact["sealed_digest"]
        require(named, "the seal names the log before it", **about)
        closing = self.balance_of((fact["area"], fact["fund"]), month)
        if month % 12 == _DECEMBER:
            left = {key: fen for key, fen in closing.items() if fen and closes(key[1])}
            require(not left, "a year's end leaves no income or expense", left=left, **about)
        book.closings[month] = closing
        book.sealed, book.frozen, book.run = month, None, None
        book.ever_sealed = month if book.ever_sealed is None else book.ever_sealed
        self.sealed_months += 1

    def reopening_asked(self, fact: Fact, position: int) -> None:
        """申请反结账 of the latest sealed month."""
        book, month, about = self._book(fact)
        require(month not in book.reopening, "one wish at a time", **about)
        require(book.sealed == month, "only a sealed month is reopened", **about)
        self._require_role(fact, "clerk", "reviewer")
        book.reopening[month] = Run(fact["run"], fact["by"], position)

    def reopening_rejected(self, fact: Fact) -> None:
        """反结账退回."""
        book, month, _ = self._book(fact)
        run = self._run(book.reopening.pop(month, None), fact)
        if fact["by"] != run.prepared_by:
            self._require_role(fact, "reviewer")

    def reopened(self, fact: Fact) -> None:
        """反结账: the latest month, by a second person."""
        book, month, about = self._book(fact)
        run = self._run(book.reopening.pop(month, None), fact)
        require(fact["by"] != run.prepared_by, "four eyes", **about)
        self._require_role(fact, "reviewer")
        require(book.sealed == month and book.frozen is None, "the latest month", **about)
        first = book.ever_sealed == month
        book.sealed = None if first else month - 1
        book.ever_sealed = None if first else book.ever_sealed
        book.closings.pop(month)
        self.reopened_months += 1

    @staticmethod
    def _run(run: Run | None, fact: Fact) -> Run:
        if run is None or run.name != fact["run"]:
            raise Broken("a step belongs to the run that waits", run=fact["run"])
        return run

    @staticmethod
    def _same(rule: str, found: Balances, wanted: Balances) -> None:
        keys = sorted({*found, *wanted})
        differing = {key: (found.get(key, 0), wanted.get(key, 0)) for key in keys}
        differing = {key: pair for key, pair in differing.items() if pair[0] != pair[1]}
        require(not differing, rule, differing=differing)


_DECEMBER = Period.parse("2023-12").ordinal % 12
