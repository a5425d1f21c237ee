"""结算考核指标 by figures a clerk can check, from approved runs; on both stores.

Fund 390, January 2024; points in whole points, amounts in yuan:

    机构   应付    记账    病例  按点数  点数  总费用   未匹配  事后改组
    H1     90.00  100.00   5     4     480  400.00    1       1
    H2     30.00   25.00   6     6     420  300.00    0       0
    合计  120.00  125.00  11    10     900  700.00    1       1

结付率 120 ÷ 125 = 96.00 %, 记账 ÷ 应付 104.17 %. CMI: H1 120 points a case ÷ 90 of the fund = 1.3333.
By grouping 匹配率 H1 4 ÷ 5; 准确率 H1 (5 − 1) ÷ 5; 误差率 |90 − 100| ÷ 100.

Reconciled with the institutions, amounts of 390 in yuan:

    机构   组    平   我方     对方     明细对平   差异
    H1     2    1   100.00   97.50     3        1     对平率 1 ÷ 2, 准确率 3 ÷ 4, 误差 2.50 ÷ 100
    H2     1    1    25.00   25.00     (all even: its 6 settlements are right)
    合计    3    2   125.00  122.50     9 ÷ 10
"""

from hashlib import sha256

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.domain.identity import case_stream, clearing_stream, reconciliation_stream
from ledger.events.base import Envelope, Source
from ledger.events.cases import CaseGrouped
from ledger.events.clearing import (
    ClearedLine,
    ClearingApproved,
    ClearingComputed,
    ClearingRejected,
)
from ledger.events.reconciliation import (
    ComparedDetails,
    ComparedFund,
    ComparedTotals,
    ReconciliationRecorded,
)
from ledger.store.commit import Commit

FUND, MONTH = "390", "2024-01"
_NIL = dict.fromkeys(ClearedLine.__struct_fields__[2:-5], 0)
#: institution, due, booked, cases, by points, points, cost, unmatched
FIRST = (
    (H1, 9_000, 10_000, 5, 4, 480, 40_000, 1),
    (H2, 3_000, 2_500, 6, 6, 420, 30_000, 0),
)


def line(said):
    institution, due, booked, cases, pointed, points, cost, unmatched = said
    return ClearedLine(
        **_NIL
        | {
            "institution": institution,
            "payee": institution,
            "settled_fen": booked,
            "payable_fen": booked,
            "due_fen": due,
            "due_booked_fen": booked,
            "due_cases": cases,
            "pointed_cases": pointed,
            "points4": points * 10_000,
            "pointed_cost_fen": cost,
            "unmatched_cases": unmatched,
        }
    )


def append(ledger, stream, *facts):
    version = len(ledger.history(stream)) + 1
    key = f"{stream}:{version}"
    ledger.append(
        [Envelope(stream, version + number, fact) for number, fact in enumerate(facts)],
        Commit(key=key, input_hash=sha256(key.encode()).hexdigest()),
    )


def run(ledger, number, lines, decision=ClearingApproved, *, value="0.1333"):
    named = {
        "area": AREA,
        "fund": FUND,
        "period": MONTH,
        "run": f"{AREA}-clear-390-{MONTH}-{number}",
    }
    computed = ClearingComputed(
        **named,
        by=CLERK,
        plan_hash="p",
        watermark=1,
        basis="booked",
        policy="inpatient@1",
        policy_hash="h",
        engine="duckdb",
        engine_version="1",
        kernel="k",
        parameters="p",
        result="r",
        lines=tuple(map(line, lines)),
        offsets=(),
        point_value=value,
    )
    decided = {
        ClearingApproved: [ClearingApproved(**named, by=REVIEWER, plan_hash="p", watermark=1)],
        ClearingRejected: [ClearingRejected(**named, by=REVIEWER, reason="重算")],
        None: [],
    }[decision]
    append(ledger, clearing_stream(AREA, FUND, MONTH), computed, *decided)


def regrouped(ledger, setl_id, institution):
    fact = CaseGrouped(
        area=AREA,
        setl_id=setl_id,
        institution=institution,
        period=MONTH,
        reason="编码更正",
        by=CLERK,
        source=Source(),
        dise_code="I63.900",
    )
    append(ledger, case_stream(AREA, setl_id), fact)


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path) as opened:
        opened.setup("310", "390")
        run(opened.ledger, 1, FIRST)
        regrouped(opened.ledger, "S1", H1)
        regrouped(opened.ledger, "S1", H1)  # again: one case
        yield opened


