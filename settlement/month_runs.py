"""The monthly clearing (月度清算): computed and recorded by one person, approved and posted by another.

A run is recorded with everything it would settle; approving computes it again and posts only what
was seen: one settlement for each institution, in one commit. Approvals of one fund go one after the
other, because what an earlier month owes back and what recoveries are left is part of each. Refusals
of a request, in order: role · fund · month not over · an intake of the fund unfinished · no policy ·
another run of the month waits.
"""

from collections.abc import Callable
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.clearing import (
    APPROVED,
    REJECTED,
    Clearing,
    ClearingChanged,
    ClearingUnderWay,
    Run,
    UnknownClearing,
    fold_clearing,
    run_name,
)
from ledger.aggregates.policies import NoPolicyInForce
from ledger.application import FundLedger
from ledger.domain.fund import parent
from ledger.domain.identity import clearing_stream
from ledger.domain.period import Period
from ledger.events import clearing as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import Commit, KeyConflict, MonthNotOpen, StreamConflict
from settlement.clearing.month.plan import Plan, make_plan
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import (
    Chosen,
    Question,
    ask,
    policy_of_month,
    refuse_unfinished,
)
from settlement.clearing.month.refusals import ClearingMonthNotOver, FundNotCleared, IntakeUnderWay
from settlement.clearing.owed import Records
from settlement.clearing.policies.policy import PART_FUNDS
from settlement.month_posting import post_plan
from settlement.policies import load_policies

_TRIES = 5

#: Gives the archive, brought up to the log as it stands when it is called.
Ask = Callable[[], Records]


def load_clearing(ledger: FundLedger, area: str, fund: str, period: str) -> Clearing:
    """Fold the runs of a fund's month."""
    history = ledger.history(clearing_stream(area, fund, period))
    return fold_clearing(area, fund, period, ((position, one.fact) for position, one in history))


def clearing_of(ledger: FundLedger, area: Area, run: str) -> tuple[Clearing, Run]:
    """Find a run by its id, with the others of its month; UnknownClearing where there is none."""
    named = run_name(run, area.code)
    if named is None:
        raise UnknownClearing(run=run)
    clearing = load_clearing(ledger, area.code, named.fund, named.period)
    return clearing, clearing.find(run)


