"""The outbox pump (发件箱): from the books' outbox to where the work is done.

A row is marked as sent only after it was accepted, so a message may be sent twice, never lost here.
What a broker loses afterwards is found by the sweep: it asks the books, not the queue, which work
is still due, and sends it again.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple

import structlog

from ledger.aggregates.month import APPROVED, FROZEN, fold_month
from ledger.domain.identity import month_stream
from ledger.errors import BooksDamaged, Unavailable
from ledger.store.recording import Recording
from medfund.bootstrap import House
from medfund.tasks import TASKS, run_task
from settlement.closing import COMPUTE, POST

#: Gives one message (actor, key) to where it is worked off; Unavailable where that cannot be now.
Send = Callable[[str, str], None]

#: Which work follows from the state a month's close stands in.
_FOLLOWS = {FROZEN: COMPUTE, APPROVED: POST}
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the pump looks."""

    wake_seconds: float = 1.0  # without a sign from the log
    retry_seconds: float = 2.0  # while broker or database is away
    resend_seconds: float = 60.0  # after which work that is still due is sent again


class DueWork(NamedTuple):
    """Work that follows from what the books say."""

    actor: str
    key: str
    since_us: int  # when the commit was made that it follows from


def hand_over(log: Recording, send: Send) -> int:
    """Send what the outbox holds, oldest first; give how much it was.

    Actors that only a newer version knows stay where they are, for its worker.
    """
    sent = 0
    for message in log.pending_messages(_PAGE):
        if message.actor in TASKS:
            send(message.actor, message.key)
            log.mark_sent([message.id])
            sent += 1
    return sent


def due_work(house: House) -> Iterator[DueWork]:
    """Read from the books which closes wait for a worker."""
    ledger = house.ledger
    for book, state in ledger.log.books().items():
        if state.frozen_through is None or state.frozen_through == state.sealed_through:
            continue
        period = str(state.frozen_through)
        history = ledger.history(month_stream(book.area, book.fund, period))
        month = fold_month(book.area, book.fund, period, (item.fact for _, item in history))
        seal = ledger.log.seal_covering(history[-1][0]) if history else None
        if seal is not None and month.run is not None and month.state in _FOLLOWS:
            yield DueWork(_FOLLOWS[month.state], month.run, seal.at_us)


def resend_due(house: House, send: Send, *, older_than: float) -> int:
    """Send the work again that has been due for longer than so many seconds."""
    sent = 0
    before = house.ledger.log.now_us() - int(older_than * 1_000_000)
    for due in due_work(house):
        if due.since_us <= before:
            structlog.get_logger().warning("sent_again", actor=due.actor, key=due.key)
            send(due.actor, due.key)
            sent += 1
    return sent


def in_process(house: House) -> Send:
    """Do the work here and now, where no broker is configured.

    What fails unexpectedly is told and set aside, as a queue's dead letter would be: it must not
    stop what stands behind it, and the sweep brings it back while it is due. Damaged books stop
    everything.
    """

    def send(actor: str, key: str) -> None:
        log = structlog.get_logger().bind(actor=actor, key=key)
        log.info("task_begun")
        try:
            run_task(house, actor, key)
        except (Unavailable, BooksDamaged):
            raise
        except Exception:
            log.exception("task_failed")
        else:
            log.info("task_done")

    return send


def pump(house: House, send: Send, *, stop: Event, pace: Pace) -> None:
    """Hand over whatever comes, and sweep now and then, until told to stop."""
    log = house.ledger.log
    next_sweep = time.monotonic()
    while not stop.is_set():
        try:
            position = log.last_position()
            hand_over(log, send)
            if time.monotonic() >= next_sweep:
                resend_due(house, send, older_than=pace.resend_seconds)
                next_sweep = time.monotonic() + pace.resend_seconds
            log.wait_for_append(after=position, timeout=pace.wake_seconds)
        except Unavailable as away:
            structlog.get_logger().warning("dispatch_waits", code=away.code, reason=str(away))
            stop.wait(pace.retry_seconds)
