"""What is checked of an audit deduction (审核拒付) before it is prepared and again before it is posted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.refusal import Refusal
from ledger.application import FundLedger
from ledger.domain.identity import claim_stream, settlement_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.errors import Conflict, InputRejected, RuleRefused
from ledger.events import settlement as facts
from ledger.events.claim import ClaimFact, ClaimReversed
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, parse_identifier, parse_text

#: Gives what a leaf fund owes an institution for a month, in fen by stage, as the log stands when it
#: is called: (fund, institution, month) → stage → fen.
OwedByStage = Callable[[str, str, str], Mapping[str, int]]


class RefusalFaulty(InputRejected):
    """The refusal is written in a way that cannot be posted."""

    code = "refusal_faulty"
    zh = "拒付单的 {field} 不能接受:{reason_zh}。"
    en = "The {field} of the refusal cannot be taken: {reason_en}."
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare the refusal again."


class RefusedTooMuch(RuleRefused):
    """More is refused than is owed by that institution, fund and month (拒付超过应付)."""

    code = "refused_too_much"
    zh = (
        "拒付 {amount} 元超过险种 {fund} 对机构 {institution} 的 {period} 应付:"
        "已申报 {declared} 元,已记账未申报 {booked} 元。"
    )
    en = (
        "{amount} yuan is more than fund {fund} owes {institution} for {period}: declared {declared},"
        " booked and not declared {booked}."
    )
    hint_zh = "已审定或已拨付的应作追回(recovery),不作拒付。"
    hint_en = "What is approved or paid already is recovered, not refused."


class SettlementRefusedTooMuch(RuleRefused):
    """More is refused of a settlement than the fund owes for it."""

    code = "settlement_refused_too_much"
    zh = "拒付 {amount} 元超过结算 {setl_id} 由险种 {fund} 承担的 {owed} 元(已拒付 {refused} 元)。"
    en = "{amount} yuan is more than fund {fund} owes for {setl_id}: {owed}, refused so far {refused}."
    hint_zh = "请核对结算号、险种与金额。"
    hint_en = "Check settlement, fund and amount."


class RefusalConflict(Conflict):
    """The number of a refusal that stands came with other content."""

    code = "refusal_conflict"
    zh = "拒付单号 {refusal} 已有不同内容的单据(状态 {state}):{fund}、{institution}、{period}、{amount} 元。"
    en = "{refusal} is already a refusal ({state}) of {amount} yuan: {fund}, {institution}, {period}."
    hint_zh = "请换一个单据号,或先退回、撤销原单。"
    hint_en = "Use another number, or reject or withdraw the first one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A refusal as it is handed in; ``doc_no`` None: named after its content."""

    fund: str
    institution: str
    month: Period
    amount: str  # yuan
    reason_code: str
    reason: str
    day: date
    setl_id: str | None = None
    doc_no: str | None = None


def proposed_of(area: Area, draft: Draft, *, by: str, today: date) -> facts.RefusalProposed:
    """Check what is written and give it as a fact, as its first revision."""
    if draft.fund not in area.leaf_funds:
        funds = ", ".join(sorted(area.leaf_funds))
        raise _faulty("fund", f"须为子基金或险种之一:{funds}", f"one of {funds} is needed")
    if draft.institution not in area.institutions:
        raise _faulty(
            "institution", f"机构 {draft.institution} 未登记", f"{draft.institution} is not known"
        )
    if draft.day > today:
        raise _faulty("date", f"{draft.day} 晚于今天", f"{draft.day} is not here yet")
    if draft.month > Period.of(draft.day):
        raise _faulty("period", f"{draft.month} 晚于拒付日期", f"{draft.month} is after the date")
    fact = facts.RefusalProposed(
        area=area.code,
        doc_no="",
        revision=1,
        by=by,
        fund=draft.fund,
        institution=draft.institution,
        belongs_to=str(draft.month),
        date=draft.day.isoformat(),
        amount_fen=_amount(draft.amount),
        reason_code=_identifier("reason_code", draft.reason_code),
        reason=text_of("reason", draft.reason),
        setl_id=None if draft.setl_id is None else _identifier("setl_id", draft.setl_id),
    )
    named = f"R{sha256(repr(content_of(fact)).encode()).hexdigest()[:12]}"
    doc_no = named if draft.doc_no is None else _identifier("doc_no", draft.doc_no)
    return msgspec.structs.replace(fact, doc_no=doc_no)