def runs_of(records: Records, fund: str | None = None) -> list[Run]:
    """Give every run of an area, as the archive has them, by fund and month."""
    told: dict[tuple[str, str], list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(facts.ClearingFact):
        if fund in {None, fact.fund}:
            told.setdefault((fact.fund, fact.period), []).append((position, fact))
    return [
        run
        for (of_fund, period), stored in sorted(told.items())
        for run in fold_clearing(records.area, of_fund, period, stored).runs
    ]


def plan_month(
    ledger: FundLedger, area: Area, records: Records, *, fund: str, period: Period, today: date
) -> Plan:
    """Compute what a run of the month would settle as the archive stands; nothing is written."""
    if fund not in area.leaf_funds:
        raise FundNotCleared(fund=fund, funds=", ".join(sorted(area.leaf_funds)))
    refuse_unfinished(ledger.log, area.code, fund)
    for started in records.unfinished_intakes():  # complete by now, but not where the figures are
        if parent(fund) in map(parent, started.funds):
            raise IntakeUnderWay(fund=fund, intake=started.intake)
    chosen = _chosen(ledger, area.code, fund, period)
    cleared = None
    if chosen is not None and chosen.policy.methods:
        cleared = clear_month(question_of(records, fund, period), chosen)
    clearing = load_clearing(ledger, area.code, fund, str(period))
    return make_plan(records, clearing, chosen=chosen, cleared=cleared, year=today.year)


def question_of(records: Records, fund: str, period: Period) -> Question:
    """Put the question of the methods for a month where the records stand."""
    question = ask(
        records.archive,
        records.engine,
        area=records.area,
        fund=fund,
        period=period,
        watermark=records.watermark,
    )
    return question if records.spread is None else records.spread(question)


def _chosen(ledger: FundLedger, area: str, fund: str, period: Period) -> Chosen | None:
    """Give the policy of the month; a fund that is paid by no method needs none."""
    policies = load_policies(ledger, area)
    try:
        return policy_of_month(policies, fund, period)
    except NoPolicyInForce:
        if fund in PART_FUNDS and not any(one.fund == fund for one in policies.versions):
            return None
        raise


def request_clearing(
    ledger: FundLedger,
    area: Area,
    asked: Ask,
    *,
    fund: str,
    period: Period,
    user: str | None,
    today: date,
) -> Run | None:
    """Record what a run of the month would settle; None where nothing is new.

    The same request again, after a crash or by somebody else, gives the run that waits.
    """
    by = area.allow(user, "clear")
    if fund in area.leaf_funds and period >= Period.of(today):
        raise ClearingMonthNotOver(period=str(period), today=today.isoformat())
    plan = plan_month(ledger, area, asked(), fund=fund, period=period, today=today)
    clearing = load_clearing(ledger, area.code, fund, str(period))
    if clearing.waiting is not None:
        if clearing.waiting.computed.plan_hash == plan.hash:
            return clearing.waiting
        waits = clearing.waiting
        raise ClearingUnderWay(fund=fund, period=str(period), run=waits.id, user=waits.computed.by)
    if not plan.lines:
        return None
    run = clearing.next_run()
    fact = _computed(plan, run=run, by=by)
    ledger.append(
        [Envelope(clearing_stream(area.code, fund, str(period)), clearing.version + 1, fact)],
        Commit(key=f"clear:{run}:compute", input_hash=plan.hash),
    )
    return load_clearing(ledger, area.code, fund, str(period)).find(run)


def approve_clearing(
    ledger: FundLedger, area: Area, asked: Ask, *, run: str, user: str | None, today: date
) -> Run:
    """Post what waits for approval, if it is still what would be settled; not by who prepared it."""
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        clearing, found = clearing_of(ledger, area, run)
        if found.state == APPROVED and found.decided_by == by:
            return found  # approved before a crash: everything was in that one commit
        found.refuse_approval(by)
        records = asked()
        period = Period.parse(clearing.period)
        plan = plan_month(ledger, area, records, fund=clearing.fund, period=period, today=today)
        if plan.hash != found.computed.plan_hash:
            raise ClearingChanged(run=run, approved=found.computed.plan_hash, computed=plan.hash)
        try:
            post_plan(ledger, records, clearing, found, plan, by=by, today=today)
        except (KeyConflict, MonthNotOpen, StreamConflict):
            if not tries_left:  # else: decided about, or frozen, a moment ago
                raise
            continue
        return clearing_of(ledger, area, run)[1]
    raise AssertionError("the last try returns or raises")


def reject_clearing(
    ledger: FundLedger, area: Area, *, run: str, reason: str, user: str | None
) -> Run:
    """Send a run back; whoever prepared it may take it back. The same again changes nothing."""
    clearing, found = clearing_of(ledger, area, run)
    own = user is not None and user == found.computed.by
    by = area.allow(user, "clear" if own else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    found.refuse_decision()
    fact = facts.ClearingRejected(
        area=area.code, fund=clearing.fund, period=clearing.period, run=run, by=by, reason=reason
    )
    stream = clearing_stream(area.code, clearing.fund, clearing.period)
    ledger.append(
        [Envelope(stream, clearing.version + 1, fact)],
        Commit(key=f"clear:{run}:decide", input_hash=_hash(fact)),
    )
    return clearing_of(ledger, area, run)[1]


def _computed(plan: Plan, *, run: str, by: str) -> facts.ClearingComputed:
    chosen, record = plan.chosen, plan.record
    return facts.ClearingComputed(
        area=plan.area,
        fund=plan.fund,
        period=plan.period,
        run=run,
        by=by,
        plan_hash=plan.hash,
        watermark=record.watermark,
        basis=plan.basis,
        policy=None if chosen is None else chosen.id,
        policy_hash=None if chosen is None else chosen.content_hash,
        engine=record.engine,
        engine_version=record.engine_version,
        kernel=record.kernel,
        parameters=record.parameters,
        result=record.result,
        lines=plan.lines,
        offsets=plan.offsets,
        point_value=plan.point_value,
    )


def _hash(fact: facts.ClearingFact) -> str:
    return sha256(msgspec.json.encode(fact)).hexdigest()
