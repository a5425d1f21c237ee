"""Clearing a year (年度清算): computed and recorded by one person, approved and posted by another.

A run is recorded with the line of every institution; approving computes it again and posts only what
was seen, all of it in one commit. Afterwards each institution confirms its result or disputes it; a
dispute is answered by another run, which posts what it changes and nothing else, or is dismissed.
Refusals of a request, in order: role · fund · year not over · an intake of the fund unfinished · no
policy · everything that stands in the way, at once · another run of the year waits.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.clearing_year import (
    APPROVED,
    CONFIRMED,
    DISMISSED,
    DISPUTED,
    REJECTED,
    ResultStands,
    Standing,
    UnknownYearRun,
    YearChanged,
    YearClearing,
    YearRun,
    YearUnderWay,
    fold_year,
    year_run_name,
)
from ledger.application import FundLedger
from ledger.domain.identity import clearing_stream
from ledger.domain.period import Year
from ledger.events import clearing_year as facts
from ledger.events.base import Envelope, Fact
from ledger.store.commit import Commit, KeyConflict, MonthNotOpen, StreamConflict
from settlement.clearing.digest import rows_digest
from settlement.clearing.month.question import Chosen, ask, refuse_other_funds, refuse_unfinished
from settlement.clearing.owed import Records
from settlement.clearing.year.refusals import YearNotOver, refuse_year
from settlement.clearing.year.run import ClearedYear, YearDeposit, clear_year, policy_of_year
from settlement.clearing.yearly import YearLine
from settlement.policies import load_policies
from settlement.refusal_checks import text_of
from settlement.year_posting import post_year

_TRIES = 5

#: Gives the archive, brought up to the log as it stands when it is called.
Ask = Callable[[], Records]


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What a run of a year would post, as facts say it, and the computation behind it."""

    found: ClearedYear
    budget: facts.BudgetResult
    lines: tuple[facts.YearResult, ...]

    @property
    def hash(self) -> str:
        """Name all that a second person approves; engine and position are not part of it."""
        policy = self.found.cleared.chosen.content_hash
        budget = ("budget", *msgspec.structs.astuple(self.budget))
        told = map(msgspec.structs.astuple, (*self.lines, *self.left))
        return rows_digest([("policy", policy), budget, *told])

    @property
    def left(self) -> tuple[facts.LeftDeclared, ...]:
        """Give what is taken off what the months left declared."""
        return tuple(facts.LeftDeclared(code, fen) for code, fen in self.found.left.items())

    @property
    def posts(self) -> bool:
        """Tell whether there is anything to post."""
        posted = any(one.difference_fen or one.release_fen or one.forfeit_fen for one in self.lines)
        return posted or bool(self.left)


def load_year(ledger: FundLedger, area: str, fund: str, year: str) -> YearClearing:
    """Fold the runs of a fund's year."""
    history = ledger.history(clearing_stream(area, fund, year))
    return fold_year(area, fund, year, ((position, one.fact) for position, one in history))


def year_of(ledger: FundLedger, area: Area, run: str) -> tuple[YearClearing, YearRun]:
    """Find a run by its id, with the others of its year; UnknownYearRun where there is none."""
    named = year_run_name(run, area.code)
    if named is None:
        raise UnknownYearRun(run=run)
    clearing = load_year(ledger, area.code, named.fund, named.year)
    return clearing, clearing.find(run)


