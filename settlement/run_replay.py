"""A recorded run done again (重放): from its record, at its position, on any engine.

A run's record says by which policy and rules and up to which position it was computed. Done again on
the archive as it stood there, it comes to the same digest: on the same engine or another one, this
year or in ten. Nothing of it reads a projection, and nothing is written.
"""

from dataclasses import dataclass
from datetime import date

from ledger.aggregates.area import Area
from ledger.aggregates.clearing import Run, fold_clearing
from ledger.aggregates.clearing_year import YearRun
from ledger.application import FundLedger
from ledger.domain.identity import clearing_stream
from ledger.domain.period import Period, Year
from ledger.errors import BooksDamaged
from ledger.events.clearing import ClearingComputed
from ledger.events.clearing_year import YearComputed
from settlement.clearing.cases.run import RunRecord
from settlement.clearing.month.plan import make_plan
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import Chosen, ask, chosen_of
from settlement.clearing.owed import Records
from settlement.clearing.year.run import clear_year
from settlement.month_runs import question_of
from settlement.policies import load_policies
from settlement.year_runs import plan_of


class PolicyOfRunDiffers(BooksDamaged):
    """The policy that a run names is not the one that it was computed by (政策与记录不符)."""

    code = "policy_of_run_differs"
    zh = "清算批次 {run} 所用政策 {policy} 的内容与记录的哈希 {hash} 不符。"
    en = "The policy {policy} of the run {run} has not the content that was recorded ({hash})."
    hint_zh = "请执行 verify 核验日志。"
    hint_en = "Run verify on the log."


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run as it was recorded, and as it comes out now."""

    recorded: ClearingComputed | YearComputed
    record: RunRecord
    plan_hash: str

    @property
    def now(self) -> dict[str, str]:
        """Give what has to be equal, as it comes out now."""
        record = self.record
        return {
            "kernel": record.kernel,
            "parameters": record.parameters,
            "result": record.result,
            "plan_hash": self.plan_hash,
        }

    @property
    def differs(self) -> list[str]:
        """Name what is not as it was recorded: nothing, where the run is proved."""
        return [name for name, found in self.now.items() if getattr(self.recorded, name) != found]


def replay_month(
    ledger: FundLedger, area: Area, records: Records, run: Run, *, computed_on: date
) -> Replayed:
    """Compute a run again; ``records`` stand at its watermark, ``computed_on`` is its day.

    PolicyOfRunDiffers where its policy has another content now: the log was altered.
    """
    fact = run.computed
    chosen = _policy(ledger, area, fact)
    cleared = None
    if chosen is not None and chosen.policy.methods:
        cleared = clear_month(question_of(records, fact.fund, Period.parse(fact.period)), chosen)
    history = ledger.history(clearing_stream(area.code, fact.fund, fact.period))
    before = ((position, one.fact) for position, one in history if position < run.position)
    clearing = fold_clearing(area.code, fact.fund, fact.period, before)
    plan = make_plan(records, clearing, chosen=chosen, cleared=cleared, year=computed_on.year)
    return Replayed(fact, plan.record, plan.hash)


def replay_year(ledger: FundLedger, area: Area, records: Records, run: YearRun) -> Replayed:
    """Compute a run of a year again; ``records`` stand at its watermark."""
    fact = run.computed
    chosen = _policy(ledger, area, fact)
    if chosen is None:
        raise TypeError("a run of a year has a policy")
    question = ask(
        records.archive,
        records.engine,
        area=area.code,
        fund=fact.fund,
        period=Year(int(fact.period)),
        watermark=records.watermark,
    )
    plan = plan_of(clear_year(question, records, chosen))
    return Replayed(fact, plan.found.cleared.record, plan.hash)


def _policy(ledger: FundLedger, area: Area, fact: ClearingComputed | YearComputed) -> Chosen | None:
    if fact.policy is None:
        return None
    chosen = chosen_of(load_policies(ledger, area.code).find(fact.policy))
    if chosen.content_hash != fact.policy_hash:
        raise PolicyOfRunDiffers(run=fact.run, policy=fact.policy, hash=fact.policy_hash)
    return chosen
