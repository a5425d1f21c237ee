"""Reads the sample area's files with csv and openpyxl alone, and adds them up by hand.

Nothing of the product is used: what it computes is compared with what comes out here.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl

ENGLISH = {
    "单据号": "doc_no",
    "入账日期": "date",
    "统筹区": "area",
    "险种": "fund",
    "项目": "item",
    "金额": "amount",
    "费款所属期": "belongs_to",
    "对方单位": "counterparty",
    "对方险种": "counterparty_fund",
    "资金账户": "money_account",
    "原单据号": "original_doc",
    "原支付年度": "original_year",
    "方式": "method",
    "科目": "account",
    "渠道": "channel",
    "人员类别": "person_class",
    "备注": "note",
}
OTHER_INCOME = {
    "interest",
    "transfer_in",
    "other_income",
    "breach_damages",
    "suspense_settle",
    "catastrophic_surplus_return",
}


def read_rows(path: Path) -> list[dict[str, str]]:
    """Give the rows of a fund_flows file with English heads, control totals checked and gone."""
    table = _workbook(path) if path.suffix == ".xlsx" else _csv(path)
    heads = next(row for row in table if "amount" in row or "金额" in row)
    names = [ENGLISH.get(head, head) for head in heads]
    rows = [dict(zip(names, row, strict=True)) for row in table[table.index(heads) + 1 :]]
    total = rows.pop()
    assert total["doc_no"] == "合计"
    assert total["note"] == str(len(rows))
    assert yuan(total["amount"]) == sum(yuan(row["amount"]) for row in rows)
    return rows


def yuan(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def month_of(row: dict[str, str]) -> str:
    """Give the month of 2022-01-05, 2022/1/5 or 20220105."""
    text = row["date"].replace("/", "-")
    if "-" not in text:
        return f"{text[:4]}-{text[4:6]}"
    year, month, _ = text.split("-")
    return f"{year}-{int(month):02d}"


def _csv(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    return list(csv.reader(io.StringIO(text)))


def _workbook(path: Path) -> list[list[str]]:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d")
    return "" if value is None else str(value)


@dataclass
class Totals:
    """Income and expense by fund and month: 小计, and what stands outside it."""

    income: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    expense: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    outside: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    opening: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, row: dict[str, str]) -> None:
        fund, item, amount, month = row["fund"], row["item"], yuan(row["amount"]), month_of(row)
        key = (fund, month)
        if item in {"opening_balance", "opening_adjustment"}:
            self.opening[fund] += amount
        elif item == "contribution.refund":
            self.income[key] -= amount
        elif item.startswith(("contribution.", "subsidy.")) or item in OTHER_INCOME:
            self.income[key] += amount
        elif item == "personal_credit":
            self.income[key] -= amount
            self.income["310.personal", month] += amount
        elif item == "assisted_participation":
            self.expense[key] += amount
            self.income[row["counterparty_fund"], month] += amount
        elif item == "recovery":
            self._recovered(row, key, amount)
        elif item == "benefit_returned":
            self.expense[key] -= amount
        elif item.startswith("benefit.") or item in {
            "catastrophic_premium",
            "remote_clearing_paid",
            "prepayment_offset",
            "transfer_out",
            "other_expense",
        }:
            self.expense[key] += amount
        elif item in {"remit_up", "superior_subsidy"}:
            self.outside[fund] += amount if item == "superior_subsidy" else -amount

    def _recovered(self, row: dict[str, str], key: tuple[str, str], amount: Decimal) -> None:
        offset = amount if row["method"] == "offset" else Decimal(0)
        if row["original_year"] == key[1][:4]:
            self.expense[key] += offset - amount
        else:
            self.expense[key] += offset
            self.income[key] += amount

    def spent(self, funds: tuple[str, ...], first: str, last: str) -> Decimal:
        """Add up the 支出小计 of funds from a month to a month."""
        return sum(
            (
                fen
                for (fund, month), fen in self.expense.items()
                if fund in funds and first <= month <= last
            ),
            Decimal(0),
        )

    def accumulated(self, fund: str) -> Decimal:
        """Give the 累计结余 of a fund after everything read."""
        flows = sum((v for (f, _), v in self.income.items() if f == fund), Decimal(0))
        flows -= sum((v for (f, _), v in self.expense.items() if f == fund), Decimal(0))
        return self.opening[fund] + flows + self.outside[fund]


def read_claims(path: Path) -> list[dict[str, str]]:
    """Give the rows of a claims file, control totals checked and gone."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    total = rows.pop()
    assert (total["setl_id"], total["mdtrt_id"]) == ("合计", str(len(rows)))
    for head in ("medfee_sumamt", "fund_pay_sumamt"):
        assert yuan(total[head]) == sum(yuan(row[head]) for row in rows)
    return rows
