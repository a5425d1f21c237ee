"""Prepayments (预付金): about a month of what is booked, by institution, where the gate allows it.

The amount is split by what was booked for each institution last year, by largest remainder. A batch
that a second person approves becomes one document of the cash book for each institution, an asset
until it is offset or returned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.policies import NoPolicyInForce
from ledger.aggregates.prepayment import (
    APPROVED,
    REJECTED,
    WAITING,
    Prepayment,
    Prepayments,
    UnknownPrepayment,
    fold_prepayments,
    prepayment_id,
    prepayment_of,
)
from ledger.application import FundLedger
from ledger.domain.identity import document_stream, prepayments_stream
from ledger.domain.money import allocate, fen_share, format_yuan
from ledger.domain.period import Period
from ledger.errors import RuleRefused
from ledger.events import prepayment as facts
from ledger.events.base import Envelope, Fact, Posted
from ledger.store.commit import Commit, MonthNotOpen, StreamConflict
from settlement.booking import booked_months, first_months, totals_of
from settlement.by_hand import checked_document
from settlement.clearing.owed import Records
from settlement.clearing.policies.file import policy_of
from settlement.clearing.policies.prepayment_rules import PrepaymentRules, default_rules
from settlement.intake.flow_facts import Document, fact_of_document
from settlement.intake.post_flows import sort_documents
from settlement.payout.institutions import standing_of
from settlement.payout.ordering import Ask
from settlement.payout.owing import prepaid_by_institution
from settlement.payout.prepay_gate import gate_figures, refuse_at_gate
from settlement.payout.refusals import PayoutFaulty
from settlement.policies import load_policies

_TRIES = 5
_MONTHS = 12


class ReturnedTooMuch(RuleRefused):
    """More is returned than the institution holds (收回超过余额)."""

    code = "prepayment_returned_too_much"
    zh = "收回 {amount} 元超过机构 {institution} 在险种 {fund} 的预付金余额 {balance} 元。"
    en = (
        "{amount} yuan is more than the {balance} of prepayment that {institution} holds of {fund}."
    )
    hint_zh = "请用 payout prepaid 查看余额。"
    hint_en = "See the balances with payout prepaid."


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepayDraft:
    """What is asked for: a total, or months of last year's booked, or amounts by institution."""

    fund: str
    period: Period
    day: date
    total_fen: int | None = None
    months: Fraction | None = None
    lines: Mapping[str, int] | None = None


def load_prepayments(ledger: FundLedger, area: str, fund: str, period: str) -> Prepayments:
    """Fold the batches of a leaf fund and month."""
    history = ledger.history(prepayments_stream(area, fund, period))
    return fold_prepayments(area, fund, period, (item.fact for _, item in history))


def find_prepayment(
    ledger: FundLedger, area: Area, prepayment: str
) -> tuple[Prepayments, Prepayment]:
    """Find a batch by its id; UnknownPrepayment where there is none."""
    named = prepayment_of(prepayment, area.code)
    if named is None:
        raise UnknownPrepayment(prepayment=prepayment)
    found = load_prepayments(ledger, area.code, named[0], named[1])
    return found, found.find(named[2])


def rules_of(ledger: FundLedger, area: Area, fund: str, day: str) -> tuple[PrepaymentRules, str]:
    """Give the rules in force for a fund on a day, and the policy that names them ("" : none)."""
    try:
        version = load_policies(ledger, area.code).in_force(fund, day)
    except NoPolicyInForce:
        return default_rules(fund), ""
    named = policy_of(version.content).prepayment
    return (default_rules(fund), "") if named is None else (named, version.id)