def _amount(text: str) -> int:
    try:
        fen = parse_amount(text)
    except BadCell:
        fen = None
    if fen is None or fen <= 0:
        raise _faulty(
            "amount", "须为大于零的元,最多两位小数", "yuan above nil, two decimals at most"
        )
    return fen


def _identifier(field: str, text: str) -> str:
    try:
        found = parse_identifier(text)
    except BadCell:
        found = None
    if not found or len(found.split()) != 1:
        raise _faulty(field, "须为不含空格的编号", "an identifier without spaces is needed")
    return found


def text_of(field: str, text: str) -> str:
    try:
        found = parse_text(text)
    except BadCell:
        found = None
    if not found:
        raise _faulty(field, "须写明文字", "a text is needed")
    return found


def _faulty(field: str, reason_zh: str, reason_en: str) -> RefusalFaulty:
    return RefusalFaulty(field=field, reason_zh=reason_zh, reason_en=reason_en)


def content_of(fact: facts.RefusalProposed) -> tuple[object, ...]:
    """Give what a repetition must share: all but who prepared it when."""
    return (
        *(fact.fund, fact.institution, fact.belongs_to, fact.amount_fen),
        *(fact.reason_code, fact.reason, fact.setl_id),
    )


def refuse_other_content(refusal: Refusal, stands: facts.RefusalProposed) -> None:
    raise RefusalConflict(
        refusal=refusal.id,
        state=refusal.state,
        fund=stands.fund,
        institution=stands.institution,
        period=stands.belongs_to,
        amount=format_yuan(stands.amount_fen),
    )


def refuse_excess(
    ledger: FundLedger, fact: facts.RefusalProposed, owed: OwedByStage
) -> tuple[int, int]:
    """Refuse more than is owed; give what of it is taken from declared and from booked."""
    if fact.setl_id is not None:
        _refuse_settlement_excess(ledger, fact, fact.setl_id)
    by_stage = owed(fact.fund, fact.institution, fact.belongs_to)
    declared, booked = by_stage["owed.declared"], by_stage["owed.booked"]
    if fact.amount_fen > declared + booked:
        raise RefusedTooMuch(
            amount=format_yuan(fact.amount_fen),
            fund=fact.fund,
            institution=fact.institution,
            period=fact.belongs_to,
            declared=format_yuan(declared),
            booked=format_yuan(booked),
        )
    of_declared = min(fact.amount_fen, max(declared, 0))
    return of_declared, fact.amount_fen - of_declared


def _refuse_settlement_excess(
    ledger: FundLedger, fact: facts.RefusalProposed, setl_id: str
) -> None:
    """A settlement is refused at most as far as the fund owes for it, all refusals together."""
    history = ledger.history(claim_stream(fact.area, setl_id, refund=False))
    claim = history[-1][1].fact if history else None
    if not isinstance(claim, ClaimFact):
        raise _faulty("setl_id", f"没有在账的结算 {setl_id}", f"no settlement {setl_id} stands")
    if (claim.institution, claim.belongs_to) != (fact.institution, fact.belongs_to):
        raise _faulty(
            "setl_id",
            f"结算 {setl_id} 属于 {claim.institution} 的 {claim.belongs_to}",
            f"{setl_id} is of {claim.institution} in {claim.belongs_to}",
        )
    refunds = ledger.history(claim_stream(fact.area, setl_id, refund=True))
    if refunds and not isinstance(refunds[-1][1].fact, ClaimReversed):
        raise _faulty("setl_id", f"结算 {setl_id} 已退费", f"{setl_id} was refunded")
    owed = sum(
        one.fen
        for one in claim.postings
        if one.fund == fact.fund and one.credit == "owed.booked"  # else another place's (异地)
    )
    month = settlement_stream(fact.area, fact.fund, fact.institution, fact.belongs_to)
    refused = sum(
        one.fen
        for _, envelope in ledger.history(month)
        if isinstance(step := envelope.fact, facts.RefusalDecided | facts.RefusalWithdrawn)
        and step.setl_id == setl_id
        for one in step.postings
    )
    if fact.amount_fen > owed - refused:
        raise SettlementRefusedTooMuch(
            amount=format_yuan(fact.amount_fen),
            setl_id=setl_id,
            fund=fact.fund,
            owed=format_yuan(owed),
            refused=format_yuan(refused),
        )
