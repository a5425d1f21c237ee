"""From a business fact to its entry: one rule for every item of a ``fund_flows`` file.

The entry is stored with the fact under ``RULES_VERSION``; replay folds stored entries and never
comes back here. Sources: 财会〔2017〕28号, 财社〔2017〕144号, 条例 art. 45, and the conventions of
the field kept in ``docs/posting-rules.md``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ledger.domain.chart import BENEFIT_KINDS, CHART, NET_ASSETS, AccountClass
from ledger.domain.claim_roles import CLAIM_ACCOUNTS, OWN, passed_on, place_paid
from ledger.domain.entry import Entry, Posting, move
from ledger.domain.fund import ASSISTANCE, PERSONAL, POOLED, is_institution
from ledger.errors import InputRejected

RULES_VERSION = 1

#: Recoveries taken out of money that is owed, where no money arrives (抵扣).
_OFFSET_METHODS = frozenset({"offset", "deposit"})


class RuleNotApplicable(InputRejected):
    """The fact is written in a way that no posting rule fits."""

    code = "rule_not_applicable"
    zh = "项目 {item} 不能这样记账:{reason_zh}。"
    en = "The item {item} cannot be posted like this: {reason_en}."
    hint_zh = "请更正该行后重新导入。"
    hint_en = "Correct the row and bring it in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What a posting rule needs to know of one document row; ``fen`` is its amount in fen."""

    item: str
    fund: str
    fen: int
    year: int  # of the document's date
    counterparty: str | None = None
    counterparty_fund: str | None = None
    money_account: str | None = None
    original_year: int | None = None
    method: str | None = None
    account: str | None = None
    original_doc: str | None = None
    tax_collects: bool = False  # the tax office collects into 国库 (征收入库)


Rule = Callable[[Flow], Entry]


def money_of(flow: Flow, default: str) -> str:
    """Say which money account a flow moves: the one it names, else the default of its kind."""
    return flow.money_account or default


def _expense_default(flow: Flow) -> str:
    """Expenses leave 支出户; medical assistance is paid from 财政专户 (财社〔2013〕217号)."""
    return "fiscal" if flow.fund == ASSISTANCE else "expenditure"


def _contribution_default(flow: Flow) -> str:
    return "treasury" if flow.tax_collects else "fiscal"


def _received(account: str, *, default: Callable[[Flow], str] | str = "fiscal") -> Rule:
    """Money arrives and is credited to an account."""

    def rule(flow: Flow) -> Entry:
        place = default if isinstance(default, str) else default(flow)
        return (
            move(
                flow.fund,
                debit=money_of(flow, place),
                credit=account,
                fen=flow.fen,
                party=_party(flow, account),
            ),
        )

    return rule


def _paid(account: str, *, default: Callable[[Flow], str] | str = _expense_default) -> Rule:
    """Money leaves and is debited to an account."""

    def rule(flow: Flow) -> Entry:
        place = default if isinstance(default, str) else default(flow)
        return (
            move(
                flow.fund,
                debit=account,
                credit=money_of(flow, place),
                fen=flow.fen,
                party=_party(flow, account),
            ),
        )

    return rule


def _party(flow: Flow, account: str) -> str | None:
    """Advances, suspense and loans are kept by name (按对方单位明细核算)."""
    by_name = account.startswith(("advance.", "payable.")) or account == "loan"
    return flow.counterparty if by_name else None


def _paydown(flow: Flow) -> Entry:
    """What an institution is paid lowers what it is owed (冲减应付); others stay unallocated."""
    if flow.counterparty is None or not is_institution(flow.counterparty):
        return ()
    return (Posting(flow.fund, "owed.booked", "claims.paid", flow.fen, flow.counterparty),)


def _benefit(kind: str) -> Rule:
    pay = _paid(f"expense.benefit.{kind}")
    return lambda flow: pay(flow) + _paydown(flow)


