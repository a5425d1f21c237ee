"""Corrections (更正): a recorded fact is never changed; it is reversed in red, naming the original.

The reversal is booked like any fact: on the original's booking date if that month is still open,
else in the earliest open one. Afterwards the document may be posted again as its next revision.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import islice
from uuid import UUID

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.entry import red_letter
from ledger.domain.identity import claim_stream, document_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.errors import InputRejected, RuleRefused
from ledger.events.base import Envelope, Fact, Posted, Source
from ledger.events.cash import CashFact, DocumentReversed
from ledger.events.claim import ClaimFact, ClaimRefunded, ClaimReversed
from ledger.events.intake import IntakeCompleted, IntakeFact, IntakeReversed, IntakeStarted
from ledger.store.codec import decode_all
from ledger.store.commit import Commit, MonthNotOpen
from settlement.booking import booked_months, booking_date, books_touched, totals_of
from settlement.reconciliation.withdrawing import withdraw_statement

_CHUNK = 5_000
_TRIES = 5
_INTAKE = re.compile(r"I([0-9a-f]{12})(?:\.[0-9]+)?")


class NothingToReverse(InputRejected):
    """The reference names no fact that can be reversed."""

    code = "nothing_to_reverse"
    zh = "{ref} 不是可冲销的单据或结算。"
    en = "{ref} names no document or settlement that can be reversed."
    hint_zh = "请给出单据号、结算号或日志位置。"
    hint_en = "Give a document number, a settlement id or a log position."


class AlreadyReversed(RuleRefused):
    """The fact was reversed before."""

    code = "already_reversed"
    zh = "{ref} 已于位置 {position} 冲销。"
    en = "{ref} was reversed at position {position}."
    hint_zh = "如需更正,请直接以原单据号重新入账。"
    hint_en = "To correct it, post the document again under its number."


class RefundStands(RuleRefused):
    """The settlement was refunded; the refund goes first (先冲销退费)."""

    code = "refund_stands"
    zh = "结算 {ref} 的退费仍在账(位置 {position}),不能只冲销原结算。"
    en = "The refund of {ref} stands at position {position}; its original cannot go alone."
    hint_zh = "请先冲销该退费。"
    hint_en = "Reverse the refund first."


class IntakeNotComplete(RuleRefused):
    """Only a completed intake can be reversed as a whole."""

    code = "intake_not_complete"
    zh = "没有已完成的导入批次 {intake},不能整批冲销。"
    en = "There is no completed intake {intake} to reverse."
    hint_zh = "请用 intake list 查看;未完成的导入请先完成。"
    hint_en = "See intake list; finish an unfinished one first."


class IntakeStillOpen(RuleRefused):
    """A settlement counts, and can be reversed, only once its intake is complete (导入未完成)."""

    code = "intake_still_open"
    zh = "{ref} 所属导入 {intake} 尚未完成,不能冲销其中的结算。"
    en = "The intake {intake} that {ref} came with has not finished; it cannot be reversed yet."
    hint_zh = "请重新执行该文件的导入使其完成,再冲销。"
    hint_en = "Bring the same file in again so that it finishes, then reverse."


class StatementStays(RuleRefused):
    """What somebody else stated, or was found about its cases, is corrected by a later file (对账单)."""

    code = "statement_stays"
    zh = "导入批次 {intake} 的种类是 {kind},没有入账,不能冲销。"
    en = "The intake {intake} is of the kind {kind}; it posted nothing to reverse."
    hint_zh = "请导入更正后的文件;以最近收到的为准。"
    hint_en = "Bring the corrected file in; the latest one counts."


class ApplicationsAreWithdrawn(RuleRefused):
    """An application for clearing is taken back by itself, for it may be settled (清算申请)."""

    code = "applications_are_withdrawn"
    zh = "导入批次 {intake} 是清算申请,不能整批冲销。"
    en = "The intake {intake} holds applications for clearing; it cannot be reversed as a whole."
    hint_zh = "请逐份撤销:clear application withdraw 申请编号 --reason 理由。"
    hint_en = "Withdraw each one: clear application withdraw ID --reason TEXT."


#: Kinds of files that post nothing.
_UNPOSTED = frozenset(
    {
        *("statement_totals", "statement_details"),
        *("groupings", "case_reviews", "assessments"),
    }
)


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a reversal did."""

    reversed_rows: int
    first_position: int | None
    last_position: int | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """A fact that stands, where it lies and at which version of its stream."""

    position: int
    envelope: Envelope

    @property
    def fact(self) -> CashFact | ClaimFact:
        fact = self.envelope.fact
        if not isinstance(fact, CashFact | ClaimFact):
            raise TypeError(type(fact).__name__)
        return fact


def reverse_fact(
    ledger: FundLedger, area: Area, *, ref: str, reason: str, user: str | None
) -> Reversal:
    """Reverse one document or settlement (红字冲销), named by number or by log position."""
    by = area.allow(user, "reverse")
    standing = _find(ledger, area, ref)
    return _append(ledger, area, [standing], reason=reason, by=by, key=f"reverse:{ref}")


