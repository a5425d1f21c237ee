"""The actors (任务): one for each task of ``medfund.tasks``, under the same name.

A message is a key and the number of its form. An actor may run twice, late, killed anywhere, or at
the same time as itself: the steps of a close are commits under keys of their own. A refusal means
that the work is no longer wanted; it is logged and the message is done.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import dramatiq
import structlog

from ledger.errors import RuleRefused
from medfund.bootstrap import House
from medfund.tasks import TASKS, run_task
from workers.broker import SCHEMA, TIME_LIMIT_MS

#: Opens the book for one message, so that no connection outlives a database that was away.
OpenBook = Callable[[], AbstractContextManager[House]]


class MessageTooNew(RuleRefused):
    """The message was written by a newer version (消息版本过新)."""

    code = "message_too_new"
    zh = "任务 {actor} 的消息({key})格式为第 {schema} 版,本程序只识别到第 {known} 版。"
    en = "The message of {actor} ({key}) has form {schema}; this worker knows up to {known}."
    hint_zh = "请升级 worker;未完成的工作会自动重新发送。"
    hint_en = "Upgrade this worker; work that is still due is sent again by itself."


def declare_actors(broker: dramatiq.Broker, open_book: OpenBook, *, queue: str) -> None:
    """Declare every task as an actor on a broker."""
    for task in TASKS:
        declared = dramatiq.actor(
            broker=broker, actor_name=task, queue_name=queue, time_limit=TIME_LIMIT_MS
        )
        declared(_body(task, open_book))


def _body(task: str, open_book: OpenBook) -> Callable[[str, int], None]:
    def work(key: str, schema: int) -> None:
        if schema > SCHEMA:
            raise MessageTooNew(actor=task, key=key, schema=schema, known=SCHEMA)
        log = structlog.get_logger().bind(actor=task, key=key)
        log.info("task_begun")
        with open_book() as house:
            run_task(house, task, key)
        log.info("task_done")

    work.__name__ = task
    return work
