"""A clearing policy from its file to force: four eyes, versions, gaps, the same file twice."""

import json

import pytest
from support.office import ADMINISTRATOR, AREA, CLERK, REVIEWER, open_office

from ledger.aggregates.policies import NoPolicyInForce
from settlement.clearing.policies.file import policy_of
from settlement.policies import load_policies

TEXT = """
[policy]
name = "inpatient"
title = "住院按病种分值付费"
fund = "390"
effective = {effective}
{until}
[budget]
year = "1000000.00"

[[methods]]
name = "inpatient"
kind = "dip"
clr_types = ["21"]
groups = {{ "I63.9" = {{ points = "{points}", average = "10000.00" }} }}

[methods.coefficients]
H33060400001 = "1.05"
"""


@pytest.fixture
def book(store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
    return store_url


@pytest.fixture
def write(tmp_path):
    def written(points="1000", *, effective="2024-01-01", until=""):
        path = tmp_path / "policy.toml"
        text = TEXT.format(points=points, effective=effective, until=until and f"until = {until}")
        path.write_text(text, encoding="utf-8")
        return path

    return written


def in_force(url, tmp_path, day, fund="390"):
    with open_office(url, tmp_path) as office:
        return load_policies(office.ledger, AREA).in_force(fund, day)


def test_one_proposes_and_another_approves(book, write, medfund, tmp_path):
    proposed = medfund("policy", "propose", write(), "--json", user=CLERK)
    assert proposed.code == 0, proposed.err
    assert (proposed.json["policy"], proposed.json["state"]) == ("inpatient@1", "waiting")
    with pytest.raises(NoPolicyInForce):
        in_force(book, tmp_path, "2024-06-01")
    approved = medfund("policy", "approve", "inpatient@1", "--json", user=REVIEWER)
    assert (approved.code, approved.json["state"]) == (0, "approved")
    found = in_force(book, tmp_path, "2024-06-01")
    assert policy_of(found.content).methods[0].rules.groups["I63.9"].points4 == 10_000_000
    for day, fund in (("2023-12-31", "390"), ("2024-06-01", "310.pooled")):
        with pytest.raises(NoPolicyInForce):
            in_force(book, tmp_path, day, fund)


@pytest.mark.parametrize(
    ("words", "user", "code", "error"),
    [
        (("propose", "{file}"), REVIEWER, 3, "role_missing"),
        (("propose", "{file}"), None, 3, "nobody_named"),
        (("approve", "inpatient@1"), CLERK, 3, "role_missing"),
        (("approve", "inpatient@2"), REVIEWER, 2, "unknown_policy"),
        (("reject", "outpatient", "--reason", "x"), REVIEWER, 2, "unknown_policy"),
        (("show", "nothing"), None, 2, "unknown_policy"),
    ],
)
def test_refusals(book, write, medfund, words, user, code, error):  # noqa: PLR0917
    file = write()
    assert medfund("policy", "propose", file, user=CLERK).code == 0
    words = [word.format(file=file) for word in words]
    answer = medfund("policy", *words, "--json", user=user)
    assert (answer.code, answer.json["error"]["code"]) == (code, error)


def test_nobody_approves_their_own_policy(book, write, medfund, tmp_path):
    """Somebody with both roles proposes: the ledger refuses, not the page."""
    both = tmp_path / "setup.toml"
    both.write_text(
        f'[area]\ncode = "{AREA}"\nname = "上虞区"\nfunds = ["310", "390"]\n'
        '[[users]]\nname = "chief"\nroles = ["clerk", "reviewer"]\n',
        encoding="utf-8",
    )
    assert medfund("setup", both, user=ADMINISTRATOR).code == 0
    assert medfund("policy", "propose", write(), user="chief").code == 0
    own = medfund("policy", "approve", "inpatient@1", "--json", user="chief")
    assert (own.code, own.json["error"]["code"]) == (3, "own_policy")
    assert medfund("policy", "approve", "inpatient@1", user=REVIEWER).code == 0
    again = medfund("policy", "approve", "inpatient@1", "--json", user=REVIEWER)
    assert (again.code, again.json["state"]) == (0, "approved"), "said once more, nothing changes"
    other = medfund("policy", "approve", "inpatient@1", "--json", user="chief")
    assert (other.code, other.json["error"]["code"]) == (3, "policy_not_waiting")


def test_a_policy_sent_back_twice_with_one_reason_is_sent_back_once(book, write, medfund):
    assert medfund("policy", "propose", write(), user=CLERK).code == 0
    words = ("policy", "reject", "inpatient@1", "--json", "--reason")
    first, again = (medfund(*words, "缺依据", user=REVIEWER) for _ in range(2))
    assert (first.code, again.code) == (0, 0)
    assert first.json == again.json
    other = medfund(*words, "另有原因", user=REVIEWER)
    assert (other.code, other.json["error"]["code"]) == (3, "policy_not_waiting")


def test_the_same_file_again_changes_nothing(book, write, medfund, tmp_path):
    for _ in range(2):
        answer = medfund("policy", "propose", write(), "--json", user=CLERK)
        assert (answer.code, answer.json["policy"]) == (0, "inpatient@1")
    assert medfund("policy", "reject", "inpatient@1", "--reason", "请核对", user=REVIEWER).code == 0
    again = medfund("policy", "propose", write(), "--json", user=CLERK)
    assert again.json["policy"] == "inpatient@2"  # a rejected content may be handed in again


def test_the_latest_effective_date_is_in_force_and_its_latest_version(
    book, write, medfund, tmp_path
):
    steps = [
        ("1000", "2024-01-01", ""),
        ("1100", "2024-07-01", "2024-12-31"),
        ("1200", "2024-07-01", ""),
    ]
    for number, (points, effective, until) in enumerate(steps, start=1):
        file = write(points, effective=effective, until=until)
        assert medfund("policy", "propose", file, user=CLERK).code == 0
        if number == 2:
            assert in_force(book, tmp_path, "2024-08-01").version == 1  # it waits
        assert medfund("policy", "approve", f"inpatient@{number}", user=REVIEWER).code == 0
    days = ["2024-06-30", "2024-07-01", "2025-01-01"]
    assert [in_force(book, tmp_path, day).version for day in days] == [1, 3, 3]


def test_list_show_and_diff(book, write, medfund):
    medfund("policy", "propose", write("1000"), user=CLERK)
    medfund("policy", "propose", write("1100"), user=CLERK)
    listed = medfund("policy", "list", "--json").json["policies"]
    assert [one["policy"] for one in listed] == ["inpatient@1", "inpatient@2"]
    shown = medfund("policy", "show", "inpatient", "--json").json
    assert shown["policy"] == "inpatient@2"
    assert shown["content"]["policy"]["title"] == "住院按病种分值付费"
    change = [{"key": "methods.inpatient.groups.I63.9.points", "before": "1000", "after": "1100"}]
    diff = medfund("policy", "diff", "inpatient@1", "inpatient@2", "--json").json
    assert diff["differences"] == change
    with_file = medfund("policy", "diff", "inpatient@1", write("1100"), "--json").json
    assert with_file["differences"] == change


def test_a_wrong_file_is_told_whole_and_proposes_nothing(book, write, medfund, tmp_path):
    file = write("1.23456")
    text = file.read_text().replace('year = "1000000.00"', 'year = "x"')
    file.write_text(text)
    answer = medfund("policy", "propose", file, "--json", user=CLERK)
    assert (answer.code, answer.json["error"]["code"]) == (2, "policy_rejected")
    assert answer.json["error"]["facts"]["count"] == 2
    assert medfund("policy", "list", "--json").json["policies"] == []
    checked = medfund("policy", "propose", write(), "--dry-run", "--json")
    assert checked.json["ok"] is True
    assert medfund("policy", "list", "--json").json["policies"] == []


def test_the_books_stay_sound(book, write, medfund, tmp_path):
    medfund("policy", "propose", write(), user=CLERK)
    medfund("policy", "approve", "inpatient@1", user=REVIEWER)
    with open_office(book, tmp_path) as office:
        office.figures(office.today)
        office.assert_sound()
    assert json.loads(medfund("verify", "--json").out)["ok"] is True
