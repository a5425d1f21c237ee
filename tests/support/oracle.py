"""What the books should say, worked out again from the outside description alone.

Nothing here imports the product. A flow is a few signed changes of 28号 account names (debit
positive), a settlement a few amounts owed by a fund; figures are sums over these lists, taken
the long way. Where the description leaves room, the reading is said beside the line.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

POOLED, PERSONAL = "310.pooled", "310.personal"
INSURANCE, SUBSIDY, BENEFIT = "社会保险费收入", "财政补贴收入", "社会保险待遇支出"
ADVANCE, SUSPENSE = "暂付款", "暂收款"
PLACES = {
    "treasury": "国库存款",
    "fiscal": "财政专户存款",
    "income": "收入户存款",
    "expenditure": "支出户存款",
}
NET = "一般基金结余"
INCOME = {
    **dict.fromkeys(
        ("contribution.employer", "contribution.individual", "contribution.collective"), INSURANCE
    ),
    **dict.fromkeys(("contribution.assisted", "contribution.fiscal"), INSURANCE),
    "contribution.pending": "待转保险费收入",
    "contribution.late_fee": "其他收入",
    **{f"subsidy.{level}": SUBSIDY for level in ("central", "province", "city", "county")},
    "interest": "利息收入",
    "transfer_in": "转移收入",
    "superior_subsidy": "上级补助收入",
    "inferior_remit": "下级上解收入",
    "other_income": "其他收入",
    "breach_damages": "其他收入",
    "catastrophic_surplus_return": "其他收入",
}
KINDS = (
    *("inpatient", "outpatient", "chronic", "pharmacy", "special_drug", "maternity_medical"),
    *("maternity_allowance", "personal_account", "assistance", "manual", "other"),
)
EXPENSE = {
    **{f"benefit.{kind}": BENEFIT for kind in KINDS},
    "transfer_out": "转移支出",
    "remit_up": "上解上级支出",
    "subsidy_down": "补助下级支出",
    "other_expense": "其他支出",
    "catastrophic_premium": "大病保险支出",
    "catastrophic_loss_support": "大病保险支出",
    "remote_clearing_paid": BENEFIT,
}
#: item → balance-sheet account and its sign; money moves the other way.
SHEET = {
    "prepayment": (ADVANCE, 1),
    "prepayment_return": (ADVANCE, -1),
    "advance_out": (ADVANCE, 1),
    "advance_back": (ADVANCE, -1),
    "catastrophic_advance": (ADVANCE, 1),
    "catastrophic_reimbursed": (ADVANCE, -1),
    "remote_prefund_out": (ADVANCE, 1),
    "remote_prefund_back": (ADVANCE, -1),
    "suspense_in": (SUSPENSE, -1),
    "suspense_out": (SUSPENSE, 1),
    "remote_received": (SUSPENSE, -1),
    "remote_paid_on": (SUSPENSE, 1),
    "loan_in": ("借入款项", -1),
    "loan_back": ("借入款项", 1),
    "deposit_in": ("定期存款", 1),
    "deposit_back": ("定期存款", -1),
}
MOVES = {
    "move.treasury_to_fiscal": ("treasury", "fiscal"),
    "move.income_to_fiscal": ("income", "fiscal"),
    "move.fiscal_to_expenditure": ("fiscal", "expenditure"),
    "move.expenditure_to_fiscal": ("expenditure", "fiscal"),
    "move.expenditure_interest_to_fiscal": ("expenditure", "fiscal"),
    # 国库退付: back to the treasury, which refunds the payer.
    "move.treasury_refund": ("fiscal", "treasury"),
}
FROM_EXPENDITURE = {
    *(item for item in EXPENSE if item != "remote_clearing_paid"),
    *("prepayment", "prepayment_return", "advance_out", "advance_back", "benefit_returned"),
    *("catastrophic_advance", "catastrophic_reimbursed"),
}
INCOME_NAMES = {*INCOME.values()}
EXPENSE_NAMES = {*EXPENSE.values(), "资助参保支出"}
OUTSIDE_SUBTOTAL = {"上级补助收入", "下级上解收入", "上解上级支出", "补助下级支出"}
PREMIUMS = {f"contribution.{who}" for who in ("employer", "individual", "collective", "fiscal")}

CLAIM_PARTS = ("hifp_pay", "cvlserv_pay", "hifmi_pay", "hifob_pay", "maf_pay")
OWES = {"cvlserv_pay": "320", "hifmi_pay": "392", "hifob_pay": "330", "maf_pay": "610"}


@dataclass(frozen=True)
class Change:
    """One account of one fund changes on one day; debit is positive."""

    date: str
    fund: str
    account: str
    fen: int


@dataclass
class Area:
    """A pooling area with everything that was brought in."""

    code: str
    funds: tuple[str, ...]
    institutions: tuple[str, ...]
    tax_collects: bool = False
    flows: list[dict] = field(default_factory=list)
    claims: list[dict] = field(default_factory=list)

    @property
    def leaves(self) -> list[str]:
        return [leaf for fund in self.funds for leaf in leaves_of(fund)]


def leaves_of(fund: str) -> list[str]:
    return [POOLED, PERSONAL] if fund == "310" else [fund]


def place_of(row: dict, area: Area) -> str:
    """Name the money account of a flow: the one it states, else the default."""
    if row.get("money_account"):
        return PLACES[row["money_account"]]
    contributed = row["item"].startswith("contribution.")
    if contributed and area.tax_collects:
        return PLACES["treasury"]
    if row["item"] in FROM_EXPENDITURE and row["fund"] != "610":
        return PLACES["expenditure"]
    return PLACES["fiscal"]


def cash_changes(row: dict, area: Area) -> list[tuple[str, str, int]]:
    """Give (fund, account, fen) of a flow in the cash book."""
    item, fund, fen = row["item"], row["fund"], row["fen"]
    place = place_of(row, area)
    if item in INCOME:
        return [(fund, place, fen), (fund, INCOME[item], -fen)]
    if item in EXPENSE:
        return [(fund, EXPENSE[item], fen), (fund, place, -fen)]
    if item in SHEET:
        account, sign = SHEET[item]
        return [(fund, account, sign * fen), (fund, place, -sign * fen)]
    if item in MOVES:
        source, target = (PLACES[name] for name in MOVES[item])
        return [(fund, target, fen), (fund, source, -fen)]
    return _SPECIAL[item](row, area, place)


def _opening(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    fund, fen = row["fund"], row["fen"]
    account = row.get("account") or place
    # A liability is not the fund's own: it stands on the credit side and lowers net assets.
    sign = -1 if account.startswith((SUSPENSE, "借入")) else 1
    return [(fund, head(account), sign * fen), (fund, NET, -sign * fen)]


def _refund(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    return [(row["fund"], INSURANCE, row["fen"]), (row["fund"], place, -row["fen"])]


def _returned(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    return [(row["fund"], BENEFIT, -row["fen"]), (row["fund"], place, row["fen"])]


def _credit(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    fen = row["fen"]
    pooled = [(POOLED, INSURANCE, fen), (POOLED, PLACES["fiscal"], -fen)]
    return [*pooled, (PERSONAL, INSURANCE, -fen), (PERSONAL, PLACES["fiscal"], fen)]


def _assisted(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    fen, other = row["fen"], row["counterparty_fund"]
    paid = [(row["fund"], "资助参保支出", fen), (row["fund"], PLACES["fiscal"], -fen)]
    return [*paid, (other, INSURANCE, -fen), (other, PLACES["fiscal"], fen)]


def _offset(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    return [(row["fund"], BENEFIT, row["fen"]), (row["fund"], ADVANCE, -row["fen"])]


def _recovery(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    fund, fen = row["fund"], row["fen"]
    same_year = row["original_year"] == row["date"][:4]
    gained = (fund, BENEFIT if same_year else "其他收入", -fen)
    method = row.get("method") or "cash"
    if method in ("offset", "deposit"):  # gross: the benefit counts as paid, no money moves
        return [(fund, BENEFIT, fen), gained]
    if method == "account":  # 个账抵扣: the personal account pays the pooled fund
        paid = [(PERSONAL, BENEFIT, fen), (PERSONAL, PLACES["fiscal"], -fen)]
        return [*paid, (fund, PLACES["fiscal"], fen), gained]
    return [(fund, place, fen), gained]


def _fine(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    if not row.get("money_account"):
        return []
    sign = 1 if row["item"] == "fine_received" else -1
    fund, fen = row["fund"], row["fen"]
    return [(fund, place, sign * fen), (fund, SUSPENSE, -sign * fen)]


def _settle(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    # What a suspense receipt turned out to be; 其他收入 unless an account says otherwise.
    account = head(row.get("account") or "其他收入")
    return [(row["fund"], SUSPENSE, row["fen"]), (row["fund"], account, -row["fen"])]


def _reclassified(row: dict, area: Area, place: str) -> list[tuple[str, str, int]]:
    account = head(row["account"])
    sign = -1 if account in INCOME_NAMES else 1
    return [(row["fund"], account, sign * row["fen"])]


_SPECIAL = {
    "opening_balance": _opening,
    "opening_adjustment": _opening,
    "contribution.refund": _refund,
    "benefit_returned": _returned,
    "personal_credit": _credit,
    "assisted_participation": _assisted,
    "prepayment_offset": _offset,
    "recovery": _recovery,
    "fine_received": _fine,
    "fine_remitted": _fine,
    "suspense_settle": _settle,
    "reclassification": _reclassified,
}


def head(account: str) -> str:
    """Give the 28号 name before the detail: 暂付款—预付金 → 暂付款."""
    return account.split("—", maxsplit=1)[0]


def is_institution(text: str) -> bool:
    return len(text) == 12 and text[0] in "HP"


def owed_changes(row: dict) -> Iterator[tuple[str, str, int]]:
    """Give (fund, institution, fen) that a flow pays down (negative) or opens again."""
    payee, item = row.get("counterparty", ""), row["item"]
    if not is_institution(payee):
        return
    paid = item.startswith("benefit.") or item == "prepayment_offset"
    held_back = item == "recovery" and row.get("method") in ("offset", "deposit")
    if paid or held_back:
        yield row["fund"], payee, -row["fen"]
    elif item == "benefit_returned":
        yield row["fund"], payee, row["fen"]


def claim_parts(row: dict, area: Area) -> Iterator[tuple[str, int]]:
    """Give (fund, fen) that a settlement makes the funds owe, by part of the payment."""
    parts = {part: row[part] for part in CLAIM_PARTS if row.get(part)}
    if not any(part in row for part in (*CLAIM_PARTS, "hifes_pay", "hifdm_pay", "oth_pay")):
        parts = {"hifp_pay": row["fund_pay_sumamt"]}
    for part, fen in [*parts.items(), ("acct_pay", row["acct_pay"])]:
        fund = OWES.get(part) or (POOLED if row["insutype"] in ("310", "510") else "390")
        if part == "acct_pay":
            fund = PERSONAL
        if fen and fund in area.leaves:
            yield fund, fen


class Books:
    """Every change of an area, ready to be asked."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self.cash = [
            Change(row["date"], *change) for row in area.flows for change in cash_changes(row, area)
        ]
        self.owed = [
            Change(row["date"], fund, payee, fen)
            for row in area.flows
            for fund, payee, fen in owed_changes(row)
        ] + [
            Change(row["setl_time"][:10], fund, row["fixmedins_code"], fen)
            for row in area.claims
            for fund, fen in claim_parts(row, area)
        ]

    def accounts(self, as_of: str) -> dict[tuple[str, str], int]:
        """Give the balance of every fund and account name; nil balances are left out."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for change in self.cash:
            if change.date <= as_of:
                sums[change.fund, change.account] += change.fen
        return {key: fen for key, fen in sums.items() if fen}

    def owed_by_fund(self, as_of: str) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for change in self.owed:
            if change.date <= as_of:
                sums[change.fund] += change.fen
        return {fund: fen for fund, fen in sums.items() if fen}

    def _sum(self, leaves: Iterable[str], names: set[str], since: str, until: str) -> int:
        """Add up a natural-side sum of accounts: income and what is owed count positive."""
        sign = -1 if names <= INCOME_NAMES else 1
        return sign * sum(
            change.fen
            for change in self.cash
            if change.fund in leaves and change.account in names and since <= change.date <= until
        )

    def fund_row(self, leaves: list[str], as_of: str) -> dict[str, int]:
        since = as_of[:4]
        income = self._sum(leaves, INCOME_NAMES, since, as_of)
        expense = self._sum(leaves, EXPENSE_NAMES, since, as_of)
        ever = INCOME_NAMES | EXPENSE_NAMES | {NET}
        return {
            "income_fen": income,
            "expense_fen": expense,
            "surplus_fen": income - expense,
            "accumulated_fen": -self._sum(leaves, ever, "", as_of),
            "income_subtotal_fen": self._sum(leaves, INCOME_NAMES - OUTSIDE_SUBTOTAL, since, as_of),
            "expense_subtotal_fen": self._sum(
                leaves, EXPENSE_NAMES - OUTSIDE_SUBTOTAL, since, as_of
            ),
        }

    def fund_rows(self, as_of: str) -> dict[str, dict[str, int]]:
        asked = [(fund, leaves_of(fund)) for fund in self.area.funds]
        asked += [(leaf, [leaf]) for leaf in (POOLED, PERSONAL) if "310" in self.area.funds]
        return {name: self.fund_row(leaves, as_of) for name, leaves in asked}

    # --- indicators -------------------------------------------------------------------------

    def first_month(self, leaf: str) -> str | None:
        """Name the month a history begins: an opening counts, a later adjustment does not."""
        adjusted = {
            change
            for row in self.area.flows
            if row["item"] == "opening_adjustment"
            for change in (Change(row["date"], *one) for one in cash_changes(row, self.area))
        }
        found = (one.date[:7] for one in self.cash if one.fund == leaf and one not in adjusted)
        return min(found, default=None)

    def first_of(self, funds: Iterable[str]) -> str | None:
        """A fund begins with its first sub-fund; a sum of funds only when all have begun."""
        begun = [
            min(firsts)
            for fund in funds
            if (firsts := [one for one in map(self.first_month, leaves_of(fund)) if one])
        ]
        return max(begun, default=None)

    def unpaid(self, leaves: list[str], as_of: str) -> int:
        """Sum what is owed; an institution paid more than its due lowers nobody else's."""
        owed: dict[tuple[str, str], int] = defaultdict(int)
        for change in self.owed:
            if change.fund in leaves and change.date <= as_of:
                owed[change.fund, change.account] += change.fen
        return sum(fen for fen in owed.values() if fen > 0)

    def spent(self, leaves: list[str], first: str, last: str) -> int:
        names = EXPENSE_NAMES - OUTSIDE_SUBTOTAL
        return self._sum(leaves, names, f"{first}-01", f"{last}-31")

    def earned(self, leaves: list[str], first: str, last: str) -> int:
        names = INCOME_NAMES - OUTSIDE_SUBTOTAL
        return self._sum(leaves, names, f"{first}-01", f"{last}-31")

    def next_years(self, leaves: list[str], period: str) -> int:
        """Premiums of a later year that were received up to the period's end."""
        total = 0
        for row in self.area.flows:
            later = row.get("belongs_to", "")[:4] > period[:4] and row["date"][:7] <= period
            fund = row.get("counterparty_fund") or row["fund"]
            if later and fund in leaves:
                premium = row["item"] in PREMIUMS or row["item"] == "assisted_participation"
                refund = row["item"] == "contribution.refund"
                total += row["fen"] if premium else -row["fen"] if refund else 0
        return total

    def indicators(self, leaves: list[str], first: str | None, period: str) -> dict:
        """Give the figures of one scope whose flows begin in the month ``first``."""
        year, month = int(period[:4]), int(period[5:])
        january, last_january = f"{year}-01", f"{year - 1}-01"
        back = year * 12 + month - 12
        window = f"{back // 12}-{back % 12 + 1:02d}"
        end = f"{period}-31"
        row = self.fund_row(leaves, end)
        held = row["accumulated_fen"]
        advances = self._sum(leaves, {ADVANCE}, "", end)
        unpaid = self.unpaid(leaves, end)
        freed = held - advances - unpaid - self.next_years(leaves, period)
        trailing = self.spent(leaves, window, period)
        so_far = self.spent(leaves, january, period)
        before = self.spent(leaves, last_january, f"{year - 1}-12")
        return {
            "income_growth_ytd": growth(
                self.earned(leaves, january, period),
                self.earned(leaves, last_january, f"{year - 1}-{month:02d}"),
                known=known(first, last_january),
            ),
            "expenditure_growth_ytd": growth(
                so_far,
                self.spent(leaves, last_january, f"{year - 1}-{month:02d}"),
                known=known(first, last_january),
            ),
            "payable_months.trailing12": months(held, trailing, 12, known=known(first, window)),
            "payable_months.ytd_average": months(held, so_far, month, known=known(first, january)),
            "payable_months.prior_year": months(held, before, 12, known=known(first, last_january)),
            "payable_months.adjusted": months(freed, trailing, 12, known=known(first, window)),
            "surplus_ytd": row["surplus_fen"],
            "accumulated_surplus": held,
            "settlement_rate": None,
        }


def known(first: str | None, window: str) -> bool:
    return first is not None and first <= window


def rounded(value: Fraction) -> str:
    """Round half away from zero to two decimals."""
    hundredths = Decimal(abs(value.numerator)) * 100 / Decimal(value.denominator)
    whole = (abs(value.numerator) * 200 + value.denominator) // (2 * value.denominator)
    assert abs(hundredths - whole) <= Decimal("0.5"), value
    text = Decimal(whole if value >= 0 else -whole).scaleb(-2)
    return str(text.quantize(Decimal("0.01"), ROUND_HALF_UP) + 0)


def growth(now: int, base: int, *, known: bool) -> str | None:
    return rounded(Fraction(now - base, base) * 100) if known and base > 0 else None


def months(held: int, spent: int, count: int, *, known: bool) -> str | None:
    return rounded(Fraction(held * count, spent)) if known and spent > 0 else None
