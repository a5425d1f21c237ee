"""结算单: one institution's month (or year) at one leaf fund, from what was booked to the bank's line.

What was booked comes from the read model, everything after it from the streams: that of the month
(``settlement_stream``), of the fund's runs and of the batches of payment orders.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from ledger.aggregates.payout import fold_payouts, order_states
from ledger.domain.chart import CHART
from ledger.domain.entry import Book
from ledger.domain.identity import clearing_stream, payouts_stream, settlement_stream
from ledger.domain.period import Year
from ledger.errors import InputRejected
from ledger.events.base import Envelope
from ledger.events.clearing import (
    ClearedLine,
    ClearingApproved,
    ClearingComputed,
    ClearingRejected,
    SettlementDeclared,
)
from ledger.events.clearing_year import YearApproved, YearComputed, YearRejected, YearResult
from ledger.events.payout import PaymentOrdered
from ledger.events.settlement import RefusalDecided, RefusalWithdrawn, SettlementFact
from projections.fold import NO_KIND
from projections.queries.bridge import bridge_of
from projections.queries.scope import scope_of
from projections.store import Reading, ReadStore

_DECISIONS = (ClearingApproved, ClearingRejected, YearApproved, YearRejected)


class Ledger(Protocol):
    """The books, as far as single streams are read from them."""

    def history(self, stream: UUID) -> list[tuple[int, Envelope]]: ...


class InstitutionUnknown(InputRejected):
    """The area has no such institution (机构未登记)."""

    code = "institution_unknown"
    zh = "统筹区 {area} 没有登记机构 {institution}。"
    en = "Area {area} has no institution {institution}."
    hint_zh = "请核对定点医药机构编号。"
    hint_en = "Check the institution's code."


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose statement: of one institution, leaf fund and month (or year)."""

    area: str
    fund: str
    institution: str
    period: str

    @property
    def months(self) -> tuple[str, ...]:
        """List the 清算年月 that it is about: of a year its months, then the year itself."""
        if len(self.period) == len("2024-01"):
            return (self.period,)
        return (*map(str, Year.parse(self.period).months), self.period)


@dataclass(frozen=True, slots=True)
class Run:
    """A clearing run of the fund and period, with the line of the institution; None: it has none."""

    computed: ClearingComputed | YearComputed
    state: str  # waiting, approved, rejected
    decided_by: str | None
    line: ClearedLine | YearResult | None

    @property
    def payable_fen(self) -> int:
        """Give what it makes payable: of a year the difference, and the deposit that is released."""
        if isinstance(self.line, YearResult):
            return self.line.difference_fen + self.line.release_fen
        return self.line.payable_fen if self.line else 0


def settlement_document(
    store: ReadStore, ledger: Ledger, *, area: str | None, fund: str, institution: str, period: str
) -> dict[str, Any]:
    """Give everything that the statement prints, as of the position of the read models."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        asked = Asked(scope.area, fund, institution, period)
        c = reading.setup.institutions.c
        named = reading.connection.execute(
            select(c.name, c.level).where(c.area == scope.area, c.code == institution)
        ).first()
        if named is None:
            raise InstitutionUnknown(area=scope.area, institution=institution)
        areas = reading.setup.areas.c
        area_name = reading.connection.scalar(select(areas.name).where(areas.area == scope.area))
        booked = _obligations(reading, asked)
    steps = _steps(ledger, asked)
    runs = runs_of(ledger, asked)
    payments = _payments(ledger, asked, [fact for _, fact in steps])
    return {
        "position": reading.position,
        "area": asked.area,
        "area_name": area_name,
        "fund": fund,
        "institution": institution,
        "name": named.name,
        "level": named.level,
        "period": period,
        "claims": _claims(booked),
        "applications": _applications(steps),
        "refusals": _refusals(steps),
        "runs": [_run(one) for one in runs],
        "offsets": _offsets(runs, institution),
        "payments": payments,
        "steps": [_step(position, fact) for position, fact in steps],
        **bridge_of(
            booked,
            steps,
            [
                one.line
                for one in runs
                if one.state == "approved" and isinstance(one.line, ClearedLine)
            ],
            payments,
        ),
    }


def _obligations(reading: Reading, asked: Asked) -> list[dict[str, Any]]:
    """Read what the obligations book says of the month, of a year: of all its months and itself."""
    owed = reading.balances.claim_obligations
    found = reading.connection.execute(
        select(owed)
        .where(
            owed.c.area == asked.area,
            owed.c.fund == asked.fund,
            owed.c.institution == asked.institution,
            owed.c.month.in_(asked.months),
        )
        .order_by(owed.c.month, owed.c.clr_type)
    )
    return [dict(row) for row in found.mappings()]


def _claims(booked: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up what was booked by 清算类别."""
    sums: dict[str, dict[str, Any]] = {}
    for row in booked:
        if row["clr_type"] != NO_KIND:
            mine = sums.setdefault(
                row["clr_type"],
                {"clr_type": row["clr_type"], "settlements": 0, "refunds": 0, "booked_fen": 0},
            )
            for name in ("settlements", "refunds", "booked_fen"):
                mine[name] += row[name]
    return [sums[key] for key in sorted(sums)]


