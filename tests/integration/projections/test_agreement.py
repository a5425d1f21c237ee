"""Whatever the log holds: live, rebuilt, replayed and guarded figures are the same."""

import threading
from datetime import date
from typing import Any

import pytest
from sqlalchemy import inspect, text
from support.facts import AREA, Books, flow
from support.random_books import LEAVES, RandomBooks

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.replay import ReplayBeyondLog, replay
from ledger.store.reading import StoredFact
from ledger.store.seals import Seal
from projections.compare import compare
from projections.fold import ProjectionStopped
from projections.follow import bring_up_to
from projections.queries.balances import balances_document
from projections.rebuild import rebuild
from projections.store import ReadStore
from projections.tables import STATE, VIEW_TABLES

SEEDS = range(2)


@pytest.fixture(params=SEEDS)
def random_ledger(request: pytest.FixtureRequest, ledger: FundLedger) -> FundLedger:
    RandomBooks(Books(ledger), request.param, settling=True).write(30)
    return ledger


def contents(store: ReadStore) -> dict[str, Any]:
    """Read every live table whole."""
    with store.reading() as reading:
        return {
            table.name.rpartition("_g")[0]: sorted(map(str, reading.rows(table.select())))
            for view, generation in reading.generations.items()
            for table in VIEW_TABLES[view](generation).all()
        }


def start_over(store: ReadStore) -> None:
    names = inspect(store.engine).get_table_names()
    with store.writing() as connection:
        for view in VIEW_TABLES:
            for table in VIEW_TABLES[view](1).all():
                if table.name in names:
                    table.drop(connection)
        STATE.drop(connection)


def test_any_page_size_and_any_stop_give_the_same_tables(random_ledger, store):
    last = random_ledger.log.last_position()
    bring_up_to(random_ledger, store, last)
    truth = contents(store)
    assert truth["movements"]
    for page_size in (1, 7):
        start_over(store)
        for position in range(0, last, 11):
            bring_up_to(random_ledger, store, position, page_size=page_size)
        bring_up_to(random_ledger, store, last, page_size=page_size)
        assert contents(store) == truth


def test_rebuilt_replayed_and_guarded_are_the_same(random_ledger, store):
    assert compare(random_ledger, store) == {
        "position": random_ledger.log.last_position(),
        "until_period": None,
        "compared": [
            "balances",
            "care",
            "clearing",
            "guard_totals",
            "journal",
            "month_sums",
            "obligations",
            "parties",
            "reconciled",
            "regrouped",
            "stages",
            "vouchers",
        ],
        "equal": True,
        "differences": [],
    }
    truth = contents(store)
    assert rebuild(random_ledger, store, page_size=5).document()["equal"]
    assert contents(store) == truth


def test_what_was_known_at_every_position_is_what_replay_says(random_ledger, store):
    last = random_ledger.log.last_position()
    bring_up_to(random_ledger, store, last)
    for position in range(last + 1):
        told = replay(random_ledger, until_position=position)
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for book in ("cash", "obligations"):
            document = balances_document(
                store,
                random_ledger,
                area=AREA,
                as_of=date(2030, 1, 1),
                known_at=position,
                book=book,
            )
            for row in document["balances"]:
                key = (row["fund"], row["account"])
                found[key] = (row["debit_fen"], row["credit_fen"])
        assert found == {
            (key.fund, key.account): (sums.debit_fen, sums.credit_fen)
            for key, sums in told.balances.items()
        }


def test_comparison_at_a_position_and_at_a_month(random_ledger, store):
    last = random_ledger.log.last_position()
    for position in (0, last // 2, last):
        found = compare(random_ledger, store, until_position=position)
        assert (found["position"], found["equal"]) == (position, True)
    found = compare(random_ledger, store, until_period=Period(2022, 6))
    assert found["equal"]
    assert found["compared"] == ["balances", "journal", "vouchers"]


def test_replay_by_year_is_what_the_balances_say(random_ledger, store):
    bring_up_to(random_ledger, store, random_ledger.log.last_position())
    document = balances_document(store, random_ledger, area=AREA, as_of=date(2022, 12, 31))
    told = replay(random_ledger, until_period=Period(2022, 12)).years
    for row in document["funds"]:
        years = [year for key, year in told.items() if key.fund == row["fund"] and key.year == 2022]
        if row["fund"] in LEAVES:
            assert row["income_fen"] == sum(year.income_fen for year in years)
            assert row["expense_fen"] == sum(year.expense_fen for year in years)
    with pytest.raises(ReplayBeyondLog):
        replay(random_ledger, until_position=10_000)


def test_two_projectors_at_once_write_every_page_once(ledger, store, store_url):
    RandomBooks(Books(ledger), 7).write(25)
    bring_up_to(ledger, store, 0)
    last = ledger.log.last_position()
    failed: list[Exception] = []

    def follow() -> None:
        own = ReadStore.open(store_url)
        try:
            bring_up_to(ledger, own, last, page_size=2)
        except Exception as error:  # noqa: BLE001 (whatever it is, the test shows it)
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert compare(ledger, store)["equal"]


class Doctored:
    """A log one of whose events was tampered with past every guard of the database."""

    def __init__(self, ledger: FundLedger, position: int, state: bytes | None) -> None:
        self.log = self
        self._log = ledger.log
        self._position = position
        self._state = state

    def last_position(self) -> int:
        return self._log.last_position()

    def seals(self, *, after: int = 0, limit: int = 1000) -> list[Seal]:
        return self._log.seals(after=after, limit=limit)

    def seal_covering(self, position: int) -> Seal | None:
        return self._log.seal_covering(position)

    def read_facts(self, *, after: int, until: int) -> list[StoredFact]:
        rows = self._log.read_facts(after=after, until=until)
        if self._state is None:
            return [row for row in rows if row[0] != self._position]
        return [(*row[:2], self._state) if row[0] == self._position else row for row in rows]


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state[:-1],
        lambda state: state.replace(b'"income.interest"', b'"no.such.account"'),
        lambda state: state.replace(b'"income.interest"', b'"owed.booked"'),
        lambda state: state.replace(b'"fen":5', b'"fen":5.5'),
        lambda _state: None,
    ],
    ids=["cut off", "unknown account", "between books", "not whole fen", "missing"],
)
def test_an_event_that_cannot_be_added_up_stops_everything_at_its_position(
    ledger, store, books, change
):
    books.found("390")
    good = books.post(flow("interest", "390", 1, "2023-01-01")).last_position
    bad = books.post(flow("interest", "390", 5, "2023-01-02")).last_position
    event = ledger.log.event_at(bad)
    assert event is not None
    doctored = Doctored(ledger, bad, change(event.state))
    bring_up_to(doctored, store, good)
    with pytest.raises(ProjectionStopped) as stopped:
        bring_up_to(doctored, store, bad)
    assert stopped.value.facts["position"] == bad
    with store.reading() as reading:
        assert reading.position < bad
        count = reading.connection.execute(
            text(f"SELECT count(*) FROM {reading.journal.vouchers.name}")
        ).scalar_one()
    assert count == 1
