"""Every sentence of the intake, provoked by input that deserves it and compared with docs/files.md.

The page is the golden copy: who changes a sentence changes the page.
"""

import datetime as dt
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from settlement.banking import banks_of
from settlement.intake.application_rows import check_applications
from settlement.intake.bank_rows import check_payments
from settlement.intake.case_rows import check_cases
from settlement.intake.checked_files import Rejected, check_flows
from settlement.intake.columns import KINDS
from settlement.intake.layouts import layouts_of
from settlement.intake.problem_texts import FILE_TEXTS, NOTICES
from settlement.intake.readers import open_table
from settlement.intake.rejection_texts import ROW_TEXTS
from settlement.intake.rejections import FileProblem, FileRefused, Rejection, shown
from settlement.intake.statement_rows import check_totals
from settlement.intake.vocabulary import (
    CHANNEL_WORDS,
    FUND_WORDS,
    ITEM_WORDS,
    METHOD_WORDS,
    MONEY_ACCOUNT_WORDS,
)

PAGE = Path(__file__).parents[3] / "docs" / "files.md"

FLOWS = {
    "required": {"doc_no": ""},
    "formula_error": {"note": "#REF!"},
    "boolean_cell": {"amount": True},
    "not_an_amount": {"amount": "约500"},
    "too_many_decimals": {"amount": "12.345"},
    "malformed_thousands": {"amount": "12,34.56"},
    "scientific_notation": {"amount": "1.2E+05"},
    "parenthesised_amount": {"amount": "(500.00)"},
    "amount_too_large": {"amount": "99999999999999"},
    "not_a_date": {"date": "五月"},
    "impossible_date": {"date": "2023-02-30"},
    "date_out_of_range": {"date": "1923-01-05"},
    "time_not_allowed": {"date": "2023-01-05 12:30:00"},
    "not_a_month": {"belongs_to": "2023-13"},
    "numeric_identifier": {"doc_no": 3.30604199001011e17},
    "text_too_long": {"doc_no": "9" * 70},
    "control_character": {"doc_no": "SJ\u200b0001"},
    "not_an_integer": {"original_year": "去年"},
    "number_out_of_range": {"original_year": "1949"},
    "unknown_code": {"money_account": "基本户"},
    "malformed_area": {"area": "3306"},
    "other_area": {"area": "330605"},
    "unknown_fund": {"fund": "职保"},
    "fund_not_in_book": {"fund": "410"},
    "sub_fund_needed": {"fund": "310"},
    "unknown_item": {"item": "缴费"},
    "fund_does_not_fit_item": {"item": "transfer_in"},
    "zero_amount": {"amount": "0.00"},
    "negative_amount": {"amount": "-5.00"},
    "date_in_future": {"date": "2032-01-05"},
    "original_year_needed": {"item": "recovery", "fund": "310.pooled"},
    "original_year_after_date": {"item": "recovery", "original_year": "2024"},
    "account_needed": {"item": "reclassification"},
    "unknown_account": {"account": "9999"},
    "counterparty_fund_needed": {"item": "assisted_participation", "fund": "610"},
    "counterparty_fund_same": {
        "item": "assisted_participation",
        "fund": "610",
        "counterparty_fund": "610",
    },
    "payer_fund_in_book": {"item": "contribution.assisted", "counterparty_fund": "610"},
    "cell_without_head": {"": "56.00"},
}
CLAIMS = {
    "not_a_flag": {"refd_setl_flag": "2"},
    "malformed_code": {"med_type": "康复"},
    "malformed_institution": {"fixmedins_code": "H3306"},
    "unknown_institution": {"fixmedins_code": "H33060400009"},
    "not_of_this_area": {"fixmedins_code": "H31010400009", "insuplc_admdvs": "310104"},
    "amounts_do_not_add_up": {"psn_cash_pay": "239.00"},
    "parts_do_not_add_up": {"hifp_pay": "601.00"},
    "wrong_sign": {"preselfpay_amt": "-1.00"},
    "end_before_begin": {"enddate": "2023-09-30"},
}
RECLASSIFIED = {
    "reclassification_alone": ["5.00"],
    "reclassification_unbalanced": ["5.00", "-4.00"],
    "reclassification_mixed": ["5.00", "-5.00"],
    "reclassification_incomplete": ["5.00", "-5.00x"],
}
STATED = {
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
STATEMENTS = {
    "statement_not_a_month": {"stmt_enddate": "2023-10-30"},
    "statement_conflict": {"fixmedins_setl_cnt": "68"},
}
#: A statement of one bank, with two accounts and a profile in the setup.
STATED_LINE = {"date": "2023-10-09", "amount": "5", "balance": "5.00", "bank_ref": "A"}
REGISTERED = [
    {"account": "3300", "money_account": "expenditure"},
    {"account": "3301", "money_account": "income"},
]
APART = {"name": "gs", "heads": {"paid_in": "收入", "paid_out": "支出"}, "account": "3300"}
BANK_LINES = {
    "unknown_bank_account": {"account": "3309"},
    "bank_account_needed": {"account": ""},
    "one_amount_needed": {"account": "3300", "收入": "5", "支出": "5"},
    "balance_broken": {"account": "3300", "balance": "10.01"},
}
#: What only the books can know; the facts are those of the code that posts.
LATER = {
    "rule_not_applicable": Rejection(
        *(2, "item", "rule_not_applicable", "recovery"),
        {"reason_zh": "个账抵扣只用于 310.pooled", "reason_en": "it belongs to 310.pooled"},
        "fund_flows",
    ),
    "refund_without_original": Rejection(
        *(2, "setl_id", "refund_without_original", "S1"), {}, "claims"
    ),
    "refund_not_mirror": Rejection(
        *(2, "setl_id", "refund_not_mirror", "S1"),
        {"differences": ("medfee_sumamt", "acct_pay")},
        "claims",
    ),
    "reviews_above_cap": Rejection(
        *(2, "setl_id", "reviews_above_cap", "S1"),
        {"institution": "H33060400001", "year": "2023", "cases": 400, "allowed": 2},
        "case_reviews",
    ),
    "reviews_not_known": Rejection(
        *(2, "setl_id", "reviews_not_known", "S1"), {"method": "按床日"}, "case_reviews"
    ),
    "review_not_of_method": Rejection(
        *(2, "amount", "review_not_of_method", "3200.00"),
        {"method": "住院", "setl_id": "S1"},
        "case_reviews",
    ),
    "deduction_needs_fund": Rejection(
        *(2, "deduction", "deduction_needs_fund", "15000.00"), {}, "assessments"
    ),
    "year_cleared": Rejection(
        *(2, "setl_id", "year_cleared", "S1"),
        {
            "year": "2023",
            "run": "330604-clear-310.pooled-2023-1",
            "institution": "H33060400001",
        },
        "groupings",
    ),
    "unknown_settlement": Rejection(2, "setl_id", "unknown_settlement", "S9", {}, "groupings"),
    "settlement_cancelled": Rejection(
        *(2, "setl_id", "settlement_cancelled", "S1"), {"position": 17}, "groupings"
    ),
    "institution_differs": Rejection(
        *(2, "fixmedins_code", "institution_differs", "H33060400002"),
        {"setl_id": "S1", "institution": "H33060400001"},
        "groupings",
    ),
    "application_above_booked": Rejection(
        *(2, "fund_appy_sum", "application_above_booked", "H33060400001"),
        {"month": "2023-10", "insutype": "310", "clr_type": "21"}
        | {"applied_fen": 36305, "booked_fen": 36304},
        "clearing_applications",
    ),
    "prepayment_not_positive": Rejection(
        *(2, "amount", "prepayment_not_positive", "0"), {}, "prepayments"
    ),
    "institution_not_prepaid": Rejection(
        *(2, "fixmedins_code", "institution_not_prepaid", "H33060400001"),
        {"status": "suspended", "date": "2024-01-05"},
        "prepayments",
    ),
    "prepayment_refused": Rejection(
        *(2, "fund", "prepayment_refused", "390"),
        {"fund": "390", "why": "payable_months", "period": "2023-12", "months": "5.99"}
        | {"needed": "6.00", "last_year": "599,988.00", "forecast": "599,988.00"},
        "prepayments",
    ),
    "prepayment_not_offered": Rejection(
        *(2, "fund", "prepayment_not_offered", "310.personal"),
        {"fund": "310.personal"},
        "prepayments",
    ),
    "prepayment_returned_too_much": Rejection(
        *(2, "result", "prepayment_returned_too_much", "returned"),
        {"institution": "H33060400001", "fund": "390", "amount": "83.34", "balance": "83.33"},
        "payment_results",
    ),
    "payment_document_stands": Rejection(
        *(2, "order_no", "payment_document_stands", "330604-prepay-390-2024-01-1-0001"),
        {"doc_no": "330604-prepay-390-2024-01-1-H33060400001"},
        "payment_results",
    ),
    "person_amount_not_positive": Rejection(
        *(2, "amount", "person_amount_not_positive", "0"), {}, "person_payments"
    ),
    "person_payment_conflict": Rejection(
        *(2, "ref", "person_payment_conflict", "LX001"), {"position": 17}, "person_payments"
    ),
    "manual_claim_not_owed": Rejection(
        *(2, "ref", "manual_claim_not_owed", "SG1"), {"fund": "610"}, "person_payments"
    ),
    "manual_claim_differs": Rejection(
        *(2, "amount", "manual_claim_differs", "1.00"), {"owed_fen": 101}, "person_payments"
    ),
    "manual_claim_of_another": Rejection(
        *(2, "psn_no", "manual_claim_of_another", "P1***01"), {}, "person_payments"
    ),
    "unknown_payment_order": Rejection(
        *(2, "order_no", "unknown_payment_order", "P1"), {}, "payment_results"
    ),
    "payment_amount_differs": Rejection(
        *(2, "amount", "payment_amount_differs", "33334"),
        {"amount_fen": 33334, "order_fen": 33333},
        "payment_results",
    ),
    "payment_result_conflict": Rejection(
        *(2, "result", "payment_result_conflict", "failed"),
        {"order": "330604-payout-390-2024-03-1-0001", "state": "paid", "date": "2024-03-06"},
        "payment_results",
    ),
    "manual_claim_barred": Rejection(
        *(2, "claim_no", "manual_claim_barred", "SG-1"),
        {
            "reason": "no_one_stop_policy",
            "reason_zh": "险种 390 在 2023-10-05 没有已批准的一站式待遇政策。",
            "reason_en": "No approved one-stop policy of fund 390 is in force on 2023-10-05.",
        },
        "manual_claims",
    ),
    "application_twice": Rejection(
        *(2, "fixmedins_code", "application_twice", "H33060400001"),
        {"month": "2023-10", "insutype": "310", "clr_type": "21"}
        | {"application": "330604-application-H33060400001-310-21-2023-10-1"}
        | {"position": 4711, "fund_fen": 36304, "acct_fen": 0},
        "clearing_applications",
    ),
}
REVIEWED = {
    "setl_id": "S1",
    "review_no": "TL1",
    "decision": "通过",
    "points": "1850",
    "reason": "费用合理",
}
CASES = {
    "not_a_decimal": {"setl_id": "S2", "points": "很多"},
    "points_not_accepted": {"setl_id": "S2", "decision": "不通过"},
    "points_and_amount": {"setl_id": "S2", "amount": "3200.00"},
    "row_conflict": {"points": "1900"},
}

APPLIED = {
    "fixmedins_code": "H33060400001",
    "insutype": "310",
    "clr_type": "21",
    "setlym": "202310",
    "medfee_sumamt": "3043.64",
    "fund_appy_sum": "363.04",
    "cash_payamt": "2680.60",
    "acct_pay": "0.00",
    "begndate": "2023-10-01",
}
APPLICATIONS = {
    "application_of_another_month": {"begndate": "2023-09-30"},
    "application_month_not_over": {"setlym": "202311", "begndate": ""},
    "application_does_not_add_up": {"medfee_sumamt": "3043.65"},
}


def table_of(files, rows, **how):
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return open_table(files.xlsx([keys, *([row.get(key) for key in keys] for row in rows)]), **how)


@pytest.fixture
def provoked(files, flow_row, claim, context, check_claims):
    """Provoke every row rejection once; give them by code."""
    found = {}
    for code, changes in FLOWS.items():
        checked = check_flows(table_of(files, [flow_row(), flow_row(**changes)]), context)
        found[code] = checked.rejections
    for code, changes in CLAIMS.items():
        _, outcomes = check_claims(table_of(files, [claim(**changes)]))
        found[code] = [w for out in outcomes if isinstance(out, Rejected) for w in out.rejections]
    for code, amounts in RECLASSIFIED.items():
        rows = [
            flow_row(doc_no="R1", item="reclassification", amount=amount, account="国库")
            for amount in amounts
        ]
        if code == "reclassification_mixed":
            rows[1]["fund"] = "610"
        found[code] = check_flows(table_of(files, rows), context).rejections
    again = [flow_row(), flow_row(amount="1.00")]
    found["doc_no_conflict"] = check_flows(table_of(files, again), context).rejections
    _, outcomes = check_claims(table_of(files, [claim(), claim(days="9")]))
    found["setl_id_conflict"] = [
        w for out in outcomes if isinstance(out, Rejected) for w in out.rejections
    ]
    for code, changes in STATEMENTS.items():
        stated = table_of(files, [STATED, STATED | changes])
        found[code] = check_totals(stated, context).rejections
    banks = banks_of({"bank_accounts": REGISTERED, "bank_profiles": [APART]})
    for code, changes in BANK_LINES.items():
        rows = [STATED_LINE | {"account": "3300"}, STATED_LINE | changes]
        if code == "one_amount_needed":
            rows = [{key: cell for key, cell in rows[1].items() if key != "amount"}]
        table = table_of(files, rows, layouts=layouts_of(banks))
        found[code] = check_payments(table, replace(context, banks=banks)).rejections
    for code, changes in CASES.items():
        reviewed = table_of(files, [REVIEWED, REVIEWED | changes])
        found[code] = check_cases(reviewed, context).rejections
    for code, changes in APPLICATIONS.items():
        applied = table_of(files, [APPLIED | changes])
        found[code] = check_applications(applied, context).rejections
    return found | {code: [rejection] for code, rejection in LATER.items()}


HEAD = "doc_no,date,area,fund,item,amount"
ROW = "A1,2023-01-05,330604,390,interest,1.00"


@pytest.fixture
def problems(files, context, monkeypatch):
    """Provoke every file problem once; give them by code."""
    monkeypatch.chdir(files.folder)  # so that messages name files, not folders
    (files.folder / "folder").mkdir()
    with zipfile.ZipFile(files.folder / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    locked = bytearray(files.xlsx([["x"]], name="locked.xlsx").read_bytes())
    for entry in re.finditer(b"PK\x01\x02", bytes(locked)):
        locked[entry.start() + 8] |= 1
    for name, data in {
        "empty.csv": b"",
        "locked.xlsx": bytes(locked),
        "cut.xlsx": files.xlsx([["x"]], name="whole.xlsx").read_bytes()[:900],
        "nul.csv": b"a\nb\x00\n",
        "bytes.csv": b"a\n\xff\xff\n",
        "quotes.csv": f'{HEAD}\n{ROW}\nA2,"x'.encode(),
        "long.csv": f'{HEAD}\n"{"x" * 140_000}"\n'.encode(),
        "people.csv": "姓名,险种\n张三,310\n".encode(),
        "short.csv": "单据号,入账日期,险种,金额\n".encode(),
        "twice.csv": f"{HEAD},金额\n".encode(),
        "wide.csv": (HEAD + ",x" * 1000).encode(),
        "unknown.csv": f"{HEAD},经办人,复核人\n{ROW},甲,乙\n".encode(),
        "unit.csv": "单位：万元\n单据号,入账日期,统筹区,险种,项目,金额\n".encode(),
        "none.csv": HEAD.encode(),
        "total.csv": f"{HEAD}\n{ROW}\n合计,,,,,2.00\n".encode(),
        "middle.csv": f"{HEAD}\n合计,,,,,1.00\n{ROW}\n".encode(),
        "about.csv": f"{HEAD}\n{ROW}\n合计,,,,,约1元\n".encode(),
        "unread.csv": f"{HEAD}\n{ROW}x\n合计,,,,,1.00\n".encode(),
    }.items():
        files.raw(name, data)
    rows = [HEAD.split(","), ROW.split(",")]
    files.xlsx(None, name="several.xlsx", sheets={"一月": rows, "二月": rows})
    files.xlsx(None, name="notes.xlsx", sheets={"说明": [["甲"]], "一月": rows})
    wide = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    change(files.xlsx(rows, name="corner.xlsx"), "</sheetData>", wide)
    change(
        files.xlsx([["x"]], name="error.xlsx"),
        "</sheetData>",
        '<c t="e"><v>#REF!</v></c></sheetData>',
    )
    found = {}
    for name in [*sorted(path.name for path in files.folder.iterdir()), "missing.csv"]:
        for problem in problems_of(Path(name), context):
            found.setdefault(problem.code, problem)
    found |= layout_problems(files, context)
    found["file_unreadable"] = FileProblem("file_unreadable", {"reason": "Permission denied"})
    found["too_many_rejected"] = FileProblem("too_many_rejected", {"rows": 50_000, "line": 50_001})
    found["part_not_booked"] = FileProblem(
        "part_not_booked", {"part": "hifes_pay", "rows": 3, "sum_fen": 123456}
    )
    return found


def layout_problems(files, context):
    """Provoke what a bank's statement and its profiles may be refused or noticed for."""
    banks = banks_of({"bank_profiles": [{"name": "gs"}, {"name": "nh"}]})
    path = files.csv([["date", "amount", "bank_ref"], ["2023-10-09", "5", "A"]], name="bank.csv")
    found = {one.code: one for one in check_payments(open_table(path), context).problems}
    for profile in (None, "zs"):
        try:
            open_table(path, layouts=layouts_of(banks, profile))
        except FileRefused as refused:
            found |= {one.code: one for one in refused.problems}
    return found


def change(path, old, new):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def problems_of(path, context):
    try:
        return check_flows(open_table(path), context).problems
    except FileRefused as refused:
        return refused.problems


def test_a_refused_file_is_an_error_of_its_own(files):
    with pytest.raises(FileRefused) as refused:
        open_table(files.raw("empty.csv", b""))
    assert refused.value.message("zh").startswith("文件不能导入:文件是空的。")
    assert refused.value.document("en")["error"]["code"] == "file_refused"


def listed(code, thing):
    return f"| `{code}` | {thing.message('zh')} | {thing.message('en')} |"


def rejection_table(provoked):
    lines = []
    for code in ROW_TEXTS:
        found = [rejection for rejection in provoked.get(code, []) if rejection.code == code]
        assert found, f"{code} was not provoked: {provoked.get(code)}"
        lines.append(listed(code, found[0]))
    return lines


def problem_table(problems):
    assert set(problems) == set(FILE_TEXTS)
    return [listed(code, problems[code]) for code in FILE_TEXTS]


def test_every_row_rejection_is_provoked_and_stands_on_the_page(provoked):
    assert rejection_table(provoked) == lines_below("### 行的退回原因")


def test_every_file_problem_is_provoked_and_stands_on_the_page(problems):
    assert problem_table(problems) == lines_below("### 文件的问题")
    assert {code for code, problem in problems.items() if not problem.stops} == NOTICES


def column_table(kind):
    return [
        f"| `{column.key}`{' *' if column.required else ''} | {column.zh} "
        f"| {'、'.join(column.aliases)} | {column.form} |"
        for column in kind
    ]


def word_table(words):
    return [f"| `{code}` | {'、'.join(names)} |" for code, names in words.items()]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_column_stands_on_the_page(kind):
    assert column_table(kind) == lines_below(f"### `{kind.name}`")


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("险种", FUND_WORDS),
        ("项目", ITEM_WORDS),
        ("资金账户", MONEY_ACCOUNT_WORDS),
        ("方式", METHOD_WORDS),
        ("渠道", CHANNEL_WORDS),
    ],
)
def test_every_word_stands_on_the_page(title, words):
    assert word_table(words) == lines_below(f"### {title}")


def lines_below(title):
    """Give the rows of the table below a heading that starts like this."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index(f"\n{title}") + 1 :].partition("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(
    ("value", "personal", "seen"),
    [
        ("330604199001011234", True, "33***34"),
        ("1234", True, "***"),
        (None, True, "***"),
        (310.0, False, "310"),
        (0.1, False, "0.1"),
        ("x" * 90, False, "x" * 79 + "…"),
        ("a\x00\x1b[2Jb", False, "a��[2Jb"),
        (dt.date(2023, 1, 5), False, "2023-01-05"),
    ],
)
def test_a_value_is_shown_safely(value, personal, seen):
    assert shown(value, personal=personal) == seen
