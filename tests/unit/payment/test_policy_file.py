"""A policy file as its author writes it: read exactly, all mistakes at once, compared key by key."""

from fractions import Fraction
from pathlib import Path

import pytest

from settlement.clearing.bands import banded
from settlement.clearing.policies.file import PolicyRejected, differences, policy_of, read_policy
from settlement.clearing.policies.policy import Dip, Family, FeeForService, PerDiem, SharingBy

WHOLE = """
[policy]
name = "inpatient-2024"
title = "2024年度住院按病种分值付费"
fund = "310.pooled"
effective = 2024-01-01
until = 2024-12-31
basis = "(样例)"

[budget]
year = "10000000.00"
reserve = "5%"

[point_value]
family = "fund_only"
sharing = "published"
digits = 6

[[methods]]
name = "rehabilitation"
kind = "per_diem"
clr_types = ["21"]
med_types = ["2106"]
stages = [{ upto_day = 30, rate = "200.00" }, { rate = "120" }]
cap = "lower"

[[methods]]
name = "inpatient"
kind = "dip"
clr_types = ["21"]
groups_file = "groups.csv"
low = "50%"
high = "2"

[methods.coefficients]
H33060400001 = "1.05"
H33060400002 = "0.85"

[[methods]]
name = "outpatient"
kind = "fee_for_service"
excess_paid = "70%"
excess_upto = "1/10"

[methods.quotas]
H33060400001 = "1000000.00"

[deposit]
share = "5%"
order = "after_deduction"
release = [{ from_score = "90", share = "100%" }, { from_score = "80", below = "90" }]

[bands]
ratio = "booked/due"
[[bands.band]]
upto = "80%"
owns_edge = false
booked = "1"
[[bands.band]]
upto = "1"
due = "1"
[[bands.band]]
upto = "110%"
due = "0.3"
booked = "0.7"
[[bands.band]]
due = "1.07"
"""
GROUPS = "病种编码,分值,次均费用,名称\nI63.9,1000,10000.00,脑梗死\nJ18.9,800.5,8000,肺炎\n"


@pytest.fixture
def write(tmp_path):
    def written(text, groups=GROUPS):
        if groups is not None:
            (tmp_path / "groups.csv").write_text(groups, encoding="utf-8-sig")
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_whole_policy_is_read_exactly(write):
    policy = policy_of(read_policy(write(WHOLE)))
    assert (policy.fund, policy.effective, policy.until) == (
        "310.pooled",
        "2024-01-01",
        "2024-12-31",
    )
    assert (policy.budget.year_fen, policy.budget.reserve) == (10_000_000_00, Fraction(1, 20))
    value = policy.point_value
    assert (value.family, value.by, value.digits) == (Family.FUND_ONLY, SharingBy.PUBLISHED, 6)
    per_diem, dip, outpatient = [method.rules for method in policy.methods]
    assert isinstance(per_diem, PerDiem)
    assert [stage.rate_fen for stage in per_diem.stages] == [200_00, 120_00]
    assert isinstance(dip, Dip)
    assert (dip.groups["J18.9"].points4, dip.groups["J18.9"].average_fen) == (8_005_000, 8_000_00)
    assert dip.coefficients4 == {"H33060400001": 10_500, "H33060400002": 8_500}
    assert (dip.low, dip.high) == (Fraction(1, 2), Fraction(2))
    assert isinstance(outpatient, FeeForService)
    assert outpatient.rule.excess_upto == Fraction(1, 10)
    assert policy.deposit.share == Fraction(1, 20)
    paid = banded(policy.bands, due_fen=1_000_000_00, booked_fen=1_050_000_00)
    assert paid == 1_035_000_00


def test_a_policy_speaks_from_its_first_to_its_last_day(write):
    policy = policy_of(read_policy(write(WHOLE)))
    days = ["2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"]
    assert [policy.in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("clr_type", "med_type", "method"),
    [("21", "2106", "rehabilitation"), ("21", "2101", "inpatient"), ("11", "11", "outpatient")],
)
def test_the_first_method_that_fits_takes_a_case(write, clr_type, med_type, method):
    policy = policy_of(read_policy(write(WHOLE)))
    found = policy.method_of(clr_type=clr_type, med_type=med_type, institution="H33060400001")
    assert found.name == method


