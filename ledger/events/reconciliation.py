"""Facts of reconciling (对账): what institutions, bank, treasury, fiscal bureau and tax office stated.

None of them posts anything. An institution's statement that differs from the one before is a newer
fact on the same stream, and the latest counts; the settlements themselves are facts of ``claim``.
The lines of a bank's statement are added, each once.
"""

import msgspec

from ledger.events.base import Fact, Source


class ReconciliationFact(Fact, frozen=True, kw_only=True):
    """A fact about one month: of settlements by the day they were settled, of payments by theirs."""

    area: str
    period: str  # YYYY-MM
    by: str


class StatementTotalsReceived(ReconciliationFact, frozen=True, kw_only=True):
    """收到总账对账单 (3201): an institution's sums of a month for one 险种 and 清算类别, in fen."""

    TOPIC = "statement.totals_received.v1"

    institution: str
    insutype: str
    clr_type: str
    refund: bool | None  # None: refunds are in the sums; else the sums of one side alone
    cases: int
    medfee_fen: int
    fund_fen: int
    account_fen: int
    content: str  # hash of what the row says
    source: Source


class StatedSettlement(msgspec.Struct, frozen=True, array_like=True):
    """One settlement as the institution has it, stored as a list in this order; amounts in fen."""

    line: int
    setl_id: str
    refund: bool
    medfee_fen: int
    fund_fen: int
    account_fen: int
    mdtrt_id: str | None


class StatementDetailsReceived(ReconciliationFact, frozen=True, kw_only=True):
    """收到明细对账单 (3202): settlements of one institution and month, new or changed; no person."""

    TOPIC = "statement.details_received.v1"

    institution: str
    settlements: tuple[StatedSettlement, ...]
    source: Source  # the lines are the settlements' own


class StatedPayment(msgspec.Struct, frozen=True, array_like=True):
    """One line of a statement (对账单行), stored as a list in this order; fen, + is money in.

    ``nth`` tells lines apart that are alike in day, amount and reference. ``counterparty`` never
    names a person: what may be one is shortened; the file itself lies encrypted in the vault.
    """

    line: int
    date: str
    fen: int
    balance_fen: int | None
    ref: str
    nth: int
    counterparty: str | None
    institution: str | None  # the code, where the counterparty is one of ours
    summary: str | None
    fund: str | None


class StatementBankReceived(ReconciliationFact, frozen=True, kw_only=True):
    """收到银行(国库、财政专户、税务)对账单: lines of one account and month that are new."""

    TOPIC = "statement.bank_received.v1"

    counterparty: str  # bank, treasury, fiscal, tax
    account: str
    payments: tuple[StatedPayment, ...]
    source: Source  # the lines are the payments' own


class StatementBankWithdrawn(ReconciliationFact, frozen=True, kw_only=True):
    """撤回对账单: the lines that an intake added to one account and month count no more."""

    TOPIC = "statement.bank_withdrawn.v1"

    counterparty: str
    account: str
    intake: str
    lines: int
    reason: str


class ComparedTotals(msgspec.Struct, frozen=True, array_like=True):
    """One group of settlements on both sides, stored as a list; ``theirs`` None: not stated.

    Sums are (cases, medical fee, fund, personal account), the last three in fen. ``result`` is that
    of 3201: 0 平, 1 中心多, 2 机构多, 3 不一致.
    """

    institution: str
    insutype: str
    clr_type: str
    part: str  # all, normal, refunds
    result: str
    ours: tuple[int, int, int, int]
    theirs: tuple[int, int, int, int] | None


class BrokenSettlement(msgspec.Struct, frozen=True, array_like=True):
    """One settlement that did not match (差异), stored as a list."""

    institution: str
    setl_id: str
    refund: bool
    result: str


class ComparedDetails(msgspec.Struct, frozen=True, array_like=True):
    """How many settlements of one institution matched one to one (对明细账), stored as a list."""

    institution: str
    even: int
    ours_more: int
    theirs_more: int
    unequal: int


class ComparedFund(msgspec.Struct, frozen=True, array_like=True):
    """One leaf fund at an institution on both sides (分基金), stored as a list, in fen.

    ``theirs_fen`` and ``result`` are None where the statement does not tell the funds apart.
    """

    institution: str
    fund: str
    clr_type: str
    ours_fen: int
    theirs_fen: int | None
    result: str | None


class ReconciliationRecorded(ReconciliationFact, frozen=True, kw_only=True, omit_defaults=True):
    """对账结果登记: what comparing a month with the institutions' statements gave, as of a position.

    Measures take their inputs from the latest of a month. 对平率 is ``groups`` with result 0 ÷
    ``groups``. 填报准确率 is ``even`` ÷ all four counts of ``details`` (an institution whose groups
    are all even has none: every case that it stated is right). 误差率 is the sum of |ours − theirs|
    of the fund's amount (the third figure) of ``groups`` ÷ the sum of ours. Of money,
    ``balances.reconciled.v1`` has how many payments matched, and which are open.
    """

    TOPIC = "reconciliation.recorded.v1"

    counterparty: str  # institution
    as_of: int  # log position
    groups: tuple[ComparedTotals, ...]
    unreconciled: tuple[str, ...]  # institutions without a statement
    breaks: tuple[BrokenSettlement, ...]
    details: tuple[ComparedDetails, ...] = ()  # of institutions whose settlements were matched
    funds: tuple[ComparedFund, ...] = ()
