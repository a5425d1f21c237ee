"""清算批次: every run with a line for each institution as it stands, and the cases grouped afterwards."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, update

from ledger.events import clearing as facts
from ledger.events.cases import CaseGrouped
from projections.page import Page
from projections.tables import CLEARING_SUMS, ClearingTables
from projections.views.writing import put

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
_DECIDED: dict[type[facts.ClearingFact], str] = {
    facts.ClearingApproved: APPROVED,
    facts.ClearingRejected: REJECTED,
}


def apply(connection: Connection, tables: ClearingTables, page: Page) -> None:
    """Write the runs of a page, and move them on, in the order of the log."""
    for position, fact in page.clearing:
        if isinstance(fact, facts.ClearingComputed):
            put(connection, tables.clearing_runs, [_run(position, fact)])
            put(connection, tables.clearing_lines, _lines(fact))
        elif isinstance(fact, CaseGrouped):
            named = {
                name: getattr(fact, name) for name in ("area", "setl_id", "institution", "period")
            }
            put(connection, tables.regrouped_cases, [named])
        else:
            c = tables.clearing_runs.c
            connection.execute(
                update(tables.clearing_runs)
                .where(
                    c.area == fact.area,
                    c.fund == fact.fund,
                    c.period == fact.period,
                    c.run == fact.run,
                )
                .values(state=_DECIDED[type(fact)], decided_by=fact.by, position=position)
            )


def _named(fact: facts.ClearingFact) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in ("area", "fund", "period", "run")}


def _run(position: int, fact: facts.ClearingComputed) -> dict[str, Any]:
    said = ("by", "policy", "policy_hash", "basis", "point_value")
    return {
        **_named(fact),
        "number": int(fact.run.rpartition("-")[2]),
        "state": WAITING,
        "decided_by": None,
        **{name: getattr(fact, name) for name in said},
        "position": position,
    }


def _lines(fact: facts.ClearingComputed) -> Iterator[dict[str, Any]]:
    for line in fact.lines:
        said = msgspec.structs.asdict(line)
        yield {
            **_named(fact),
            "institution": line.institution,
            "has_due": int(line.due_fen is not None),
            **{name: said[name] or 0 for name in CLEARING_SUMS},
        }
