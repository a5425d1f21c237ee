"""基金收支表 against the county's published year 2024 (domain paper §7.2)."""

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.period import Period
from projections.reports.model import Table
from projections.reports.statement import ITEMS, StatementFigures, income_statement

EMPLOYEES = {
    "income.contribution.employer": 3_145_638 * 10_000,
    "income.interest": 3_325 * 10_000,
    "income.other": 6_500 * 10_000,
    "income.transfer_in": 52_192 * 10_000,
    "expense.benefit.inpatient": 1_610_858 * 10_000,
    "expense.benefit.outpatient": 1_097_616 * 10_000,
    "expense.other": 123_575 * 10_000,
    "expense.transfer_out": 11_832 * 10_000,
}


def statement(**more) -> Table:
    given = {
        "fund": "310",
        "period": Period(2024, 12),
        "position": 9,
        "opening_fen": 3_013_109 * 10_000,
        "adjustments_fen": 0,
        "year": EMPLOYEES,
    }
    lang = more.pop("lang", "zh")
    return income_statement(StatementFigures(**{**given, **more}), lang=lang)


def years(table: Table) -> dict[str, int | None]:
    return {str(row[0]).strip(): row[2] for row in table.rows}


def test_the_published_county_year_adds_up():
    lines = years(statement())
    assert lines["本年收入小计"] == 3_207_655 * 10_000  # 32,076.55 万元
    assert lines["本年支出小计"] == 2_843_881 * 10_000  # 28,438.81 万元
    assert lines["本年收支结余"] == 363_774 * 10_000  # 3,637.74 万元
    assert lines["年末滚存结余"] == 3_376_883 * 10_000  # 33,768.83 万元


def test_money_between_levels_stands_between_subtotal_and_total():
    table = statement(
        year=EMPLOYEES | {"income.superior_subsidy": 500, "expense.remit_up": 70},
        month={"income.superior_subsidy": 500, "expense.subsidy_down": 30},
    )
    heads = [str(row[0]).strip() for row in table.rows]
    assert heads.index("本年收入小计") < heads.index("上级补助收入") < heads.index("本年收入合计")
    assert heads.index("本年支出小计") < heads.index("上解上级支出") < heads.index("本年支出合计")
    lines = years(table)
    assert lines["本年收入合计"] - lines["本年收入小计"] == 500
    assert lines["本年支出合计"] - lines["本年支出小计"] == 70
    months = {str(row[0]).strip(): row[1] for row in table.rows}
    assert (months["本年收入小计"], months["本年收入合计"]) == (0, 500)
    assert (months["本年支出合计"], months["本年收支结余"]) == (30, 470)


def test_an_adjustment_of_the_opening_is_shown_not_hidden():
    assert "期初调整" not in years(statement())
    lines = years(statement(adjustments_fen=-100))
    assert lines["期初调整"] == -100
    assert lines["年末滚存结余"] == 3_376_883 * 10_000 - 100


def test_sums_are_emphasised_and_english_stands_beside():
    table = statement(lang="en")
    bold = {str(table.rows[number][0]) for number in table.emphasised}
    assert bold == {
        "Income, subtotal",
        "Income, total",
        "Expense, subtotal",
        "Expense, total",
        "Surplus",
        "Accumulated balance",
    }
    assert table.title == "Income and expense, Employee basic, 2024-12"
    assert statement().title == "职工基本医疗保险基金收支表 2024年12月"


def test_every_income_and_expense_account_is_printed_once():
    printed = {
        key: [item.zh for item in ITEMS if key.startswith(item.keys)]
        for key, account in CHART.items()
        if account.kind in (AccountClass.INCOME, AccountClass.EXPENSE)
    }
    assert {key: found for key, found in printed.items() if len(found) != 1} == {}