@pytest.fixture
def measured(office, medfund):
    def ask(period=MONTH, *more):
        answer = medfund("--json", "measures", period, *more)
        assert answer.code == 0, answer.out
        return answer.json

    return ask


def by_institution(document, *names):
    return {row["institution"]: tuple(row[name] for name in names) for row in document["measures"]}


def test_rates_case_mix_and_costs_of_a_month(measured, office):
    document = measured()
    assert by_institution(document, "due_over_booked", "booked_over_due", "settlement_rate") == {
        None: ("96.00", "104.17", "96.00"),
        H1: ("90.00", "111.11", "90.00"),
        H2: ("120.00", "83.33", "120.00"),
    }
    assert by_institution(document, "grouped_over_cases", "kept_over_cases", "error_rate") == {
        None: ("90.91", "90.91", "4.00"),
        H1: ("80.00", "80.00", "10.00"),
        H2: ("100.00", "100.00", "20.00"),
    }
    assert by_institution(document, "match_rate", "record_accuracy")[H1] == (None, None)
    assert document["measures"][1]["reasons"]["match_rate"]["code"] == "not_reconciled"
    assert by_institution(document, "case_mix_index", "average_cost_fen", "cases", "batches") == {
        None: ("1.0000", 7_000, 11, 1),
        H1: ("1.3333", 10_000, 5, 1),
        H2: ("0.7778", 5_000, 6, 1),
    }
    assert [one["point_value"] for one in document["point_values"]] == ["0.1333"]
    assert measured("2024")["measures"] == document["measures"], "a year of one month is that month"
    assert measured("2023")["measures"] == []
    office.assert_sound()


def test_a_later_run_says_the_whole_month_anew_and_only_approved_ones_count(measured, office):
    run(office.ledger, 2, [(H1, 9_900, 11_000, 6, 5, 600, 50_000, 0)], value="0.1400")
    run(office.ledger, 3, [(H2, 1, 1, 1, 1, 1, 1, 1)], ClearingRejected)
    run(office.ledger, 4, [(H2, 7, 7, 7, 7, 7, 7, 7)], None)
    document = measured()
    assert by_institution(document, "due_fen", "booked_fen", "batches", "settled_fen") == {
        None: (12_900, 13_500, 2, 23_500),
        H1: (9_900, 11_000, 2, 21_000),
        H2: (3_000, 2_500, 1, 2_500),
    }
    assert [one["point_value"] for one in document["point_values"]] == ["0.1400"]
    office.assert_sound()


def reconciled(ledger, *, totals, funds, details=(), unreconciled=()):
    fact = ReconciliationRecorded(
        area=AREA,
        period=MONTH,
        by=CLERK,
        counterparty="institution",
        as_of=1,
        groups=tuple(
            ComparedTotals(code, "390", clr_type, "all", result, (cases, 0, 0, 0), (cases, 0, 0, 0))
            for code, clr_type, result, cases in totals
        ),
        unreconciled=unreconciled,
        breaks=(),
        details=tuple(ComparedDetails(*one) for one in details),
        funds=tuple(ComparedFund(*one) for one in funds),
    )
    append(ledger, reconciliation_stream(AREA, "institution", MONTH), fact)


TOTALS = ((H1, "11", "3", 3), (H1, "21", "0", 2), (H2, "21", "0", 6))
FUNDS = (
    (H1, FUND, "11", 4_000, 3_750, "1"),
    (H1, FUND, "21", 6_000, 6_000, "0"),
    (H2, FUND, "21", 2_500, 2_500, "0"),
)


