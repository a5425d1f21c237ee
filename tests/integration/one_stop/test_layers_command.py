"""``layers compute``: a case by the one-stop policy in force, beside a clearing policy of the same fund."""

import pytest
from support.office import CLERK, REVIEWER, open_office
from support.one_stop import policy_text, write_policy

CLEARING = """
[policy]
name = "clearing"
title = "按项目"
fund = "390"
effective = 2024-01-01

[[methods]]
name = "all"
kind = "fee_for_service"
"""
STACK = ("--total", "80,000.00", "--own", "8000", "--first-share", "4000", "--above-limit", "500")
MAY = ("--date", "2024-05-01")


@pytest.fixture
def book(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "392", "610")
    clearing = tmp_path / "clearing.toml"
    clearing.write_text(CLEARING, encoding="utf-8")
    for number, path in enumerate((write_policy(tmp_path), clearing)):
        assert medfund("policy", "propose", path, user=CLERK).code == 0
        name = ("resident", "clearing")[number]
        assert medfund("policy", "approve", f"{name}@1", user=REVIEWER).code == 0
    return medfund


def test_a_case_by_the_policy_in_force(book):
    words = ("--insutype", "390", "--institution", "H33060400001", *STACK, *MAY)
    found = book("layers", "compute", *words, "--json").json
    assert found["policy"]["policy"] == "resident@1"
    assert found["parts"] == {"hifp_pay_fen": 43_095_00, "hifmi_pay_fen": 5_643_00}
    assert found["person_fen"] == 31_262_00
    shown = book("layers", "compute", *words).out
    assert "9,405.00×3/5" in shown
    assert "31,262.00" in shown


def test_the_year_so_far_is_told(book):
    words = ("--insutype", "390", "--level", "3", *STACK, *MAY)
    year = ("--year-settlements", "1", "--year-qualified", "15000", "--year-basic-paid", "199000")
    found = book("layers", "compute", *words, *year, "--json").json
    basic, catastrophic = found["layers"]
    assert (basic["deductible_fen"], basic["paid_fen"]) == (600_00, 1_000_00)  # the ceiling
    # 66,500 above 15,000: 15,000 x 60 % + 51,500 x 65 %
    assert catastrophic["paid_fen"] == 9_000_00 + 33_475_00


def test_another_policy_may_be_tried(book, tmp_path):
    path = tmp_path / "draft.toml"
    path.write_text(policy_text(share="70%"), encoding="utf-8")
    words = ("--insutype", "390", "--level", "3", *STACK, *MAY, "--policy", path)
    assert book("layers", "compute", *words, "--json").json["parts"]["hifp_pay_fen"] == 46_410_00


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("--insutype", "390", "--level", "3", "--date", "2023-12-31"), 3, "no_one_stop_policy"),
        (("--insutype", "310", "--level", "3", *MAY), 3, "no_one_stop_policy"),
        (("--insutype", "390", "--level", "2", *MAY), 3, "no_layer_rule"),
        (("--insutype", "390", "--policy", "clearing", *MAY), 2, "policy_of_another_kind"),
        (
            ("--insutype", "390", "--level", "3", *MAY, "--own", "80001"),
            2,
            "more_outside_than_cost",
        ),
        (("--insutype", "390", "--level", "3", *MAY, "--own", "-1"), 64, "usage"),
    ],
)
def test_refusals(book, words, code, error):
    answer = book("layers", "compute", "--total", "80000", *words, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (code, error)


def test_a_clearing_does_not_take_a_one_stop_policy(book):
    refused = book(
        "clear", "2024-03", "--fund", "390", "--dry-run", "--policy", "resident", "--json"
    )
    assert (refused.code, refused.json["error"]["code"]) == (2, "policy_of_another_kind")
    assert [one["kind"] for one in book("policy", "list", "--json").json["policies"]] == [
        "one_stop",
        "clearing",
    ]
    found = book("clear", "2024-03", "--fund", "390", "--dry-run", "--json").json
    assert found["policy"]["policy"] == "clearing@1"
