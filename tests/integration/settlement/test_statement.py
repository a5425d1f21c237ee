"""One hospital's payment on its statement (结算单), from its claims to the bank's line.

Fund 390, H1, January 2024, in yuan:

    记账 1000.00 = 住院 600.00 + 300.00, 门诊 140.00 − 40.00 退费
    审核拒付 50.00 · 保证金 47.50 (5 % of 950.00) · 抵扣追回 100.00 · 上期结转 −2.50 (December)
    1000.00 − 50.00 − 47.50 − 100.00 − 2.50 = 应拨 800.00 = 银行付讫 2024-02-06, 流水 B0017
"""

import csv
import io
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office
from support.printed import printed_pages

from ledger.domain.identity import clearing_stream, settlement_stream
from ledger.domain.money import format_yuan
from ledger.domain.settlement_entries import (
    approved_entry,
    declared_entry,
    recovery_offset_entry,
    year_cleared_entry,
)
from ledger.events.base import Envelope
from ledger.events.clearing import (
    ClearedLine,
    ClearingApproved,
    ClearingComputed,
    OffsetTaken,
    SettlementApproved,
    SettlementDeclared,
)
from ledger.events.settlement import SettlementFact
from ledger.store.commit import Commit
from settlement.booking import booked_months, totals_of

FUND, MONTH, DAY = "390", "2024-01", "2024-02-03"
RUN = f"{AREA}-clear-{FUND}-{MONTH}-1"
APPLICATION = "APPLY-202401-H1"
CLAIMS = [
    ("S1", H1, "21", "600.00", "0"),
    ("S2", H1, "21", "300.00", "0"),
    ("S3", H1, "11", "100.00", "0"),
    ("S4", H1, "11", "40.00", "0"),
    ("S4", H1, "11", "-40.00", "1"),
    ("S5", H2, "21", "77.00", "0"),
]
LINE = ClearedLine(
    institution=H1,
    payee=H1,
    cases=3,
    booked_fen=100_000,
    refused_fen=5_000,
    otherwise_fen=0,
    waiting_fen=0,
    declared_fen=95_000,
    on_behalf_fen=0,
    settled_fen=95_000,
    deposit_fen=4_750,
    difference_fen=0,
    insurer_fen=0,
    offset_fen=10_000,
    prepaid_fen=0,
    carried_in_fen=-250,
    carried_out_fen=0,
    payable_fen=80_000,
    due_fen=None,
    due_booked_fen=None,
)
one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def claim(setl_id, institution, clr_type, yuan, flag):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": "390",
        "med_type": clr_type,
        "clr_type": clr_type,
        "setl_time": f"2024-01-1{setl_id[1]} 10:00:00",
        "medfee_sumamt": yuan,
        "fund_pay_sumamt": yuan,
        "hifp_pay": yuan,
        "acct_pay": "0",
        "psn_cash_pay": "0",
        "refd_setl_flag": flag,
    }


def append(ledger, stream, *facts):
    version = len(ledger.history(stream)) + 1
    key = f"{stream}:{version}"
    posted = [fact for fact in facts if isinstance(fact, SettlementFact)]
    ledger.append(
        [Envelope(stream, version + number, fact) for number, fact in enumerate(facts)],
        Commit(
            key=key,
            input_hash=sha256(key.encode()).hexdigest(),
            booked=booked_months(posted),
            totals=totals_of(posted),
        ),
    )


def settled(kind, entry, month=MONTH, **more):
    return kind(
        area=AREA,
        booked_on=DAY,
        postings=entry,
        rules_version=1,
        prepared_by=CLERK,
        fund=FUND,
        institution=H1,
        belongs_to=month,
        date=DAY,
        summary="结算",
        **more,
    )


def run_facts():
    """What a run leaves on its stream: computed, and approved by somebody else."""
    named = {"area": AREA, "fund": FUND, "period": MONTH, "run": RUN}
    return (
        ClearingComputed(
            **named,
            by=CLERK,
            plan_hash="plan" * 16,
            watermark=9,
            basis="booked",
            policy=None,
            policy_hash=None,
            engine="duckdb",
            engine_version="1",
            kernel="k",
            parameters="p",
            result="r",
            lines=(LINE,),
            offsets=(OffsetTaken(H1, "ZH-1", 10_000, True),),
        ),
        ClearingApproved(**named, by=REVIEWER, plan_hash="plan" * 16, watermark=9),
    )


