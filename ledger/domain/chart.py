"""Chart of accounts (会计科目表): names of 财会〔2017〕28号, stable internal keys, codes as data.

The standard fixes the names; its codes could not be verified against the official print, so they
are only a default that an area's setup may replace (``[chart]``). Stored facts carry the key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.domain.entry import Book


class AccountClass(StrEnum):
    """The elements of the standard (会计要素), and the two sides of the obligations book."""

    MONEY = "money"  # 货币资金, an asset with a place
    ASSET = "asset"  # 资产
    LIABILITY = "liability"  # 负债
    NET_ASSETS = "net_assets"  # 净资产
    INCOME = "income"  # 收入
    EXPENSE = "expense"  # 支出
    OWED = "owed"  # 应付定点机构 (obligations book)
    INCURRED = "incurred"  # 已发生与已拨付的医疗费用 (obligations book)


_DEBIT_SIDE = {AccountClass.MONEY, AccountClass.ASSET, AccountClass.EXPENSE, AccountClass.INCURRED}


@dataclass(frozen=True, slots=True)
class Account:
    """One account. ``in_subtotal`` is false for what stands outside 小计 (上解、补助)."""

    key: str
    code: str
    zh: str
    en: str
    kind: AccountClass
    book: Book = Book.CASH
    in_subtotal: bool = True

    @property
    def on_debit_side(self) -> bool:
        """Tell whether the account normally carries a debit balance (余额在借方)."""
        return self.kind in _DEBIT_SIDE


MONEY_ACCOUNTS = ("treasury", "fiscal", "income", "expenditure")
#: Who keeps which money account, and states what moved on it (四方对账); the tax office keeps none.
KEEPER = {"expenditure": "bank", "income": "bank", "fiscal": "fiscal", "treasury": "treasury"}
NET_ASSETS = "net_assets"

BENEFIT_KINDS: dict[str, tuple[str, str]] = {
    "inpatient": ("住院", "inpatient"),
    "outpatient": ("门诊统筹", "outpatient"),
    "chronic": ("门诊慢特病", "chronic and special outpatient"),
    "pharmacy": ("药店购药", "pharmacy"),
    "special_drug": ("特药", "special drugs"),
    "maternity_medical": ("生育医疗", "maternity care"),
    "maternity_allowance": ("生育津贴", "maternity allowance"),
    "personal_account": ("个人账户支出", "personal account"),
    "assistance": ("医疗救助", "medical assistance"),
    "manual": ("手工报销", "manual reimbursement"),
    "other": ("其他待遇", "other benefits"),
}


def _assets() -> Iterator[Account]:
    money, asset = AccountClass.MONEY, AccountClass.ASSET
    yield Account("income", "1002", "收入户存款", "Income account", money)
    yield Account("fiscal", "1003", "财政专户存款", "Fiscal special account", money)
    yield Account("expenditure", "1004", "支出户存款", "Expenditure account", money)
    yield Account("treasury", "1005", "国库存款", "Treasury", money)
    yield Account("term_deposit", "1006", "定期存款", "Term deposits", money)
    yield Account("advance.prepayment", "110101", "暂付款—预付金", "Prepayments", asset)
    yield Account(
        "advance.catastrophic", "110102", "暂付款—大病保险垫付", "Catastrophic advances", asset
    )
    yield Account("advance.remote", "110103", "暂付款—异地预付金", "Remote-care prefunds", asset)
    yield Account("advance.other", "110199", "暂付款—其他", "Other advances", asset)


def _liabilities() -> Iterator[Account]:
    liability, net = AccountClass.LIABILITY, AccountClass.NET_ASSETS
    yield Account(
        "payable.remote", "200101", "暂收款—异地就医", "Remote-care money held", liability
    )
    yield Account(
        "payable.fine", "200102", "暂收款—应缴国库", "Fines due to the treasury", liability
    )
    yield Account("payable.suspense", "200199", "暂收款—其他", "Suspense receipts", liability)
    yield Account("loan", "2101", "借入款项", "Loans", liability)
    yield Account(NET_ASSETS, "3001", "一般基金结余", "Fund balance", net)


_Kinds = tuple[tuple[str, str, str], ...]  # key, 中文, English

_CONTRIBUTIONS: _Kinds = (
    ("employer", "单位缴费", "employers"),
    ("individual", "个人缴费", "individuals"),
    ("collective", "集体扶持", "collectives"),
    ("assisted", "资助参保", "assisted participation"),
    ("fiscal", "财政代缴", "paid by the budget"),
    ("to_personal", "划入个人账户", "credited to personal accounts"),
    ("refund", "退费", "refunds"),
)
_SUBSIDIES: _Kinds = (
    ("central", "中央", "central"),
    ("province", "省级", "provincial"),
    ("city", "市级", "city"),
    ("county", "县级", "county"),
)
_BENEFIT_CORRECTIONS: _Kinds = (
    ("remote", "异地就医清算", "remote-care clearing"),
    ("prepaid", "预付金冲抵", "settled from prepayments"),
    ("offset", "抵扣追回款的拨付", "settled by offset of recoveries"),
    ("returned", "退汇", "bounced payments"),
    ("recovered", "本年追回", "recovered in the same year"),
)


def _detail(above: Account, kinds: _Kinds, *, start: int = 1) -> Iterator[Account]:
    """Give the sub-accounts (明细科目) of an account, numbered in order."""
    for number, (key, zh, en) in enumerate(kinds, start=start):
        yield Account(
            f"{above.key}.{key}",
            f"{above.code}{number:02d}",
            f"{above.zh}—{zh}",
            f"{above.en}, {en}",
            above.kind,
        )


def _income() -> Iterator[Account]:
    kind = AccountClass.INCOME
    contributions = Account("income.contribution", "4001", "社会保险费收入", "Contributions", kind)
    subsidies = Account("income.subsidy", "4101", "财政补贴收入", "Subsidies", kind)
    yield from _detail(contributions, _CONTRIBUTIONS)
    yield from _detail(subsidies, _SUBSIDIES)
    yield Account("income.interest", "4201", "利息收入", "Interest", kind)
    yield Account(
        "income.superior_subsidy",
        "4301",
        "上级补助收入",
        "From the level above",
        kind,
        in_subtotal=False,
    )
    yield Account(
        "income.inferior_remit",
        "4302",
        "下级上解收入",
        "From the level below",
        kind,
        in_subtotal=False,
    )
    yield Account("income.transfer_in", "4401", "转移收入", "Transfers in", kind)
    yield Account("income.other", "450199", "其他收入", "Other income", kind)
    yield Account("income.other.late_fee", "450101", "其他收入—滞纳金", "Late fees", kind)
    yield Account("income.other.breach", "450102", "其他收入—违约金", "Damages for breach", kind)
    yield Account(
        "income.other.recovery",
        "450103",
        "其他收入—跨年度追回",
        "Recoveries of earlier years",
        kind,
    )
    yield Account(
        "income.other.catastrophic_surplus",
        "450104",
        "其他收入—大病保险盈余返还",
        "Catastrophic surplus returned",
        kind,
    )
    yield Account("income.pending", "4601", "待转保险费收入", "Contributions pending a split", kind)


def _expense() -> Iterator[Account]:
    kind = AccountClass.EXPENSE
    benefits = Account("expense.benefit", "5001", "社会保险待遇支出", "Benefits", kind)
    yield from _detail(benefits, tuple((key, *names) for key, names in BENEFIT_KINDS.items()))
    yield from _detail(benefits, _BENEFIT_CORRECTIONS, start=21)
    yield Account(
        "expense.assisted_participation", "5002", "资助参保支出", "Assisted participation", kind
    )
    yield Account("expense.catastrophic", "5101", "大病保险支出", "Catastrophic insurance", kind)
    yield Account(
        "expense.remit_up", "5201", "上解上级支出", "To the level above", kind, in_subtotal=False
    )
    yield Account(
        "expense.subsidy_down",
        "5301",
        "补助下级支出",
        "To the level below",
        kind,
        in_subtotal=False,
    )
    yield Account("expense.transfer_out", "5401", "转移支出", "Transfers out", kind)
    yield Account("expense.other", "5501", "其他支出", "Other expense", kind)


#: What is settled with institutions (已发生、已拨付 …): key, 科目, English.
_CLAIMS: _Kinds = (
    ("claims.incurred", "已发生医疗费用", "Claims incurred"),
    ("claims.paid", "已拨付医疗费用", "Claims paid"),
    ("claims.refused", "审核拒付医疗费用", "Claims refused in the audit"),
    ("claims.offset", "抵扣追回款", "Claims settled by offset of recoveries"),
    ("claims.prepaid", "冲抵预付金", "Claims settled from prepayments"),
    ("claims.cleared", "年度清算差额", "Differences of the yearly clearing"),
    ("claims.forfeited", "不予返还质量保证金", "Quality deposits forfeited"),
    ("claims.insurer", "承保机构支付医疗费用", "Claims paid by the insurer"),
    ("claims.manual", "手工报销医疗费用", "Claims settled by hand"),
)
#: The stages of what an institution is owed (应付的环节): key, 环节, English.
_STAGES: _Kinds = (
    ("owed.booked", "已记账", "booked"),
    ("owed.declared", "已申报", "declared"),
    ("owed.approved", "已审定", "approved"),
    ("owed.deposit", "质量保证金", "quality deposit"),
    ("owed.ordered", "已下付款单", "payment ordered"),
)


#: 异地就医 apart from what is settled with institutions: the insured elsewhere are no expense of ours,
#: and what our own insured cost elsewhere is owed to the other place.
_REMOTE_CLAIMS: _Kinds = (
    ("claims.passthrough", "代付异地参保人医疗费用", "Claims of people insured elsewhere"),
    ("claims.passed_on", "已转付异地参保人医疗费用", "Passed on for people insured elsewhere"),
)
_REMOTE_OWED: _Kinds = (
    ("owed.remote", "应付异地清算", "Owed to other places for our insured"),
    (
        "owed.passthrough",
        "应付定点机构—异地代付",
        "Owed to institutions for people insured elsewhere",
    ),
)


def _obligations() -> Iterator[Account]:
    book = Book.OBLIGATIONS
    for number, (key, zh, en) in enumerate(_CLAIMS, start=8001):
        yield Account(key, str(number), zh, en, AccountClass.INCURRED, book)
    for number, (key, zh, en) in enumerate(_STAGES, start=8101):
        name = f"Owed to institutions, {en}"
        yield Account(key, str(number), f"应付定点机构—{zh}", name, AccountClass.OWED, book)
    for number, (key, zh, en) in enumerate(_REMOTE_CLAIMS, start=8051):
        yield Account(key, str(number), zh, en, AccountClass.INCURRED, book)
    for number, (key, zh, en) in enumerate(_REMOTE_OWED, start=8151):
        yield Account(key, str(number), zh, en, AccountClass.OWED, book)


CHART: dict[str, Account] = {
    account.key: account
    for part in (_assets, _liabilities, _income, _expense, _obligations)
    for account in part()
}

#: The stages of what an institution is owed, in their order.
STAGES = tuple(key for key, _, _ in _STAGES)

#: Words a file may use for an account beside its key, code and full name.
_ALIASES = {
    "暂付款": "advance.other",
    "预付金": "advance.prepayment",
    "暂收款": "payable.suspense",
    "应缴国库": "payable.fine",
    "国库": "treasury",
    "财政专户": "fiscal",
    "收入户": "income",
    "支出户": "expenditure",
    "advance": "advance.other",
    "payable": "payable.suspense",
}


def account_words(codes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map every word a file may use for a cash-book account to its key.

    ``codes`` are an area's own account codes by key; they stand over the defaults.
    """
    words = dict(_ALIASES)
    cash = {account.key: account for account in CHART.values() if account.book is Book.CASH}
    for account in cash.values():
        words[account.key] = account.key
        words[account.zh] = account.key
        words[account.code] = account.key
    for key in set(codes or {}) & set(cash):
        del words[CHART[key].code]  # an account that has its own code is not called by ours
    words |= {code: key for key, code in (codes or {}).items() if key in cash}
    return words


def account_name(key: str, lang: str = "zh") -> str:
    """Name an account for a reader."""
    account = CHART[key]
    return account.zh if lang == "zh" else account.en
