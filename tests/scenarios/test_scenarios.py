"""Every worked example holds on both stores, whoever may have changed the rules since."""

from pathlib import Path

import pytest
from support.office import open_office
from support.scenarios import Scenario

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
WRONG = """
险种范围 | 390
日期       | 单据号 | 险种 | 项目 | 金额
2023-02-01 | A1     | 390  | 利息 | 100.00
"""


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_worked_example(path, store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        Scenario(office).run(path)


@pytest.mark.parametrize(
    "line",
    [
        "余额 | 2023-02 | 390 | 利息收入 | 贷 100.01",
        "余额 | 2023-02 | 390 | 利息收入 | 借 100.00",
        "余额 | 2023-01 | 390 | 利息收入 | 贷 100.00",
        "累计结余 | 2023-02 | 390 | 100.01",
        "本年 | 2023-02 | 390 | 收入 100.00 | 支出 0.01",
        "记账 | A1 | 2023-02-02",
        "月结 | 2023-02 | 390 | 拒绝 earlier_month_open",
        "月份 | 2023-02",
    ],
)
def test_a_line_that_does_not_hold_is_named(line, tmp_path, sqlite_url):
    path = tmp_path / "wrong.txt"
    path.write_text(f"{WRONG}{line}\n", encoding="utf-8")
    with open_office(sqlite_url, tmp_path) as office, pytest.raises(BaseException) as found:  # noqa: PT011
        Scenario(office).run(path)
    assert found.value.__notes__ == [f"wrong.txt:5: {line}"]


def test_a_file_that_checks_nothing_is_a_mistake(tmp_path, sqlite_url):
    path = tmp_path / "idle.txt"
    path.write_text(WRONG, encoding="utf-8")
    with open_office(sqlite_url, tmp_path) as office, pytest.raises(AssertionError, match="checks"):
        Scenario(office).run(path)
