"""Facts of the monthly plan of payments (用款计划): asked of the finance bureau, granted, drawn.

All steps of a fund's month lie on one stream. The bureau grants by leaf fund, perhaps less than was
asked for. Drawing moves money from 财政专户 to 支出户. What is ordered beside the payment orders to
institutions takes up the plan on the stream of the month's payment orders: of two orders that each
would fit, the second is counted after the first.
"""

import msgspec

from ledger.events.base import Fact, Posted, Source


class PlanAmount(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for a leaf fund: what is approved and not ordered, and what was added by hand."""

    fund: str
    approved_fen: int
    by_hand_fen: int


class GrantedAmount(msgspec.Struct, frozen=True, kw_only=True):
    """What is granted to a leaf fund."""

    fund: str
    fen: int


class PlanFact(Fact, frozen=True, kw_only=True):
    """A step of a plan that posts nothing."""

    area: str
    fund: str  # with all of its leaf funds
    period: str  # month of payment
    round: int  # 1, and one more for each further application in the month (追加)
    by: str
    date: str


class PlanRequested(PlanFact, frozen=True, kw_only=True):
    """用款申请: asked of the finance bureau."""

    TOPIC = "plan.requested.v1"

    as_of: int  # position of the log that the amounts were computed at
    amounts: tuple[PlanAmount, ...]
    note: str | None = None


class PlanGranted(PlanFact, frozen=True, kw_only=True):
    """用款批复: what the finance bureau grants, recorded by another person than asked for it."""

    TOPIC = "plan.granted.v1"

    amounts: tuple[GrantedAmount, ...]
    paper: str  # 批复文号


class PlanDrawn(Posted, frozen=True, kw_only=True):
    """拨款到支出户: granted money is drawn from 财政专户."""

    TOPIC = "plan.drawn.v1"

    fund: str  # leaf
    period: str
    date: str
    summary: str
    doc_no: str  # 拨款单号
    amount_fen: int
    source: Source = Source()


class PlanCommitted(Fact, frozen=True, kw_only=True):
    """占用用款计划: persons or a prepayment were ordered from the month's plan; posts nothing.

    It lies on the stream of the month's payment orders (``payouts_stream``).
    """

    TOPIC = "plan.committed.v1"

    area: str
    fund: str  # leaf fund
    period: str  # month of payment
    paper: str  # id of the batch that was ordered (个人拨付单、预付单)
    by: str
    date: str
    fen: int  # as ordered; what failed or came back since counts no more
