"""A message comes again while it is still being worked off, and one of its workers is killed.

Meant to catch: a step that is appended again by the worker who was second.
"""

import signal
import uuid
from collections.abc import Iterator

import pika
import pytest
import redis
from integration.faults.test_killed_intake import FILLED
from integration.workers.closing import (
    AREA,
    NOVEMBER,
    decide,
    history,
    open_book,
    request,
    wait_for,
    wait_until,
)
from integration.workers.delivery import Door, sending
from integration.workers.processes import Nursery, Process, nobody_may_append
from support.lengths import length
from support.services import require_rabbitmq, require_redis

from ledger.domain.identity import month_stream
from ledger.verify import verify
from medfund.settings import Settings
from settlement.closing import COMPUTE, POST
from workers.broker import close_broker, enqueue
from workers.service import connect

CLOSED = ["month.frozen.v1", "close.computed.v1", "close.approved.v1", "month.sealed.v1"]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture(params=["redis", "rabbitmq"])
def settings(request: pytest.FixtureRequest, scene) -> Iterator[Settings]:
    """A filled book and a queue of one's own on a real broker."""
    broker = {"redis": require_redis, "rabbitmq": require_rabbitmq}[request.param]()
    queue = f"medfund_test_{uuid.uuid4().hex}"
    with scene.copies.lent(scene.book(FILLED)) as url:
        yield Settings(database_url=url, broker_url=broker, queue=queue)
    if request.param == "redis":
        with redis.Redis.from_url(broker) as client:
            for key in client.scan_iter(f"{queue}*", count=1000):
                client.delete(key)
        return
    connection = pika.BlockingConnection(pika.URLParameters(broker))
    for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
        connection.channel().queue_delete(name)
    connection.close()


def send(settings: Settings, actor: str, run: str, times: int) -> None:
    assert settings.broker_url
    broker = connect(settings, Door(settings.database_url))
    for _ in range(times):
        enqueue(broker, url=settings.broker_url, actor=actor, key=run)
    close_broker(broker)


def keep_sending_until_both_work(
    settings: Settings, actor: str, run: str, hands: tuple[Process, ...]
) -> None:
    """One worker may take everything that waits, beyond what it can work on: each must begin."""

    def all_begun() -> bool:
        if all("task_begun" in each.said for each in hands):
            return True
        send(settings, actor, run, 1)
        return False

    wait_until("both workers at work", all_begun, pause=0.5)


def test_a_message_in_several_hands_at_once_is_done_once(settings, nursery, tmp_path):
    url = settings.database_url
    with open_book(url) as house:
        run = request(house)
        for actor, done in ((COMPUTE, "computed"), (POST, "sealed")):
            send(settings, actor, run, length(3, 12))
            with (
                nursery.started(settings, tmp_path) as one,
                nursery.started(settings, tmp_path) as other,
            ):
                with nobody_may_append(url):
                    both = (one, other)
                    keep_sending_until_both_work(settings, actor, run, both)
                    busy = max(both, key=lambda each: each.said.count("task_begun"))
                    busy.end(by=signal.SIGKILL)
                wait_for(house, done)
                assert "Traceback" not in one.said + other.said
            if done == "computed":
                decide(house, run)
        closed = history(house)
        with sending(settings, door := Door(url)) as again:
            for actor in (COMPUTE, POST, POST, COMPUTE):
                again(actor, run)
            wait_until("the late ones were looked at", lambda: door.left >= 4)
        assert history(house) == closed
        stream = house.ledger.log.stream(month_stream(AREA, "390", str(NOVEMBER)))
        assert [row.topic for row in stream] == CLOSED
        assert verify(house.ledger).ok
