"""A one-stop policy as its author writes it: read exactly, mistakes all at once, the first rule that fits."""

import tomllib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.one_stop import policy_text

from settlement.clearing.policies.file import (
    PolicyOfAnotherKind,
    PolicyRejected,
    differences,
    policy_of,
    read_policy,
)
from settlement.one_stop.document import Case, work, worked_document
from settlement.one_stop.layers import Cost, YearSoFar, settle
from settlement.one_stop.policy import ELSEWHERE, CaseKind
from settlement.one_stop.policy_tables import one_stop_policy_of
from settlement.one_stop.refusals import MoreOutsideThanCost, NoRuleFits

INPATIENT = CaseKind("390", 3, "21", None, None)
POLICY = one_stop_policy_of(tomllib.loads(policy_text()))


@pytest.fixture
def read(tmp_path):
    def reading(text):
        path = tmp_path / "layers.toml"
        path.write_text(text, encoding="utf-8")
        return read_policy(path)

    return reading


@pytest.fixture
def policy(read):
    return one_stop_policy_of(read(policy_text()))


def test_the_first_rule_that_fits_is_the_one_that_pays(policy):
    names = {
        INPATIENT: ("住院三级", "大病", None, ()),
        INPATIENT._replace(level=None, place=ELSEWHERE): ("住院异地", "大病", None, ()),
        INPATIENT._replace(assistance_class="01"): ("住院三级", "大病救助对象", "特困", ()),
        INPATIENT._replace(med_type="11", person_class="31"): (
            "门诊",
            "大病",
            None,
            ("残疾军人", "其他"),
        ),
    }
    for kind, (basic, catastrophic, assistance, others) in names.items():
        found = policy.applied_to(kind)
        assert found.basic.name == basic
        assert found.catastrophic.name == catastrophic
        assert (found.assistance.name if found.assistance else None) == assistance
        assert tuple(one.name for one in found.others) == others
    assert policy.applied_to(INPATIENT._replace(level=2)) is None


def test_shares_and_amounts_are_exact(policy):
    segments = policy.catastrophic[1].layer.segments
    assert [one.upto_fen for one in segments] == [3_000_000, 10_000_000, None]
    assert [one.share for one in segments] == [Fraction(3, 5), Fraction(13, 20), Fraction(3, 4)]
    assert policy.others[1].share == Fraction(1, 3)


@pytest.mark.parametrize(("before", "deductible"), [(0, 1200), (1, 600), (2, 600), (9, 600)])
def test_later_stays_of_the_year_have_a_lower_deductible(policy, before, deductible):
    found = policy.applied_to(INPATIENT).layers(before)
    assert found.basic.deductible_fen == deductible * 100


MISTAKES = [
    ('fund = "390"', 'fund = "310"', "policy.fund"),
    ('kind = "one_stop"', 'kind = "onestop"', "policy.kind"),
    ('share = "65%" }]', 'share = "165%" }]', "basic.0"),
    ("levels = [3]", 'levels = ["三级"]', "basic.0.levels.0"),
    ("levels = [3]", "level = [3]", "basic.0.level"),
    ('upto = "30000.00", share = "60%"', 'upto = "300000.00", share = "60%"', "catastrophic.1"),
    ('{ upto = "30000.00", share = "65%" }, { share = "70%" }', '{ upto = "30000.00", share = "65%" }', "catastrophic.0"),
    ('assistance_classes = ["01"]\nsegments', "segments", "assistance.0.assistance_classes"),
    ('part = "oth_pay"', 'part = "hifp_pay"', "others.1.part"),
    ('name = "住院异地"', 'name = "门诊"', "basic 规则重名"),
    ('share = "50%" }]\nceiling = "200000.00"', 'share = "50%" }]\nceiling = "1.00"', "pool 住院"),
    ('per = "year"', 'per = "year"\nlater_deductibles = ["1"]', "basic.2"),
    ('ceiling = "800.00"', "ceiling = 800.5", "basic.2.ceiling"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "where"), MISTAKES)
def test_a_mistake_is_told_with_its_place(read, right, wrong, where):
    text = policy_text()
    assert right in text
    with pytest.raises(PolicyRejected) as refused:
        read(text.replace(right, wrong, 1))
    assert where in refused.value.facts["problems"]


def test_all_mistakes_are_told_at_once(read):
    text = policy_text()
    for right, wrong, _ in (MISTAKES[0], MISTAKES[3], MISTAKES[8]):
        text = text.replace(right, wrong, 1)
    with pytest.raises(PolicyRejected) as refused:
        read(text)
    assert refused.value.facts["count"] == 3


