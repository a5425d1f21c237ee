"""导入批次: what was brought in, and how far it has come."""

from typing import Any

from sqlalchemy import select

from ledger.errors import InputRejected
from projections.queries.scope import scope_of
from projections.store import ReadStore


class IntakeUnknown(InputRejected):
    """No such intake (没有该导入批次)."""

    code = "intake_unknown"
    zh = "没有导入批次 {intake}。"
    en = "There is no intake {intake}."
    hint_zh = "请用 intake list 查看。"
    hint_en = "See intake list."


def intakes_document(
    store: ReadStore, *, area: str | None, intake: str | None = None
) -> dict[str, Any]:
    """List the intakes of an area in the order they came, or one of them."""
    with store.reading() as reading:
        scope = scope_of(reading, area=area)
        table = reading.intakes.intakes
        found = reading.connection.execute(select(table).where(table.c.area == scope.area))
        rows = [dict(row) for row in found.mappings()]
    if intake is not None:
        rows = [row for row in rows if row["intake"] == intake]
        if not rows:
            raise IntakeUnknown(intake=intake)
    rows.sort(key=lambda row: row["started_position"] or row["completed_position"] or 0)
    return {"position": reading.position, "area": scope.area, "intakes": rows}
