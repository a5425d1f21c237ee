"""Random but valid areas for the oracle: years of flows, months of settlements, from one seed."""

import random

from support.oracle import EXPENSE, INCOME, MOVES, PERSONAL, POOLED, SHEET, Area

_OPENING_ACCOUNTS = ("暂付款—预付金", "暂付款—其他", "暂收款—其他", "支出户存款", "借入款项")
_ORDINARY_INCOME = tuple(
    item for item in INCOME if item not in ("transfer_in", "contribution.assisted")
)
_ORDINARY_EXPENSE = tuple(
    item for item in EXPENSE if item not in ("transfer_out", "benefit.personal_account")
)
_RECLASSIFIED = (
    ("社会保险费收入—单位缴费", "社会保险费收入—个人缴费"),
    ("社会保险费收入—单位缴费", "其他收入"),
    ("待转保险费收入", "社会保险费收入—个人缴费"),
    ("社会保险待遇支出—住院", "社会保险待遇支出—门诊慢特病"),
    ("社会保险待遇支出—住院", "其他支出"),
    ("暂付款—预付金", "暂付款—其他"),
)


class RandomArea:
    """Draws an area; the same seed draws the same one."""

    def __init__(self, seed: int, *, months: int = 26, claims: int = 120) -> None:
        self.draw = random.Random(seed)
        code = f"{self.draw.randint(110000, 659999)}"
        extra = self.draw.sample(
            ("330", "392", "320", "340", "410", "900"), self.draw.randint(0, 4)
        )
        funds = ("310", "390", "610", *extra)
        institutions = tuple(
            f"{self.draw.choice('HHP')}{code}{number:05d}" for number in range(1, 6)
        )
        self.area = Area(code, funds, institutions, tax_collects=self.draw.random() < 0.3)
        start = self.draw.randint(2019 * 12, 2021 * 12 + 11)
        self.months = [f"{n // 12}-{n % 12 + 1:02d}" for n in range(start, start + months)]
        self._number = 0
        self._flows()
        self._claims(claims)

    # --- flows ------------------------------------------------------------------------------

    def _fen(self, most: int = 5_000_000_00) -> int:
        return self.draw.choice(
            (self.draw.randint(1, 99), self.draw.randint(1, 100_000), self.draw.randint(1, most))
        )

    def _add(self, item: str, fund: str, month: str, fen: int = 0, **more: str) -> None:
        self._number += 1
        row = {
            "doc_no": f"D{self.area.code}-{self._number:06d}",
            "date": f"{month}-{self.draw.randint(1, 28):02d}",
            "fund": fund,
            "item": item,
            "fen": fen or self._fen(),
        }
        self.area.flows.append(row | more)

    def _flows(self) -> None:
        begins = {
            leaf: self.months[self.draw.choice((0, 0, 0, self.draw.randint(0, 8)))]
            for leaf in self.area.leaves
        }
        for leaf, first in begins.items():
            for number in range(self.draw.randint(0, 2)):
                accounts = ["", *_OPENING_ACCOUNTS] if number else [""]
                account = self.draw.choice(accounts)
                more = {"account": account} if account else {}
                if account.startswith("暂付款—预付金"):
                    more["counterparty"] = self.draw.choice(self.area.institutions)
                self._add("opening_balance", leaf, first, self._fen(90_000_000_00), **more)
        for month in self.months:
            for leaf, first in begins.items():
                if month >= first:
                    self._month(leaf, month)
            self._across(month, begins)

    def _month(self, leaf: str, month: str) -> None:
        if self.draw.random() < 0.05:
            return  # a month without flows counts as nil
        for _ in range(self.draw.randint(1, 3)):
            self._income(leaf, month)
        for _ in range(self.draw.randint(1, 3)):
            self._expense(leaf, month)
        for step in self.draw.sample(
            (self._sheet, self._move, self._recovery, self._fine, self._adjustment, self._mend),
            self.draw.randint(0, 2),
        ):
            step(leaf, month)

    def _belonging(self, item: str, month: str) -> dict[str, str]:
        if item.rsplit(".", maxsplit=1)[-1] in ("pending", "late_fee") or self.draw.random() < 0.6:
            return {}
        year = int(month[:4])
        return {"belongs_to": self.draw.choice((f"{year}-{month[5:]}", f"{year + 1}-01"))}

    def _income(self, leaf: str, month: str) -> None:
        item = self.draw.choice(_ORDINARY_INCOME)
        if leaf == PERSONAL and self.draw.random() < 0.3:
            item = "transfer_in"
        more = self._belonging(item, month) if item.startswith("contribution.") else {}
        if self.draw.random() < 0.2:
            more["money_account"] = self.draw.choice(("fiscal", "treasury", "income"))
        self._add(item, leaf, month, **more)
        if self.draw.random() < 0.1:
            self._add("contribution.refund", leaf, month, **self._belonging("", month))

    def _expense(self, leaf: str, month: str) -> None:
        item = self.draw.choice(_ORDINARY_EXPENSE)
        if leaf == PERSONAL:
            item = self.draw.choice(
                ("benefit.personal_account", "benefit.pharmacy", "transfer_out")
            )
        more = {}
        if item.startswith("benefit.") and self.draw.random() < 0.5:
            more["counterparty"] = self.draw.choice((*self.area.institutions, "张三", "某某公司"))
        if self.draw.random() < 0.15:
            more["money_account"] = self.draw.choice(("fiscal", "expenditure"))
        self._add(item, leaf, month, **more)
        if more.get("counterparty") and self.draw.random() < 0.2:
            self._add("benefit_returned", leaf, month, counterparty=more["counterparty"])

    def _sheet(self, leaf: str, month: str) -> None:
        item = self.draw.choice([*SHEET, "prepayment_offset", "suspense_settle"])
        more = {"counterparty": self.draw.choice((*self.area.institutions, "某某公司"))}
        if item == "suspense_settle" and self.draw.random() < 0.5:
            more["account"] = "社会保险费收入—个人缴费"
        self._add(item, leaf, month, **more)

    def _move(self, leaf: str, month: str) -> None:
        self._add(self.draw.choice([*MOVES]), leaf, month)

    def _recovery(self, leaf: str, month: str) -> None:
        year = int(month[:4]) - self.draw.choice((0, 0, 1, 2))
        method = self.draw.choice(("", "cash", "offset", "deposit", "instalment", "account"))
        if method == "account" and leaf != POOLED:
            method = "cash"
        more = {"method": method} if method else {}
        if self.draw.random() < 0.7:
            more["counterparty"] = self.draw.choice(self.area.institutions)
        self._add("recovery", leaf, month, original_year=str(year), **more)

    def _fine(self, leaf: str, month: str) -> None:
        item = self.draw.choice(("fine_received", "fine_received", "fine_remitted"))
        more = {"money_account": "fiscal"} if self.draw.random() < 0.5 else {}
        self._add(item, leaf, month, counterparty="某某医院", **more)

    def _adjustment(self, leaf: str, month: str) -> None:
        fen = self._fen() * self.draw.choice((1, -1))
        more = {"account": "暂付款—其他"} if self.draw.random() < 0.3 else {}
        self._add("opening_adjustment", leaf, month, fen, **more)

    def _mend(self, leaf: str, month: str) -> None:
        one, other = self.draw.choice(_RECLASSIFIED)
        fen = self._fen()
        self._add("reclassification", leaf, month, fen, account=one)
        first = self.area.flows[-1]
        self.area.flows.append(first | {"fen": -fen, "account": other})

    def _across(self, month: str, begins: dict[str, str]) -> None:
        if month >= max(begins[POOLED], begins[PERSONAL]) and self.draw.random() < 0.6:
            self._add("personal_credit", POOLED, month)
        if month >= max(begins["390"], begins["610"]) and self.draw.random() < 0.3:
            more = self._belonging("", month)
            self._add("assisted_participation", "610", month, counterparty_fund="390", **more)

    # --- settlements ------------------------------------------------------------------------

    def _claims(self, count: int) -> None:
        for number in range(count):
            row = self._claim(number)
            self.area.claims.append(row)
            if self.draw.random() < 0.08:
                self.area.claims.append(self._refunded(row))

    def _claim(self, number: int) -> dict:
        draw = self.draw
        parts = ("hifp_pay", "cvlserv_pay", "hifmi_pay", "hifob_pay", "maf_pay")
        paid = {part: self._fen(90_000_00) for part in draw.sample(parts, draw.randint(0, 3))}
        if draw.random() < 0.05:
            paid["hifes_pay"] = self._fen(1_000_00)
        rest = {
            name: draw.choice((0, self._fen(20_000_00))) for name in ("acct_pay", "psn_cash_pay")
        }
        if draw.random() < 0.2:
            rest["hosp_part_amt"] = self._fen(1_000_00)
        fund = sum(paid.values())
        if not paid and draw.random() < 0.5:
            fund = self._fen(10_000_00)  # no part given: the whole is the pooled fund's
        month, hour = draw.choice(self.months), draw.randint(0, 23)
        return {
            "setl_id": f"S{self.area.code}{number:08d}",
            "psn_no": f"P{draw.randint(1, 40):010d}",
            "insutype": draw.choice(("310", "310", "390", "390", "510")),
            "fixmedins_code": draw.choice(self.area.institutions),
            "med_type": draw.choice(("11", "21", "41", "140104")),
            "clr_type": draw.choice(("11", "21", "41")),
            "setl_time": f"{month}-{draw.randint(1, 28):02d} {hour:02d}:15:30",
            "medfee_sumamt": fund + sum(rest.values()),
            "fund_pay_sumamt": fund,
            **paid,
            **rest,
        }

    def _refunded(self, row: dict) -> dict:
        money = {name: -fen for name, fen in row.items() if isinstance(fen, int)}
        later = self.draw.choice([one for one in self.months if one >= row["setl_time"][:7]])
        day = max(self.draw.randint(1, 28), int(row["setl_time"][8:10]))
        when = f"{later}-{day:02d} 23:59:59"
        return row | money | {"setl_time": when, "refd_setl_flag": "1"}
