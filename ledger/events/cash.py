"""Facts of the cash book that come from documents (单据): one class per kind of money flow.

All share the columns of a ``fund_flows`` row; the class says what happened, ``item`` says which
line of the statement it belongs to.
"""

from ledger.events.base import Posted, Source


class CashFact(Posted, frozen=True, kw_only=True):
    """A document of the cash book (凭证的依据)."""

    doc_no: str  # 单据号
    revision: int  # 1, and one more each time the document is posted again after a reversal
    fund: str  # 险种, with its sub-fund
    item: str  # 项目
    date: str  # 入账日期 as the document says
    belongs_to: str  # 费款所属期
    amount_fen: int
    summary: str  # 摘要
    counterparty: str | None = None  # 对方单位
    counterparty_fund: str | None = None  # 对方险种
    money_account: str | None = None  # 资金账户
    original_doc: str | None = None  # 原单据号
    original_year: int | None = None  # 原支付年度
    method: str | None = None  # 方式
    account: str | None = None  # 科目
    channel: str | None = None  # 渠道
    person_class: str | None = None  # 人员类别
    note: str | None = None  # 备注
    attachments: int = 0  # 附件张数
    content: str  # hash of the row as it came: equal content is the same fact
    source: Source


class OpeningRecorded(CashFact, frozen=True, kw_only=True):
    """期初结余: what a fund held when its book began."""

    TOPIC = "opening.recorded.v1"


class OpeningAdjusted(CashFact, frozen=True, kw_only=True):
    """期初调整: a published series that does not chain is adjusted in the open, never silently."""

    TOPIC = "opening.adjusted.v1"


class ContributionReceived(CashFact, frozen=True, kw_only=True):
    """缴费收入 by employer, individual, collective, budget; 待转 and 滞纳金 included."""

    TOPIC = "contribution.received.v1"


class ContributionRefunded(CashFact, frozen=True, kw_only=True):
    """退费."""

    TOPIC = "contribution.refunded.v1"


class SubsidyReceived(CashFact, frozen=True, kw_only=True):
    """财政补贴."""

    TOPIC = "subsidy.received.v1"


class IncomeReceived(CashFact, frozen=True, kw_only=True):
    """利息、转移收入、其他收入、违约金, and money from other levels (上级补助、下级上解)."""

    TOPIC = "income.received.v1"


class ExpensePaid(CashFact, frozen=True, kw_only=True):
    """转移支出、其他支出, and money to other levels (上解上级、补助下级)."""

    TOPIC = "expense.paid.v1"


class PersonalAccountCredited(CashFact, frozen=True, kw_only=True):
    """划入个人账户: from the pooled fund to personal accounts, nil for the employee fund."""

    TOPIC = "personal_account.credited.v1"


class BenefitPaid(CashFact, frozen=True, kw_only=True):
    """待遇支出."""

    TOPIC = "benefit.paid.v1"


class BenefitReturned(CashFact, frozen=True, kw_only=True):
    """退汇: a payment bounced; it is not a recovery."""

    TOPIC = "benefit.returned.v1"


class ParticipationAssisted(CashFact, frozen=True, kw_only=True):
    """资助参保: expense of 610 and contribution income of the receiving fund, in one entry."""

    TOPIC = "participation.assisted.v1"


class CatastrophicInsuranceBooked(CashFact, frozen=True, kw_only=True):
    """大病保险: premium, advance, reimbursement, surplus return, loss support."""

    TOPIC = "catastrophic_insurance.booked.v1"


class PrepaymentBooked(CashFact, frozen=True, kw_only=True):
    """预付金: paid, offset against benefits, returned. An asset, never an expense by itself."""

    TOPIC = "prepayment.booked.v1"


class AdvanceBooked(CashFact, frozen=True, kw_only=True):
    """其他暂付、暂收款、借入款项."""

    TOPIC = "advance.booked.v1"


class RemoteCareBooked(CashFact, frozen=True, kw_only=True):
    """异地就医: prefund, clearing as place of insurance, pass-through as place of care."""

    TOPIC = "remote_care.booked.v1"


class RecoveryReceived(CashFact, frozen=True, kw_only=True):
    """追回: same year lowers benefit expense, earlier years are other income (1020399)."""

    TOPIC = "recovery.received.v1"


class FineRegistered(CashFact, frozen=True, kw_only=True):
    """罚款、没收违法所得: due to the treasury (条例 art. 45), never income of a fund."""

    TOPIC = "fine.registered.v1"


class FineRemitted(CashFact, frozen=True, kw_only=True):
    """罚款上缴国库."""

    TOPIC = "fine.remitted.v1"


class Reclassified(CashFact, frozen=True, kw_only=True):
    """重分类: several rows of one document that move an amount between accounts of one fund."""

    TOPIC = "reclassification.booked.v1"


class MoneyMoved(CashFact, frozen=True, kw_only=True):
    """资金划转 between the money accounts of a fund."""

    TOPIC = "money.moved.v1"


class DocumentReversed(Posted, frozen=True, kw_only=True):
    """红字冲销 of a document, naming the original."""

    TOPIC = "document.reversed.v1"

    doc_no: str
    revision: int
    fund: str
    date: str
    belongs_to: str
    original_position: int
    summary: str
    reason: str
    counterparty: str | None = None
    source: Source
