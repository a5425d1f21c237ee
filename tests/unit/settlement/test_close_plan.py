"""What a close computes, as small tables: trial balance, ageing, checks, year-end transfer, hash."""

import pytest

from ledger.aggregates.area import Area
from ledger.domain.period import Period
from ledger.store.commit import Total, TotalKey
from settlement.close_plan import (
    TrialBalanceBroken,
    ageing,
    blocking,
    make_plan,
    plan_hash,
    trial_balance,
    year_transfer,
)

AREA = "330604"
DECEMBER = Period(2023, 12)


def totals(table):
    """Read lines of ``month fund debit credit fen``: what was posted when."""
    sums = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        month, fund, debit, credit, fen = line.split()
        for account, side in ((debit, 0), (credit, 1)):
            key = TotalKey(AREA, fund, account, Period.parse(month).ordinal)
            total = list(sums.get(key, (0, 0, 0)))
            total[side] += int(fen)
            total[2] += 1
            sums[key] = Total(*total)
    return sums


def plan(table, period=DECEMBER, *, transferred="", **options):
    return make_plan(
        area=Area(AREA, options=options),
        fund="390",
        period=period,
        cutoff_position=7,
        totals=totals(table),
        transferred={
            key: total.debit_fen - total.credit_fen for key, total in totals(transferred).items()
        },
    )


YEAR = """
2022-12 390 fiscal net_assets 10000
2023-11 390 fiscal income.interest 500
2023-11 390 fiscal income.pending 40
2023-12 390 expense.benefit.inpatient expenditure 300
2023-12 390 expense.remit_up expenditure 50
2024-01 390 fiscal income.interest 9
"""


def test_a_trial_balance_shows_opening_movement_and_closing_of_every_account():
    rows = trial_balance(totals(YEAR), DECEMBER)
    assert {
        row["account"]: (
            row["opening_fen"],
            row["debit_fen"],
            row["credit_fen"],
            row["closing_fen"],
        )
        for row in rows
    } == {
        "fiscal": (10540, 0, 0, 10540),
        "net_assets": (-10000, 0, 0, -10000),
        "income.interest": (-500, 0, 0, -500),
        "income.pending": (-40, 0, 0, -40),
        "expenditure": (0, 0, 350, -350),
        "expense.benefit.inpatient": (0, 300, 0, 300),
        "expense.remit_up": (0, 50, 0, 50),
    }


def test_figures_of_month_year_and_twelve_months():
    assert plan(YEAR.replace("2024-01 390 fiscal income.interest 9", ""))["figures"] == {
        "income_month_fen": 0,
        "expense_month_fen": 350,
        "income_year_fen": 540,
        "expense_year_fen": 350,
        "expense_trailing12_fen": 350,
        "accumulated_fen": 10190,
    }


TRANSFER = """
2023-12 390 income.interest net_assets 500
2023-12 390 income.pending net_assets 40
2023-12 390 net_assets expense.benefit.inpatient 300
2023-12 390 net_assets expense.remit_up 50
"""


def test_a_year_end_transfer_is_no_flow_of_the_twelve_months():
    january = Period(2024, 1)
    later = "2024-01 390 expense.benefit.inpatient expenditure 30"
    made = plan(YEAR + TRANSFER + later, january, transferred=TRANSFER)
    assert made["figures"] == {
        "income_month_fen": 9,
        "expense_month_fen": 30,
        "income_year_fen": 9,
        "expense_year_fen": 30,
        "expense_trailing12_fen": 380,
        "accumulated_fen": 10169,
    }


def test_books_that_do_not_balance_stop_the_close():
    broken = totals(YEAR)
    key = TotalKey(AREA, "390", "fiscal", Period(2023, 11).ordinal)
    broken[key] = broken[key]._replace(debit_fen=541)
    with pytest.raises(TrialBalanceBroken) as stopped:
        make_plan(
            area=Area(AREA),
            fund="390",
            period=DECEMBER,
            cutoff_position=7,
            totals=broken,
            transferred={},
        )
    facts = stopped.value.facts
    assert facts["debit_fen"] - facts["credit_fen"] == 1


#: 账龄 at December 2023: what moved when (+ paid out, − settled), and the bands that are left.
AGES = [
    ("2023-12 +100", {"0-3": 100}),
    ("2023-09 +100", {"0-3": 100}),
    ("2023-08 +100", {"4-12": 100}),
    ("2022-12 +100", {"4-12": 100}),
    ("2022-11 +100", {"13-24": 100}),
    ("2021-12 +100", {"13-24": 100}),
    ("2021-11 +100", {"25+": 100}),
    # the oldest is settled first
    ("2022-01 +100, 2023-10 +50, 2023-11 -100", {"0-3": 50}),
    ("2022-01 +100, 2023-10 +50, 2023-11 -120", {"0-3": 30}),
    ("2022-01 +100, 2023-10 +50, 2023-11 -60", {"13-24": 40, "0-3": 50}),
    ("2022-01 +100, 2023-11 -100", {}),
    # more settled than paid: the rest stands on the other side, with its own age
    ("2023-10 +100, 2023-11 -130", {"0-3": -30}),
    ("2023-03 -30, 2023-11 +100", {"0-3": 70}),
    ("2023-03 -30, 2023-11 +10", {"4-12": -20}),
]


