"""Six writers of mixed sizes, readers tailing: what is delivered is what is stored, in its order."""

import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime

import pytest
from integration.faults.soaking import (
    WRITERS,
    Tail,
    project,
    sizes_of,
    stored,
    write,
    write_unlocked,
)
from integration.store.building import open_book
from support.services import fresh_database, require_durable_postgres

from ledger.application import FundLedger
from ledger.store import schema
from ledger.verify import verify
from medfund.cli import main
from projections.compare import compare
from projections.store import ReadStore

NAMES = [f"writer-{number}" for number in range(WRITERS)]
_PATIENCE_SECONDS = 120


def now() -> datetime:
    return datetime.now(UTC)


def follow(tail: Tail, writers: list[Future]) -> None:
    """Read while the writers write, and then what they left, until nothing more comes."""
    quiet = time.monotonic()
    while True:
        ended = all(one.done() for one in writers)
        if tail.read_on():
            quiet = time.monotonic()
        elif ended:
            return
        else:
            tail.wait()
        assert time.monotonic() - quiet < _PATIENCE_SECONDS, "nothing is delivered any more"


def test_what_six_writers_store_is_delivered_exactly_and_in_order(store_url, crowd):
    """Caught: an append without the lock, or a position taken before it (see the next test)."""
    expected = 1 + sum(sum(sizes_of(name)) for name in NAMES)
    with FundLedger(store_url, clock=now) as ledger:
        open_book(ledger)
        with ProcessPoolExecutor(WRITERS + 1, mp_context=crowd) as processes:
            projector = processes.submit(project, store_url, expected)
            writers = [processes.submit(write, store_url, name) for name in NAMES]
            follow(tail := Tail(ledger), writers)
            wait([projector], timeout=_PATIENCE_SECONDS)
        assert [one.position for one in tail.delivered] == list(range(1, expected + 1))
        assert tail.delivered == stored(store_url)

        confirmed = [(size, receipt) for one in writers for size, receipt in one.result()]
        spans = sorted((receipt.first_position, receipt.last_position) for _, receipt in confirmed)
        assert sum(last - first + 1 for first, last in spans) == expected - 1
        assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
        assert all(
            size == receipt.last_position - receipt.first_position + 1
            for size, receipt in confirmed
        )

        assert projector.result() > 3, "the projector never followed, it only came afterwards"
        reads = ReadStore.open(store_url)
        compared = compare(ledger, reads)
        reads.close()
        assert compared["equal"], compared["differences"]
        assert compared["position"] == expected
        assert verify(ledger).ok


def test_the_soak_catches_writers_that_take_no_lock(crowd):
    """The deliberate defect itself: the reader passes over events that commit late, for good."""
    with fresh_database(require_durable_postgres()) as url:
        schema.upgrade(url)
        for _ in range(5):
            with FundLedger(url, clock=now) as ledger:
                tail = Tail(ledger)
                with ProcessPoolExecutor(WRITERS, mp_context=crowd) as processes:
                    writers = [processes.submit(write_unlocked, url, name) for name in NAMES]
                    follow(tail, writers)
            missed = set(stored(url)) - set(tail.delivered)
            if missed:
                break
        assert missed, "without the lock nothing was lost: the soak proves nothing"


@pytest.mark.parametrize(
    "variable", ["POSTGRES_ENABLE_DB_FUNCTIONS", "MEDFUND_POSTGRES_ENABLE_DB_FUNCTIONS"]
)
def test_no_door_opens_while_the_environment_asks_for_the_librarys_functions(
    store_url, monkeypatch, capsys, variable
):
    monkeypatch.setenv(variable, "y")
    assert main(["--db", store_url, "--json", "balances"]) == 3
    assert '"code": "db_functions_refused"' in capsys.readouterr().out
