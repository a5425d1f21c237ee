"""Orders are held to the month's plan of payments (用款计划): to institutions, to persons, in advance.

The orders of a month that wait or are paid, by leaf fund, stay within what was granted. What failed or
came back does not count: its money is still in 支出户.
"""

from dataclasses import dataclass

from ledger.aggregates.area import Area
from ledger.aggregates.payout import ORDERED, PAID, Payouts
from ledger.aggregates.persons import persons_of
from ledger.aggregates.plan import Plan, fold_plan
from ledger.application import FundLedger
from ledger.domain.fund import parent
from ledger.domain.identity import payouts_stream, plan_stream
from ledger.domain.money import format_yuan
from ledger.errors import RuleRefused
from ledger.events.base import Envelope
from ledger.events.plan import PlanCommitted
from settlement.payout.batches import (
    find_person_payout,
    find_prepayment,
    load_payouts,
    payments_of,
    states_of,
)

#: A dated parameter of the setup file (``[[policies]]``): ``gate`` is one of these.
POLICY = "payment_plan"
WHERE_PRESENT, REQUIRED, OFF = "where_present", "required", "off"
_STANDS = {ORDERED, PAID}


class PlanExceeded(RuleRefused):
    """More would be ordered than was granted for the month (超用款计划)."""

    code = "plan_exceeded"
    zh = (
        "拨付单 {payout} 超过用款计划:险种 {fund} 的 {period} 批复 {granted} 元,已下单 {ordered} 元,"
        "本单 {wanted} 元。"
    )
    en = (
        "{payout} goes beyond the plan of {fund}, {period}: granted {granted}, ordered {ordered},"
        " this one {wanted}."
    )
    hint_zh = "请追加用款申请(payout plan),或退回后减少本单。"
    hint_en = "Ask for more (payout plan), or reject it and prepare less."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be ordered from a leaf fund's month: by which batch, and how much."""

    paper: str
    date: str
    fen: int


def load_plan(ledger: FundLedger, area: str, fund: str, period: str) -> Plan:
    """Fold the plan of a fund (with all its leaf funds) and month."""
    history = ledger.history(plan_stream(area, fund, period))
    return fold_plan(area, fund, period, (item.fact for _, item in history))


def refuse_beyond_plan(ledger: FundLedger, area: Area, payouts: Payouts, wanted: Wanted) -> None:
    """PlanExceeded where a batch would take the month's orders beyond what was granted."""
    leaf, period = payouts.fund, payouts.period
    plan = load_plan(ledger, area.code, parent(leaf), period)
    gate = gate_of(area, wanted.date)
    if gate == OFF or (gate != REQUIRED and not plan.requests):
        return
    ordered = ordered_fen(ledger, area, payouts)
    if ordered + wanted.fen > plan.granted(leaf):
        raise PlanExceeded(
            payout=wanted.paper,
            fund=leaf,
            period=period,
            granted=format_yuan(plan.granted(leaf)),
            ordered=format_yuan(ordered),
            wanted=format_yuan(wanted.fen),
        )


def commit_to_plan(
    ledger: FundLedger, area: Area, fund: str, wanted: Wanted, *, by: str
) -> Envelope:
    """Give the fact that takes up the plan (占用用款计划), at the place that was read.

    PlanExceeded where the grant does not suffice; of two at once the second meets a StreamConflict.
    """
    period = wanted.date[:7]
    payouts = load_payouts(ledger, area.code, fund, period)
    refuse_beyond_plan(ledger, area, payouts, wanted)
    fact = PlanCommitted(
        area=area.code,
        fund=fund,
        period=period,
        paper=wanted.paper,
        by=by,
        date=wanted.date,
        fen=wanted.fen,
    )
    return Envelope(payouts_stream(area.code, fund, period), payouts.version + 1, fact)


def ordered_fen(ledger: FundLedger, area: Area, payouts: Payouts) -> int:
    """Add up what of a leaf fund's month is ordered or paid; what failed or came back is not."""
    found = 0
    for one in payouts.batches:
        states = states_of(ledger, one)
        found += sum(
            line.fen
            for line in one.prepared.lines
            if line.line in states and states[line.line].state in _STANDS
        )
    return found + sum(_standing(ledger, area, one) for one in payouts.committed)


def _standing(ledger: FundLedger, area: Area, committed: PlanCommitted) -> int:
    """Add up what still stands of a batch that took up the plan."""
    if persons_of(committed.paper, area.code) is not None:
        payout = find_person_payout(ledger, area, committed.paper)
        return sum(
            one.requested.fen
            for one in payments_of(ledger, payout)
            if one.requested.fund == committed.fund and one.states[-1].state in _STANDS
        )
    _, prepayment = find_prepayment(ledger, area, committed.paper)
    return sum(
        line.fen
        for number, line in prepayment.lines.items()
        if prepayment.states[number][-1].state in _STANDS
    )


def gate_of(area: Area, day: str) -> str:
    """Say whether orders are held to the plan, by the area's dated parameter."""
    dated = [effective for name, effective in area.policies if name == POLICY and effective <= day]
    content = area.policies[POLICY, max(dated)] if dated else {}
    gate = content.get("gate")
    return gate if gate in {REQUIRED, OFF} and isinstance(gate, str) else WHERE_PRESENT
