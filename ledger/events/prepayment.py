"""Prepayments to institutions (预付金): asked for by one person with the figures of the gate.

What is approved is posted in the same commit as documents of the cash book (``prepayment.booked.v1``),
one for each institution.
"""

import msgspec

from ledger.events.base import Fact


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


class PrepaymentApproved(PrepaymentFact, frozen=True, kw_only=True):
    """预付批准: posted in the same commit."""

    TOPIC = "prepayment.approved.v1"

    total_fen: int
    gate: GateFigures  # as it stood then


class PrepaymentRejected(PrepaymentFact, frozen=True, kw_only=True):
    """预付退回, by the second person or by whoever prepared it."""

    TOPIC = "prepayment.rejected.v1"

    reason: str
