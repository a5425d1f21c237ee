"""What several processes do to one book at the same moment; they import it by name."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration.store.building import contributions, post
from integration.workers.closing import decide, open_book, request

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.errors import MedfundError, Unavailable
from ledger.store.commit import Receipt
from medfund.bootstrap import House
from medfund.tasks import run_task
from settlement.closing import COMPUTE, POST, month_of_run, reject
from settlement.intake.bring_in import Desk, bring_in


def _request(house: House, fund: str, period: str) -> str:
    return request(house, fund, Period.parse(period))


def _task(actor: str) -> Callable[[House, str], str]:
    def work(house: House, run: str) -> str:
        run_task(house, actor, run)
        return month_of_run(house.ledger, house.area(), run).state

    return work


def _approve(house: House, run: str) -> str:
    decide(house, run)
    return "approved"


def _reject(house: House, run: str) -> str:
    return reject(house.ledger, house.area(), run=run, reason="重算", user="reviewer1").state


def _bring(house: House, path: str) -> tuple[str, int, int]:
    desk = Desk(
        ledger=house.ledger,
        vault=house.vault,
        area=house.area(),
        user="clerk1",
        today=datetime(2024, 3, 5, tzinfo=UTC).date(),
        wait=lambda: time.sleep(0.05),
    )
    outcome = bring_in(Path(path), desk)
    return outcome.state, outcome.posted, outcome.already


_STEPS: dict[str, Callable[..., Any]] = {
    "request": _request,
    "compute": _task(COMPUTE),
    "approve": _approve,
    "reject": _reject,
    "post": _task(POST),
    "bring": _bring,
}


def attempt(url: str, moment: float, step: str, *words: str) -> tuple[str, Any]:
    """Open the book, wait for the moment, and take the step; tell how it ended or was refused."""
    with open_book(url) as house:
        house.area()
        time.sleep(max(0.0, moment - time.time() - 0.002))
        while time.time() < moment:
            pass
        try:
            return "done", _STEPS[step](house, *words)
        except MedfundError as refused:
            return refused.family, refused.code


def append_patiently(url: str, name: str, sizes: list[int]) -> list[Receipt]:
    """Append commit after commit although the server goes away; each is tried until it is said to lie."""
    receipts: list[Receipt] = []
    while len(receipts) < len(sizes):
        try:
            with FundLedger(url, clock=lambda: datetime.now(UTC)) as ledger:
                for number, size in enumerate(sizes[len(receipts) :], start=len(receipts)):
                    key = f"{name}-{number}"
                    receipts.append(post(ledger, key, contributions(key, size)))
        except Unavailable:
            time.sleep(0.1)
    return receipts
