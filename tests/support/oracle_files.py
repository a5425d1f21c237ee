"""An area's rows as the files people really have: every format, head, unit and spelling."""

import csv
import io
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
import xlwt
from support.oracle import Area

FLOW_HEADS = {
    "doc_no": "单据号",
    "date": "入账日期",
    "area": "统筹区",
    "fund": "险种",
    "item": "项目",
    "amount": "金额",
    "belongs_to": "费款所属期",
    "counterparty": "对方单位",
    "counterparty_fund": "对方险种",
    "money_account": "资金账户",
    "original_year": "原支付年度",
    "method": "方式",
    "account": "科目",
    "note": "备注",
}
CLAIM_HEADS = (
    *("setl_id", "psn_no", "insutype", "fixmedins_code", "med_type", "clr_type", "setl_time"),
    *("medfee_sumamt", "fund_pay_sumamt", "hifp_pay", "cvlserv_pay", "hifmi_pay", "hifob_pay"),
    *("maf_pay", "hifes_pay", "acct_pay", "psn_cash_pay", "hosp_part_amt", "refd_setl_flag"),
    "mdtrt_id",
)
_NAMES = {
    "treasury": "国库",
    "fiscal": "财政专户",
    "income": "收入户",
    "expenditure": "支出户",
    "contribution.employer": "单位缴费",
    "contribution.individual": "个人缴费",
    "opening_balance": "期初结余",
    "benefit_returned": "退汇",
    "recovery": "追回",
    "remit_up": "上解上级支出",
    "assisted_participation": "资助参保支出",
}
FORMS = ("utf-8", "utf-8-sig", "gb18030", "xlsx", "xls")


class Writer:
    """Writes rows in forms drawn from a seed."""

    def __init__(self, seed: int, area: Area, folder: Path) -> None:
        self.draw = random.Random(seed)
        self.area = area
        self.folder = folder
        self._count = 0

    def flow_files(self, pieces: int = 5) -> list[Path]:
        """Split the flows over some files, in order; a document's rows stay together."""
        rows = self.area.flows
        cuts = sorted(self.draw.sample(range(1, len(rows)), pieces - 1))
        cuts = [cut + 1 if rows[cut]["doc_no"] == rows[cut - 1]["doc_no"] else cut for cut in cuts]
        parts = zip([0, *cuts], [*cuts, len(rows)], strict=True)
        return [self._flows(rows[first:last]) for first, last in parts if first < last]

    def claim_files(self) -> list[Path]:
        rows = self.area.claims
        half = len(rows) // 2
        while rows[half]["setl_id"] == rows[half - 1]["setl_id"]:
            half += 1
        return [self._claims(part) for part in (rows[:half], rows[half:])]

    def _flows(self, rows: list[dict]) -> Path:
        form = self.draw.choice(FORMS)
        chinese, wan = self.draw.random() < 0.5, self.draw.random() < 0.25
        fields = list(FLOW_HEADS)
        self.draw.shuffle(fields)
        heads = [FLOW_HEADS[name] if chinese else name for name in fields]
        if wan:
            heads[fields.index("amount")] += "(万元)"
        table = [[self._flow_cell(row, name, form, wan=wan) for name in fields] for row in rows]
        if self.draw.random() < 0.5:
            table.append(self._control(fields, rows, form, wan=wan))
        return self._write("flows", heads, table, form)

    def _claims(self, rows: list[dict]) -> Path:
        form = self.draw.choice(FORMS)
        fields = list(CLAIM_HEADS)
        self.draw.shuffle(fields)
        table = [[self._claim_cell(row, name, form) for name in fields] for row in rows]
        return self._write("claims", fields, table, form)

    def _flow_cell(self, row: dict, name: str, form: str, *, wan: bool) -> Any:
        if name == "amount":
            return self._amount(row["fen"], form, digits=6 if wan else 2)
        if name == "date":
            return self._day(row["date"], form)
        if name == "area":
            return self.area.code
        value = row.get(name, "")
        if name in ("item", "money_account") and self.draw.random() < 0.5:
            return _NAMES.get(value, value)
        return value

    def _claim_cell(self, row: dict, name: str, form: str) -> Any:
        value = row.get(name, "")
        if isinstance(value, int):
            return self._amount(value, form, digits=2)
        if name == "setl_time" and form in ("xlsx", "xls") and self.draw.random() < 0.5:
            return datetime.fromisoformat(value)
        return value

    def _amount(self, fen: int, form: str, *, digits: int) -> Any:
        whole, part = divmod(abs(fen), 10**digits)
        sign = "-" if fen < 0 else ""
        plain = f"{sign}{whole}.{part:0{digits}d}"
        if form in ("xlsx", "xls") and self.draw.random() < 0.7:
            return float(plain)
        style = self.draw.random()
        if style < 0.3:
            return f"{sign}{whole:,}.{part:0{digits}d}"
        if style < 0.4:
            return plain.translate(str.maketrans("0123456789.-", "０１２３４５６７８９．－"))
        return plain

    def _day(self, day: str, form: str) -> Any:
        when = date.fromisoformat(day)
        if form in ("xlsx", "xls") and self.draw.random() < 0.6:
            return when
        return self.draw.choice((day, f"{when.year}/{when.month}/{when.day}", day.replace("-", "")))

    def _control(self, fields: list[str], rows: list[dict], form: str, *, wan: bool) -> list:
        total = sum(row["fen"] for row in rows)
        said = {"doc_no": "合计", "note": str(len(rows))}
        said["amount"] = self._amount(total, form, digits=6 if wan else 2)
        return [said.get(name, "") for name in fields]

    def _write(self, kind: str, heads: list[str], table: list[list], form: str) -> Path:
        self._count += 1
        titles = [["某某市医疗保障局"], ["制表日期 2024年"]][: self.draw.choice((0, 0, 1, 2))]
        suffix = form if form in ("xlsx", "xls") else "csv"
        path = self.folder / f"{kind}-{self._count:02d}-{form}.{suffix}"
        lines = [*titles, heads, *table]
        {"xlsx": _xlsx, "xls": _xls}.get(form, _csv(form))(path, lines)
        return path


