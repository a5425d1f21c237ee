"""Prepayments (预付金): about a month of what is booked, by institution, where the gate allows it.

The amount is split by what was booked for each institution last year, by largest remainder. A batch
that a second person approves is ordered at the bank; what the bank confirms is posted
(``prepay_results``). What an institution is asked to give back (收回) goes the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.institution import MERGED, TERMINATED
from ledger.aggregates.policies import NoPolicyInForce
from ledger.aggregates.prepayment import (
    APPROVED,
    REJECTED,
    WAITING,
    Prepayment,
    Prepayments,
    Proposed,
    prepayment_id,
)
from ledger.application import FundLedger
from ledger.domain.identity import prepayments_stream
from ledger.domain.money import allocate, fen_share
from ledger.domain.period import Period
from ledger.events import prepayment as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import Commit, StreamConflict
from settlement.clearing.owed import Records
from settlement.clearing.policies.file import policy_of
from settlement.clearing.policies.prepayment_rules import PrepaymentRules, default_rules
from settlement.payout.batches import find_prepayment, load_prepayments
from settlement.payout.institutions import standing_of
from settlement.payout.ordering import Ask
from settlement.payout.plan_gate import Wanted, commit_to_plan
from settlement.payout.prepaid import refuse_beyond_held
from settlement.payout.preparing import Standing
from settlement.payout.prepay_gate import gate_figures, refuse_at_gate
from settlement.payout.refusals import PayoutFaulty
from settlement.policies import load_policies

_TRIES = 5
_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepayDraft:
    """What is asked for: a total, or months of last year's booked, or amounts by institution."""

    fund: str
    period: Period
    day: date
    total_fen: int | None = None
    months: Fraction | None = None
    lines: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDraft:
    """What is to be taken back (收回), in fen by institution."""

    fund: str
    day: date
    lines: Mapping[str, int]


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
    _refuse_draft(area, draft.fund, draft.lines)
    standing = standing_of(ledger, area, draft.fund, draft.day.isoformat())
    _refuse_standing(standing, draft.lines or ())
    gate, policy = judged(ledger, area, draft.fund, draft.period)
    amounts = _amounts(ledger, area, draft, ask(draft.fund), standing)
    batches = load_prepayments(ledger, area.code, draft.fund, str(draft.period))
    fact = proposal_of(batches, draft.day, amounts, gate=gate, policy=policy, by=by)
    return _propose(ledger, batches, fact, dry_run=dry_run)


def propose_return(
    ledger: FundLedger, area: Area, draft: ReturnDraft, *, ask: Ask, user: str | None
) -> Prepayment:
    """Prepare a batch of returns (收回); ReturnedTooMuch where more is asked back than is held."""
    by = area.allow(user, "pay")
    _refuse_draft(area, draft.fund, draft.lines)
    refuse_beyond_held(ask(draft.fund), draft.fund, draft.lines)
    batches = load_prepayments(ledger, area.code, draft.fund, str(Period.of(draft.day)))
    fact = facts.ReturnProposed(
        area=area.code,
        fund=batches.fund,
        period=batches.period,
        no=len(batches.batches) + 1,
        by=by,
        date=draft.day.isoformat(),
        lines=_lines(draft.lines),
        total_fen=sum(draft.lines.values()),
    )
    return _propose(ledger, batches, fact)


def judged(
    ledger: FundLedger, area: Area, fund: str, period: Period
) -> tuple[facts.GateFigures, str | None]:
    """Give the figures that let a month be prepaid, and the policy that names the rules.

    PrepaymentRefused, PrepaymentNotOffered where the gate is not passed.
    """
    rules, policy = rules_of(ledger, area, fund, period.first_day.isoformat())
    gate = gate_figures(ledger, area.code, fund, prepaid=period, rules=rules)
    refuse_at_gate(fund, gate, rules)
    return gate, policy or None


def proposal_of(
    batches: Prepayments,
    day: date,
    amounts: Mapping[str, int],
    *,
    gate: facts.GateFigures,
    policy: str | None,
    by: str,
) -> facts.PrepaymentProposed:
    """Write the next batch of a fund and month."""
    return facts.PrepaymentProposed(
        area=batches.area,
        fund=batches.fund,
        period=batches.period,
        no=len(batches.batches) + 1,
        by=by,
        date=day.isoformat(),
        lines=_lines(amounts),
        total_fen=sum(amounts.values()),
        gate=gate,
        policy=policy,
    )


def waiting_same(batches: Prepayments, fact: Proposed) -> Prepayment | None:
    """Give a batch that waits with just these orders, where there is one."""
    for one in batches.batches:
        same = (one.proposed.lines, one.proposed.date) == (fact.lines, fact.date)
        if same and one.state == WAITING and one.takes_back == Prepayment(fact).takes_back:
            return one
    return None


def approve_prepayment(
    ledger: FundLedger, area: Area, *, prepayment: str, ask: Ask, user: str | None
) -> Prepayment:
    """Order what somebody else prepared; nothing is posted before the bank's word.

    A prepayment is judged by the gate once more and held to the plan of its month (用款计划), a
    return by what the institution holds now.
    """
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        batches, found = find_prepayment(ledger, area, prepayment)
        if found.state == APPROVED and found.decided_by == by:
            return found
        proposed = found.refuse_approval(by)
        gate, taken = _refuse_stale(ledger, area, found, ask, by=by)
        fact = facts.PrepaymentOrdered(
            area=area.code,
            fund=proposed.fund,
            period=proposed.period,
            no=proposed.no,
            by=by,
            total_fen=proposed.total_fen,
            gate=gate,
        )
        try:
            _append(ledger, batches, fact, "decide", taken)
        except StreamConflict:  # decided, or something else of the month ordered, a moment ago
            if not tries_left:
                raise
            continue
        return find_prepayment(ledger, area, prepayment)[1]
    raise AssertionError("the last try returns or raises")


