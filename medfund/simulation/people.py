"""The people (人员): who does what next, drawn from chance and from what stands in the books."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from ledger.aggregates.area import Area
from ledger.domain.period import Period
from ledger.errors import Conflict, InputRejected, RuleRefused
from medfund.bootstrap import House
from medfund.simulation import reading
from medfund.simulation.auditor import Auditor
from medfund.simulation.commands import Command
from medfund.simulation.findings import Broken, require
from medfund.simulation.machine import Machine
from medfund.simulation.months_kept import Book, BookKept
from medfund.simulation.papers import HOSPITALS, Desk, DocKey, FilePaper
from medfund.simulation.queueing import UnreliableQueue, in_process
from medfund.simulation.settling import Settling
from projections.rebuild import rebuild
from settlement import closing
from settlement.corrections import reverse_fact, reverse_intake
from settlement.intake import bring_in as intake
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

USERS = {
    "clerk1": ["clerk"],
    "clerk2": ["clerk"],
    "chief": ["clerk", "reviewer"],
    "reviewer1": ["reviewer"],
    "auditor1": ["auditor"],
    "admin1": ["administrator"],
}
FUNDS = ("310", "390", "610")
_CLERKS, _REVIEWERS = ("clerk1", "clerk2", "chief"), ("reviewer1", "chief")
_LEASE_SECONDS = 15
#: Of a hundred papers, how many are of a month closed next: usually, and in a race for that month.
_DUE, _FOCUSED = 40, 90
#: Where the bureau settles: of a hundred commands those up to the first do, up to the second bring
#: settlements in.
_SETTLING, _CLAIMS = 65, 75
_PAUSE = timedelta(milliseconds=200)


def _waits(book: BookKept) -> bool:
    """Tell whether a run waits for its reviewer."""
    waiting = book.run is not None and book.run.plan is not None and not book.run.approved_by
    return waiting or bool(book.reopening)


@dataclass(slots=True)
class People:
    """Draws commands for one run."""

    chance: random.Random
    machine: Machine
    auditor: Auditor
    desk: Desk
    queue: UnreliableQueue
    folder: Path
    areas: Sequence[str]
    first_month: str
    tax_collects: dict[str, bool]
    brokered: bool
    snapshots: list[reading.Snapshot] = field(default_factory=list)
    calm: bool = True
    settling: Settling | None = None  # where the bureau settles with institutions, too
    _focus: tuple[str, date] | None = None  # the month that everybody is busy with

    def today(self) -> date:
        """Give the day by the simulated clock."""
        return self.machine.clock.moment.date()

    def draw_race(self, many: int) -> list[Command]:
        """Draw what happens at once: often a step of a month beside papers for that very month."""
        if many > 1 and self.chance.randrange(6) == 0:
            return [self._look() for _ in range(many)]  # several bring the read models up at once
        closing_next = self._book(lambda book: book.due is not None and book.frozen is None)
        if many == 1 or closing_next is None or self.chance.randrange(3) == 0:
            return [self.draw() for _ in range(many)]
        (area, _), book = closing_next
        step = self._request_close(closing_next) if self.chance.randrange(4) else self._decide()
        self._focus = area, Period.from_ordinal(book.due or 0).first_day
        papers = [self._paper() for _ in range(many - 1)]
        self._focus = None
        return [step, *papers]

    def _paper(self) -> Command:
        drawn = (self._bring_flows, self._bring_claims, self._bring_again, self._reverse)
        return self.chance.choices(drawn, (6, 3, 2, 2))[0]()

    def draw(self) -> Command:
        """Draw the next command."""
        if self.settling is not None:
            percent = self.chance.randrange(100)
            task = self.settling.draw() if percent < _SETTLING else None
            if task is not None:
                return task
            if percent < _CLAIMS:
                return self._bring_claims()
        drawn = self.chance.choices(
            (
                self._bring_flows,
                self._bring_claims,
                self._bring_again,
                self._reverse,
                self._reverse_intake,
                self._request,
                self._decide,
                self._reopen,
                self._worker,
                self._look,
                self._rebuild,
                self._set_up,
            ),
            (26, 16, 12, 14, 6, 24, 40, 30, 40, 14, 1, 4),
        )[0]
        return drawn()

    def _area(self) -> str:
        return self.chance.choice(self.areas)

    def clerk(self) -> str:
        """Draw who enters or computes something."""
        return self._user(*_CLERKS)

    def reviewer(self) -> str:
        """Draw who decides about it."""
        return self._user(*_REVIEWERS)

    def _user(self, *usual: str) -> str:
        """Draw who does it: mostly somebody who may."""
        return self.chance.choice(usual if self.chance.randrange(10) else tuple(USERS))

    # --- the counter --------------------------------------------------------------------------

    def _counter(self) -> str:
        """Choose the area whose papers come, and let some be of the months that are closed next."""
        if self._focus is not None:
            area, day = self._focus
            self.desk.due, self.desk.due_percent = (day,), _FOCUSED
            return area
        area = self._area()
        due = [
            Period.from_ordinal(book.due).first_day
            for (its_area, _), book in self.auditor.months.books.items()
            if its_area == area and book.due is not None
        ]
        self.desk.due, self.desk.due_percent = tuple(due), _DUE
        return area

    def prepare_to_settle(self, area: str) -> list[Command]:
        """Put the policy in force; to prepay, bring in the flows of a year."""
        if self.settling is None:
            return []
        policy = self.settling.policy(area, self.folder)
        if not self.settling.prepays:
            return [policy]
        return [policy, self._bring(self.desk.history(area, self.folder))]

    def _bring_flows(self) -> Command:
        area = self._counter()
        papers = self.auditor.papers
        written = {key for key, paper in papers.items() if paper.row and key[:2] == (area, "doc")}
        standing = [key for key in self.auditor.standing if key in written]
        again = [papers[key] for key in self._some(standing, 2)]
        gone = written - self.auditor.standing.keys()
        free = [number for _, _, number in self._some(sorted(gone), 1)]
        return self._bring(self.desk.flows(area, self.folder, self.today(), again, free))

    def _bring_claims(self) -> Command:
        area = self._counter()
        issued = [key for key in self.desk.issued if key[:2] == (area, "claim")]
        refunded = {number for its_area, kind, number in self.desk.issued if kind == "refund"}
        originals = [
            self.desk.issued[key][0] for key in self._some(issued, 2) if key[2] not in refunded
        ]
        made = self.desk.claims(area, self.folder, self.today(), originals)
        made.spoilt += sum(original.key not in self.auditor.standing for original in originals)
        return self._bring(made)

    def _bring_again(self) -> Command:
        if not self.desk.files:
            return self._bring_flows()
        return self._bring(self.chance.choice(self.desk.files[-6:]))

    def _some(self, keys: Sequence[DocKey], most: int) -> list[DocKey]:
        many = min(len(keys), self.chance.choice((0, 0, 1, most)))
        return self.chance.sample(keys, many)

    def _bring(self, file: FilePaper) -> Command:
        user = self._user(*_CLERKS)
        first, file.brought = file.brought == 0, file.brought + 1
        sure = first and not file.spoilt and self.calm

        def work(house: House) -> str:
            area = house.area(file.area)
            by = area.allow(user, "intake")
            try:
                return bring(house, area, by)
            except (RuleRefused, Conflict, InputRejected) as error:
                if sure and self.calm:
                    raise Broken("a sound file is posted", error=str(error)) from error
                raise

        def bring(house: House, area: Area, by: str) -> str:
            outcome = intake.bring_in(
                file.path,
                intake.Desk(
                    ledger=house.ledger,
                    vault=house.vault,
                    area=area,
                    user=by,
                    today=self.today(),
                    wait=self._wait,
                    partial=file.partial,
                    lease_seconds=_LEASE_SECONDS,
                ),
                kind=file.kind,
            )
            if outcome.state == "posted":
                missing = [one.key for one in file.papers if one.key not in self.auditor.posted]
                require(not missing, "what was confirmed stands in the log", missing=missing)
            if sure and self.calm:
                require(outcome.state == "posted", "a sound file is posted", state=outcome.state)
            return f"{outcome.state} {outcome.posted}+{outcome.already}-{outcome.rejected}"

        return Command("intake", f"{user} intake {file.path.name}", work)

    def _wait(self) -> None:
        self.machine.clock.advance(_PAUSE)
        self.machine.turns.give_way(waits=True)

    def _reverse(self) -> Command:
        keys = self.chance.sample(sorted(self.auditor.posted), min(1, len(self.auditor.posted)))
        if not keys:
            return self._bring_flows()
        area, _, number = keys[0]
        user = self._user(*_CLERKS)

        def work(house: House) -> str:
            done = reverse_fact(
                house.ledger, house.area(area), ref=number, reason="错账", user=user
            )
            return f"{done.reversed_rows} reversed"

        return Command("reverse", f"{user} reverse {area} {number}", work)

    def _reverse_intake(self) -> Command:
        if not self.auditor.rows:
            return self._bring_flows()
        name = self.chance.choice(sorted(self.auditor.rows))
        keys = self.auditor.rows[name]
        area = keys[0][0] if keys else self._area()
        user = self._user(*_CLERKS)

        def work(house: House) -> str:
            done = reverse_intake(
                house.ledger, house.area(area), intake=name, reason="文件有误", user=user
            )
            return f"{done.reversed_rows} reversed"

        return Command("reverse intake", f"{user} reverse --intake {name}", work)

    # --- months -------------------------------------------------------------------------------

    def _book(self, wanted: Callable[[BookKept], bool]) -> tuple[Book, BookKept] | None:
        books = [pair for pair in self.auditor.months.books.items() if wanted(pair[1])]
        return self.chance.choice(books) if books else None

    def _request(self) -> Command:
        found = self._book(lambda book: book.frozen is None)
        return self._decide() if found is None else self._request_close(found)

    def _request_close(self, found: tuple[Book, BookKept]) -> Command:
        (area, fund), book = found
        ordinal = (book.due or 0) + self.chance.choice((0,) * 8 + (1, -1))
        user = self._user(*_CLERKS)

        def work(house: House) -> str:
            month = closing.request_close(
                house.ledger,
                house.area(area),
                fund=fund,
                period=Period.from_ordinal(ordinal),
                user=user,
                today=self.today(),
            )
            return f"{month.run} {month.state}"

        return Command("close", f"{user} close {area} {fund} {Period.from_ordinal(ordinal)}", work)

    def _decide(self) -> Command:
        found = self._book(_waits) if self.chance.randrange(10) else None
        found = found or self._book(lambda book: bool(book.run or book.reopening))
        if found is None:
            return self._worker()
        (area, _), book = found
        runs = [*([book.run] if book.run else []), *book.reopening.values()]
        name = self.chance.choice(runs).name
        user = self._user(*_REVIEWERS)
        if self.chance.randrange(100) < 15:

            def work(house: House) -> str:
                month = closing.reject(
                    house.ledger, house.area(area), run=name, reason="请核对", user=user
                )
                return month.state

            return Command("reject", f"{user} reject {name}", work)

        def approving(house: House) -> str:
            return closing.approve(house.ledger, house.area(area), run=name, user=user).state

        return Command("approve", f"{user} approve {name}", approving)

    def _reopen(self) -> Command:
        found = self._book(lambda book: book.sealed is not None)
        if found is None:
            return self._request()
        (area, fund), book = found
        period = Period.from_ordinal((book.sealed or 0) - self.chance.choice((0, 0, 0, 1)))
        user = self._user(*_CLERKS)

        def work(house: House) -> str:
            month = closing.request_reopening(
                house.ledger, house.area(area), fund=fund, period=period, reason="补记", user=user
            )
            return f"{month.run} {month.state}"

        return Command("reopen", f"{user} reopen {area} {fund} {period}", work)

    # --- behind the counter -------------------------------------------------------------------

    def _worker(self) -> Command:
        if not self.brokered:
            return Command("worker", "run pending", in_process, worker=True)
        words, work = self.chance.choice(
            (
                ("pump", self.queue.pump),
                ("deliver", self.queue.deliver),
                ("work", self.queue.work),
                ("work", self.queue.work),
                ("sweep", self.queue.sweep),
            )
        )
        return Command("worker", words, work, worker=True)

    def _look(self) -> Command:
        area, months = self._area(), self.chance.randrange(-2, 6)
        as_of = Period.parse(self.first_month).plus(months).last_day
        snapshot = self.chance.choice([None, *self.snapshots])

        def work(house: House) -> str:
            house.catch_up()
            return reading.look(house, self.auditor, area, as_of, snapshot)

        return Command("read", f"balances {area} {as_of}", work)

    def _rebuild(self) -> Command:
        def work(house: House) -> str:
            done = rebuild(house.ledger, house.reads, page_size=house.settings.page_size)
            require(not done.differences, "projections are the fold of the log")
            return f"rebuilt at {done.position}"

        return Command("rebuild", "rebuild", work, worker=True)

    def _set_up(self) -> Command:
        area, user = self._area(), self._user("admin1")
        users = {**USERS, f"clerk{self.chance.randint(3, 5)}": ["clerk"]}
        return self.set_up(area, user, users)

    def set_up(self, area: str, user: str, users: dict[str, list[str]] | None = None) -> Command:
        """Set an area up, or bring it up to what its file says."""
        institutions = [{"code": code, "name": code, "level": 3} for code in HOSPITALS]
        file = SetupFile.model_validate(
            {
                "institutions": institutions if self.settling is not None else [],
                "area": {
                    "code": area,
                    "name": f"统筹区{area}",
                    "funds": list(FUNDS),
                    "first_month": self.first_month,
                    "tax_collects": self.tax_collects[area],
                },
                "users": [
                    {"name": name, "roles": roles} for name, roles in (users or USERS).items()
                ],
            }
        )

        def work(house: House) -> str:
            done = apply_setup(house.ledger, file, user=user)
            return f"{sum(done.changes.values())} changes"

        return Command("setup", f"{user} setup {area}", work)
