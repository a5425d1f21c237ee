"""余额: sums of postings on both time axes, by name, by month of care, and what institutions are owed.

A settlement waits in the ``staged_*`` tables while its claims intake runs; at the completion its
sums move to the others, known from that position on.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from projections.fold import Bucket, Page, Release, Remembered, Span
from projections.tables import BalanceTables
from projections.views.writing import add_up, put

_OWED = ("booked_fen", "paid_fen", "settlements", "refunds")
_SIDES = ("debit_fen", "credit_fen")


def remember(connection: Connection, tables: BalanceTables) -> Remembered:
    """Load what folding the next page must know."""
    spans = tables.claim_intakes.c
    running = connection.execute(
        select(spans.area, spans.intake, spans.started_position).where(
            spans.completed_position.is_(None)
        )
    )
    openings = connection.execute(select(tables.openings.c.position, tables.openings.c.nature))
    return Remembered(
        running={(row.area, row.intake): row.started_position for row in running},
        openings={row.position: row.nature for row in openings},
    )


def apply(connection: Connection, tables: BalanceTables, page: Page) -> None:
    """Add a page to the balances."""
    for release in page.releases:
        _release(connection, tables, release)
    for known_from, bucket in page.counted.items():
        _count(connection, tables, known_from, bucket)
    for (_, intake), bucket in page.staged.items():
        _stage(connection, tables, intake, bucket)
    put(connection, tables.claim_intakes, map(_span, page.spans))
    put(
        connection,
        tables.openings,
        ({"position": at, "nature": nature} for at, nature in page.openings),
    )


def _count(connection: Connection, tables: BalanceTables, known_from: int, bucket: Bucket) -> None:
    known = {"known_from": known_from}
    movements, parties = _spelled(bucket)
    add_up(connection, tables.movements, (row | known for row in movements))
    add_up(connection, tables.party_movements, (row | known for row in parties))
    care = _rows(bucket.care, _SIDES)
    add_up(connection, tables.care_movements, (row | known for row in care))
    add_up(connection, tables.claim_obligations, _rows(bucket.obligations, _OWED))


def _stage(connection: Connection, tables: BalanceTables, intake: str, bucket: Bucket) -> None:
    waiting = {"intake": intake}
    movements, parties = _spelled(bucket)
    add_up(connection, tables.staged_movements, (row | waiting for row in movements))
    add_up(connection, tables.staged_parties, (row | waiting for row in parties))
    owed = _rows(bucket.obligations, _OWED)
    add_up(connection, tables.staged_obligations, (row | waiting for row in owed))


def _spelled(bucket: Bucket) -> tuple[Iterator[dict[str, Any]], Iterator[dict[str, Any]]]:
    return (
        _rows(bucket.movements(), (*_SIDES, "lines")),
        _rows(bucket.party_movements(), _SIDES),
    )


def _rows(sums: Mapping[Any, list[int]], columns: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Spell keyed sums out as rows, sorted so that two writers would lock them in one order."""
    names = tuple(columns)
    for key in sorted(sums):
        yield {**key._asdict(), **dict(zip(names, sums[key], strict=True))}


def _span(span: Span) -> dict[str, Any]:
    return {
        "area": span.area,
        "intake": span.intake,
        "started_position": span.started,
        "completed_position": span.completed,
    }


def _release(connection: Connection, tables: BalanceTables, release: Release) -> None:
    known = {"known_from": release.known_from}
    for waiting, live, fixed in (
        (tables.staged_movements, tables.movements, known),
        (tables.staged_parties, tables.party_movements, known),
        (tables.staged_obligations, tables.claim_obligations, {}),
    ):
        whose = (waiting.c.area == release.area, waiting.c.intake == release.intake)
        found = connection.execute(select(waiting).where(*whose)).mappings()
        add_up(connection, live, (_moved(dict(row), live, fixed) for row in found))
        connection.execute(delete(waiting).where(*whose))


def _moved(row: Mapping[str, Any], live: Table, fixed: Mapping[str, int]) -> dict[str, Any]:
    return {name: row[name] for name in live.c.keys() if name in row} | dict(fixed)  # noqa: SIM118
