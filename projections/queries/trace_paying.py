"""Payments by their numbers (追溯拨付): batches, orders, lines of bank statements, matches, breaks.

Everything is found by the names of streams. Only a bank's own reference (``bank:REF``) and the
number of a match name no stream: for these the log is read once from end to end.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from ledger.aggregates.payout import batch_of, order_of, payout_id
from ledger.application import FundLedger
from ledger.domain.identity import (
    break_stream,
    match_stream,
    payouts_stream,
    settlement_stream,
)
from ledger.events.outstanding import MatchRecorded, MatchReleased
from ledger.events.payout import PaymentConfirmed, PaymentFailed, PaymentReturned
from ledger.events.reconciliation import StatementBankReceived
from ledger.store.codec import StoredRow
from projections.queries.bank_lines import OURS, partners, position_in, stated_line

_PAGE = 20_000
_MATCH = re.compile(r"[0-9a-f]{16}")
_BANK = "bank:"
_ANSWERED = {PaymentConfirmed.TOPIC, PaymentFailed.TOPIC, PaymentReturned.TOPIC}


def paying_rows(ledger: FundLedger, area: str, ref: str) -> list[StoredRow]:
    """Give every event of what a number names, in the order of the log; none where it is another's."""
    looks: tuple[Callable[[FundLedger, str, str], Iterable[StoredRow]], ...] = (
        _batch,
        _line,
        _match,
        _bank,
        _break,
    )
    rows = {row.position: row for look in looks for row in look(ledger, area, ref)}
    return [rows[position] for position in sorted(rows)]


def _batch(ledger: FundLedger, area: str, ref: str) -> Iterator[StoredRow]:
    """Give a batch's own steps, and what it ordered and what the bank made of it; of one order its own."""
    order = order_of(ref, area)
    payout = order[0] if order else ref
    named = batch_of(payout, area)
    if named is None:
        return
    fund, month, no = named
    prepared: list[Any] = []
    for row in ledger.log.stream(payouts_stream(area, fund, month)):
        state = _state(row)
        if state.get("no") == no:
            yield row
            prepared += state.get("lines", ())
    if not prepared or payout != payout_id(area, fund, month, no):
        return
    for line in prepared:
        if order is not None and line["line"] != order[1]:
            continue
        for part in line["parts"]:
            stream = settlement_stream(area, fund, line["institution"], part["month"])
            for row in ledger.log.stream(stream):
                state = _state(row)
                if (state.get("payout"), state.get("line")) == (payout, line["line"]):
                    yield row


def _line(ledger: FundLedger, area: str, ref: str) -> Iterator[StoredRow]:
    """Give a line of a statement (``account/date/reference/fen/nth``), and what it was matched with."""
    for counterparty in ("bank", "fiscal", "treasury", "tax"):
        line = stated_line(ledger, area, counterparty, ref)
        if line is None:
            continue
        yield from _at(ledger, line.position)
        if line.match is not None and line.matched_at is not None:
            yield from _at(ledger, line.matched_at)
            yield from _partners(ledger, line.match)


def _match(ledger: FundLedger, area: str, ref: str) -> Iterator[StoredRow]:
    """Give a match by its number: recorded and released, on both sides."""
    if _MATCH.fullmatch(ref) is None:
        return
    topics = {MatchRecorded.TOPIC, MatchReleased.TOPIC}
    for position in _search(ledger, topics, f'"match":"{ref}"'):
        for row in _at(ledger, position):
            state = _state(row)
            if (state["area"], state["match"]) != (area, ref):
                continue
            yield row
            if row.topic == MatchRecorded.TOPIC and state["side"] == OURS:
                yield from _at(ledger, position_in(state["item"]))


def _bank(ledger: FundLedger, area: str, ref: str) -> Iterator[StoredRow]:
    """Give what a bank calls by a reference: results of orders, and lines of statements."""
    if not ref.startswith(_BANK):
        return
    wanted = ref.removeprefix(_BANK)
    quoted = msgspec.json.encode(wanted).decode()
    for position in _search(ledger, {*_ANSWERED, StatementBankReceived.TOPIC}, quoted):
        for row in _at(ledger, position):
            state = _state(row)
            if state["area"] != area:
                continue
            if row.topic in _ANSWERED:
                if state["bank_ref"] == wanted:
                    yield row
                continue
            for said in state["payments"]:
                if said[4] == wanted:
                    yield from _line(ledger, area, _item(state["account"], said))


def _item(account: str, said: list[Any]) -> str:
    """Name a line as a reconciliation does; ``said`` is a StatedPayment as it is stored."""
    _, date, fen, _, ref, nth, *_ = said
    return f"{account}/{date}/{ref or '-'}/{fen}/{nth}"


def _break(ledger: FundLedger, area: str, ref: str) -> Iterator[StoredRow]:
    yield from ledger.log.stream(break_stream(area, ref))


def _partners(ledger: FundLedger, match: MatchRecorded) -> Iterator[StoredRow]:
    """Give the payments on our side of a match that was found on theirs, each with its own match."""
    for side, item in partners(match):
        if side == OURS:
            yield from _at(ledger, position_in(item))
            stream = match_stream(match.area, match.counterparty, match.money_account, side, item)
            yield from ledger.log.stream(stream)[-1:]


def _search(ledger: FundLedger, topics: set[str], text: str) -> Iterator[int]:
    """Read the log once and give where facts of these topics hold a text."""
    last, wanted = ledger.log.last_position(), text.encode()
    for after in range(0, last, _PAGE):
        for at, topic, state in ledger.log.read_facts(after=after, until=min(after + _PAGE, last)):
            if topic in topics and wanted in state:
                yield at


def _at(ledger: FundLedger, position: int) -> Iterator[StoredRow]:
    row = ledger.log.event_at(position)
    if row is not None:
        yield row


def _state(row: StoredRow) -> dict[str, Any]:
    state: dict[str, Any] = msgspec.json.decode(row.state)
    return state
