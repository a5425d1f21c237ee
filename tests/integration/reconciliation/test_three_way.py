"""One institution's month at three desks, from the counter to the bank's statement, on both stores.

Fund 390, H1, January: booked 600.00 + 300.00; 900.00 applied for; 880.00 approved; ordered and paid
in March. Deliberate defects that these tests catch: a withdrawn application counted; a payment taken
as seen by the bank because it is in our books; a stage's remainder left out.
"""

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER
from support.paying import approve_months

ACCOUNT = "33001660400001"
BATCH = f"{AREA}-payout-390-2024-03-1"


def claim(setl_id, institution, yuan):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": "390",
        "med_type": "21",
        "clr_type": "21",
        "setl_time": "2024-01-05 10:00:00",
        "medfee_sumamt": yuan,
        "fund_pay_sumamt": yuan,
        "hifp_pay": yuan,
        "acct_pay": "0",
        "psn_cash_pay": "0",
    }


def application(yuan):
    return {
        "fixmedins_code": H1,
        "insutype": "390",
        "clr_type": "21",
        "setlym": "202401",
        "medfee_sumamt": yuan,
        "fund_appy_sum": yuan,
        "cash_payamt": "0",
        "acct_pay": "0",
    }


@pytest.fixture
def followed(banked, medfund):
    """Follow January; give the rows by institution without what is nil."""
    rows = [claim("S1", H1, "600.00"), claim("S2", H1, "300.00"), claim("S3", H2, "50.00")]
    assert banked.bring_claims(rows).rejections == []

    def answer(*words):
        said = medfund("reconcile", "institution", "2024-01", "--three-way", "--json", *words)
        assert said.code == 0, said.out
        return {
            row["institution"]: {key: value for key, value in row.items() if value}
            for row in said.json["rows"]
        }

    return answer


def parts(row):
    return {one["at"]: one["fen"] for one in row.get("parts", ())}


def test_where_a_months_money_stands(banked, state, followed, medfund):
    assert parts(followed()[H1]) == {"owed.booked": 90_000}
    path = banked.write_file("application.csv", [application("880.00")])
    assert medfund("intake", path, user=CLERK).code == 0
    row = followed()[H1]
    assert (row["booked_fen"], row["applied_fen"], row["declared_fen"]) == (90_000, 88_000, 88_000)
    assert parts(row) == {"applied": 2_000, "owed.booked": 2_000, "owed.declared": 88_000}
    approve_months(banked.ledger, AREA, "390", [(H1, "2024-01", 88_000)], "2024-02-20")
    prepare = ("payout", "prepare", "--fund", "390", "--date", "2024-03-05", "--json")
    assert medfund(*prepare, user=CLERK).code == 0
    assert medfund("approve", BATCH, user=REVIEWER).code == 0
    assert parts(followed()[H1])["owed.ordered"] == 88_000
    paid = ("payout", "confirm", BATCH, "--date", "2024-03-06", "--bank-ref", "S77")
    assert medfund(*paid, user=CLERK).code == 0
    row = followed()[H1]
    assert (row["paid_fen"], row.get("bank_fen")) == (88_000, None)
    assert parts(row) == {"applied": 2_000, "owed.booked": 2_000, "bank": 88_000}
    state(
        {
            "date": "2024-03-06",
            "amount": "-880.00",
            "balance": "-880.00",
            "bank_ref": "S77",
            "counterparty": "第一人民医院",
            "account": ACCOUNT,
        }
    )
    matched = medfund("reconcile", "bank", "2024-03", "--record", "--json", user=CLERK).json
    assert matched["accounts"][0]["matches"] == {"ref": 1}
    row = followed()[H1]
    assert row["bank_fen"] == 88_000
    assert parts(row) == {"applied": 2_000, "owed.booked": 2_000}
    assert parts(followed()[H2]) == {"owed.booked": 5_000}
    assert set(followed("--institution", H2)) == {H2}
    assert "已记账未申报" in medfund("reconcile", "institution", "2024-01", "--three-way").out


def test_a_withdrawn_application_is_none(banked, followed, medfund):
    path = banked.write_file("application.csv", [application("900.00")])
    assert medfund("intake", path, user=CLERK).code == 0
    number = f"{AREA}-application-{H1}-390-21-2024-01-1"
    withdrawn = medfund("clear", "application", "withdraw", number, "--reason", "重报", user=CLERK)
    assert withdrawn.code == 0, withdrawn.err
    row = followed()[H1]
    assert "applied_fen" not in row
    assert parts(row) == {"owed.booked": 90_000}


def test_as_a_file(followed, medfund, tmp_path):
    followed("--result", tmp_path / "three.xlsx")
    assert (tmp_path / "three.xlsx").stat().st_size > 1000
    followed("--result", tmp_path / "three.csv")
    assert "机构申请" in (tmp_path / "three.csv").read_text("utf-8-sig")