def _benefit_returned(flow: Flow) -> Entry:
    """退汇: lowers the expense until it is paid again, and the institution is owed again."""
    back = _received("expense.benefit.returned", default=_expense_default)(flow)
    owed_again = tuple(
        Posting(posting.fund, posting.credit, posting.debit, posting.fen, posting.party)
        for posting in _paydown(flow)
    )
    return back + owed_again


def _opening(flow: Flow) -> Entry:
    """期初: against net assets stands the money, the asset or the liability that ``account`` names."""
    account = flow.account or money_of(flow, "fiscal")
    if CHART[account].kind in {AccountClass.INCOME, AccountClass.EXPENSE}:
        raise RuleNotApplicable(
            item=flow.item,
            reason_zh="期初科目只能是资产、负债、资金账户或结余",
            reason_en="an opening names an asset, a liability, a money account or the fund balance",
        )
    if CHART[account].on_debit_side:
        return (
            move(
                flow.fund,
                debit=account,
                credit=NET_ASSETS,
                fen=flow.fen,
                party=_party(flow, account),
            ),
        )
    if account == NET_ASSETS:
        return (move(flow.fund, debit=money_of(flow, "fiscal"), credit=NET_ASSETS, fen=flow.fen),)
    return (
        move(
            flow.fund, debit=NET_ASSETS, credit=account, fen=flow.fen, party=_party(flow, account)
        ),
    )


def _personal_credit(flow: Flow) -> Entry:
    """划入个人账户: contribution income and its money pass from 统筹 to 个人账户, nil for 310."""
    account, place = "income.contribution.to_personal", money_of(flow, "fiscal")
    return (
        Posting(POOLED, account, place, flow.fen),
        Posting(PERSONAL, place, account, flow.fen),
    )


def _assisted_participation(flow: Flow) -> Entry:
    """资助参保: expense of 610 = contribution income of the receiving fund, both in one entry."""
    if flow.counterparty_fund is None:
        raise RuleNotApplicable(
            item=flow.item, reason_zh="须注明对方险种", reason_en="the receiving fund must be named"
        )
    place = money_of(flow, "fiscal")
    return (
        Posting(flow.fund, "expense.assisted_participation", place, flow.fen),
        Posting(flow.counterparty_fund, place, "income.contribution.assisted", flow.fen),
    )


def _prepayment_offset(flow: Flow) -> Entry:
    """预付冲抵: only now the prepaid money becomes benefit expense."""
    return (
        Posting(
            flow.fund, "expense.benefit.prepaid", "advance.prepayment", flow.fen, flow.counterparty
        ),
        *_paydown(flow),
    )


def _recovery(flow: Flow) -> Entry:
    """追回: same year lowers benefit expense, earlier years are 其他收入 (1020399).

    Taken by offset it is posted gross: what the institution was owed counts as paid in full, and
    the recovered part stands beside it.
    """
    same_year = flow.original_year == flow.year
    credited = "expense.benefit.recovered" if same_year else "income.other.recovery"
    if flow.method in _OFFSET_METHODS:
        return (
            Posting(flow.fund, "expense.benefit.offset", credited, flow.fen),
            *_paydown(flow),
        )
    if flow.method == "account":
        return _recovery_from_personal_account(flow, credited)
    return (Posting(flow.fund, money_of(flow, "fiscal"), credited, flow.fen),)


def _recovery_from_personal_account(flow: Flow, credited: str) -> Entry:
    """个账抵扣 (经办条例 art. 46): the person's account pays, the pooled fund receives."""
    if flow.fund != POOLED:
        raise RuleNotApplicable(
            item=flow.item,
            reason_zh="个账抵扣只用于 310.pooled",
            reason_en="recovery from a personal account belongs to 310.pooled",
        )
    place = money_of(flow, "fiscal")
    return (
        Posting(PERSONAL, "expense.benefit.personal_account", place, flow.fen),
        Posting(POOLED, place, credited, flow.fen),
    )


