"""The clearing runs (清算批次) of one leaf fund and month: computed, decided by somebody else, posted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.errors import InputRejected, RuleRefused
from ledger.events import clearing as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
_ID = re.compile(r"([0-9]{6})-clear-([0-9a-z.]+)-([0-9]{4}-[0-9]{2})-([1-9][0-9]*)")


class UnknownClearing(InputRejected):
    """No clearing run of that id."""

    code = "unknown_clearing"
    zh = "没有清算批次 {run}。"
    en = "There is no clearing run {run}."
    hint_zh = "编号写作 统筹区-clear-险种-清算年月-序号,见 clear list。"
    hint_en = "It is written AREA-clear-FUND-MONTH-NO; see clear list."


class ClearingNotWaiting(RuleRefused):
    """The run was decided already."""

    code = "clearing_not_waiting"
    zh = "清算批次 {run} 当前状态为 {state},不在待复核状态。"
    en = "The clearing run {run} is {state}; it does not wait for a decision."
    hint_zh = "请用 clear show {run} 查看。"
    hint_en = "See clear show {run}."


class OwnClearing(RuleRefused):
    """Four eyes: whoever prepared a run cannot approve it (经办与复核须分离)."""

    code = "own_clearing"
    zh = "{user} 是清算批次 {run} 的经办人,不能批准自己的清算。"
    en = "{user} prepared the clearing run {run} and cannot approve it."
    hint_zh = "请由另一名复核人员处理。"
    hint_en = "Let another reviewer decide."


class ClearingUnderWay(RuleRefused):
    """A run of the month waits, and would settle something else than what is asked for now."""

    code = "clearing_under_way"
    zh = "险种 {fund} 的 {period} 已有待复核的清算批次 {run}({user} 经办),其输入已变化。"
    en = "A run of {period}, fund {fund}, waits already: {run}, by {user}; its inputs have changed."
    hint_zh = "请先批准或退回该批次。"
    hint_en = "Approve or reject it first."


class ClearingChanged(RuleRefused):
    """What would be settled now is not what waits for approval (输入已变化)."""

    code = "clearing_changed"
    zh = "清算批次 {run} 的输入已变化:待批方案 {approved},重新计算为 {computed}。"
    en = "The inputs of {run} changed: the plan that waits is {approved}, computed now {computed}."
    hint_zh = "请退回后重新清算;先查看其间的导入、拒付与申请。"
    hint_en = (
        "Reject the run and clear again; see what came in, was refused or applied for meanwhile."
    )


class RunName(NamedTuple):
    """The parts of a run's id."""

    fund: str
    period: str
    number: int


@dataclass(slots=True)
class Run:
    """One run and where it stands."""

    computed: facts.ClearingComputed
    position: int
    state: str = WAITING
    decided_by: str | None = None
    decided_at: int | None = None  # position of the decision
    watermark: int | None = None  # up to which what was approved had been computed again
    reason: str | None = None

    @property
    def id(self) -> str:
        return self.computed.run

    def refuse_decision(self) -> None:
        if self.state != WAITING:
            raise ClearingNotWaiting(run=self.id, state=self.state)

    def refuse_approval(self, user: str) -> None:
        """Refuse to approve what does not wait, and one's own."""
        self.refuse_decision()
        if user == self.computed.by:
            raise OwnClearing(run=self.id, user=user)


@dataclass(slots=True)
class Clearing:
    """All runs of one leaf fund and month, in their order."""

    area: str
    fund: str
    period: str
    runs: list[Run] = field(default_factory=list)
    version: int = 0

    @property
    def waiting(self) -> Run | None:
        return next((run for run in self.runs if run.state == WAITING), None)

    @property
    def approved(self) -> list[Run]:
        return [run for run in self.runs if run.state == APPROVED]

    def next_run(self) -> str:
        """Name the next run: readable and without chance."""
        return f"{self.area}-clear-{self.fund}-{self.period}-{len(self.runs) + 1}"

    def find(self, run: str) -> Run:
        """Find a run by its id; UnknownClearing where there is none."""
        found = next((one for one in self.runs if one.id == run), None)
        if found is None:
            raise UnknownClearing(run=run)
        return found


def run_name(run: str, area: str) -> RunName | None:
    """Take a run's id apart; None where it is the id of something else."""
    named = _ID.fullmatch(run)
    if named is None or named[1] != area:
        return None
    return RunName(named[2], named[3], int(named[4]))


def fold_clearing(
    area: str, fund: str, period: str, stored: Iterable[tuple[int, Fact]]
) -> Clearing:
    """Fold the stream of a fund's month."""
    clearing = Clearing(area, fund, period)
    for position, fact in stored:
        clearing.version += 1
        match fact:
            case facts.ClearingComputed():
                clearing.runs.append(Run(fact, position))
            case facts.ClearingApproved():
                run = _decide(clearing, position, fact, APPROVED)
                run.watermark = fact.watermark
            case facts.ClearingRejected():
                _decide(clearing, position, fact, REJECTED).reason = fact.reason
            case _:
                raise TypeError(f"not a fact of a monthly clearing: {type(fact).__name__}")
    return clearing


def _decide(clearing: Clearing, position: int, fact: facts.ClearingFact, state: str) -> Run:
    run = clearing.find(fact.run)
    run.state, run.decided_by, run.decided_at = state, fact.by, position
    return run
