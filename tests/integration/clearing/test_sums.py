"""Sum of statements = run = what was posted, and a dry run is the run: a year of four hospitals.

Drawn once: claims of points, of days and as booked, refusals, a recovery, prepaid money and a deposit;
three months and a late run of the first, paid in between; the year, corrected, cleared again. After each
approval three witnesses are held against each other to the fen, hospital by hospital: the run's
lines, the accounts in the archive, and the statement (结算单) that the hospital checks.
"""

import random
from datetime import date

import pytest
from support.facts import Clock
from support.office import ADMINISTRATOR, AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.application import FundLedger
from projections.follow import bring_up_to
from projections.queries.settlement import settlement_document
from settlement.clearing.records import records_now
from settlement.clearing.year.run import SETTLED
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile
from settlement.year_runs import load_year

FUND, YEAR = "310.pooled", "2023"
H3, H4 = "H33060400003", "H33060400004"
HOSPITALS = (H1, H2, H3, H4)
POLICY = """
[policy]
name = "inpatient"
title = "2023"
fund = "310.pooled"
effective = 2023-01-01
until = 2024-12-31

[budget]
year = "300000.07"

[point_value]
sharing = "published"
digits = 2

[monthly]
basis = "due"
prepayment_offset = "monthly"
prepayment_share = "1/2"

[[methods]]
name = "points"
kind = "dip"
clr_types = ["21"]
groups = { A = { points = "1000", average = "10000.00" }, B = { points = "333.3333", average = "3000.00" } }
coefficients = { H33060400001 = "1", H33060400002 = "0.85", H33060400003 = "1.0101" }
coefficient_default = "0.7777"

[[methods]]
name = "days"
kind = "per_diem"
clr_types = ["22"]
stages = [{ upto_day = 3, rate = "333.33" }, { rate = "99.99" }]

[[methods]]
name = "booked"
kind = "fee_for_service"
clr_types = ["11"]

[deposit]
share = "5%"
order = "after_deduction"
release = [{ from_score = "90", share = "100%" }, { from_score = "60", below = "90" }]

[bands]
ratio = "booked/due"
band = [
    { upto = "80%", owns_edge = false, booked = "1" },
    { upto = "100%", due = "1" },
    { upto = "110%", due = "0.3", booked = "0.7" },
    { due = "1.07" },
]

[yearly]
rounding = "yuan"
"""
#: The rows of the bridge, and what of a run's line each of them is.
ROWS = {
    "booked": ("booked_fen", 1),
    "refused": ("refused_fen", -1),
    "deposit": ("deposit_fen", -1),
    "insurer": ("insurer_fen", -1),
    "cleared": ("difference_fen", 1),
    "offset": ("offset_fen", -1),
    "prepaid": ("prepaid_fen", -1),
}


def claims(chance, month, count, *, first):
    for number in range(first, first + count):
        clr_type = chance.choice(["21", "21", "21", "22", "11"])
        cost = chance.randrange(100_000, 2_500_001)
        booked = cost * chance.randrange(50, 90) // 100
        fen = {"medfee_sumamt": cost, "hifp_pay": booked, "fund_pay_sumamt": booked}
        fen["psn_cash_pay"] = cost - booked
        yield {
            "setl_id": f"S{number:04d}",
            "psn_no": f"P{number % 7}",
            "fixmedins_code": chance.choice(HOSPITALS),
            "clr_type": clr_type,
            "med_type": clr_type,
            "setl_time": f"{month}-{chance.randrange(1, 29):02d} 10:00:00",
            "dise_code": chance.choice(["A", "B"]) if clr_type == "21" else "",
            "days": str(chance.randrange(1, 9)) if clr_type == "22" else "",
            "acct_pay": "0.00",
            **{name: f"{amount // 100}.{amount % 100:02d}" for name, amount in fen.items()},
        }


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path, today=date(2024, 3, 1)) as office:
        office.setup("310")
        more = {
            "area": {"code": AREA, "name": "上虞区", "funds": ["310"]},
            "institutions": [{"code": code, "name": code, "level": 2} for code in (H3, H4)],
        }
        apply_setup(office.ledger, SetupFile.model_validate(more), user=ADMINISTRATOR)
        yield office


