"""One audit deduction (审核拒付): prepared, decided by somebody else, appealed and perhaps withdrawn."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.domain.entry import Posting
from ledger.errors import InputRejected, RuleRefused
from ledger.events import settlement as facts
from ledger.events.base import Fact

NONE, WAITING, REJECTED, POSTED, APPEALED, WITHDRAWN = (
    "none",
    "waiting",
    "rejected",
    "posted",
    "appealed",
    "withdrawn",
)
_ID = re.compile(r"([0-9]{6})-refusal-(\S+)")


class UnknownRefusal(InputRejected):
    """No refusal of that id."""

    code = "unknown_refusal"
    zh = "没有拒付单 {refusal}。"
    en = "There is no refusal {refusal}."
    hint_zh = "编号写作 统筹区-refusal-单据号。"
    hint_en = "A refusal is written AREA-refusal-DOC_NO."


class RefusalNotWaiting(RuleRefused):
    """The refusal is not in the state that the step starts from."""

    code = "refusal_not_waiting"
    zh = "拒付单 {refusal} 当前状态为 {state},不能执行此步骤。"
    en = "The refusal {refusal} is {state}; this step does not fit."
    hint_zh = "待批(waiting)或申诉中(appealed)的可批准或退回;已过账(posted)的可申请撤销。"
    hint_en = "A waiting or appealed one is approved or rejected; a posted one can be withdrawn."


class OwnRefusal(RuleRefused):
    """Four eyes: whoever prepared a refusal or its withdrawal cannot approve it (经办与复核须分离)."""

    code = "own_refusal"
    zh = "{user} 是 {refusal} 的经办人,不能批准自己的拒付或撤销。"
    en = "{user} prepared {refusal} and cannot approve it."
    hint_zh = "请由另一名复核人员处理。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Refusal:
    """The folded life of one refusal document; ``proposed`` is its newest revision."""

    area: str
    doc_no: str
    state: str = NONE
    proposed: facts.RefusalProposed | None = None
    prepared_by: str | None = None  # of the refusal, or of its withdrawal while it is appealed
    approved_by: str | None = None
    rejected_by: str | None = None  # of the refusal, or of the appeal, where that came last
    reason: str | None = None  # of what happened last to it
    postings: tuple[Posting, ...] = ()  # as they stand
    booked_on: str | None = None
    position: int | None = None  # of the decision that stands
    appealed_on: str | None = None
    steps: int = 0

    @property
    def id(self) -> str:
        return refusal_id(self.area, self.doc_no)

    @property
    def open_to_another(self) -> bool:
        """Tell whether the number may be used again, as its next revision."""
        return self.state in {NONE, REJECTED, WITHDRAWN}

    def refuse_unless(self, *states: str) -> facts.RefusalProposed:
        """Give what was proposed, where the refusal is in one of these states."""
        if self.proposed is None:
            raise UnknownRefusal(refusal=self.id)
        if self.state not in states:
            raise RefusalNotWaiting(refusal=self.id, state=self.state)
        return self.proposed

    def refuse_approval(self, user: str) -> facts.RefusalProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_unless(WAITING, APPEALED)
        if user == self.prepared_by:
            raise OwnRefusal(refusal=self.id, user=user)
        return proposed


def refusal_id(area: str, doc_no: str) -> str:
    """Name a refusal as ``approve`` and ``reject`` are given it."""
    return f"{area}-refusal-{doc_no}"


def doc_no_of(refusal: str, area: str) -> str | None:
    """Give the document number in a refusal's id; None where it is the id of something else."""
    named = _ID.fullmatch(refusal)
    return named[2] if named is not None and named[1] == area else None


def fold_refusal(area: str, doc_no: str, stored: Iterable[tuple[int, Fact]]) -> Refusal:
    """Fold the facts of a refusal, with their positions, from its own stream and from its month's."""
    refusal = Refusal(area, doc_no)
    for position, fact in stored:
        refusal.steps += 1
        refusal.rejected_by = None
        _apply(refusal, position, fact)
    return refusal


def _apply(refusal: Refusal, position: int, fact: Fact) -> None:
    match fact:
        case facts.RefusalProposed():
            refusal.state, refusal.proposed, refusal.reason = WAITING, fact, fact.reason
            refusal.prepared_by, refusal.approved_by = fact.by, None
        case facts.RefusalRejected():
            refusal.state, refusal.reason, refusal.rejected_by = REJECTED, fact.reason, fact.by
        case facts.RefusalDecided():
            refusal.state, refusal.approved_by, refusal.position = (
                POSTED,
                fact.approved_by,
                position,
            )
            refusal.postings, refusal.booked_on = fact.postings, fact.booked_on
        case facts.RefusalAppealed():
            refusal.state, refusal.reason = APPEALED, fact.reason
            refusal.prepared_by, refusal.appealed_on = fact.by, fact.date
        case facts.RefusalUpheld():
            refusal.state, refusal.reason, refusal.rejected_by = POSTED, fact.reason, fact.by
        case facts.RefusalWithdrawn():
            refusal.state, refusal.approved_by = WITHDRAWN, fact.approved_by
            refusal.postings, refusal.booked_on = (), None
            refusal.position = position
        case _:
            raise TypeError(f"not a fact of a refusal: {type(fact).__name__}")
