"""Rebuilding read models (重建) beside the live ones, with a comparison, then a switch.

Reads go on meanwhile. What the live tables hold otherwise than the log says is reported, and healed
by the switch. A rebuild that was killed leaves tables that nobody reads; the next one begins anew.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, delete, except_, func, inspect, literal, select, update
from sqlalchemy.exc import OperationalError

from ledger.archive.read import Archive
from ledger.errors import BooksDamaged, InputRejected
from projections.follow import (
    PAGE_SIZE,
    Ledger,
    Log,
    PageRefused,
    Progress,
    apply_page,
    begin,
    make_generation,
    make_state,
    next_page,
    remembered_by,
)
from projections.rebuild.archived import ArchivedPages
from projections.store import (
    BUILDING,
    LIVE,
    RETIRED,
    NothingProjected,
    ProjectionsOutdated,
    ProjectionsTorn,
    ReadStore,
)
from projections.tables import STATE, VIEW_TABLES, shape_of

_KEYS_SHOWN = 5


class ViewUnknown(InputRejected):
    """There is no such read model (没有该投影)."""

    code = "view_unknown"
    zh = "没有投影 {name},可选:{names}。"
    en = "There is no view {name}; there are: {names}."
    hint_zh = "不写名称则重建全部。"
    hint_en = "Without a name all of them are rebuilt."


class ArchiveDisagrees(BooksDamaged):
    """What was built from the archive is not what the live tables hold (归档与投影不一致)."""

    code = "archive_disagrees"
    zh = "由归档 {folder} 重建的 {tables} 与现用投影不一致,未切换。"
    en = "{tables} built from the archive {folder} differ from the live ones; nothing was switched."
    hint_zh = "请运行 archive --check,并以 rebuild --from log 由日志重建。"
    hint_en = "Run archive --check, and rebuild --from log."


class Generation(NamedTuple):
    """One generation of a view and where it stands."""

    view: str
    generation: int
    status: str
    position: int
    shape: str | None

    @property
    def outdated(self) -> bool:
        """Tell whether another version made it, which writes the view otherwise."""
        return self.shape != shape_of(self.view)


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How a live table differs from what the log says, row by row."""

    view: str
    table: str
    problem: str  # rows, columns, table_missing, position, shape
    missing: int = 0
    surplus: int = 0
    keys: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """Give the difference as JSON."""
        return {
            "view": self.view,
            "table": self.table,
            "problem": self.problem,
            "missing": self.missing,
            "surplus": self.surplus,
            "keys": list(self.keys),
        }


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. ``compared_at`` is the position of the comparison."""

    position: int
    compared_at: int
    generations: Mapping[str, int]
    differences: tuple[TableDifference, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """Give the JSON document of ``rebuild``."""
        return {
            "position": self.position,
            "compared_at": self.compared_at,
            "equal": not self.differences,
            "views": [
                {"view": view, "generation": generation}
                for view, generation in sorted(self.generations.items())
            ],
            "differences": [difference.document() for difference in self.differences],
        }


def rebuild(
    ledger: Ledger,
    store: ReadStore,
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
    *,
    page_size: int = PAGE_SIZE,
    archive: Archive | None = None,
) -> Rebuilt:
    """Build the named views (all without a name) again from the log, compare, and switch.

    With an archive its ranges are read instead of the log, which gives the rest. An archive is a
    copy: where the new tables then differ from the live ones nothing is switched
    (ArchiveDisagrees), since only the log could say which are right.
    """
    with store.writing() as connection:
        make_state(connection)
    with suppress(ProjectionsTorn, ProjectionsOutdated):  # that is what a rebuild is for
        begin(store)
    drop_retired(store)
    generations = _start(store, _wanted(names))
    if archive is not None:
        with closing(ArchivedPages(archive, ledger.log)) as pages:
            _catch_up(ledger.log, store, generations, pages, page_size=page_size, progress=progress)
    compared: tuple[int, tuple[TableDifference, ...]] | None = None
    position: int | None = None
    while compared is None or position is None:
        _catch_up(ledger.log, store, generations, page_size=page_size, progress=progress)
        compared = compared or _compare(ledger.log, store, generations)
        if compared is not None:
            if archive is not None:
                _refuse_rows(archive, compared[1])
            position = _switch(ledger.log, store, generations)
    drop_retired(store)
    return Rebuilt(position, compared[0], generations, compared[1])


def renew(
    ledger: Ledger,
    store: ReadStore,
    progress: Progress | None = None,
    *,
    page_size: int = PAGE_SIZE,
) -> Rebuilt | None:
    """Rebuild read models that another version made; None where there are none of that kind."""
    try:
        with store.reading():
            return None
    except ProjectionsOutdated:
        return rebuild(ledger, store, None, progress, page_size=page_size)
    except NothingProjected:
        return None


def _refuse_rows(archive: Archive, differences: Iterable[TableDifference]) -> None:
    tables = [difference.table for difference in differences if difference.problem == "rows"]
    if tables:
        raise ArchiveDisagrees(folder=str(archive.folder), tables=", ".join(tables))


def drop_retired(store: ReadStore) -> bool:
    """Drop generations that were switched away; false where readings held them too long."""
    try:
        with store.dropping() as connection:
            for row in _stand(connection):
                if row.status == RETIRED:
                    _drop(connection, row)
    except OperationalError:
        return False
    return True


def _wanted(names: Iterable[str] | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(names or ())) or tuple(VIEW_TABLES)
    for name in wanted:
        if name not in VIEW_TABLES:
            raise ViewUnknown(name=name, names=", ".join(VIEW_TABLES))
    return wanted


def _stand(connection: Connection) -> list[Generation]:
    c = STATE.c
    found = connection.execute(select(c.view, c.generation, c.status, c.position, c.shape))
    return [Generation(*row) for row in found]


def _drop(connection: Connection, row: Generation) -> None:
    for table in VIEW_TABLES[row.view](row.generation).all():
        table.drop(connection, checkfirst=True)
    c = STATE.c
    connection.execute(delete(STATE).where(c.view == row.view, c.generation == row.generation))


def _start(store: ReadStore, wanted: tuple[str, ...]) -> dict[str, int]:
    """Make empty tables for the next generation.

    Views that do not stand with the others, or were made by another version, join.
    """
    with store.writing() as connection:
        stand = _stand(connection)
        live = {row.view: row for row in stand if row.status == LIVE}
        furthest = max((row.position for row in live.values()), default=0)
        sound = {
            view for view, row in live.items() if row.position == furthest and not row.outdated
        }
        behind = [view for view in VIEW_TABLES if view not in sound]
        generations: dict[str, int] = {}
        for view in dict.fromkeys((*wanted, *behind)):
            mine = [row for row in stand if row.view == view]
            for row in mine:
                if row.status == BUILDING:
                    _drop(connection, row)
            generations[view] = max((row.generation for row in mine), default=0) + 1
            make_generation(connection, view, generations[view], BUILDING)
    return generations


def _target(log: Log, stand: Iterable[Generation], generations: Mapping[str, int]) -> int:
    """Say how far the new tables must come: to the live ones that stay, else as far as the old ones.

    An old position that the log does not have is one of the damages a rebuild heals.
    """
    live = [row for row in stand if row.status == LIVE]
    staying = [row.position for row in live if row.view not in generations]
    furthest = max(staying or [row.position for row in live], default=0)
    seal = log.seal_covering(min(furthest, log.last_position()))
    return seal.last_position if seal else 0


def _catch_up(
    log: Log,
    store: ReadStore,
    generations: Mapping[str, int],
    archived: ArchivedPages | None = None,
    *,
    page_size: int,
    progress: Progress | None,
) -> None:
    """Bring the new tables as far as the others are; from an archive only as far as it goes."""
    while True:
        with store.snapshot() as connection:
            stand = _stand(connection)
            position = _position(stand, generations)
            target = _target(log, stand, generations)
            remembered = remembered_by(connection, generations)
        if position >= target:
            return
        if archived is not None:
            page = archived.next_page(after=position, until=target, remembered=remembered)
        else:
            page = next_page(
                log, after=position, remembered=remembered, page_size=page_size, until=target
            )
        if page is None:
            return
        with store.writing() as connection:
            apply_page(connection, generations, page)
        if progress is not None:
            progress(page.last)


def _position(stand: Iterable[Generation], generations: Mapping[str, int]) -> int:
    """Give where the new tables stand; PageRefused where another rebuild has taken over."""
    mine = {row.view: row.position for row in stand if row.generation == generations.get(row.view)}
    for view, generation in generations.items():
        if view not in mine:
            raise PageRefused(view=view, generation=generation, after="?")
    return min(mine.values())


def _compare(
    log: Log, store: ReadStore, generations: Mapping[str, int]
) -> tuple[int, tuple[TableDifference, ...]] | None:
    """Hold the live tables against the new ones at the same position; None where they moved on."""
    with store.snapshot() as connection:
        stand = _stand(connection)
        position = _position(stand, generations)
        if position != _target(log, stand, generations):
            return None
        live = {row.view: row for row in stand if row.status == LIVE}
        found: list[TableDifference] = []
        for view, generation in generations.items():
            found.extend(_compare_view(connection, view, live.get(view), generation, position))
    return position, tuple(found)


def _compare_view(
    connection: Connection, view: str, old: Generation | None, generation: int, position: int
) -> list[TableDifference]:
    if old is None or old.position != position:
        return [TableDifference(view, STATE.name, "position")]
    if old.outdated:
        return [TableDifference(view, STATE.name, "shape")]
    pairs = zip(
        VIEW_TABLES[view](old.generation).all(), VIEW_TABLES[view](generation).all(), strict=True
    )
    found = (_compare_tables(connection, view, mine, new) for mine, new in pairs)
    return [difference for difference in found if difference is not None]


def _compare_tables(
    connection: Connection, view: str, old: Table, new: Table
) -> TableDifference | None:
    name = new.name.rpartition("_g")[0]
    inspector = inspect(connection)
    if not inspector.has_table(old.name):
        return TableDifference(view, name, "table_missing")
    present = {column["name"] for column in inspector.get_columns(old.name)}
    if present != {column.name for column in new.c}:
        return TableDifference(view, name, "columns")
    missing = except_(select(*new.c), select(*old.c)).subquery()
    surplus = except_(select(*old.c), select(*new.c)).subquery()
    counts = connection.execute(
        select(
            select(func.count()).select_from(missing).scalar_subquery(),
            select(func.count()).select_from(surplus).scalar_subquery(),
        )
    ).one()
    if not any(counts):
        return None
    keys = [column.name for column in new.primary_key]
    differing = (
        select(*(missing.c[key] for key in keys))
        .union(select(*(surplus.c[key] for key in keys)))
        .limit(_KEYS_SHOWN)
    )
    found = connection.execute(differing.order_by(*keys)).mappings()
    return TableDifference(
        view, name, "rows", counts[0], counts[1], tuple(dict(row) for row in found)
    )


def _switch(log: Log, store: ReadStore, generations: Mapping[str, int]) -> int | None:
    """Make the new tables the live ones, if nothing was projected since; None where it was."""
    with store.writing() as connection:
        stand = _stand(connection)
        position = _position(stand, generations)
        if position != _target(log, stand, generations):
            return None
        c = STATE.c
        for view, generation in generations.items():
            whose = (c.view == view, c.status == LIVE)
            connection.execute(update(STATE).where(*whose).values(status=RETIRED))
            whose = (c.view == view, c.generation == literal(generation))
            connection.execute(update(STATE).where(*whose).values(status=LIVE))
    return position
