"""One document entered by hand (手工单据): waiting, approved or sent back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import InputRejected, RuleRefused
from ledger.events import proposal as facts
from ledger.events.base import Fact

NONE, WAITING, REJECTED, POSTED = "none", "waiting", "rejected", "posted"
_ID = re.compile(r"([0-9]{6})-document-(\S+)")


class UnknownProposal(InputRejected):
    """No document of that id was entered by hand."""

    code = "unknown_proposal"
    zh = "没有手工单据 {proposal}。"
    en = "There is no document {proposal} entered by hand."
    hint_zh = "编号写作 统筹区-document-单据号。"
    hint_en = "It is written AREA-document-DOC_NO."


class ProposalNotWaiting(RuleRefused):
    """The document was decided already."""

    code = "proposal_not_waiting"
    zh = "手工单据 {proposal} 当前状态为 {state},不在待复核状态。"
    en = "The document {proposal} is {state}; it does not wait for a decision."
    hint_zh = "如需更正,请冲销(reverse)后重新提交。"
    hint_en = "To correct it, reverse it and prepare it again."


class OwnProposal(RuleRefused):
    """Four eyes: whoever prepared a document cannot approve it (经办与复核须分离)."""

    code = "own_proposal"
    zh = "{user} 是 {proposal} 的经办人,不能批准自己的单据。"
    en = "{user} prepared {proposal} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Proposal:
    """The folded stream of a document entered by hand; ``proposed`` is its newest form."""

    area: str
    doc_no: str
    state: str = NONE
    proposed: facts.DocumentProposed | None = None
    decided_by: str | None = None
    reason: str | None = None
    version: int = 0

    @property
    def id(self) -> str:
        return f"{self.area}-document-{self.doc_no}"

    def refuse_decision(self) -> facts.DocumentProposed:
        """Give what waits; refuse where nothing does."""
        if self.proposed is None:
            raise UnknownProposal(proposal=self.id)
        if self.state != WAITING:
            raise ProposalNotWaiting(proposal=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> facts.DocumentProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_decision()
        if user == proposed.by:
            raise OwnProposal(proposal=self.id, user=user)
        return proposed


def proposal_doc_no(proposal: str, area: str) -> str | None:
    """Give the document number in a proposal's id; None where it is the id of something else."""
    named = _ID.fullmatch(proposal)
    return named[2] if named is not None and named[1] == area else None


def fold_proposal(area: str, doc_no: str, stored: Iterable[Fact]) -> Proposal:
    """Fold the stream of a document entered by hand."""
    proposal = Proposal(area, doc_no)
    for fact in stored:
        proposal.version += 1
        match fact:
            case facts.DocumentProposed():
                proposal.state, proposal.proposed = WAITING, fact
                proposal.decided_by = proposal.reason = None
            case facts.DocumentApproved():
                proposal.state, proposal.decided_by = POSTED, fact.by
            case facts.DocumentRejected():
                proposal.state, proposal.decided_by = REJECTED, fact.by
                proposal.reason = fact.reason
            case _:
                raise TypeError(f"not a fact of a proposal: {type(fact).__name__}")
    return proposal
