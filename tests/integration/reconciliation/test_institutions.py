"""Reconciling a month with institutions, from their files to the recorded result, on both stores.

Deliberate defects that these tests catch: refunds left out of our sums; the first statement kept
instead of the latest; settlements matched twice; a settlement of a running intake counted; a
difference that was settled in between keeps its age; an overtaken commit not tried again.
"""

import csv
import json

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.application import FundLedger
from ledger.domain.identity import statement_details_stream, statement_totals_stream
from ledger.events.reconciliation import ReconciliationRecorded, StatementDetailsReceived
from settlement.corrections import StatementStays

JANUARY = {"stmt_begndate": "2024-01-01", "stmt_enddate": "2024-01-31"}


def claim(number, hospital=H1, *, fee="100.00", fund="60.00", account="10.00", **more):
    cash = f"{float(fee) - float(fund) - float(account):.2f}"
    return {
        "setl_id": f"S{number}",
        "fixmedins_code": hospital,
        "setl_time": "2024-01-15 10:00:00",
        "medfee_sumamt": fee,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        "psn_cash_pay": cash,
        **more,
    }


def refund(number, hospital=H1, **more):
    amounts = {"medfee_sumamt": "-100.00", "fund_pay_sumamt": "-60.00", "acct_pay": "-10.00"}
    return (
        claim(number, hospital) | amounts | {"psn_cash_pay": "-30.00", "refd_setl_flag": "1"} | more
    )


def totals(hospital=H1, cases="3", fee="300.00", fund="180.00", account="30.00", **more):
    return {
        "fixmedins_code": hospital,
        "insutype": "310",
        "clr_type": "21",
        **JANUARY,
        "medfee_sumamt": fee,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        "fixmedins_setl_cnt": cases,
        **more,
    }


def detail(number, hospital=H1, *, fee="100.00", fund="60.00", account="10.00", **more):
    return {
        "setl_id": f"S{number}",
        "mdtrt_id": f"M{number}",
        "psn_no": "33060400001234567890",
        "fixmedins_code": hospital,
        **JANUARY,
        "medfee_sumamt": fee,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        **more,
    }


@pytest.fixture
def office(store_url, tmp_path):
    """Three settlements at each hospital in January, and one in February."""
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "610")
        rows = [claim(number) for number in (1, 2, 3)]
        rows += [claim(number, H2) for number in (4, 5, 6)]
        rows += [claim(9, setl_time="2024-02-01 00:00:00")]
        assert office.bring_claims(rows).state == "posted"
        yield office


@pytest.fixture
def bring(office):
    """Bring a statement of the office in; the kind is recognised by its head."""
    count = iter(range(100))

    def brought(*rows, **how):
        path = office.write_file(f"statement-{next(count)}.csv", list(rows))
        return office.bring(path, **how)

    return brought


@pytest.fixture
def reconcile(office, medfund):
    """Reconcile January from the terminal."""

    def answer(*words, user=None, period="2024-01"):
        said = medfund("reconcile", "institution", period, "--json", *words, user=user)
        assert said.code == 0, said.err + said.out
        return said.json

    return answer


def results(document):
    return {
        (row["institution"], row["clr_type"], row["part"]): row["result"]
        for row in document["groups"]
    }


@pytest.mark.parametrize(
    ("stated", "result"),
    [
        (totals(), "0"),
        (totals(cases="2", fee="200.00", fund="120.00", account="20.00"), "1"),
        (totals(fund="179.99"), "1"),
        (totals(cases="4", fee="400.00", fund="240.00", account="40.00"), "2"),
        (totals(account="30.01"), "2"),
        (totals(cases="4", fund="179.99"), "3"),
    ],
)
def test_totals_are_compared(bring, reconcile, stated, result):
    brought = bring(stated)
    assert (brought.kind, brought.state, brought.posted) == ("statement_totals", "posted", 1)
    document = reconcile()
    assert results(document) == {(H1, "21", "all"): result}
    (row,) = document["groups"]
    ours = {"cases": 3, "medfee_fen": 30_000, "fund_fen": 18_000, "account_fen": 3_000}
    assert row["ours"] == ours
    assert row["theirs"]["cases"] == int(stated["fixmedins_setl_cnt"])
    assert (row["intake"], row["line"]) == (brought.intake, 2)
    assert [one["institution"] for one in document["unreconciled"]] == [H2]
    assert document["unreconciled"][0]["ours"] == ours


