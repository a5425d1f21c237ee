"""账期: where every accounting month stands, and every step that led there."""

from typing import Any

from sqlalchemy import select

from projections.follow import PositionBeyondLog
from projections.queries.scope import scope_of
from projections.store import Reading, ReadStore
from projections.views.months import moved_on

_SHOWN = ("position", "step", "run", "by", "plan_hash", "cutoff_position")
_SEALED = ("sealed_position", "sealed_digest", "requested_by", "reason")


def periods_document(
    store: ReadStore,
    *,
    area: str | None,
    fund: str | None = None,
    known_at: int | None = None,
) -> dict[str, Any]:
    """List the months of an area that a close has touched, newest first; others are open."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        if known_at is not None and not 0 <= known_at <= reading.position:
            raise PositionBeyondLog(position=known_at, last=reading.position)
        steps = _steps(reading, area=scope.area, known_at=known_at)
    months = _months(steps)
    funds = {scope.wanted.partition(".")[0]} if scope.wanted else set(scope.funds)
    return {
        "position": reading.position,
        "known_at": known_at,
        "area": scope.area,
        "periods": [
            {
                **months[fund, period],
                "steps": [
                    {name: step[name] for name in (*_SHOWN, *_SEALED)}
                    for step in steps
                    if (step["fund"], step["period"]) == (fund, period)
                ],
            }
            for fund, period in sorted(months, key=lambda key: (key[0], key[1]), reverse=True)
            if fund in funds
        ],
    }


def months_at(
    reading: Reading, *, area: str, known_at: int | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Say how each touched month of an area stood at a position, by (fund, period)."""
    return _months(_steps(reading, area=area, known_at=known_at))


def _steps(reading: Reading, *, area: str, known_at: int | None) -> list[dict[str, Any]]:
    steps = reading.months.month_steps
    found = reading.connection.execute(
        select(steps)
        .where(
            steps.c.area == area,
            steps.c.position <= (reading.position if known_at is None else known_at),
        )
        .order_by(steps.c.position)
    )
    return [dict(row) for row in found.mappings()]


def _months(steps: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    months: dict[tuple[str, str], dict[str, Any]] = {}
    for step in steps:
        key = (step["fund"], step["period"])
        months[key] = moved_on(months.get(key), step)
    return months
