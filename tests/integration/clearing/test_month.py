"""A month of a small area from its files to what two hospitals are due, by figures checked by hand.

March 2024, fund 310.pooled. The year's budget is 120,001.00 yuan, 5 % are reserved, and of the
114,000.95 each month but the last has 9,500.08: points share that.

Points (按病种分值; group A: 1000 points, average 10,000.00; coefficients H1 1.00, H2 0.85):

    S1  H1  A  cost 10,000.00   normal                             1000.0000    booked  7,000.00
    S2  H1  A  cost 20,000.00   normal, the upper edge             1000.0000    booked 14,000.00
    S3  H1  A  cost 25,000.00   high    1000 x (2.5 - 2 + 1)       1500.0000    booked 15,000.00
    S4  H2  A  cost  5,000.00   normal, the lower edge   x 0.85     850.0000    booked  3,000.00
    S5  H2  A  cost  3,000.00   low     1000 x 0.3       x 0.85     255.0000    booked  2,000.00

    H1 3500 of 4605 points: 9,500.08 x 3500 ÷ 4605 = 7,220.4734…   due 7,220.47
    H2 1105 of 4605 points: 9,500.08 x 1105 ÷ 4605 = 2,279.6065…   due 2,279.61  the larger remainder

Bed-days (按床日, the lower of rate and cost; 200.00 to day 30, then 100.00), all H2:

    D1  35 days, cost 8,000.00: 30 x 200 + 5 x 100 = 6,500.00;  D2  2 days, cost 300.00: 300.00

Fee for service (按项目; H2's total 1,000.02 a year, so 83.34 in March; half of an excess is paid):

    O1  H1  booked 100.00, due 100.00;  O2  H2  booked 120.00, due 83.34 + 36.66 ÷ 2 = 101.67
"""

import random
from datetime import date

import pytest
from support.facts import Books, Clock
from support.office import CLERK, H1, H2, REVIEWER, open_office

from ledger.application import FundLedger

FUND = "310.pooled"
POLICY = """
[policy]
name = "inpatient"
title = "2024年度支付方式"
fund = "310.pooled"
effective = {effective}
until = {until}

[budget]
year = "120001.00"

[point_value]
sharing = "{sharing}"
digits = {digits}

[[methods]]
name = "rehabilitation"
kind = "per_diem"
clr_types = ["21"]
med_types = ["2106"]
institutions = ["H33060400002"]
stages = [{{ upto_day = 30, rate = "200.00" }}, {{ rate = "100.00" }}]
cap = "lower"

[[methods]]
name = "inpatient"
kind = "{kind}"
clr_types = ["21"]
groups = {{ "A" = {{ points = "{points}", average = "10000.00" }} }}
{rate}

[[methods]]
name = "outpatient"
kind = "fee_for_service"
clr_types = ["11"]
quotas = {{ H33060400002 = "1000.02" }}
excess_paid = "50%"
"""
_COEFFICIENTS = 'coefficients = { H33060400001 = "1", H33060400002 = "0.85" }'


def policy_text(**own):
    known = {
        "effective": "2024-01-01",
        "until": "2024-12-31",
        "sharing": "exact",
        "digits": "4",
        "kind": "dip",
        "points": "1000",
        "rate": _COEFFICIENTS,
    }
    return POLICY.format(**(known | own))


def claim(setl_id, institution, cost, booked, *, day="2024-03-15T10:00:00", **others):
    """One stay of a person insured as an employee; the person pays what the fund does not."""
    rest = f"{float(cost) - float(booked):.2f}"
    return {
        "setl_id": setl_id,
        "psn_no": setl_id,
        "fixmedins_code": institution,
        "setl_time": day.replace("T", " "),
        "medfee_sumamt": cost,
        "hifp_pay": booked,
        "fund_pay_sumamt": booked,
        "acct_pay": "0.00",
        "psn_cash_pay": rest,
        **others,
    }


def days(count):
    return {"med_type": "2106", "days": count}


def refund(row):
    amounts = ("medfee_sumamt", "hifp_pay", "fund_pay_sumamt", "psn_cash_pay")
    return row | {name: f"-{row[name]}" for name in amounts} | {"refd_setl_flag": "1"}


