"""The runs of one leaf fund and year (年度清算批次): computed, decided, confirmed or disputed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.errors import InputRejected, RuleRefused
from ledger.events import clearing_year as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
OPEN, CONFIRMED, DISPUTED, DISMISSED = "open", "confirmed", "disputed", "dismissed"
_ID = re.compile(r"([0-9]{6})-clear-([0-9a-z.]+)-([0-9]{4})-([1-9][0-9]*)")


class UnknownYearRun(InputRejected):
    """No run of a year of that id."""

    code = "unknown_year_run"
    zh = "没有年度清算批次 {run}。"
    en = "There is no run {run} of a year."
    hint_zh = "编号写作 统筹区-clear-险种-年度-序号。"
    hint_en = "It is written AREA-clear-FUND-YEAR-NO."


class YearRunNotWaiting(RuleRefused):
    """The run was decided already."""

    code = "year_run_not_waiting"
    zh = "年度清算批次 {run} 当前状态为 {state},不在待复核状态。"
    en = "The run {run} is {state}; it does not wait for a decision."
    hint_zh = "请用 clear show {run} 查看。"
    hint_en = "See clear show {run}."


class OwnYearRun(RuleRefused):
    """Four eyes: whoever prepared a run cannot approve it (经办与复核须分离)."""

    code = "own_year_run"
    zh = "{user} 是年度清算批次 {run} 的经办人,不能批准自己的清算。"
    en = "{user} prepared the run {run} and cannot approve it."
    hint_zh = "请由另一名复核人员处理。"
    hint_en = "Let another reviewer decide."


class YearUnderWay(RuleRefused):
    """A run of the year waits, and would post something else than what is asked for now."""

    code = "year_under_way"
    zh = "险种 {fund} 的 {year} 年度已有待复核的清算批次 {run}({user} 经办),其输入已变化。"
    en = "A run of {year}, fund {fund}, waits already: {run}, by {user}; its inputs have changed."
    hint_zh = "请先批准或退回该批次。"
    hint_en = "Approve or reject it first."


class YearChanged(RuleRefused):
    """What would be posted now is not what waits for approval (输入已变化)."""

    code = "year_changed"
    zh = "年度清算批次 {run} 的输入已变化:待批方案 {approved},重新计算为 {computed}。"
    en = "The inputs of {run} changed: the plan that waits is {approved}, computed now {computed}."
    hint_zh = "请退回后重新清算;先查看其间的导入、拒付、入组与考核。"
    hint_en = "Reject the run and clear again; see what came in or was refused meanwhile."


class NotTheResult(RuleRefused):
    """Only the latest approved run of a year is a result to confirm or dispute."""

    code = "not_the_result"
    zh = "年度清算批次 {run} 不是该年度最近一次已批准的结果(最近为 {latest})。"
    en = "The run {run} is not the latest approved result of the year ({latest} is)."
    hint_zh = "请对最近一次已批准的批次办理。"
    hint_en = "Name the latest approved run."


class NotInTheResult(RuleRefused):
    """The run has no line of the institution."""

    code = "not_in_the_result"
    zh = "年度清算批次 {run} 中没有机构 {institution}。"
    en = "The run {run} has no line of institution {institution}."
    hint_zh = "请用 clear show {run} 核对机构编号。"
    hint_en = "Check the institution with clear show {run}."


class ResultStands(RuleRefused):
    """The institution's standing does not fit the step: confirmed already, or nothing disputed."""

    code = "result_stands"
    zh = "机构 {institution} 对批次 {run} 的状态为 {state},不能执行此步骤。"
    en = "Institution {institution} is {state} about {run}; this step does not fit."
    hint_zh = "已确认的结果不再提出异议;未提出异议的无须答复;有异议的先重新清算或不予采纳。"
    hint_en = (
        "A confirmed result is not disputed, and a dispute is answered before it is confirmed."
    )


class YearRunName(NamedTuple):
    """The parts of a run's id."""

    fund: str
    year: str
    number: int


@dataclass(slots=True)
class Standing:
    """What an institution said to a result, and what became of it."""

    state: str = OPEN
    date: str | None = None
    signatory: str | None = None
    reason: str | None = None  # of the dispute
    answer: str | None = None  # why it was dismissed