@pytest.fixture
def ask(medfund):
    def asked(*words, user=None):
        answer = medfund("--json", *words, user=user)
        assert answer.code == 0, answer.out + answer.err
        return answer.json

    return asked


@pytest.fixture
def witnesses(office, store_url, tmp_path):
    """What the archive has of each hospital's period, and what its statement says."""

    def told(period):
        with FundLedger(store_url, clock=Clock()) as ledger:
            records = records_now(ledger.log, tmp_path / "sums.parquet", area=AREA)
            owed = {
                (of.institution, of.month): accounts
                for of, accounts in records.owed().items()
                if of.fund == FUND
            }
        bring_up_to(office.ledger, office.reads, office.position)
        statements = {
            code: settlement_document(
                office.reads,
                office.ledger,
                area=AREA,
                fund=FUND,
                institution=code,
                period=period,
            )
            for code in HOSPITALS
        }
        return owed, statements

    return told


def rows_of(statement):
    return {row["key"]: row["fen"] for row in statement["bridge"]}


def clear(ask, period):
    """Try, record and approve: the three have the same digest and the same figures."""
    trial = ask("clear", period, "--fund", FUND, "--dry-run")
    run = ask("clear", period, "--fund", FUND, user=CLERK)
    assert run["plan_hash"] == trial["plan_hash"]
    approved = ask("approve", run["run"], user=REVIEWER)
    assert approved["plan_hash"] == run["plan_hash"]
    return trial, run, approved


def clear_month(ask, witnesses, month, earlier=()):
    """Clear a month; statement, run and accounts agree on each hospital and altogether."""
    trial, run, approved = clear(ask, month)
    assert trial["settlement"] == run["settlement"] == approved["settlement"]
    owed, statements = witnesses(month)
    lines = {one["institution"]: one for one in run["settlement"]["lines"]}
    for code, statement in statements.items():
        mine = [one for one in (*earlier, lines) if code in one]
        rows, accounts = rows_of(statement), owed.get((code, month), {})
        for row, (name, sign) in ROWS.items():
            assert rows[row] == sign * sum(one[code][name] for one in mine), (code, row)
        assert statement["agrees"] == {"books": True, "runs": True, "bank": True}
        assert accounts.get("owed.deposit", 0) == -rows["deposit"]
        assert accounts.get("claims.cleared", 0) == -rows["cleared"]
        assert accounts.get("claims.offset", 0) == -rows["offset"]
        assert accounts.get("claims.prepaid", 0) == -rows["prepaid"]
        if code in lines and not earlier:
            assert statement["unpaid_fen"] == lines[code]["payable_fen"]
    total = run["settlement"]["total"]
    if not earlier:
        for row, (name, sign) in ROWS.items():
            assert sum(rows_of(one)[row] for one in statements.values()) == sign * total[name]
        assert sum(one["unpaid_fen"] for one in statements.values()) == total["payable_fen"]
    assert sum(one["payable_fen"] for one in run["settlement"]["payees"]) == total["payable_fen"]
    return lines


def clear_year(ask, witnesses, ledger):
    """Clear the year: months and all deltas make its final, in the accounts and on the statements."""
    trial, run, approved = clear(ask, YEAR)
    assert trial["year"]["problems"] == []
    recorded = load_year(ledger, AREA, FUND, YEAR).find(run["run"]).computed
    assert recorded.result == trial["run"]["result"]
    for one, other in zip(trial["year"]["institutions"], run["institutions"], strict=True):
        shared = one.keys() & other.keys()
        assert {"final_fen", "settled_fen", "difference_fen", "due_fen", "score"} <= shared
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}
    owed, statements = witnesses(YEAR)
    lines = {one["institution"]: one for one in approved["institutions"]}
    assert set(lines) == set(HOSPITALS)
    for code, line in lines.items():
        mine = [accounts for (institution, _), accounts in owed.items() if institution == code]
        posted = sum(accounts.get(name, 0) for accounts in mine for name in SETTLED)
        assert posted == line["final_fen"], "months and deltas make the final"
        rows = rows_of(statements[code])
        left = ("booked", "refused", "undeclared", "unaudited", "cleared")
        assert sum(rows[row] for row in left) == line["final_fen"]
        assert rows["forfeited"] == -line["forfeited_fen"]
        assert rows["deposit"] == 0, "what was withheld came back or was forfeited"
        assert line["withheld_fen"] == line["released_fen"] + line["forfeited_fen"]
        assert statements[code]["agrees"] == {"books": True, "runs": True, "bank": True}
        runs = [one for one in statements[code]["runs"] if one["of_year"]]
        assert runs[-1]["payable_fen"] == line["difference_fen"] + line["release_fen"]
    for name in ("final_fen", "difference_fen", "release_fen"):
        assert sum(line[name] for line in lines.values()) == approved["total"][name]
    return lines


