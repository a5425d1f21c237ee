"""用款计划: asked for, granted, drawn to 支出户, and orders held to it.

Approved on fund 390 for January: H1 100.00, H2 200.00; 50.00 are added by hand, 300.00 are granted.
"""

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office
from support.paying import approve_months

from medfund.bootstrap import now
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

APPROVED = [(H1, "2024-01", 10_000), (H2, "2024-01", 20_000)]
PLAN = ("--fund", "390", "--period", "2024-03")
BATCH = f"{AREA}-payout-390-2024-03-1"


@pytest.fixture
def ask(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("390", "610")
        approve_months(office.ledger, AREA, "390", APPROVED, "2024-02-20")

    def run(*words, code=0, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


def plan(document):
    (fund,) = document["funds"]
    return tuple(
        fund[f"{name}_fen"] for name in ("requested", "granted", "drawn", "ordered", "left")
    )


def request(ask, *more, code=0):
    return ask("payout", "plan", *PLAN, "--date", "2024-03-01", *more, code=code)


def grant(ask, *more, user=REVIEWER, code=0):
    asked = ("payout", "grant", *PLAN, "--paper", "财社〔2024〕3号", "--date", "2024-03-03", *more)
    return ask(*asked, user=user, code=code)


def draw(ask, doc_no, *more, code=0):
    asked = ("payout", "draw", *PLAN, "--doc-no", doc_no, "--date", "2024-03-04", *more)
    return ask(*asked, code=code)


def order(ask, *more):
    return ask("payout", "prepare", "--fund", "390", "--date", "2024-03-05", *more)["payout"]


def money(ask):
    found = {
        row["account"]: row["balance_fen"] for row in ask("balances", "--fund", "390")["balances"]
    }
    return found.get("fiscal", 0), found.get("expenditure", 0)


def test_asked_granted_drawn_and_ordered_within(ask):
    assert plan(request(ask, "--add", "390=50.00")) == (35_000, 0, 0, 0, 0)
    assert plan(request(ask, "--add", "390=50.00"))[0] == 35_000, "the same again"
    assert request(ask, code=3)["error"]["code"] == "plan_waiting"
    name = order(ask)
    early = ask("approve", name, user=REVIEWER, code=3)["error"]
    assert (early["code"], early["facts"]["granted"]) == ("plan_exceeded", "0.00")
    assert grant(ask, "--amount", "390=350.01", code=3)["error"]["code"] == "granted_too_much"
    assert plan(grant(ask, "--amount", "390=300.00")) == (35_000, 30_000, 0, 0, 30_000)
    assert plan(grant(ask, "--amount", "390=300.00"))[1] == 30_000, "the same again"
    assert grant(ask, "--amount", "390=1.00", code=3)["error"]["code"] == "plan_not_waiting"
    draw(ask, "BK1", "--amount", "100.00")
    assert draw(ask, "BK1", "--amount", "100.01", code=3)["error"]["code"] == "draw_conflict"
    assert plan(draw(ask, "BK1", "--amount", "100.00"))[2] == 10_000, "the same again"
    assert draw(ask, "BK2", "--amount", "200.01", code=3)["error"]["code"] == "drawn_too_much"
    assert plan(draw(ask, "BK2"))[2] == 30_000
    assert money(ask) == (-30_000, 30_000)
    ask("approve", name, user=REVIEWER)
    ask("payout", "confirm", name, "--date", "2024-03-06")
    assert money(ask) == (-30_000, 0)
    assert plan(ask("payout", "plan", *PLAN, "--show")) == (35_000, 30_000, 30_000, 30_000, 0)
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]


one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@one_store
def test_an_order_beyond_the_grant_is_refused_with_the_figures(ask):
    """Counting failed orders against the grant fails here too."""
    request(ask)
    grant(ask, "--amount", "390=250.00")
    name = order(ask)
    facts = ask("approve", name, user=REVIEWER, code=3)["error"]["facts"]
    assert (facts["granted"], facts["ordered"], facts["wanted"]) == ("250.00", "0.00", "300.00")
    first = order(ask, "--institution", H2)
    ask("approve", first, user=REVIEWER)
    second = order(ask, "--institution", H1)
    facts = ask("approve", second, user=REVIEWER, code=3)["error"]["facts"]
    assert (facts["granted"], facts["ordered"], facts["wanted"]) == ("250.00", "200.00", "100.00")
    failed = ("payout", "fail", first, "--line", "1", "--reason", "户名不符")
    ask(*failed, "--date", "2024-03-06")
    ask("approve", second, user=REVIEWER)
    assert plan(request(ask)) == (50_000, 25_000, 0, 10_000, 15_000), "a second application"


@one_store
def test_payments_to_persons_are_held_to_the_same_grant(ask, tmp_path):
    """Granted 300.00: 50.00 to a person first, and 300.00 to institutions are too much."""
    today = now().date().isoformat()
    month = ("--fund", "390", "--period", today[:7])

    def ordered():
        return plan(ask("payout", "plan", *month, "--show"))[3:]

    file = tmp_path / "零星.csv"
    rows = ["受理号,人员编号,姓名,银行账号,险种,金额"]
    rows += [f"LX{fund},P1,王小明,6222,{fund},{yuan}" for fund, yuan in (("390", 50), ("610", 10))]
    file.write_text("\n".join(rows), "utf-8")
    name = f"{AREA}-persons-{ask('intake', file)['files'][0]['intake']}"
    ask("payout", "plan", *month)
    error = ask("approve", name, user=REVIEWER, code=3)["error"]
    assert error["code"] == "plan_exceeded"
    facts = error["facts"]
    assert (facts["fund"], facts["granted"], facts["wanted"]) == ("390", "0.00", "50.00")
    ask("payout", "grant", *month, "--paper", "财社〔2024〕3号", user=REVIEWER)
    ask("approve", name, user=REVIEWER)
    ask("approve", name, user=REVIEWER)  # once more changes nothing
    assert ordered() == (5_000, 25_000)
    batch = ask("payout", "prepare", "--fund", "390", "--date", today)["payout"]
    facts = ask("approve", batch, user=REVIEWER, code=3)["error"]["facts"]
    assert (facts["ordered"], facts["wanted"]) == ("50.00", "300.00")
    ask("payout", "release", name, "-o", tmp_path / "代发.csv")
    failed = ("payout", "fail", name, "--line", "1", "--reason", "户名不符", "--date", today)
    ask(*failed)
    assert ordered() == (0, 30_000), "what failed counts no more"
    ask("approve", batch, user=REVIEWER)
    assert ask("replay", "--compare")["equal"]


@one_store
def test_the_gate_is_a_dated_parameter_of_the_area(ask, store_url, tmp_path):
    assert ask("approve", order(ask, "--institution", H1), user=REVIEWER)["open_fen"] == 10_000
    with open_office(store_url, tmp_path) as office:
        gates = [("required", "2024-03-01"), ("off", "2024-04-01")]
        file = {
            "area": {"code": AREA, "name": "上虞区", "funds": ["390", "610"]},
            "policies": [
                {"name": "payment_plan", "effective": day, "content": {"gate": gate}}
                for gate, day in gates
            ],
        }
        apply_setup(office.ledger, SetupFile.model_validate(file), user="admin1")
    assert ask("approve", order(ask), user=REVIEWER, code=3)["error"]["code"] == "plan_exceeded"
    later = ask("payout", "prepare", "--fund", "390", "--date", "2024-04-05")["payout"]
    assert ask("approve", later, user=REVIEWER)["open_fen"] == 20_000


@one_store
def test_whoever_asked_records_no_grant_and_assistance_is_not_drawn(ask, store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        both = {
            "area": {"code": AREA, "name": "上虞区", "funds": ["390", "610"]},
            "users": [{"name": "both1", "roles": ["clerk", "reviewer"]}],
        }
        apply_setup(office.ledger, SetupFile.model_validate(both), user="admin1")
    assert grant(ask, code=3)["error"]["code"] == "plan_not_waiting"
    ask("payout", "plan", *PLAN, "--date", "2024-03-01", user="both1")
    assert grant(ask, user="both1", code=3)["error"]["code"] == "own_plan"
    words = ("payout", "draw", "--fund", "610", "--period", "2024-03", "--doc-no", "B1")
    assert ask(*words, code=2)["error"]["code"] == "payout_faulty"
    assert ask("payout", "plan", "--fund", "310", code=2)["error"]["code"] == "payout_faulty"
