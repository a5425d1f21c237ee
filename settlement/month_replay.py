"""A recorded run done again (重放): from its record, at its position, on any engine.

A run's record says by which policy and rules and up to which position it was computed. Done again on
the archive as it stood there, it comes to the same digest: on the same engine or another one, this
year or in ten. Nothing of it reads a projection, and nothing is written.
"""

from dataclasses import dataclass
from datetime import date

from ledger.aggregates.area import Area
from ledger.aggregates.clearing import Run, fold_clearing
from ledger.application import FundLedger
from ledger.domain.identity import clearing_stream
from ledger.domain.period import Period
from ledger.errors import BooksDamaged
from settlement.clearing.month_plan import Plan, make_plan
from settlement.clearing.owed import Records
from settlement.clearing.provisional import Chosen, chosen_of, clear_month
from settlement.month_runs import question_of
from settlement.policies import load_policies


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

    run: Run
    plan: Plan

    @property
    def kernel_equal(self) -> bool:
        """Tell whether the rules are those by which the run was computed, word for word."""
        return self.run.computed.kernel == self.plan.record.kernel

    @property
    def parameters_equal(self) -> bool:
        """Tell whether the policy and all small tables are the same."""
        return self.run.computed.parameters == self.plan.record.parameters

    @property
    def result_equal(self) -> bool:
        """Tell whether every amount is the same."""
        return self.run.computed.result == self.plan.record.result

    @property
    def equal(self) -> bool:
        """Tell whether the run is proved: same rules, same inputs, same result, same plan."""
        same_plan = self.run.computed.plan_hash == self.plan.hash
        return self.kernel_equal and self.parameters_equal and self.result_equal and same_plan


def replay_month(
    ledger: FundLedger, area: Area, records: Records, run: Run, *, computed_on: date
) -> Replayed:
    """Compute a run again; ``records`` stand at its watermark, ``computed_on`` is its day.

    PolicyOfRunDiffers where its policy has another content now: the log was altered.
    """
    fact = run.computed
    chosen = _policy(ledger, area, run)
    cleared = None
    if chosen is not None and chosen.policy.methods:
        cleared = clear_month(question_of(records, fact.fund, Period.parse(fact.period)), chosen)
    history = ledger.history(clearing_stream(area.code, fact.fund, fact.period))
    before = ((position, one.fact) for position, one in history if position < run.position)
    clearing = fold_clearing(area.code, fact.fund, fact.period, before)
    plan = make_plan(records, clearing, chosen=chosen, cleared=cleared, year=computed_on.year)
    return Replayed(run, plan)


def _policy(ledger: FundLedger, area: Area, run: Run) -> Chosen | None:
    fact = run.computed
    if fact.policy is None:
        return None
    chosen = chosen_of(load_policies(ledger, area.code).find(fact.policy))
    if chosen.content_hash != fact.policy_hash:
        raise PolicyOfRunDiffers(run=run.id, policy=fact.policy, hash=fact.policy_hash)
    return chosen