def reverse_intake(
    ledger: FundLedger, area: Area, *, intake: str, reason: str, user: str | None
) -> Reversal:
    """Reverse every row of an intake that still stands (整批冲销); its file may then come again."""
    by = area.allow(user, "reverse")
    completed = _completed(ledger, area, intake)
    _refuse_statement(completed.envelope.fact)
    fact = completed.envelope.fact
    if isinstance(fact, IntakeCompleted) and fact.kind == "bank_statement":
        rows = (completed.first, completed.position)
        how = {"reason": reason, "by": by}
        return Reversal(*withdraw_statement(ledger, area, completed.envelope, rows, **how))
    span_of_rows = {"after": completed.first - 1, "until": completed.position}
    _refuse_refunded_elsewhere(ledger, area, _rows_of(ledger, area, intake, **span_of_rows))
    reversed_rows, span = 0, Reversal(0, None, None)
    standing = _rows_of(ledger, area, intake, **span_of_rows)
    while chunk := list(islice(standing, _CHUNK)):
        key = f"reverse-intake:{intake}:{chunk[0].position}"
        done = _append(ledger, area, chunk, reason=reason, by=by, key=key)
        reversed_rows += done.reversed_rows
        span = Reversal(
            reversed_rows, span.first_position or done.first_position, done.last_position
        )
    ended = IntakeReversed(
        area=area.code, intake=intake, by=by, reason=reason, reversed_rows=reversed_rows
    )
    receipt = ledger.append(
        [
            Envelope(
                completed.envelope.originator_id, completed.envelope.originator_version + 1, ended
            )
        ],
        Commit(key=f"reverse-intake:{intake}:end", input_hash=sha256(intake.encode()).hexdigest()),
    )
    return Reversal(
        reversed_rows, span.first_position or receipt.first_position, receipt.last_position
    )


def _refuse_statement(completed: Fact) -> None:
    if isinstance(completed, IntakeCompleted) and completed.kind in _UNPOSTED:
        raise StatementStays(intake=completed.intake, kind=completed.kind)
    if isinstance(completed, IntakeCompleted) and completed.kind == "clearing_applications":
        raise ApplicationsAreWithdrawn(intake=completed.intake)


def _find(ledger: FundLedger, area: Area, ref: str) -> _Standing:
    """Find what a reference names: a position, a document number, or a settlement id."""
    streams = [
        document_stream(area.code, ref),
        # A refund that stands is the last word on its settlement, so it goes first.
        claim_stream(area.code, ref, refund=True),
        claim_stream(area.code, ref, refund=False),
    ]
    if ref.isascii() and ref.isdigit():
        row = ledger.log.event_at(int(ref))
        streams += [row.originator_id] if row else []
    refused: AlreadyReversed | None = None
    for stream in streams:
        history = ledger.history(stream)
        if not history:
            continue
        position, last = history[-1]
        if isinstance(last.fact, DocumentReversed | ClaimReversed):
            refused = AlreadyReversed(ref=ref, position=position)
        elif isinstance(last.fact, CashFact | ClaimFact) and last.fact.area == area.code:
            _refuse_uncounted(ledger, area, last.fact)
            _refuse_refunded(ledger, area, last.fact)
            return _Standing(position, last)
    raise refused or NothingToReverse(ref=ref)


def _refuse_uncounted(ledger: FundLedger, area: Area, fact: CashFact | ClaimFact) -> None:
    """A row of an unfinished intake counts nowhere yet: its reversal alone would count."""
    intake = fact.source.intake
    if isinstance(fact, ClaimFact) and any(
        one.intake == intake for one in ledger.log.unfinished_intakes(area.code)
    ):
        raise IntakeStillOpen(ref=fact.setl_id, intake=intake)


def _refuse_refunded(ledger: FundLedger, area: Area, fact: CashFact | ClaimFact) -> None:
    """A refund mirrors its original; reversed alone, the original would leave it standing."""
    if not isinstance(fact, ClaimFact) or isinstance(fact, ClaimRefunded):
        return
    history = ledger.history(claim_stream(area.code, fact.setl_id, refund=True))
    if history and not isinstance(history[-1][1].fact, ClaimReversed):
        raise RefundStands(ref=fact.setl_id, position=history[-1][0])


def _refuse_refunded_elsewhere(
    ledger: FundLedger, area: Area, standing: Iterator[_Standing]
) -> None:
    """Refuse before anything is reversed where a refund came in with another file."""
    while chunk := list(islice(standing, _CHUNK)):
        rows = {one.envelope.originator_id for one in chunk}
        refunds = {
            claim_stream(area.code, one.fact.setl_id, refund=True): one.fact
            for one in chunk
            if isinstance(one.fact, ClaimFact)
        }
        for stream in ledger.log.stream_heads([*refunds.keys() - rows]):
            if refunds[stream].source.intake != _intake_of(ledger, stream):
                _refuse_refunded(ledger, area, refunds[stream])


