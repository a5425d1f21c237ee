"""Recoveries that are taken from payments to come (从拨付中抵扣的追回): prepared, approved, then taken.

Nothing is posted before a run takes a part: then full benefit expense stands in the books and the
recovered part beside it, lowering the expense of the same year or as 其他收入 of an earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.offset import (
    APPROVED,
    NONE,
    REJECTED,
    WAITING,
    Offset,
    UnknownOffset,
    fold_offset,
    offset_doc_no,
)
from ledger.application import FundLedger
from ledger.domain.identity import offset_stream
from ledger.errors import Conflict, InputRejected
from ledger.events import clearing as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import Commit
from settlement.clearing.owed import Records
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Parser, parse_identifier, parse_text
from settlement.intake.moments import parse_year


class OffsetFaulty(InputRejected):
    """The recovery is written in a way that cannot be taken from payments."""

    code = "offset_faulty"
    zh = "抵扣追回不能接受:{reason_zh}。"
    en = "The recovery cannot be taken: {reason_en}."
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare it again."


class OffsetConflict(Conflict):
    """The number of a recovery came with other content."""

    code = "offset_conflict"
    zh = "抵扣追回 {offset} 已有不同内容的单据(状态 {state})。"
    en = "{offset} is already a recovery ({state}) with other content."
    hint_zh = "请换一个单据号,或先退回原单。"
    hint_en = "Use another number, or reject the first one."


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetDraft:
    """A recovery as it is handed in, in the words of the person."""

    doc_no: str
    fund: str
    institution: str
    amount: str  # yuan
    original_year: str
    reason: str
    day: date


def load_offset(ledger: FundLedger, area: str, doc_no: str) -> Offset:
    """Fold the stream of one recovery."""
    history = ledger.history(offset_stream(area, doc_no))
    return fold_offset(area, doc_no, ((position, one.fact) for position, one in history))


def offset_of(ledger: FundLedger, area: Area, offset: str) -> Offset:
    """Find a recovery by its id; UnknownOffset where there is none."""
    doc_no = offset_doc_no(offset, area.code)
    found = load_offset(ledger, area.code, doc_no) if doc_no is not None else None
    if found is None or found.said is None:
        raise UnknownOffset(offset=offset)
    return found


def offsets_of(records: Records) -> list[Offset]:
    """Give every recovery of an area as the archive has them, by number."""
    told: dict[str, list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(facts.OffsetFact):
        told.setdefault(fact.doc_no, []).append((position, fact))
    return [fold_offset(records.area, doc_no, told[doc_no]) for doc_no in sorted(told)]


def propose_offset(
    ledger: FundLedger, area: Area, draft: OffsetDraft, *, user: str | None, today: date
) -> Offset:
    """Prepare a recovery; the same number with the same content changes nothing."""
    by = area.allow(user, "post")
    fact = _proposed(area, draft, by=by, today=today)
    found = load_offset(ledger, area.code, fact.doc_no)
    if found.said is not None:
        if found.state != REJECTED and _content(found.said) == _content(fact):
            return found
        if found.state not in {NONE, REJECTED} or found.left_fen != found.said.amount_fen:
            raise OffsetConflict(offset=found.id, state=found.state)
        fact = msgspec.structs.replace(fact, revision=found.said.revision + 1)
    return _append(ledger, found, fact)


def approve_offset(ledger: FundLedger, area: Area, *, offset: str, user: str | None) -> Offset:
    """Let the runs that follow take it; not by whoever prepared it."""
    by = area.allow(user, "approve")
    found = offset_of(ledger, area, offset)
    if found.state == APPROVED and found.decided_by == by:
        return found
    found.refuse_approval(by)
    return _append(ledger, found, facts.OffsetApproved(area=area.code, doc_no=found.doc_no, by=by))


def reject_offset(
    ledger: FundLedger, area: Area, *, offset: str, reason: str, user: str | None
) -> Offset:
    """Send it back, or let nothing more be taken of one that was approved (改以现金退回).

    Whoever prepared it may take it back while it waits. The same again changes nothing.
    """
    found = offset_of(ledger, area, offset)
    own = user is not None and found.state != APPROVED and user == found.proposed.by
    by = area.allow(user, "post" if own else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    found.refuse_unless(WAITING, APPROVED)
    fact = facts.OffsetRejected(area=area.code, doc_no=found.doc_no, by=by, reason=reason)
    return _append(ledger, found, fact)


def _proposed(area: Area, draft: OffsetDraft, *, by: str, today: date) -> facts.OffsetProposed:
    """Check what is written; OffsetFaulty with everything that is wrong."""
    wrong: dict[str, tuple[str, str]] = {}
    fen = _read(draft.amount, parse_amount)
    year = _read(draft.original_year, parse_year)
    doc_no = _read(draft.doc_no, parse_identifier)
    reason = _read(draft.reason, parse_text)
    if not isinstance(fen, int) or fen <= 0:
        wrong["amount"] = ("须为大于零的元,最多两位小数", "yuan above nil, two decimals at most")
    if not isinstance(doc_no, str) or len(doc_no.split()) != 1:
        wrong["doc_no"] = ("须为不含空格的编号", "an identifier without spaces is needed")
    if not isinstance(reason, str):
        wrong["note"] = ("须写明理由", "a reason is needed")
    if draft.fund not in area.leaf_funds:
        funds = ", ".join(sorted(area.leaf_funds))
        wrong["fund"] = (f"须为子基金或险种之一:{funds}", f"one of {funds} is needed")
    if draft.institution not in area.institutions:
        said = f"{draft.institution} 未登记", f"{draft.institution} is not known"
        wrong["counterparty"] = said
    if draft.day > today:
        wrong["date"] = (f"{draft.day} 晚于今天", f"{draft.day} is not here yet")
    if not isinstance(year, int) or year > draft.day.year:
        wrong["original_year"] = ("须为不晚于入账年度的年份", "a year not after that of the date")
    if wrong or not isinstance(fen, int) or not isinstance(year, int):
        raise _faulty(wrong)
    return facts.OffsetProposed(
        area=area.code,
        doc_no=str(doc_no),
        by=by,
        revision=1,
        fund=draft.fund,
        institution=draft.institution,
        date=draft.day.isoformat(),
        amount_fen=fen,
        original_year=year,
        reason=str(reason),
    )


def _read(text: str, parse: Parser) -> object:
    try:
        return parse(text)
    except BadCell:
        return None


def _faulty(wrong: Mapping[str, tuple[str, str]]) -> OffsetFaulty:
    return OffsetFaulty(
        reason_zh=";".join(f"{field} {zh}" for field, (zh, _) in wrong.items()),
        reason_en="; ".join(f"{field} {en}" for field, (_, en) in wrong.items()),
        fields=sorted(wrong),
    )


def _content(fact: facts.OffsetProposed) -> tuple[object, ...]:
    amounts = fact.amount_fen, fact.original_year
    return fact.fund, fact.institution, *amounts, fact.reason


def _append(ledger: FundLedger, offset: Offset, fact: facts.OffsetFact) -> Offset:
    """Append at the place that was read: of two at once the second is told."""
    ledger.append(
        [Envelope(offset_stream(offset.area, offset.doc_no), offset.version + 1, fact)],
        Commit(
            key=f"offset:{offset.area}:{offset.doc_no}:{offset.version + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return load_offset(ledger, offset.area, offset.doc_no)
