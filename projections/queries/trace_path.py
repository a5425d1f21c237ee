"""The stations of an institution's month (追溯路径): claims, declared, settled, ordered, bank's line.

A settlement is not paid by itself: the month of its institution is, fund by fund. So whatever is
traced leads to the months that it is of, and these to every document from the counter to the bank.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ledger.domain.identity import settlement_stream
from ledger.events.clearing import SettlementApproved, SettlementDeclared
from ledger.events.clearing_year import YearCleared
from ledger.events.payout import (
    PaymentConfirmed,
    PaymentFact,
    PaymentFailed,
    PaymentOrdered,
    PaymentReturned,
)
from ledger.events.settlement import RefusalDecided, RefusalWithdrawn, SettlementFact
from projections.page import OWED
from projections.queries.bank_lines import Streams, bank_lines_of
from projections.store import ReadStore

_STEPS: dict[type[SettlementFact], tuple[str, str]] = {
    SettlementDeclared: ("declared", "application"),
    RefusalDecided: ("refused", "doc_no"),
    RefusalWithdrawn: ("refusal_withdrawn", "doc_no"),
    SettlementApproved: ("settled", "run"),
    YearCleared: ("year_cleared", "run"),
    PaymentOrdered: ("ordered", "order_no"),
    PaymentConfirmed: ("paid", "order_no"),
    PaymentFailed: ("failed", "order_no"),
    PaymentReturned: ("returned", "order_no"),
}


class OwedMonth(NamedTuple):
    """One institution's 清算年月 at a leaf fund."""

    fund: str
    institution: str
    month: str


def months_in(events: Iterable[dict[str, Any]]) -> list[OwedMonth]:
    """Name the months that traced events are of: settlements by the funds that owe, others by theirs."""
    found = set()
    for event in events:
        state = event["state"]
        institution, month = state.get("institution"), state.get("belongs_to")
        if institution is None or month is None:
            continue
        if "setl_id" in state and "fund" not in state:
            funds = {
                one["fund"]
                for one in state.get("postings", ())
                if OWED in {one["debit"], one["credit"]}
            }
        else:
            funds = {state["fund"]} if "fund" in state else set()
        found |= {OwedMonth(fund, institution, month) for fund in funds}
    return sorted(found)


def path_of(
    ledger: Streams, reads: ReadStore, area: str, months: Iterable[OwedMonth]
) -> Iterator[dict[str, Any]]:
    """Give the stations of months, in the order of the log; amounts in fen."""
    for of in months:
        yield from _booked(reads, area, of)
        for position, envelope in ledger.history(settlement_stream(area, *of)):
            fact = envelope.fact
            if not isinstance(fact, SettlementFact) or type(fact) not in _STEPS:
                continue
            step, key = _STEPS[type(fact)]
            number = getattr(fact, key) or getattr(fact, "run", None)
            yield _station(of, step, number, fact.date, _fen(fact), position)
            if isinstance(fact, PaymentFact):
                for line in bank_lines_of(ledger, position, fact):
                    where = line.item, line.said.date, line.said.fen, line.position
                    yield _station(of, "bank_line", *where) | {
                        "match": line.match.match if line.match else None,
                        "intake": line.intake,
                        "line": line.said.line,
                    }


def _booked(reads: ReadStore, area: str, of: OwedMonth) -> Iterator[dict[str, Any]]:
    """Say how many settlements the month has, and what they made the fund owe."""
    with reads.reading() as reading:
        c = reading.balances.claim_obligations.c
        sums = (func.sum(c.settlements), func.sum(c.refunds), func.sum(c.booked_fen))
        settlements, refunds, fen = reading.rows(
            select(*sums).where(
                c.area == area,
                c.fund == of.fund,
                c.institution == of.institution,
                c.month == of.month,
            )
        )[0]
    if fen is not None:
        yield _station(of, "booked", None, None, int(fen), None) | {
            "settlements": int(settlements),
            "refunds": int(refunds),
        }


def _station(of: OwedMonth, step: str, *said: Any) -> dict[str, Any]:
    number, date, fen, position = said
    return {
        "step": step,
        **of._asdict(),
        "number": number,
        "date": date,
        "fen": fen,
        "position": position,
    }


def _fen(fact: SettlementFact) -> int:
    """Give what a step is about: settled is what a run took from declared."""
    if isinstance(fact, SettlementApproved):
        return fact.declared_fen
    if isinstance(fact, YearCleared):
        return fact.difference_fen
    if isinstance(fact, SettlementDeclared | RefusalDecided | PaymentFact):
        return fact.amount_fen
    return sum(one.fen for one in fact.postings)  # a refusal that is withdrawn, in red