def years_of(records: Records, fund: str | None = None) -> list[YearClearing]:
    """Give every cleared year of an area, as the archive has it, by fund and year."""
    told: dict[tuple[str, str], list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(facts.YearClearingFact):
        if fund in {None, fact.fund}:
            told.setdefault((fact.fund, fact.period), []).append((position, fact))
    return [
        fold_year(records.area, of_fund, year, stored)
        for (of_fund, year), stored in sorted(told.items())
    ]


def compute_year(
    ledger: FundLedger,
    area: Area,
    records: Records,
    *,
    fund: str,
    year: Year,
    chosen: Chosen | None = None,
) -> ClearedYear:
    """Compute a year as the archive stands, by the policy that clears it or another one."""
    refuse_other_funds(area, fund)
    refuse_unfinished(ledger.log, area.code, fund)
    chosen = chosen or policy_of_year(load_policies(ledger, area.code), fund, year)
    question = ask(
        records.archive,
        records.engine,
        area=area.code,
        fund=fund,
        period=year,
        watermark=records.watermark,
    )
    spread = question if records.spread is None else records.spread(question)
    return clear_year(spread, records, chosen)


def plan_year(
    ledger: FundLedger, area: Area, records: Records, *, fund: str, year: Year
) -> YearPlan:
    """Compute what a run of the year would post; YearRefused while something stands in the way."""
    found = compute_year(ledger, area, records, fund=fund, year=year)
    refuse_year(fund, str(year), found.problems)
    return plan_of(found)


def plan_of(found: ClearedYear) -> YearPlan:
    """Say what a computed year would post, as facts say it."""
    deposits = {one.institution: one for one in found.deposits}
    lines = tuple(
        _result(one, found.scores.get(one.institution), deposits.get(one.institution))
        for one in found.due.lines
    )
    return YearPlan(found, facts.BudgetResult(**asdict(found.due.pool)), lines)


#: What a line says of the deposit.
_DEPOSIT = ("withheld_fen", "released_fen", "forfeited_fen", "release_fen", "forfeit_fen")


def _result(line: YearLine, score: str | None, deposit: YearDeposit | None) -> facts.YearResult:
    told: dict[str, int | None] = asdict(deposit) if deposit is not None else {}
    decided: dict[str, Any] = {name: told.get(name) or 0 for name in _DEPOSIT}
    line_fen: dict[str, Any] = asdict(line)
    return facts.YearResult(**line_fen, score=score, **decided)


def request_year(
    ledger: FundLedger,
    area: Area,
    asked: Ask,
    *,
    fund: str,
    year: Year,
    user: str | None,
    today: date,
) -> YearRun | None:
    """Record what a run of the year would post; None where a result stands and nothing is new.

    The same request again, after a crash or by somebody else, gives the run that waits.
    """
    by = area.allow(user, "clear")
    if today <= year.months[-1].last_day:
        raise YearNotOver(year=str(year), today=today.isoformat())
    plan = plan_year(ledger, area, asked(), fund=fund, year=year)
    clearing = load_year(ledger, area.code, fund, str(year))
    waits = clearing.waiting
    if waits is not None:
        if waits.computed.plan_hash == plan.hash:
            return waits
        raise YearUnderWay(fund=fund, year=str(year), run=waits.id, user=waits.computed.by)
    if clearing.result is not None and not plan.posts:
        return None
    run = clearing.next_run()
    _append(ledger, clearing, _computed(area, plan, run=run, by=by), key=f"clear:{run}:compute")
    return load_year(ledger, area.code, fund, str(year)).find(run)


def approve_year(
    ledger: FundLedger, area: Area, asked: Ask, *, run: str, user: str | None, today: date
) -> YearRun:
    """Post what waits for approval, if it is still what would be posted; not by who prepared it."""
    by = area.allow(user, "approve")
    for tries_left in range(_TRIES - 1, -1, -1):
        clearing, found = year_of(ledger, area, run)
        if found.state == APPROVED and found.decided_by == by:
            return found  # approved before a crash: everything was in that one commit
        found.refuse_approval(by)
        records = asked()
        year = Year.parse(clearing.year)
        plan = plan_year(ledger, area, records, fund=clearing.fund, year=year)
        if plan.hash != found.computed.plan_hash:
            raise YearChanged(run=run, approved=found.computed.plan_hash, computed=plan.hash)
        try:
            post_year(ledger, records, clearing, found, by=by, today=today)
        except (KeyConflict, MonthNotOpen, StreamConflict):
            if not tries_left:  # else: decided about, or frozen, a moment ago
                raise
            continue
        return year_of(ledger, area, run)[1]
    raise AssertionError("the last try returns or raises")


def reject_year(
    ledger: FundLedger, area: Area, *, run: str, reason: str, user: str | None
) -> YearRun:
    """Send a run back; whoever prepared it may take it back. The same again changes nothing."""
    clearing, found = year_of(ledger, area, run)
    own = user is not None and user == found.computed.by
    by = area.allow(user, "clear" if own else "reject")
    said = text_of("reason", reason)
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, said):
        return found
    found.refuse_decision()
    fact = facts.YearRejected(**_step(clearing, run, by), reason=said)
    _append(ledger, clearing, fact, key=f"clear:{run}:decide")
    return year_of(ledger, area, run)[1]