def pay(ask, day):
    batch = ask("payout", "prepare", "--fund", FUND, "--date", day, user=CLERK)["payout"]
    ask("approve", batch, user=REVIEWER)
    confirm = ("payout", "confirm", batch, "--date", day, "--bank-ref", "B1")
    return ask(*confirm, user=CLERK)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_statements_runs_and_accounts_say_the_same_all_year(office, ask, witnesses, tmp_path):
    chance = random.Random(41)
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    ask("policy", "propose", tmp_path / "policy.toml", user=CLERK)
    ask("policy", "approve", "inpatient@1", user=REVIEWER)
    rows = [
        row
        for place, month in enumerate(("2023-01", "2023-02"))
        for row in claims(chance, month, 16, first=100 * place)
    ]
    assert office.bring_claims(rows).posted == len(rows)
    prepaid = {"doc_no": "Y1", "date": "2023-01-05", "fund": FUND, "item": "prepayment"}
    office.bring_flows([prepaid | {"amount": "20000.00", "counterparty": H3}])
    why = ("--reason-code", "A01", "--reason", "超限定", "--date", "2023-04-10")
    given = ("--fund", FUND, "--institution", H2, "--period", "2023-01", "--amount", "123.45")
    ask("approve", ask("refuse", *given, *why, user=CLERK)["refusal"], user=REVIEWER)
    given = (
        "--fund",
        FUND,
        "--counterparty",
        H1,
        "--amount",
        "30000.01",
        "--original-year",
        "2022",
    )
    offset = ask(
        "recover", "--from-next-payment", *given, "--doc-no", "ZH1", "--note", "重复", user=CLERK
    )
    ask("approve", offset["offset"], user=REVIEWER)
    january = clear_month(ask, witnesses, "2023-01")
    for name, _ in ROWS.values():
        nothing = name == "insurer_fen"  # of this fund the agency pays everything itself
        assert any(line[name] for line in january.values()) != nothing, name
    clear_month(ask, witnesses, "2023-02")
    pay(ask, "2024-02-01")
    late = list(claims(chance, "2023-01", 5, first=900))
    assert office.bring_claims(late).posted == len(late)
    clear_month(ask, witnesses, "2023-01", earlier=(january,))
    scores = [
        {"fixmedins_code": code, "year": YEAR, "score": score}
        for code, score in zip(HOSPITALS, ("95", "77.7", "60", "90"), strict=True)
    ]
    scores[1] |= {"deduction": "55.55", "fund": FUND}
    office.bring(office.write_file("scores.csv", scores), kind="assessments")
    first = clear_year(ask, witnesses, office.ledger)
    scores[2]["score"] = "88.8"
    for code in HOSPITALS:
        dispute = ("clear", "dispute", f"{AREA}-clear-{FUND}-{YEAR}-1", "--institution", code)
        ask(*dispute, "--reason", "入组有误", user=CLERK)
    office.bring(office.write_file("scores2.csv", scores[2:3]), kind="assessments")
    regrouped = [
        {"setl_id": row["setl_id"], "dise_code": {"A": "B", "B": "A"}[row["dise_code"]]}
        | {"reason": "更正"}
        for row in rows
        if row["dise_code"]
    ][:3]
    office.bring(office.write_file("groups.csv", regrouped), kind="groupings")
    second = clear_year(ask, witnesses, office.ledger)
    assert [one["final_fen"] for one in second.values()] != [
        one["final_fen"] for one in first.values()
    ]
    assert second[H3]["release_fen"] > 0
    office.assert_sound()
