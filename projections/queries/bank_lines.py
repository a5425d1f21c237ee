"""The line of a statement that a payment of our books was matched with (勾对), and the way back.

A match that was recorded with ``reconcile`` lies on the stream of each payment it uses, ours and
theirs; the line itself lies with the statement that brought it in. Nothing is searched: every
stream is known by its name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ledger.domain.chart import KEEPER
from ledger.domain.identity import bank_statement_stream, match_stream
from ledger.events.base import Envelope, Posted
from ledger.events.outstanding import MatchRecorded
from ledger.events.reconciliation import StatedPayment, StatementBankReceived

OURS, THEIRS = "ours", "theirs"
_ITEM = re.compile(r"(.+?)/([0-9]{4}-[0-9]{2})(-[0-9]{2})/(.*)/(-?[0-9]+)/([0-9]+)")


class Streams(Protocol):
    """The books, as far as single streams are read from them."""

    def history(self, stream: UUID) -> list[tuple[int, Envelope]]: ...


@dataclass(frozen=True, slots=True)
class BankLine:
    """One line of a statement (对账单行), and the match that names it where one stands."""

    item: str
    counterparty: str
    account: str
    said: StatedPayment
    position: int  # of the statement in the log
    intake: str | None
    match: MatchRecorded | None
    matched_at: int | None


def bank_lines_of(ledger: Streams, position: int, fact: Posted) -> list[BankLine]:
    """Give the lines that a fact of our books is matched with; none where it is not matched."""
    found = []
    for account, item in _items(position, fact):
        counterparty = KEEPER[account]
        match = standing_match(ledger, fact.area, (counterparty, account, OURS, item))
        if match is None:
            continue
        for side, other in partners(match[1]):
            line = stated_line(ledger, fact.area, counterparty, other) if side == THEIRS else None
            if line is not None:
                found.append(_with(line, match))
    return found


def stated_line(ledger: Streams, area: str, counterparty: str, item: str) -> BankLine | None:
    """Find a line by its item (``account/date/reference/fen/nth``), with the match that stands."""
    named = _ITEM.fullmatch(item)
    if named is None:
        return None
    account, month = named[1], named[2]
    wanted = (named[2] + named[3], named[4], int(named[5]), int(named[6]))
    found = None
    for position, envelope in ledger.history(
        bank_statement_stream(area, counterparty, account, month)
    ):
        fact = envelope.fact
        if not isinstance(fact, StatementBankReceived):
            continue
        for said in fact.payments:
            if (said.date, said.ref or "-", said.fen, said.nth) == wanted:
                found = BankLine(
                    item, counterparty, account, said, position, fact.source.intake, None, None
                )
    if found is None:
        return None
    for money_account, keeper in KEEPER.items():
        if keeper == counterparty:
            match = standing_match(ledger, area, (counterparty, money_account, THEIRS, item))
            if match is not None:
                return _with(found, match)
    return found


def standing_match(
    ledger: Streams, area: str, payment: tuple[str, str, str, str]
) -> tuple[int, MatchRecorded] | None:
    """Give the match that stands on a payment (counterparty, money account, side, item)."""
    history = ledger.history(match_stream(area, *payment))
    if history and isinstance(history[-1][1].fact, MatchRecorded):
        return history[-1][0], history[-1][1].fact
    return None


def partners(match: MatchRecorded) -> Iterator[tuple[str, str]]:
    """Give side and item of the other payments of a match."""
    for name in match.partners:
        side, _, item = name.partition(":")
        yield side, item


def position_in(item: str) -> int:
    """Give the log position that an item of our side names."""
    return int(item.partition("/")[0])


def _with(line: BankLine, match: tuple[int, MatchRecorded]) -> BankLine:
    return BankLine(
        line.item,
        line.counterparty,
        line.account,
        line.said,
        line.position,
        line.intake,
        match[1],
        match[0],
    )


def _items(position: int, fact: Posted) -> Iterator[tuple[str, str]]:
    """Name a fact as a payment of each money account that it moves, as the reconciliation does."""
    moved: dict[tuple[str, str], int] = {}
    for one in fact.postings:
        for account, fen in ((one.debit, one.fen), (one.credit, -one.fen)):
            if account in KEEPER:
                moved[account, one.fund] = moved.get((account, one.fund), 0) + fen
    for account in sorted({account for account, _ in moved}):
        funds = sorted(fund for (one, fund), fen in moved.items() if one == account and fen)
        if funds:
            yield account, f"{position}/{'+'.join(funds)}"
