"""A month's plan of payments (用款计划) of one fund: asked, granted, drawn, by leaf fund."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import Conflict, RuleRefused
from ledger.events import plan as facts
from ledger.events.base import Fact


class PlanWaiting(RuleRefused):
    """The plan already waits for the finance bureau (已申请未批复)."""

    code = "plan_waiting"
    zh = "险种 {fund} 的 {period} 第 {round} 次用款申请尚未批复。"
    en = "Application {round} of fund {fund} for {period} waits for its grant."
    hint_zh = "请先用 payout grant 登记批复(可为零)。"
    hint_en = "Record the grant first with payout grant; it may be nil."


class PlanNotWaiting(RuleRefused):
    """No application waits for a grant (无待批复的申请)."""

    code = "plan_not_waiting"
    zh = "险种 {fund} 的 {period} 没有待批复的用款申请。"
    en = "Fund {fund} has no application for {period} that waits for its grant."
    hint_zh = "请先用 payout plan 提出申请。"
    hint_en = "Ask for it first with payout plan."


class OwnPlan(RuleRefused):
    """Four eyes: whoever asked cannot record the grant (经办与复核须分离)."""

    code = "own_plan"
    zh = "{user} 是 {fund} {period} 用款申请的经办人,不能登记批复。"
    en = "{user} asked for {fund} {period} and cannot record its grant."
    hint_zh = "请由另一名复核人员登记。"
    hint_en = "Let another reviewer record it."


class GrantedTooMuch(RuleRefused):
    """More is granted than was asked for (批复超过申请)."""

    code = "granted_too_much"
    zh = "险种 {fund} 的 {period} 批复 {granted} 元超过申请 {requested} 元。"
    en = "{granted} yuan granted to {fund} for {period} is more than {requested} asked for."
    hint_zh = "请核对批复;需要更多时另行申请。"
    hint_en = "Check the paper; ask again where more is needed."


class DrawnTooMuch(RuleRefused):
    """More is drawn than was granted (拨款超过批复)."""

    code = "drawn_too_much"
    zh = "险种 {fund} 的 {period} 拨款 {wanted} 元超过批复余额:批复 {granted} 元,已拨 {drawn} 元。"
    en = "{wanted} yuan is more than is left of {fund}, {period}: granted {granted}, drawn {drawn}."
    hint_zh = "请核对金额;批复不足时追加申请。"
    hint_en = "Check the amount; ask for more where the grant does not suffice."


class DrawConflict(Conflict):
    """The number of a draw came with other content."""

    code = "draw_conflict"
    zh = "拨款单 {doc_no} 已登记为 {fund} {amount} 元({date})。"
    en = "The draw {doc_no} is {amount} yuan of {fund} already ({date})."
    hint_zh = "请核对拨款单号。"
    hint_en = "Check the number."


@dataclass(slots=True)
class Plan:
    """The plan of a fund and month."""

    area: str
    fund: str
    period: str
    requests: list[facts.PlanRequested] = field(default_factory=list)
    grants: list[facts.PlanGranted] = field(default_factory=list)
    draws: list[facts.PlanDrawn] = field(default_factory=list)
    version: int = 0

    @property
    def waiting(self) -> facts.PlanRequested | None:
        """Give the application that waits for its grant."""
        return self.requests[-1] if len(self.requests) > len(self.grants) else None

    def requested(self, leaf: str) -> int:
        """Add up what was asked for a leaf fund."""
        return sum(
            one.approved_fen + one.by_hand_fen
            for request in self.requests
            for one in request.amounts
            if one.fund == leaf
        )

    def granted(self, leaf: str) -> int:
        """Add up what was granted to a leaf fund."""
        return sum(one.fen for grant in self.grants for one in grant.amounts if one.fund == leaf)

    def drawn(self, leaf: str) -> int:
        """Add up what was drawn for a leaf fund."""
        return sum(draw.amount_fen for draw in self.draws if draw.fund == leaf)

    def refuse_grant(self, user: str) -> facts.PlanRequested:
        """Give the application that waits; refuse one's own."""
        waiting = self.waiting
        if waiting is None:
            raise PlanNotWaiting(fund=self.fund, period=self.period)
        if waiting.by == user:
            raise OwnPlan(user=user, fund=self.fund, period=self.period)
        return waiting


def fold_plan(area: str, fund: str, period: str, stored: Iterable[Fact]) -> Plan:
    """Fold the stream of a fund's month."""
    plan = Plan(area, fund, period)
    for fact in stored:
        plan.version += 1
        match fact:
            case facts.PlanRequested():
                plan.requests.append(fact)
            case facts.PlanGranted():
                plan.grants.append(fact)
            case facts.PlanDrawn():
                plan.draws.append(fact)
            case _:
                raise TypeError(f"not a fact of a plan: {type(fact).__name__}")
    return plan
