"""The month-end close (月结): request → freeze → compute → approve by someone else → post → seal.

Every step is one commit under a key of its own, so a step that is run again after a crash, or is
delivered twice, ends in the same state. Refusals of a request, in order: role · fund · month not
over · month already under way or sealed · an earlier month still open · (under the lock) an intake
of the fund unfinished.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from ledger.aggregates.area import Area
from ledger.aggregates.month import (
    APPROVED,
    COMPUTED,
    FROZEN,
    REOPENING,
    Month,
    PlanChanged,
    fold_month,
)
from ledger.application import FundLedger
from ledger.domain.entry import red_letter
from ledger.domain.fund import fund_name
from ledger.domain.identity import month_stream
from ledger.domain.period import Period
from ledger.domain.posting_rules import RULES_VERSION
from ledger.events import month as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import (
    BookKey,
    Commit,
    Freeze,
    OutboxMessage,
    Receipt,
    Reopen,
    SealMonth,
    Thaw,
    Transition,
)
from settlement.booking import totals_of
from settlement.close_plan import blocking, make_plan, plan_hash, year_transfer
from settlement.close_refusals import (
    CheckFailed,
    EarlierMonthOpen,
    FundNotClosable,
    MonthNotOver,
    NotLatestMonth,
    PositionUnsealed,
    UnknownRun,
)
from settlement.year_end import year_transfers

#: Actors of the close, as the outbox names them.
COMPUTE, POST = "compute_close", "post_close"


@dataclass(frozen=True, slots=True)
class CloseState:
    """Where a close stands, as the commands and pages show it."""

    month: Month
    dry_run: bool = False

    def document(self) -> dict[str, Any]:
        """Give the JSON document of ``close``."""
        month = self.month
        return {
            "run": month.run,
            "area": month.area,
            "fund": month.fund,
            "period": month.period,
            "state": month.state,
            "dry_run": self.dry_run,
            "prepared_by": month.prepared_by,
            "approved_by": month.approved_by,
            "cutoff_position": month.cutoff_position,
            "plan_hash": month.plan_hash,
            "sealed_position": month.sealed_position,
            "sealed_digest": month.sealed_digest,
            "reason": month.reason,
            "plan": month.plan,
        }


def load_month(ledger: FundLedger, area: str, fund: str, period: Period) -> Month:
    """Fold the stream of a month."""
    history = ledger.history(month_stream(area, fund, str(period)))
    return fold_month(area, fund, str(period), (item.fact for _, item in history))


def month_of_run(ledger: FundLedger, area: Area, run: str) -> Month:
    """Find the month a run belongs to; UnknownRun where there is none."""
    parts = run.split("-")
    if len(parts) < 5 or parts[0] != area.code or parts[1] not in area.funds:
        raise UnknownRun(run=run)
    try:
        period = Period.parse(f"{parts[2]}-{parts[3]}")
    except ValueError:
        raise UnknownRun(run=run) from None
    month = load_month(ledger, area.code, parts[1], period)
    if month.run != run:
        raise UnknownRun(run=run)
    return month


def dry_run_close(ledger: FundLedger, area: Area, *, fund: str, period: Period) -> CloseState:
    """Compute what a close would post, without freezing or writing anything."""
    _refuse_fund(area, fund)
    month = load_month(ledger, area.code, fund, period)
    month.refuse_second_close()
    _refuse_order(ledger, area, fund, period)
    month.cutoff_position = ledger.log.last_position()
    month.plan = _plan(ledger, area, month)
    month.plan_hash = plan_hash(month.plan)
    return CloseState(month, dry_run=True)


def request_close(
    ledger: FundLedger, area: Area, *, fund: str, period: Period, user: str | None, today: date
) -> Month:
    """Freeze the month for a new run; ``compute_close`` follows through the outbox."""
    by = area.allow(user, "close")
    _refuse_fund(area, fund)
    if period >= Period.of(today):
        raise MonthNotOver(period=str(period), today=today.isoformat())
    month = load_month(ledger, area.code, fund, period)
    if month.state == FROZEN and month.prepared_by == by:
        return month  # the same request once more, after a crash: what follows is in the outbox
    month.refuse_second_close()
    _refuse_order(ledger, area, fund, period)
    run = month.next_run()
    frozen = facts.MonthFrozen(area=area.code, fund=fund, period=str(period), run=run, by=by)
    _append(
        ledger,
        month,
        [frozen],
        step=f"{run}:freeze",
        transitions=(Freeze(BookKey(area.code, fund), period),),
        outbox=(OutboxMessage(COMPUTE, run),),
    )
    return load_month(ledger, area.code, fund, period)


def compute_close(ledger: FundLedger, area: Area, *, run: str) -> Month:
    """Compute the plan of a frozen month (月结计算); nothing to do when it is computed already."""
    month = month_of_run(ledger, area, run)
    if month.state != FROZEN:
        return month
    month.cutoff_position = _cutoff(ledger, month)
    plan = _plan(ledger, area, month)
    computed = facts.CloseComputed(
        area=area.code,
        fund=month.fund,
        period=month.period,
        run=run,
        by=month.prepared_by or "",
        cutoff_position=month.cutoff_position,
        plan_hash=plan_hash(plan),
        plan=plan,
    )
    _append(ledger, month, [computed], step=f"{run}:compute")
    return month_of_run(ledger, area, run)


def approve(ledger: FundLedger, area: Area, *, run: str, user: str | None) -> Month:
    """Approve a close or a reopening (复核通过); ``post_close`` follows through the outbox."""
    by = area.allow(user, "approve")
    month = month_of_run(ledger, area, run)
    if month.was_approved(run=run, by=by):
        return month  # approved before a crash: posting and sealing are in the outbox, or done
    month.refuse_decision(run=run, user=by)
    if month.state == REOPENING:
        return _reopen(ledger, area, month, by)
    plan = _plan(ledger, area, month)
    if plan_hash(plan) != month.plan_hash:
        raise PlanChanged(run=run, approved=month.plan_hash, computed=plan_hash(plan))
    failed = blocking(plan)
    if failed:
        raise CheckFailed(run=run, checks=", ".join(failed))
    approved = facts.CloseApproved(
        area=area.code,
        fund=month.fund,
        period=month.period,
        run=run,
        by=by,
        plan_hash=month.plan_hash or "",
    )
    _append(ledger, month, [approved], step=f"{run}:approve", outbox=(OutboxMessage(POST, run),))
    return month_of_run(ledger, area, run)


def post_close(ledger: FundLedger, area: Area, *, run: str) -> Month:
    """Post what was approved and seal the month (过账、封账); again after a crash with the same end."""
    month = month_of_run(ledger, area, run)
    if month.state != APPROVED:
        return month
    month = _post_year_transfer(ledger, month)
    sealed_position, digest = _sealed_at(ledger, month)
    sealed = facts.MonthSealed(
        area=month.area,
        fund=month.fund,
        period=month.period,
        run=run,
        by=month.approved_by or "",
        plan_hash=month.plan_hash or "",
        sealed_position=sealed_position,
        sealed_digest=digest,
    )
    book, period = BookKey(month.area, month.fund), Period.parse(month.period)
    _append(ledger, month, [sealed], step=f"{run}:seal", transitions=(SealMonth(book, period),))
    return month_of_run(ledger, area, run)


def reject(ledger: FundLedger, area: Area, *, run: str, reason: str, user: str | None) -> Month:
    """Send a close or a reopening back (复核退回): the freeze is withdrawn and leaves its trace.

    Whoever prepared it may withdraw it too.
    """
    month = month_of_run(ledger, area, run)
    by = area.allow(user, "close" if user == month.prepared_by else "reject")
    if month.was_rejected(run=run, by=by, reason=reason):
        return month
    month.refuse_rejection(run=run)
    kind = facts.ReopenRejected if month.state == REOPENING else facts.CloseRejected
    fact = kind(area=area.code, fund=month.fund, period=month.period, run=run, by=by, reason=reason)
    thaw: tuple[Transition, ...] = ()
    if month.state in {FROZEN, COMPUTED}:
        thaw = (Thaw(BookKey(area.code, month.fund), Period.parse(month.period)),)
    _append(ledger, month, [fact], step=f"{run}:reject", transitions=thaw)
    return load_month(ledger, area.code, month.fund, Period.parse(month.period))


def request_reopening(
    ledger: FundLedger, area: Area, *, fund: str, period: Period, reason: str, user: str | None
) -> Month:
    """Ask to reopen the latest sealed month (申请反结账); a second person decides with ``approve``."""
    by = area.allow(user, "reopen")
    _refuse_fund(area, fund)
    month = load_month(ledger, area.code, fund, period)
    month.refuse_reopening()
    state = ledger.log.books(area.code)[BookKey(area.code, fund)]
    if state.sealed_through != period or state.frozen_through != period:
        latest = state.frozen_through or state.sealed_through
        raise NotLatestMonth(fund=fund, period=str(period), latest=str(latest))
    run = f"{month.next_run()}-reopen-{month.version}"
    asked = facts.ReopenRequested(
        area=area.code, fund=fund, period=str(period), run=run, by=by, reason=reason
    )
    _append(ledger, month, [asked], step=f"{run}:request")
    return load_month(ledger, area.code, fund, period)


def _reopen(ledger: FundLedger, area: Area, month: Month, by: str) -> Month:
    """反结账: the month opens again; a year-end transfer is reversed in red with it."""
    run, period = month.run or "", Period.parse(month.period)
    appended: list[Fact] = []
    if month.transfers:
        appended.append(
            _transfer_fact(month, red_letter(month.transfers), f"冲销 {period.year} 年年终结转")
        )
    appended.append(
        facts.MonthReopened(
            area=area.code,
            fund=month.fund,
            period=month.period,
            run=run,
            by=by,
            requested_by=month.prepared_by or "",
        )
    )
    reopen = (Reopen(BookKey(area.code, month.fund), period),)
    _append(ledger, month, appended, step=f"{run}:reopen", transitions=reopen)
    return load_month(ledger, area.code, month.fund, period)


def _post_year_transfer(ledger: FundLedger, month: Month) -> Month:
    """Post the year-end transfer once; it is booked on the frozen month's last day by right of the run."""
    period = Period.parse(month.period)
    book = BookKey(month.area, month.fund)
    entry = (
        () if month.transfers else year_transfer(ledger.log.totals(book, through=period), period)
    )
    if not entry:
        return month
    fact = _transfer_fact(month, entry, f"{period.year} 年年终结转")
    _append(ledger, month, [fact], step=f"{month.run}:transfer")
    return load_month(ledger, month.area, month.fund, period)


