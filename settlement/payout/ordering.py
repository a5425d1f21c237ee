"""Payment orders (拨付单): prepared by one person, approved and ordered by another.

The approval computes the orders again as the log stands then and refuses where they differ. It
appends to the stream of every month it orders at the place that was read: of two orders for one
amount the second finds it gone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.payout import (
    APPROVED,
    REJECTED,
    WAITING,
    Payout,
    Payouts,
    order_no,
)
from ledger.application import FundLedger
from ledger.domain.identity import payouts_stream, settlement_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import ordered_entry
from ledger.events import payout as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import Commit, MonthNotOpen, StreamConflict
from settlement.booking import booked_months, totals_of
from settlement.clearing.owed import Records
from settlement.payout import kinds
from settlement.payout.batches import booked_on, load_payouts, payout_of
from settlement.payout.institutions import standing_of
from settlement.payout.owing import Month, approved_by_month, booked_by_type
from settlement.payout.plan_gate import Wanted, refuse_beyond_plan
from settlement.payout.preparing import (
    Standing,
    held_back,
    orders,
    payable,
    succeeded_debts,
)
from settlement.payout.refusals import NothingToPay, PayoutFaulty, PayoutStale

_TRIES = 5

#: Gives the archive of a fund's area, brought up to the log as it stands when it is called.
Ask = Callable[[str], Records]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be prepared; no months and no institutions means all."""

    fund: str
    day: date
    months: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()


def prepare(
    ledger: FundLedger,
    area: Area,
    draft: Draft,
    *,
    ask: Ask,
    user: str | None,
    today: date,
    dry_run: bool = False,
) -> Payout:
    """Prepare a batch; the same orders as one that waits change nothing.

    Refusals in order: role · what is asked for · nothing to pay.
    """
    by = area.allow(user, "pay")
    _refuse_draft(area, draft, today)
    period = str(Period.of(draft.day))
    payouts = load_payouts(ledger, area.code, draft.fund, period)
    standing = standing_of(ledger, area, draft.fund, draft.day.isoformat())
    records = ask(draft.fund)
    fact = _prepared(area, draft, records, standing, no=len(payouts.batches) + 1, by=by)
    if not fact.lines and not dry_run:
        raise NothingToPay(fund=draft.fund, held=len(fact.held))
    for one in payouts.batches:
        if one.state == WAITING and _content(one.prepared) == _content(fact):
            return one
    if not dry_run:
        _append(ledger, payouts, fact)
    return Payout(fact)


def approve_payout(
    ledger: FundLedger, area: Area, *, payout: str, ask: Ask, user: str | None
) -> Payout:
    """Order what was prepared by somebody else, in one commit."""
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        payouts, found = payout_of(ledger, area, payout)
        if found.state == APPROVED and found.decided_by == by:
            return found
        prepared = found.refuse_approval(by)
        standing = standing_of(ledger, area, prepared.fund, prepared.date)
        wanted = Wanted(paper=found.id, date=prepared.date, fen=prepared.total_fen)
        refuse_beyond_plan(ledger, area, payouts, wanted)
        refuse_changed(found, approved_by_month(ask(prepared.fund), prepared.fund), standing)
        try:
            _order(ledger, area, payouts, found, by=by)
        except (MonthNotOpen, StreamConflict):
            # Frozen, or something of the same months was decided, a moment ago: read anew.
            if not tries_left:
                raise
            continue
        return payout_of(ledger, area, payout)[1]
    raise AssertionError("the last try returns or raises")


