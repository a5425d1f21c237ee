"""Whose turn it is (轮流): several actors in one process, one at a time, in an order from the seed.

Each actor is a thread that runs only while it holds the turn and gives it back at the points where
a real system could be interrupted; so the order of everything is that of the seed.
"""

import random
from collections.abc import Callable, Sequence
from threading import Semaphore, Thread, current_thread

#: How often an actor that could be interrupted is, in a hundred.
_INTERRUPTED = 35


class _Actor:
    def __init__(self, work: Callable[[], None]) -> None:
        self.go = Semaphore(0)
        self.ended = False
        self.error: BaseException | None = None
        self.work = work


class Turns:
    """Runs actors together; every one of them ends before ``together`` does."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._back = Semaphore(0)
        self._actors: dict[Thread, _Actor] = {}
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
            actor = self._chance.choice(running)
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

    def give_way(self, *, always: bool = False) -> None:
        """Let somebody else go first, perhaps; ``always`` where this actor has to wait for others."""
        actor = self._actors.get(current_thread())
        if actor is None or not (always or self._chance.randrange(100) < _INTERRUPTED):
            return
        self._back.release()
        actor.go.acquire()

    def _body(self, actor: _Actor) -> None:
        actor.go.acquire()
        try:
            actor.work()
        except BaseException as error:  # noqa: BLE001  raised again where the actors were started
            actor.error = error
        finally:
            actor.ended = True
            self._back.release()
