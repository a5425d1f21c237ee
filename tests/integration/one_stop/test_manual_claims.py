"""Manual claims through the doors: computed by the policy, two people, owed to a token, stale, made up."""

import json

import pytest
from support.office import AREA, CLERK, H1, REVIEWER, open_office
from support.one_stop import write_policy

from ledger.verify import verify

STACK = ("--total", "80000", "--own", "8000", "--first-share", "4000", "--above-limit", "500")
HELPED = ("--level", "3", "--assistance-class", "01")


def claim(no, *words, person="P1", day="2024-03-20"):
    return (
        "manual", "claim", "--claim-no", no, "--person", person, "--insutype", "390",
        "--date", day, "--received", "2024-04-02", "--documents", "6", "--reason", "异地急诊", *words,
        "--json",
    )  # fmt: skip


def counter(setl_id, day, person="P1"):
    """The synthetic stack as it was settled at the counter, without assistance."""
    return {
        "setl_id": setl_id, "psn_no": person, "insutype": "390", "fixmedins_code": H1,
        "setl_time": f"{day} 10:00:00", "medfee_sumamt": "80000.00",
        "inscp_scp_amt": "67500.00", "hifp_pay": "43095.00", "hifmi_pay": "5643.00",
        "fund_pay_sumamt": "48738.00", "acct_pay": "0.00", "psn_cash_pay": "31262.00",
    }  # fmt: skip


@pytest.fixture
def book(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "392", "610")
    assert medfund("policy", "propose", write_policy(tmp_path), user=CLERK).code == 0
    assert medfund("policy", "approve", "resident@1", user=REVIEWER).code == 0
    return medfund


def office_brings(store_url, tmp_path, *rows):
    with open_office(store_url, tmp_path) as office:
        assert office.bring_claims(rows).state == "posted"


def test_a_claim_is_computed_approved_and_owed_by_fund(book, store_url, tmp_path):
    told = book(*claim("SG-1", *STACK, *HELPED), user=CLERK)
    assert told.code == 0, told.err
    proposed = told.json
    assert proposed["parts"] == {
        "hifp_pay": 43_095_00, "hifmi_pay": 10_988_25, "maf_pay": 9_391_73,
    }  # fmt: skip
    assert proposed["funds_fen"] + proposed["person_fen"] == 80_000_00
    assert (proposed["state"], proposed["due"]) == ("waiting", "2024-05-14")
    assert book(*claim("SG-1", *STACK, *HELPED), user=CLERK).json == proposed  # nothing twice
    other = book(*claim("SG-1", *STACK, "--level", "3"), user=CLERK)
    assert (other.code, other.json["error"]["code"]) == (3, "manual_claim_conflict")
    assert book("approve", proposed["manual_claim"], "--json", user=CLERK).code == 3
    settled = book("approve", proposed["manual_claim"], "--json", user=REVIEWER).json
    assert settled["state"] == "settled"
    assert settled["owed"] == {"390": 43_095_00, "392": 10_988_25, "610": 9_391_73}
    again = book("approve", proposed["manual_claim"], "--json", user=REVIEWER).json
    assert again == settled
    listed = book("obligations", "--json").json["institutions"]
    assert {(one["institution"], one["fund"], one["approved_fen"]) for one in listed} == {
        (proposed["person"], fund, fen) for fund, fen in settled["owed"].items()
    }
    with open_office(store_url, tmp_path) as office:
        office.assert_sound()
        log = b"".join(row[2] for row in office.ledger.log.read_facts(after=0, until=10**6))
        assert b'"P1"' not in log
        assert verify(office.ledger).ok


