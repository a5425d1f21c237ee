"""应付定点机构: what institutions are owed by fund, month of care and 清算类别, and what was paid."""

from typing import Any

from sqlalchemy import select

from projections.queries.scope import scope_of
from projections.store import ReadStore

_SUMS = ("booked_fen", "paid_fen", "settlements", "refunds")


def obligations_document(
    store: ReadStore,
    *,
    area: str | None,
    fund: str | None = None,
    institution: str | None = None,
    period: str | None = None,
) -> dict[str, Any]:
    """List obligations and, per institution and fund, what is still owed.

    Payments are not told apart by 清算类别: their lines carry ``-``. ``period`` is the month of care.
    """
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        table = reading.balances.claim_obligations
        wanted = [table.c.area == scope.area, table.c.fund.in_(scope.leaves)]
        wanted += [table.c.institution == institution] if institution else []
        wanted += [table.c.month == period] if period else []
        found = reading.connection.execute(
            select(table).where(*wanted).order_by(*table.primary_key)
        )
        rows = [dict(row) for row in found.mappings()]
        named = reading.setup.institutions.c
        registered = reading.rows(select(named.code, named.name).where(named.area == scope.area))
    names: dict[str, str] = {row.code: row.name for row in registered}
    return {
        "position": reading.position,
        "area": scope.area,
        "obligations": [row | {"name": names.get(row["institution"])} for row in rows],
        "institutions": _totals(rows, names),
    }


def _totals(rows: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    totals: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        sums = totals.setdefault((row["institution"], row["fund"]), dict.fromkeys(_SUMS, 0))
        for name in _SUMS:
            sums[name] += row[name]
    return [
        {
            "institution": institution,
            "name": names.get(institution),
            "fund": fund,
            **sums,
            "owed_fen": sums["booked_fen"] - sums["paid_fen"],
        }
        for (institution, fund), sums in sorted(totals.items())
    ]