def _fine_received(flow: Flow) -> Entry:
    """罚款 goes to the treasury (条例 art. 45): register only, unless it lies in a fund's account."""
    if flow.money_account is None:
        return ()
    return _received("payable.fine")(flow)


def _fine_remitted(flow: Flow) -> Entry:
    if flow.money_account is None:
        return ()
    return _paid("payable.fine")(flow)


def _suspense_settled(flow: Flow) -> Entry:
    """暂收款 whose nature became clear: to the account named, else 其他收入. No money moves."""
    account = flow.account or "income.other"
    if account == "payable.suspense":
        raise RuleNotApplicable(
            item=flow.item,
            reason_zh="暂收款不能结转到暂收款自身",
            reason_en="a suspense receipt cannot be settled into suspense",
        )
    return (
        move(
            flow.fund,
            debit="payable.suspense",
            credit=account,
            fen=flow.fen,
            party=flow.counterparty,
        ),
    )


def _between(debit: str, credit: str) -> Rule:
    return lambda flow: (move(flow.fund, debit=debit, credit=credit, fen=flow.fen),)


RULES: Mapping[str, Rule] = {
    "opening_balance": _opening,
    "opening_adjustment": _opening,
    **{
        f"contribution.{kind}": _received(
            f"income.contribution.{kind}", default=_contribution_default
        )
        for kind in ("employer", "individual", "collective", "assisted", "fiscal")
    },
    "contribution.pending": _received("income.pending", default=_contribution_default),
    "contribution.late_fee": _received("income.other.late_fee", default=_contribution_default),
    "contribution.refund": _paid("income.contribution.refund", default=_contribution_default),
    **{
        f"subsidy.{level}": _received(f"income.subsidy.{level}")
        for level in ("central", "province", "city", "county")
    },
    "interest": _received("income.interest"),
    "transfer_in": _received("income.transfer_in"),
    "transfer_out": _paid("expense.transfer_out"),
    "superior_subsidy": _received("income.superior_subsidy"),
    "inferior_remit": _received("income.inferior_remit"),
    "remit_up": _paid("expense.remit_up"),
    "subsidy_down": _paid("expense.subsidy_down"),
    "personal_credit": _personal_credit,
    "other_income": _received("income.other"),
    "breach_damages": _received("income.other.breach"),
    "other_expense": _paid("expense.other"),
    **{f"benefit.{kind}": _benefit(kind) for kind in BENEFIT_KINDS},
    "benefit_returned": _benefit_returned,
    "assisted_participation": _assisted_participation,
    "catastrophic_premium": _paid("expense.catastrophic"),
    "catastrophic_loss_support": _paid("expense.catastrophic"),
    "catastrophic_advance": _paid("advance.catastrophic"),
    "catastrophic_reimbursed": _received("advance.catastrophic", default=_expense_default),
    "catastrophic_surplus_return": _received("income.other.catastrophic_surplus"),
    "prepayment": _paid("advance.prepayment"),
    "prepayment_offset": _prepayment_offset,
    "prepayment_return": _received("advance.prepayment", default=_expense_default),
    "advance_out": _paid("advance.other"),
    "advance_back": _received("advance.other", default=_expense_default),
    "suspense_in": _received("payable.suspense"),
    "suspense_out": _paid("payable.suspense", default="fiscal"),
    "suspense_settle": _suspense_settled,
    "loan_in": _received("loan"),
    "loan_back": _paid("loan", default="fiscal"),
    "deposit_in": lambda flow: _between("term_deposit", money_of(flow, "fiscal"))(flow),
    "deposit_back": lambda flow: _between(money_of(flow, "fiscal"), "term_deposit")(flow),
    "remote_prefund_out": _paid("advance.remote", default="fiscal"),
    "remote_prefund_back": _received("advance.remote"),
    "remote_clearing_paid": lambda flow: (
        _paid("expense.benefit.remote", default="fiscal")(flow)
        + place_paid(flow.fund, flow.counterparty, flow.fen, allocation=flow.original_doc)
    ),
    "remote_received": _received("payable.remote"),
    "remote_paid_on": lambda flow: (
        _paid("payable.remote", default="fiscal")(flow)
        + passed_on(flow.fund, flow.counterparty, flow.fen, allocation=flow.original_doc)
    ),
    "recovery": _recovery,
    "fine_received": _fine_received,
    "fine_remitted": _fine_remitted,
    "move.treasury_to_fiscal": _between("fiscal", "treasury"),
    "move.income_to_fiscal": _between("fiscal", "income"),
    "move.fiscal_to_expenditure": _between("expenditure", "fiscal"),
    "move.expenditure_to_fiscal": _between("fiscal", "expenditure"),
    "move.expenditure_interest_to_fiscal": _between("fiscal", "expenditure"),
    # 国库退付: money goes back to the treasury so that it can refund contributions.
    "move.treasury_refund": _between("treasury", "fiscal"),
}