def _transfer_fact(month: Month, entry: Any, summary: str) -> facts.YearTransferred:
    return facts.YearTransferred(
        area=month.area,
        fund=month.fund,
        period=month.period,
        run=month.run or "",
        summary=f"{fund_name(month.fund)} {summary}",
        booked_on=Period.parse(month.period).last_day.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=month.prepared_by or "",
    )


def _refuse_fund(area: Area, fund: str) -> None:
    if fund not in area.funds:
        raise FundNotClosable(fund=fund, funds=", ".join(sorted(area.funds)))


def _refuse_order(ledger: FundLedger, area: Area, fund: str, period: Period) -> None:
    """Months close in order, beginning with the first one the fund has a history for."""
    state = ledger.log.books(area.code)[BookKey(area.code, fund)]
    last = state.sealed_through
    expected = last.next if last is not None else (state.first_month or state.history_from)
    if expected is None or period == expected:
        return
    if last is not None or period > expected:
        raise EarlierMonthOpen(fund=fund, period=str(period), expected=str(expected))


def _plan(ledger: FundLedger, area: Area, month: Month) -> dict[str, Any]:
    period, book = Period.parse(month.period), BookKey(area.code, month.fund)
    return make_plan(
        area=area,
        fund=month.fund,
        period=period,
        cutoff_position=month.cutoff_position or 0,
        totals=ledger.log.totals(book, through=period),
        transferred=year_transfers(ledger, book, through=period),
    )


