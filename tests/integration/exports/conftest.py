"""A random ledger on each store: every kind of cash entry, reversals and a year-end transfer."""

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.facts import Books, Clock, flow
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.domain.entry import move
from ledger.events.month import YearTransferred
from ledger.store import schema
from projections.follow import bring_up_to
from projections.store import ReadStore

ITEMS = (
    ("contribution.employer", "310.pooled"),
    ("contribution.individual", "390"),
    ("interest", "310.personal"),
    ("superior_subsidy", "390"),
    ("personal_credit", "310.pooled"),
    ("benefit.inpatient", "310.pooled"),
    ("benefit.chronic", "390"),
    ("benefit_returned", "390"),
    ("catastrophic_premium", "390"),
    ("remit_up", "310.pooled"),
    ("other_income", "390"),
    ("breach_damages", "390"),
    ("deposit_in", "310.pooled"),
    ("move.treasury_to_fiscal", "390"),
    ("suspense_in", "610"),
    ("benefit.assistance", "610"),
)
#: What a clerk may write into a summary and three programs must not stumble over.
SUMMARIES = (
    '拨付 "第一人民医院"; 10月',
    "C:\\path | (甲) = 100 CNY",
    "@SUM(A1) #标签 ^link ; tail",
    "第一行\n第二行\t{x}",
    "* ! 2023-01-01 open Assets:Evil",
)


class RandomBook:
    """A ledger that a seed has filled, with its read models brought up to it."""

    def __init__(self, ledger: FundLedger, store: ReadStore, seed: int) -> None:
        self.ledger = ledger
        self.store = store
        self.books = Books(ledger)
        self._chance = random.Random(seed)
        self.books.found("310", "390", "610")
        self._fill()
        bring_up_to(ledger, store, ledger.log.last_position())

    def _fill(self) -> None:
        posted = []
        for number in range(self._chance.randint(15, 40)):
            fact = self._fact(number)
            receipt = self.books.post(fact)
            posted.append((fact, receipt.first_position))
        for fact, position in self._chance.sample(posted, 3):
            self.books.reverse(fact, position, day="2023-12-30")
        self.books.append([self._transfer()])

    def _fact(self, number: int):
        item, fund = self._chance.choice(ITEMS)
        more = {}
        if number == 0:
            item, fund = "assisted_participation", "610"
        if item == "assisted_participation":
            more["counterparty_fund"] = "390"
        if item.startswith("benefit."):
            more["counterparty"] = "H33060400001"
        day = f"2023-{self._chance.randint(1, 12):02d}-{self._chance.randint(1, 28):02d}"
        fen = self._chance.randint(1, 10 ** self._chance.randint(1, 15))
        fact = flow(item, fund, fen, day, doc_no=f"D;{number}(1)", **more)
        return type(fact)(
            **{name: getattr(fact, name) for name in fact.__struct_fields__}
            | {"summary": self._chance.choice(SUMMARIES)}
        )

    def _transfer(self) -> YearTransferred:
        return YearTransferred(
            area=self.books.area,
            booked_on="2023-12-31",
            postings=(
                move("390", debit="income.contribution.individual", credit="net_assets", fen=12345),
                move("390", debit="net_assets", credit="expense.benefit.chronic", fen=678),
            ),
            rules_version=1,
            prepared_by="reviewer1",
            fund="390",
            period="2023-12",
            run="330604-390-2023-12-1",
            summary="年终结转",
        )


@pytest.fixture(scope="module", params=["sqlite-1", "sqlite-2", "postgresql-3"])
def book(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RandomBook]:
    """One book per store and seed for all tests: they only read it."""
    kind, _, seed = request.param.partition("-")
    with ExitStack() as opened:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('book') / 'book.db'}"
        else:
            url = opened.enter_context(fresh_database(require_postgres()))
        schema.upgrade(url)
        ledger = opened.enter_context(FundLedger(url, clock=Clock()))
        store = ReadStore.open(url)
        opened.callback(store.close)
        yield RandomBook(ledger, store, int(seed))
