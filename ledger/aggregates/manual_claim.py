"""One manual claim (手工、零星报销): received and computed, decided by somebody else, owed to the person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.errors import InputRejected, RuleRefused
from ledger.events import one_stop as facts
from ledger.events.base import Fact

NONE, WAITING, REJECTED, SETTLED = "none", "waiting", "rejected", "settled"
_ID = re.compile(r"([0-9]{6})-manual-(\S+)")


class UnknownManualClaim(InputRejected):
    """No manual claim of that id."""

    code = "unknown_manual_claim"
    zh = "没有手工报销 {claim}。"
    en = "There is no manual claim {claim}."
    hint_zh = "编号写作 统筹区-manual-受理编号。"
    hint_en = "It is written AREA-manual-CLAIM_NO."


class ManualClaimNotWaiting(RuleRefused):
    """The claim was decided already."""

    code = "manual_claim_not_waiting"
    zh = "手工报销 {claim} 当前状态为 {state},不在待复核状态。"
    en = "The manual claim {claim} is {state}; it does not wait for a decision."
    hint_zh = "如需补付,请用新的受理编号。"
    hint_en = "Use another number for what is to be paid in addition."


class OwnManualClaim(RuleRefused):
    """Four eyes: whoever prepared a claim cannot approve it (经办与复核须分离)."""

    code = "own_manual_claim"
    zh = "{user} 是 {claim} 的经办人,不能批准自己受理的报销。"
    en = "{user} prepared {claim} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class ManualClaim:
    """The folded life of one manual claim; ``proposed`` is its newest revision."""

    area: str
    claim_no: str
    state: str = NONE
    proposed: facts.ManualClaimProposed | None = None
    proposed_at: int = 0
    settled: list[facts.ManualClaimSettled] = field(default_factory=list)
    reason: str | None = None
    rejected_by: str | None = None
    version: int = 0  # of its own stream

    @property
    def id(self) -> str:
        return f"{self.area}-manual-{self.claim_no}"

    def refuse_decision(self) -> facts.ManualClaimProposed:
        """Give what waits; refuse where nothing does."""
        if self.proposed is None:
            raise UnknownManualClaim(claim=self.id)
        if self.state != WAITING:
            raise ManualClaimNotWaiting(claim=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> facts.ManualClaimProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_decision()
        if user == proposed.by:
            raise OwnManualClaim(claim=self.id, user=user)
        return proposed


def claim_no_of(claim: str, area: str) -> str | None:
    """Give the number in a manual claim's id; None where it is the id of something else."""
    named = _ID.fullmatch(claim)
    return named[2] if named is not None and named[1] == area else None


def fold_manual_claim(area: str, claim_no: str, stored: Iterable[tuple[int, Fact]]) -> ManualClaim:
    """Fold the facts of a manual claim, from its own stream and from those of what was settled."""
    claim = ManualClaim(area, claim_no)
    for position, fact in stored:
        match fact:
            case facts.ManualClaimProposed():
                claim.state, claim.proposed, claim.proposed_at = WAITING, fact, position
                claim.reason, claim.version = fact.reason, claim.version + 1
                claim.rejected_by = None
            case facts.ManualClaimRejected():
                claim.state, claim.reason, claim.rejected_by = REJECTED, fact.reason, fact.by
                claim.version += 1
            case facts.ManualClaimSettled():
                claim.state = SETTLED
                claim.settled.append(fact)
            case _:
                raise TypeError(f"not a fact of a manual claim: {type(fact).__name__}")
    return claim
