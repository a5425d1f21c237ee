"""One run of the simulator (一次模拟): from a seed to a trace, its digest, and what broke."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.errors import BooksDamaged, Conflict, MedfundError, Unavailable
from ledger.verify import verify
from medfund.bootstrap import House
from medfund.simulation import reading
from medfund.simulation.auditor import Auditor
from medfund.simulation.chance import stream
from medfund.simulation.commands import Command
from medfund.simulation.findings import Broken, require
from medfund.simulation.machine import Machine, Process, Workshop, start_of
from medfund.simulation.papers import Desk
from medfund.simulation.people import People
from medfund.simulation.queueing import UnreliableQueue
from medfund.simulation.reading import Snapshot
from medfund.simulation.settling import FIRST_MONTH, ONE_OF, Settling
from medfund.simulation.watching import Crash
from projections.compare import compare
from projections.rebuild import rebuild
from settlement.intake.ahead import one_thing_at_a_time

STEPS = 40
AREAS = ("330604", "330681")
_ROUNDS = 30
_AGAIN = 0.4  # of the steps in which something was cut off before
_CUT_OFF, _AWAY, _REFUSED = "CUT OFF", "unavailable", "refused"
_SNAPSHOTS = 3
_REBUILT = 5  # of a hundred runs end with a rebuild
#: What the clock does between two steps, in seconds: mostly on, sometimes not at all, or back.
_TICKS = (0, 0, 1, 20, 70, 600, 7_200, 86_400, 400_000, 900_000, -90)


@dataclass(slots=True)
class Run:
    """What one seed came to. ``digest`` covers the trace and the log's last seal."""

    seed: int
    steps: int
    trace: list[str] = field(default_factory=list)
    digest: str = ""
    broken: str | None = None
    broken_at: int | None = None  # step
    events: int = 0
    commits: int = 0
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Tell whether every rule held."""
        return self.broken is None

    def document(self) -> dict[str, Any]:
        """Give the run as JSON."""
        return {
            "seed": self.seed,
            "broken": self.broken,
            "step": self.broken_at,
            "digest": self.digest,
            "trace": self.trace,
        }


def run_seed(seed: int, shop: Workshop, *, steps: int = STEPS) -> Run:
    """Play one seed in a workshop; one run at a time."""
    papers = shop.folder / "papers"
    papers.mkdir()
    try:
        with one_thing_at_a_time():  # a thread of the product's own would not wait for its turn
            return _Simulation(seed, shop, papers, steps).play()
    finally:
        shutil.rmtree(papers)


class _Simulation:
    def __init__(self, seed: int, shop: Workshop, papers: Path, steps: int) -> None:
        self.run = Run(seed, steps)
        self.chance = stream(seed, "plan")
        self.machine = Machine(shop, seed=seed, moment=start_of(seed))
        tax_collects = {area: self.chance.random() < 0.5 for area in AREAS}
        desk = Desk(stream(seed, "papers"), tax_collects)
        self.auditor = Auditor(str(shop.book), desk.issued)
        self.machine.auditor = self.auditor
        self.queue = UnreliableQueue(stream(seed, "queue"))
        self.people = People(
            self.chance,
            self.machine,
            self.auditor,
            desk,
            self.queue,
            papers,
            AREAS[: self.chance.choice((1, 1, 2))],
            first_month=self.chance.choice(("2023-11", "2023-12")),
            tax_collects=tax_collects,
            brokered=self.chance.random() < 0.7,
        )
        if seed % ONE_OF == 0:
            self._settle(seed)
        self.again: list[Command] = []  # what was cut off and has to be done again
        self.step = 0

    def _settle(self, seed: int) -> None:
        """Let the bureau settle with institutions, too."""
        people, chance = self.people, stream(seed, "settling")
        people.areas = people.areas[:1]
        prepays = chance.randrange(2) == 0
        if prepays:
            people.first_month = FIRST_MONTH
        people.settling = Settling(
            chance,
            self.auditor,
            people.today,
            people.clerk,
            people.reviewer,
            people.areas,
            prepays,
        )

    def play(self) -> Run:
        try:
            for area in self.people.areas:
                self._act([self.people.set_up(area, "admin1")])
                for command in self.people.prepare_to_settle(area):
                    self._act([command])
            while self.step < self.run.steps:
                self.step += 1
                self._step()
            self._come_to_rest()
        except Broken as broken:
            self.run.broken, self.run.broken_at = str(broken), self.step
            self.run.trace.append(f"{self.step:4} BROKEN {broken}")
        finally:
            self.machine.shut_down()
        self.run.events, self.run.commits = self.auditor.position, self.auditor.commits
        self._count()
        text = "\n".join([*self.run.trace, self.auditor.digest])
        self.run.digest = sha256(text.encode()).hexdigest()
        return self.run

    def _count(self) -> None:
        happened, months = self.run.happened, self.auditor.months
        happened.update(self.machine.breaker.happened)
        happened.update({f"event {topic}": n for topic, n in self.auditor.topics.items()})
        happened["months sealed"] = months.sealed_months
        happened["months reopened"] = months.reopened_months
        happened["turns taken"] = self.machine.turns.switches
        happened["messages lost"] = self.queue.lost
        happened["messages doubled"] = self.queue.doubled

    # --- one step -----------------------------------------------------------------------------

    def _step(self) -> None:
        self.machine.clock.advance(timedelta(seconds=self.chance.choice(_TICKS)))
        faulty = self.chance.randrange(100) < 30
        actors = self.chance.choice((1, 1, 1, 2, 2, 3))
        self.people.calm = not faulty and actors == 1
        commands = self.people.draw_race(actors)
        if self.again and self.chance.random() < _AGAIN:
            commands[0] = self.again.pop(self.chance.randrange(len(self.again)))
        if faulty:
            self.machine.breaker.arm()
        self._act(commands)
        self.machine.breaker.disarm()
        if len(self.people.snapshots) < _SNAPSHOTS and self.chance.random() < 0.1:
            kept = Snapshot(self.auditor.position, dict(self.auditor.live))
            self.people.snapshots.append(kept)
        if self.chance.randrange(100) < 5:
            self._verify(self.machine.processes[0])

    def _act(self, commands: list[Command]) -> None:
        """Let every command be done by a process of its own, together."""
        self.auditor.begin_step()
        said = [""] * len(commands)
        free = list(self.machine.processes)
        works = []
        for at, command in enumerate(commands):
            process = free.pop(-1 if command.worker else 0)
            works.append(lambda at=at, c=command, p=process: self._do(at, c, p, said))
        self.machine.turns.together(works)
        fault = self.machine.breaker.last
        self.machine.breaker.last = None
        when = self.machine.clock.moment.strftime("%m-%d %H:%M:%S.%f")[:-3]
        for line in said:
            self.run.trace.append(f"{self.step:4} {when} @{self.auditor.position} {line}")
        if fault:
            self.run.trace.append(f"{self.step:4} {when} !! {fault}")
        self.machine.clear_up()
        if self.machine.broken is not None:
            raise self.machine.broken

    def _do(self, at: int, command: Command, process: Process, said: list[str]) -> None:
        try:
            outcome = command.work(process.house)
        except Crash:
            outcome = _CUT_OFF
        except BooksDamaged as error:
            raise Broken("nothing reports damage", error=str(error)) from error
        except Unavailable as error:
            outcome = f"{_AWAY}: {error.code}"
        except MedfundError as error:
            outcome = f"{_REFUSED}: {error.code}"
            self.run.happened[outcome] += 1
            if isinstance(error, Conflict) and command.kind == "intake":
                raise Broken("a file never conflicts with itself", error=str(error)) from error
        except Broken:
            raise
        except Exception as error:
            rule = "no error but our own comes out"
            raise Broken(rule, command=command.words, error=repr(error)) from error
        if outcome == _CUT_OFF or outcome.startswith(_AWAY):
            self.again.append(command)
        elif not outcome.startswith(_REFUSED):
            self.run.happened[f"did {command.kind}"] += 1
        said[at] = f"[{process.name}] {command.words} → {outcome}"

    # --- the end ------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """Nothing fails any more: what was cut off is done again, the queue runs dry, all is checked."""
        self.step += 1
        self.queue.reliable, self.people.calm = True, True
        for _ in range(_ROUNDS):
            if not self.again:
                break
            self._act([self.again.pop(0)])
        require(not self.again, "what was cut off can be done again", left=len(self.again))
        process = self.machine.processes[-1]
        self.machine.clock.advance(timedelta(hours=1))
        self._act([Command("worker", "drain", self._drained, worker=True)])
        for book, kept in self.auditor.months.books.items():
            waiting = kept.run is None or (kept.run.plan is not None and not kept.run.approved_by)
            require(waiting, "what follows a step is done", book=book)
        self._verify(process)
        self._act([Command("check", "check", self._checked, worker=True)])

    def _drained(self, house: House) -> str:
        self.queue.drain(house)
        return "nothing waits"

    def _verify(self, process: Process) -> None:
        verified = verify(process.house.ledger)
        codes = [(one.code, one.position, dict(one.facts)) for one in verified.findings[:5]]
        require(verified.ok, "verify finds nothing", findings=codes)
        require(
            verified.events == self.auditor.position,
            "every event is verified",
            verified=verified.events,
            audited=self.auditor.position,
        )

    def _checked(self, house: House) -> str:
        """Replay, read models, totals, and the figures of sealed months side by side."""
        house.catch_up()
        compared = compare(house.ledger, house.reads)
        differences = compared["differences"][:5]
        require(compared["equal"], "balances are the fold of the log", differences=differences)
        for area in self.people.areas:
            reading.look(house, self.auditor, area, self.people.today())
        for snapshot in self.people.snapshots:
            area = self.people.areas[0]
            reading.look(house, self.auditor, area, self.people.today(), snapshot)
        for book, kept in self.auditor.months.books.items():
            for month, closing in kept.closings.items():
                same = self.auditor.balances(book, month) == closing
                require(same, "sealed and frozen months do not change", book=book, month=month)
        if self.chance.randrange(100) < _REBUILT:
            done = rebuild(house.ledger, house.reads, page_size=house.settings.page_size)
            require(not done.differences, "projections are the fold of the log")
        return f"all equal at {compared['position']}"