def test_a_refund_lowers_our_sums_and_may_be_stated_apart(office, bring, reconcile):
    office.bring_claims([refund(1)])
    bring(totals(cases="4", fee="200.00", fund="120.00", account="20.00"))
    assert results(reconcile()) == {(H1, "21", "all"): "0"}
    minus = {"fee": "-100.00", "fund": "-60.00", "account": "-10.00"}
    bring(totals(refd_setl_flag="0"), totals(cases="1", refd_setl_flag="1", **minus))
    assert results(reconcile()) == {(H1, "21", "normal"): "0", (H1, "21", "refunds"): "0"}
    bring(totals(cases="4", fee="200.00", fund="120.00", account="20.01"))
    assert results(reconcile()) == {(H1, "21", "all"): "2"}, "the latest statement counts"


def test_a_group_that_was_not_stated_is_more_on_our_side(office, bring, reconcile):
    office.bring_claims([claim(10, clr_type="11"), claim(11, insutype="390")])
    bring(totals())
    document = reconcile()
    missing = [row for row in document["groups"] if row["theirs"] is None]
    assert {(row["insutype"], row["clr_type"], row["result"]) for row in missing} == {
        ("310", "11", "1"),
        ("390", "21", "1"),
    }
    assert document["summary"]["match_rate"] == "33.33"


def test_what_was_reversed_or_settled_in_another_month_is_not_ours(office, bring, reconcile):
    office.reverse("S3")
    bring(totals(cases="2", fee="200.00", fund="120.00", account="20.00"))
    assert results(reconcile()) == {(H1, "21", "all"): "0"}
    assert reconcile(period="2024-02")["unreconciled"][0]["ours"]["cases"] == 1


def test_where_totals_differ_details_are_matched_one_to_one(office, bring, reconcile):
    office.bring_claims([claim(10, clr_type="11")])
    bring(
        totals(cases="4", fee="450.00", fund="230.00", account="40.00"),
        totals(cases="1", fee="100.00", fund="60.00", account="10.00", clr_type="11"),
    )
    listed = bring(detail(1), detail(2, fund="50.00"), detail(7, fee="150.00"))
    assert (listed.kind, listed.state, listed.posted) == ("statement_details", "posted", 3)
    document = reconcile()
    (matched,) = document["details"]
    assert (matched["institution"], matched["even"]) == (H1, 1)
    broken = {row["setl_id"]: row for row in matched["breaks"]}
    assert {key: row["result"] for key, row in broken.items()} == {"S2": "3", "S3": "1", "S7": "2"}
    assert broken["S2"]["ours"]["fund_fen"] - broken["S2"]["theirs"]["fund_fen"] == 1_000
    assert (broken["S2"]["line"], broken["S2"]["intake"]) == (3, listed.intake)
    assert broken["S3"]["theirs"] is None
    assert broken["S3"]["position"] > 0
    assert (broken["S7"]["ours"], broken["S7"]["clr_type"]) == (None, None)
    summary = document["summary"]
    assert (summary["breaks"], summary["details_match_rate"]) == (3, "25.00")


def test_even_totals_need_no_details(bring, reconcile):
    bring(totals())
    bring(detail(1, fund="50.00"))
    assert reconcile()["details"] == []


def test_a_later_word_on_a_settlement_replaces_the_earlier(bring, reconcile):
    bring(totals(fund="170.00"))
    bring(detail(1), detail(2, fund="50.00"), detail(3))
    again = bring(detail(1), detail(2))
    assert (again.posted, again.already) == (1, 1)
    (matched,) = reconcile()["details"]
    assert (matched["even"], matched["breaks"]) == (3, [])


