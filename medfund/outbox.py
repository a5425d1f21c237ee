"""The outbox (发件箱): what follows a commit goes from the books to where the work is done.

A row is marked as sent only after it was accepted, so a message may be sent twice, never lost here.
What a queue loses afterwards is found by the sweep: it asks the books, not the queue, which work
is still due, and sends it again.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import structlog

from ledger.aggregates.month import APPROVED, FROZEN, fold_month
from ledger.domain.identity import month_stream
from ledger.store.recording import Recording
from medfund.bootstrap import House
from medfund.tasks import TASKS
from settlement.closing import COMPUTE, POST

#: Gives one message (actor, key) to where it is worked off; Unavailable where that cannot be now.
Send = Callable[[str, str], None]

#: Which work follows from the state a month's close stands in.
_FOLLOWS = {FROZEN: COMPUTE, APPROVED: POST}
_PAGE = 100


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
    """Send the work again that has been due for longer than so many seconds.

    Work that is due since a moment still to come is sent too: the clock was set back.
    """
    sent = 0
    now = house.ledger.log.now_us()
    before = now - int(older_than * 1_000_000)
    for due in due_work(house):
        if due.since_us <= before or due.since_us > now:
            structlog.get_logger().warning("sent_again", actor=due.actor, key=due.key)
            send(due.actor, due.key)
            sent += 1
    return sent
