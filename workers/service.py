"""The worker as it runs (任务进程): the pump, and with a broker the hands that work its queue off."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

from dramatiq import Broker, Worker

from medfund.bootstrap import open_house
from medfund.outbox import Send
from medfund.settings import Settings, SettingsInvalid
from workers.actors import OpenBook, declare_actors
from workers.broker import build_broker, close_broker, enqueue
from workers.dispatch import Pace, in_process, pump

_THREADS = 4
#: An idle thread looks up this often: for a new message on Redis, and for the end of the day.
_IDLE_MS = 250
_FAREWELL_MS = 60_000


def connect(settings: Settings, open_book: OpenBook) -> Broker:
    """Build the broker that the settings name, with all actors declared on it."""
    if settings.broker_url is None:
        raise SettingsInvalid(problems="MEDFUND_BROKER_URL: redis://… / amqp://…")
    broker = build_broker(settings.broker_url, queue=settings.queue)
    declare_actors(broker, open_book, queue=settings.queue)
    return broker


def through(broker: Broker, url: str) -> Send:
    """Send by the broker."""

    def send(actor: str, key: str) -> None:
        enqueue(broker, url=url, actor=actor, key=key)

    return send


@contextmanager
def hands(broker: Broker) -> Iterator[None]:
    """Work the queue off in threads of this process; at the end what was begun is finished."""
    broker.emit_after("process_boot")  # starts the clock of the time limit
    worker = Worker(broker, worker_threads=_THREADS, worker_timeout=_IDLE_MS)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=_FAREWELL_MS)
        close_broker(broker)


def run(
    settings: Settings,
    *,
    stop: Event,
    open_book: OpenBook | None = None,
    pace: Pace | None = None,
) -> None:
    """Run until told to stop. The pump has this thread, so that the process ends if it breaks."""
    opener = partial(open_house, settings) if open_book is None else open_book
    pace = Pace() if pace is None else pace
    with opener() as house:
        url = settings.broker_url
        if url is None:
            pump(house, in_process(house), stop=stop, pace=pace)
            return
        broker = connect(settings, opener)
        with hands(broker):
            pump(house, through(broker, url), stop=stop, pace=pace)
