"""Rows of institutions' statements, and the sentences that only they provoke."""

import pytest

from settlement.intake import statement_rows
from settlement.intake.columns import KINDS
from settlement.intake.readers import open_table
from settlement.intake.statement_rows import check_details, check_totals

TOTALS = {
    "fixmedins_code": "H33060400001",
    "insutype": "310",
    "clr_type": "11",
    "stmt_begndate": "2023-10-01",
    "stmt_enddate": "2023-10-31",
    "medfee_sumamt": "8958.23",
    "fund_pay_sumamt": "1819.04",
    "acct_pay": "388.23",
    "fixmedins_setl_cnt": "67",
}


@pytest.fixture
def totals(files, context):
    def check(*changes):
        rows = [TOTALS | change for change in changes]
        path = files.csv([list(rows[0]), *(list(row.values()) for row in rows)])
        return check_totals(open_table(path), context)

    return check


def test_the_sample_of_the_interface(totals):
    (row,) = totals({}).rows
    assert row.group == ("H33060400001", "310", "11", "2023-10", "")
    assert row.figures == (67, 895_823, 181_904, 38_823)


@pytest.mark.parametrize("flag", ["", "0", "1"])
def test_an_empty_flag_is_not_a_zero(totals, flag):
    """None means that refunds are in the sums: another statement than that of one side alone."""
    amounts = dict.fromkeys(("medfee_sumamt", "fund_pay_sumamt", "acct_pay"), "0")
    (row,) = totals(amounts | {"refd_setl_flag": flag}).rows
    assert row.refund == {"": None, "0": False, "1": True}[flag]
    assert row.group[-1] == flag


def test_equal_rows_count_once_and_others_conflict(totals):
    checked = totals({}, {"insutype": "职工医保"}, {"clr_type": "21"}, {"acct_pay": "0"})
    assert [row.line for row in checked.rows] == [2, 4]
    assert [(one.line, one.first_line) for one in checked.repeated] == [(3, 2)]
    assert [(one.line, one.code) for one in checked.rejections] == [(5, "statement_conflict")]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("2023-10-01", "2023-10-31", None),
        ("2023-10-01 00:00:00", "2023-10-31 23:59:59", None),
        ("2023-10-01", "2023-10-30", "statement_not_a_month"),
        ("2023-10-02", "2023-10-31", "statement_not_a_month"),
        ("2023-10-01", "2023-11-30", "statement_not_a_month"),
        ("2023-10-31", "2023-10-01", "statement_not_a_month"),
        ("2023-11-01", "2023-11-30", "date_in_future"),
    ],
)
def test_a_statement_is_about_a_whole_month_that_is_over(totals, first, last, code):
    checked = totals({"stmt_begndate": first, "stmt_enddate": last})
    assert [one.code for one in checked.rejections] == ([code] if code else [])


def test_a_file_that_is_wrong_as_a_whole_stops(files, context, monkeypatch):
    monkeypatch.setattr(statement_rows, "MOST_REJECTED_ROWS", 3)
    rows = [list(TOTALS), *([["?"] * len(TOTALS)] * 5)]
    checked = check_totals(open_table(files.csv(rows)), context)
    assert [one.code for one in checked.problems] == ["too_many_rejected"]
    assert checked.stopped
    assert {one.line for one in checked.rejections} == {2, 3, 4}


def test_a_person_is_never_in_a_row(files, context):
    head = [column.key for column in KINDS["statement_details"]]
    said = TOTALS | {"setl_id": "S1", "mdtrt_id": "M1", "psn_no": "33060400001234567890"}
    table = open_table(files.csv([head, [said.get(key, "") for key in head]]))
    (row,) = check_details(table, context).rows
    assert "33060400001234567890" not in str(row)
    assert (row.group, row.refund) == (("S1", False), False)


def test_a_claims_file_is_still_a_claims_file(files, claim):
    row = claim() | {"stmt_begndate": "2023-10-01", "stmt_enddate": "2023-10-31"}
    assert open_table(files.csv([list(row), list(row.values())])).kind.name == "claims"
