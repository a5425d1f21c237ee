"""Recording an institution's statements: what is new or changed goes into the log in one commit.

A row that says what the log knows already is counted as already there. One that says something else
is a newer fact on the same stream: institutions correct their statements, and the latest counts.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import statement_details_stream, statement_totals_stream
from ledger.events.base import Envelope, Posted, Source
from ledger.events.intake import IntakeCompleted
from ledger.events.reconciliation import (
    StatedSettlement,
    StatementDetailsReceived,
    StatementTotalsReceived,
)
from ledger.store.commit import Commit
from settlement.booking import booked_months, first_months, totals_of
from settlement.intake.attempt import Attempt
from settlement.intake.rejections import Rejection
from settlement.intake.standing import standing
from settlement.intake.statement_rows import DetailRow, TotalsRow

#: Settlements in one event: some ten kilobytes each hundred.
_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class Noted:
    """What recording a file did."""

    posted: int
    already: int
    repeated: bool  # another process brought the same file in a moment earlier


@dataclass(frozen=True, slots=True)
class New:
    """The events that the rows of a file add, how many rows they say, and what the books forbid."""

    envelopes: list[Envelope]
    rows: int
    rejections: tuple[Rejection, ...] = ()


#: What finds out what is new of the rows of a file: ``new_rows`` for statements.
Sorter = Callable[..., New]


def _content(row: TotalsRow) -> str:
    said = json.dumps(row.said, ensure_ascii=False)
    return sha256(said.encode()).hexdigest()[:32]


def _new_totals(
    ledger: FundLedger, area: Area, rows: Sequence[TotalsRow], *, intake: str, user: str
) -> New:
    streams = [statement_totals_stream(area.code, row.group) for row in rows]
    known = standing(ledger.log, [stream.bytes for stream in streams])
    found = []
    for stream, row in zip(streams, rows, strict=True):
        head, content = known.get(stream.bytes), _content(row)
        if head is not None and head.content == content:
            continue
        fact = StatementTotalsReceived(
            area=area.code,
            period=row.period,
            by=user,
            institution=row.institution,
            insutype=row.insutype,
            clr_type=row.clr_type,
            refund=row.refund,
            cases=row.cases,
            medfee_fen=row.medfee_fen,
            fund_fen=row.fund_fen,
            account_fen=row.account_fen,
            content=content,
            source=Source(intake=intake, line=row.line),
        )
        found.append(Envelope(stream, head.version + 1 if head else 1, fact))
    return New(found, len(found))


def _new_details(
    ledger: FundLedger, area: Area, rows: Sequence[DetailRow], *, intake: str, user: str
) -> New:
    lists: dict[tuple[str, str], list[DetailRow]] = {}
    for row in rows:
        lists.setdefault((row.institution, row.period), []).append(row)
    found, count = [], 0
    for (institution, period), mine in lists.items():
        stream = statement_details_stream(area.code, institution, period)
        history = ledger.history(stream)
        known = _latest(envelope for _, envelope in history)
        new = [row for row in mine if known.get(row.group) != _said(_stated(row))]
        parts = [new[at : at + _TOGETHER] for at in range(0, len(new), _TOGETHER)]
        for version, part in enumerate(parts, start=len(history) + 1):
            fact = StatementDetailsReceived(
                area=area.code,
                period=period,
                by=user,
                institution=institution,
                settlements=tuple(map(_stated, part)),
                source=Source(intake=intake),
            )
            found.append(Envelope(stream, version, fact))
        count += len(new)
    return New(found, count)


_Said = tuple[int, int, int, str | None]


def _stated(row: DetailRow) -> StatedSettlement:
    return StatedSettlement(
        row.line,
        row.setl_id,
        row.refund,
        row.medfee_fen,
        row.fund_fen,
        row.account_fen,
        row.mdtrt_id,
    )


def _said(one: StatedSettlement) -> _Said:
    return one.medfee_fen, one.fund_fen, one.account_fen, one.mdtrt_id


def _latest(history: Iterable[Envelope]) -> dict[tuple[str, bool], _Said]:
    """Fold the lists of an institution's month: the latest word on each settlement."""
    return {
        (one.setl_id, one.refund): _said(one)
        for envelope in history
        if isinstance(envelope.fact, StatementDetailsReceived)
        for one in envelope.fact.settlements
    }


def new_rows(
    ledger: FundLedger, area: Area, rows: Sequence[TotalsRow | DetailRow], *, intake: str, user: str
) -> New:
    """Give the events for what the log does not say already."""
    totals = [row for row in rows if isinstance(row, TotalsRow)]
    details = [row for row in rows if isinstance(row, DetailRow)]
    first = _new_totals(ledger, area, totals, intake=intake, user=user)
    second = _new_details(ledger, area, details, intake=intake, user=user)
    return New([*first.envelopes, *second.envelopes], first.rows + second.rows)


def record_new(
    ledger: FundLedger,
    new: New,
    *,
    already: int,
    attempt: Attempt,
    user: str,
    rejected: int,
) -> Noted:
    """Append what is new and the intake's completion in one commit.

    Two processes with one file meet at the same key. Two files about one group meet at its stream: a
    StreamConflict tells that the rows have to be held against the books again, for what was new may
    be known by now, or barred.
    """
    completed = IntakeCompleted(
        area=attempt.area,
        intake=attempt.intake,
        by=user,
        kind=attempt.kind,
        file=attempt.file,
        content=attempt.content,
        accepted=new.rows + already,
        rejected=rejected,
        posted=new.rows,
        already=already,
    )
    posted = [one.fact for one in new.envelopes if isinstance(one.fact, Posted)]
    receipt = ledger.append(
        [*new.envelopes, Envelope(attempt.stream, attempt.round, completed)],
        Commit(
            key=attempt.key,
            input_hash=attempt.content,
            booked=booked_months(posted),
            totals=totals_of(posted),
            history=first_months(posted),
        ),
    )
    if receipt.repeated:
        return Noted(0, new.rows + already, repeated=True)
    return Noted(new.rows, already, repeated=False)
