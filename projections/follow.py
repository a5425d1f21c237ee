"""The projector (投影): follows the log page by page, the same loop on both stores.

A page is a run of whole commits. It is read and folded without any lock, and then written with the
new position in one transaction that starts from the old position or not at all: a page that two
projectors hold is written once. The first use makes the tables; they are not part of the schema
that migrations keep, because they can be thrown away at any time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, insert, inspect, select, text, update

from ledger.errors import Conflict, InputRejected
from ledger.store.reading import StoredFact
from ledger.store.seals import Seal
from projections.fold import Fold, ProjectionStopped
from projections.page import Page, Remembered
from projections.store import BUILDING, LIVE, NothingProjected, ReadStore
from projections.tables import STATE, VIEW_TABLES, Tables, balance_tables, shape_of
from projections.views import balances, clearing, intakes, journal, months, setup

#: Events in a page; a larger commit is still one page. The sums of a page are written once, so fewer
#: pages are less writing; what is in memory at a time is much less (``READ_SIZE``).
PAGE_SIZE = 100_000
#: Events that are read at once, also in whole commits.
READ_SIZE = 20_000
_SEALS_AT_ONCE = 5_000

Progress = Callable[[int], None]
_APPLY: dict[str, Callable[[Connection, Any, Page], None]] = {
    "balances": balances.apply,
    "journal": journal.apply,
    "months": months.apply,
    "intakes": intakes.apply,
    "clearing": clearing.apply,
    "setup": setup.apply,
}


class Log(Protocol):
    """What the projector asks of the log."""

    def last_position(self) -> int: ...

    def read_facts(self, *, after: int, until: int) -> list[StoredFact]: ...

    def seals(self, *, after: int = 0, limit: int = 1000) -> list[Seal]: ...

    def seal_covering(self, position: int) -> Seal | None: ...


class Ledger(Protocol):
    """The books, as far as projections need them."""

    @property
    def log(self) -> Log: ...


class PageRefused(Conflict):
    """The page was written already, or its generation is gone (该页已投影)."""

    code = "page_refused"
    zh = "投影 {view} 第 {generation} 代已不在位置 {after},该页未写入。"
    en = "Generation {generation} of {view} is no longer at position {after}; the page was not written."
    hint_zh = "另一进程已先行投影,请重试。"
    hint_en = "Another process projected first; try again."


class PositionBeyondLog(InputRejected):
    """A position that the log has not reached (位置超出日志)."""

    code = "position_beyond_log"
    zh = "日志只到位置 {last},没有位置 {position}。"
    en = "The log ends at position {last}; there is no position {position}."
    hint_zh = "请核对位置。"
    hint_en = "Check the position."


def bring_up_to(
    ledger: Ledger,
    store: ReadStore,
    position: int,
    *,
    page_size: int = PAGE_SIZE,
    progress: Progress | None = None,
) -> int:
    """Project up to a log position at least, so that a reader sees what it wrote; gives where it is."""
    if position > ledger.log.last_position():
        raise PositionBeyondLog(position=position, last=ledger.log.last_position())
    begin(store)
    while True:
        with store.reading() as reading:
            reached, generations = reading.position, dict(reading.generations)
            if reached >= position:
                return reached
            remembered = balances.remember(reading.connection, reading.balances)
        page = next_page(ledger.log, after=reached, remembered=remembered, page_size=page_size)
        if page is None:
            raise PositionBeyondLog(position=position, last=reached)
        try:
            with store.writing() as connection:
                apply_page(connection, generations, page)
        except PageRefused:
            continue  # another projector wrote it, or a rebuild switched generations: look again
        if progress is not None:
            progress(page.last)


def begin(store: ReadStore) -> None:
    """Make the tables of the first generation where there are none."""
    try:
        with store.reading():
            return
    except NothingProjected:
        pass
    with store.writing() as connection:
        make_state(connection)
        if connection.execute(select(STATE.c.view)).first() is None:
            for view in VIEW_TABLES:
                make_generation(connection, view, 1, LIVE)


def make_state(connection: Connection) -> None:
    """Make the table of generations, or give an older version's the column that it lacks."""
    STATE.create(connection, checkfirst=True)
    present = {column["name"] for column in inspect(connection).get_columns(STATE.name)}
    if STATE.c.shape.name not in present:
        connection.execute(text(f"ALTER TABLE {STATE.name} ADD COLUMN shape TEXT"))


