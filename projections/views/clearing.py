"""清算批次: every run with a line for each institution as it stands, cases grouped afterwards, reconciliations."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, update

from ledger.events import clearing as facts
from ledger.events.cases import CaseGrouped
from ledger.events.reconciliation import ComparedTotals, ReconciliationRecorded
from projections.page import Page
from projections.tables import CLEARING_SUMS, FUND_SUMS, LIST_SUMS, ClearingTables
from projections.views.writing import put

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
EVEN = "0"  # 3201: 平
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
        elif isinstance(fact, ReconciliationRecorded):
            _reconciled(connection, tables, fact)
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


def _reconciled(
    connection: Connection, tables: ClearingTables, fact: ReconciliationRecorded
) -> None:
    """Write the latest result of a month in place of the one before."""
    for table, rows in (
        (tables.reconciled_funds, _funds(fact)),
        (tables.reconciled_institutions, _lists(fact)),
    ):
        of_month = (table.c.area == fact.area) & (table.c.period == fact.period)
        connection.execute(delete(table).where(of_month))
        put(connection, table, rows)


def _funds(fact: ReconciliationRecorded) -> list[dict[str, Any]]:
    """Add up by institution and fund the groups of those who stated something.

    A difference that cannot be told apart by fund (``untold``) is a difference of every fund in it.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in fact.funds:
        if not one.fund or one.institution in fact.unreconciled:
            continue
        sums = found.setdefault((one.institution, one.fund), dict.fromkeys(FUND_SUMS, 0))
        sums["compared"] += 1
        sums["even"] += one.result == EVEN
        sums["ours_fen"] += one.ours_fen
        sums["untold"] += one.theirs_fen is None
        if one.theirs_fen is not None:
            sums["apart_fen"] += abs(one.ours_fen - one.theirs_fen)
    return [
        {
            "area": fact.area,
            "period": fact.period,
            "institution": institution,
            "fund": fund,
            **sums,
        }
        for (institution, fund), sums in found.items()
    ]


def _lists(fact: ReconciliationRecorded) -> list[dict[str, Any]]:
    """Say of each institution how many settlements were compared one by one, and how many are right.

    Where all groups are even nothing is compared one by one: every settlement that was stated is right.
    """
    found = dict.fromkeys(fact.unreconciled, (0, 0, 0))
    groups: dict[str, list[ComparedTotals]] = {}
    for group in fact.groups:
        groups.setdefault(group.institution, []).append(group)
    for institution, mine in groups.items():
        all_even = all(group.result == EVEN for group in mine)
        cases = sum(group.ours[0] for group in mine) if all_even else 0
        found[institution] = (1, cases, cases)
    for one in fact.details:
        listed = one.even + one.ours_more + one.theirs_more + one.unequal
        found[one.institution] = (1, listed, one.even)
    return [
        {
            "area": fact.area,
            "period": fact.period,
            "institution": institution,
            **dict(zip(LIST_SUMS, sums, strict=True)),
        }
        for institution, sums in found.items()
    ]