ITEMS = frozenset(RULES) | {"reclassification"}


def entry_of(flow: Flow) -> Entry:
    """Give the entry of one document row; RuleNotApplicable where the row fits no rule."""
    if flow.account is not None and flow.account not in CHART:
        raise RuleNotApplicable(
            item=flow.item,
            reason_zh=f"没有科目 {flow.account}",
            reason_en=f"there is no account {flow.account}",
        )
    return RULES[flow.item](flow)


def reclassification_entry(fund: str, amounts: Mapping[str, int]) -> Entry:
    """重分类: amounts by account that add up to nil; positive raises the account in its own sense.

    All accounts must be of one side (收入 among 收入, 支出 among 支出): across sides an amount that
    adds up to nil would not balance.
    """
    if any(CHART[account].kind is AccountClass.MONEY for account in amounts):
        raise RuleNotApplicable(
            item="reclassification",
            reason_zh="重分类不动资金,资金账户之间请用资金划转(move.*)",
            reason_en="a reclassification moves no money; use move.* between money accounts",
        )
    debit_side = {CHART[account].on_debit_side for account in amounts}
    if len(debit_side) != 1:
        raise RuleNotApplicable(
            item="reclassification",
            reason_zh="借方类与贷方类科目不能混在一张重分类单里",
            reason_en="debit-side and credit-side accounts cannot stand in one reclassification",
        )
    rising = [(account, fen) for account, fen in amounts.items() if fen > 0]
    falling = [(account, -fen) for account, fen in amounts.items() if fen < 0]
    on_debit_side = debit_side.pop()
    postings = []
    while rising and falling:
        (up, up_fen), (down, down_fen) = rising.pop(0), falling.pop(0)
        fen = min(up_fen, down_fen)
        debit, credit = (up, down) if on_debit_side else (down, up)
        postings.append(Posting(fund, debit, credit, fen))
        if up_fen > fen:
            rising.insert(0, (up, up_fen - fen))
        if down_fen > fen:
            falling.insert(0, (down, down_fen - fen))
    return tuple(postings)


def claim_entry(owed: Mapping[str, int], party: str, role: str = OWN) -> Entry:
    """医保结算: what a party is owed, by owing fund; a refund's amounts are negative."""
    debit, credit = CLAIM_ACCOUNTS[role]
    return tuple(Posting(fund, debit, credit, fen, party) for fund, fen in owed.items() if fen)


def year_transfer_entry(balances: Mapping[tuple[str, str], int]) -> Entry:
    """年终结转: every income and expense account of the year to 一般基金结余, by sub-fund.

    ``balances`` are debit − credit in fen by (leaf fund, account).
    """
    return tuple(
        move(fund, debit=NET_ASSETS, credit=account, fen=fen)
        for (fund, account), fen in sorted(balances.items())
        if fen
    )
