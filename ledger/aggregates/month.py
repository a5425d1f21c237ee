"""An accounting month (账期) of one fund: where its close stands, and who may take the next step."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.domain.entry import Posting
from ledger.errors import RuleRefused
from ledger.events import month
from ledger.events.base import Fact

OPEN, FROZEN, COMPUTED, APPROVED, SEALED, REOPENING = (
    "open",
    "frozen",
    "computed",
    "approved",
    "sealed",
    "reopening",
)


class CloseNotWaiting(RuleRefused):
    """The run does not wait for a decision."""

    code = "run_not_waiting"
    zh = "月结 {run} 当前状态为 {state},不在待复核状态。"
    en = "The run {run} is {state}; it does not wait for a decision."
    hint_zh = "请用 close show {run} 查看。"
    hint_en = "See close show {run}."


class SamePerson(RuleRefused):
    """Four eyes: whoever prepared it cannot approve it (经办与复核须分离)."""

    code = "same_person"
    zh = "{user} 是 {run} 的经办人,不能复核自己的月结。"
    en = "{user} prepared {run} and cannot approve it."
    hint_zh = "请由另一名复核人员处理。"
    hint_en = "Let another reviewer decide."


class AlreadyClosed(RuleRefused):
    """The month is already under way or sealed."""

    code = "month_already_closed"
    zh = "险种 {fund} 的 {period} 状态为 {state}(月结 {run}),不能再次发起。"
    en = "{period} of fund {fund} is {state} (run {run}); it cannot be requested again."
    hint_zh = "已封账月份如需更正,请在开放月份冲销;最近一个封账月可申请 reopen。"
    hint_en = "Correct a sealed month by reversal in an open one; the latest may be reopened."


class NotSealed(RuleRefused):
    """Only a sealed month can be reopened."""

    code = "month_not_sealed"
    zh = "险种 {fund} 的 {period} 状态为 {state},尚未封账,无需反结账。"
    en = "{period} of fund {fund} is {state}, not sealed: there is nothing to reopen."
    hint_zh = "未封账月份可用 reject 撤销锁账。"
    hint_en = "The freeze of a month that is not sealed is withdrawn with reject."


class PlanChanged(RuleRefused):
    """What would be posted is not what was approved."""

    code = "plan_changed"
    zh = "{run} 的输入已变化:待批方案 {approved},重新计算为 {computed}。"
    en = "The inputs of {run} changed: approved plan {approved}, computed now {computed}."
    hint_zh = "请退回后重新发起月结。"
    hint_en = "Reject the run and request the close again."


@dataclass(slots=True)
class Month:
    """The folded stream of one accounting month."""

    area: str
    fund: str
    period: str
    state: str = OPEN
    attempts: int = 0
    run: str | None = None
    prepared_by: str | None = None
    approved_by: str | None = None
    rejected_by: str | None = None
    cutoff_position: int | None = None
    plan_hash: str | None = None
    plan: dict[str, object] | None = None
    sealed_position: int | None = None
    sealed_digest: str | None = None
    reason: str | None = None
    transfers: tuple[Posting, ...] = ()  # of the year end, as they stand
    version: int = 0

    def next_run(self) -> str:
        """Name the next close run: readable and without chance."""
        return f"{self.area}-{self.fund}-{self.period}-{self.attempts + 1}"

    def refuse_second_close(self) -> None:
        """Refuse a request while a run is under way or the month is sealed."""
        if self.state != OPEN:
            raise AlreadyClosed(fund=self.fund, period=self.period, state=self.state, run=self.run)

    def refuse_decision(self, *, run: str, user: str) -> None:
        """Refuse to approve: the run must wait for it, and be somebody else's."""
        if run != self.run or self.state not in {COMPUTED, REOPENING}:
            raise CloseNotWaiting(run=run, state=self.state)
        if user == self.prepared_by:
            raise SamePerson(user=user, run=run)

    def refuse_rejection(self, *, run: str) -> None:
        """Refuse to reject what does not wait; its own preparer may withdraw it."""
        if run != self.run or self.state not in {FROZEN, COMPUTED, REOPENING}:
            raise CloseNotWaiting(run=run, state=self.state)

    def was_approved(self, *, run: str, by: str) -> bool:
        """Tell whether this person approved this run, whatever followed from it."""
        decided = self.state in {APPROVED, SEALED, OPEN} and self.rejected_by is None
        return decided and run == self.run and by == self.approved_by

    def was_rejected(self, *, run: str, by: str, reason: str) -> bool:
        """Tell whether this is what was said when the run was sent back: saying it again is nothing."""
        return run == self.run and (self.rejected_by, self.reason) == (by, reason)

    def refuse_reopening(self) -> None:
        """Only a sealed month can be reopened."""
        if self.state != SEALED:
            raise NotSealed(fund=self.fund, period=self.period, state=self.state)


def fold_month(area: str, fund: str, period: str, facts: Iterable[Fact]) -> Month:
    """Fold the stream of one month."""
    folded = Month(area, fund, period)
    for fact in facts:
        folded.version += 1
        _apply(folded, fact)
    return folded


def _apply(folded: Month, fact: Fact) -> None:
    match fact:
        case month.MonthFrozen():
            folded.state, folded.run, folded.prepared_by = FROZEN, fact.run, fact.by
            folded.attempts += 1
            folded.approved_by = folded.plan_hash = folded.plan = folded.reason = None
            folded.rejected_by = None
        case month.CloseComputed():
            folded.state, folded.plan_hash, folded.plan = COMPUTED, fact.plan_hash, fact.plan
            folded.cutoff_position = fact.cutoff_position
        case month.CloseApproved():
            folded.state, folded.approved_by = APPROVED, fact.by
        case month.CloseRejected():
            folded.state, folded.reason, folded.rejected_by = OPEN, fact.reason, fact.by
        case month.YearTransferred():
            folded.transfers += fact.postings
        case month.MonthSealed():
            folded.state = SEALED
            folded.sealed_position, folded.sealed_digest = fact.sealed_position, fact.sealed_digest
        case month.ReopenRequested():
            folded.state, folded.run, folded.prepared_by = REOPENING, fact.run, fact.by
            folded.reason, folded.rejected_by = fact.reason, None
        case month.ReopenRejected():
            folded.state, folded.reason, folded.rejected_by = SEALED, fact.reason, fact.by
        case month.MonthReopened():
            folded.state, folded.approved_by = OPEN, fact.by
            folded.transfers = ()
        case _:
            raise TypeError(f"not a fact of a month: {type(fact).__name__}")
