"""对账 of the books with themselves: replay of the log, read models and running totals side by side."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import and_, func, select

from ledger.domain.period import Period
from ledger.replay import Replayed, replay
from ledger.store.codec import StoredRow
from ledger.store.commit import BookKey, Total, TotalKey
from projections.follow import bring_up_to
from projections.queries.known import Known, TimedLog, known_as_of
from projections.queries.obligations import stage_rows
from projections.store import Reading, ReadStore
from projections.views.clearing import APPROVED

#: How often to look again when the log grows while it is compared.
_TRIES = 5
_FAR = "9999-12"

_Sums = dict[tuple[Any, ...], tuple[int, ...]]


class GuardedLog(TimedLog, Protocol):
    """A log with its running totals, which replay reads whole."""

    def read_page(self, *, after: int, limit: int, until: int | None = None) -> list[StoredRow]: ...

    def books(self) -> Mapping[BookKey, Any]: ...

    def totals(
        self, book: BookKey, *, through: Period | None = None
    ) -> Mapping[TotalKey, Total]: ...


class GuardedLedger(Protocol):
    """The books, as far as a comparison needs them."""

    @property
    def log(self) -> GuardedLog: ...


@dataclass(frozen=True, slots=True)
class _Until:
    """How far a comparison goes on either axis."""

    known: Known
    period: Period | None

    @property
    def month(self) -> str:
        return str(self.period) if self.period else _FAR


def compare(
    ledger: GuardedLedger,
    store: ReadStore,
    *,
    until_position: int | None = None,
    until_period: Period | None = None,
    replayed: Replayed | None = None,
) -> dict[str, Any]:
    """Answer ``replay --compare``: every figure in which replay and the read models differ.

    Without a bound everything is compared, the running totals of the guards too, provided that the
    log stands still for as long as one try takes; ``compared`` says what was.
    """
    whole = until_position is None and until_period is None
    for tries_left in range(_TRIES - 1, -1, -1):
        head = bring_up_to(ledger, store, ledger.log.last_position())
        with store.reading() as reading:
            until = _Until(known_as_of(reading, ledger, until_position), until_period)
            projected = _projected(reading, until, whole=whole)
        totals = _guard_totals(ledger.log) if whole else {}
        still = reading.position == head == ledger.log.last_position()
        if still or not whole or not tries_left:
            break
    if replayed is None:
        replayed = replay(ledger, until_position=until.known.position, until_period=until_period)
    if whole and still:
        projected["guard_totals"] = totals
    truths = _replayed(replayed)
    differences = [
        difference
        for what, found in projected.items()
        for difference in _differences(what, truths[what], found)
    ]
    return {
        "position": until.known.position,
        "until_period": str(until_period) if until_period else None,
        "compared": sorted(projected),
        "equal": not differences,
        "differences": differences,
    }


def _differences(what: str, truth: _Sums, found: _Sums) -> Iterator[dict[str, Any]]:
    for key in sorted({*truth, *found}, key=str):
        replayed, projected = truth.get(key), found.get(key)
        if replayed != projected:
            yield {
                "what": what,
                "key": "/".join(map(str, key)),
                "replayed": None if replayed is None else list(replayed),
                "projected": None if projected is None else list(projected),
            }


def _replayed(result: Replayed) -> dict[str, _Sums]:
    by_month: _Sums = {
        (key.area, key.fund, key.account, str(Period.from_ordinal(key.month))): (
            sums.debit_fen,
            sums.credit_fen,
            sums.lines,
        )
        for key, sums in result.by_month.items()
    }
    return {
        "balances": by_month,
        "guard_totals": by_month,
        "journal": {
            tuple(key): (sums.debit_fen, sums.credit_fen, sums.lines)
            for key, sums in result.journal.items()
        },
        "vouchers": {series: (count, count) for series, count in result.vouchers.items()},
        "parties": {
            tuple(key): (sums.debit_fen, sums.credit_fen) for key, sums in result.by_party.items()
        },
        "obligations": {
            tuple(key): (sums.credit_fen, sums.debit_fen) for key, sums in result.owed.items()
        },
        "stages": {tuple(key): (fen,) for key, fen in result.stages.items() if fen},
        "month_sums": by_month,
        "clearing": {tuple(key): amounts for key, amounts in result.cleared.items()},
        "regrouped": {tuple(key): found for key, found in result.regrouped.items()},
        "reconciled": dict(result.reconciled),
        "care": {
            tuple(key): (sums.debit_fen, sums.credit_fen) for key, sums in result.by_care.items()
        },
    }


def _projected(reading: Reading, until: _Until, *, whole: bool) -> dict[str, _Sums]:
    parts: dict[str, Callable[[Reading, _Until], _Sums]] = {
        "balances": _balances,
        "journal": _journal,
        "vouchers": _vouchers,
    }
    if whole:
        parts |= {
            "parties": _parties,
            "obligations": _obligations,
            "stages": _stages,
            "care": _care,
            "month_sums": _month_sums,
            "clearing": _clearing,
            "regrouped": _regrouped,
            "reconciled": _reconciled,
        }
    return {what: read(reading, until) for what, read in parts.items()}


def _balances(reading: Reading, until: _Until) -> _Sums:
    c = reading.balances.movements.c
    month = func.substr(c.booked_on, 1, 7).label("month")
    found = reading.rows(
        select(
            c.area,
            c.fund,
            c.account,
            month,
            func.sum(c.debit_fen),
            func.sum(c.credit_fen),
            func.sum(c.lines),
        )
        .where(c.known_from <= until.known.base, month <= until.month)
        .group_by(c.area, c.fund, c.account, month)
    )
    sums: _Sums = _keyed(found, 4)
    for (area, day, fund, account, _), amounts in until.known.part.movements().items():
        if day[:7] <= until.month:
            at = (area, fund, account, day[:7])
            before = sums.get(at, (0, 0, 0))
            sums[at] = tuple(a + b for a, b in zip(before, amounts, strict=True))
    return sums


def _journal(reading: Reading, until: _Until) -> _Sums:
    line, voucher = reading.journal.voucher_lines.c, reading.journal.vouchers.c
    found = reading.rows(
        select(
            line.area,
            line.fund,
            line.account,
            func.sum(line.debit_fen),
            func.sum(line.credit_fen),
            func.count(),
        )
        .join_from(
            reading.journal.voucher_lines,
            reading.journal.vouchers,
            (voucher.position == line.position) & (voucher.fund == line.voucher_fund),
        )
        .where(line.position <= until.known.position, voucher.month <= until.month)
        .group_by(line.area, line.fund, line.account)
    )
    return _keyed(found, 3)


def _vouchers(reading: Reading, until: _Until) -> _Sums:
    """Count the vouchers of each series; with numbers without gaps the last one is the count."""
    c = reading.journal.vouchers.c
    found = reading.rows(
        select(c.area, c.fund, c.month, func.count(), func.max(c.number))
        .where(c.position <= until.known.position, c.month <= until.month)
        .group_by(c.area, c.fund, c.month)
    )
    return _keyed(found, 3)


def _parties(reading: Reading, _until: _Until) -> _Sums:
    c = reading.balances.party_movements.c
    keys = (c.area, c.fund, c.account, c.party)
    found = reading.rows(
        select(*keys, func.sum(c.debit_fen), func.sum(c.credit_fen)).group_by(*keys)
    )
    return _keyed(found, 4)


def _care(reading: Reading, _until: _Until) -> _Sums:
    c = reading.balances.care_movements.c
    keys = (c.area, c.fund, c.account, c.belongs_to)
    found = reading.rows(
        select(*keys, func.sum(c.debit_fen), func.sum(c.credit_fen)).group_by(*keys)
    )
    return _keyed(found, 4)


def _month_sums(reading: Reading, _until: _Until) -> _Sums:
    c = reading.balances.month_sums.c
    keys = (c.area, c.fund, c.account, c.booked_month)
    sums = (func.sum(c.debit_fen), func.sum(c.credit_fen), func.sum(c.lines))
    return _keyed(reading.rows(select(*keys, *sums).group_by(*keys)), 4)


def _obligations(reading: Reading, _until: _Until) -> _Sums:
    c = reading.balances.claim_obligations.c
    found = reading.rows(
        select(c.area, c.institution, c.fund, c.month, c.clr_type, c.booked_fen, c.paid_fen)
    )
    return _keyed(found, 5)


def _stages(reading: Reading, _until: _Until) -> _Sums:
    """Give what stands at each stage by institution, fund and month; the first is what is left."""
    sums: _Sums = {}
    for one in stage_rows(reading):
        for account, fen in one.by_account.items():
            if fen:
                sums[one.area, one.institution, one.fund, one.month, account] = (fen,)
    return sums


def _clearing(reading: Reading, _until: _Until) -> _Sums:
    """Give the lines of approved runs."""
    line, run = reading.clearing.clearing_lines, reading.clearing.clearing_runs
    keys = ("area", "fund", "period", "run")
    sums = ("settled_fen", "payable_fen", "due_fen", "due_booked_fen", "points4")
    found = reading.rows(
        select(*(line.c[name] for name in (*keys, "institution", *sums)))
        .join_from(line, run, and_(*(line.c[name] == run.c[name] for name in keys)))
        .where(run.c.state == APPROVED)
    )
    return _keyed(found, 5)


def _regrouped(reading: Reading, _until: _Until) -> _Sums:
    c = reading.clearing.regrouped_cases.c
    return {tuple(row): (1,) for row in reading.rows(select(c.area, c.setl_id))}


def _reconciled(reading: Reading, _until: _Until) -> _Sums:
    c = reading.clearing.reconciled_funds.c
    keys = (c.area, c.period, c.institution, c.fund)
    return _keyed(reading.rows(select(*keys, c.compared, c.even)), 4)


def _keyed(rows: list[Any], width: int) -> _Sums:
    return {tuple(row[:width]): tuple(int(amount) for amount in row[width:]) for row in rows}


def _guard_totals(log: GuardedLog) -> _Sums:
    return {
        (key.area, key.fund, key.account, str(Period.from_ordinal(key.month))): tuple(total)
        for book in log.books()
        for key, total in log.totals(book).items()
    }
