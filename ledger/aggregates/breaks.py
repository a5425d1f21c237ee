"""One break of a reconciliation (差异): proposed, decided by somebody else where a correction follows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import InputRejected, RuleRefused
from ledger.events import outstanding as facts
from ledger.events.base import Fact

OPEN, WAITING, CARRIED, RESOLVED = "open", "waiting", "carried", "resolved"
OURS_STAND, THEIRS_STAND, CARRY, CORRECTED = WAYS = ("ours", "theirs", "carry", "corrected")
#: After these our books change or have changed: a second person decides (认对方、已更正).
NEED_A_SECOND = frozenset({THEIRS_STAND, CORRECTED})
_ID = re.compile(r"([0-9]{6})-break-([0-9a-f]{10})")


class UnknownBreak(InputRejected):
    """No recorded difference has that id."""

    code = "unknown_break"
    zh = "没有登记过的差异 {break_id}。"
    en = "There is no recorded break {break_id}."
    hint_zh = "编号写作 统筹区-break-…,见 reconcile breaks;先用 --record 登记对账结果。"
    hint_en = "It is written AREA-break-…, see reconcile breaks; record a reconciliation first."


class BreakNotWaiting(RuleRefused):
    """The break does not wait for a decision, or waits for one already."""

    code = "break_not_waiting"
    zh = "差异 {break_id} 当前状态为 {state},不能执行此步骤。"
    en = "The break {break_id} is {state}; this step does not fit."
    hint_zh = "待复核(waiting)的可批准或退回;未结(open)和挂账(carried)的可提出处理。"
    hint_en = "A waiting one is approved or rejected; an open or carried one can be resolved."


class OwnBreak(RuleRefused):
    """Four eyes: whoever proposed how to settle a break cannot approve it (经办与复核须分离)."""

    code = "own_break"
    zh = "{user} 是 {break_id} 的经办人,不能批准自己的处理。"
    en = "{user} proposed how to settle {break_id} and cannot approve it."
    hint_zh = "请由另一名复核人员批准。"
    hint_en = "Let another reviewer decide."


@dataclass(slots=True)
class Break:
    """The folded stream of a break; ``proposed`` is what was said last."""

    area: str
    id: str
    state: str = OPEN
    proposed: facts.BreakProposed | None = None
    decided_by: str | None = None
    decided_at: int | None = None  # log position
    note: str | None = None  # why it was sent back
    version: int = 0

    def refuse_unless(self, *states: str) -> None:
        """Refuse a step that does not fit the state."""
        if self.state not in states:
            raise BreakNotWaiting(break_id=self.id, state=self.state)

    def approved_by(self, user: str) -> bool:
        """Tell whether this person approved what somebody else proposed."""
        proposed = self.proposed
        settled = self.state in {RESOLVED, CARRIED} and self.decided_by == user
        return settled and proposed is not None and proposed.by != user

    def refuse_approval(self, user: str) -> facts.BreakProposed:
        """Refuse to approve what does not wait, and one's own."""
        self.refuse_unless(WAITING)
        if self.proposed is None:
            raise UnknownBreak(break_id=self.id)
        if self.proposed.by == user:
            raise OwnBreak(break_id=self.id, user=user)
        return self.proposed


def break_id(area: str, *key: str) -> str:
    """Number a break by what it is about: the same difference has the same number every time."""
    digest = sha256("\x1f".join(key).encode()).hexdigest()
    return f"{area}-break-{digest[:10]}"


def is_break_of(text: str, area: str) -> bool:
    """Tell whether an id is that of a break of this area."""
    named = _ID.fullmatch(text)
    return named is not None and named[1] == area


def fold_break(area: str, number: str, stored: Iterable[tuple[int, Fact]]) -> Break:
    """Fold the facts of a break with their positions."""
    found = Break(area, number)
    for position, fact in stored:
        found.version += 1
        match fact:
            case facts.BreakProposed():
                found.state, found.proposed = WAITING, fact
                found.decided_by = found.note = None
            case facts.BreakResolved():
                found.state = CARRIED if fact.way == CARRY else RESOLVED
                found.decided_by, found.decided_at = fact.by, position
            case facts.BreakRejected():
                found.state, found.note = OPEN, fact.reason
                found.decided_by, found.decided_at = fact.by, position
            case _:
                raise TypeError(f"not a fact of a break: {type(fact).__name__}")
    return found
