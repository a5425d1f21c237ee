"""One month from its claims to the bank, through the real run: a member of a county community is paid
to whom leads it (医共体牵头机构), and the bridge of every institution ends in nil.

Fund 390, January 2024, paid as booked: H1 600.00 and 300.00, H2 100.01; H1 leads H2.
"""

import pytest
from support.office import CLERK, H1, H2, REVIEWER, open_office

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
POLICY = f"""
[policy]
name = "resident-2024"
title = "2024年度"
fund = "390"
effective = 2024-01-01

[payees]
{H2} = "{H1}"

[[methods]]
name = "all"
kind = "fee_for_service"
"""
SETTLED = [("S1", H1, "21", "600.00"), ("S2", H1, "11", "300.00"), ("S3", H2, "21", "100.01")]


@pytest.fixture
def ask(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
        claims = [
            {
                "setl_id": setl_id,
                "fixmedins_code": institution,
                "insutype": "390",
                "med_type": med_type,
                "clr_type": med_type,
                "setl_time": "2024-01-05 10:00:00",
                "medfee_sumamt": yuan,
                "fund_pay_sumamt": yuan,
                "hifp_pay": yuan,
                "acct_pay": "0",
                "psn_cash_pay": "0",
            }
            for setl_id, institution, med_type, yuan in SETTLED
        ]
        assert not office.bring_claims(claims).rejections

    def run(*words, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == 0, answer.out
        return answer.json

    return run


def test_a_month_from_its_claims_to_the_bank(ask, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(POLICY, "utf-8")
    ask("policy", "approve", ask("policy", "propose", file)["policy"], user=REVIEWER)
    run = ask("clear", "2024-01", "--fund", "390")
    ask("approve", run["run"], user=REVIEWER)
    batch = ask("payout", "prepare", "--fund", "390")
    assert [
        (one["institution"], one["payee"], one["amount_fen"], one["months"][0]["kinds"])
        for one in batch["lines"]
    ] == [
        (H1, H1, 90_000, {"inpatient": 60_000, "outpatient": 30_000}),
        (H2, H1, 10_001, {"inpatient": 10_001}),
    ]
    ask("approve", batch["payout"], user=REVIEWER)
    assert ask("payout", "confirm", batch["payout"], "--date", batch["date"])["recorded"] == 2
    standing = ask("obligations", "--fund", "390")["institutions"]
    assert [(one["institution"], one["paid_fen"], one["owed_fen"]) for one in standing] == [
        (H1, 90_000, 0),
        (H2, 10_001, 0),
    ]
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]
