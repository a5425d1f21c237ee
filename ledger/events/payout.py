"""Facts of paying institutions (拨付): a batch of payment orders, and what the bank made of each.

A payout is one batch of one leaf fund: prepared by one person, approved by another. Its steps lie on
one stream per area, leaf fund and month of payment. What it posts lies on the stream of the
institution's month (``settlement_stream``), so that no amount is ordered twice. Nothing here names a
person or an account of a bank.
"""

import msgspec

from ledger.events.base import Fact
from ledger.events.settlement import SettlementFact


class OrderPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a payment order is for one 清算年月, split by kind of benefit (待遇支出科目)."""

    month: str
    fen: int
    kinds: dict[str, int]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One payment order (付款单): what an institution is paid, and who receives it."""

    line: int
    institution: str
    payee: str  # the institution itself, whoever leads it, or its successor
    fen: int
    parts: tuple[OrderPart, ...]
    final: bool = False  # 终止协议后的末次结算


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """An institution that is owed and not ordered, or owes itself (结转), with the reason."""

    institution: str
    fen: int
    reason: str


class PayoutFact(Fact, frozen=True, kw_only=True):
    """A step of a batch of payment orders."""

    area: str
    fund: str  # leaf fund
    period: str  # month of payment
    no: int  # of the batch within fund and month
    by: str


class PayoutPrepared(PayoutFact, frozen=True, kw_only=True):
    """拨付单制单: the payment orders as they wait for a second person."""

    TOPIC = "payout.prepared.v1"

    date: str
    as_of: int  # position of the log that the amounts were computed at
    months: tuple[str, ...]  # only these 清算年月; empty: all
    institutions: tuple[str, ...]  # only these; empty: all
    lines: tuple[OrderLine, ...]
    held: tuple[HeldBack, ...]
    total_fen: int


class PayoutApproved(PayoutFact, frozen=True, kw_only=True):
    """拨付单批准: ordered in the same commit."""

    TOPIC = "payout.approved.v1"

    total_fen: int


class PayoutRejected(PayoutFact, frozen=True, kw_only=True):
    """拨付单退回, by the second person or by whoever prepared it."""

    TOPIC = "payout.rejected.v1"

    reason: str


class PaymentFact(SettlementFact, frozen=True, kw_only=True):
    """What happens to the part of a payment order (付款单) that is for one month."""

    payout: str  # id of the batch
    line: int
    order_no: str  # 付款单号, as the bank is given it
    payee: str
    amount_fen: int


class PaymentOrdered(PaymentFact, frozen=True, kw_only=True):
    """下付款单: approved money is ordered from the bank."""

    TOPIC = "payment.ordered.v1"

    kinds: dict[str, int]  # by which kinds of benefit it will be expense
    approved_by: str


class PaymentConfirmed(PaymentFact, frozen=True, kw_only=True):
    """银行付讫: benefit expense by kind, and the order is settled."""

    TOPIC = "payment.confirmed.v1"

    bank_ref: str | None = None  # 银行流水号


class PaymentFailed(PaymentFact, frozen=True, kw_only=True):
    """付款失败: the bank did not carry the order out; what was approved may be ordered again."""

    TOPIC = "payment.failed.v1"

    reason: str
    bank_ref: str | None = None


class PaymentReturned(PaymentFact, frozen=True, kw_only=True):
    """退汇: a payment came back after it was confirmed; it is owed again and is no recovery."""

    TOPIC = "payment.returned.v1"

    reason: str
    bank_ref: str | None = None
