"""Facts of the clearing of a month (按月清算): applications, runs, and recoveries taken from payments.

An application (3203) and its withdrawal post nothing themselves: what each leaf fund was asked for
are facts with postings on the institution's month (``settlement_stream``). A run lies on the stream
of its fund and month with the lines it computed; what a second person approved is posted in the
same commit, one ``settlement.approved.v1`` for each institution.
"""

import msgspec

from ledger.events.base import Fact, Source
from ledger.events.settlement import SettlementFact


class ApplicationFact(Fact, frozen=True, kw_only=True):
    """A step of an application for clearing (清算申请), on the stream of what it is for."""

    area: str
    institution: str
    insutype: str
    clr_type: str
    belongs_to: str  # 清算年月
    number: int  # 1, and one more after each withdrawal
    by: str


class AppliedPart(msgspec.Struct, frozen=True, array_like=True):
    """What of an application one leaf fund owes (申请的基金分项), stored as a list; amounts in fen."""

    fund: str
    booked_fen: int  # for the settlements that it is for
    applied_fen: int
    left_fen: int  # booked, not declared before, and not applied for: stays booked


class ApplicationReceived(ApplicationFact, frozen=True, kw_only=True):
    """收到清算申请 (3203): what an institution applies for, as it says, in fen."""

    TOPIC = "application.received.v1"

    clr_way: str | None = None
    persons: int | None = None  # psntime 人次
    medfee_fen: int
    agreed_fen: int | None = None  # med_sumfee 医保认可费用总额
    fund_fen: int  # fund_appy_sum 基金申请总额
    cash_fen: int
    account_fen: int
    hospital_fen: int
    parts: tuple[AppliedPart, ...]
    as_of: int  # log position up to which the parts are
    content: str  # hash of what the row says
    source: Source


class ApplicationWithdrawn(ApplicationFact, frozen=True, kw_only=True):
    """撤销清算申请 (3204): before a run that used it was approved."""

    TOPIC = "application.withdrawn.v1"

    reason: str


class SettlementDeclared(SettlementFact, frozen=True, kw_only=True):
    """申报: booked becomes declared, by an application or on the institution's behalf; or in red."""

    TOPIC = "settlement.declared.v1"

    application: str | None = None  # None: nobody applied, declared on the institution's behalf
    run: str | None = None  # of the run that declared on the institution's behalf
    amount_fen: int


class SettlementApproved(SettlementFact, frozen=True, kw_only=True):
    """审定: what a run settles of an institution's month; the parts add up to the postings."""

    TOPIC = "settlement.approved.v1"

    run: str
    payee: str  # whom is paid (医共体牵头机构), the institution itself where nobody else is
    declared_fen: int
    deposit_fen: int = 0
    difference_fen: int = 0  # due − booked, where the month is paid by what is due
    insurer_fen: int = 0
    offset_fen: int = 0
    prepaid_fen: int = 0
    approved_by: str


class ClearedLine(msgspec.Struct, frozen=True, array_like=True):
    """One institution in a run (清算明细行), stored as a list in this order; amounts in fen, of this run alone.

    booked − refused − otherwise − waiting = settled, and settled − deposit + difference − insurer −
    offset − prepaid + carried_in − carried_out = payable.
    """

    institution: str
    payee: str
    cases: int
    booked_fen: int  # 记账, new since the last approved run
    refused_fen: int  # 审核拒付
    otherwise_fen: int  # paid or taken off outside of any run
    waiting_fen: int  # not declared, or declared and not paid monthly
    declared_fen: int  # by applications, as it stood
    on_behalf_fen: int  # declared by the run itself
    settled_fen: int  # 审定: of what is declared, what is settled now
    deposit_fen: int
    difference_fen: int
    insurer_fen: int
    offset_fen: int
    prepaid_fen: int
    carried_in_fen: int  # approved before and not ordered; below nil: owed back
    carried_out_fen: int  # below nil: goes into the next run
    payable_fen: int
    due_fen: int | None  # of the whole month, by the methods; None where the fund has none
    due_booked_fen: int | None  # what was booked of the cases that are in the due
    due_cases: int = 0  # cases in the due, of the whole month as the two above
    pointed_cases: int = 0  # of them by points, with their points in 1/10,000 and their cost
    points4: int = 0
    pointed_cost_fen: int = 0
    unmatched_cases: int = 0  # held back for want of a group: no record was matched to them


class OffsetTaken(msgspec.Struct, frozen=True, array_like=True):
    """What a run takes of a recovery from a payment (本批抵扣), stored as a list."""

    institution: str
    doc_no: str
    fen: int
    same_year: bool


class ClearingFact(Fact, frozen=True, kw_only=True):
    """A step of a clearing run (清算批次), on the stream of its fund and month."""

    area: str
    fund: str  # leaf
    period: str  # YYYY-MM
    run: str
    by: str


class ClearingComputed(ClearingFact, frozen=True, kw_only=True):
    """清算计算: what a run would settle, of what, by which rules; waits for a second person."""

    TOPIC = "clearing.computed.v1"

    plan_hash: str  # of all below but engine and watermark
    watermark: int
    basis: str  # booked, due
    policy: str | None
    policy_hash: str | None
    engine: str
    engine_version: str
    kernel: str
    parameters: str
    result: str
    lines: tuple[ClearedLine, ...]
    offsets: tuple[OffsetTaken, ...]
    point_value: str | None = None  # yuan per point, as the policy publishes it


class ClearingApproved(ClearingFact, frozen=True, kw_only=True):
    """清算复核通过: posted in the same commit."""

    TOPIC = "clearing.approved.v1"

    plan_hash: str
    watermark: int  # up to which the figures were computed again


class ClearingRejected(ClearingFact, frozen=True, kw_only=True):
    """清算退回: sent back by the second person, or taken back by whoever prepared it."""

    TOPIC = "clearing.rejected.v1"

    reason: str


class OffsetFact(Fact, frozen=True, kw_only=True):
    """A step of a recovery taken from payments to come (从拨付中抵扣的追回), on the stream of its document."""

    area: str
    doc_no: str
    by: str


class OffsetProposed(OffsetFact, frozen=True, kw_only=True):
    """提出抵扣追回: waits for a second person."""

    TOPIC = "offset.proposed.v1"

    revision: int
    fund: str  # leaf that was charged
    institution: str
    date: str
    amount_fen: int
    original_year: int  # of the payment: decides same year or 其他收入
    reason: str


class OffsetApproved(OffsetFact, frozen=True, kw_only=True):
    """抵扣追回复核通过: the runs that follow take it, oldest first."""

    TOPIC = "offset.approved.v1"


class OffsetRejected(OffsetFact, frozen=True, kw_only=True):
    """抵扣追回退回: nothing, or nothing more, is taken."""

    TOPIC = "offset.rejected.v1"

    reason: str


class OffsetMade(OffsetFact, frozen=True, kw_only=True):
    """已抵扣: a run took this much; the postings are those of the settlement that it approved."""

    TOPIC = "offset.made.v1"

    fund: str
    institution: str
    run: str
    fen: int
    left_fen: int
