"""A queue may deliver twice, too early, late, or in any order: the books end the same."""

import random
import shutil
from pathlib import Path

import dramatiq
import pika
import pytest
import redis
from integration.workers.closing import (
    AREA,
    FUNDS,
    NOVEMBER,
    decide,
    history,
    open_book,
    request,
    state,
    topics,
    wait_until,
)
from integration.workers.delivery import Door, delivering, sending
from structlog.testing import capture_logs
from support.services import require_rabbitmq

from ledger.domain.identity import month_stream
from ledger.verify import verify
from medfund.bootstrap import House
from medfund.partitions import COUNT
from medfund.settings import Settings
from medfund.tasks import TASKS, run_pending
from settlement.closing import COMPUTE, POST, load_month, reject
from workers.broker import (
    SCHEMA,
    BrokerAway,
    build_broker,
    close_broker,
    enqueue,
    worth_retrying,
)
from workers.service import connect

CLOSED = ["month.frozen.v1", "close.computed.v1", "close.approved.v1", "month.sealed.v1"]


def plans(house: House) -> dict[str, str | None]:
    return {fund: load_month(house.ledger, AREA, fund, NOVEMBER).plan_hash for fund in FUNDS}


@pytest.fixture(scope="session")
def plans_at_home(_filled_file, tmp_path_factory):
    """The plans of all funds, computed step by step without pump or queue."""
    path = tmp_path_factory.mktemp("home") / "books.db"
    shutil.copy(_filled_file, path)
    with open_book(f"sqlite:///{path}") as house:
        for fund in FUNDS:
            request(house, fund)
        run_pending(house)
        return plans(house)


def twice_and_shuffled(runs: list[str], chance: random.Random) -> list[tuple[str, str]]:
    messages = [(actor, run) for actor in (COMPUTE, POST) for run in runs] * 2
    chance.shuffle(messages)
    return messages


def test_messages_may_come_twice_too_early_and_in_any_order(house, settings, plans_at_home):
    chance = random.Random(settings.database_url[:6])
    runs = [request(house, fund) for fund in FUNDS]
    with delivering(settings, house) as deliver:
        deliver(twice_and_shuffled(runs, chance))
        assert {fund: state(house, fund) for fund in FUNDS} == dict.fromkeys(FUNDS, "computed")
        assert plans(house) == plans_at_home
        for run in runs:
            decide(house, run)
        deliver(twice_and_shuffled(runs, chance))
        closed = history(house)
        deliver(twice_and_shuffled(runs, chance))
    assert history(house) == closed
    for fund in FUNDS:
        stream = house.ledger.log.stream(month_stream(AREA, fund, str(NOVEMBER)))
        assert [row.topic for row in stream] == CLOSED
    assert verify(house.ledger).ok


def test_what_comes_after_the_run_was_rejected_changes_nothing(house, settings):
    first = request(house)
    reject(house.ledger, house.area(), run=first, reason="重来", user="reviewer1")
    with delivering(settings, house) as deliver, capture_logs() as said:
        before = topics(house)
        deliver([(COMPUTE, first), (POST, first)])
        assert topics(house) == before

        second = request(house)
        before = topics(house)
        deliver([(COMPUTE, first), (POST, first)])
        assert topics(house) == before
        refused = [line for line in said if line["event"] == "task_refused"]
        assert {(one["actor"], one["key"], one["code"]) for one in refused} == {
            (COMPUTE, first, "unknown_run"),
            (POST, first, "unknown_run"),
        }

        deliver([(COMPUTE, second)])
        assert state(house) == "computed"


def test_there_is_one_actor_for_each_task():
    settings = Settings(broker_url="redis://nobody.invalid/0", queue="of_their_own")
    broker = connect(settings, Door("sqlite:///unused.db"))
    assert sorted(broker.actors) == sorted(TASKS) == sorted([COMPUTE, POST, COUNT])
    assert {actor.queue_name for actor in broker.actors.values()} == {"of_their_own"}


def dead_letters(settings: Settings) -> int:
    assert settings.broker_url
    if settings.broker_url.startswith("redis"):
        with redis.Redis.from_url(settings.broker_url) as client:
            return int(client.zcard(f"{settings.queue}:{settings.queue}.XQ"))
    connection = pika.BlockingConnection(pika.URLParameters(settings.broker_url))
    declared = connection.channel().queue_declare(f"{settings.queue}.XQ", passive=True)
    connection.close()
    return int(declared.method.message_count)


@pytest.fixture
def on_file(file_url, broker_url, queue) -> Settings:
    """The book in a file, on both brokers."""
    return Settings(database_url=file_url, broker_url=broker_url, queue=queue)


def test_a_message_of_a_newer_version_is_set_aside(on_file):
    door = Door(on_file.database_url)
    with open_book(on_file.database_url) as house, sending(on_file, door) as send:
        run = request(house)
        broker = build_broker(on_file.broker_url, queue=on_file.queue)
        broker.enqueue(
            dramatiq.Message(
                queue_name=on_file.queue,
                actor_name=COMPUTE,
                args=(run, SCHEMA + 1),
                kwargs={},
                options={},
            )
        )
        broker.close()
        wait_until("the message is set aside", lambda: dead_letters(on_file) == 1)
        assert (door.tried, state(house)) == (0, "frozen")
        send(COMPUTE, run)
        wait_until("the next one is done", lambda: state(house) == "computed")


def test_work_is_tried_again_when_the_database_was_away(on_file):
    door = Door(on_file.database_url)
    book = Path(on_file.database_url.removeprefix("sqlite:///"))
    with open_book(on_file.database_url) as house:
        run = request(house)
    away = book.rename(book.with_name("away.db"))
    with sending(on_file, door) as send:
        send(COMPUTE, run)
        wait_until("a try without the database", lambda: door.tried >= 1)
        away.rename(book)
        wait_until("another try", lambda: door.left == 1)
    with open_book(on_file.database_url) as house:
        assert state(house) == "computed"
    assert dead_letters(on_file) == 0


def test_a_queue_that_was_deleted_loses_no_message_that_counts_as_sent(file_url, queue):
    url = require_rabbitmq()
    settings = Settings(database_url=file_url, broker_url=url, queue=queue)
    broker = connect(settings, Door(file_url))
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    enqueue(broker, url=url, actor=COMPUTE, key="first")
    channel.queue_delete(queue)
    enqueue(broker, url=url, actor=COMPUTE, key="second")
    assert channel.queue_declare(queue, passive=True).method.message_count == 1
    for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
        channel.queue_delete(name)
    connection.close()
    close_broker(broker)


def test_only_what_was_away_is_worth_another_try():
    away = BrokerAway(broker="-", reason="-")
    assert worth_retrying(0, away)
    assert not worth_retrying(20, away)
    assert not worth_retrying(0, ValueError())
    assert not worth_retrying(0, TimeoutError())