@pytest.mark.parametrize(("moves", "bands"), AGES)
@pytest.mark.parametrize("account", ["advance.prepayment", "payable.suspense"])
def test_what_is_open_is_listed_by_age_the_oldest_settled_first(moves, bands, account):
    lines = []
    for month, fen in (move.split() for move in moves.split(", ")):
        sides = (
            [account, "fiscal"] if (fen[0] == "+") == (account[0] == "a") else ["fiscal", account]
        )
        lines.append(f"{month} 390 {sides[0]} {sides[1]} {fen[1:]}")
    listed = ageing(totals("\n".join(lines)), DECEMBER)
    assert listed == ([{"fund": "390", "account": account, "bands": bands}] if bands else [])


def test_what_institutions_are_owed_ages_whole_whatever_its_stage_and_deposits_apart():
    """Listing each stage by itself makes what was declared in November three months younger."""
    table = """
    2023-01 390 claims.incurred owed.booked 100
    2023-11 390 owed.booked owed.declared 100
    2023-11 390 owed.declared claims.refused 10
    2023-12 390 owed.declared owed.approved 85
    2023-12 390 owed.declared owed.deposit 5
    2023-12 390 owed.approved owed.ordered 60
    2023-12 390 owed.ordered claims.paid 60
    """
    assert ageing(totals(table), DECEMBER) == [
        {"fund": "390", "account": "owed", "bands": {"4-12": 25}},
        {"fund": "390", "account": "owed.deposit", "bands": {"0-3": 5}},
    ]


def test_december_moves_income_and_expense_to_net_assets_and_carries_forward():
    year_end = plan(YEAR.replace("2024-01 390 fiscal income.interest 9", ""))["year_end"]
    assert {(one["debit"], one["credit"], one["fen"]) for one in year_end["transfer"]} == {
        ("income.interest", "net_assets", 500),
        ("income.pending", "net_assets", 40),
        ("net_assets", "expense.benefit.inpatient", 300),
        ("net_assets", "expense.remit_up", 50),
    }
    assert year_end["pending_cleared_fen"] == 40
    assert year_end["opening_next_year_fen"] == {"390": 10190}


@pytest.mark.parametrize("month", range(1, 12))
def test_no_other_month_transfers_anything(month):
    period = Period(2023, month)
    assert year_transfer(totals(YEAR), period) == ()
    assert "year_end" not in plan(YEAR, period)


@pytest.mark.parametrize(
    ("table", "options", "codes", "blocked"),
    [
        ("2023-12 390 fiscal income.interest 5", {}, set(), []),
        ("2023-12 390 expense.other fiscal 5", {},
         {"money_account_negative", "negative_accumulated"}, []),
        ("2023-12 390 expense.other fiscal 5", {"money_account_control": True},
         {"money_account_negative", "negative_accumulated"}, ["money_account_negative"]),
        ("2023-12 390 income income.interest 5", {}, {"income_account_not_nil"}, []),
        ("2023-12 390 claims.incurred owed.booked 5", {"money_account_control": True}, set(), []),
    ],
)  # fmt: skip
def test_checks_name_what_a_reviewer_should_look_at(table, options, codes, blocked):
    made = plan(table, **options)
    assert {check["code"] for check in made["checks"]} == codes
    assert blocking(made) == blocked


def test_the_hash_follows_the_content_and_not_the_order_of_keys():
    made = plan(YEAR)
    assert plan_hash(dict(reversed(made.items()))) == plan_hash(made)
    assert plan_hash(made | {"cutoff_position": 8}) != plan_hash(made)
    assert plan_hash(plan(YEAR + "2023-12 390 fiscal income.interest 1")) != plan_hash(made)


def test_a_plan_names_the_policies_in_force_at_the_month_s_end():
    area = Area(AREA)
    for effective in ("2022-01-01", "2023-12-31", "2024-01-01"):
        area.policies["deposit", effective] = {}
    made = make_plan(
        area=area,
        fund="390",
        period=DECEMBER,
        cutoff_position=7,
        totals=totals(YEAR),
        transferred={},
    )
    assert made["policies"] == {"deposit": "2023-12-31"}
