"""清算申请 (3203, 3204) from a file to what is declared, on both stores.

January 2024 at H1, insurance 310: two stays (21) and a visit (11); booked

    21  310.pooled 600.00 + 300.00   310.personal 50.00   610 assistance 100.00
    11  310.pooled  80.00            310.personal 20.00
"""

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

JANUARY = "2024-01-15 10:00:00"
ID = f"{AREA}-application-{H1}-310-21-2024-01-1"

#: What has nothing to do with the store is tested on the embedded one.
embedded = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def claim(setl_id, pooled, *, account="0.00", assistance="0.00", cash="0.00", **more):
    fund = f"{float(pooled) + float(assistance):.2f}"
    total = f"{float(fund) + float(account) + float(cash):.2f}"
    return {
        "setl_id": setl_id,
        "fixmedins_code": H1,
        "setl_time": JANUARY,
        "medfee_sumamt": total,
        "hifp_pay": pooled,
        "maf_pay": assistance,
        "fund_pay_sumamt": fund,
        "acct_pay": account,
        "psn_cash_pay": cash,
        **more,
    }


SETTLED = [
    claim("S1", "600.00", account="50.00", assistance="100.00", cash="250.00"),
    claim("S2", "300.00"),
    claim("S3", "80.00", account="20.00", clr_type="11", med_type="11"),
    claim("S4", "40.00", fixmedins_code=H2),
]


def application(fund="1000.00", account="50.00", *, cash="250.00", **more):
    total = f"{float(fund) + float(account) + float(cash):.2f}"
    return {
        "fixmedins_code": H1,
        "fixmedins_name": "第一人民医院",
        "insutype": "310",
        "clr_type": "21",
        "clr_way": "3",
        "setlym": "202401",
        "psntime": "2",
        "medfee_sumamt": total,
        "med_sumfee": total,
        "fund_appy_sum": fund,
        "cash_payamt": cash,
        "acct_pay": account,
        "begndate": "2024-01-01",
        "enddate": "2024-01-31",
        **more,
    }


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "610")
        assert office.bring_claims(SETTLED).rejections == []
        yield office


@pytest.fixture
def apply_for(office):
    count = iter(range(100))

    def brought(*rows, **how):
        path = office.write_file(f"application-{next(count)}.csv", list(rows))
        return office.bring(path, **how)

    return brought


@pytest.fixture
def stages(office, medfund):
    """(fund) → (booked and not declared, declared) of H1's January."""

    def asked(institution=H1):
        found = medfund("obligations", "--json", "--institution", institution).json
        return {
            row["fund"]: (row["undeclared_fen"], row["declared_fen"])
            for row in found["institutions"]
        }

    return asked


def codes(outcome):
    return [(one.field, one.code) for one in outcome.rejections]


def test_what_is_applied_for_is_declared_by_the_funds_that_owe_it(
    office, apply_for, stages, medfund
):
    """Declaring the personal account on the pooled fund, or the whole month, fails here."""
    checked = apply_for(application(), dry_run=True)
    assert (checked.kind, checked.accepted, codes(checked)) == ("clearing_applications", 1, [])
    assert stages()["310.pooled"] == (980_00, 0)
    assert apply_for(application()).posted == 1
    assert stages() == {
        "310.pooled": (80_00, 900_00),
        "310.personal": (20_00, 50_00),
        "610": (0, 100_00),
    }
    assert stages(H2) == {"310.pooled": (40_00, 0)}
    listed = medfund("clear", "application", "list", "--json").json["applications"]
    assert [(one["application"], one["state"], one["name"]) for one in listed] == [
        (ID, "standing", "第一人民医院")
    ]
    office.assert_sound()
    # The same application again, in other words and another file, is no second one.
    again = apply_for(application(setlym="2024-01") | {"note": "再报"})
    assert (again.posted, again.already, codes(again)) == (0, 1, [])


@embedded
def test_below_what_is_booked_the_rest_stays_booked(apply_for, stages):
    """700.01 over 900.00 and 100.00: 630.009 and 70.001, the fen to the larger remainder."""
    assert apply_for(application("700.01", "0.00", cash="0.00")).posted == 1
    assert stages()["310.pooled"] == (980_00 - 630_01, 630_01)
    assert stages()["610"] == (30_00, 70_00)
    assert stages()["310.personal"] == (70_00, 0)


