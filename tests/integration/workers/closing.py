"""A small area with three months of flows, and closing its months in every way of dispatch."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.store.codec import StoredRow
from ledger.store.vault import Vault
from medfund.bootstrap import House
from medfund.settings import Settings
from projections.store import ReadStore
from settlement.closing import approve, load_month, request_close
from settlement.intake.bring_in import Desk, bring_in
from settlement.setup import apply_setup
from settlement.setup_file import read_setup
from workers.dispatch import Pace
from workers.service import run

AREA = "330604"
FUNDS = ("390", "610", "310")
NOVEMBER, DECEMBER = Period.parse("2023-11"), Period.parse("2023-12")
TODAY = date(2024, 3, 5)
PATIENCE_SECONDS = 120  # a busy machine is slow; what is reached in time waits no longer
#: Looks often; sweeps only where a test wants it.
BRISK = Pace(wake_seconds=0.1, retry_seconds=0.1)

_SETUP = f"""
[area]
code = "{AREA}"
name = "上虞区"
funds = ["310", "390", "610"]

[[users]]
name = "clerk1"
roles = ["clerk"]

[[users]]
name = "reviewer1"
roles = ["reviewer"]
"""

_FLOWS = """\
doc_no,date,area,fund,item,amount,counterparty_fund
390-1,2023-11-01,330604,390,opening_balance,5000.00,
390-2,2023-11-20,330604,390,subsidy.county,1200.50,
390-3,2023-11-21,330604,390,benefit.inpatient,800.25,
390-4,2023-12-05,330604,390,benefit.outpatient,99.99,
610-1,2023-11-01,330604,610,opening_balance,900.00,
610-2,2023-11-30,330604,610,assisted_participation,310.00,390
310-1,2023-11-02,330604,310.pooled,opening_balance,7000.00,
310-2,2023-11-03,330604,310.personal,opening_balance,3000.00,
310-3,2023-11-04,330604,310.pooled,contribution.employer,640.10,
"""


def _standing() -> datetime:
    """A clock that stands still: seals carry the moment of the commit, and books shall be equal."""
    return datetime(2024, 3, 5, 1, tzinfo=UTC)


@contextmanager
def open_book(url: str, *, clock: Callable[[], datetime] = _standing) -> Iterator[House]:
    """The book as the product opens it, but for the clock and the random keys."""
    with FundLedger(url, clock=clock) as ledger:
        reads = ReadStore.open(url)
        vault = Vault(reads.engine, clock=clock, new_key=lambda: bytes(32), master_key=None)
        try:
            yield House(Settings(database_url=url), ledger, reads, vault)
        finally:
            reads.close()


def fill(url: str) -> None:
    """Set the area up and bring its flows in."""
    with tempfile.TemporaryDirectory() as folder, open_book(url) as house:
        setup, flows = Path(folder, "setup.toml"), Path(folder, "flows.csv")
        setup.write_text(_SETUP)
        flows.write_text(_FLOWS)
        apply_setup(house.ledger, read_setup(setup), user="clerk1")
        outcome = bring_in(
            flows,
            Desk(
                ledger=house.ledger,
                vault=house.vault,
                area=house.area(),
                user="clerk1",
                today=TODAY,
                wait=lambda: time.sleep(0.1),
            ),
        )
        assert (outcome.state, outcome.posted) == ("posted", 9), outcome.document("en")


def request(house: House, fund: str = "390", period: Period = NOVEMBER) -> str:
    month = request_close(
        house.ledger, house.area(), fund=fund, period=period, user="clerk1", today=TODAY
    )
    assert month.run
    return month.run


def decide(house: House, run_: str) -> None:
    approve(house.ledger, house.area(), run=run_, user="reviewer1")


def state(house: House, fund: str = "390", period: Period = NOVEMBER) -> str:
    return load_month(house.ledger, AREA, fund, period).state


def wait_until(
    what: str,
    reached: Callable[[], bool],
    seconds: float = PATIENCE_SECONDS,
    pause: float = 0.02,
) -> None:
    give_up = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < give_up, f"waited {seconds} s for: {what}"
        time.sleep(pause)


def wait_for(house: House, wanted: str, fund: str = "390", period: Period = NOVEMBER) -> None:
    wait_until(f"{fund} {period} {wanted}", lambda: state(house, fund, period) == wanted)


def close(house: House, fund: str = "390", period: Period = NOVEMBER) -> None:
    """Close a month while somebody works the queue off."""
    run_ = request(house, fund, period)
    wait_for(house, "computed", fund, period)
    decide(house, run_)
    wait_for(house, "sealed", fund, period)


def history(house: House) -> list[StoredRow]:
    """Every event with its position, topic and bytes."""
    return house.ledger.log.read_page(after=0, limit=10_000)


def topics(house: House) -> list[str]:
    return [row.topic for row in history(house)]


@contextmanager
def working(
    settings: Settings,
    *,
    opener: Callable[[], AbstractContextManager[House]] | None = None,
    pace: Pace = BRISK,
) -> Iterator[None]:
    """Run the worker beside the test, as ``python -m workers`` does in a process of its own."""
    stop = threading.Event()
    broken: list[BaseException] = []

    def work() -> None:
        try:
            run(settings, stop=stop, open_book=opener or partial(open_book, url), pace=pace)
        except BaseException as error:
            broken.append(error)
            raise

    url = settings.database_url
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert not broken