def test_the_same_file_or_row_again_changes_nothing(office, bring):
    for rows in ([totals()], [detail(1), detail(2)]):
        assert bring(*rows).posted == len(rows)
        position = office.position
        same = bring(*rows)  # the same bytes under another name
        assert (same.state, same.posted, office.position) == ("duplicate", 0, position)
        more = bring(*rows, rows[0])
        assert (more.posted, more.already) == (0, len(rows) + 1)
        assert office.position == position + 1, "only the intake's completion"
    office.assert_sound()


def test_a_dry_run_writes_nothing_and_partial_records_the_good_rows(office, bring):
    position = office.position
    rows = [detail(1), detail(2, fund="x"), detail(3, stmt_enddate="2024-01-30")]
    checked = bring(*rows, dry_run=True)
    assert (checked.state, checked.accepted, checked.rejected) == ("checked", 1, 2)
    refused = bring(*rows)
    assert (refused.state, refused.posted, office.position) == ("rejected", 0, position)
    partial = bring(*rows, partial=True)
    assert (partial.state, partial.posted, partial.rejected) == ("partial", 1, 2)


def test_long_lists_are_kept_in_parts_without_any_person(office, bring):
    rows = [detail(number) for number in range(2_500)]
    assert bring(*rows).posted == 2_500
    history = office.ledger.history(statement_details_stream(AREA, H1, "2024-01"))
    facts = [envelope.fact for _, envelope in history]
    assert [len(fact.settlements) for fact in facts] == [1_000, 1_000, 500]
    assert all(isinstance(fact, StatementDetailsReceived) for fact in facts)
    for position, _ in history:
        assert b"33060400001234567890" not in office.ledger.log.event_at(position).state
    assert bring(*rows, detail(2_500)).posted == 1


def test_a_statement_is_corrected_by_a_later_one_not_reversed(office, bring):
    brought = bring(totals())
    with pytest.raises(StatementStays):
        office.reverse_whole(brought.intake)


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (totals(stmt_enddate="2024-01-30"), "stmt_enddate", "statement_not_a_month"),
        (totals(stmt_enddate="2024-02-29"), "stmt_enddate", "statement_not_a_month"),
        (totals(stmt_begndate="2024-02-30"), "stmt_begndate", "impossible_date"),
        (
            totals(stmt_begndate="2024-07-01", stmt_enddate="2024-07-31"),
            *("stmt_enddate", "date_in_future"),
        ),
        (totals(cases="-3"), "fixmedins_setl_cnt", "number_out_of_range"),
        (totals(cases=""), "fixmedins_setl_cnt", "required"),
        (totals(hospital="H33060400009"), "fixmedins_code", "unknown_institution"),
        (totals(hospital="H11010100001"), "fixmedins_code", "unknown_institution"),
        (totals(insutype="职保"), "insutype", "unknown_code"),
        (totals(fund="180.001"), "fund_pay_sumamt", "too_many_decimals"),
        (totals(refd_setl_flag="1"), "medfee_sumamt", "wrong_sign"),
        (detail(1, fund="-60.00"), "fund_pay_sumamt", "wrong_sign"),
        (detail(1, refd_setl_flag="1"), "acct_pay", "wrong_sign"),
        (detail(1, stmt_begndate="2024-01-02"), "stmt_enddate", "statement_not_a_month"),
    ],
)
def test_a_wrong_row_is_refused(office, bring, row, field, code):
    position = office.position
    brought = bring(row)
    assert (field, code) in {(one.field, one.code) for one in brought.rejections}
    assert (brought.posted, office.position) == (0, position)


def test_everything_wrong_with_a_row_is_said_at_once(bring):
    brought = bring(totals(hospital="H1", cases="-1", fee="x", stmt_enddate="2024-01-30"))
    assert {one.field for one in brought.rejections} == {
        "fixmedins_code",
        "fixmedins_setl_cnt",
        "medfee_sumamt",
        "stmt_enddate",
    }