def confirm_year(
    ledger: FundLedger,
    area: Area,
    *,
    run: str,
    institution: str,
    day: date,
    signatory: str | None,
    user: str | None,
) -> YearRun:
    """Record that an institution confirms its result; the same again changes nothing."""
    by = area.allow(user, "clear")
    clearing, found = year_of(ledger, area, run)
    standing = clearing.standing(run, institution)
    name = text_of("by", signatory) if signatory is not None else None
    if standing.state == CONFIRMED and (standing.date, standing.signatory) == (
        day.isoformat(),
        name,
    ):
        return found
    _refuse_standing(standing, found, institution, CONFIRMED, DISPUTED)
    fact = facts.YearConfirmed(
        **_step(clearing, run, by), institution=institution, date=day.isoformat(), signatory=name
    )
    return _said(ledger, area, clearing, fact)


def dispute_year(
    ledger: FundLedger,
    area: Area,
    *,
    run: str,
    institution: str,
    day: date,
    reason: str,
    user: str | None,
) -> YearRun:
    """Record that an institution disputes its result; the same again changes nothing."""
    by = area.allow(user, "clear")
    clearing, found = year_of(ledger, area, run)
    standing = clearing.standing(run, institution)
    said = text_of("reason", reason)
    if standing.state == DISPUTED and standing.reason == said:
        return found
    _refuse_standing(standing, found, institution, CONFIRMED, DISPUTED)
    fact = facts.YearDisputed(
        **_step(clearing, run, by), institution=institution, date=day.isoformat(), reason=said
    )
    return _said(ledger, area, clearing, fact)


def dismiss_dispute(
    ledger: FundLedger, area: Area, *, run: str, institution: str, reason: str, user: str | None
) -> YearRun:
    """Answer a dispute: the result stands. The reviewer decides, not whoever prepared the run.

    The same again changes nothing.
    """
    by = area.allow(user, "reject")
    clearing, found = year_of(ledger, area, run)
    standing = clearing.standing(run, institution)
    said = text_of("reason", reason)
    if standing.state == DISMISSED and standing.answer == said:
        return found
    if standing.state != DISPUTED:
        raise ResultStands(run=run, institution=institution, state=standing.state)
    fact = facts.DisputeDismissed(**_step(clearing, run, by), institution=institution, reason=said)
    return _said(ledger, area, clearing, fact)


def _refuse_standing(standing: Standing, run: YearRun, institution: str, *states: str) -> None:
    if standing.state in states:
        raise ResultStands(run=run.id, institution=institution, state=standing.state)


def _step(clearing: YearClearing, run: str, by: str) -> dict[str, str]:
    return {
        "area": clearing.area,
        "fund": clearing.fund,
        "period": clearing.year,
        "run": run,
        "by": by,
    }


def _said(
    ledger: FundLedger, area: Area, clearing: YearClearing, fact: facts.YearClearingFact
) -> YearRun:
    _append(ledger, clearing, fact, key=f"clear:{fact.run}:said:{clearing.version + 1}")
    return year_of(ledger, area, fact.run)[1]


def _append(
    ledger: FundLedger, clearing: YearClearing, fact: facts.YearClearingFact, *, key: str
) -> None:
    """Append a step at the place that was read: whoever was first wins."""
    stream = clearing_stream(clearing.area, clearing.fund, clearing.year)
    ledger.append(
        [Envelope(stream, clearing.version + 1, fact)],
        Commit(key=key, input_hash=sha256(msgspec.json.encode(fact)).hexdigest()),
    )


def _computed(area: Area, plan: YearPlan, *, run: str, by: str) -> facts.YearComputed:
    cleared = plan.found.cleared
    record = cleared.record
    named = year_run_name(run, area.code)
    if named is None:
        raise UnknownYearRun(run=run)
    return facts.YearComputed(
        area=area.code,
        fund=named.fund,
        period=named.year,
        run=run,
        by=by,
        plan_hash=plan.hash,
        watermark=record.watermark,
        policy=cleared.chosen.id,
        policy_hash=cleared.chosen.content_hash,
        engine=record.engine,
        engine_version=record.engine_version,
        kernel=record.kernel,
        parameters=record.parameters,
        result=record.result,
        budget=plan.budget,
        lines=plan.lines,
        left=plan.left,
    )