@pytest.fixture
def book(store_url, tmp_path):
    """A book in which H1 was settled and not yet paid."""
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
        assert not office.bring_claims([claim(*one) for one in CLAIMS]).rejections
        ledger = office.ledger
        december = settlement_stream(AREA, FUND, H1, "2023-12")
        left = year_cleared_entry(FUND, H1, -250)
        append(
            ledger,
            december,
            settled(
                SettlementApproved,
                left,
                "2023-12",
                run="before",
                payee=H1,
                declared_fen=0,
                difference_fen=-250,
                approved_by=REVIEWER,
            ),
        )
    return store_url


@pytest.fixture
def ask(book, medfund):
    def run(*words, code=0, user=None):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


@pytest.fixture
def approved(ask, tmp_path, store_url):
    """H1 refused, declared and settled by a run, each by the people it takes."""
    refused = ask(
        *("refuse", "--fund", FUND, "--institution", H1, "--period", MONTH, "--amount", "50.00"),
        *("--reason-code", "01", "--reason", "重复收费", "--setl-id", "S2", "--doc-no", "JF-1"),
        *("--date", "2024-02-01"),
        user=CLERK,
    )
    ask("approve", refused["refusal"], user=REVIEWER)
    with open_office(store_url, tmp_path) as office:
        append(
            office.ledger,
            settlement_stream(AREA, FUND, H1, MONTH),
            settled(
                SettlementDeclared,
                declared_entry(FUND, H1, 95_000),
                application=APPLICATION,
                amount_fen=95_000,
            ),
            settled(
                SettlementApproved,
                (
                    *approved_entry(FUND, H1, declared_fen=95_000, deposit_fen=4_750),
                    *recovery_offset_entry(FUND, H1, 10_000, same_year=True),
                ),
                run=RUN,
                payee=H1,
                declared_fen=95_000,
                deposit_fen=4_750,
                offset_fen=10_000,
                approved_by=REVIEWER,
            ),
        )
        append(office.ledger, clearing_stream(AREA, FUND, MONTH), *run_facts())


def pay(ask):
    """Order what was approved, and have the bank pay it."""
    batch = ask("payout", "prepare", "--fund", FUND, "--date", "2024-02-05", user=CLERK)["payout"]
    ask("approve", batch, user=REVIEWER)
    ask(*("payout", "confirm", batch, "--date", "2024-02-06", "--bank-ref", "B0017"), user=CLERK)
    return batch


@pytest.fixture
def paid(approved, ask):
    """H1 ordered and paid."""
    return pay(ask)


@pytest.fixture
def tables(medfund):
    """Give the rows of the statement's tables, as its CSV has them, by their first head."""

    def read(period=MONTH, institution=H1, fund=FUND):
        words = ("report", "settlement", period, "--institution", institution, "--fund", fund)
        answer = medfund(*words, "--format", "csv")
        assert answer.code == 0, answer.err
        found, heads = {}, None
        for row in csv.reader(io.StringIO(answer.out.lstrip("\ufeff"))):
            if row[0] in HEADS:
                heads = found.setdefault(row[0], [])
            else:
                heads.append(row)
        return found

    return read


HEADS = (
    *("清算类别", "支付方式", "事项", "拒付单号", "追回单号", "清算年月", "勾稽", "用款计划"),
    *("付款单号", "银行结果", "结算ID"),
)


