"""导入批次: what was brought in, by whom, and how far it has come."""

from typing import Any

from sqlalchemy import Connection, select, tuple_

from ledger.events.intake import IntakeCompleted, IntakeFact, IntakeReversed, IntakeStarted
from projections.page import Page
from projections.tables import IntakeTables
from projections.views.writing import put

POSTING, COMPLETED, REVERSED = "posting", "completed", "reversed"


def apply(connection: Connection, tables: IntakeTables, page: Page) -> None:
    """Move the intakes of a page on."""
    if not page.intakes and not page.rows_of:
        return
    c = tables.intakes.c
    touched = sorted({(fact.area, fact.intake) for _, fact in page.intakes} | set(page.rows_of))
    found = connection.execute(
        select(tables.intakes).where(tuple_(c.area, c.intake).in_(touched))
    ).mappings()
    intakes = {(row["area"], row["intake"]): dict(row) for row in found}
    begun: dict[str, Any] = dict.fromkeys(c.keys())
    for position, fact in page.intakes:
        key = (fact.area, fact.intake)
        before = intakes.get(key, begun)
        intakes[key] = {**before, "area": fact.area, "intake": fact.intake, **_step(position, fact)}
    for key, (first, last) in page.rows_of.items():
        row = intakes.setdefault(key, {**begun, "area": key[0], "intake": key[1]})
        row["first_position"] = row["first_position"] or first
        row["last_position"] = last
    put(connection, tables.intakes, intakes.values())


def _step(position: int, fact: IntakeFact) -> dict[str, Any]:
    if isinstance(fact, IntakeStarted):
        return {
            **_file(fact),
            "state": POSTING,
            "posted": None,
            "already": None,
            "started_position": position,
            "completed_position": None,
        }
    if isinstance(fact, IntakeCompleted):
        return {
            **_file(fact),
            "state": COMPLETED,
            "posted": fact.posted,
            "already": fact.already,
            "completed_position": position,
        }
    if isinstance(fact, IntakeReversed):
        return {
            "state": REVERSED,
            "reason": fact.reason,
            "reversed_rows": fact.reversed_rows,
            "reversed_position": position,
        }
    raise TypeError(f"no step of an intake: {fact.TOPIC}")


def _file(fact: IntakeStarted | IntakeCompleted) -> dict[str, Any]:
    return {
        "kind": fact.kind,
        "file": fact.file,
        "content": fact.content,
        "by": fact.by,
        "accepted": fact.accepted,
        "rejected": fact.rejected,
    }
