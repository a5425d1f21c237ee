"""Whole files: repetitions, conflicts, reclassifications, control totals."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from settlement.intake.checked_files import Rejected, Repeated, check_flows
from settlement.intake.claim_rows import ClaimRow
from settlement.intake.columns import CLAIMS
from settlement.intake.control_totals import CONTROL_WORDS, ControlTotals
from settlement.intake.readers import open_table
from settlement.intake.row_reader import head_of

COLUMNS = ["doc_no", "date", "area", "fund", "item", "amount", "account", "note"]


@pytest.fixture
def flows(files, flow_row, context):
    """Check a fund_flows file made of rows with some cells changed, and control rows as lists."""

    def check(*rows, head=COLUMNS, write=None):
        lines = [
            row
            if isinstance(row, list)
            else [{"account": "", "note": "", **flow_row(**row)}[key] for key in COLUMNS]
            for row in rows
        ]
        path = (write or files.csv)([head, *lines])
        return check_flows(open_table(path), context)

    return check


@pytest.fixture
def claims(files, claim, check_claims):
    """Check a claims file; give its check and the outcome of every row."""

    def check(*rows):
        keys = list(claim())
        lines = [
            row if isinstance(row, list) else [claim(**row).get(key, "") for key in keys]
            for row in rows
        ]
        return check_claims(open_table(files.csv([keys, *lines])))

    return check


def total(count="", amount="", word="合计"):
    return [word, "", "", "", "", amount, "", count]


def problems(checked):
    return [(problem.code, problem.facts.get("figure")) for problem in checked.problems]


def test_a_clean_file(flows):
    checked = flows({"doc_no": "A1"}, {"doc_no": "A2"})
    assert [row.doc_no for row in checked.rows] == ["A1", "A2"]
    assert [row.line for row in checked.rows] == [2, 3]
    assert (checked.rejected, checked.repeated, checked.problems) == ([], [], [])
    assert not checked.stopped


def test_an_equal_row_again_is_a_repetition_however_it_is_written(flows):
    checked = flows(
        {"doc_no": "A1"},
        {"doc_no": " A1 ", "amount": "1,234.56", "date": "2023/1/5", "item": "个人缴费"},
    )
    assert len(checked.rows) == 1
    assert checked.repeated == [Repeated(line=3, first_line=2)]
    assert checked.rejections == []


def test_the_same_number_with_other_content_is_a_conflict(flows):
    checked = flows({"doc_no": "A1"}, {"doc_no": "A1", "amount": "1.00"}, {"doc_no": "A1"})
    assert [row.line for row in checked.rows] == [2]
    (conflict,) = checked.rejections
    assert (conflict.line, conflict.code, conflict.facts) == (
        3,
        "doc_no_conflict",
        {"first_line": 2},
    )
    assert checked.repeated == [Repeated(line=4, first_line=2)]


def test_rejected_rows_keep_their_cells_for_the_rejects_file(flows):
    checked = flows({"amount": "x"}, {"doc_no": "A2"})
    (rejected,) = checked.rejected
    assert rejected.cells[:6] == (
        "SJ0001",
        "2023-01-05",
        "330604",
        "390",
        "contribution.individual",
        "x",
    )
    assert [row.doc_no for row in checked.rows] == ["A2"]


def pair(amount, account, doc_no="R1", **more):
    return {
        "doc_no": doc_no,
        "item": "reclassification",
        "amount": amount,
        "account": account,
        **more,
    }


def test_a_reclassification_is_a_pair_under_one_number(flows):
    checked = flows(pair("5.00", "国库"), pair("-5.00", "财政专户"), {"doc_no": "A1"})
    assert [row.line for row in checked.rows] == [2, 3, 4]
    assert checked.rejections == []


def test_half_a_reclassification_never_stays(flows):
    checked = flows(
        pair("5.00", "国库"),
        pair("-5.00", "没有"),
        {"doc_no": "A1"},
        pair("6.00", "国库", doc_no="R2"),
        pair("-7.00", "财政专户", doc_no="R2"),
    )
    assert [row.line for row in checked.rows] == [4]
    assert [(wrong.line, wrong.code) for wrong in checked.rejections] == [
        (2, "reclassification_incomplete"),
        (3, "unknown_account"),
        (5, "reclassification_unbalanced"),
        (6, "reclassification_unbalanced"),
    ]
    assert [row.cells[0] for row in checked.rejected] == ["R1", "R1", "R2", "R2"]


def test_a_reclassification_does_not_share_its_number_with_another_item(flows):
    checked = flows(pair("5.00", "国库"), {"doc_no": "R1"}, pair("-5.00", "财政专户"))
    assert [(wrong.line, wrong.code) for wrong in checked.rejections] == [
        (2, "reclassification_incomplete"),
        (3, "doc_no_conflict"),
        (4, "reclassification_incomplete"),
    ]
    assert checked.rows == []


def test_an_amount_in_wan_yuan_under_its_head(flows):
    head = [*COLUMNS[:5], "金额(万元)", *COLUMNS[6:]]
    checked = flows({"amount": "717.795"}, total("1", "717.795"), head=head)
    assert [row.amount_fen for row in checked.rows] == [717_795_000]
    assert checked.problems == []


@pytest.mark.parametrize("word", ["合计", " 合 计 ", "总计", "Total", "合计："])
@pytest.mark.parametrize("count", ["2", "2笔", "共2笔", "２", ""])
def test_control_totals_that_agree(flows, word, count):
    checked = flows({"doc_no": "A1"}, {"doc_no": "A2"}, total(count, "2,469.12", word))
    assert checked.problems == []
    assert len(checked.rows) == 2


def test_a_boolean_is_not_taken_for_the_number_it_equals(flows, files):
    rows = ({"doc_no": "A1", "amount": 1}, {"doc_no": "A2", "amount": True})
    (wrong,) = flows(*rows, write=files.xlsx).rejections
    assert (wrong.line, wrong.code) == (3, "boolean_cell")


def test_control_totals_in_a_spreadsheet(flows, files):
    rows = ({"amount": 0.1}, {"doc_no": "A2", "amount": 0.2})
    assert flows(*rows, total(2.0, 0.3), write=files.xlsx).problems == []
    assert flows(*rows, total(2, 0.3), write=files.xls).problems == []
    wrong = flows(*rows, total(3.0, 0.3), write=files.xlsx)
    assert problems(wrong) == [("control_total_mismatch", "note")]


@pytest.mark.parametrize(
    ("count", "amount", "expected"),
    [
        ("3", "2469.12", [("control_total_mismatch", "note")]),
        ("2", "2469.13", [("control_total_mismatch", "amount")]),
        ("1", "1.00", [("control_total_mismatch", "note"), ("control_total_mismatch", "amount")]),
        ("两笔", "2469.12", [("control_row_unreadable", "note")]),
        ("2", "约2469", [("control_row_unreadable", "amount")]),
        ("", "", [("control_row_unreadable", "amount")]),
        ("2", "", []),
    ],
)
def test_control_totals_that_disagree_stop_the_file(flows, count, amount, expected):
    checked = flows({"doc_no": "A1"}, {"doc_no": "A2"}, total(count, amount))
    assert problems(checked) == expected
    assert checked.stopped is bool(expected)
    assert len(checked.rows) == 2


def test_a_mismatch_shows_both_figures(flows):
    checked = flows({"doc_no": "A1"}, total("1", "1234.65"))
    assert checked.problems[0].message("zh") == (
        "第 3 行合计的「金额(amount)」为 1,234.65,实际为 1,234.56。"
        "文件可能不完整或被改动;请重新导出。"
    )


@pytest.mark.parametrize("after", [{"doc_no": "A2"}, total("2", "1")])
def test_a_control_row_stands_last(flows, after):
    checked = flows({"doc_no": "A1"}, total("1", "1234.56"), after)
    assert problems(checked) == [("control_row_not_last", None)]
    assert checked.problems[0].facts == {"line": 3, "next_line": 4}


def test_rejected_and_repeated_rows_count_too(flows):
    checked = flows(
        {"doc_no": "A1"}, {"doc_no": "A1"}, {"doc_no": "A3", "area": "1"}, total("3", "3703.68")
    )
    assert checked.problems == []
    assert (len(checked.rows), len(checked.repeated), len(checked.rejected)) == (1, 1, 1)


def test_amounts_that_cannot_be_read_leave_the_sum_unchecked_and_say_so(flows):
    checked = flows({"doc_no": "A1"}, {"doc_no": "A2", "amount": "x"}, total("2", "9.99"))
    assert problems(checked) == [("control_total_unchecked", "amount")]
    assert not checked.stopped


def test_a_file_without_rows_says_so(flows):
    assert problems(flows()) == [("no_rows", None)]
    assert problems(flows(total("0", "0"))) == [("no_rows", None)]


def test_a_file_that_is_wrong_as_a_whole_is_not_listed_without_end(flows, claims, monkeypatch):
    """200,000 rejected rows took 1.5 GB before there was a bound."""
    monkeypatch.setattr("settlement.intake.checked_files.MOST_REJECTED_ROWS", 3)
    rows = [{"doc_no": f"A{n}", "amount": "x" if n % 2 else "1.00"} for n in range(12)]
    checked = flows(*rows, total("12", "6.00"))
    assert checked.stopped
    [problem] = checked.problems
    assert (problem.code, problem.facts) == ("too_many_rejected", {"rows": 3, "line": 7})
    assert len(checked.rejected) == 3
    check, _ = claims(*({"setl_id": f"S{n}", "medfee_sumamt": "x"} for n in range(5)))
    assert [problem.code for problem in check.problems] == ["too_many_rejected"]
    assert check.stopped


def test_a_file_that_breaks_in_the_middle_stops_and_keeps_what_it_found(files, context):
    head = "doc_no,date,area,fund,item,amount\n"
    line = "A{},2023-01-05,330604,390,interest,{}\n"
    text = head + line.format(1, "1.00") + line.format(2, "x") + 'A3,"'
    checked = check_flows(open_table(files.raw("cut.csv", text.encode())), context)
    assert checked.stopped
    assert problems(checked) == [("malformed_csv", None)]
    assert [wrong.line for wrong in checked.rejections] == [3]


def test_claims_are_checked_row_by_row(claims):
    checked, outcomes = claims(
        {"setl_id": "S1"},
        {"setl_id": "S2", "acct_pay": "x"},
        {"setl_id": "S1", "medfee_sumamt": "1,000.00"},
        {"setl_id": "S1", "days": "5"},
    )
    assert [type(outcome) for outcome in outcomes] == [ClaimRow, Rejected, Repeated, Rejected]
    assert outcomes[2] == Repeated(line=4, first_line=2)
    (conflict,) = outcomes[3].rejections
    assert (conflict.code, conflict.value, conflict.facts) == (
        "setl_id_conflict",
        "S1",
        {"first_line": 2},
    )
    assert (checked.rows, checked.problems, checked.stopped) == (4, [], False)


def test_a_refund_under_the_id_of_its_original_is_another_fact(claims):
    refund = {
        "refd_setl_flag": "1",
        "medfee_sumamt": "-1000.00",
        "hifp_pay": "-600.00",
        "hifob_pay": "-50.00",
        "fund_pay_sumamt": "-650.00",
        "acct_pay": "-100.00",
        "psn_cash_pay": "-240.00",
        "hosp_part_amt": "-10.00",
    }
    _, outcomes = claims({}, refund, refund)
    assert [type(outcome) for outcome in outcomes] == [ClaimRow, ClaimRow, Repeated]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (("2", "2000.00", "1300.00"), []),
        (("2", "2000.00", ""), []),
        (("", "2,000.00", ""), []),
        (("3", "2000.00", ""), [("control_total_mismatch", "mdtrt_id")]),
        (("2", "2000.01", "1300.00"), [("control_total_mismatch", "medfee_sumamt")]),
        (("2", "2000.00", "1300.01"), [("control_total_mismatch", "fund_pay_sumamt")]),
    ],
)
def test_control_totals_of_claims(claims, claim, stated, expected):
    row = {**dict.fromkeys(claim(), ""), "setl_id": "合计"}
    row |= zip(("mdtrt_id", "medfee_sumamt", "fund_pay_sumamt"), stated, strict=True)
    checked, outcomes = claims({"setl_id": "S1"}, {"setl_id": "S2"}, list(row.values()))
    assert len(outcomes) == checked.rows == 2
    assert problems(checked) == expected
    assert checked.stopped is bool(expected)


def test_claims_that_break_in_the_middle_stop(files, claim, check_claims):
    keys = ",".join(claim())
    row = ",".join(claim().values())
    path = files.raw("cut.csv", f'{keys}\n{row}\n"x'.encode())
    checked, outcomes = check_claims(open_table(path))
    assert [type(outcome) for outcome in outcomes] == [ClaimRow]
    assert checked.stopped


def test_the_same_claims_table_can_be_checked_twice(files, claim, check_claims):
    table = open_table(files.csv([list(claim()), list(claim().values())]))
    (_, first), (_, second) = check_claims(table), check_claims(table)
    assert first == second != []


@examples(100)
@given(fens=st.lists(st.integers(-(10**9), 10**9), max_size=30), off=st.integers(-2, 2))
def test_totals_agree_exactly_when_the_sum_does(fens, off):
    totals = ControlTotals(head_of(CLAIMS, ("setl_id", "medfee_sumamt", "fund_pay_sumamt")))
    for line, fen in enumerate(fens):
        totals.add(line, [], (fen, 2 * fen))
    stated = [f"{(sum(fens) + off) / 100:.2f}", f"{2 * sum(fens) / 100:.2f}"]
    totals.set_control_row(99, ["合计", *stated])
    assert [problem.facts["figure"] for problem in totals.problems()] == (
        ["medfee_sumamt"] if off else []
    )


def test_ordinary_numbers_are_no_control_rows():
    totals = ControlTotals(head_of(CLAIMS, ("setl_id", "medfee_sumamt", "fund_pay_sumamt")))
    for word in CONTROL_WORDS:
        assert totals.is_control_row([word, ""])
    for cell in ("合计1", "S1", "", None, 5.0, dt.date(2023, 1, 1)):
        assert not totals.is_control_row([cell])
    assert not totals.is_control_row([])