def test_a_reviewer_follows_a_payment_from_its_claims_to_its_bank_line(paid, tables, medfund):
    found = tables()
    assert found["清算类别"] == [
        ["11 门诊", "2", "1", "100.00"],
        ["21 住院", "2", "0", "900.00"],
        ["合计", "4", "1", "1000.00"],
    ]
    assert [row[:6] for row in found["事项"]] == [
        ["申报", APPLICATION, DAY, "950.00", CLERK, ""],
        ["审定应拨", RUN, DAY, "800.00", CLERK, REVIEWER],
    ]
    assert [row[:6] for row in found["拒付单号"]] == [
        ["JF-1", "2024-02-01", "01 重复收费", "S2", "50.00", ""]
    ]
    assert found["追回单号"] == [["ZH-1", RUN, DAY, "100.00", found["事项"][1][6]]]
    order = f"{paid}-0001"
    assert [row[:4] for row in found["勾稽"]] == [
        ["记账金额(统筹基金应付定点机构)", "1000.00", "见结算明细", ""],
        ["减:审核拒付", "-50.00", "JF-1", "2024-02-01"],
        ["减:暂扣质量保证金", "-47.50", RUN, DAY],
        ["减:抵扣追回款", "-100.00", RUN, DAY],
        ["减:冲抵预付金", "0.00", "", ""],
        ["加:上期结转", "-2.50", RUN, DAY],
        ["减:结转下期", "0.00", "", ""],
        ["应拨金额", "800.00", "", ""],
        ["减:尚未付讫", "0.00", "", ""],
        ["实拨金额(银行付讫)", "800.00", order, "2024-02-06"],
    ]
    assert [row[:6] for row in found["付款单号"]] == [
        [order, H1, "2024-02-05", f"{CLERK}、{REVIEWER}", "800.00", "800.00"]
    ]
    assert [(*row[:5], row[6]) for row in found["银行结果"]] == [
        (order, "付讫", "2024-02-06", "B0017", "800.00", "未勾对")
    ]
    assert [(row[0], row[2], row[6]) for row in found["结算ID"]] == [
        ("S1", "住院", "600.00"),
        ("S2", "住院", "300.00"),
        ("S3", "门诊", "100.00"),
        ("S4", "门诊", "40.00"),
        ("S4", "门诊 退费", "-40.00"),
        ("合计", "", "1000.00"),
    ]
    text = medfund("report", "settlement", MONTH, "--institution", H1, "--fund", FUND).out
    assert "√ 勾稽平衡    √ 与应付台账一致    √ 与清算批次一致    √ 与付款单一致" in text
    assert "√ 逐笔合计 1,000.00" in text
    assert RUN in text


STATED = (
    "date,amount,bank_ref,summary,account,source\n2024-02-06,-800.00,B0017,拨付,expenditure,bank\n"
)
STATED_LINE = "expenditure/2024-02-06/B0017/-80000/1"


def printed_example():
    """Give document, date and yuan of the worked example in docs/statement.md."""
    page = (Path(__file__).parents[3] / "docs" / "statement.md").read_text("utf-8")
    rows = page.partition("<!-- checked by")[2].partition("\n\n")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    return [tuple(row[1:]) for row in cells[2:]]


def test_plan_and_bank_line_are_printed_and_traced_from_a_settlement_and_back(
    approved, ask, tables, tmp_path
):
    of = ("--fund", FUND, "--period", "2024-02", "--date", "2024-02-04")
    ask("payout", "plan", *of, user=CLERK)
    ask("payout", "grant", *of, "--paper", "财社〔2024〕3号", user=REVIEWER)
    ask("payout", "draw", *of, "--doc-no", "BK-1", user=CLERK)
    payout = pay(ask)
    (tmp_path / "支出户.csv").write_text(STATED, encoding="utf-8")
    ask("intake", tmp_path / "支出户.csv", user=CLERK)
    ask("reconcile", "bank", "2024-02", "--record", user=CLERK)
    order, found = f"{payout}-0001", tables()
    assert [(row[0], *row[2:6]) for row in found["用款计划"]] == [
        ("用款申请", "2024-02 #1", "2024-02-04", "800.00", CLERK),
        ("财政批复", "财社〔2024〕3号", "2024-02-04", "800.00", REVIEWER),
        ("拨入支出户", "BK-1", "2024-02-04", "800.00", CLERK),
        ("已下付款单", payout, "2024-02-05", "800.00", REVIEWER),
    ]
    assert [row[6] for row in found["银行结果"]] == ["expenditure 2024-02-06 B0017 -800.00"]
    stations = [
        ("booked", None, None, 100_000),
        ("refused", "JF-1", "2024-02-01", 5_000),
        ("declared", APPLICATION, DAY, 95_000),
        ("settled", RUN, DAY, 95_000),
        ("ordered", order, "2024-02-05", 80_000),
        ("paid", order, "2024-02-06", 80_000),
        ("bank_line", STATED_LINE, "2024-02-06", -80_000),
    ]
    match = ask("trace", "S1")["path"][-1]["match"]
    for ref in ("S1", order, payout, STATED_LINE, "bank:B0017", match):
        traced = ask("trace", ref)
        path = [
            tuple(one[key] for key in ("step", "number", "date", "fen")) for one in traced["path"]
        ]
        assert path == stations, ref
    assert printed_example() == [
        (number or "", day or "", format_yuan(fen)) for _, number, day, fen in stations
    ], "docs/statement.md says what the product does"
    topics = [event["topic"] for event in ask("trace", order)["events"]]
    assert topics == [
        *("payout.prepared.v1", "payment.ordered.v1"),
        *("payout.approved.v1", "payment.confirmed.v1"),
    ]
    ask("reconcile", "release", match, "--reason", "勾错", user=CLERK)
    assert ask("trace", order)["path"][-1]["step"] == "paid", "a match that was released is none"
    assert tables()["银行结果"][0][6] == "未勾对"
    assert ask("trace", "bank:B9999", code=2)["error"]["code"] == "nothing_found"


