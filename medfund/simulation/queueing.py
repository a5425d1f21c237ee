"""A queue that delivers late, twice, in any order, or not at all (消息队列)."""

import random

from ledger.store.failures import StoreUnavailable
from medfund.bootstrap import House
from medfund.outbox import hand_over, resend_due
from medfund.tasks import run_pending, run_task

#: In a hundred messages: refused by the queue, lost after it took them, taken twice, kept after work.
_REFUSED, _LOST, _TWICE, _KEPT = 10, 12, 12, 20
_SWEEP_SECONDS = 60
_AT_ONCE = 4


class UnreliableQueue:
    """Holds messages outside the books; what it loses, only the sweep brings back."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._messages: list[tuple[str, str]] = []
        self.reliable = False
        self.lost = self.doubled = 0

    def _happens(self, percent: int) -> bool:
        return not self.reliable and self._chance.randrange(100) < percent

    def send(self, actor: str, key: str) -> None:
        """Take one message, unless the queue is away."""
        if self._happens(_REFUSED):
            raise StoreUnavailable(store="queue", reason="away")
        if self._happens(_LOST):
            self.lost += 1
            return
        self._messages.append((actor, key))
        if self._happens(_TWICE):
            self.doubled += 1
            self._messages.append((actor, key))

    def pump(self, house: House) -> str:
        """Hand over what the outbox holds."""
        return f"{hand_over(house.ledger.log, self.send)} sent"

    def work(self, house: House) -> str:
        """Hand over and work off, as a worker does that has the queue to itself."""
        return f"{self.pump(house)}; {self.deliver(house)}"

    def sweep(self, house: House) -> str:
        """Send again what the books say is due."""
        return f"{resend_due(house, self.send, older_than=_SWEEP_SECONDS)} sent again"

    def deliver(self, house: House) -> str:
        """Let a worker take some messages, any of them; some stay and come again."""
        many = self._chance.randint(1, _AT_ONCE)
        return (
            ", ".join(self._deliver_one(house) for _ in range(many) if self._messages) or "nothing"
        )

    def _deliver_one(self, house: House) -> str:
        at = self._chance.randrange(len(self._messages))
        actor, key = self._messages[at]
        if not self._happens(_KEPT):
            self._messages.pop(at)
        run_task(house, actor, key)
        return f"{actor} {key}"

    def drain(self, house: House) -> None:
        """Work off everything, as it is once nothing fails any more."""
        run_pending(house)
        while self._messages:
            self._deliver_one(house)
        resend_due(house, self.send, older_than=0)
        while self._messages:
            self._deliver_one(house)


def in_process(house: House) -> str:
    """Do what the outbox holds here and now, as the terminal does without a broker."""
    return f"{run_pending(house)} done"
