"""``layers check``: from files over the counter to flagged settlements, on both stores."""

import csv

import pytest
from support.office import CLERK, H1, REVIEWER, open_office
from support.one_stop import write_policy

from ledger.domain.identity import layers_stream
from ledger.events.one_stop import LayersChecked


def claim(setl_id, day, hifp, hifmi, *, person="P1", **more):
    rest = 80_000_00 - hifp - hifmi
    return {
        "setl_id": setl_id, "psn_no": person, "insutype": "390", "fixmedins_code": H1,
        "setl_time": f"{day} 10:00:00", "medfee_sumamt": "80000.00",
        "fulamt_ownpay_amt": "12500.00", "hifp_pay": f"{hifp / 100:.2f}",
        "hifmi_pay": f"{hifmi / 100:.2f}", "fund_pay_sumamt": f"{(hifp + hifmi) / 100:.2f}",
        "acct_pay": "0.00", "psn_cash_pay": f"{rest / 100:.2f}", **more,
    }  # fmt: skip


ROWS = [
    claim("S1", "2024-01-05", 43_095_00, 5_643_00),  # the synthetic stack
    claim("S2", "2024-03-05", 43_485_00, 15_330_00),  # 24,405 and 24,015 in the year
    claim("S3", "2024-03-06", 43_094_00, 5_642_00, person="P2"),
    claim("S4", "2024-03-07", 1_00, 0, person="P3"),  # refunded
    claim("S5", "2024-03-08", 1_00, 0, person="P4", insuplc_admdvs="310104"),
]
REFUND = claim("S4", "2024-03-09", 1_00, 0, person="P3") | {"refd_setl_flag": "1"}
REFUND |= {
    key: f"-{REFUND[key]}"
    for key in ("medfee_sumamt", "hifp_pay", "hifmi_pay", "fund_pay_sumamt", "psn_cash_pay")
}


@pytest.fixture
def book(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "392", "610")
        outcome = office.bring_claims([*ROWS, REFUND])
        assert outcome.state == "posted", outcome.document()
    return medfund


def adopt(book, tmp_path):
    assert book("policy", "propose", write_policy(tmp_path), user=CLERK).code == 0
    assert book("policy", "approve", "resident@1", user=REVIEWER).code == 0


def test_deviations_are_listed_exported_and_recorded_once(book, store_url, tmp_path):
    adopt(book, tmp_path)
    words = ("layers", "check", "2024-03", "--fund", "390")
    assert book(*words, "--record", "--json").code == 3  # nobody named
    found = book(*words, "--record", "--result", tmp_path / "r.csv", "--json", user=CLERK).json
    counted = ("settlements", "judged", "insured_elsewhere", "settlements_flagged", "unsure")
    assert [found[key] for key in counted] == [2, 2, 1, 1, 0]
    assert found["history_complete"] is True
    told = [(one["setl_id"], one["part"], one["difference_fen"]) for one in found["flagged"]]
    assert told == [("S3", "hifmi_pay", -1_00), ("S3", "hifp_pay", -1_00)]
    assert found["differences_fen"] == {"hifmi_pay": -1_00, "hifp_pay": -1_00}
    with (tmp_path / "r.csv").open(encoding="utf-8-sig") as file:
        assert [row[0] for row in csv.reader(file)][-2:] == ["S3", "S3"]
    again = book(*words, "--record", "--json", user=CLERK).json
    assert again["recorded"] == {"position": found["recorded"]["position"], "repeated": True}
    with open_office(store_url, tmp_path) as office:
        [(_, item)] = office.ledger.history(layers_stream("330604", "390", "2024-03"))
        assert isinstance(item.fact, LayersChecked)
        assert item.fact.deviations == len(item.fact.flagged) == 2
        office.figures(office.today)
        office.assert_sound()
    shown = book(*words).out
    assert "不符 1 笔" in shown


def test_without_a_policy_nothing_is_flagged_and_it_is_said(book):
    answer = book("layers", "check", "2024-03", "--fund", "390", "--json").json
    assert (answer["flagged"], answer["unjudged"]["no_policy"]) == ([], 2)
    assert "未标记任何结算" in book("layers", "check", "2024-03", "--fund", "390").out


def test_other_funds_have_no_layers_of_their_own(book):
    refused = book("layers", "check", "2024-03", "--fund", "610", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "fund_not_cleared")