def test_two_rows_for_one_group_are_a_conflict(bring):
    brought = bring(totals(), totals(fund="1.00"))
    (rejection,) = brought.rejections
    assert (rejection.line, rejection.code) == (3, "statement_conflict")


def test_a_missing_column_or_a_wrong_control_total_stops_the_file(bring):
    without = {key: cell for key, cell in totals().items() if key != "fixmedins_setl_cnt"}
    (problem, *_) = bring(without, kind="statement_totals").problems
    assert (problem.code, problem.facts["missing"]) == ("missing_column", ("fixmedins_setl_cnt",))
    control = dict.fromkeys(totals(), "") | {"fixmedins_code": "合计", "fund_pay_sumamt": "180.00"}
    assert bring(totals(), control | {"fixmedins_setl_cnt": "3"}).state == "posted"
    wrong = bring(totals(fund="181.00"), control)
    assert [one.code for one in wrong.problems] == ["control_total_mismatch"]
    assert wrong.posted == 0


def test_chinese_heads_are_recognised(office, bring):
    row = {
        "定点医药机构编号": H1,
        "险种类型": "职工医保",
        "清算类别": "住院",
        "对账开始日期": "2024-01-01",
        "对账结束日期": "2024年1月31日",
        "医疗费总额": "300.00",
        "基金支付总额": "180.00",
        "个人账户支出": "30.00",
        "结算笔数": "3",
    }
    assert (bring(row).kind, bring(totals()).already) == ("statement_totals", 1)


def test_a_recorded_result_tells_since_when_a_difference_is_open(office, bring, reconcile, medfund):
    bring(totals(fund="170.00"))
    bring(detail(1), detail(2, fund="50.00"), detail(3))
    before = reconcile()
    assert before["groups"][0]["first_recorded"] is None
    first = reconcile("--record", user=CLERK)
    at = first["recorded"]["position"]
    assert (at, first["recorded"]["repeated"]) == (before["position"] + 1, False)
    again = reconcile("--record", user=CLERK)
    assert again["recorded"] == {"position": at, "repeated": True}
    assert office.position == at
    assert again["groups"][0]["first_recorded"]["position"] == at
    assert again["details"][0]["breaks"][0]["first_recorded"]["position"] == at
    assert again["unreconciled"][0]["first_recorded"]["position"] == at
    bring(totals(H2))
    second = reconcile("--record", user=CLERK)
    assert second["recorded"]["position"] > at
    assert second["groups"][0]["first_recorded"]["position"] == at, "still open since then"
    assert results(second)[H2, "21", "all"] == "0"
    fact = office.ledger.log.event_at(second["recorded"]["position"])
    said = json.loads(fact.state)
    assert (said["as_of"], said["by"]) == (second["position"], CLERK)
    assert said["breaks"] == [[H1, "S2", False, "3"]]
    office.assert_sound()


def test_a_settled_difference_that_opens_again_is_young(bring, reconcile):
    bring(totals(fund="170.00"))
    reconcile("--record", user=CLERK)
    bring(totals())
    reconcile("--record", user=CLERK)
    bring(totals(fund="171.00"))
    third = reconcile("--record", user=CLERK)
    assert third["groups"][0]["first_recorded"]["position"] == third["recorded"]["position"]


@pytest.mark.parametrize(
    ("words", "user", "code"),
    [
        (("--record",), None, 3),
        (("--record",), REVIEWER, 3),
        (("--record",), ADMINISTRATOR, 3),
        (("--record", "--institution", H1), CLERK, 64),
        (("--result", "result.pdf"), None, 64),
    ],
)
def test_refusals(office, medfund, words, user, code):
    position = office.position
    answer = medfund("reconcile", "institution", "2024-01", *words, user=user)
    assert answer.code == code
    assert office.position == position


