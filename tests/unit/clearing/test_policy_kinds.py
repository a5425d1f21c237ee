"""The kinds of policy that pay by heads, for a county, for day cases, and the catalogues of DIP.

Each is written as its author writes it and asked of the engine; January 2025, one twelfth of a year.
"""

from dataclasses import replace

import pytest
from support.clearing_examples import AREA, FUND, MONTH, Log, entry

from ledger.domain.period import Period, Year
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.policies.file import PolicyRejected, policy_of, read_policy

H1, H2, H3 = "H33010000001", "H33010000002", "H33010000003"
HEAD = """
[policy]
name = "p-2025"
title = "2025年度支付方式"
fund = "310.pooled"
effective = 2025-01-01

[budget]
year = "12000.00"
reserve = "0"

[[methods]]
name = "m"
"""


@pytest.fixture
def written(tmp_path):
    def write(text, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
        path = tmp_path / "policy.toml"
        path.write_text(HEAD + text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def cleared(written, tmp_path):
    def clear(log, text, *, period=None, **files):
        policy = policy_of(read_policy(written(text, **files)))
        question = Question(
            AREA,
            FUND,
            period or Period.parse(MONTH),
            log.position,
            log.write(tmp_path / "archive"),
            DuckDBEngine(memory_mib=64, threads=1),
        )
        return clear_month(question, Chosen("p@1", "hash", policy))

    return clear


def visit(log, institution, booked_fen, **others):
    postings = entry({FUND: booked_fen}, institution)
    log.settle(others.pop("group", None), institution, booked_fen * 2, postings=postings, **others)


def due(found):
    return {one.counted.institution: one.due_fen for one in found.due.lines}


def points(found):
    return {one.counted.institution: one.counted.points4 for one in found.due.lines}


# --- 按人头


CAPITATION = """kind = "capitation"
heads = [
    { institution = "H33010000001", heads = 12000, rate = "8.50", factor = "1.1", person_class = "65+" },
    { institution = "H33010000001", heads = 3000, rate = "8.50" },
    { institution = "H33010000002", heads = 1000, rate = "8.50", since = "2025-02" },
]
elsewhere = [{ institution = "H33010000001", month = "2025-01", amount = "20000.00" }]
"""


def test_heads_are_paid_whoever_came_and_visits_elsewhere_are_deducted(cleared):
    """12,000 x 8.50 x 1.1 + 3,000 x 8.50 = 137,700.00, less 20,000.00; H2 begins in February."""
    log = Log()
    visit(log, H1, 500_00)
    visit(log, H3, 70_00)  # nobody signed there
    found = cleared(log, CAPITATION)
    assert due(found) == {H1: 117_700_00, H2: 0}
    assert {one.counted.institution: one.counted.booked_fen for one in found.due.lines} == {
        H1: 500_00,
        H2: 0,
    }
    assert [(one.reason, one.tally.institution, one.tally.cases) for one in found.held] == [
        ("unknown_institution", H3, 1)
    ]


def test_the_months_of_a_year_of_heads_make_the_year(cleared):
    log = Log()
    text = CAPITATION + 'deducted = "50%"\n'
    months = [cleared(log, text, period=month) for month in Year(2025).months]
    year = cleared(log, text, period=Year(2025))
    assert due(year) == {H1: 12 * 137_700_00 - 10_000_00, H2: 11 * 8_500_00}
    assert {code: sum(due(one)[code] for one in months) for code in (H1, H2)} == due(year)


def test_heads_in_a_file_beside_the_policy(cleared):
    heads = "机构编码,签约人数,月标准,系数,人员类别\nH33010000001,12000,8.50,1.1,65+\nH33010000001,3000,8.50,,\n"
    found = cleared(Log(), 'kind = "capitation"\nheads_file = "heads.csv"\n', heads=heads)
    assert due(found) == {H1: 137_700_00}


# --- 紧密型医共体


COMMUNITY = """kind = "county_community"
members = { H33010000001 = 2, H33010000002 = 1 }
raised = "12000.00"
distributable = "92%"
assessment = "95%"
"""


def test_a_community_shares_what_is_left_of_its_month(cleared):
    """920.00 for January, 600.00 spent inside: 320.00 left, 304.00 after the assessment, 2 to 1."""
    log = Log()
    visit(log, H1, 500_00)
    visit(log, H2, 100_00)
    found = cleared(log, COMMUNITY)
    assert due(found) == {H1: 500_00 + 202_67, H2: 100_00 + 101_33}


def test_a_community_bears_what_its_people_cost_elsewhere(cleared):
    """Insured in 330122: 500.00 inside and 700.00 outside, 280.00 too much; half of it is borne."""
    log = Log()
    visit(log, H1, 500_00, insuplc_admdvs="330122")
    visit(log, H1, 40_00, insuplc_admdvs="330100")  # of another county: no matter of its budget
    visit(log, H3, 600_00, insuplc_admdvs="330122")
    visit(log, H3, 5_00, insuplc_admdvs="330100")
    log.refund(log.settle(None, H3, 1_000, insuplc_admdvs="330122"))
    rules = COMMUNITY + (
        'institutions = ["H33010000001", "H33010000002"]\ninsured_in = ["330122"]\n'
        'overrun_borne = "50%"\noutside = { 2025-01 = "100.00", 2025-02 = "9.00" }\n'
    )
    rest = '\n[[methods]]\nname = "others"\nkind = "fee_for_service"\n'
    found = cleared(log, rules + rest)
    # 140.00 to be borne, 2 to 1: 93.33 and 46.67
    assert due(found) == {H1: 540_00 - 93_33, H2: -46_67, H3: 605_00}


def test_a_community_conserves_its_year(cleared):
    log = Log()
    visit(log, H1, 3_333_33)
    visit(log, H2, 1)
    found = cleared(log, COMMUNITY.replace("95%", "100%"), period=Year(2025))
    assert sum(due(found).values()) == 11_040_00


# --- 日间病房


@pytest.mark.parametrize(("cap", "expected"), [("fixed", 1_500_00), ("lower", 1_400_00)])
def test_day_cases_have_a_standard(cap, expected, cleared):
    log = Log()
    for cost in (400_00, 800_00):
        log.settle("D1", H1, cost)
    log.settle("D2", H1, 500_00)
    log.settle("D3", H1, 500_00)
    text = f'kind = "day_ward"\nstandards = {{ D1 = "500.00", D2 = "500.00" }}\ncap = "{cap}"\n'
    found = cleared(log, text)
    assert due(found) == {H1: expected}
    assert [(one.reason, one.tally.group) for one in found.held] == [("unknown_group", "D3")]


def test_day_cases_by_points_take_a_part_of_the_group_s_whatever_they_cost(cleared):
    log = Log()
    for cost in (1, 1_000_00, 4_000_000_00):
        log.settle("A", H1, cost)
    log.settle("A", H2, 1_000_00)
    text = """kind = "day_ward"
factor = "70%"
groups = { A = { points = "100.5", average = "1000.00" } }
coefficient_default = "1"
coefficients = { H33010000002 = "0.9" }
"""
    found = cleared(log, text)
    assert points(found) == {H1: 3 * 703_500, H2: 633_150}
    assert sum(due(found).values()) == 1_000_00


# --- 病种目录


DIP = """kind = "dip"
coefficients = { H33010000001 = "1.05", H33010000002 = "0.85" }
groups = { A = { points = "1000", average = "10000.00" }, B = { points = "300", average = "3000.00" } }
"""


def test_a_primary_group_has_one_coefficient_at_every_level(cleared):
    log = Log()
    for institution in (H1, H2):
        log.settle("A", institution, 10_000_00)
        log.settle("B", institution, 3_000_00)
    found = cleared(log, DIP + 'primary_groups = ["B"]\nprimary_coefficient = "0.9"\n')
    assert points(found) == {H1: 10_500_000 + 2_700_000, H2: 8_500_000 + 2_700_000}


#: What was hit, and the points of a case of 1,000 at a coefficient of 1.05; None: held back.
HITS = [
    ("", 10_500_000),
    ("CCI3", 12_600_000),  # x 1.2
    ("CCI3+年龄", 12_600_000),  # the largest of 1.2 and 1.1
    ("年龄", 11_550_000),
    ("肿瘤", None),
    ("CCI3+肿瘤", None),
]


@pytest.mark.parametrize(("hits", "expected"), HITS)
def test_the_largest_factor_of_the_auxiliary_directory(hits, expected, cleared):
    log = Log()
    log.group(log.settle(None, H1, 10_000_00), "A", hits=hits)
    text = DIP + 'auxiliary = { CCI3 = "1.2", "年龄" = "1.1" }\n'
    found = cleared(log, text)
    assert points(found) == ({} if expected is None else {H1: expected})
    assert [one.reason for one in found.held] == ([] if expected else ["unknown_auxiliary"])
    assert points(cleared(log, DIP)) == {H1: 10_500_000}  # a policy without one asks nothing


CATALOGUES = """
[[methods.catalogues]]
effective = 2025-03-01
groups_file = "march.csv"

[[methods.catalogues]]
effective = 2025-07-01
groups = { C = { points = "7", average = "100.00" } }
"""


def test_a_case_is_scored_by_the_catalogue_of_its_month(cleared):
    log = Log()
    for month in ("2025-02", "2025-03", "2025-06", "2025-07"):
        log.settle("A", H1, 10_000_00, belongs_to=month)
    march = "code,points,average\nA,2000,10000.00\n"
    text = DIP + CATALOGUES
    found = {
        month: points(cleared(log, text, period=Period.parse(month), march=march)).get(H1)
        for month in ("2025-02", "2025-03", "2025-06", "2025-07")
    }
    assert found == {
        "2025-02": 10_500_000,
        "2025-03": 21_000_000,
        "2025-06": 21_000_000,
        "2025-07": None,  # no such group any more: held back
    }
    year = cleared(log, text, period=Year(2025), march=march)
    assert points(year) == {H1: 52_500_000}
    assert [(one.reason, one.tally.cases) for one in year.held] == [("unknown_group", 1)]
    assert {one.counted.cases for one in year.due.lines} == {3}


# --- what is wrong is told at once


MISTAKES = [
    ('kind = "capitation"\n', "heads"),
    (CAPITATION.replace('since = "2025-02"', 'since = "2025-13"'), "since"),
    (CAPITATION.replace("heads = 3000", "heads = -1"), "heads"),
    (CAPITATION + 'deducted = "101%"\n', "deducted"),
    (COMMUNITY.replace("= 2,", "= 0,").replace("= 1 }", "= 0 }"), "members"),
    (COMMUNITY.replace("raised", "# raised"), "raised"),
    (COMMUNITY + 'outside = { "2025" = "1" }\n', "outside"),
    ('kind = "day_ward"\n', "standards"),
    ('kind = "day_ward"\nstandards = { A = "1" }\nfactor = "1"\n', "standards"),
    (
        'kind = "day_ward"\nstandards = { A = "1" }\ncoefficients = { H33010000001 = "1" }\n',
        "factor",
    ),
    (DIP + 'primary_groups = ["Z"]\n', "Z"),
    (DIP + 'auxiliary = { CCI3 = "9.6" }\n', "10"),
    (DIP + 'auxiliary = { "CCI 3" = "1" }\n', "CCI 3"),
    (DIP + CATALOGUES.replace("2025-03-01", "2025-03-02"), "begins with a month"),
    (DIP + CATALOGUES.replace("2025-03-01", "2025-08-01"), "effective"),
    (DIP + 'low = "1/101"\n', "low"),
    (DIP.replace('average = "3000.00"', 'average = "9.99"'), "B"),
    (DIP.replace('kind = "dip"', 'kind = "drg"') + 'bed_day = ["X"]\n', "bed_day"),
    (
        DIP.replace('kind = "dip"', 'kind = "drg"').replace('points = "300", ', "")
        + 'bed_day = ["B"]\narea_average = "9000.00"\n',
        "points of a day",
    ),
    (
        DIP.replace('kind = "dip"', 'kind = "drg"')
        + 'tiers = [{ upto_points = "9", multiple = "101" }, { multiple = "2" }]\n',
        "multiples",
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_every_mistake_is_told_with_its_place(written, text, told):
    march = "code,points,average\nA,2000,10000.00\n"
    with pytest.raises(PolicyRejected) as caught:
        read_policy(written(text, march=march))
    assert told in caught.value.facts["problems"]


def test_all_mistakes_of_a_heads_file_are_told_at_once(written):
    heads = "institution,heads,rate\nH33010000001,x,8.50\nH1,3,8.50\nH33010000001,3,8.505\n"
    with pytest.raises(PolicyRejected) as caught:
        read_policy(written('kind = "capitation"\nheads_file = "heads.csv"\n', heads=heads))
    assert caught.value.facts["count"] == 3
    for told in ("line 2", "heads.0.institution", "heads.1.rate"):
        assert told in caught.value.facts["problems"]


def test_the_order_of_cases_is_irrelevant(cleared):
    one, two = Log(), Log()
    visits = [(H1, 500_00), (H2, 100_01), (H1, 3_00)]
    for institution, fen in visits:
        visit(one, institution, fen)
    for institution, fen in reversed(visits):
        visit(two, institution, fen)
    first, second = cleared(one, COMMUNITY), cleared(two, COMMUNITY)
    assert first.due == second.due
    assert replace(first.record, result="") == replace(second.record, result="")
