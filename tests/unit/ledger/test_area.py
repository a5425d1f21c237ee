"""Who may do what in an area, and what its setup folds to."""

import pytest

from ledger.aggregates.area import (
    PERMISSIONS,
    ROLES,
    NobodyNamed,
    RoleMissing,
    UnknownUser,
    fold_area,
)
from ledger.events import setup
from ledger.events.month import MonthFrozen

SAID = {"area": "330604", "by": "admin1"}

#: 不相容岗位: action → roles that may take it (C 经办, R 复核, A 管理员; 审计 only reads).
ACTIONS = """
intake   C
post     C
reverse  C
refuse   C
clear    C
pay      C
institution C
close    C R
reopen   C R
approve  R
reject   R
reconcile C
propose_policy C A
reject_policy C R A
setup    A
token    A
keys     A
"""
LETTER = {"clerk": "C", "reviewer": "R", "administrator": "A", "auditor": "-"}


def area(*facts):
    users = [
        setup.UserEnrolled(**SAID, user=f"{role}1", roles=(role,)) for role in (*ROLES, "auditor")
    ]
    return fold_area("330604", [*users, *facts])


@pytest.mark.parametrize("line", ACTIONS.split("\n")[1:-1])
@pytest.mark.parametrize("role", ROLES)
def test_an_action_belongs_to_its_roles(line, role):
    action, *letters = line.split()
    if LETTER[role] in letters:
        assert area().allow(f"{role}1", action) == f"{role}1"
    else:
        with pytest.raises(RoleMissing) as refused:
            area().allow(f"{role}1", action)
        assert refused.value.facts["action"] == action


def test_every_action_stands_in_the_table():
    assert {line.split()[0] for line in ACTIONS.split("\n")[1:-1]} == set(PERMISSIONS)


@pytest.mark.parametrize(
    ("user", "refusal"),
    [(None, NobodyNamed), ("", NobodyNamed), ("nobody", UnknownUser), ("auditor1", RoleMissing)],
)
def test_refusals_come_in_order_nobody_unknown_role(user, refusal):
    with pytest.raises(refusal):
        area().allow(user, "approve")


def test_several_roles_may_lie_with_one_user_and_the_last_enrolment_counts():
    both = setup.UserEnrolled(**SAID, user="clerk1", roles=("clerk", "reviewer"))
    less = setup.UserEnrolled(**SAID, user="clerk1", roles=("auditor",))
    assert area(both).allow("clerk1", "approve") == "clerk1"
    with pytest.raises(RoleMissing):
        area(both, less).allow("clerk1", "intake")
    assert area().has_administrator()
    assert not fold_area("330604", [both]).has_administrator()


def test_an_area_is_what_its_facts_say_last():
    H = "H33060400001"  # noqa: N806 (a code)
    folded = area(
        setup.AreaConfigured(**SAID, name="旧名", options={"tax_collects": True}),
        setup.AreaConfigured(**SAID, name="上虞区", options={"tax_collects": 1}),
        setup.FundOpened(**SAID, fund="310", first=None),
        setup.FundOpened(**SAID, fund="390", first="2022-01"),
        setup.InstitutionRegistered(**SAID, code=H, name="一院", level=2),
        setup.InstitutionRegistered(**SAID, code=H, name="第一人民医院", level=3),
        setup.TargetSet(**SAID, indicator="i", fund="310", year=2023, at_most="9"),
        setup.PolicyAdopted(**SAID, name="p", effective="2023-01-01", content={"a": 1}),
        setup.TokenIssued(**SAID, name="t", role="reader", token_hash="00"),
        setup.TokenRevoked(**SAID, name="t"),
    )
    assert (folded.name, folded.tax_collects) == ("上虞区", False)
    assert folded.funds == {"310": None, "390": "2022-01"}
    assert folded.leaf_funds == {"310.pooled", "310.personal", "390"}
    assert folded.institutions == {H: ("第一人民医院", 3)}
    assert folded.targets == {("i", "310", 2023): ("9", None)}
    assert folded.policies == {("p", "2023-01-01"): {"a": 1}}
    assert folded.tokens["t"].revoked
    assert folded.version == 15


def test_a_stranger_on_the_stream_is_not_read_over():
    stranger = MonthFrozen(area="330604", fund="390", period="2023-01", run="r", by="clerk1")
    with pytest.raises(TypeError, match="MonthFrozen"):
        area(stranger)