def _cutoff(ledger: FundLedger, month: Month) -> int:
    """Give the position before the freeze: what lies up to it is in the month."""
    frozen = [
        position
        for position, item in ledger.history(month_stream(month.area, month.fund, month.period))
        if isinstance(item.fact, facts.MonthFrozen)
    ]
    return frozen[-1] - 1


def _sealed_at(ledger: FundLedger, month: Month) -> tuple[int, str]:
    """Name the log's seal over everything the month consists of, transfers included."""
    history = ledger.history(month_stream(month.area, month.fund, month.period))
    position = history[-1][0]
    seal = ledger.log.seal_covering(position)
    if seal is None:
        raise PositionUnsealed(position=position)
    return seal.last_position, seal.digest.hex()


def _append(
    ledger: FundLedger,
    month: Month,
    appended: list[Fact],
    *,
    step: str,
    transitions: tuple[Transition, ...] = (),
    outbox: tuple[OutboxMessage, ...] = (),
) -> Receipt:
    """Append to the month's stream under the step's key; the same step again is the same commit."""
    stream = month_stream(month.area, month.fund, month.period)
    posted = [fact for fact in appended if isinstance(fact, facts.YearTransferred)]
    return ledger.append(
        [
            Envelope(stream, month.version + number, fact)
            for number, fact in enumerate(appended, start=1)
        ],
        Commit(
            key=f"close:{step}",
            input_hash=sha256(step.encode()).hexdigest(),
            totals=totals_of(posted),
            transitions=transitions,
            outbox=outbox,
        ),
    )
