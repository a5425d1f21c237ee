"""``report`` writes the figures that the reading commands answer, in every format."""

import json
from pathlib import Path

import openpyxl
import pytest
from support.printed import printed_pages

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390"]
[[users]]
name = "clerk1"
roles = ["clerk"]
[[users]]
name = "reviewer1"
roles = ["reviewer"]
"""
FLOWS = """doc_no,date,area,fund,item,amount
O1,2022-12-31,330604,390,opening_balance,1000.00
C1,2023-01-05,330604,390,contribution.individual,1234.56
S1,2023-02-05,330604,390,superior_subsidy,50.00
B1,2023-02-20,330604,390,benefit.inpatient,100.01
J1,2023-02-21,330604,390,opening_adjustment,-0.50
"""


@pytest.fixture
def book(medfund, tmp_path: Path):
    (tmp_path / "setup.toml").write_text(SETUP, encoding="utf-8")
    (tmp_path / "flows.csv").write_text(FLOWS, encoding="utf-8")
    assert medfund("setup", tmp_path / "setup.toml", user="clerk1").code == 0
    assert medfund("intake", tmp_path / "flows.csv", user="clerk1").code == 0
    return medfund


def test_the_statement_adds_up_as_the_ministry_prints_it(book):
    answer = book("report", "statement", "2023-02", "--fund", "390", "--format", "csv")
    lines = [line.split(",") for line in answer.out.lstrip("\ufeff").splitlines()]
    figures = {line[0].strip(): line[1:] for line in lines}
    assert figures["本年收入小计"] == ["0.00", "1234.56"]
    assert figures["本年收入合计"] == ["50.00", "1284.56"]
    assert figures["本年支出合计"] == ["100.01", "100.01"]
    assert figures["本年收支结余"] == ["-50.01", "1184.55"]
    assert figures["上年末滚存结余"][1] == "1000.00"
    assert figures["年末滚存结余"][1] == "2184.05"  # 1000.00 - 0.50 + 1184.55


@pytest.mark.parametrize("name", ["statement", "balances", "indicators", "journal"])
def test_every_report_opens_as_a_workbook(book, tmp_path: Path, name: str):
    target = tmp_path / f"{name}.xlsx"
    assert book("report", name, "2023-02", "--format", "xlsx", "-o", target).code == 0
    sheets = openpyxl.load_workbook(target).worksheets
    assert sum(sheet.max_row for sheet in sheets) > 4


def test_markdown_is_in_the_readers_language(book):
    assert "年末滚存结余" in book("report", "statement", "2023-02").out
    assert "Income, subtotal" in book("--lang", "en", "report", "statement", "2023-02").out


@pytest.mark.parametrize("name", ["statement", "balances", "indicators", "journal"])
def test_every_report_can_be_printed_and_signed(book, tmp_path: Path, name: str):
    target = tmp_path / f"{name}.pdf"
    assert book("report", name, "2023-02", "--format", "pdf", "-o", target).code == 0
    pages = printed_pages(target.read_bytes())
    assert f"第 1 页 共 {len(pages)} 页" in pages[0]
    assert "负责人:" in pages[-1]


def test_a_sealed_month_prints_position_and_digest_of_its_seal(book, tmp_path: Path):
    assert book("close", "2023-01", "--fund", "390", user="clerk1").code == 0
    assert book("approve", "330604-390-2023-01-1", user="reviewer1").code == 0
    sealed = json.loads(book("close", "list", "--json").out)["periods"][0]
    target = tmp_path / "statement.pdf"
    assert book("report", "statement", "2023-01", "--format", "pdf", "-o", target).code == 0
    said = f"封签至日志位置 {sealed['sealed_position']}: {sealed['sealed_digest']}"
    assert [any(said in line for line in page) for page in printed_pages(target.read_bytes())] == [
        False,  # 310
        True,
    ]
