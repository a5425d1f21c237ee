"""The policies (结算、待遇政策) of one area: what was proposed, who may decide, what is in force."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import InputRejected, RuleRefused
from ledger.events import policy as facts
from ledger.events.base import Fact

WAITING, APPROVED, REJECTED = "waiting", "approved", "rejected"
CLEARING = "clearing"


class UnknownPolicy(InputRejected):
    """No policy of that name and version."""

    code = "unknown_policy"
    zh = "没有政策 {policy},已有:{policies}。"
    en = "There is no policy {policy}; there are: {policies}."
    hint_zh = "请用 policy list 查看,写作 名称@版本。"
    hint_en = "See policy list; a policy is written NAME@VERSION."


class PolicyNotWaiting(RuleRefused):
    """The policy was decided already."""

    code = "policy_not_waiting"
    zh = "政策 {policy} 当前状态为 {state},不在待批状态。"
    en = "The policy {policy} is {state}; it does not wait for a decision."
    hint_zh = "如需变更,请提交新版本。"
    hint_en = "Propose a new version to change it."


class OwnPolicy(RuleRefused):
    """Four eyes: whoever proposed a policy cannot approve it (经办与复核须分离)."""

    code = "own_policy"
    zh = "{user} 是政策 {policy} 的提交人,不能批准自己的政策。"
    en = "{user} proposed {policy} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


class NoPolicyInForce(RuleRefused):
    """No approved policy speaks for a fund on a date: a gap, never guessed over (政策空白)."""

    code = "no_policy_in_force"
    zh = "险种 {fund} 在 {date} 没有已批准的结算政策。"
    en = "No approved clearing policy of fund {fund} is in force on {date}."
    hint_zh = "请提交并批准覆盖该日期的政策。"
    hint_en = "Propose and approve a policy that covers the date."


@dataclass(slots=True)
class Version:
    """One version of a policy and where it stands."""

    name: str
    version: int
    fund: str
    title: str
    effective: str
    until: str | None
    basis: str
    content: dict[str, object]
    content_hash: str
    proposed_by: str
    state: str = WAITING
    decided_by: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def kind(self) -> str:
        """What the policy is about: ``clearing``, unless its head says otherwise."""
        head = self.content.get("policy")
        return str(head.get("kind", CLEARING)) if isinstance(head, dict) else CLEARING

    def refuse_decision(self) -> None:
        if self.state != WAITING:
            raise PolicyNotWaiting(policy=self.id, state=self.state)

    def refuse_approval(self, user: str) -> None:
        """Refuse to approve what does not wait, and one's own."""
        self.refuse_decision()
        if user == self.proposed_by:
            raise OwnPolicy(policy=self.id, user=user)

    def speaks_for(self, fund: str, date: str, kind: str) -> bool:
        return (
            self.state == APPROVED
            and self.kind == kind
            and self.fund == fund
            and self.effective <= date
            and (self.until is None or date <= self.until)
        )


@dataclass(slots=True)
class Policies:
    """All policies of an area, in the order of their proposal."""

    area: str
    versions: list[Version] = field(default_factory=list)
    version: int = 0  # of the stream

    def newest(self, name: str) -> Version | None:
        """Give the latest version of a name."""
        return next((one for one in reversed(self.versions) if one.name == name), None)

    def find(self, policy: str) -> Version:
        """Find ``NAME@VERSION``, or the latest of ``NAME``; UnknownPolicy where there is none."""
        found = next((one for one in self.versions if one.id == policy), None) or (
            self.newest(policy)
        )
        if found is None:
            known = ", ".join(one.id for one in self.versions) or "-"
            raise UnknownPolicy(policy=policy, policies=known)
        return found

    def speaking(self, fund: str, date: str, kind: str) -> Version | None:
        """Give the policy of a kind in force: the latest effective date, then the latest proposal."""
        found = [one for one in self.versions if one.speaks_for(fund, date, kind)]
        latest = max((one.effective for one in found), default=None)
        return next((one for one in reversed(found) if one.effective == latest), None)

    def in_force(self, fund: str, date: str) -> Version:
        """Give the clearing policy in force; NoPolicyInForce where none speaks."""
        found = self.speaking(fund, date, CLEARING)
        if found is None:
            raise NoPolicyInForce(fund=fund, date=date)
        return found


def fold_policies(area: str, stored: Iterable[Fact]) -> Policies:
    """Fold the stream of an area's policies."""
    policies = Policies(area)
    for fact in stored:
        policies.version += 1
        _apply(policies, fact)
    return policies


def _apply(policies: Policies, fact: Fact) -> None:
    match fact:
        case facts.PolicyProposed():
            policies.versions.append(
                Version(
                    name=fact.name,
                    version=fact.version,
                    fund=fact.fund,
                    title=fact.title,
                    effective=fact.effective,
                    until=fact.until,
                    basis=fact.basis,
                    content=fact.content,
                    content_hash=fact.content_hash,
                    proposed_by=fact.by,
                )
            )
        case facts.PolicyApproved():
            _decide(policies, fact, APPROVED)
        case facts.PolicyRejected():
            _decide(policies, fact, REJECTED).reason = fact.reason
        case _:
            raise TypeError(f"not a fact of a policy: {type(fact).__name__}")


def _decide(policies: Policies, fact: facts.PolicyFact, state: str) -> Version:
    decided = policies.find(f"{fact.name}@{fact.version}")
    decided.state, decided.decided_by = state, fact.by
    return decided