def propose_prepayment(
    ledger: FundLedger,
    area: Area,
    draft: PrepayDraft,
    *,
    ask: Ask,
    user: str | None,
    dry_run: bool = False,
) -> Prepayment:
    """Prepare a batch; refused with the figures where the gate is not passed.

    Refusals in order: role · what is asked for · the gate.
    """
    by = area.allow(user, "pay")
    _refuse_draft(area, draft)
    rules, policy = rules_of(ledger, area, draft.fund, draft.period.first_day.isoformat())
    gate = gate_figures(ledger, area.code, draft.fund, prepaid=draft.period, rules=rules)
    refuse_at_gate(draft.fund, gate, rules)
    amounts = _amounts(ledger, area, draft, ask(draft.fund), rules)
    batches = load_prepayments(ledger, area.code, draft.fund, str(draft.period))
    fact = facts.PrepaymentProposed(
        area=area.code,
        fund=draft.fund,
        period=str(draft.period),
        no=len(batches.batches) + 1,
        by=by,
        date=draft.day.isoformat(),
        lines=tuple(
            facts.PrepaidLine(institution=institution, fen=fen)
            for institution, fen in sorted(amounts.items())
            if fen
        ),
        total_fen=sum(amounts.values()),
        gate=gate,
        policy=policy or None,
    )
    for one in batches.batches:
        if one.state == WAITING and (one.proposed.lines, one.proposed.date) == (
            fact.lines,
            fact.date,
        ):
            return one
    if not dry_run:
        _append(ledger, batches, [], fact, "propose")
    return Prepayment(fact)


def approve_prepayment(
    ledger: FundLedger, area: Area, *, prepayment: str, user: str | None, today: date
) -> Prepayment:
    """Post what somebody else prepared, where the gate is still passed."""
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        batches, found = find_prepayment(ledger, area, prepayment)
        if found.state == APPROVED and found.decided_by == by:
            return found
        proposed = found.refuse_approval(by)
        prepaid = Period.parse(proposed.period)
        rules, _ = rules_of(ledger, area, proposed.fund, prepaid.first_day.isoformat())
        gate = gate_figures(ledger, area.code, proposed.fund, prepaid=prepaid, rules=rules)
        refuse_at_gate(proposed.fund, gate, rules)
        fact = facts.PrepaymentApproved(
            area=area.code,
            fund=proposed.fund,
            period=proposed.period,
            no=proposed.no,
            by=by,
            total_fen=proposed.total_fen,
            gate=gate,
        )
        documents = _documents(ledger, area, found, today)
        try:
            _append(ledger, batches, documents, fact, "decide")
        except (MonthNotOpen, StreamConflict):  # frozen or decided a moment ago
            if not tries_left:
                raise
            continue
        return find_prepayment(ledger, area, prepayment)[1]
    raise AssertionError("the last try returns or raises")


