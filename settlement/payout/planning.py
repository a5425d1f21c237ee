"""The monthly plan of payments (用款计划): asked of the finance bureau, granted, drawn to 支出户.

Where a plan exists for a month, orders of that month stay within what was granted (``plan_gate``).
Medical assistance is paid from 财政专户, so nothing is drawn for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.plan import (
    DrawConflict,
    DrawnTooMuch,
    GrantedTooMuch,
    Plan,
    PlanWaiting,
)
from ledger.application import FundLedger
from ledger.domain.entry import Posting
from ledger.domain.fund import ASSISTANCE, leaves, parent
from ledger.domain.identity import plan_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.domain.posting_rules import RULES_VERSION
from ledger.events import plan as facts
from ledger.events.base import Envelope, Fact, Posted
from ledger.store.commit import Commit, MonthNotOpen
from settlement.booking import booked_months, booking_date, books_touched, first_months, totals_of
from settlement.clearing.owed import Records
from settlement.payout.institutions import standing_of
from settlement.payout.owing import approved_by_month
from settlement.payout.plan_gate import load_plan
from settlement.payout.preparing import payable
from settlement.payout.refusals import PayoutFaulty

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """An application as it is handed in: amounts by hand by leaf fund, in fen."""

    fund: str
    period: Period
    day: date
    by_hand: Mapping[str, int]
    note: str | None = None


def request_plan(
    ledger: FundLedger, area: Area, draft: PlanDraft, *, records: Records, user: str | None
) -> Plan:
    """Ask for what is approved and not ordered, and what was added by hand."""
    by = area.allow(user, "pay")
    _refuse_fund(area, draft.fund, draft.by_hand)
    plan = load_plan(ledger, area.code, draft.fund, str(draft.period))
    amounts = tuple(
        facts.PlanAmount(
            fund=leaf,
            approved_fen=_payable(ledger, area, leaf, records, draft.day),
            by_hand_fen=draft.by_hand.get(leaf, 0),
        )
        for leaf in leaves(draft.fund)
    )
    waiting = plan.waiting
    if waiting is not None:
        if (waiting.amounts, waiting.note) == (amounts, draft.note):
            return plan
        raise PlanWaiting(fund=draft.fund, period=str(draft.period), round=waiting.round)
    fact = facts.PlanRequested(
        area=area.code,
        fund=draft.fund,
        period=str(draft.period),
        round=len(plan.requests) + 1,
        by=by,
        date=draft.day.isoformat(),
        as_of=records.watermark,
        amounts=amounts,
        note=draft.note,
    )
    _append(ledger, plan, fact, f"request:{fact.round}")
    return load_plan(ledger, area.code, draft.fund, str(draft.period))


def grant_plan(
    ledger: FundLedger,
    area: Area,
    *,
    fund: str,
    period: Period,
    amounts: Mapping[str, int],
    paper: str,
    day: date,
    user: str | None,
) -> Plan:
    """Record what the bureau grants; without amounts, all that was asked for."""
    by = area.allow(user, "approve")
    _refuse_fund(area, fund, amounts)
    plan = load_plan(ledger, area.code, fund, str(period))
    if plan.waiting is None and plan.grants and _same_grant(plan.grants[-1], amounts, paper, by):
        return plan
    waiting = plan.refuse_grant(by)
    asked = {one.fund: one.approved_fen + one.by_hand_fen for one in waiting.amounts}
    granted = {leaf: amounts.get(leaf, 0) for leaf in asked} if amounts else asked
    for leaf, fen in granted.items():
        if fen > asked[leaf]:
            raise GrantedTooMuch(
                fund=leaf,
                period=str(period),
                granted=format_yuan(fen),
                requested=format_yuan(asked[leaf]),
            )
    fact = facts.PlanGranted(
        area=area.code,
        fund=fund,
        period=str(period),
        round=waiting.round,
        by=by,
        date=day.isoformat(),
        amounts=tuple(facts.GrantedAmount(fund=leaf, fen=fen) for leaf, fen in granted.items()),
        paper=paper,
    )
    _append(ledger, plan, fact, f"grant:{fact.round}")
    return load_plan(ledger, area.code, fund, str(period))


def draw_plan(
    ledger: FundLedger,
    area: Area,
    *,
    fund: str,
    period: Period,
    fen: int | None,
    doc_no: str,
    day: date,
    user: str | None,
) -> Plan:
    """Draw granted money of a leaf fund to 支出户; without an amount, all that is left."""
    by = area.allow(user, "pay")
    if fund not in area.leaf_funds or fund == ASSISTANCE:
        raise PayoutFaulty(
            field="fund",
            reason_zh="须为子基金或险种;医疗救助由财政专户支付,不拨入支出户",
            reason_en="a leaf fund is needed; assistance is paid from the fiscal account",
        )
    for tries_left in range(_TRIES - 1, -1, -1):
        plan = load_plan(ledger, area.code, parent(fund), str(period))
        known = next((one for one in plan.draws if one.doc_no == doc_no), None)
        if known is not None:
            if known.fund == fund and fen in {None, known.amount_fen}:
                return plan
            raise DrawConflict(
                doc_no=doc_no,
                fund=known.fund,
                amount=format_yuan(known.amount_fen),
                date=known.date,
            )
        fact = _drawn(ledger, area, plan, fund, fen, doc_no=doc_no, day=day, by=by)
        try:
            _append(ledger, plan, fact, f"draw:{doc_no}")
        except MonthNotOpen:  # frozen a moment ago: booked again into the month that is open
            if not tries_left:
                raise
            continue
        return load_plan(ledger, area.code, parent(fund), str(period))
    raise AssertionError("the last try returns or raises")


def _payable(ledger: FundLedger, area: Area, leaf: str, records: Records, day: date) -> int:
    standing = standing_of(ledger, area, leaf, day.isoformat())
    found = payable(approved_by_month(records, leaf), standing=standing)
    return sum(fen for one in found if one.held is None for _, fen in one.months)


def _same_grant(last: facts.PlanGranted, amounts: Mapping[str, int], paper: str, by: str) -> bool:
    said = {one.fund: one.fen for one in last.amounts}
    same = not amounts or {leaf: amounts.get(leaf, 0) for leaf in said} == said
    return same and (last.paper, last.by) == (paper, by)


def _drawn(
    ledger: FundLedger,
    area: Area,
    plan: Plan,
    fund: str,
    fen: int | None,
    *,
    doc_no: str,
    day: date,
    by: str,
) -> facts.PlanDrawn:
    granted, drawn = plan.granted(fund), plan.drawn(fund)
    wanted = granted - drawn if fen is None else fen
    if not 0 < wanted <= granted - drawn:
        raise DrawnTooMuch(
            fund=fund,
            period=plan.period,
            wanted=format_yuan(wanted),
            granted=format_yuan(granted),
            drawn=format_yuan(drawn),
        )
    entry = (Posting(fund, "expenditure", "fiscal", wanted),)
    books = books_touched(area.code, entry)
    return facts.PlanDrawn(
        area=area.code,
        booked_on=booking_date(day, books, ledger.log.books(area.code)).isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=by,
        fund=fund,
        period=plan.period,
        date=day.isoformat(),
        summary=f"{plan.period} 用款计划拨入支出户",
        doc_no=doc_no,
        amount_fen=wanted,
    )


def _refuse_fund(area: Area, fund: str, amounts: Mapping[str, int]) -> None:
    stray = sorted(set(amounts) - set(leaves(fund)))
    if fund not in area.funds or stray:
        funds = ", ".join(sorted(area.funds))
        raise PayoutFaulty(
            field="fund",
            reason_zh=f"险种须为 {funds} 之一,金额按其子基金填写",
            reason_en=f"one of {funds} is needed, with amounts by its leaf funds",
        )


def _append(ledger: FundLedger, plan: Plan, fact: Fact, step: str) -> None:
    posted = [fact] if isinstance(fact, Posted) else []
    ledger.append(
        [Envelope(plan_stream(plan.area, plan.fund, plan.period), plan.version + 1, fact)],
        Commit(
            key=f"plan:{plan.area}:{plan.fund}:{plan.period}:{step}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
            booked=booked_months(posted),
            totals=totals_of(posted),
            history=first_months(posted),
        ),
    )