def _refuse_stale(
    ledger: FundLedger, area: Area, found: Prepayment, ask: Ask, *, by: str
) -> tuple[facts.GateFigures | None, list[Envelope]]:
    """Check a batch as the log stands now; gives the gate's figures and what takes up the plan."""
    proposed = found.proposed
    amounts = {line.institution: line.fen for line in proposed.lines}
    if found.takes_back:
        refuse_beyond_held(ask(proposed.fund), proposed.fund, amounts)
        return None, []
    _refuse_standing(standing_of(ledger, area, proposed.fund, proposed.date), amounts)
    gate, _ = judged(ledger, area, proposed.fund, Period.parse(proposed.period))
    wanted = Wanted(paper=found.id, date=proposed.date, fen=proposed.total_fen)
    return gate, [commit_to_plan(ledger, area, proposed.fund, wanted, by=by)]


def reject_prepayment(
    ledger: FundLedger, area: Area, *, prepayment: str, reason: str, user: str | None
) -> Prepayment:
    """Send a batch back; whoever prepared it may take it back."""
    batches, found = find_prepayment(ledger, area, prepayment)
    by = area.allow(user, "pay" if user == found.proposed.by else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    proposed = found.refuse_unless(WAITING)
    fact = facts.PrepaymentRejected(
        area=area.code,
        fund=proposed.fund,
        period=proposed.period,
        no=proposed.no,
        by=by,
        reason=reason,
    )
    _append(ledger, batches, fact, "decide")
    return find_prepayment(ledger, area, prepayment)[1]


def _propose(
    ledger: FundLedger, batches: Prepayments, fact: Proposed, *, dry_run: bool = False
) -> Prepayment:
    """Let a batch wait; the same as one that waits changes nothing."""
    known = waiting_same(batches, fact)
    if known is None and not dry_run:
        _append(ledger, batches, fact, "propose")
    return known or Prepayment(fact)


def _refuse_draft(area: Area, fund: str, lines: Mapping[str, int] | None) -> None:
    if fund not in area.leaf_funds:
        funds = ", ".join(sorted(area.leaf_funds))
        raise PayoutFaulty(
            field="fund",
            reason_zh=f"须为子基金或险种之一:{funds}",
            reason_en=f"one of {funds} is needed",
        )
    stray = sorted(set(lines or ()) - set(area.institutions))
    if stray:
        raise PayoutFaulty(
            field="line",
            reason_zh=f"机构 {', '.join(stray)} 未登记",
            reason_en=f"{', '.join(stray)} are not known",
        )


def not_prepaid(standing: Standing) -> dict[str, str]:
    """Say who is not prepaid on a day, and why: suspended, terminated or merged (机构状态)."""
    return {
        **dict.fromkeys(standing.final, TERMINATED),
        **dict.fromkeys(standing.merged, MERGED),
        **standing.held,
    }


def _refuse_standing(standing: Standing, institutions: Collection[str]) -> None:
    why = not_prepaid(standing)
    gone = [f"{one} {why[one]}" for one in sorted(institutions) if one in why]
    if gone:
        raise PayoutFaulty(
            field="line",
            reason_zh=f"付款日期已暂停、终止或合并的机构不预付:{', '.join(gone)}",
            reason_en=f"who is suspended, ended or merged that day is not prepaid: {', '.join(gone)}",
        )


def _amounts(
    ledger: FundLedger, area: Area, draft: PrepayDraft, records: Records, standing: Standing
) -> Mapping[str, int]:
    """Give the amount of each institution; those that are suspended, ended or merged get none."""
    if draft.lines:
        return draft.lines
    gone = not_prepaid(standing)
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
    total = draft.total_fen
    if total is None:
        rules, _ = rules_of(ledger, area, draft.fund, draft.period.first_day.isoformat())
        months_wanted = draft.months if draft.months is not None else rules.size_months
        total = fen_share(sum(weights.values()), months_wanted / _MONTHS)
    return allocate(total, weights)


def _lines(amounts: Mapping[str, int]) -> tuple[facts.PrepaidLine, ...]:
    return tuple(
        facts.PrepaidLine(institution=institution, fen=fen)
        for institution, fen in sorted(amounts.items())
        if fen
    )


def _append(
    ledger: FundLedger,
    batches: Prepayments,
    fact: facts.PrepaymentFact,
    step: str,
    more: Sequence[Envelope] = (),
) -> None:
    """Append a step without postings at the place that was read: whoever was first wins."""
    stream = prepayments_stream(batches.area, batches.fund, batches.period)
    name = prepayment_id(fact.area, fact.fund, fact.period, fact.no)
    ledger.append(
        [Envelope(stream, batches.version + 1, fact), *more],
        Commit(key=f"prepayment:{name}:{step}", input_hash=_hash(fact)),
    )


def _hash(fact: Fact) -> str:
    return sha256(msgspec.json.encode(fact)).hexdigest()
