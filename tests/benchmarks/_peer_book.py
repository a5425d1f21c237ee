"""The same two-leg transactions for medfund and its peers, and medfund's own book of them."""

import csv
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks._stores import scratch
from support.facts import AREA, Books, flow

from ledger.application import FundLedger
from ledger.domain.chart import CHART, AccountClass
from ledger.domain.money import format_yuan
from ledger.events.cash import CashFact
from ledger.replay import replay
from ledger.store import schema
from projections.follow import bring_up_to
from projections.queries.balances import balances_document
from projections.reports.plaintext import Program, account_name
from projections.store import ReadStore

Balances = dict[str, int]  # account → debit − credit in fen, those that are not nil

_ITEMS = (
    "contribution.employer",
    "contribution.individual",
    "interest",
    "superior_subsidy",
    "other_income",
    "breach_damages",
    "benefit.inpatient",
    "benefit.outpatient",
    "benefit.chronic",
    "benefit.pharmacy",
)
#: Payouts and contributions are the many; interest and the like are few.
_OFTEN = (6, 6, 1, 1, 1, 1, 8, 8, 4, 8)
_FUNDS = ("310.pooled", "390")
#: The accounts that these use, by the classes that the peers know.
_CLASSES = {
    AccountClass.MONEY: "asset",
    AccountClass.ASSET: "asset",
    AccountClass.INCOME: "income",
    AccountClass.EXPENSE: "expense",
}


@dataclass(frozen=True, slots=True)
class Deal:
    """One transaction: what a peer needs of it, and what a row of a file says."""

    number: int
    item: str
    fund: str
    day: str
    fen: int
    debit: str  # as fund:account
    credit: str

    def fact(self) -> CashFact:
        """Make the fact of it, by the product's posting rules."""
        return flow(self.item, self.fund, self.fen, self.day, doc_no=f"D{self.number:07}")

    @property
    def row(self) -> tuple[str, str, str, int]:
        return self.day, self.debit, self.credit, self.fen


def deals(count: int) -> list[Deal]:
    """Make transactions of this year up to yesterday: a peer books nothing in other years."""
    chance = random.Random(20231231)
    today = datetime.now(tz=UTC).date()
    first = date(today.year, 1, 2)
    days = [
        (first + timedelta(days=n)).isoformat() for n in range(max((today - first).days - 1, 1))
    ]
    legs = {}
    for item in _ITEMS:
        for fund in _FUNDS:
            (posting,) = flow(item, fund, 1, days[0]).postings
            legs[item, fund] = f"{fund}:{posting.debit}", f"{fund}:{posting.credit}"
    made = []
    for number in range(count):
        item = chance.choices(_ITEMS, _OFTEN)[0]
        fund = chance.choice(_FUNDS)
        day = days[number * len(days) // count]
        made.append(Deal(number, item, fund, day, chance.randint(1, 10**7), *legs[item, fund]))
    return made


def accounts(of: Sequence[Deal]) -> dict[str, str]:
    """Give every account with its class, such as ``asset``."""
    names = sorted({name for deal in of for name in (deal.debit, deal.credit)})
    return {name: _CLASSES[CHART[name.partition(":")[2]].kind] for name in names}


def expected(of: Sequence[Deal]) -> Balances:
    """Add the transactions up."""
    sums: Balances = {}
    for deal in of:
        sums[deal.debit] = sums.get(deal.debit, 0) + deal.fen
        sums[deal.credit] = sums.get(deal.credit, 0) - deal.fen
    return {name: fen for name, fen in sums.items() if fen}


class OurBook:
    """medfund's book, written as its use-cases write: guard, totals, outbox and seal on."""

    def __init__(self, url: str, ledger: FundLedger, reads: ReadStore) -> None:
        self.url = url
        self._ledger = ledger
        self._reads = reads
        self._books = Books(ledger)
        self._books.found("310", "390")

    def one_by_one(self, of: Sequence[Deal]) -> None:
        for deal in of:
            self._books.post(deal.fact())

    def bulk(self, of: Sequence[Deal]) -> None:
        self._books.post(*(deal.fact() for deal in of))

    def project(self) -> None:
        """Bring the read models up to the log."""
        bring_up_to(self._ledger, self._reads, self._ledger.log.last_position())

    def balances(self) -> Balances:
        today = datetime.now(tz=UTC).date()
        answer = balances_document(self._reads, self._ledger, area=AREA, as_of=today)
        return {
            f"{row['fund']}:{row['account']}": row["balance_fen"]
            for row in answer["balances"]
            if row["balance_fen"]
        }

    def replayed(self) -> int:
        """Fold the whole log."""
        return replay(self._ledger).position


@contextmanager
def our_book(store: str) -> Iterator[OurBook]:
    """Open a new book on a kind of store."""
    with scratch(store) as url:
        schema.upgrade(url)
        with FundLedger(url, clock=lambda: datetime.now(tz=UTC)) as ledger:
            reads = ReadStore.open(url)
            try:
                yield OurBook(url, ledger, reads)
            finally:
                reads.close()


def write_flows(of: Sequence[Deal], path: Path) -> None:
    """Write the transactions as the file a clerk brings in."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["doc_no", "date", "area", "fund", "item", "amount"])
        for deal in of:
            amount = format_yuan(deal.fen, grouped=False)
            number = f"F{deal.number:07}"
            writer.writerow([number, deal.day, AREA, deal.fund, deal.item, amount])


def write_journal(of: Sequence[Deal], path: Path, program: Program) -> dict[str, str]:
    """Write the transactions as plain text; gives the program's account names with ours."""
    ours = {name: account_name(*name.split(":"), program) for name in accounts(of)}
    quote = '"' if program is Program.BEANCOUNT else ""
    with path.open("w", encoding="utf-8") as file:
        for name in ours.values():
            opened = f"{of[0].day} open {name} CNY" if quote else f"account {name}"
            file.write(f"{opened}\n")
        if not quote:
            file.write("commodity CNY\n    format 1000.00 CNY\n")
        for deal in of:
            amount = format_yuan(deal.fen, grouped=False)
            file.write(
                f"\n{deal.day} * {quote}D{deal.number:07}{quote}\n"
                f"  {ours[deal.debit]}  {amount} CNY\n  {ours[deal.credit]}  -{amount} CNY\n"
            )
    return {theirs: name for name, theirs in ours.items()}
