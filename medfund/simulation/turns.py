"""Whose turn it is (轮流): several actors in one process, one at a time, in an order from the seed.

Each actor is a thread that runs only while it holds the turn and gives it back at the points where
a real system could be interrupted; so the order of everything is that of the seed.
"""

import random
from collections.abc import Callable, Sequence
from threading import Semaphore, Thread, current_thread

#: For how many points an actor may go on; some races need many changes of turn, some exactly one.
_SLICES = (1, 2, 5, 15, 60, 1_000)
#: How often an actor loses its turn before a write lock, in a hundred: there most is decided.
_BEFORE_LOCK = 45


class _Actor:
    def __init__(self, work: Callable[[], None]) -> None:
        self.go = Semaphore(0)
        self.left = 0
        self.ended = False
        self.error: BaseException | None = None
        self.work = work


class Turns:
    """Runs actors together; every one of them ends before ``together`` does."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._back = Semaphore(0)
        self._actors: dict[Thread, _Actor] = {}
        self._alone = current_thread()
        self.switches = 0

    def together(self, works: Sequence[Callable[[], None]]) -> None:
        """Run all to their ends; an error that one lets out is raised here."""
        if len(works) == 1:
            works[0]()
            return
        actors = [_Actor(work) for work in works]
        threads = [Thread(target=self._body, args=(actor,), daemon=True) for actor in actors]
        self._actors = dict(zip(threads, actors, strict=True))
        for thread in threads:
            thread.start()
        last: _Actor | None = None
        while running := [actor for actor in actors if not actor.ended]:
            others = [actor for actor in running if actor is not last]
            actor = self._chance.choice(others or running)
            actor.left = self._chance.choice(_SLICES)
            self.switches += last is not None and actor is not last
            last = actor
            actor.go.release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        self._actors = {}
        for actor in actors:
            if actor.error is not None:
                raise actor.error

    def give_way(self, *, locks: bool = False, waits: bool = False) -> None:
        """Let somebody else go on if it is time.

        ``locks``: this actor is about to take the write lock; ``waits``: it can only wait for others.
        """
        actor = self._actors.get(current_thread())
        if actor is None:
            self.require_turn()
            return
        actor.left -= 1
        if actor.left <= 0 or waits or (locks and self._chance.randrange(100) < _BEFORE_LOCK):
            self._back.release()
            actor.go.acquire()

    def require_turn(self) -> None:
        """Refuse a thread that nobody gives a turn: with it a seed would not be one run (RuntimeError)."""
        mine = current_thread()
        if mine not in self._actors and (self._actors or mine is not self._alone):
            raise RuntimeError(f"{mine.name} works without a turn: the order is not the seed's")

    def _body(self, actor: _Actor) -> None:
        actor.go.acquire()
        try:
            actor.work()
        except BaseException as error:  # noqa: BLE001  raised again where the actors were started
            actor.error = error
        finally:
            actor.ended = True
            self._back.release()