def test_one_institution_alone(bring, reconcile):
    bring(totals(), totals(H2, fund="1.00"))
    document = reconcile("--institution", H2)
    assert results(document) == {(H2, "21", "all"): "1"}
    assert document["unreconciled"] == []


def test_the_result_as_a_file(bring, medfund, tmp_path):
    bring(totals(fund="170.00"))
    bring(detail(1), detail(2, fund="50.00"), detail(3))
    shown = medfund("reconcile", "institution", "2024-01")
    assert shown.code == 0
    assert {"中心多", "未对账", "不一致"} <= set(shown.out.replace("│", " ").split())
    path = tmp_path / "result.csv"
    assert medfund("reconcile", "institution", "2024-01", "--result", path).code == 0
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    (group,) = [row for row in rows if row[:3] == [H1, "第一人民医院", "310"]]
    assert group[5:7] == ["1", "中心多"]
    assert {"180.00", "170.00"} <= set(group)
    (broken,) = [row for row in rows if row[:2] == [H1, "S2"]]
    assert broken[3:5] == ["3", "不一致"]
    sheet = tmp_path / "result.xlsx"
    assert medfund("reconcile", "institution", "2024-01", "--result", sheet).code == 0
    assert sheet.read_bytes().startswith(b"PK")


def test_settlements_elsewhere_are_not_reconciled_here(office, reconcile):
    office.bring_claims([claim(20, "H11010100001")])
    document = reconcile()
    assert document["elsewhere"]["cases"] == 1
    assert "H11010100001" not in {one["institution"] for one in document["unreconciled"]}


def test_the_recorded_fact_is_whole(store_url, office, bring, reconcile):
    bring(totals())
    at = reconcile("--record", user=CLERK)["recorded"]["position"]
    with FundLedger(store_url, clock=lambda: None) as ledger:
        ((_, envelope),) = ledger.facts(after=at - 1, until=at)
    fact = envelope.fact
    assert isinstance(fact, ReconciliationRecorded)
    (group,) = fact.groups
    figures = (3, 30_000, 18_000, 3_000)
    assert (group.result, group.ours, group.theirs) == ("0", figures, figures)
    assert fact.unreconciled == (H2,)


def test_the_rejects_file_is_corrected_and_brought_in_again(office, medfund, tmp_path):
    rows = [detail(1), detail(2, fund="x"), detail(3)]
    path = office.write_file("details.csv", rows)
    partial = medfund("intake", path, "--partial", "--json", user=CLERK)
    (said,) = partial.json["files"]
    assert (partial.code, said["kind"]) == (2, "statement_details")
    assert (said["state"], said["posted"]) == ("partial", 2)
    rejects = tmp_path / "details.rejects.csv"
    rejects.write_text(
        rejects.read_text(encoding="utf-8-sig").replace(",x,", ",60.00,"), encoding="utf-8"
    )
    again = medfund("intake", rejects, "--json", user=CLERK)
    assert (again.code, again.json["files"][0]["posted"]) == (0, 1)
    listed = medfund("intake", "list", "--json")
    assert {"statement_details", "claims"} == {one["kind"] for one in listed.json["intakes"]}


def test_a_statement_overtaken_by_another_is_compared_again(
    office, bring, store_url, tmp_path, monkeypatch
):
    """Another process records the group between our comparison and our commit; ours is the later."""
    append = office.ledger.append

    def overtaken(envelopes, commit):
        monkeypatch.undo()
        folder = tmp_path / "other"
        folder.mkdir()
        with open_office(store_url, folder) as other:
            path = other.write_file("totals.csv", [totals(fund="170.00")])
            assert other.bring(path).posted == 1
        return append(envelopes, commit)

    monkeypatch.setattr(office.ledger, "append", overtaken)
    assert bring(totals(fund="171.00")).posted == 1
    group = (H1, "310", "21", "2024-01", "")
    history = office.ledger.history(statement_totals_stream(AREA, group))
    assert [envelope.fact.fund_fen for _, envelope in history] == [17_000, 17_100]
    office.assert_sound()
