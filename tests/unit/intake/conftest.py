"""Files as clerks and systems write them, made by the tests themselves."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
import xlsxwriter
import xlwt

from ledger.domain.chart import account_words
from settlement.intake.checked_files import ClaimsCheck, Rejected
from settlement.intake.claim_facts import streams
from settlement.intake.repetitions import Repetitions
from settlement.intake.row_reader import CheckContext

FLOW_HEAD = ["doc_no", "date", "area", "fund", "item", "amount"]
FLOW_ROW = ["SJ0001", "2023-01-05", "330604", "390", "contribution.individual", "1234.56"]
INSTITUTION = "H33060400001"
CLAIM = {
    "setl_id": "330604S001",
    "mdtrt_id": "330604M001",
    "psn_no": "33060400001234567890",
    "insutype": "310",
    "fixmedins_code": INSTITUTION,
    "med_type": "21",
    "clr_type": "21",
    "clr_way": "3",
    "setl_time": "2023-10-05 12:30:00",
    "begndate": "2023-10-01",
    "enddate": "2023-10-05",
    "medfee_sumamt": "1000.00",
    "hifp_pay": "600.00",
    "hifob_pay": "50.00",
    "fund_pay_sumamt": "650.00",
    "acct_pay": "100.00",
    "psn_cash_pay": "240.00",
    "hosp_part_amt": "10.00",
    "refd_setl_flag": "0",
    "days": "4",
}


@pytest.fixture
def context():
    return CheckContext(
        area="330604",
        today=dt.date(2023, 11, 15),
        funds=frozenset({"310.pooled", "310.personal", "390", "610"}),
        institutions=frozenset({INSTITUTION}),
        accounts=account_words(),
    )


#: MS-XLS 2.5.10; xlwt's own table by name mixes two of them up.
BIFF_ERRORS = {
    "#DIV/0!": 0x07,
    "#VALUE!": 0x0F,
    "#REF!": 0x17,
    "#NAME?": 0x1D,
    "#NUM!": 0x24,
    "#N/A": 0x2A,
}


class Files:
    """Writes files below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def raw(self, name, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def csv(self, rows, *, name="file.csv", encoding="utf-8", delimiter=",") -> Path:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows(rows)
        return self.raw(name, text.getvalue().encode(encoding))

    def xlsx(self, rows, *, name="file.xlsx", sheets=None) -> Path:
        path = self.folder / name
        book = xlsxwriter.Workbook(path)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for title, content in (sheets or {"Sheet1": rows}).items():
            sheet = book.add_worksheet(title)
            for line, row in enumerate(content):
                for column, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(line, column, cell, day)
                    elif isinstance(cell, Formula):
                        sheet.write_formula(line, column, cell.text, None, cell.value)
                    elif isinstance(cell, str):
                        sheet.write_string(line, column, cell)
                    elif cell is not None:
                        sheet.write(line, column, cell)
        book.close()
        return path

    def xls(self, rows, *, name="file.xls") -> Path:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Sheet1")
        day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write(line, column, cell, day)
                elif isinstance(cell, Formula):
                    sheet.row(line).set_cell_error(column, BIFF_ERRORS[cell.value])
                elif cell is not None:
                    sheet.write(line, column, cell)
        path = self.folder / name
        book.save(str(path))
        return path


class Formula:
    """A formula's cell: its text and the result that the spreadsheet keeps."""

    def __init__(self, text, value) -> None:
        self.text, self.value = text, value


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def formula():
    return Formula


@pytest.fixture
def flow_head():
    return list(FLOW_HEAD)


@pytest.fixture
def flow_row():
    """Make a row of a ``fund_flows`` file that is right, with some cells changed."""

    def make(**changes):
        row = dict(zip(FLOW_HEAD, FLOW_ROW, strict=True))
        return {**row, **changes}

    return make


@pytest.fixture
def claim():
    """Make a row of a ``claims`` file that is right, with some cells changed or left out."""

    def make(**changes):
        merged = {**CLAIM, **changes}
        return {key: cell for key, cell in merged.items() if cell is not ...}

    return make


@pytest.fixture
def check_claims(context):
    """Check a claims table; give its check and the outcome of every row in file order."""

    def check(table):
        checked, repetitions, found = ClaimsCheck(table, context), Repetitions(), []
        for claims, rejected in checked.blocks():
            first, _ = repetitions.first_ones(claims, streams(context.area, claims))
            found += [*rejected, *first.rows()]
        again = (claims for claims, _ in ClaimsCheck(table, context).blocks())
        repeated, conflicts = repetitions.settle(again)
        found += [*repeated, *(Rejected(one.line, (), (one,)) for one in conflicts)]
        return checked, sorted(found, key=lambda outcome: outcome.line)

    return check
