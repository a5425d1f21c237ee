"""The tables beside the log (totals, books, marks of open intakes, keys), held against it."""

from collections.abc import Iterator

from ledger.errors import BooksDamaged
from ledger.store import statements as sql
from ledger.store.books import BookState
from ledger.store.commit import BookKey, Total, TotalKey
from ledger.store.finding import Finding
from ledger.store.reading import Reading
from ledger.store.recomputed import Recomputed


def stray_keys(log: Reading) -> Iterator[Finding]:
    for key, seal_no in log.rows(sql.STRAY_KEYS, {}):
        yield Finding(
            "key_stray",
            None,
            f"业务键 {key} 指向不存在的封记 {seal_no}",
            f"the key {key} names seal {seal_no}, which does not exist",
            {"key": key, "seal": seal_no},
        )


def guard_findings(log: Reading, wanted: Recomputed) -> Iterator[Finding]:
    """Hold the tables that move (totals, books, open intakes) against the log."""
    live = {TotalKey(*row[:4]): Total(*row[4:]) for row in log.rows(sql.ALL_TOTALS, {})}
    yield from _total_findings("totals", wanted.live, live)
    staged: dict[str, dict[TotalKey, Total]] = {}
    for row in log.rows(sql.ALL_STAGED, {}):
        staged.setdefault(row[0], {})[TotalKey(*row[1:5])] = Total(*row[5:])
    for intake in sorted({*staged, *wanted.staged}):
        there, right = staged.get(intake, {}), wanted.staged.get(intake, {})
        yield from _total_findings(f"staged_totals {intake}", right, there)
    try:
        yield from _book_findings(wanted.books()[0], log.books())
    except BooksDamaged as error:
        yield Finding("book_differs", None, error.message("zh"), error.message("en"), error.facts)
    yield from _intake_findings(log, wanted)


def _total_findings(
    table: str, wanted: dict[TotalKey, Total], there: dict[TotalKey, Total]
) -> Iterator[Finding]:
    nil = Total(0, 0, 0)
    for key in sorted({*wanted, *there}):
        right, found = wanted.get(key, nil), there.get(key, nil)
        if right != found:
            name = f"{table} {key.area}/{key.fund}/{key.account}/{key.month}"
            yield Finding(
                "total_differs",
                None,
                f"汇总 {name} 为 {tuple(found)}，按日志应为 {tuple(right)}",
                f"{name} says {tuple(found)}, the log says {tuple(right)}",
                {**key._asdict(), "found": found._asdict(), "wanted": right._asdict()},
            )


def _book_findings(
    wanted: dict[BookKey, BookState], there: dict[BookKey, BookState]
) -> Iterator[Finding]:
    for book in sorted({*wanted, *there}):
        right, found = wanted.get(book), there.get(book)
        # Since when a book has a history is the use-case's word, not a state of the months.
        if found is not None:
            found = found._replace(history_from=None)
        if right != found:
            yield Finding(
                "book_differs",
                None,
                f"账套 {book.area}/{book.fund} 的状态与日志不符",
                f"the state of book {book.area}/{book.fund} differs from the log",
                {**book._asdict(), "found": _months(found), "wanted": _months(right)},
            )


def _months(state: BookState | None) -> dict[str, str | None] | None:
    if state is None:
        return None
    return {name: str(month) if month else None for name, month in state._asdict().items()}


def _intake_findings(log: Reading, wanted: Recomputed) -> Iterator[Finding]:
    marked = {one.intake for one in log.unfinished_intakes()}
    unmarked = {intake for intake in wanted.unfinished if wanted.staged.get(intake)} - marked
    for intake in sorted((marked - wanted.unfinished) | unmarked):
        yield Finding(
            "intake_differs",
            None,
            f"导入 {intake} 的未完成标记与日志不符",
            f"whether intake {intake} is unfinished differs from the log",
            {"intake": intake},
        )