def test_nobody_approves_their_own(book, tmp_path):
    both = tmp_path / "both.toml"
    both.write_text(
        f'[area]\ncode = "{AREA}"\nname = "上虞区"\nfunds = ["390"]\n'
        '[[users]]\nname = "chief"\nroles = ["clerk", "reviewer"]\n',
        encoding="utf-8",
    )
    assert book("setup", both, user="admin1").code == 0
    name = book(*claim("SG-1", *STACK, "--level", "3"), user="chief").json["manual_claim"]
    own = book("approve", name, "--json", user="chief")
    assert (own.code, own.json["error"]["code"]) == (3, "own_manual_claim")
    back = book("reject", name, "--reason", "缺材料", "--json", user=REVIEWER).json
    assert (back["state"], back["reason"]) == ("rejected", "缺材料")
    assert book("reject", name, "--reason", "缺材料", "--json", user=REVIEWER).json == back
    assert book("reject", name, "--reason", "另有原因", user=REVIEWER).code == 3
    assert book(*claim("SG-1", *STACK, "--level", "3"), user=CLERK).json["revision"] == 2


def test_the_year_so_far_counts_claims_of_both_kinds(book, store_url, tmp_path):
    office_brings(store_url, tmp_path, counter("S1", "2024-01-05"))
    first = book(*claim("SG-1", *STACK, "--level", "3"), user=CLERK).json
    # the deductible of a second stay is 600; 24,405 have entered the catastrophic layer before
    assert first["year_before"]["qualified_fen"] == 24_405_00
    assert first["parts"] == {"hifp_pay": 43_485_00, "hifmi_pay": 15_330_00}
    assert book("approve", first["manual_claim"], user=REVIEWER).code == 0
    second = book(*claim("SG-2", *STACK, "--level", "3"), user=CLERK).json
    assert second["year_before"]["settlements"] == 2
    assert second["year_before"]["qualified_fen"] == 48_420_00
    stranger = book(*claim("SG-3", *STACK, "--level", "3", person="P2"), user=CLERK).json
    assert stranger["parts"] == {"hifp_pay": 43_095_00, "hifmi_pay": 5_643_00}


def test_a_rotated_key_does_not_cut_the_year(book, store_url, tmp_path):
    office_brings(store_url, tmp_path, counter("S1", "2024-01-05"))
    assert book("keys", "rotate", user="admin1").code == 0
    found = book(*claim("SG-1", *STACK, "--level", "3"), user=CLERK).json
    assert found["year_before"]["qualified_fen"] == 24_405_00


def test_what_was_settled_meanwhile_makes_a_claim_stale(book, store_url, tmp_path):
    name = book(*claim("SG-1", *STACK, "--level", "3"), user=CLERK).json["manual_claim"]
    office_brings(store_url, tmp_path, counter("S1", "2024-01-05"))
    refused = book("approve", name, "--json", user=REVIEWER)
    assert (refused.code, refused.json["error"]["code"]) == (3, "manual_claim_stale")


def test_assistance_is_made_up_for_on_what_was_left(book, store_url, tmp_path):
    """补救助: 67,500 − 43,095 − 5,643 = 18,762 were left; 70 % are 13,133.40 (the paper's stack)."""
    office_brings(store_url, tmp_path, counter("S1", "2024-01-05"))
    words = ("--setl-id", "S1", *HELPED)
    found = book(*claim("BJ-1", *words, day="2024-01-05"), user=CLERK).json
    assert found["parts"] == {"maf_pay": 13_133_40}
    assert found["person_fen"] == 18_128_60
    settled = book("approve", found["manual_claim"], "--json", user=REVIEWER).json
    assert settled["owed"] == {"610": 13_133_40}
    again = book(*claim("BJ-2", *words, day="2024-01-05"), user=CLERK)
    assert (again.code, again.json["error"]["code"]) == (3, "settlement_made_up")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ((*STACK, "--level", "2"), 3, "no_layer_rule"),
        (("--total", "100", "--level", "3"), 3, "manual_claim_nothing"),
        ((*STACK, "--level", "3", "--received", "2099-01-01"), 2, "manual_claim_faulty"),
        (("--setl-id", "S9", *HELPED), 2, "manual_claim_faulty"),
        (("--level", "3"), 2, "manual_claim_faulty"),
    ],
)
def test_refusals(book, words, code, error):
    answer = book(*claim("SG-1", *words), user=CLERK)
    assert (answer.code, json.loads(answer.out)["error"]["code"]) == (code, error)
