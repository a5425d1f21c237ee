"""The targets (年度指标) of an area, for the indicators to be held against."""

from sqlalchemy import select

from projections.queries.indicators import Target
from projections.queries.scope import scope_of
from projections.store import ReadStore


def targets_of(store: ReadStore, *, area: str | None) -> list[Target]:
    """List every target that the setup names, of all years."""
    with store.reading() as reading:
        table = reading.setup.targets
        scope = scope_of(reading, area=area)
        found = reading.rows(select(table).where(table.c.area == scope.area))
    return [
        Target(row.indicator, row.fund, int(row.year), row.at_most, row.at_least) for row in found
    ]
