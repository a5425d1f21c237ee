"""Facts of settling with institutions (与定点机构结算): what moves between the stages of what is owed.

Facts with postings lie on one stream per (area, leaf fund, institution, 清算年月), so that two
decisions about one month cannot pass each other. A refusal is a document of its own before: it is
prepared by one person and decided by another, and its steps without postings lie on its own stream.
"""

from ledger.events.base import Fact, Posted, Source


class SettlementFact(Posted, frozen=True, kw_only=True):
    """A step of settling an institution's month: what it posts, and when it is of (清算年月)."""

    fund: str  # leaf fund that owes
    institution: str  # fixmedins_code
    belongs_to: str  # 清算年月: month of care of what is settled
    date: str  # of the decision
    summary: str  # 摘要
    source: Source = Source()


class RefusalDecided(SettlementFact, frozen=True, kw_only=True):
    """审核拒付, approved: the institution is owed less; no cash moves."""

    TOPIC = "refusal.decided.v1"

    doc_no: str
    revision: int
    amount_fen: int
    reason_code: str
    reason: str
    setl_id: str | None = None  # the settlement it is about, where it is about one
    approved_by: str


class RefusalWithdrawn(SettlementFact, frozen=True, kw_only=True):
    """撤销拒付 after an appeal: the refusal's entry in red, naming the original."""

    TOPIC = "refusal.withdrawn.v1"

    doc_no: str
    revision: int
    original_position: int
    reason: str
    setl_id: str | None = None
    approved_by: str


class RefusalFact(Fact, frozen=True, kw_only=True):
    """A step of a refusal that posts nothing, on the stream of its document."""

    area: str
    doc_no: str  # 单据号 of the refusal
    revision: int  # 1, and one more each time it is prepared again after it was sent back
    by: str


class RefusalProposed(RefusalFact, frozen=True, kw_only=True):
    """提出拒付: waits for a second person."""

    TOPIC = "refusal.proposed.v1"

    fund: str
    institution: str
    belongs_to: str  # 清算年月
    date: str
    amount_fen: int
    reason_code: str
    reason: str
    setl_id: str | None = None


class RefusalRejected(RefusalFact, frozen=True, kw_only=True):
    """拒付退回: sent back by the second person, or taken back by whoever prepared it."""

    TOPIC = "refusal.rejected.v1"

    reason: str


class RefusalAppealed(RefusalFact, frozen=True, kw_only=True):
    """拒付申诉: a withdrawal is prepared and waits for a second person."""

    TOPIC = "refusal.appealed.v1"

    date: str
    reason: str


class RefusalUpheld(RefusalFact, frozen=True, kw_only=True):
    """维持拒付: the appeal is dismissed, the refusal stands."""

    TOPIC = "refusal.upheld.v1"

    reason: str