A = {"dise_code": "A"}
GIVEN_BACK = claim("S8", H1, "10000.00", "7000.00", **A)
MARCH = [
    claim("S1", H1, "10000.00", "7000.00", day="2024-03-01T00:00:00", **A),
    claim("S2", H1, "20000.00", "14000.00", **A),
    claim("S3", H1, "25000.00", "15000.00", day="2024-03-31T23:59:59", **A),
    claim("S4", H2, "5000.00", "3000.00", **A),
    # Only the sum of the funds is given: it is booked on the pooled fund whole.
    claim("S5", H2, "3000.00", "2000.00", **A) | {"hifp_pay": ""},
    claim("S6", H2, "800.00", "500.00", dise_code="B"),
    claim("S7", H1, "900.00", "600.00"),
    GIVEN_BACK,
    claim("D1", H2, "8000.00", "5000.00", **days("35")),
    claim("D2", H2, "300.00", "200.00", **days("2")),
    claim("D3", H2, "400.00", "250.00", med_type="2106"),
    claim("O1", H1, "150.00", "100.00", clr_type="11", med_type="11"),
    claim("O2", H2, "160.00", "120.00", clr_type="11", med_type="11"),
    claim("X1", H1, "70.00", "50.00", clr_type="41", med_type="41"),
]
OTHERS = [
    claim("F1", H1, "10000.00", "7000.00", day="2024-02-29T23:59:59", **A),
    claim("F2", H1, "10000.00", "7000.00", day="2024-04-01T00:00:00", **A),
    claim("R1", H1, "10000.00", "7000.00", insutype="390", **A),
]


