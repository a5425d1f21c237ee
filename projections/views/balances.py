"""余额: sums of postings on both time axes, by name, by month of care, and what institutions are owed.

A settlement waits in the ``staged_*`` tables while its claims intake runs; at the completion its
sums move to the others, known from that position on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Table, cast, delete, func, literal, select

from projections.page import Bucket, Page, Release, Remembered, Span
from projections.tables import BalanceTables
from projections.views.writing import Row, add_up, add_up_from, put

Key = tuple[str, str, str, str, str]


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
    _count(connection, tables, page.counted)
    for (_, intake), bucket in page.staged.items():
        _stage(connection, tables, intake, bucket)
    put(connection, tables.claim_intakes, map(_span, page.spans))
    put(
        connection,
        tables.openings,
        ({"position": at, "nature": nature} for at, nature in page.openings),
    )


def _count(connection: Connection, tables: BalanceTables, counted: Mapping[int, Bucket]) -> None:
    """Add what counts, all commits of the page at once: a statement each would cost as much again."""
    on_known_axis: tuple[tuple[Table, Callable[[Bucket], Mapping[Key, list[int]]]], ...] = (
        (tables.movements, Bucket.movements),
        (tables.party_movements, Bucket.party_movements),
        (tables.care_movements, lambda bucket: bucket.care),
    )
    for table, sums_of in on_known_axis:
        rows = [
            row
            for known_from, bucket in counted.items()
            for row in _rows(sums_of(bucket), then=(known_from,))
        ]
        add_up(connection, table, sorted(rows))
    whole = Bucket()
    for bucket in counted.values():
        whole.absorb(bucket)
    add_up(connection, tables.month_sums, _rows(whole.month_sums()))
    add_up(connection, tables.claim_obligations, _rows(whole.obligations()))


def _stage(connection: Connection, tables: BalanceTables, intake: str, bucket: Bucket) -> None:
    whose = (intake,)
    add_up(connection, tables.staged_movements, _rows(bucket.movements(), first=whose))
    add_up(connection, tables.staged_parties, _rows(bucket.party_movements(), first=whose))
    add_up(connection, tables.staged_obligations, _rows(bucket.obligations(), first=whose))


def _rows(sums: Mapping[Key, list[int]], *, first: Row = (), then: Row = ()) -> list[Row]:
    """Spell keyed sums out as rows, sorted so that two writers would lock them in one order."""
    return [(*first, *key, *then, *sums[key]) for key in sorted(sums)]


def _span(span: Span) -> dict[str, Any]:
    return {
        "area": span.area,
        "intake": span.intake,
        "started_position": span.started,
        "completed_position": span.completed,
    }


def _release(connection: Connection, tables: BalanceTables, release: Release) -> None:
    known = literal(release.known_from, BigInteger).label("known_from")
    for waiting, live in (
        (tables.staged_movements, tables.movements),
        (tables.staged_parties, tables.party_movements),
        (tables.staged_obligations, tables.claim_obligations),
    ):
        whose = (waiting.c.area == release.area, waiting.c.intake == release.intake)
        columns = (known if name == "known_from" else waiting.c[name] for name in _names(live))
        add_up_from(connection, live, select(*columns).where(*whose))
        if waiting is tables.staged_movements:
            add_up_from(connection, tables.month_sums, _month_sums(waiting).where(*whose))
        connection.execute(delete(waiting).where(*whose))


def _month_sums(movements: Table) -> Select[Any]:
    """Sum movements by booking month, in the columns of ``month_sums``."""
    c = movements.c
    keys = (c.area, c.fund, c.account, func.substr(c.booked_on, 1, 7), c.nature)
    sums = (cast(func.sum(one), BigInteger) for one in (c.debit_fen, c.credit_fen, c.lines))
    return select(*keys, *sums).group_by(*keys)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.c)
