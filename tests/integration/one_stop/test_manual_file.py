"""Manual claims as a file: received and computed all at once, each then approved like one by hand."""

import csv

import pytest
from support.office import CLERK, REVIEWER, open_office
from support.one_stop import write_policy


@pytest.fixture
def book(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "392", "610")
    assert medfund("policy", "propose", write_policy(tmp_path), user=CLERK).code == 0
    assert medfund("policy", "approve", "resident@1", user=REVIEWER).code == 0
    return medfund


def row(no, **more):
    return {
        "claim_no": no, "psn_no": "33060419900101", "insutype": "390", "date": "2024-03-20",
        "received": "2024-04-02", "documents": "6", "medfee_sumamt": "80000.00",
        "fulamt_ownpay_amt": "12500.00", "hosp_lv": "3", "reason": "异地急诊", **more,
    }  # fmt: skip


def written(tmp_path, rows, name="手工报销.csv"):
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for one in rows for key in one)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_file_is_received_once_and_each_claim_is_approved(book, store_url, tmp_path):
    rows = [row("SG-1"), row("SG-2", psn_no="P2", maf_psn_type="01", elsewhere="0")]
    path = written(tmp_path, rows)
    first = book("intake", path, "--json", user=CLERK).json["files"][0]
    assert (first["kind"], first["posted"], first["already"]) == ("manual_claims", 2, 0)
    assert book("intake", path, "--json", user=CLERK).json["files"][0]["duplicate"] is True
    again = book("intake", written(tmp_path, rows[:1], "再来.csv"), "--json", user=CLERK)
    assert again.json["files"][0]["already"] == 1
    shown = book("manual", "show", "330604-manual-SG-2", "--json").json
    assert shown["parts"] == {
        "hifp_pay": 43_095_00, "hifmi_pay": 10_988_25, "maf_pay": 9_391_73,
    }  # fmt: skip
    settled = book("approve", "330604-manual-SG-1", "--json", user=REVIEWER).json
    assert settled["owed"] == {"390": 43_095_00, "392": 5_643_00}
    with open_office(store_url, tmp_path) as office:
        log = b"".join(one[2] for one in office.ledger.log.read_facts(after=0, until=10**6))
        assert b"33060419900101" not in log
        office.figures(office.today)
        office.assert_sound()


def test_what_policy_or_books_bar_is_told_row_by_row(book, tmp_path):
    rows = [
        row("SG-1"),
        row("SG-2", hosp_lv="2"),
        row("SG-3", medfee_sumamt="100.00", fulamt_ownpay_amt=""),
        row("SG-4", setl_id="S9", medfee_sumamt=""),
        row("SG-5", date="2024-04-03"),
        row("SG-6", documents="0", medfee_sumamt=""),
    ]
    answer = book("intake", written(tmp_path, rows), "--json", user=CLERK)
    assert answer.code == 2
    told = answer.json["files"][0]
    assert told["posted"] == 0
    assert [(one["line"], one["field"], one["code"]) for one in told["rejections"]] == [
        (3, "claim_no", "manual_claim_barred"),
        (4, "claim_no", "manual_claim_barred"),
        (5, "claim_no", "manual_claim_barred"),
        (6, "received", "end_before_begin"),
        (7, "medfee_sumamt", "required"),
        (7, "documents", "number_out_of_range"),
    ]
    assert "没有适用于该结算的基本医保规则" in told["rejections"][0]["message"]
