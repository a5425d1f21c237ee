"""Posting an approved year (年度清算入账): one fact for each institution that is touched, in one commit."""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

from ledger.aggregates.clearing_year import YearClearing, YearRun
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import clearing_stream, settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import (
    deposit_forfeited_entry,
    deposit_released_entry,
    left_cleared_entry,
    year_cleared_entry,
)
from ledger.events import clearing_year as facts
from ledger.events.base import Envelope
from ledger.store.commit import BookKey, Commit, StreamConflict
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.clearing.approvals import approvals_of
from settlement.clearing.owed import Records
from settlement.intake.standing import standing


def entry_of(fund: str, line: facts.YearResult, left_fen: int = 0) -> Entry:
    """Give what a line posts: what months left, the year's difference, what becomes of the deposit."""
    code = line.institution
    return (
        *(left_cleared_entry(fund, code, left_fen) if left_fen else ()),
        *(year_cleared_entry(fund, code, line.difference_fen) if line.difference_fen else ()),
        *(deposit_released_entry(fund, code, line.release_fen) if line.release_fen else ()),
        *(deposit_forfeited_entry(fund, code, line.forfeit_fen) if line.forfeit_fen else ()),
    )


def _entries(fund: str, computed: facts.YearComputed) -> dict[str, Entry]:
    """Give what each institution's line posts, where it posts anything."""
    left = {one.institution: one.fen for one in computed.left}
    entries = {
        line.institution: entry_of(fund, line, left.get(line.institution, 0))
        for line in computed.lines
    }
    return {code: entry for code, entry in entries.items() if entry}


def post_year(
    ledger: FundLedger,
    records: Records,
    clearing: YearClearing,
    run: YearRun,
    *,
    by: str,
    today: date,
) -> None:
    """Append everything a run posts, and its approval.

    The key counts the approvals of the fund up to the figures, those of months too: of two at once
    the second is told, for what a month settles is part of what the year posts.
    """
    area, fund, year = clearing.area, clearing.fund, clearing.year
    entries = _entries(fund, run.computed)
    lines = [line for line in run.computed.lines if line.institution in entries]
    streams = [settlement_stream(area, fund, line.institution, year) for line in lines]
    heads = standing(ledger.log, [stream.bytes for stream in streams])
    moved = [head for head in heads.values() if head.position > records.watermark]
    if moved:
        raise StreamConflict(count=len(moved), example=str(moved[0].position))
    posted = [
        _cleared(ledger, clearing, run, line, entries[line.institution], by=by, today=today)
        for line in lines
    ]
    versions = [heads[one.bytes].version if one.bytes in heads else 0 for one in streams]
    approved = facts.YearApproved(
        area=area,
        fund=fund,
        period=year,
        run=run.id,
        by=by,
        plan_hash=run.computed.plan_hash,
        watermark=records.watermark,
    )
    ledger.append(
        [
            *(
                Envelope(stream, version + 1, fact)
                for stream, version, fact in zip(streams, versions, posted, strict=True)
            ),
            Envelope(clearing_stream(area, fund, year), clearing.version + 1, approved),
        ],
        Commit(
            key=f"clear:{area}-{fund}:approve:{approvals_of(records, fund) + 1}",
            input_hash=sha256(f"{run.id} {run.computed.plan_hash} {by}".encode()).hexdigest(),
            booked=booked_months(posted),
            totals=totals_of(posted),
        ),
    )


def _cleared(
    ledger: FundLedger,
    clearing: YearClearing,
    run: YearRun,
    line: facts.YearResult,
    entry: Entry,
    *,
    by: str,
    today: date,
) -> facts.YearCleared:
    area, fund = clearing.area, clearing.fund
    books: Iterable[BookKey] = books_touched(area, entry)
    return facts.YearCleared(
        area=area,
        booked_on=booking_date(today, books, ledger.log.books(area)).isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=run.computed.by,
        fund=fund,
        institution=line.institution,
        belongs_to=clearing.year,
        date=today.isoformat(),
        summary=f"年度清算 {clearing.year} {run.id}",
        run=run.id,
        final_fen=line.final_fen,
        settled_fen=line.settled_fen,
        difference_fen=line.difference_fen,
        released_fen=line.release_fen,
        forfeited_fen=line.forfeit_fen,
        approved_by=by,
    )