def test_a_policy_is_of_one_kind(read):
    with pytest.raises(PolicyOfAnotherKind):
        policy_of(read(policy_text()))


def test_two_versions_are_compared_by_rule(read):
    found = differences(read(policy_text()), read(policy_text(share="70%")))
    assert found == [("basic.住院三级.segments.0.share", "65%", "70%")]


STACK = Cost(total_fen=80_000_00, own_fen=8_000_00, first_share_fen=4_000_00, above_limit_fen=500_00)  # fmt: skip


def test_the_synthetic_stack_step_by_step(policy):
    """80,000 − 12,500 = 67,500; basic 43,095; the rest 24,405 through 大病 and 救助 of an assisted person."""
    case = Case(kind=INPATIENT._replace(assistance_class="01"), cost=STACK)
    document = worked_document(work(case, policy, policy_id="p"))
    told = [
        (one["rule"], one["applies_to_fen"], one["deductible_fen"], one["paid_fen"])
        for one in document["layers"]
    ]
    assert told == [
        ("住院三级", 67_500_00, 1_200_00, 43_095_00),
        ("大病救助对象", 24_405_00, 7_500_00, 10_988_25),  # 16,905 x 65 %
        ("特困", 13_416_75, 0, 9_391_73),  # x 70 % = 9,391.725
        ("倾斜", 4_025_02, 20_000_00, 0),  # the burden that is left, below the threshold
    ]
    assert document["person_fen"] == 16_525_02
    assert document["funds_fen"] + document["person_fen"] == 80_000_00
    assert document["year_after"]["settlements"] == 1


def test_other_funds_stand_in_their_turn(policy):
    case = Case(
        kind=INPATIENT._replace(med_type="11", person_class="31"), cost=Cost(total_fen=700_00)
    )
    document = worked_document(work(case, policy, policy_id="p"))
    assert document["parts"] == {
        "hifp_pay_fen": 300_00,  # (700 − 100) x 50 %
        "hifmi_pay_fen": 0,
        "hifdm_pay_fen": 200_00,  # 400 ÷ 2
        "oth_pay_fen": 66_67,  # 200 ÷ 3
    }


def test_what_cannot_be_computed_is_refused(policy):
    with pytest.raises(NoRuleFits):
        work(Case(kind=INPATIENT._replace(level=2), cost=STACK), policy, policy_id="p")
    with pytest.raises(MoreOutsideThanCost):
        work(Case(kind=INPATIENT, cost=replace(STACK, own_fen=90_000_00)), policy, policy_id="p")


OUTPATIENT = CaseKind("390", 3, "11", None, None)
costs = st.lists(st.integers(0, 300_000), max_size=8)


@given(costs)
def test_a_yearly_deductible_and_ceiling_do_not_depend_on_how_the_year_was_cut(visits):
    layers = POLICY.applied_to(OUTPATIENT).layers(0)
    year, paid = YearSoFar(), 0
    for fen in visits:
        found = settle(Cost(total_fen=fen), layers, year)
        year, paid = found.year, paid + found.parts["hifp_pay"]
    whole = settle(Cost(total_fen=sum(visits)), layers, YearSoFar())
    assert paid == whole.parts["hifp_pay"]


@given(
    total=st.integers(0, 10**9),
    before=st.integers(0, 10**8),
    settlements=st.integers(0, 3),
    helped=st.booleans(),
)
def test_the_steps_tell_what_was_paid(total, before, settlements, helped):
    kind = INPATIENT._replace(assistance_class="01" if helped else None, person_class="31")
    year = YearSoFar(qualified_fen=before, assistance_base_fen=before // 2)
    worked = work(
        Case(kind=kind, cost=Cost(total_fen=total), year=year, settlements=settlements),
        POLICY,
        policy_id="p",
    )
    steps = worked.steps()
    paid: dict[str, int] = {}
    for step in steps:
        paid[step.part] = paid.get(step.part, 0) + step.paid_fen  # 倾斜救助 is part of maf_pay
    assert list(paid.items()) == list(worked.settled.parts.items())
    assert sum(step.paid_fen for step in steps) + worked.settled.person_fen == total
    for step in steps:
        if step.share is None and step.ceiling_fen is None:
            exact = sum((one.fen * one.share for one in step.pieces), Fraction(0))
            assert abs(exact - step.paid_fen) <= 1  # a difference of two rounded amounts
        inside = max(step.before_fen + step.applies_to_fen - step.deductible_fen, 0)
        already = max(step.before_fen - step.deductible_fen, 0)
        if step.share is None:
            assert sum(one.fen for one in step.pieces) == inside - already
