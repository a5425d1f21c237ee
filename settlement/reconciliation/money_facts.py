"""What the log says of our money and of what others state about it, as of a position (四方对账).

One pass over the log; only facts whose text names one of our money accounts, or a statement of the
counterparty, are decoded. Nothing is asked of the read models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

import msgspec

from ledger.domain.chart import KEEPER
from ledger.domain.period import Period
from ledger.events.cash import OpeningAdjusted, OpeningRecorded
from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.outstanding import MatchRecorded, MatchReleased
from ledger.events.reconciliation import (
    StatedPayment,
    StatementBankReceived,
    StatementBankWithdrawn,
)
from ledger.store.reading import StoredFact
from settlement.banking import TAX

_PAGE = 20_000
OURS, THEIRS = "ours", "theirs"
#: What the tax office collects (税务征收): contributions and late fees, and what it pays back.
COLLECTED = frozenset(
    {
        *("income.contribution.employer", "income.contribution.individual"),
        *("income.contribution.collective", "income.contribution.refund"),
        *("income.pending", "income.other.late_fee"),
    }
)


class _Log(Protocol):
    def read_facts(self, *, after: int, until: int) -> list[StoredFact]: ...


class Entry(NamedTuple):
    """One movement of a money account in our books (账面收支), of one leaf fund; + is money in."""

    position: int
    money_account: str
    fund: str
    booked_on: date
    day: date  # of the document
    fen: int
    refs: tuple[str, ...]  # document, order, and what the bank calls it
    party: str  # the institution it concerns, if any
    text: str
    by: str


class Line(NamedTuple):
    """One line of a statement, with the account it is of and who brought it in."""

    position: int
    account: str
    payment: StatedPayment
    by: str
    intake: str | None

    @property
    def item(self) -> str:
        """Tell the line among all lines of its counterparty."""
        one = self.payment
        return f"{self.account}/{one.date}/{one.ref or '-'}/{one.fen}/{one.nth}"

    @property
    def day(self) -> date:
        return date.fromisoformat(self.payment.date)


@dataclass(slots=True)
class MoneyFacts:
    """Both sides up to the end of a month, as of a position of the log."""

    area: str
    counterparty: str
    period: Period
    position: int
    entries: list[Entry] = field(default_factory=list)
    openings: list[Entry] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    matches: dict[tuple[str, str, str], MatchRecorded] = field(default_factory=dict)


class _Posting(msgspec.Struct, gc=False):
    fund: str
    debit: str
    credit: str
    fen: int


class _Document(msgspec.Struct, gc=False):
    """The fields of a fact with postings that a reconciliation shows."""

    area: str
    booked_on: str
    postings: list[_Posting]
    prepared_by: str = ""
    date: str | None = None
    doc_no: str | None = None
    order_no: str | None = None
    bank_ref: str | None = None
    original_position: int | None = None
    counterparty: str | None = None
    payee: str | None = None
    summary: str = ""


_document = msgspec.json.Decoder(_Document).decode
_statement = msgspec.json.Decoder(StatementBankReceived).decode
_withdrawn = msgspec.json.Decoder(StatementBankWithdrawn).decode
_recorded = msgspec.json.Decoder(MatchRecorded).decode
_released = msgspec.json.Decoder(MatchReleased).decode
_CLAIMS = frozenset({ClaimSettled.TOPIC, ClaimRefunded.TOPIC, ClaimReversed.TOPIC})
_OPENINGS = frozenset({OpeningRecorded.TOPIC, OpeningAdjusted.TOPIC})


def read_money(
    log: _Log, *, area: str, counterparty: str, period: Period, position: int
) -> MoneyFacts:
    """Read both sides up to the end of a month, with the matches that were recorded."""
    found = MoneyFacts(area, counterparty, period, position)
    reader = _Reader(found)
    for after in range(0, position, _PAGE):
        for at, topic, state in log.read_facts(after=after, until=min(after + _PAGE, position)):
            reader.read(at, topic, state)
    return found


def accounts_kept(counterparty: str) -> tuple[str, ...]:
    """Name the money accounts that a counterparty states something of."""
    if counterparty == TAX:
        return tuple(KEEPER)
    return tuple(account for account, keeper in KEEPER.items() if keeper == counterparty)


class _Reader:
    """Adds facts to both sides in log order."""

    def __init__(self, found: MoneyFacts) -> None:
        self._found = found
        self._accounts = accounts_kept(found.counterparty)
        self._named = tuple(f'"{account}"'.encode() for account in self._accounts)
        self._counterparty = f'"counterparty":"{found.counterparty}"'.encode()
        self._last = found.period.last_day.isoformat()
        self._opened: set[int] = set()

    def read(self, at: int, topic: str, state: bytes) -> None:
        if topic in _CLAIMS:  # they move no money
            return
        if topic == StatementBankReceived.TOPIC:
            if self._counterparty in state:
                self._state(at, _statement(state))
        elif topic == StatementBankWithdrawn.TOPIC:
            if self._counterparty in state:
                self._withdraw(_withdrawn(state))
        elif topic == MatchRecorded.TOPIC:
            if self._counterparty in state and (match := _recorded(state)).area == self._found.area:
                self._found.matches[match.money_account, match.side, match.item] = match
        elif topic == MatchReleased.TOPIC:
            if self._counterparty in state and (gone := _released(state)).area == self._found.area:
                self._found.matches.pop((gone.money_account, gone.side, gone.item), None)
        elif b'"postings":[{' in state and any(name in state for name in self._named):
            self._book(at, topic, _document(state))

    def _state(self, at: int, fact: StatementBankReceived) -> None:
        if fact.area != self._found.area:
            return
        self._found.lines += [
            Line(at, fact.account, one, fact.by, fact.source.intake)
            for one in fact.payments
            if one.date <= self._last
        ]

    def _withdraw(self, gone: StatementBankWithdrawn) -> None:
        if gone.area == self._found.area:
            self._found.lines = [
                line
                for line in self._found.lines
                if (line.account, line.intake, line.payment.date[:7])
                != (gone.account, gone.intake, gone.period)
            ]

    def _book(self, at: int, topic: str, fact: _Document) -> None:
        if fact.area != self._found.area or fact.booked_on > self._last:
            return
        opening = topic in _OPENINGS or fact.original_position in self._opened
        if opening:
            self._opened.add(at)
        kept = self._found.openings if opening else self._found.entries
        for (account, fund), fen in sorted(self._moved(fact.postings).items()):
            if fen:
                kept.append(_entry(at, fact, account, fund, fen))

    def _moved(self, postings: list[_Posting]) -> Mapping[tuple[str, str], int]:
        """Add up what a fact moves on each money account of each leaf fund; + is in."""
        moved: dict[tuple[str, str], int] = {}
        for one in postings:
            for account, other, fen in (
                (one.debit, one.credit, one.fen),
                (one.credit, one.debit, -one.fen),
            ):
                if account not in self._accounts:
                    continue
                if self._found.counterparty == TAX:
                    if other not in COLLECTED:
                        continue
                    account = TAX  # noqa: PLW2901  wherever it arrives
                key = account, one.fund
                moved[key] = moved.get(key, 0) + fen
        return moved


def _entry(at: int, fact: _Document, account: str, fund: str, fen: int) -> Entry:
    booked_on = date.fromisoformat(fact.booked_on)
    return Entry(
        position=at,
        money_account=account,
        fund=fund,
        booked_on=booked_on,
        day=date.fromisoformat(fact.date) if fact.date else booked_on,
        fen=fen,
        refs=tuple(one for one in (fact.doc_no, fact.order_no, fact.bank_ref) if one),
        party=fact.payee or fact.counterparty or "",
        text=fact.summary,
        by=fact.prepared_by,
    )
