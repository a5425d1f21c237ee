"""Work that follows a commit: what each outbox message means, and running it in this process.

A message names an actor and a key, never content; every task may run twice, late, or at the same
time as itself, and ends in the same state. ``workers`` puts the same tasks on a queue.
"""

from collections.abc import Callable, Mapping

import structlog

from ledger.errors import Conflict, InputRejected, RuleRefused
from medfund.bootstrap import House
from medfund.partitions import COUNT, count_by_key
from settlement.closing import COMPUTE, POST, compute_close, post_close

Task = Callable[[House, str], None]


def _area_of(run: str) -> str:
    return run.partition("-")[0]


def _compute_close(house: House, run: str) -> None:
    compute_close(house.ledger, house.area(_area_of(run)), run=run)


def _post_close(house: House, run: str) -> None:
    post_close(house.ledger, house.area(_area_of(run)), run=run)


TASKS: Mapping[str, Task] = {
    COMPUTE: _compute_close,
    POST: _post_close,
    COUNT: count_by_key,
}


def run_task(house: House, actor: str, key: str) -> None:
    """Run one task; a refusal means that it is no longer wanted, and is logged.

    A conflict means that the same task runs elsewhere: it looks once more at what is left to do.
    """
    try:
        try:
            TASKS[actor](house, key)
        except Conflict:
            TASKS[actor](house, key)
    except (RuleRefused, InputRejected, Conflict) as refused:
        structlog.get_logger().warning(
            "task_refused", actor=actor, key=key, code=refused.code, reason=str(refused)
        )


def run_pending(house: House) -> int:
    """Run everything in the outbox in this process, until nothing is left; give how much it was."""
    done = 0
    while messages := house.ledger.log.pending_messages(100):
        for message in messages:
            run_task(house, message.actor, message.key)
            house.ledger.log.mark_sent([message.id])
            done += 1
    return done