REFUSED = [
    (application("1000.01"), ("fund_appy_sum", "application_above_booked")),
    (application(account="50.01"), ("acct_pay", "application_above_booked")),
    (application(clr_type="41"), ("fund_appy_sum", "application_above_booked")),
    (
        application(setlym="202312", begndate="", enddate=""),
        ("fund_appy_sum", "application_above_booked"),
    ),
    (application("-1.00"), ("fund_appy_sum", "application_above_booked")),
    (application(begndate="2023-12-31"), ("begndate", "application_of_another_month")),
    (application(enddate="2024-02-01"), ("enddate", "application_of_another_month")),
    (
        application(setlym="2024-07", begndate="", enddate=""),
        ("setlym", "application_month_not_over"),
    ),
    (application(medfee_sumamt="1300.01"), ("medfee_sumamt", "application_does_not_add_up")),
    (application(fixmedins_code="H99999999999"), ("fixmedins_code", "unknown_institution")),
]


@embedded
def test_what_cannot_be_applied_for(apply_for, stages):
    for row, fault in REFUSED:
        outcome = apply_for(row)
        assert fault in codes(outcome), row
        assert outcome.posted == 0
    assert stages()["310.pooled"] == (980_00, 0)


@embedded
def test_figures_stand_in_the_refusal(apply_for):
    said = apply_for(application("1000.01")).rejections[0].message("zh")
    assert "1,000.01" in said
    assert "1,000.00" in said
    apply_for(application())
    twice = apply_for(application("900.00"))
    assert codes(twice) == [("fixmedins_code", "application_twice")]
    assert ID in twice.rejections[0].message("en")
    assert "1,000.00" in twice.rejections[0].message("zh")


@embedded
def test_one_row_of_a_group_a_file_and_what_was_paid_is_not_there_again(office, apply_for):
    twice = apply_for(application(), application("900.00"))
    assert codes(twice) == [("fixmedins_code", "statement_conflict")]
    paid = {"doc_no": "Z1", "date": "2024-02-20", "fund": "310.pooled", "item": "benefit.inpatient"}
    paid |= {"amount": "100.00", "counterparty": H1, "belongs_to": "2024-01"}
    assert office.bring_flows([paid]).posted == 1
    over = apply_for(application(), application("80.00", "20.00", cash="0.00", clr_type="11"))
    assert codes(over) == [("fund_appy_sum", "application_above_booked")]
    assert "980.00" in over.rejections[0].message("zh")


def test_withdrawn_in_red_and_applied_for_again(apply_for, stages, medfund, office):
    apply_for(application())
    words = ("clear", "application", "withdraw", ID, "--reason", "金额有误", "--json")
    assert medfund(*words, user=REVIEWER).json["error"]["code"] == "role_missing"
    gone = medfund(*words, user=CLERK)
    assert (gone.code, gone.json["state"], gone.json["reason"]) == (0, "withdrawn", "金额有误")
    assert medfund(*words, user=CLERK).json == gone.json, "the same once more changes nothing"
    assert stages()["310.pooled"] == (980_00, 0)
    topics = [one["topic"].split(".")[1] for one in medfund("trace", ID, "--json").json["events"]]
    assert topics == ["received", *["declared"] * 3, "withdrawn", *["declared"] * 3]
    other = medfund(*words[:5], "别的理由", "--json", user=CLERK)
    assert other.code == 3, other.out
    assert apply_for(application("900.00")).posted == 1
    listed = medfund("clear", "application", "list", "--json").json["applications"]
    assert [one["application"] for one in listed] == [ID[:-1] + "2"]
    unknown = medfund("clear", "application", "withdraw", ID, "--reason", "x", "--json", user=CLERK)
    assert unknown.json["error"]["code"] == "unknown_application"
    office.assert_sound()


@embedded
def test_a_declaration_that_was_partly_refused_is_not_withdrawn(apply_for, medfund):
    apply_for(application())
    given = (
        "--fund",
        "310.pooled",
        "--institution",
        H1,
        "--period",
        "2024-01",
        "--date",
        "2024-02-10",
    )
    why = ("--amount", "100.00", "--reason-code", "A01", "--reason", "超限定")
    refusal = medfund("refuse", *given, *why, "--json", user=CLERK).json["refusal"]
    assert medfund("approve", refusal, user=REVIEWER).code == 0
    answer = medfund("clear", "application", "withdraw", ID, "--reason", "x", "--json", user=CLERK)
    error = answer.json["error"]
    assert (error["code"], error["facts"]["left"]) == ("application_partly_refused", "800.00")


@embedded
def test_an_intake_of_applications_is_not_reversed_as_a_whole(apply_for, medfund):
    intake = apply_for(application()).intake
    answer = medfund("reverse", "--intake", intake, "--json", user=CLERK)
    assert answer.json["error"]["code"] == "applications_are_withdrawn"
