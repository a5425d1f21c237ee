"""Facts of the clearing of a year (年度清算): runs, what they post, and what institutions say to it.

A run lies on the stream of its fund and year (``clearing_stream`` with ``YYYY``) with the line of
every institution. What a second person approved is posted in the same commit: one
``settlement.year_cleared.v1`` for each institution with a difference, on the stream of its year. An
institution confirms the result or disputes it; both lie on the stream of the runs.
"""

import msgspec

from ledger.events.base import Fact
from ledger.events.settlement import SettlementFact


class YearCleared(SettlementFact, frozen=True, kw_only=True):
    """年度清算入账: the difference of a year (``belongs_to`` YYYY), and what becomes of its deposit."""

    TOPIC = "settlement.year_cleared.v1"

    run: str
    final_fen: int
    settled_fen: int  # before this run
    difference_fen: int  # posted: final − settled − still expected of the months
    released_fen: int  # 返还质量保证金; below nil where an earlier run released more
    forfeited_fen: int  # 不予返还
    approved_by: str


class YearResult(msgspec.Struct, frozen=True, array_like=True):
    """One institution in a run of a year (年度清算明细行), stored as a list in this order; in fen.

    band + priced + as_booked − refused − assessed (+ rounding) = final, where an assessment that is
    taken before the bands is in band already; final − settled − expected = difference.
    """

    institution: str
    cases: int
    points4: int
    booked_fen: int
    due_fen: int
    band_fen: int
    borne_fen: int
    not_borne_fen: int
    surplus_fen: int
    priced_fen: int
    as_booked_fen: int
    refused_fen: int
    assessed_fen: int
    rounding_fen: int
    final_fen: int
    settled_fen: int
    expected_fen: int
    difference_fen: int
    score: str | None
    withheld_fen: int  # deposit of the months
    released_fen: int  # of the whole year
    forfeited_fen: int
    release_fen: int  # what this run posts of it
    forfeit_fen: int


class BudgetResult(msgspec.Struct, frozen=True, array_like=True):
    """Where the budget of a year went (总额预算去向), stored as a list in this order; in fen."""

    budget_fen: int
    reserve_fen: int
    reserve_used_fen: int
    surplus_fen: int
    surplus_used_fen: int
    surplus_shared_fen: int
    not_borne_fen: int
    point_difference_fen: int
    outside_fen: int


class YearClearingFact(Fact, frozen=True, kw_only=True):
    """A step of clearing a year, on the stream of its fund and year."""

    area: str
    fund: str  # leaf
    period: str  # YYYY
    run: str
    by: str


class LeftDeclared(msgspec.Struct, frozen=True, array_like=True):
    """What an institution's months left declared (按比例预拨后的余额), stored as a list; in fen."""

    institution: str
    fen: int


class YearComputed(YearClearingFact, frozen=True, kw_only=True, omit_defaults=True):
    """年度清算计算: what a run would post, of what, by which rules; waits for a second person."""

    TOPIC = "clearing.year_computed.v1"

    plan_hash: str  # of policy, budget and lines
    watermark: int
    policy: str
    policy_hash: str
    engine: str
    engine_version: str
    kernel: str
    parameters: str
    result: str
    budget: BudgetResult
    lines: tuple[YearResult, ...]
    left: tuple[LeftDeclared, ...] = ()  # taken off what is declared: the difference covers it


class YearApproved(YearClearingFact, frozen=True, kw_only=True):
    """年度清算复核通过: posted in the same commit."""

    TOPIC = "clearing.year_approved.v1"

    plan_hash: str
    watermark: int  # up to which the figures were computed again


class YearRejected(YearClearingFact, frozen=True, kw_only=True):
    """年度清算退回: sent back by the second person, or taken back by whoever prepared it."""

    TOPIC = "clearing.year_rejected.v1"

    reason: str


class YearConfirmed(YearClearingFact, frozen=True, kw_only=True):
    """机构确认年度清算结果 (管理规程 art. 27): on a date, with the signatory as the paper says."""

    TOPIC = "clearing.confirmed.v1"

    institution: str
    date: str
    signatory: str | None = None  # a function or department, no personal data


class YearDisputed(YearClearingFact, frozen=True, kw_only=True):
    """机构对年度清算结果提出异议: answered by another run, or dismissed."""

    TOPIC = "clearing.disputed.v1"

    institution: str
    date: str
    reason: str


class DisputeDismissed(YearClearingFact, frozen=True, kw_only=True):
    """异议不予采纳: the result stands, with the reason."""

    TOPIC = "clearing.dispute_dismissed.v1"

    institution: str
    reason: str