def _steps(ledger: Ledger, asked: Asked) -> list[tuple[int, SettlementFact]]:
    found = [
        (position, item.fact)
        for month in asked.months
        for position, item in ledger.history(
            settlement_stream(asked.area, asked.fund, asked.institution, month)
        )
        if isinstance(item.fact, SettlementFact)
    ]
    return sorted(found, key=lambda one: one[0])


def runs_of(ledger: Ledger, asked: Asked) -> list[Run]:
    """Read the runs of the fund and period, each with the institution's line, in order."""
    found: dict[str, Run] = {}
    facts = (
        item.fact
        for month in asked.months
        for _, item in ledger.history(clearing_stream(asked.area, asked.fund, month))
    )
    for fact in facts:
        if isinstance(fact, ClearingComputed | YearComputed):
            mine = [one for one in fact.lines if one.institution == asked.institution]
            found[fact.run] = Run(fact, "waiting", None, mine[0] if mine else None)
        elif isinstance(fact, _DECISIONS):
            approved = isinstance(fact, ClearingApproved | YearApproved)
            state = "approved" if approved else "rejected"
            before = found[fact.run]
            found[fact.run] = Run(before.computed, state, fact.by, before.line)
    return [one for one in found.values() if one.state != "rejected"]


def _run(one: Run) -> dict[str, Any]:
    fact, line = one.computed, one.line
    return {
        "run": fact.run,
        "state": one.state,
        "prepared_by": fact.by,
        "decided_by": one.decided_by,
        "policy": fact.policy,
        "policy_hash": fact.policy_hash,
        "watermark": fact.watermark,
        "plan_hash": fact.plan_hash,
        "result": fact.result,
        "engine": f"{fact.engine} {fact.engine_version}",
        "kernel": fact.kernel,
        "of_year": isinstance(fact, YearComputed),
        "cases": line.cases if line else 0,
        "booked_fen": line.booked_fen if line else 0,
        "due_fen": line.due_fen if line else None,
        "payable_fen": one.payable_fen,
    }


def _applications(steps: Sequence[tuple[int, SettlementFact]]) -> list[dict[str, Any]]:
    return [
        {
            "application": fact.application,
            "run": fact.run,
            "date": fact.date,
            "amount_fen": fact.amount_fen,
            "summary": fact.summary,
            "position": position,
        }
        for position, fact in steps
        if isinstance(fact, SettlementDeclared)
    ]


def _refusals(steps: Sequence[tuple[int, SettlementFact]]) -> list[dict[str, Any]]:
    """List every refusal with its reason; one that was withdrawn stands with its withdrawal."""
    withdrawn = {
        fact.original_position: fact for _, fact in steps if isinstance(fact, RefusalWithdrawn)
    }
    return [
        {
            "doc_no": fact.doc_no,
            "date": fact.date,
            "reason_code": fact.reason_code,
            "reason": fact.reason,
            "setl_id": fact.setl_id,
            "amount_fen": fact.amount_fen,
            "withdrawn_on": withdrawn[position].date if position in withdrawn else None,
            "position": position,
        }
        for position, fact in steps
        if isinstance(fact, RefusalDecided)
    ]


def _offsets(runs: Iterable[Run], institution: str) -> list[dict[str, Any]]:
    return [
        {"run": run.computed.run, "doc_no": one.doc_no, "fen": one.fen, "same_year": one.same_year}
        for run in runs
        if run.state == "approved" and isinstance(run.computed, ClearingComputed)
        for one in run.computed.offsets
        if one.institution == institution
    ]


def _payments(
    ledger: Ledger, asked: Asked, facts: Sequence[SettlementFact]
) -> list[dict[str, Any]]:
    """List the payment orders of the month, each whole, with what the bank made of it."""
    found = []
    for ordered in facts:
        if not isinstance(ordered, PaymentOrdered):
            continue
        state = order_states(facts, ordered.payout, ordered.line)[-1]
        found.append(
            {
                "order_no": ordered.order_no,
                "payee": ordered.payee,
                "ordered_on": ordered.date,
                "amount_fen": ordered.amount_fen,
                "earlier_fen": _earlier(ledger, asked, ordered),
                "state": state.state,
                "date": None if state.state == "ordered" else state.date,
                "bank_ref": state.bank_ref,
                "reason": state.reason,
            }
        )
    return found


def _earlier(ledger: Ledger, asked: Asked, ordered: PaymentOrdered) -> int:
    """Say what the order pays of months before this one: what this month's run carried in."""
    month = ordered.date[:7]
    stream = payouts_stream(asked.area, asked.fund, month)
    batches = fold_payouts(
        asked.area, asked.fund, month, (item.fact for _, item in ledger.history(stream))
    ).batches
    lines = [
        line
        for batch in batches
        if batch.id == ordered.payout
        for line in batch.prepared.lines
        if line.line == ordered.line
    ]
    return sum(part.fen for line in lines for part in line.parts if part.month < asked.period)


def _step(position: int, fact: SettlementFact) -> dict[str, Any]:
    """Show a step of settling by what it moves between the accounts of the obligations book."""
    moved = [one for one in fact.postings if CHART[one.debit].book is Book.OBLIGATIONS]
    return {
        "position": position,
        "topic": fact.TOPIC,
        "month": fact.belongs_to,
        "date": fact.date,
        "summary": fact.summary,
        "moves": [{"from": one.debit, "to": one.credit, "fen": one.fen} for one in moved],
    }
