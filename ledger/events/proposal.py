"""Documents entered by hand (手工单据): prepared by one person, decided by another.

An approved one becomes the very fact that a row of a ``fund_flows`` file makes, in the same commit.
"""

from ledger.events.base import Fact


class ProposalFact(Fact, frozen=True, kw_only=True):
    """A step of a document that waits, on a stream of its own beside the document's."""

    area: str
    doc_no: str  # 单据号
    by: str


class DocumentProposed(ProposalFact, frozen=True, kw_only=True):
    """单据提交: the row as it was entered, by column of ``fund_flows``."""

    TOPIC = "document.proposed.v1"

    content: dict[str, str]
    content_hash: str  # that of the fact it becomes


class DocumentApproved(ProposalFact, frozen=True, kw_only=True):
    """单据批准: posted in the same commit."""

    TOPIC = "document.approved.v1"

    content_hash: str


class DocumentRejected(ProposalFact, frozen=True, kw_only=True):
    """单据退回, by the second person or by whoever prepared it."""

    TOPIC = "document.rejected.v1"

    reason: str
