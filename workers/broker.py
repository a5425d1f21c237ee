"""The broker that the settings name (任务队列): Redis or RabbitMQ, and how a message enters it.

A queue only wakes hands: what is to be done stands in the books. A message that is lost is sent
again by the sweep, one that comes twice changes nothing.
"""

import pika
import redis
from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError
from dramatiq.middleware import Middleware, Retries, TimeLimit

from ledger.errors import Unavailable
from medfund.settings import without_password

#: Of the form of a message, which is (key, schema); raised when an old worker could not read it.
SCHEMA = 1

TIME_LIMIT_MS = 600_000
MAX_RETRIES = 20
_FIRST_RETRY_MS, _LAST_RETRY_MS = 1_000, 60_000
_ANSWER_SECONDS = 10
_BLOCKED_SECONDS = 30
_OUT_OF_A_MILLION = 1_000_000
_FAILURES = (BrokerError, redis.RedisError, pika.exceptions.AMQPError, OSError)


class BrokerAway(Unavailable):
    """The queue does not take messages (任务队列不可用)."""

    code = "broker_away"
    zh = "任务队列 {broker} 不可用:{reason}。"
    en = "The queue {broker} does not answer: {reason}."
    hint_zh = "消息保留在账簿库中,队列恢复后自动补发。"
    hint_en = "Messages wait in the books' database and are sent when the queue is back."


def build_broker(url: str, *, queue: str, heartbeat_ms: int = 60_000) -> Broker:
    """Build the broker of a URL; it connects at first use.

    ``heartbeat_ms`` is after how long without a sign of life Redis gives a worker's messages to
    another one; RabbitMQ sees the broken connection.
    """
    if url.startswith("amqp"):
        # Only a confirmed message may be marked as sent in the outbox.
        return RabbitmqBroker(url=_impatient(url), confirm_delivery=True, middleware=_middleware())
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=redis.Redis.from_url(
            url, socket_connect_timeout=_ANSWER_SECONDS, socket_timeout=_ANSWER_SECONDS
        ),
        namespace=queue,
        heartbeat_timeout=heartbeat_ms,
        # Every call looks for workers that died: there are few calls, and a month-end waits.
        maintenance_chance=_OUT_OF_A_MILLION,
        middleware=_middleware(),
    )


def close_broker(broker: Broker) -> None:
    """Let go of every connection."""
    broker.close()
    if isinstance(broker, RedisBroker):
        broker.client.close()


def enqueue(broker: Broker, *, url: str, actor: str, key: str) -> None:
    """Hand one message over; BrokerAway unless the broker has accepted it."""
    try:
        broker.get_actor(actor).send(key, SCHEMA)
    except _FAILURES as error:
        reason = str(error) or type(error).__name__
        raise BrokerAway(broker=without_password(url), reason=reason) from error


def worth_retrying(retries: int, error: BaseException) -> bool:
    """Tell whether trying again may help: only where something was away, never after a refusal."""
    return isinstance(error, Unavailable) and retries < MAX_RETRIES


def _impatient(url: str) -> str:
    """A RabbitMQ short of memory holds publishers up; the pump must not hang in it for good."""
    if "blocked_connection_timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}blocked_connection_timeout={_BLOCKED_SECONDS}"


def _middleware() -> list[Middleware]:
    return [
        TimeLimit(time_limit=TIME_LIMIT_MS),
        Retries(min_backoff=_FIRST_RETRY_MS, max_backoff=_LAST_RETRY_MS, retry_when=worth_retrying),
    ]
