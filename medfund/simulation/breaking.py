"""What breaks and when (故障): at most one thing at a time, armed for a point that lies ahead."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from medfund.simulation.turns import Turns
from medfund.simulation.watching import Crash

#: Points that lie within one command are about as many.
_FARTHEST = 60


class Fault(StrEnum):
    """What can break."""

    MACHINE = "machine stops"  # 断电: every process is gone, the disk keeps what it has
    PROCESS = "process killed"  # 进程被杀
    DISK = "disk full"  # 磁盘已满: a statement is refused
    ANSWER = "answer lost"  # 应答丢失: the commit stands, the caller is told that it failed


_BEFORE = (Fault.MACHINE, Fault.PROCESS)
_BEFORE_LOG = (*_BEFORE, Fault.DISK)
_AFTER_COMMIT = (*_BEFORE, Fault.ANSWER)


class Breaker:
    """Holds the armed fault; the points of all processes count down to it."""

    def __init__(self, chance: random.Random, on_machine_stop: Callable[[], None]) -> None:
        self._chance = chance
        self._on_machine_stop = on_machine_stop
        self._armed: Fault | None = None
        self._left = 0
        self.generation = 0  # of the machine: processes of an older one are dead
        self.happened: Counter[str] = Counter()
        self.last: str | None = None

    def arm(self) -> None:
        """Let something break soon."""
        self._armed = self._chance.choice(list(Fault))
        self._left = self._chance.randint(1, _FARTHEST)
        self.last = None

    def disarm(self) -> None:
        """Nothing breaks from here on."""
        self._armed = None

    def stop_machine(self) -> None:
        """Every process is gone; what the disk has at this moment is all there is."""
        self.generation += 1
        self._on_machine_stop()

    def due(self, *, kinds: tuple[Fault, ...]) -> Fault | None:
        """Count a point; give the fault if this is its place."""
        if self._armed is None:
            return None
        self._left -= 1
        if self._left > 0 or self._armed not in kinds:
            return None
        fault, self._armed = self._armed, None
        self.happened[fault.value] += 1
        self.last = fault.value
        return fault


class ProcessWatch:
    """The watch over one process: its turns, its faults, its death."""

    def __init__(self, breaker: Breaker, turns: Turns, committed: Callable[[], None]) -> None:
        self._breaker = breaker
        self._turns = turns
        self._committed = committed
        self._generation = breaker.generation
        self._writing = False
        self._killed = False

    @property
    def dead(self) -> bool:
        """Tell whether this process is gone."""
        return self._killed or self._generation != self._breaker.generation

    def kill(self) -> None:
        """End this process."""
        self._killed = True

    def turn(self, *, locks: bool) -> None:
        """Let others go first, unless this process holds the write lock: they would wait for it."""
        self._refuse_dead()
        if not self._writing:
            self._turns.give_way(locks=locks)
            self._refuse_dead()

    def before(self, statement: str, *, of_log: bool) -> None:
        """Break before a statement: killed, stopped, or refused by the disk."""
        if statement == "ROLLBACK":
            return
        self._turns.require_turn()
        self._refuse_dead()
        kinds = _BEFORE_LOG if of_log else _BEFORE
        self._break(self._breaker.due(kinds=kinds))
        if statement.startswith("BEGIN IMMEDIATE"):
            self._writing = True
        if statement == "COMMIT" and not of_log:
            self._writing = False

    def after(self, statement: str, *, of_log: bool) -> None:
        """Break after a commit: it stands, and nobody is told."""
        if statement in {"COMMIT", "ROLLBACK"}:
            self._writing = False
        if statement != "COMMIT" or not of_log:
            return
        self._committed()
        self._refuse_dead()
        self._break(self._breaker.due(kinds=_AFTER_COMMIT))

    def _refuse_dead(self) -> None:
        if self.dead:
            raise Crash

    def _break(self, fault: Fault | None) -> None:
        if fault is Fault.MACHINE:
            self._breaker.stop_machine()
        if fault is Fault.PROCESS:
            self._killed = True
        if fault in {Fault.MACHINE, Fault.PROCESS}:
            raise Crash
        if fault is Fault.DISK:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        if fault is Fault.ANSWER:
            raise sqlite3.OperationalError("disk I/O error")