def make_generation(connection: Connection, view: str, generation: int, status: str) -> None:
    """Make the empty tables of one generation of a view."""
    for table in VIEW_TABLES[view](generation).all():
        table.drop(connection, checkfirst=True)
        table.create(connection)
    row = {"view": view, "generation": generation, "status": status, "position": 0}
    connection.execute(insert(STATE).values(row | {"shape": shape_of(view)}))


def next_page(
    log: Log,
    *,
    after: int,
    remembered: Remembered,
    page_size: int = PAGE_SIZE,
    until: int | None = None,
) -> Page | None:
    """Read and fold the commits after a position; None where there are no more."""
    commits = _commits(log, after=after, page_size=page_size, until=until)
    if not commits:
        return None
    try:
        return _fold(log, commits, after=after, remembered=remembered)
    except ProjectionStopped as stopped:
        sound = [one for one in commits if one.last_position < stopped.facts["position"]]
        if not sound:
            raise
        # What lies before the damage is projected still; the next page begins with it and stops.
        return _fold(log, sound, after=after, remembered=remembered)


def _fold(log: Log, commits: list[Seal], *, after: int, remembered: Remembered) -> Page:
    fold = Fold(after=after, remembered=remembered)
    for some in _at_once(commits, after):
        last = some[-1].last_position
        rows = log.read_facts(after=after, until=last)
        _refuse_gaps(rows, after=after, last=last)
        for commit in some:
            first, end = commit.first_position, commit.last_position
            fold.commit(rows[first - after - 1 : end - after], last=end)
        after = last
    return fold.page


def _at_once(commits: Iterable[Seal], after: int) -> Iterator[list[Seal]]:
    """Cut commits into runs of about READ_SIZE events."""
    some: list[Seal] = []
    for commit in commits:
        some.append(commit)
        if commit.last_position - after >= READ_SIZE:
            yield some
            some, after = [], commit.last_position
    if some:
        yield some


def apply_page(connection: Connection, generations: Mapping[str, int], page: Page) -> None:
    """Write a page to generations of views, once: each must stand where the page begins."""
    for view, generation in generations.items():
        moved = connection.execute(
            update(STATE)
            .where(
                STATE.c.view == view,
                STATE.c.generation == generation,
                STATE.c.status.in_((LIVE, BUILDING)),
                STATE.c.position == page.after,
            )
            .values(position=page.last)
        )
        if moved.rowcount != 1:
            raise PageRefused(view=view, generation=generation, after=page.after)
    for view, generation in generations.items():
        tables: Tables = VIEW_TABLES[view](generation)
        _APPLY[view](connection, tables, page)


def remembered_by(connection: Connection, generations: Mapping[str, int]) -> Remembered:
    """Load what folding needs; only balances need anything."""
    if "balances" not in generations:
        return Remembered()
    return balances.remember(connection, balance_tables(generations["balances"]))


def seals_between(log: Log, *, after: int, until: int) -> Iterator[Seal]:
    """Give the seals of the commits after a position, up to another inclusive."""
    before = log.seal_covering(after) if after else None
    number = before.no if before else 0
    while more := log.seals(after=number, limit=_SEALS_AT_ONCE):
        for seal in more:
            if seal.last_position > until:
                return
            yield seal
        number = more[-1].no


def _commits(log: Log, *, after: int, page_size: int, until: int | None) -> list[Seal]:
    before = log.seal_covering(after) if after else None
    number = before.no if before else 0
    found: list[Seal] = []
    while not found or found[-1].last_position - after < page_size:
        more = log.seals(after=number, limit=min(page_size, _SEALS_AT_ONCE))
        for seal in more:
            if until is not None and seal.last_position > until:
                return found
            found.append(seal)
            if seal.last_position - after >= page_size:
                return found
        if not more:
            return found
        number = more[-1].no
    return found


def _refuse_gaps(rows: list[StoredFact], *, after: int, last: int) -> None:
    """Positions have no gaps; one that is missing was taken out of the log."""
    if len(rows) == last - after and rows and rows[-1][0] == last:
        return
    present = {position for position, _, _ in rows}
    missing = min(set(range(after + 1, last + 1)) - present)
    raise ProjectionStopped(position=missing, topic="?", reason="the event is missing from the log")