def _intake_of(ledger: FundLedger, stream: UUID) -> str | None:
    fact = ledger.history(stream)[-1][1].fact
    return fact.source.intake if isinstance(fact, ClaimFact) else None


@dataclass(frozen=True, slots=True)
class _Completed:
    """The last completion of an intake, and the position its rows begin at."""

    position: int
    envelope: Envelope
    first: int


def _completed(ledger: FundLedger, area: Area, intake: str) -> _Completed:
    """Find an intake that is completed and was not reversed since."""
    started: int | None = None
    found: _Completed | None = None
    for position, envelope in _facts_of(ledger, intake):
        fact = envelope.fact
        if not isinstance(fact, IntakeFact) or (fact.area, fact.intake) != (area.code, intake):
            continue
        if isinstance(fact, IntakeStarted):
            started = started or position
        elif isinstance(fact, IntakeCompleted):
            seal = ledger.log.seal_covering(position)
            own = seal.first_position if seal else position
            first = found.first if found else started or own
            found = _Completed(position, envelope, first)
        elif isinstance(fact, IntakeReversed):
            raise AlreadyReversed(ref=intake, position=position)
    if found is None:
        raise IntakeNotComplete(intake=intake)
    return found


def _facts_of(ledger: FundLedger, intake: str) -> list[tuple[int, Envelope]]:
    """Give the facts of an intake; its name holds the first digits of its stream (``Attempt``)."""
    named = _INTAKE.fullmatch(intake)
    if named is None:
        return []
    first, last = (UUID(named[1].ljust(32, digit)) for digit in "0f")
    return decode_all(ledger.log.streams_between(first, last))


def _rows_of(
    ledger: FundLedger, area: Area, intake: str, *, after: int, until: int
) -> Iterator[_Standing]:
    """Give the rows of an intake that are the last word on their stream."""
    facts = ledger.facts(after=after, until=until)
    while batch := list(islice(facts, _CHUNK)):
        mine = [
            (position, envelope)
            for position, envelope in batch
            if isinstance(envelope.fact, CashFact | ClaimFact)
            and envelope.fact.source.intake == intake
            and envelope.fact.area == area.code
        ]
        heads = ledger.log.stream_heads([envelope.originator_id for _, envelope in mine])
        for position, envelope in mine:
            if heads[envelope.originator_id].position == position:
                yield _Standing(position, envelope)


def _append(
    ledger: FundLedger,
    area: Area,
    standing: Sequence[_Standing],
    *,
    reason: str,
    by: str,
    key: str,
) -> Reversal:
    """Append the red entries; a month that was frozen meanwhile makes them be booked again."""
    last_position = standing[-1].position
    for tries_left in range(_TRIES - 1, -1, -1):
        reversals = [_reversal(ledger, area, one, reason=reason, by=by) for one in standing]
        envelopes = [
            Envelope(one.envelope.originator_id, one.envelope.originator_version + 1, fact)
            for one, fact in zip(standing, reversals, strict=True)
        ]
        try:
            receipt = ledger.append(
                envelopes,
                Commit(
                    key=f"{key}:{last_position}",
                    input_hash=sha256(key.encode()).hexdigest(),
                    booked=booked_months(reversals),
                    totals=totals_of(reversals),
                ),
            )
        except MonthNotOpen:
            if not tries_left:
                raise
            continue
        return Reversal(len(reversals), receipt.first_position, receipt.last_position)
    raise AssertionError("the last try returns or raises")


def _reversal(
    ledger: FundLedger, area: Area, standing: _Standing, *, reason: str, by: str
) -> Posted:
    fact = standing.fact
    entry = red_letter(fact.postings)
    states = ledger.log.books(area.code)
    day = date.fromisoformat(fact.booked_on)
    booked = booking_date(day, books_touched(area.code, entry), states) if entry else day
    if isinstance(fact, CashFact):
        return DocumentReversed(
            area=area.code,
            doc_no=fact.doc_no,
            revision=fact.revision,
            fund=fact.fund,
            date=fact.date,
            belongs_to=fact.belongs_to,
            original_position=standing.position,
            summary=f"冲销 {fact.doc_no}: {reason}",
            reason=reason,
            counterparty=fact.counterparty,
            booked_on=booked.isoformat(),
            postings=entry,
            rules_version=RULES_VERSION,
            prepared_by=by,
            source=Source(),
        )
    return ClaimReversed(
        area=area.code,
        setl_id=fact.setl_id,
        refund=isinstance(fact, ClaimRefunded),
        institution=fact.institution,
        clr_type=fact.clr_type,
        belongs_to=fact.belongs_to,
        original_position=standing.position,
        reason=reason,
        booked_on=booked.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=by,
        source=Source(),
    )