@one_store
def test_the_statement_is_printed_and_is_a_workbook(paid, medfund, tmp_path):
    words = ("report", "settlement", MONTH, "--institution", H1, "--fund", FUND)
    target = tmp_path / "结算单.pdf"
    assert medfund(*words, "--format", "pdf", "-o", target).code == 0
    pages = printed_pages(target.read_bytes())
    assert "上虞区医疗保障基金结算单" in pages[0]
    assert {"1,000.00", "-47.50", "800.00"} <= set(pages[0])
    assert {"B0017", "定点机构(盖章):"} <= set(pages[1])
    assert len(pages) == 3, "two pages from claims to the bank, one of settlements"
    assert f"上虞区医疗保障基金结算单  {H1} 第一人民医院 {FUND} {MONTH}" in pages[1]
    assert pages[2].count("日期:") == 4
    target = tmp_path / "结算单.xlsx"
    assert medfund(*words, "--format", "xlsx", "-o", target).code == 0
    first, second = openpyxl.load_workbook(target).worksheets
    amounts = {row[0]: row[1] for row in first.iter_rows(values_only=True)}
    assert amounts["实拨金额(银行付讫)"] == 800
    assert [row[0] for row in second.iter_rows(values_only=True)][-5] == "合计"


@one_store
def test_the_year_adds_its_months_up_and_carries_in_only_from_before(paid, tables):
    found = tables("2024")
    bridge = {row[0]: row[1] for row in found["勾稽"]}
    assert bridge["记账金额(统筹基金应付定点机构)"] == "1000.00"
    assert bridge["加:上期结转"] == "-2.50"
    assert bridge["实拨金额(银行付讫)"] == "800.00"
    assert found["清算年月"][0] == [
        *(MONTH, "1000.00", "-50.00", "950.00", "-47.50", "-100.00", "0.00", "-2.50", "0.00"),
        "800.00",
    ]
    assert found["结算ID"][-1][6] == "1000.00"


@one_store
def test_before_any_run_everything_is_still_to_be_declared(ask, tables):
    found = tables()
    assert found["事项"][0][0] == found["拒付单号"][0][0] == found["付款单号"][0][0] == "无"
    assert found["用款计划"][0][0] == "无"
    bridge = {row[0]: row[1] for row in found["勾稽"]}
    assert (bridge["减:尚未申报"], bridge["应拨金额"]) == ("-1000.00", "0.00")


@one_store
def test_a_posting_that_no_run_knows_of_is_marked(paid, medfund, tmp_path, store_url):
    with open_office(store_url, tmp_path) as office:
        append(
            office.ledger,
            settlement_stream(AREA, FUND, H1, MONTH),
            settled(
                SettlementApproved,
                year_cleared_entry(FUND, H1, 1),
                run="unknown",
                payee=H1,
                declared_fen=0,
                difference_fen=1,
                approved_by=REVIEWER,
            ),
        )
    text = medfund("report", "settlement", MONTH, "--institution", H1, "--fund", FUND).out
    assert "× 与清算批次一致" in text
    assert "√ 与应付台账一致" in text


@one_store
def test_an_unknown_institution_and_a_missing_one_are_refused(ask, medfund):
    refused = ask("report", "settlement", MONTH, "--institution", "H33060499999", code=2)
    assert refused["error"]["code"] == "institution_unknown"
    assert medfund("report", "settlement", MONTH).code == 64
    assert medfund("report", "statement", "2024", "--fund", FUND).code == 64
