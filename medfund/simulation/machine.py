"""The machine (机器): a disk, a clock that the seed sets, and processes that open the book on it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ledger.errors import MedfundError
from ledger.store import schema
from ledger.store.vault import Vault
from medfund.bootstrap import ZONE, House
from medfund.settings import Settings
from medfund.simulation.auditor import Auditor
from medfund.simulation.breaking import Breaker, ProcessWatch
from medfund.simulation.chance import stream
from medfund.simulation.findings import Broken
from medfund.simulation.turns import Turns
from medfund.simulation.watching import Crash, WatchedLedger, watch_engine
from projections.follow import begin
from projections.store import ReadStore

PROCESSES = ("A", "B", "worker")
#: Events in a page of the projector: a run's history is many pages, or one.
_PAGE_SIZES = (3, 20, 20, 20_000)


class SimulatedClock:
    """A clock that goes on a millisecond each time it is read, and otherwise as it is told."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Set the clock on, or back."""
        self.moment += by


class _Reads:
    """The read models as one process opens them; kept over runs, with the statements once compiled."""

    def __init__(self, url: str) -> None:
        self.store = ReadStore.open(url)
        self.watch: ProcessWatch | None = None
        watch_engine(self.store.engine, lambda: self.watch)


class Workshop:
    """A folder with an empty, migrated book; the book of each run is a copy at the same place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.book = folder / "book.db"
        self.url = f"sqlite:///{self.book}"
        self.archive = folder / "archive"
        self.template = folder / "template.db"
        url = f"sqlite:///{self.template}"
        schema.upgrade(url)
        reads = ReadStore.open(url)
        begin(reads)
        reads.close()
        self.reads = {name: _Reads(self.url) for name in PROCESSES}

    def lay_out(self) -> None:
        """Begin with an empty book."""
        self.clear()
        shutil.rmtree(self.archive, ignore_errors=True)
        shutil.copy(self.template, self.book)

    def clear(self) -> None:
        """Leave nothing of a run but its papers."""
        for part in self.folder.glob("book.db*"):
            part.unlink()


class Process:
    """One process of the bureau: a terminal or a worker, with the book open once it needs it."""

    def __init__(self, name: str, start: Callable[[str], tuple[House, ProcessWatch]]) -> None:
        self.name = name
        self._start = start
        self._opened: tuple[House, ProcessWatch] | None = None

    @property
    def house(self) -> House:
        """Give the opened book."""
        if self._opened is None:
            self._opened = self._start(self.name)
        return self._opened[0]

    @property
    def dead(self) -> bool:
        """Tell whether it was killed."""
        return self._opened is not None and self._opened[1].dead

    def end(self) -> None:
        """Let go of everything; a process that was killed says nothing more to the disk."""
        if self._opened is None:
            return
        house, watch = self._opened
        self._opened = None
        watch.kill()
        with suppress(MedfundError):
            house.ledger.close()
        house.reads.close()


class Machine:
    """Everything that can stop at once."""

    def __init__(self, workshop: Workshop, *, seed: int, moment: datetime) -> None:
        self._workshop = workshop
        self._keys = stream(seed, "keys")
        self._page_size = stream(seed, "pages").choice(_PAGE_SIZES)
        self._disk: Path | None = (
            None  # what a stopped machine's disk has, until the end of the step
        )
        self.clock = SimulatedClock(moment)
        self.turns = Turns(stream(seed, "turns"))
        self.breaker = Breaker(stream(seed, "faults"), self._keep_disk)
        self.processes = [Process(name, self._open) for name in PROCESSES]
        self.auditor: Auditor | None = None
        self.broken: Broken | None = None
        workshop.lay_out()

    def _open(self, name: str) -> tuple[House, ProcessWatch]:
        if self._disk is not None:
            raise Crash
        watch = ProcessWatch(self.breaker, self.turns, self._committed)
        book, reads = self._workshop.book, self._workshop.reads[name]
        ledger = WatchedLedger(str(book), clock=self.clock, watch=watch)
        reads.watch = watch
        vault = Vault(reads.store.engine, clock=self.clock, new_key=self._new_key)
        settings = Settings(
            database_url=self._workshop.url,
            broker_url=None,
            page_size=self._page_size,
            archive=str(self._workshop.archive),
        )
        return House(settings, ledger, reads.store, vault), watch

    def _new_key(self) -> bytes:
        return self._keys.randbytes(32)

    def _committed(self) -> None:
        """Let the auditor look at every commit; what he objects to stops everything."""
        if self.auditor is None or self.broken is not None:
            return
        try:
            self.auditor.audit()
        except Broken as broken:
            self.broken = broken
        except (sqlite3.Error, KeyError, ValueError) as error:
            self.broken = Broken("the log can be audited", error=repr(error))
        if self.broken is not None:
            self.breaker.generation += 1  # everybody stops

    def _keep_disk(self) -> None:
        """What the disk has at this moment is all there is; what memory had is gone."""
        self._disk = self._workshop.folder / "stopped"
        self._disk.mkdir()
        for part in self._workshop.folder.glob("book.db*"):
            if not part.name.endswith("-shm"):
                shutil.copy(part, self._disk / part.name)

    def clear_up(self) -> None:
        """After a step: bury what died, and start again from the disk that is left."""
        for process in self.processes:
            if process.dead:
                process.end()
        if self._disk is None:
            return
        if self.auditor is not None:
            self.auditor.close()
        self._workshop.clear()
        for part in self._disk.iterdir():
            part.rename(self._workshop.folder / part.name)
        self._disk.rmdir()
        self._disk = None
        if self.auditor is not None and self.broken is None:
            try:
                self.auditor.reopen()
            except Broken as broken:
                self.broken = broken

    def shut_down(self) -> None:
        """End every process."""
        for process in self.processes:
            process.end()
        if self.auditor is not None:
            self.auditor.close()
        if self._disk is not None:
            shutil.rmtree(self._disk)


def start_of(seed: int) -> datetime:
    """Draw the moment at which a run begins: somewhere around the turn of a year."""
    chance = stream(seed, "clock")
    begin = datetime(2023, 12, 20, 9, tzinfo=ZONE)
    return begin + timedelta(days=chance.randrange(70), minutes=chance.randrange(600))
