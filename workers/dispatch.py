"""The pump: hands over what the outbox holds (``medfund.outbox``), and sweeps now and then."""

import time
from dataclasses import dataclass
from threading import Event

import structlog

from ledger.errors import BooksDamaged, Unavailable
from medfund.bootstrap import House
from medfund.outbox import Send, hand_over, resend_due
from medfund.tasks import run_task


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the pump looks."""

    wake_seconds: float = 1.0  # without a sign from the log
    retry_seconds: float = 2.0  # while broker or database is away
    resend_seconds: float = 60.0  # after which work that is still due is sent again


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
