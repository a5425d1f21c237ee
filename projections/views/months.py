"""账期: every step of an accounting month, and where the month stands now."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_

from ledger.events import month as facts
from ledger.events.month import MonthFact
from projections.page import Page
from projections.tables import MonthTables
from projections.views.writing import put

OPEN, FROZEN, COMPUTED, APPROVED, SEALED = "open", "frozen", "computed", "approved", "sealed"
#: Sealed, and somebody has asked to open it again (申请反结账).
REOPENING = "reopening"

_STATES = {
    facts.MonthFrozen.TOPIC: FROZEN,
    facts.CloseComputed.TOPIC: COMPUTED,
    facts.CloseApproved.TOPIC: APPROVED,
    facts.CloseRejected.TOPIC: OPEN,
    facts.MonthSealed.TOPIC: SEALED,
    facts.ReopenRequested.TOPIC: REOPENING,
    facts.ReopenRejected.TOPIC: SEALED,
    facts.MonthReopened.TOPIC: OPEN,
}
_WHO = {
    facts.MonthFrozen.TOPIC: "requested_by",
    facts.CloseComputed.TOPIC: "computed_by",
    facts.CloseApproved.TOPIC: "approved_by",
    facts.MonthSealed.TOPIC: "sealed_by",
    facts.ReopenRequested.TOPIC: "reopen_requested_by",
}
_NOTED = ("plan_hash", "cutoff_position", "sealed_position", "sealed_digest", "reason")
_BEGUN: dict[str, Any] = dict.fromkeys(
    ("state", "run", "close_run", *_WHO.values(), *_NOTED, "position"), None
)


def apply(connection: Connection, tables: MonthTables, page: Page) -> None:
    """Write the steps of a page and move their months on."""
    if not page.months:
        return
    steps = [_step(position, fact) for position, fact in page.months]
    connection.execute(insert(tables.month_steps), steps)
    c = tables.periods.c
    touched = sorted({(step["area"], step["fund"], step["period"]) for step in steps})
    found = connection.execute(
        select(tables.periods).where(tuple_(c.area, c.fund, c.period).in_(touched))
    ).mappings()
    months = {(row["area"], row["fund"], row["period"]): dict(row) for row in found}
    for step in steps:
        key = (step["area"], step["fund"], step["period"])
        months[key] = moved_on(months.get(key), step)
    put(connection, tables.periods, months.values())


def _step(position: int, fact: MonthFact) -> dict[str, Any]:
    # What lies before the freeze is in the month (锁账点).
    cutoff = position - 1 if isinstance(fact, facts.MonthFrozen) else None
    return {
        "position": position,
        "area": fact.area,
        "fund": fact.fund,
        "period": fact.period,
        "run": fact.run,
        "step": fact.TOPIC,
        "by": fact.by,
        **{name: getattr(fact, name, None) for name in (*_NOTED, "requested_by")},
        "cutoff_position": getattr(fact, "cutoff_position", cutoff),
    }


def moved_on(month: Mapping[str, Any] | None, step: Mapping[str, Any]) -> dict[str, Any]:
    """Give a month after a step; a new close and a reopening begin with nothing decided."""
    topic = step["step"]
    fresh = month is None or topic in {facts.MonthFrozen.TOPIC, facts.MonthReopened.TOPIC}
    before = _BEGUN if month is None or fresh else month
    noted = {name: step[name] for name in _NOTED if step[name] is not None}
    who = {_WHO[topic]: step["by"]} if topic in _WHO else {}
    return {
        **before,
        "area": step["area"],
        "fund": step["fund"],
        "period": step["period"],
        "run": step["run"],
        "close_run": step["run"] if topic == facts.MonthFrozen.TOPIC else before["close_run"],
        "state": _STATES[topic],
        "position": step["position"],
        **who,
        **noted,
    }