def reject_prepayment(
    ledger: FundLedger, area: Area, *, prepayment: str, reason: str, user: str | None
) -> Prepayment:
    """Send a batch back; whoever prepared it may take it back."""
    batches, found = find_prepayment(ledger, area, prepayment)
    by = area.allow(user, "pay" if user == found.proposed.by else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    proposed = found.refuse_decision()
    fact = facts.PrepaymentRejected(
        area=area.code,
        fund=proposed.fund,
        period=proposed.period,
        no=proposed.no,
        by=by,
        reason=reason,
    )
    _append(ledger, batches, [], fact, "decide")
    return find_prepayment(ledger, area, prepayment)[1]


def return_cells(
    records: Records, *, fund: str, institution: str, fen: int, doc_no: str, day: date
) -> dict[str, str]:
    """Write the document of a return (预付收回), refused where it is more than is held."""
    balance = prepaid_by_institution(records, fund).get(institution, 0)
    if fen > balance:
        raise ReturnedTooMuch(
            amount=format_yuan(fen),
            institution=institution,
            fund=fund,
            balance=format_yuan(balance),
        )
    return {
        "doc_no": doc_no,
        "date": day.isoformat(),
        "fund": fund,
        "item": "prepayment_return",
        "amount": format_yuan(fen, grouped=False),
        "counterparty": institution,
    }


def _refuse_draft(area: Area, draft: PrepayDraft) -> None:
    if draft.fund not in area.leaf_funds:
        funds = ", ".join(sorted(area.leaf_funds))
        raise PayoutFaulty(
            field="fund",
            reason_zh=f"须为子基金或险种之一:{funds}",
            reason_en=f"one of {funds} is needed",
        )
    stray = sorted(set(draft.lines or ()) - set(area.institutions))
    if stray:
        raise PayoutFaulty(
            field="line",
            reason_zh=f"机构 {', '.join(stray)} 未登记",
            reason_en=f"{', '.join(stray)} are not known",
        )


def _amounts(
    ledger: FundLedger, area: Area, draft: PrepayDraft, records: Records, rules: PrepaymentRules
) -> Mapping[str, int]:
    """Give the amount of each institution; those that are suspended, ended or merged get none."""
    if draft.lines:
        return draft.lines
    standing = standing_of(ledger, area, draft.fund, draft.day.isoformat())
    gone = {*standing.held, *standing.final, *standing.merged}
    year = draft.period.year - 1
    months = [str(Period(year, month)) for month in range(1, _MONTHS + 1)]
    booked: dict[str, int] = {}
    for group, by_fund in records.booked_by_group(*months).items():
        fen = by_fund[draft.fund].fen if draft.fund in by_fund else 0
        if group.institution in area.institutions and group.institution not in gone:
            booked[group.institution] = booked.get(group.institution, 0) + fen
    weights = {institution: fen for institution, fen in booked.items() if fen > 0}
    if not weights:
        raise PayoutFaulty(
            field="period",
            reason_zh=f"{year} 年没有可作依据的记账,请用 --line 逐家写明金额",
            reason_en=f"nothing was booked in {year} to split by; name the amounts with --line",
        )
    months_wanted = draft.months if draft.months is not None else rules.size_months
    total = draft.total_fen
    if total is None:
        total = fen_share(sum(weights.values()), months_wanted / _MONTHS)
    return allocate(total, weights)


def _documents(ledger: FundLedger, area: Area, found: Prepayment, today: date) -> list[Envelope]:
    """Make the documents of a batch, as rows of a ``fund_flows`` file are made."""
    proposed = found.proposed
    documents = [
        Document(
            (
                checked_document(
                    area,
                    {
                        "area": area.code,
                        "doc_no": f"{found.id}-{line.institution}",
                        "date": proposed.date,
                        "fund": proposed.fund,
                        "item": "prepayment",
                        "amount": format_yuan(line.fen, grouped=False),
                        "counterparty": line.institution,
                        "belongs_to": proposed.period,
                    },
                    today,
                ),
            )
        )
        for line in proposed.lines
    ]
    states = ledger.log.books(area.code)
    return [
        Envelope(
            document_stream(area.code, new.document.doc_no),
            new.version,
            fact_of_document(
                new.document,
                new.entry,
                area=area,
                states=states,
                revision=new.revision,
                intake=None,
                user=proposed.by,
            ),
        )
        for new in sort_documents(ledger, area, documents).new
    ]


def _append(
    ledger: FundLedger,
    batches: Prepayments,
    documents: list[Envelope],
    fact: facts.PrepaymentFact,
    step: str,
) -> None:
    stream = prepayments_stream(batches.area, batches.fund, batches.period)
    posted: list[Posted] = [one.fact for one in documents if isinstance(one.fact, Posted)]
    name = prepayment_id(fact.area, fact.fund, fact.period, fact.no)
    ledger.append(
        [*documents, Envelope(stream, batches.version + 1, fact)],
        Commit(
            key=f"prepayment:{name}:{step}",
            input_hash=_hash(fact),
            booked=booked_months(posted),
            totals=totals_of(posted),
            history=first_months(posted),
        ),
    )


def _hash(fact: Fact) -> str:
    return sha256(msgspec.json.encode(fact)).hexdigest()
