"""Prepayments to institutions (预付金) and what is taken back of them (收回): asked for, ordered, answered.

A second person's approval orders the batch and posts nothing. What the bank confirms is posted in the
commit that records it, as a document of the cash book (``prepayment.booked.v1``), one for each
institution; what failed is never posted, and what came back (退汇) is posted as a document of its own.
"""

import msgspec

from ledger.events.base import Fact, Source


class PrepaidLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one institution is prepaid."""

    institution: str
    fen: int


class GateFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a prepayment was judged by (预付条件), at the end of a month, in fen."""

    period: str
    accumulated_fen: int
    expense_fen: int  # of the 12 months to this one
    payable_months: str | None  # two decimals; None with a reason where it cannot be computed
    needed_months: str
    last_year_surplus_fen: int | None
    forecast_surplus_fen: int | None
    reason: str | None = None


class PrepaymentFact(Fact, frozen=True, kw_only=True):
    """A step of a batch of prepayments."""

    area: str
    fund: str  # leaf fund
    period: str  # month that is prepaid
    no: int
    by: str


class PrepaymentProposed(PrepaymentFact, frozen=True, kw_only=True):
    """预付申请: waits for a second person."""

    TOPIC = "prepayment.proposed.v1"

    date: str
    lines: tuple[PrepaidLine, ...]
    total_fen: int
    gate: GateFigures
    policy: str | None  # that named the rules; None: the defaults


class ReturnProposed(PrepaymentFact, frozen=True, kw_only=True):
    """预付收回申请: waits for a second person; ``period`` is the month of its date."""

    TOPIC = "prepayment.return_proposed.v1"

    date: str
    lines: tuple[PrepaidLine, ...]
    total_fen: int


class PrepaymentOrdered(PrepaymentFact, frozen=True, kw_only=True):
    """预付下单: approved by a second person; nothing is posted before the bank's word."""

    TOPIC = "prepayment.ordered.v1"

    total_fen: int
    gate: GateFigures | None  # as it stood then; None: a return


class PrepaymentApproved(PrepaymentFact, frozen=True, kw_only=True):
    """预付批准: posted in the same commit. Written before orders waited for the bank; still read."""

    TOPIC = "prepayment.approved.v1"

    total_fen: int
    gate: GateFigures  # as it stood then


class PrepaymentRejected(PrepaymentFact, frozen=True, kw_only=True):
    """预付退回, by the second person or by whoever prepared it."""

    TOPIC = "prepayment.rejected.v1"

    reason: str


class PrepaymentAnswered(PrepaymentFact, frozen=True, kw_only=True):
    """银行结果: the bank's word on one order of a batch, at the bank's date."""

    line: int  # 1, 2, … in the order of the proposal's lines
    institution: str
    fen: int
    date: str
    bank_ref: str | None = None
    source: Source = Source()


class PrepaymentPaid(PrepaymentAnswered, frozen=True, kw_only=True):
    """预付付讫、收回到账: posted in the same commit, as the document named here."""

    TOPIC = "prepayment.paid.v1"

    doc_no: str


class PrepaymentFailed(PrepaymentAnswered, frozen=True, kw_only=True):
    """预付付款失败、收回未到账: no money moved, nothing is posted."""

    TOPIC = "prepayment.failed.v1"

    reason: str


class PrepaymentReturned(PrepaymentAnswered, frozen=True, kw_only=True):
    """预付退汇: it was paid and came back; posted in the same commit, as the document named here."""

    TOPIC = "prepayment.returned.v1"

    doc_no: str
    reason: str
