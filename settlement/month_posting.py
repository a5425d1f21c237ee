"""Posting an approved run (清算入账): a settlement for each institution, all in one commit."""

from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from ledger.aggregates.clearing import Clearing, Run
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import clearing_stream, offset_stream, settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import declared_entry
from ledger.events import clearing as facts
from ledger.events.base import Envelope
from ledger.events.settlement import SettlementFact
from ledger.store.commit import BookKey, Commit, StreamConflict
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.clearing.approvals import approvals_of
from settlement.clearing.month.lines import entry_of
from settlement.clearing.month.plan import Plan, open_offsets
from settlement.clearing.owed import Records
from settlement.intake.standing import standing


def post_plan(
    ledger: FundLedger,
    records: Records,
    clearing: Clearing,
    run: Run,
    plan: Plan,
    *,
    by: str,
    today: date,
) -> None:
    """Append everything a plan settles, its declarations on behalf and its approval.

    StreamConflict where something was decided about an institution's month behind the figures. The
    key counts the approvals of the fund up to them, those of years too: of two runs at once the second
    is told.
    """
    posting = _Posting(ledger, clearing, run, by=by, today=today)
    steps = list(posting.steps(plan))
    versions = _versions(ledger, (stream for stream, _ in steps), behind=records.watermark)
    envelopes = []
    for stream, fact in steps:
        versions[stream] += 1
        envelopes.append(Envelope(stream, versions[stream], fact))
    envelopes += _offsets(records, clearing, run, plan, by=by)
    approved = facts.ClearingApproved(
        area=clearing.area,
        fund=clearing.fund,
        period=clearing.period,
        run=run.id,
        by=by,
        plan_hash=plan.hash,
        watermark=records.watermark,
    )
    stream = clearing_stream(clearing.area, clearing.fund, clearing.period)
    envelopes.append(Envelope(stream, clearing.version + 1, approved))
    posted = [fact for _, fact in steps]
    ledger.append(
        envelopes,
        Commit(
            key=f"clear:{clearing.area}-{clearing.fund}:approve:{approvals_of(records, clearing.fund) + 1}",
            input_hash=sha256(f"{run.id} {plan.hash} {by}".encode()).hexdigest(),
            booked=booked_months(posted),
            totals=totals_of(posted),
        ),
    )


class _Posting:
    """The facts with postings of one run."""

    def __init__(
        self, ledger: FundLedger, clearing: Clearing, run: Run, *, by: str, today: date
    ) -> None:
        self._clearing, self._run, self._by, self._today = clearing, run, by, today
        self._books = ledger.log.books(clearing.area)

    def steps(self, plan: Plan) -> Iterator[tuple[UUID, SettlementFact]]:
        """Give the facts in the order of institutions, each with its stream."""
        taken: dict[str, list[facts.OffsetTaken]] = {}
        for one in plan.offsets:
            taken.setdefault(one.institution, []).append(one)
        for line in plan.lines:
            clearing = self._clearing
            stream = settlement_stream(
                clearing.area, clearing.fund, line.institution, clearing.period
            )
            if line.on_behalf_fen:
                yield stream, self._declared(line)
            entry = entry_of(clearing.fund, line, taken.get(line.institution, ()))
            if entry:
                yield stream, self._approved(line, entry)

    def _common(self, line: facts.ClearedLine, entry: Entry) -> dict[str, Any]:
        area = self._clearing.area
        books: Iterable[BookKey] = books_touched(area, entry)
        return {
            "area": area,
            "booked_on": booking_date(self._today, books, self._books).isoformat(),
            "postings": entry,
            "rules_version": RULES_VERSION,
            "prepared_by": self._run.computed.by,
            "fund": self._clearing.fund,
            "institution": line.institution,
            "belongs_to": self._clearing.period,
            "date": self._today.isoformat(),
            "run": self._run.id,
        }

    def _declared(self, line: facts.ClearedLine) -> facts.SettlementDeclared:
        entry = declared_entry(self._clearing.fund, line.institution, line.on_behalf_fen)
        return facts.SettlementDeclared(
            **self._common(line, entry),
            summary=f"代为申报 {self._clearing.period}",
            amount_fen=line.on_behalf_fen,
        )

    def _approved(self, line: facts.ClearedLine, entry: Entry) -> facts.SettlementApproved:
        return facts.SettlementApproved(
            **self._common(line, entry),
            summary=f"清算审定 {self._clearing.period} {self._run.id}",
            payee=line.payee,
            declared_fen=line.settled_fen,
            deposit_fen=line.deposit_fen,
            difference_fen=line.difference_fen,
            insurer_fen=line.insurer_fen,
            offset_fen=line.offset_fen,
            prepaid_fen=line.prepaid_fen,
            approved_by=self._by,
        )


def _versions(ledger: FundLedger, streams: Iterable[UUID], *, behind: int) -> dict[UUID, int]:
    """Give the version of every stream; StreamConflict where one has moved behind the figures."""
    named = list(dict.fromkeys(streams))
    heads = standing(ledger.log, [stream.bytes for stream in named])
    moved = [head for head in heads.values() if head.position > behind]
    if moved:
        raise StreamConflict(count=len(moved), example=str(moved[0].position))
    return {stream: heads[stream.bytes].version if stream.bytes in heads else 0 for stream in named}


def _offsets(
    records: Records, clearing: Clearing, run: Run, plan: Plan, *, by: str
) -> Iterator[Envelope]:
    """Note on each recovery how much was taken of it."""
    waiting = {
        one.doc_no: one for many in open_offsets(records, clearing.fund).values() for one in many
    }
    for taken in plan.offsets:
        offset = waiting[taken.doc_no]
        fact = facts.OffsetMade(
            area=clearing.area,
            doc_no=taken.doc_no,
            by=by,
            fund=clearing.fund,
            institution=taken.institution,
            run=run.id,
            fen=taken.fen,
            left_fen=offset.left_fen - taken.fen,
        )
        yield Envelope(offset_stream(clearing.area, taken.doc_no), offset.version + 1, fact)
