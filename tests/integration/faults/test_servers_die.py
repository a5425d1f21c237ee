"""Database and broker are killed and come back: nothing that was confirmed is lost, nothing is twice.

Meant to catch: an append that is tried again under another key, a message that counts as sent before the
broker has it, and a sweep that asks the queue instead of the books.
"""

import random
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from integration.faults.racing import append_patiently
from integration.faults.test_killed_intake import FILLED
from integration.store.building import open_book as open_month_book
from integration.workers.closing import (
    BRISK,
    FUNDS,
    NOVEMBER,
    decide,
    fill,
    open_book,
    request,
    wait_for,
    wait_until,
    working,
)
from integration.workers.closing import state as state_of
from support.lengths import LONG, length
from support.mortal import NOON
from support.servers import Server, own_postgres, own_rabbitmq, own_redis, required
from support.services import fresh_database

from ledger.application import FundLedger
from ledger.errors import Unavailable
from ledger.store import schema
from ledger.verify import verify
from medfund.settings import Settings
from medfund.tasks import run_pending
from projections.compare import compare
from projections.follow import bring_up_to
from projections.store import ReadStore

_SIZES = [1 if number % 4 else (60, 2000)[number % 8 == 0] for number in range(length(64, 1200))]


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    """A server that may be stopped in the middle of everything; what it confirmed is on its disk."""
    with own_postgres(fsync="on") as server:
        yield required(server, "PostgreSQL")


def test_appends_go_on_after_the_database_was_stopped_in_the_middle(database, crowd):
    schema.upgrade(database.url)
    with FundLedger(database.url, clock=lambda: datetime.now(UTC)) as ledger:
        open_month_book(ledger)
    chance = random.Random(7)
    stops = 0
    with ProcessPoolExecutor(2, mp_context=crowd) as processes:
        writers = [
            processes.submit(append_patiently, database.url, name, _SIZES) for name in ("a", "b")
        ]
        while not all(one.done() for one in writers) and stops < length(3, 60):
            time.sleep(0.2 + chance.random() * 0.5)
            database.stop(by=signal.SIGQUIT)
            time.sleep(chance.random() * 0.3)
            database.start()
            stops += 1
        confirmed = [receipt for one in writers for receipt in one.result(120)]
    assert stops >= 2, "the database was never away while something was written"
    spans = sorted((one.first_position, one.last_position) for one in confirmed)
    expected = 1 + 2 * sum(_SIZES)
    assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
    assert (spans[0][0], spans[-1][1]) == (2, expected)
    reads = ReadStore.open(database.url)
    with FundLedger(database.url, clock=lambda: datetime.now(UTC)) as ledger:
        found = verify(ledger)
        assert (found.ok, found.events) == (True, expected)
        bring_up_to(ledger, reads, expected)
        assert compare(ledger, reads)["equal"]
    reads.close()


def test_a_month_closes_although_the_database_goes_away_at_every_step(database):
    with fresh_database(database.url) as url:
        schema.upgrade(url)
        fill(url)
        with working(Settings(database_url=url)):
            for fund in FUNDS[: length(1, 3)]:
                for step in ("computed", "sealed"):
                    with open_book(url) as house:
                        if step == "computed":
                            run = request(house, fund)
                        else:
                            decide(house, run)
                    database.stop(by=signal.SIGQUIT)
                    time.sleep(0.1)
                    database.start()
                    wait_until(f"{fund} {step}", partial(_reached, url, fund, step))
        with open_book(url) as house:
            assert run_pending(house) == 0
            assert verify(house.ledger).ok


def _reached(url: str, fund: str, step: str) -> bool:
    try:
        with open_book(url) as house:
            return state_of(house, fund, NOVEMBER) == step
    except Unavailable:
        return False


@pytest.fixture(params=["redis", *(["rabbitmq"] if LONG else [])])
def broker(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A broker that may be killed: Redis then forgets everything, RabbitMQ keeps what it confirmed."""
    name = {"redis": "Redis", "rabbitmq": "RabbitMQ"}[request.param]
    with {"redis": own_redis, "rabbitmq": own_rabbitmq}[request.param]() as server:
        yield required(server, name)


def test_a_broker_that_is_killed_delays_work_and_loses_none(broker, scene):
    """The clock goes on, from the moment of the book: the sweep sends again what is due for a while."""
    started = time.monotonic()

    def clock() -> datetime:
        return datetime.fromisoformat(f"{NOON}+08:00") + timedelta(
            seconds=time.monotonic() - started
        )

    with scene.copies.lent(scene.book(FILLED)) as url:
        opener = partial(open_book, url, clock=clock)
        settings = Settings(
            database_url=url, broker_url=broker.url, queue=f"medfund_test_{uuid.uuid4().hex}"
        )
        pace = replace(BRISK, resend_seconds=0.5)
        with opener() as house, working(settings, opener=opener, pace=pace):
            for fund in FUNDS[: length(2, 3)]:
                broker.stop(by=signal.SIGKILL)
                run = request(house, fund)
                wait_until("the message waits", lambda: bool(house.ledger.log.pending_messages()))
                broker.start()
                wait_for(house, "computed", fund)
                decide(house, run)
                broker.stop(by=signal.SIGKILL)  # with the message, or before it was handed over
                broker.start()
                wait_for(house, "sealed", fund)
            wait_until("the outbox is empty", lambda: not house.ledger.log.pending_messages())
            assert verify(house.ledger).ok
