"""What each document does to the accounts (会计处理), as the contract's table says it.

Written down a second time on purpose: it shares nothing with the posting rules that it is held
against. Amounts are fen, debit positive.
"""

from collections.abc import Mapping

Net = dict[tuple[str, str], int]  # (leaf fund, account) → debit − credit

ASSISTANCE, POOLED, PERSONAL, RESIDENT = "610", "310.pooled", "310.personal", "390"

#: Money arrives in 财政专户 for these: item → account credited.
RECEIVED = {
    "interest": "income.interest",
    "subsidy.central": "income.subsidy.central",
    "subsidy.county": "income.subsidy.county",
    "other_income": "income.other",
    "breach_damages": "income.other.breach",
    "superior_subsidy": "income.superior_subsidy",
    "suspense_in": "payable.suspense",
    "loan_in": "loan",
    "opening_balance": "net_assets",
}
#: Contributions arrive where the area collects: item → account credited.
COLLECTED = {
    "contribution.employer": "income.contribution.employer",
    "contribution.individual": "income.contribution.individual",
    "contribution.fiscal": "income.contribution.fiscal",
    "contribution.pending": "income.pending",
    "contribution.late_fee": "income.other.late_fee",
}
#: Money leaves 支出户 (of 610: 财政专户) for these: item → account debited.
PAID = {
    "benefit.inpatient": "expense.benefit.inpatient",
    "benefit.outpatient": "expense.benefit.outpatient",
    "benefit.manual": "expense.benefit.manual",
    "other_expense": "expense.other",
    "remit_up": "expense.remit_up",
    "catastrophic_premium": "expense.catastrophic",
    "prepayment": "advance.prepayment",
    "advance_out": "advance.other",
}
#: Money leaves 财政专户 for these: item → account debited.
PAID_FROM_FISCAL = {"suspense_out": "payable.suspense", "loan_back": "loan"}
#: Between money accounts: item → (debited, credited).
MOVED = {
    "move.treasury_to_fiscal": ("fiscal", "treasury"),
    "move.fiscal_to_expenditure": ("expenditure", "fiscal"),
    "deposit_in": ("term_deposit", "fiscal"),
    "deposit_back": ("fiscal", "term_deposit"),
}
FINES = ("fine_received", "fine_remitted")
#: Items that do not fit into a table.
OTHERS = (
    "contribution.refund",
    "personal_credit",
    "assisted_participation",
    "benefit_returned",
    "prepayment_offset",
    "suspense_settle",
    "recovery",
    *FINES,
)
ITEMS = (*RECEIVED, *COLLECTED, *PAID, *PAID_FROM_FISCAL, *MOVED, *OTHERS)


def net_of(  # noqa: PLR0911  a return for each kind of document
    row: Mapping[str, str], fen: int, *, tax_collects: bool
) -> Net:
    """Say what one row of ``fund_flows`` does; ``fen`` is its amount."""
    item, fund = row["item"], row["fund"]
    collected = "treasury" if tax_collects else "fiscal"
    spent = "fiscal" if fund == ASSISTANCE else "expenditure"
    if item in RECEIVED:
        return _entry(fund, "fiscal", RECEIVED[item], fen)
    if item in COLLECTED:
        return _entry(fund, collected, COLLECTED[item], fen)
    if item in PAID:
        paid = _entry(fund, PAID[item], spent, fen)
        return paid | (_paydown(row, fen) if item.startswith("benefit.") else {})
    if item in PAID_FROM_FISCAL:
        return _entry(fund, PAID_FROM_FISCAL[item], "fiscal", fen)
    if item in MOVED:
        return _entry(fund, *MOVED[item], fen)
    if item in FINES:
        return _fine(row, fen)
    return _special(row, fen, collected=collected, spent=spent)


def _entry(fund: str, debit: str, credit: str, fen: int) -> Net:
    return {(fund, debit): fen, (fund, credit): -fen}


def _paydown(row: Mapping[str, str], fen: int) -> Net:
    """What an institution is paid, it is no longer owed (obligations)."""
    if not row.get("counterparty"):
        return {}
    return _entry(row["fund"], "owed.booked", "claims.paid", fen)


def _fine(row: Mapping[str, str], fen: int) -> Net:
    """罚款 is never the fund's: nothing, or money held for the treasury (条例 art. 45)."""
    place = row.get("money_account")
    if not place:
        return {}
    sign = 1 if row["item"] == "fine_received" else -1
    return _entry(row["fund"], place, "payable.fine", sign * fen)


def _special(  # noqa: PLR0911  the same
    row: Mapping[str, str], fen: int, *, collected: str, spent: str
) -> Net:
    item, fund = row["item"], row["fund"]
    if item == "contribution.refund":
        return _entry(fund, "income.contribution.refund", collected, fen)
    if item == "personal_credit":
        account = "income.contribution.to_personal"
        return _entry(POOLED, account, "fiscal", fen) | _entry(PERSONAL, "fiscal", account, fen)
    if item == "assisted_participation":
        paid = _entry(fund, "expense.assisted_participation", "fiscal", fen)
        other = row["counterparty_fund"]
        return paid | _entry(other, "fiscal", "income.contribution.assisted", fen)
    if item == "benefit_returned":
        back = _entry(fund, spent, "expense.benefit.returned", fen)
        return back | {key: -part for key, part in _paydown(row, fen).items()}
    if item == "prepayment_offset":
        offset = _entry(fund, "expense.benefit.prepaid", "advance.prepayment", fen)
        return offset | _paydown(row, fen)
    if item == "suspense_settle":
        return _entry(fund, "payable.suspense", "income.other", fen)
    if item == "recovery":
        same_year = row["original_year"] == row["date"][:4]
        credited = "expense.benefit.recovered" if same_year else "income.other.recovery"
        return _entry(fund, "fiscal", credited, fen)
    raise ValueError(item)


def owed_of(row: Mapping[str, str], fen: Mapping[str, int]) -> Net:
    """Say what one settlement makes each fund owe its institution."""
    basic = POOLED if row["insutype"] == "310" else RESIDENT
    net: Net = {}
    for part, fund in (("hifp_pay", basic), ("maf_pay", ASSISTANCE), ("acct_pay", PERSONAL)):
        if fen[part]:
            net |= _entry(fund, "claims.incurred", "owed.booked", fen[part])
    return net