@dataclass(slots=True)
class YearRun:
    """One run and where it stands."""

    computed: facts.YearComputed
    position: int
    state: str = WAITING
    decided_by: str | None = None
    decided_at: int | None = None  # position of the decision
    reason: str | None = None
    standings: dict[str, Standing] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.computed.run

    def line(self, institution: str) -> facts.YearResult:
        """Find an institution's line; NotInTheResult where there is none."""
        for one in self.computed.lines:
            if one.institution == institution:
                return one
        raise NotInTheResult(run=self.id, institution=institution)

    def refuse_decision(self) -> None:
        if self.state != WAITING:
            raise YearRunNotWaiting(run=self.id, state=self.state)

    def refuse_approval(self, user: str) -> None:
        """Refuse to approve what does not wait, and one's own."""
        self.refuse_decision()
        if user == self.computed.by:
            raise OwnYearRun(run=self.id, user=user)


@dataclass(slots=True)
class YearClearing:
    """All runs of one leaf fund and year, in their order."""

    area: str
    fund: str
    year: str
    runs: list[YearRun] = field(default_factory=list)
    version: int = 0

    @property
    def waiting(self) -> YearRun | None:
        return next((run for run in self.runs if run.state == WAITING), None)

    @property
    def result(self) -> YearRun | None:
        """Give the latest approved run: what stands for the year."""
        return next((run for run in reversed(self.runs) if run.state == APPROVED), None)

    def next_run(self) -> str:
        """Name the next run: readable and without chance."""
        return f"{self.area}-clear-{self.fund}-{self.year}-{len(self.runs) + 1}"

    def find(self, run: str) -> YearRun:
        """Find a run by its id; UnknownYearRun where there is none."""
        found = next((one for one in self.runs if one.id == run), None)
        if found is None:
            raise UnknownYearRun(run=run)
        return found

    def closed_to(self, institution: str) -> YearRun | None:
        """Give the result that binds an institution; None where there is none, or it is disputed."""
        result = self.result
        if result is None or result.standings.get(institution, Standing()).state == DISPUTED:
            return None
        return result

    def standing(self, run: str, institution: str) -> Standing:
        """Give what an institution said to the result; refuse what is no result of it."""
        found = self.find(run)
        if found is not self.result:
            latest = self.result.id if self.result is not None else "-"
            raise NotTheResult(run=run, latest=latest)
        found.line(institution)
        return found.standings.get(institution, Standing())


def year_run_name(run: str, area: str) -> YearRunName | None:
    """Take a run's id apart; None where it is the id of something else."""
    named = _ID.fullmatch(run)
    if named is None or named[1] != area:
        return None
    return YearRunName(named[2], named[3], int(named[4]))


def fold_year(area: str, fund: str, year: str, stored: Iterable[tuple[int, Fact]]) -> YearClearing:
    """Fold the stream of a fund's year."""
    clearing = YearClearing(area, fund, year)
    for position, fact in stored:
        clearing.version += 1
        _apply(clearing, position, fact)
    return clearing


def _apply(clearing: YearClearing, position: int, fact: Fact) -> None:
    match fact:
        case facts.YearComputed():
            clearing.runs.append(YearRun(fact, position))
        case facts.YearApproved():
            before = clearing.result
            run = _decide(clearing, position, fact, APPROVED)
            run.standings = _kept(before, run)
        case facts.YearRejected():
            _decide(clearing, position, fact, REJECTED).reason = fact.reason
        case facts.YearConfirmed():
            clearing.find(fact.run).standings[fact.institution] = Standing(
                CONFIRMED, fact.date, fact.signatory
            )
        case facts.YearDisputed():
            clearing.find(fact.run).standings[fact.institution] = Standing(
                DISPUTED, fact.date, None, fact.reason
            )
        case facts.DisputeDismissed():
            standing = clearing.find(fact.run).standings[fact.institution]
            standing.state, standing.answer = DISMISSED, fact.reason
        case _:
            raise TypeError(f"not a fact of a year's clearing: {type(fact).__name__}")


def _decide(
    clearing: YearClearing, position: int, fact: facts.YearClearingFact, state: str
) -> YearRun:
    run = clearing.find(fact.run)
    run.state, run.decided_by, run.decided_at = state, fact.by, position
    return run


def _kept(before: YearRun | None, run: YearRun) -> dict[str, Standing]:
    """Keep confirmations of what the new run leaves as it was; a dispute is answered by it."""
    if before is None:
        return {}
    return {
        line.institution: before.standings[line.institution]
        for line in run.computed.lines
        if before.standings.get(line.institution, Standing()).state == CONFIRMED
        and _outcome(line) == _outcome(before.line(line.institution))
    }


def _outcome(line: facts.YearResult) -> tuple[int, int, int]:
    return line.final_fen, line.released_fen, line.forfeited_fen
