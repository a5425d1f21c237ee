"""结算单: one institution's month (or year) at one leaf fund, from what was booked to the bank's line.

What was booked comes from the read model, everything after it from the streams: that of the month
(``settlement_stream``), of the fund's runs and of the batches of payment orders.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import select

from ledger.domain.chart import CHART
from ledger.domain.entry import Book
from ledger.domain.identity import clearing_stream, settlement_stream
from ledger.domain.period import Year
from ledger.errors import InputRejected
from ledger.events.clearing import (
    ClearedLine,
    ClearingApproved,
    ClearingComputed,
    ClearingRejected,
    SettlementApproved,
    SettlementDeclared,
)
from ledger.events.clearing_year import (
    YearApproved,
    YearCleared,
    YearComputed,
    YearRejected,
    YearResult,
)
from ledger.events.settlement import RefusalDecided, RefusalWithdrawn, SettlementFact
from projections.fold import NO_KIND
from projections.queries.bank_lines import Streams
from projections.queries.bridge import bridge_of
from projections.queries.scope import scope_of
from projections.queries.settlement_paying import Steps, payments_of, plan_of
from projections.store import Reading, ReadStore

_DECISIONS = (ClearingApproved, ClearingRejected, YearApproved, YearRejected)


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
    position: int  # of its last step in the log

    @property
    def payable_fen(self) -> int:
        """Give what it makes payable: of a year the difference, and the deposit that is released."""
        if isinstance(self.line, YearResult):
            return self.line.difference_fen + self.line.release_fen
        return self.line.payable_fen if self.line else 0


def settlement_document(
    store: ReadStore, ledger: Streams, *, area: str | None, fund: str, institution: str, period: str
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
    payments = payments_of(ledger, asked.area, asked.fund, asked.period, steps)
    approved = [one for one in runs if one.state == "approved"]
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
        "applications": _applications(steps, runs),
        "refusals": _refusals(steps),
        "runs": [_run(one, steps) for one in runs],
        "offsets": _offsets(approved, institution, steps),
        "months": _months(approved) if len(asked.months) > 1 else [],
        "year": _year(approved),
        "payments": payments,
        "plan": plan_of(ledger, asked.area, asked.fund, payments),
        "steps": [_step(position, fact) for position, fact in steps],
        **bridge_of(
            booked,
            steps,
            [(one.computed.run, one.line) for one in approved if isinstance(one.line, ClearedLine)],
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


def _steps(ledger: Streams, asked: Asked) -> list[tuple[int, SettlementFact]]:
    found = [
        (position, item.fact)
        for month in asked.months
        for position, item in ledger.history(
            settlement_stream(asked.area, asked.fund, asked.institution, month)
        )
        if isinstance(item.fact, SettlementFact)
    ]
    return sorted(found, key=lambda one: one[0])


def runs_of(ledger: Streams, asked: Asked) -> list[Run]:
    """Read the runs of the fund and period, each with the institution's line, in order."""
    found: dict[str, Run] = {}
    facts = (
        (position, item.fact)
        for month in asked.months
        for position, item in ledger.history(clearing_stream(asked.area, asked.fund, month))
    )
    for position, fact in facts:
        if isinstance(fact, ClearingComputed | YearComputed):
            mine = [one for one in fact.lines if one.institution == asked.institution]
            found[fact.run] = Run(fact, "waiting", None, mine[0] if mine else None, position)
        elif isinstance(fact, _DECISIONS):
            approved = isinstance(fact, ClearingApproved | YearApproved)
            state = "approved" if approved else "rejected"
            found[fact.run] = replace(
                found[fact.run], state=state, decided_by=fact.by, position=position
            )
    return [one for one in found.values() if one.state != "rejected"]


def _run(one: Run, steps: Steps) -> dict[str, Any]:
    fact, line = one.computed, one.line
    date, position = _posted(steps, fact.run)
    return {
        "run": fact.run,
        "period": fact.period,
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
        "date": date,
        "position": one.position if position is None else position,
        "cases": line.cases if line else 0,
        "booked_fen": line.booked_fen if line else 0,
        "due_fen": line.due_fen if line else None,
        "payable_fen": one.payable_fen,
    }


def _posted(steps: Steps, run: str) -> tuple[str | None, int | None]:
    """Give date and position of what a run posted for the institution; None where it did not."""
    return next(
        (
            (fact.date, position)
            for position, fact in steps
            if isinstance(fact, SettlementApproved | YearCleared) and fact.run == run
        ),
        (None, None),
    )


def _months(approved: Iterable[Run]) -> list[dict[str, Any]]:
    """List what each approved run of a month settled, as the bridge has it in sums."""
    return [
        {"period": one.computed.period, "run": one.computed.run, **msgspec.structs.asdict(one.line)}
        for one in approved
        if isinstance(one.line, ClearedLine)
    ]


def _year(approved: Iterable[Run]) -> list[dict[str, Any]]:
    """List what each approved run of the year came to (年度清算)."""
    return [
        {"run": one.computed.run, **msgspec.structs.asdict(one.line)}
        for one in approved
        if isinstance(one.line, YearResult)
    ]


def _applications(steps: Steps, runs: Iterable[Run]) -> list[dict[str, Any]]:
    """List what was declared; what a run declared on the institution's behalf was decided with it."""
    decided = {one.computed.run: one.decided_by for one in runs}
    return [
        {
            "application": fact.application,
            "run": fact.run,
            "date": fact.date,
            "by": fact.prepared_by,
            "decided_by": decided.get(fact.run) if fact.run else None,
            "amount_fen": fact.amount_fen,
            "summary": fact.summary,
            "position": position,
        }
        for position, fact in steps
        if isinstance(fact, SettlementDeclared)
    ]


def _refusals(steps: Steps) -> list[dict[str, Any]]:
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


def _offsets(approved: Iterable[Run], institution: str, steps: Steps) -> list[dict[str, Any]]:
    found = []
    for run in approved:
        if not isinstance(run.computed, ClearingComputed):
            continue
        date, position = _posted(steps, run.computed.run)
        found += [
            {
                "run": run.computed.run,
                "doc_no": one.doc_no,
                "fen": one.fen,
                "same_year": one.same_year,
                "date": date,
                "position": position,
            }
            for one in run.computed.offsets
            if one.institution == institution
        ]
    return found


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