def test_match_rate_and_accuracy_come_from_the_latest_recorded_reconciliation(measured, office):
    reconciled(office.ledger, totals=TOTALS[2:], funds=FUNDS[2:], unreconciled=(H1,))
    assert measured()["measures"][1]["reasons"]["match_rate"]["code"] == "no_statement"
    pooled = (H2, "310.pooled", "21", 0, 100, "2")
    reconciled(office.ledger, totals=TOTALS, funds=(*FUNDS, pooled), details=[(H1, 3, 0, 0, 1)])
    uncleared = measured(MONTH, "--fund", "310", "--institution", H2)["measures"][-1]
    assert (uncleared["match_rate"], uncleared["cases"]) == ("0.00", 0)
    assert uncleared["reasons"]["settlement_rate"]["code"] == "not_cleared"
    document = measured(MONTH, "--fund", FUND)
    names = ("match_rate", "record_accuracy", "even_over_compared", "right_over_listed")
    assert by_institution(document, *names) == {
        None: ("66.67", "90.00", "66.67", "90.00"),
        H1: ("50.00", "75.00", "50.00", "75.00"),
        H2: ("100.00", "100.00", "100.00", "100.00"),
    }
    assert document["reconciled_months"] == [MONTH]
    defined(
        office, {"match_rate": "grouped", "record_accuracy": "regrouped", "error_rate": "amounts"}
    )
    assert by_institution(
        measured(MONTH, "--fund", FUND), "match_rate", "record_accuracy", "error_rate"
    ) == {
        None: ("90.91", "90.91", "2.00"),
        H1: ("80.00", "80.00", "2.50"),
        H2: ("100.00", "100.00", "0.00"),
    }
    untold = ((H1, FUND, "11", 4_000, None, None), *FUNDS[1:])
    reconciled(office.ledger, totals=TOTALS, funds=untold)
    told = by_institution(
        measured(MONTH, "--fund", FUND), "even_over_compared", "right_over_listed", "error_rate"
    )
    assert told[H1] == ("50.00", None, None), (
        "a difference that no fund is named for is one of each"
    )
    reasons = by_institution(measured(MONTH, "--fund", FUND), "reasons")[H1][0]
    assert {name: one["code"] for name, one in reasons.items()} == {
        "right_over_listed": "no_list",
        "error_rate": "funds_not_told_apart",
    }
    office.assert_sound()


def defined(office, content):
    """Set the area's definitions from January on."""
    from settlement.setup import apply_setup  # noqa: PLC0415
    from settlement.setup_file import SetupFile  # noqa: PLC0415

    policy = {"name": "measures", "effective": "2024-01-15", "content": content}
    file = {"area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]}, "policies": [policy]}
    apply_setup(office.ledger, SetupFile.model_validate(file), user="admin1")


def test_the_definitions_are_dated_parameters_of_the_area(measured, office):
    content = {
        "settlement_rate": "booked/due",
        "match_rate": "grouped",
        "record_accuracy": "regrouped",
        "error_rate": "records",
    }
    defined(office, content)
    document = measured()
    assert document["definition"] == content
    assert by_institution(document, "settlement_rate", "error_rate")[H1] == ("111.11", "20.00")


def test_the_settlement_rate_is_an_indicator_of_every_fund_and_of_both_together(medfund, office):
    rows = medfund("--json", "indicators", MONTH).json["indicators"]
    rates = {row["fund"]: row for row in rows if row["name"] == "settlement_rate"}
    assert {fund: row["value"] for fund, row in rates.items()} == {
        "310": None,
        "310.pooled": None,
        "310.personal": None,
        "390": "96.00",
        "basic": "96.00",
    }
    assert rates["310"]["reason"] == "no_clearing_run"
    assert rates["390"]["inputs"] == {"due_fen": 12_000, "booked_fen": 12_500, "clearings": 1}
    before = str(office.position - 5)
    known = medfund("--json", "indicators", MONTH, "--fund", "390", "--known-at", before).json
    assert [row["value"] for row in known["indicators"] if row["name"] == "settlement_rate"] == [
        None
    ]


def test_a_rebuild_gives_the_same_measures(medfund, measured, office):
    before = measured()["measures"]
    answer = medfund("--json", "rebuild", "clearing")
    assert answer.code == 0, answer.out
    assert measured()["measures"] == before
    office.assert_sound()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("form", ["md", "csv", "xlsx", "pdf"])
def test_the_measures_are_a_report(medfund, office, tmp_path, form):
    target = tmp_path / f"measures.{form}"
    assert medfund("report", "measures", MONTH, "--format", form, "-o", target).code == 0
    assert target.stat().st_size > 300