def _csv(encoding: str):
    def write(path: Path, lines: list[list]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        path.write_bytes(text.getvalue().encode(encoding))

    return write


def _xlsx(path: Path, lines: list[list]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("流水")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for line, cells in enumerate(lines):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime):
                    sheet.write_datetime(line, column, cell, moment)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, column, cell, day)
                elif isinstance(cell, float):
                    sheet.write_number(line, column, cell)
                elif cell != "":
                    sheet.write_string(line, column, cell)


def _xls(path: Path, lines: list[list]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("流水")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    moment = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    for line, cells in enumerate(lines):
        for column, cell in enumerate(cells):
            if isinstance(cell, datetime):
                sheet.write(line, column, cell, moment)
            elif isinstance(cell, date):
                sheet.write(line, column, cell, day)
            elif cell != "":
                sheet.write(line, column, cell)
    book.save(str(path))


def setup_text(area: Area) -> str:
    """Give the setup file of an area."""
    funds = ", ".join(f'"{fund}"' for fund in area.funds)
    tax = "tax_collects = true\n" if area.tax_collects else ""
    users = {
        "clerk1": "clerk",
        "clerk2": "clerk",
        "reviewer1": "reviewer",
        "admin1": "administrator",
    }
    lines = [f'[area]\ncode = "{area.code}"\nname = "某某区"\nfunds = [{funds}]\n{tax}']
    lines += [f'[[users]]\nname = "{name}"\nroles = ["{role}"]\n' for name, role in users.items()]
    lines += [
        f'[[institutions]]\ncode = "{code}"\nname = "机构{code[-2:]}"\nlevel = 3\n'
        for code in area.institutions
    ]
    return "\n".join(lines)


def days_of(months: list[str]) -> list[str]:
    """Give some cut-off days: month ends and days inside a month."""
    ends = [date.fromisoformat(f"{month}-28") for month in months[5::7]]
    return [str(day) for end in ends for day in (end, end - timedelta(days=13))]