def test_a_case_that_no_method_fits_is_a_gap(write):
    text = WHOLE.replace('kind = "fee_for_service"', 'kind = "fee_for_service"\nclr_types = ["11"]')
    policy = policy_of(read_policy(write(text)))
    assert policy.method_of(clr_type="41", med_type="41", institution="P33060400001") is None


def test_reading_what_was_kept_gives_the_same_policy(write):
    """The groups of the CSV file are in the content: nothing outside it is needed later."""
    content = read_policy(write(WHOLE))
    assert content["methods"][1]["groups"]["I63.9"] == {"points": "1000", "average": "10000.00"}
    assert "groups_file" not in content["methods"][1]
    assert policy_of(content) == policy_of(content)


MISTAKES = {
    'reserve = "5%"': ('reserve = "105%"', "reserve"),
    'share = "5%"\norder': ('share = "5.01%"\norder', "5%"),
    'fund = "310.pooled"': ('fund = "310"', "310.pooled"),
    "until = 2024-12-31": ("until = 2023-12-31", "until"),
    'year = "10000000.00"': ("year = 10000000.5", "1234.50"),
    "digits = 6": ("digits = 9", "8"),
    'H33060400001 = "1.05"': ('H33060400001 = "1.05001"', "1.05"),
    'H33060400002 = "0.85"': ('X1 = "0.85"', "X1"),
    'kind = "per_diem"': ('kind = "per_diem"\nrate = "3"', "rate"),
    'low = "50%"': ('low = "150%"', "low"),
    "{ upto_day = 30": ("{ upto_day = 0", "upto_day"),
    'name = "outpatient"': ('name = "inpatient"', "inpatient"),
    'upto = "80%"': ('upto = "120%"', "edges"),
    'ratio = "booked/due"': ('ratio = "booked/due"\nround = "up"', "round"),
    'family = "fund_only"': ('family = "average_ratio"', "paid_share"),
    "digits = 6\n": ('digits = 6\ninsured_elsewhere = "counted"\n', "total_cost"),
    'groups_file = "groups.csv"': ('groups_file = "../groups.csv"', "groups.csv"),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_every_mistake_is_told_with_its_place(write, right):
    wrong, told = MISTAKES[right]
    assert right in WHOLE
    with pytest.raises(PolicyRejected) as caught:
        read_policy(write(WHOLE.replace(right, wrong, 1)))
    assert told in caught.value.facts["problems"]


def test_all_mistakes_are_told_at_once(write):
    text = WHOLE.replace("digits = 6", "digits = 9").replace('reserve = "5%"', 'reserve = "x"')
    groups = "code,points,average\nA,1,1\nA,2,2\n,3,3\nB,0,-1\n"
    with pytest.raises(PolicyRejected) as caught:
        read_policy(write(text, groups))
    assert caught.value.facts["count"] == 6
    problems = caught.value.facts["problems"]
    for told in ("line 3", "line 4", "digits", "reserve", "groups.B.points", "groups.B.average"):
        assert told in problems


@pytest.mark.parametrize("groups", [None, "", "code,points\nA,1\n"])
def test_a_groups_file_that_cannot_be_used_is_told(write, groups):
    with pytest.raises(PolicyRejected, match=r"groups\.csv"):
        read_policy(write(WHOLE, groups))


@pytest.mark.parametrize("text", ["", "=", "[policy]\nname = 1", "methods = 3"])
def test_what_is_no_policy_is_refused(write, text):
    with pytest.raises(PolicyRejected):
        read_policy(write(text))


def test_points_need_a_budget(write):
    text = WHOLE.replace('[budget]\nyear = "10000000.00"\nreserve = "5%"\n', "")
    with pytest.raises(PolicyRejected, match="budget"):
        read_policy(write(text))


def test_two_policies_are_compared_key_by_key(write):
    old = read_policy(write(WHOLE))
    new = read_policy(
        write(
            WHOLE.replace('H33060400001 = "1.05"', 'H33060400001 = "1.08"').replace(
                'basis = "(样例)"\n', ""
            ),
            GROUPS.replace("800.5", "801"),
        )
    )
    assert differences(old, old) == []
    assert differences(old, new) == [
        ("methods.inpatient.coefficients.H33060400001", "1.05", "1.08"),
        ("methods.inpatient.groups.J18.9.points", "800.5", "801"),
        ("policy.basis", "(样例)", None),
    ]


def test_the_example_of_the_reference_page_is_a_policy(write):
    page = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    policy = policy_of(read_policy(write(example)))
    assert [method.name for method in policy.methods] == ["rehabilitation", "inpatient"]