@pytest.fixture
def archived(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDFUND_ARCHIVE", str(tmp_path / "parquet"))


@pytest.fixture
def propose(medfund, tmp_path):
    def proposed(**own):
        path = tmp_path / f"policy-{len(list(tmp_path.iterdir()))}.toml"
        path.write_text(policy_text(**own), encoding="utf-8")
        answer = medfund("policy", "propose", path, "--json", user=CLERK)
        assert answer.code == 0, answer.err
        return answer.json["policy"]

    return proposed


@pytest.fixture
def approve(medfund, propose):
    def approved(**own):
        name = propose(**own)
        assert medfund("policy", "approve", name, user=REVIEWER).code == 0
        return name

    return approved


def bring(url, folder, rows, *, refunds=()):
    with open_office(url, folder, today=date(2024, 7, 1)) as office:
        office.setup("310", "390")
        for file in filter(None, (rows, refunds)):
            brought = office.bring_claims(file)
            assert (brought.posted, brought.rejections) == (len(file), [])


@pytest.fixture
def march(store_url, archived, tmp_path, approve):
    bring(store_url, tmp_path, [*MARCH, *OTHERS], refunds=[refund(GIVEN_BACK)])
    assert approve() == "inpatient@1"


@pytest.fixture
def clear(medfund):
    def cleared(period="2024-03", *words, fund=FUND, code=0):
        answer = medfund("clear", period, "--fund", fund, "--dry-run", "--json", *words)
        assert answer.code == code, answer.out + answer.err
        return answer.json

    return cleared


def lines(document):
    return {
        (one["institution"], method["method"]): method
        for one in document["institutions"]
        for method in one["methods"]
    }


def test_the_worked_month_in_which_every_case_is_accounted_for(march, clear):
    found = clear()
    expected = {
        (H1, "inpatient"): (3, "3500.0000", 55_000_00, 36_000_00, 7_220_47),
        (H2, "inpatient"): (2, "1105.0000", 8_000_00, 5_000_00, 2_279_61),
        (H2, "rehabilitation"): (2, "0.0000", 8_300_00, 5_200_00, 6_800_00),
        (H1, "outpatient"): (1, "0.0000", 150_00, 100_00, 100_00),
        (H2, "outpatient"): (1, "0.0000", 160_00, 120_00, 101_67),
    }
    names = ("cases", "points", "cost_fen", "booked_fen", "due_fen")
    assert {key: tuple(one[name] for name in names) for key, one in lines(found).items()} == (
        expected
    )
    points = found["points"]
    assert (points["distributable_fen"], points["due_fen"]) == (9_500_08, 9_500_08)
    assert (points["points"], points["difference_fen"]) == ("4605.0000", 0)
    assert points["value"] == "2.06299240"  # 9500.08 ÷ 4605
    first, second = found["institutions"]
    assert (first["institution"], first["name"]) == (H1, "第一人民医院")
    assert (first["due_fen"], first["due_over_booked"], first["booked_over_due"]) == (
        7_320_47,
        "0.2028",  # 7,320.47 ÷ 36,100.00
        "4.9314",
    )
    assert second["due_fen"] == 2_279_61 + 6_800_00 + 101_67
    _assert_every_case_is_accounted_for(found)


def _assert_every_case_is_accounted_for(found):
    assert found["cases"] == {
        "settled": 14,
        "counted": 9,
        "held_back": 3,
        "no_method": 1,
        "cancelled": 1,
    }
    assert found["booked"] == {
        "obligations_fen": 54_820_00,
        "counted_fen": 46_420_00,
        "held_back_fen": 1_350_00,
        "no_method_fen": 50_00,
        "cancelled_fen": 7_000_00,
        "insured_elsewhere_fen": 0,
    }
    assert [
        (one["method"], one["institution"], one["reason"], one["group"], one["cases"])
        for one in found["held_back"]
    ] == [
        ("rehabilitation", H2, "no_days", None, 1),
        ("inpatient", H1, "no_group", None, 1),
        ("inpatient", H2, "unknown_group", "B", 1),
    ]
    (gap,) = found["no_method"]
    assert (gap["clr_type"], gap["med_type"], gap["institution"]) == ("41", "41", H1)
    assert (gap["cases"], gap["booked_fen"]) == (1, 50_00)


def test_twice_is_the_same_and_the_archive_goes_on(march, clear, medfund, store_url, tmp_path):
    first = medfund("clear", "2024-03", "--fund", FUND, "--dry-run", "--json")
    assert "归档" in first.err
    again = medfund("clear", "2024-03", "--fund", FUND, "--dry-run", "--json")
    assert (again.out, again.err) == (first.out, "")
    run = first.json["run"]
    assert run["watermark"] == first.json["watermark"]
    assert run["engine"] == "duckdb"
    assert len(run["result"]) == len(run["kernel"]) == 64
    bring(store_url, tmp_path, [claim("S9", H2, "10000.00", "6000.00", **A)])
    later = clear()
    assert later["watermark"] > first.json["watermark"]
    assert later["run"]["result"] != run["result"]
    assert lines(later)[H2, "inpatient"]["points"] == "1955.0000"


def test_what_is_booked_or_taken_back_after_the_month_was_sealed(march, clear, store_url, tmp_path):
    """The month of care decides, not the month of booking: both are still cases of March."""
    before = clear()
    with open_office(store_url, tmp_path) as office:
        office.close("310", "2024-02")
        office.close("310", "2024-03")
    given_back = refund(MARCH[0]) | {"setl_time": "2024-04-02 09:00:00"}
    late = claim("S9", H2, "10000.00", "6000.00", **A)
    bring(store_url, tmp_path, [late], refunds=[given_back])
    found = clear()
    assert before["cases"] | {"settled": 15, "cancelled": 2} == found["cases"]
    points = {key: one["points"] for key, one in lines(found).items() if key[1] == "inpatient"}
    assert points == {(H1, "inpatient"): "2500.0000", (H2, "inpatient"): "1955.0000"}
    assert clear("2024-04")["cases"]["settled"] == 1


def test_an_intake_that_has_not_finished_refuses(march, clear, store_url):
    with FundLedger(store_url, clock=Clock()) as ledger:
        books = Books(ledger)
        books.start_claims("i9", "390")
        assert clear()["cases"]["settled"] == 14
        books.start_claims("i10", "310.pooled")
    found = clear(code=3)["error"]
    assert (found["code"], found["facts"]["intake"]) == ("clearing_intake_unfinished", "i10")


def test_the_order_of_the_rows_is_irrelevant(store_url, archived, tmp_path, approve, clear):
    rows = [*MARCH, *OTHERS]
    random.Random(3).shuffle(rows)
    bring(store_url, tmp_path, rows, refunds=[refund(GIVEN_BACK)])
    approve()
    found = clear()
    dues = {key: one["due_fen"] for key, one in lines(found).items()}
    assert dues[H1, "inpatient"] == 7_220_47
    assert sum(dues.values()) == found["total"]["due_fen"] == 9_500_08 + 6_800_00 + 201_67


def test_a_published_value_leaves_a_difference(march, approve, clear):
    """2.0630 yuan a point: 7,220.50 and 2,279.62 (2,279.615), 0.04 more than there is."""
    approve(sharing="published")
    found = clear()
    assert found["policy"]["policy"] == "inpatient@2"
    points = found["points"]
    assert points["value"] == "2.0630"
    assert (points["due_fen"], points["difference_fen"]) == (9_500_12, -4)
    assert points["difference_account"] == "claims.cleared"
    assert lines(found)[H2, "inpatient"]["due_fen"] == 2_279_62


def test_another_policy_side_by_side(march, propose, clear, tmp_path):
    """Double the points of the only group change nobody's share; at a rate a case they do."""
    assert propose(points="2000") == "inpatient@2"
    found = clear("2024-03", "--policy", "inpatient@2")
    assert found["policy"]["policy"] == "inpatient@1"
    assert found["alternative"]["policy"]["policy"] == "inpatient@2"
    assert found["alternative"]["points"]["points"] == "9210.0000"
    assert [one["difference_fen"] for one in found["comparison"]] == [0, 0]
    assert found["alternative"]["run"]["result"] != found["run"]["result"]

    tried = tmp_path / "tried.toml"
    tried.write_text(policy_text(kind="drg_rate", points="1.5", rate='rate = "2000.00"'), "utf-8")
    found = clear("2024-03", "--policy", str(tried))
    assert found["alternative"]["policy"]["policy"] == "inpatient"
    assert found["alternative"]["points"] is None
    first, second = found["comparison"]
    # 3 cases x 1.5 x 2,000.00 against 7,220.47; 2 cases against 2,279.61
    assert (first["institution"], first["difference_fen"]) == (H1, 9_000_00 - 7_220_47)
    assert (second["institution"], second["difference_fen"]) == (H2, 6_000_00 - 2_279_61)


def test_months_of_care(march, clear):
    february, april = clear("2024-02"), clear("2024-04")
    assert february["cases"]["settled"] == april["cases"]["settled"] == 1
    assert february["points"]["distributable_fen"] == 9_500_08
    assert lines(february)[H1, "inpatient"]["due_fen"] == 9_500_08
    # The only points of the month have it all; H2's total is there, and nobody came.
    assert lines(february)[H2, "outpatient"]["due_fen"] == 0
    december = clear("2024-12")
    assert december["points"]["distributable_fen"] == 9_500_07
    assert (december["points"]["value"], december["points"]["difference_fen"]) == (None, 9_500_07)


REFUSED = [
    (("2024-03", "--fund", FUND), 3, "nobody_named"),
    (("2025-01", "--fund", FUND, "--dry-run"), 3, "no_policy_in_force"),
    (("2024-03", "--fund", "390", "--dry-run"), 3, "no_policy_in_force"),
    (("2024-03", "--fund", "310", "--dry-run"), 3, "fund_not_cleared"),
    (("2024-03", "--fund", "310.personal", "--dry-run", "--policy", "x"), 3, "fund_not_cleared"),
    (("2024-03", "--fund", FUND, "--dry-run", "--policy", "nothing"), 2, "unknown_policy"),
    (("2024-03", "--fund", FUND, "--dry-run", "--policy", "no.toml"), 2, "policy_rejected"),
    (("March", "--fund", FUND, "--dry-run"), 64, "usage"),
]


def test_refusals(march, medfund):
    for words, code, error in REFUSED:
        answer = medfund("clear", *words, "--json")
        assert (answer.code, answer.json["error"]["code"]) == (code, error), words


def test_a_policy_that_changes_within_the_month(march, approve, clear):
    approve(effective="2024-06-15", until="2024-06-20", points="900")
    found = clear("2024-06", code=3)["error"]
    assert (found["code"], found["facts"]["day"]) == ("policy_changes_within_month", "2024-06-15")


def test_the_same_month_by_drg_points(march, propose, clear):
    """1000 base points: the tier is k = 2, 0.4 is low; S3 1000 + 1000 x 0.5, S5 1000 x 0.3."""
    rate = f'{_COEFFICIENTS}\nundated = "counted"'
    name = propose(kind="drg", rate=rate)
    found = clear("2024-03", "--policy", name)["alternative"]
    points = {key: one["points"] for key, one in lines(found).items() if key[1] == "inpatient"}
    assert points == {(H1, "inpatient"): "3500.0000", (H2, "inpatient"): "1150.0000"}
    held = clear("2024-03", "--policy", propose(kind="drg"))["alternative"]["held_back"]
    assert {"no_group", "no_dates", "unknown_group"} <= {one["reason"] for one in held}


def test_a_month_that_a_policy_covers_in_part(march, approve, clear):
    approve(effective="2025-01-01", until="2025-02-27")
    assert clear("2025-01")["cases"]["settled"] == 0
    gap = clear("2025-02", code=3)["error"]
    assert (gap["code"], gap["facts"]["date"]) == ("no_policy_in_force", "2025-02-28")


def test_the_table_on_the_terminal(march, propose, medfund):
    propose(points="2000")
    expected = {
        "zh": ("未入账", "结算 14 例 = 计入 9 + 挂起 3 + 无适用方法 1", "未入组", "现行政策应付"),
        "en": ("nothing was posted", "14 settlements = 9 counted", "no group", "due, in force"),
    }
    for lang, words in expected.items():
        asked = ("2024-03", "--fund", FUND, "--dry-run", "--policy", "inpatient@2")
        said = medfund("clear", *asked, "--lang", lang).out
        for word in (*words, "7,220.47", "2,279.61", "第一人民医院", "inpatient@2"):
            assert word in said
