"""Recording the result of a reconciliation (登记对账结果), and how long a difference has been open.

What is recorded was computed from the log as of a position. Recording the same result again adds
nothing, so the age of a difference counts from the first of the recordings that show it without a
break in between.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import reconciliation_stream
from ledger.domain.period import Period
from ledger.events.base import Envelope
from ledger.events.reconciliation import (
    BrokenSettlement,
    ComparedDetails,
    ComparedFund,
    ComparedTotals,
    ReconciliationRecorded,
)
from ledger.store.commit import Commit
from ledger.store.reading import moment_of
from settlement.reconciliation.institutions import Break, Group, Reconciliation, reconcile
from settlement.reconciliation.match import Result, Totals
from settlement.reconciliation.month_facts import read_month

INSTITUTION = "institution"
#: Asia/Shanghai has had no other offset since 1991, and no log is older.
SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a result stands in the log; ``repeated``: the last recording said the same."""

    position: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class OpenSince:
    """When a difference was first recorded: position, and day (Asia/Shanghai) of its commit."""

    position: int
    day: date


def month_of(
    ledger: FundLedger, area: Area, period: Period, institution: str | None = None
) -> Reconciliation:
    """Reconcile a month as the log stands now."""
    position = ledger.log.last_position()
    found = read_month(
        ledger.log, area=area.code, period=period, position=position, institution=institution
    )
    return reconcile(found, registered=area.institutions.keys())


def record(ledger: FundLedger, area: Area, found: Reconciliation, *, user: str | None) -> Recorded:
    """Record a result of the whole area; StreamConflict if somebody records at the same moment."""
    by = area.allow(user, "reconcile")
    fact = ReconciliationRecorded(
        area=area.code,
        period=found.period,
        by=by,
        counterparty=INSTITUTION,
        as_of=found.position,
        groups=tuple(map(_compared, found.groups)),
        unreconciled=tuple(one.institution for one in found.unreconciled),
        breaks=tuple(map(_broken, found.breaks)),
        details=tuple(
            ComparedDetails(
                one.institution,
                one.even,
                *map(one.count, (Result.OURS_MORE, Result.THEIRS_MORE, Result.UNEQUAL)),
            )
            for one in found.details
        ),
        funds=tuple(
            ComparedFund(*one.key, one.ours_fen, one.theirs_fen, one.result)
            for one in found.by_fund
        ),
    )
    stream = reconciliation_stream(area.code, INSTITUTION, found.period)
    history = _history(ledger, area.code, found.period)
    if history and _said(history[-1][1]) == _said(fact):
        return Recorded(history[-1][0], repeated=True)
    version = len(ledger.history(stream)) + 1  # a sign-off lies there too
    receipt = ledger.append(
        [Envelope(stream, version, fact)],
        Commit(
            key=f"reconciliation:{stream}:{version}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return Recorded(receipt.last_position, repeated=receipt.repeated)


def open_since(ledger: FundLedger, found: Reconciliation) -> Mapping[Hashable, OpenSince]:
    """Say of each difference that the last recordings show since which of them it is open."""
    since: dict[Hashable, int] = {}
    for position, fact in _history(ledger, found.area, found.period):
        since = {key: since.get(key, position) for key in _open(fact)}
    days: dict[int, date] = {}
    for position in set(since.values()):
        seal = ledger.log.seal_covering(position)
        if seal is not None:
            days[position] = moment_of(seal.at_us).astimezone(SHANGHAI).date()
    return {key: OpenSince(at, days[at]) for key, at in since.items() if at in days}


def group_key(group: Group) -> Hashable:
    """Name a group among the differences."""
    return *group.key, group.part


def break_key(one: Break) -> Hashable:
    """Name a settlement among the differences."""
    return one.institution, one.setl_id, one.refund


def _open(fact: ReconciliationRecorded) -> Iterable[Hashable]:
    for group in fact.groups:
        if group.result != Result.EVEN:
            yield group.institution, group.insutype, group.clr_type, group.part
    for one in fact.breaks:
        yield one.institution, one.setl_id, one.refund
    yield from fact.unreconciled


def _history(
    ledger: FundLedger, area: str, period: str
) -> list[tuple[int, ReconciliationRecorded]]:
    stream = reconciliation_stream(area, INSTITUTION, period)
    return [
        (position, envelope.fact)
        for position, envelope in ledger.history(stream)
        if isinstance(envelope.fact, ReconciliationRecorded)
    ]


def _said(fact: ReconciliationRecorded) -> tuple[object, ...]:
    """Give what a recording says, whoever made it and when."""
    return fact.groups, fact.unreconciled, fact.breaks, fact.details, fact.funds


def _compared(group: Group) -> ComparedTotals:
    return ComparedTotals(
        *group.key,
        group.part,
        str(group.result),
        _figures(group.ours),
        None if group.theirs is None else _figures(group.theirs),
    )


def _figures(totals: Totals) -> tuple[int, int, int, int]:
    return totals.cases, totals.medfee_fen, totals.fund_fen, totals.account_fen


def _broken(one: Break) -> BrokenSettlement:
    return BrokenSettlement(one.institution, one.setl_id, one.refund, str(one.result))
