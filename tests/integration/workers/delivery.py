"""Messages delivered by hand, as often and in whatever order a broker might."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from integration.workers.closing import open_book, wait_until

from medfund.bootstrap import House
from medfund.outbox import Send, hand_over
from medfund.settings import Settings
from workers.actors import declare_actors
from workers.broker import build_broker, close_broker
from workers.dispatch import in_process
from workers.service import connect, hands, through

Message = tuple[str, str]
Deliver = Callable[[Sequence[Message]], None]

#: Redis learns by it that a worker died; so short that tests need not wait.
HEARTBEAT_MS = 1_500


class Door:
    """Opens the book for each message and counts how often it was left again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tried = self.left = 0
        self._counting = threading.Lock()

    @contextmanager
    def __call__(self) -> Iterator[House]:
        with self._counting:
            self.tried += 1
        with open_book(self.url) as house:
            yield house
        with self._counting:
            self.left += 1


@contextmanager
def sending(settings: Settings, door: Door) -> Iterator[Send]:
    """Work the queue off here, without a pump: only what the test sends is delivered."""
    assert settings.broker_url
    broker = build_broker(settings.broker_url, queue=settings.queue, heartbeat_ms=HEARTBEAT_MS)
    declare_actors(broker, door, queue=settings.queue)
    with hands(broker):
        yield through(broker, settings.broker_url)


@contextmanager
def delivering(settings: Settings, house: House) -> Iterator[Deliver]:
    """Deliver messages and wait until all of them were worked off."""
    if settings.broker_url is None:
        send = in_process(house)
        yield lambda messages: [send(*message) for message in messages] and None
        return
    door = Door(settings.database_url)
    with sending(settings, door) as send:

        def deliver(messages: Sequence[Message]) -> None:
            wanted = door.left + len(messages)
            for message in messages:
                send(*message)
            wait_until("all messages worked off", lambda: door.left == wanted)

        yield deliver


def send_what_waits(house: House, settings: Settings) -> None:
    """Hand the outbox over as a pump would; in process it stays until the work is done."""
    if settings.broker_url is None:
        return
    broker = connect(settings, Door(settings.database_url))
    assert hand_over(house.ledger.log, through(broker, settings.broker_url)) == 1
    close_broker(broker)
