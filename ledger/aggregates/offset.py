"""One recovery that is taken from payments to come (抵扣追回): decided by two, taken run by run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import InputRejected, RuleRefused
from ledger.events import clearing as facts
from ledger.events.base import Fact

NONE, WAITING, APPROVED, REJECTED, DONE = "none", "waiting", "approved", "rejected", "done"
_ID = re.compile(r"([0-9]{6})-offset-(\S+)")


class UnknownOffset(InputRejected):
    """No recovery of that id is to be taken from payments."""

    code = "unknown_offset"
    zh = "没有待抵扣的追回 {offset}。"
    en = "There is no recovery {offset} to be taken from payments."
    hint_zh = "编号写作 统筹区-offset-单据号,见 clear offsets。"
    hint_en = "It is written AREA-offset-DOC_NO; see clear offsets."


class OffsetNotWaiting(RuleRefused):
    """The recovery is not in the state that the step starts from."""

    code = "offset_not_waiting"
    zh = "抵扣追回 {offset} 当前状态为 {state},不能执行此步骤。"
    en = "The recovery {offset} is {state}; this step does not fit."
    hint_zh = "待复核的可批准或退回;已批准未抵完的可退回(余额不再抵扣)。"
    hint_en = (
        "A waiting one is approved or rejected; an approved one may be rejected for what is left."
    )


class OwnOffset(RuleRefused):
    """Four eyes: whoever prepared it cannot approve it (经办与复核须分离)."""

    code = "own_offset"
    zh = "{user} 是抵扣追回 {offset} 的经办人,不能批准。"
    en = "{user} prepared the recovery {offset} and cannot approve it."
    hint_zh = "请由另一名复核人员处理。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Offset:
    """The folded stream; ``left_fen`` is what no run has taken."""

    area: str
    doc_no: str
    state: str = NONE
    said: facts.OffsetProposed | None = None
    decided_by: str | None = None
    approved_at: int | None = None  # position: the order in which they are taken
    left_fen: int = 0
    reason: str | None = None
    version: int = 0

    @property
    def id(self) -> str:
        return f"{self.area}-offset-{self.doc_no}"

    @property
    def proposed(self) -> facts.OffsetProposed:
        """Give the newest proposal; UnknownOffset where there is none."""
        if self.said is None:
            raise UnknownOffset(offset=self.id)
        return self.said

    @property
    def open_fen(self) -> int:
        """Give what the next runs take."""
        return self.left_fen if self.state == APPROVED else 0

    def refuse_unless(self, *states: str) -> facts.OffsetProposed:
        """Give what was proposed, where it is in one of these states."""
        if self.said is None:
            raise UnknownOffset(offset=self.id)
        if self.state not in states:
            raise OffsetNotWaiting(offset=self.id, state=self.state)
        return self.said

    def refuse_approval(self, user: str) -> facts.OffsetProposed:
        """Refuse to approve what does not wait, and one's own."""
        proposed = self.refuse_unless(WAITING)
        if user == proposed.by:
            raise OwnOffset(offset=self.id, user=user)
        return proposed


def offset_doc_no(offset: str, area: str) -> str | None:
    """Give the document number in an id; None where it is the id of something else."""
    named = _ID.fullmatch(offset)
    return named[2] if named is not None and named[1] == area else None


def fold_offset(area: str, doc_no: str, stored: Iterable[tuple[int, Fact]]) -> Offset:
    """Fold the stream of one recovery."""
    offset = Offset(area, doc_no)
    for position, fact in stored:
        offset.version += 1
        match fact:
            case facts.OffsetProposed():
                offset.state, offset.said, offset.left_fen = WAITING, fact, fact.amount_fen
                offset.decided_by = offset.approved_at = None
                offset.reason = fact.reason
            case facts.OffsetApproved():
                offset.state, offset.decided_by, offset.approved_at = APPROVED, fact.by, position
            case facts.OffsetRejected():
                offset.state, offset.decided_by, offset.reason = REJECTED, fact.by, fact.reason
            case facts.OffsetMade():
                offset.left_fen = fact.left_fen
                offset.state = APPROVED if fact.left_fen else DONE
            case _:
                raise TypeError(f"not a fact of a recovery by offset: {type(fact).__name__}")
    return offset