def reject_payout(
    ledger: FundLedger, area: Area, *, payout: str, reason: str, user: str | None
) -> Payout:
    """Send a batch back; whoever prepared it may take it back."""
    payouts, found = payout_of(ledger, area, payout)
    by = area.allow(user, "pay" if user == found.prepared.by else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    prepared = found.refuse_unless(WAITING)
    fact = facts.PayoutRejected(
        area=area.code,
        fund=prepared.fund,
        period=prepared.period,
        no=prepared.no,
        by=by,
        reason=reason,
    )
    _append(ledger, payouts, fact)
    return payout_of(ledger, area, payout)[1]


def refuse_changed(found: Payout, approved: Mapping[Month, int], standing: Standing) -> None:
    """PayoutStale where an order is no longer covered by what is approved, or goes elsewhere now."""
    by_institution: dict[str, dict[str, int]] = {}
    for (institution, month), fen in approved.items():
        by_institution.setdefault(institution, {})[month] = fen
    succeeded = succeeded_debts(approved, standing)
    for line in found.prepared.lines:
        months = by_institution.get(line.institution, {})
        covered = sum(min(part.fen, max(months.get(part.month, 0), 0)) for part in line.parts)
        net = sum(months.values()) - succeeded.get(line.institution, 0)
        now = max(min(covered, net), 0)
        if line.institution in standing.held or standing.payee_of(line.institution) != line.payee:
            now = 0
        if now < line.fen:
            _refuse_stale(found, line.institution, line.fen, now)


def _refuse_stale(found: Payout, institution: str, prepared: int, now: int) -> None:
    raise PayoutStale(
        payout=found.id,
        institution=institution,
        prepared=format_yuan(prepared),
        payable=format_yuan(now),
    )


def _refuse_draft(area: Area, draft: Draft, today: date) -> None:
    if draft.fund not in area.leaf_funds:
        funds = ", ".join(sorted(area.leaf_funds))
        raise PayoutFaulty(
            field="fund",
            reason_zh=f"须为子基金或险种之一:{funds}",
            reason_en=f"one of {funds} is needed",
        )
    if draft.day > today:
        raise PayoutFaulty(
            field="date",
            reason_zh=f"{draft.day} 晚于今天",
            reason_en=f"{draft.day} is not here yet",
        )


def _prepared(
    area: Area, draft: Draft, records: Records, standing: Standing, *, no: int, by: str
) -> facts.PayoutPrepared:
    """Compute the orders of a batch as the log stands at the position of the archive."""
    found = list(
        payable(
            approved_by_month(records, draft.fund),
            months=draft.months,
            institutions=draft.institutions,
            standing=standing,
        )
    )
    wanted = {(one.institution, month) for one in found if not one.held for month, _ in one.months}
    lines = orders(
        draft.fund,
        found,
        booked=booked_by_type(records, draft.fund, wanted),
        local=kinds.local_kinds(area, draft.day.isoformat()),
        standing=standing,
    )
    return facts.PayoutPrepared(
        area=area.code,
        fund=draft.fund,
        period=str(Period.of(draft.day)),
        no=no,
        by=by,
        date=draft.day.isoformat(),
        as_of=records.watermark,
        months=draft.months,
        institutions=draft.institutions,
        lines=lines,
        held=held_back(found),
        total_fen=sum(line.fen for line in lines),
    )


def _content(fact: facts.PayoutPrepared) -> tuple[object, ...]:
    """Give what a repetition must share: all but who prepared it when."""
    return fact.date, fact.months, fact.institutions, fact.lines, fact.held


def _order(ledger: FundLedger, area: Area, payouts: Payouts, found: Payout, *, by: str) -> None:
    prepared = found.prepared
    versions: dict[UUID, int] = {}
    ordered: list[facts.PaymentOrdered] = []
    envelopes: list[Envelope] = []
    for line in prepared.lines:
        for part in line.parts:
            stream = settlement_stream(area.code, prepared.fund, line.institution, part.month)
            history = ledger.history(stream)
            refuse_gone(found, line, part, [item.fact for _, item in history])
            versions[stream] = len(history) + 1
            ordered.append(_ordered(ledger, area, found, line, part, by=by))
            envelopes.append(Envelope(stream, versions[stream], ordered[-1]))
    approved = facts.PayoutApproved(
        area=area.code,
        fund=prepared.fund,
        period=prepared.period,
        no=prepared.no,
        by=by,
        total_fen=prepared.total_fen,
    )
    stream = payouts_stream(area.code, prepared.fund, prepared.period)
    ledger.append(
        [*envelopes, Envelope(stream, payouts.version + 1, approved)],
        Commit(
            key=_key(found.prepared, "decide"),
            input_hash=_hash(approved),
            booked=booked_months(ordered),
            totals=totals_of(ordered),
        ),
    )


def refuse_gone(
    found: Payout, line: facts.OrderLine, part: facts.OrderPart, history: list[Fact]
) -> None:
    """PayoutStale where less is approved on the month's own stream than is to be ordered."""
    approved = sum(
        one.fen * ((one.credit == "owed.approved") - (one.debit == "owed.approved"))
        for fact in history
        for one in getattr(fact, "postings", ())
    )
    if approved < part.fen:
        _refuse_stale(found, line.institution, part.fen, approved)


def _ordered(
    ledger: FundLedger,
    area: Area,
    found: Payout,
    line: facts.OrderLine,
    part: facts.OrderPart,
    *,
    by: str,
) -> facts.PaymentOrdered:
    prepared = found.prepared
    entry = ordered_entry(prepared.fund, line.institution, part.fen)
    number = order_no(found.id, line.line)
    return facts.PaymentOrdered(
        area=area.code,
        booked_on=booked_on(ledger, area.code, prepared.date, entry),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=prepared.by,
        fund=prepared.fund,
        institution=line.institution,
        belongs_to=part.month,
        date=prepared.date,
        summary=f"下付款单 {number}",
        payout=found.id,
        line=line.line,
        order_no=number,
        payee=line.payee,
        amount_fen=part.fen,
        kinds=part.kinds,
        approved_by=by,
    )


def _append(ledger: FundLedger, payouts: Payouts, fact: facts.PayoutFact) -> None:
    """Append a step without postings at the place that was read: whoever was first wins."""
    stream = payouts_stream(payouts.area, payouts.fund, payouts.period)
    step = "prepare" if isinstance(fact, facts.PayoutPrepared) else "decide"
    ledger.append(
        [Envelope(stream, payouts.version + 1, fact)],
        Commit(key=_key(fact, step), input_hash=_hash(fact)),
    )


def _key(fact: facts.PayoutFact, step: str) -> str:
    """Name a step of a batch: of two at once the second is told."""
    return f"payout:{fact.area}:{fact.fund}:{fact.period}:{fact.no}:{step}"


def _hash(fact: Fact) -> str:
    return sha256(msgspec.json.encode(fact)).hexdigest()
