"""预付金: the gate by its figures, a month of last year's booked by institution, taken back again.

Fund 390, a history of two years. Every month of 2023 has income 500,000.00 and expense 100,000.00, the
opening is nil; booked at the counter in 2023: H1 1,000.00, H2 500.00.

    balance at the end of 2023: 12 x 400,000.00 = 4,800,000.00; ÷ 100,000.00 = 48 payable months
    one month of prepayment: 1,500.00 ÷ 12 = 125.00, split 2 : 1 = 83.33 (H1) and 41.67 (H2)
"""

from fractions import Fraction

import pytest
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.domain.period import Period
from projections.follow import bring_up_to
from projections.queries.indicators import indicators_document
from projections.queries.monthly import monthly_figures
from settlement.clearing.policies.prepayment_rules import PrepaymentRules
from settlement.payout.prepay_gate import gate_figures

one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
BATCH = f"{AREA}-prepay-390-2024-01-1"
POLICY = """
[policy]
name = "resident-2024"
title = "2024年度"
fund = "390"
effective = 2024-01-01

[prepayment]
gate_months = "{gate}"
size_months = "2"
deficit_last_year = "{deficit}"
deficit_forecast = "{deficit}"

[[methods]]
name = "all"
kind = "fee_for_service"
"""


def claim(setl_id, institution, yuan):
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": "390",
        "setl_time": "2023-05-05 10:00:00",
        "medfee_sumamt": yuan,
        "fund_pay_sumamt": yuan,
        "hifp_pay": yuan,
        "acct_pay": "0",
        "psn_cash_pay": "0",
    }


def flows(year, income, expense, *, months=range(1, 13)):
    for month in months:
        for item, amount in (("subsidy.city", income), ("benefit.outpatient", expense)):
            day = f"{year}-{month:02d}-15"
            row = {"doc_no": f"{item}-{day}", "date": day, "fund": "390", "item": item}
            yield row | {"amount": str(amount)}


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
        assert not office.bring_claims(
            [claim("S1", H1, "1000.00"), claim("S2", H2, "500.00")]
        ).rejections
        yield office


@pytest.fixture
def ask(office, medfund):
    def run(*words, code=0, user=CLERK):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out
        return answer.json

    return run


def prepay(ask, *more, code=0, period="2024-01", fund="390"):
    asked = ("payout", "prepay", "--fund", fund, "--period", period, "--date", "2024-01-05")
    return ask(*asked, *more, code=code)


def prepaid(ask):
    held = ask("payout", "prepaid", "--fund", "390")["institutions"]
    return {one["institution"]: one["balance_fen"] for one in held}


def order(ask, *lines):
    """Prepare and approve a batch of given amounts."""
    asked = [word for line in lines for word in ("--line", line)]
    name = prepay(ask, *asked)["prepayment"]
    assert ask("approve", name, user=REVIEWER)["state"] == "approved"
    return name


def states(document):
    return [one["state"] for one in document["lines"]]


def money(ask):
    found = {
        row["account"]: row["balance_fen"] for row in ask("balances", "--fund", "390")["balances"]
    }
    return found.get("advance.prepayment", 0)


def test_prepaid_by_share_and_taken_back(office, ask):
    """An expense instead of an asset, a fen lost in the split, or money that stands as paid before
    the bank's word, fails here.
    """
    assert not office.bring_flows(flows(2023, 500_000, 100_000)).rejections
    waiting = prepay(ask, "--months", "1")
    assert (waiting["prepayment"], waiting["total_fen"]) == (BATCH, 12_500)
    assert [(one["institution"], one["amount_fen"]) for one in waiting["lines"]] == [
        (H1, 8_333),
        (H2, 4_167),
    ]
    assert waiting["gate"]["payable_months"] == "48.00"
    assert prepay(ask)["prepayment"] == BATCH, "a month is the default, and the same again waits"
    early = ask("payout", "confirm", BATCH, "--date", "2024-01-08", code=3)["error"]
    assert early["code"] == "prepayment_not_waiting"
    assert ask("approve", BATCH, code=3)["error"]["code"] == "role_missing"
    assert states(ask("approve", BATCH, user=REVIEWER)) == ["ordered", "ordered"]
    assert (prepaid(ask), money(ask)) == ({}, 0), "ordered is not paid"
    paid = ("payout", "confirm", BATCH, "--line", "1", "--date", "2024-01-08", "--bank-ref", "B1")
    assert ask(*paid)["recorded"] == 1
    assert ask(*paid)["recorded"] == 0, "the same again"
    failed = ("payout", "fail", BATCH, "--line", "2", "--reason", "户名不符")
    assert states(ask(*failed, "--date", "2024-01-08")) == ["paid", "failed"]
    assert (prepaid(ask), money(ask)) == ({H1: 8_333}, 8_333), "what failed was never posted"
    assert ask("approve", BATCH, user=REVIEWER)["state"] == "approved", "once more changes nothing"

    back = ("payout", "prepay-return", "--fund", "390", "--date", "2024-02-01", "--line")
    over = ask(*back, f"{H1}=83.34", code=3)["error"]
    assert (over["code"], over["facts"]["balance"]) == ("prepayment_returned_too_much", "83.33")
    first = ask(*back, f"{H1}=33.33")["prepayment"]
    second = ask(*back, f"{H1}=60.00")["prepayment"]
    ask("approve", first, user=REVIEWER)
    facts = ask("approve", second, user=REVIEWER, code=3)["error"]["facts"]
    assert facts["balance"] == "50.00", (
        "held again at the approval, less what is asked back already"
    )
    assert prepaid(ask) == {H1: 8_333}, "asked back is not there yet"
    ask("payout", "confirm", first, "--date", "2024-02-06")
    assert (prepaid(ask), money(ask)) == ({H1: 5_000}, 5_000)
    assert ask("verify")["ok"]
    assert ask("replay", "--compare")["equal"]


@one_store
def test_the_bank_answers_by_file_all_rows_at_once(office, ask):
    """What comes back of a prepayment is held again by nobody; too much of it is refused."""
    office.bring_flows(flows(2023, 500_000, 100_000))
    name = order(ask, f"{H1}=80.00", f"{H2}=40.00")

    def bring(*rows):
        given = [
            {"order_no": f"{name}-{line}", "result": result, "date": day}
            | {"amount": amount, "reason": "账户注销"}
            for line, result, day, amount in rows
        ]
        return office.bring(office.write_file(f"{rows[0][2]}.csv", given), kind="payment_results")

    wrong = bring(
        ("0001", "成功", "2024-01-08", "80.01"),
        ("0002", "退汇", "2024-01-08", "40.00"),
        ("0003", "成功", "2024-01-08", "1.00"),
    )
    assert [(one.line, one.code) for one in wrong.rejections] == [
        (2, "payment_amount_differs"),
        (3, "payment_result_conflict"),
        (4, "unknown_payment_order"),
    ]
    right = [("0001", "成功", "2024-01-09", "80.00"), ("0002", "失败", "2024-01-09", "40.00")]
    assert bring(*right).posted == 2
    assert prepaid(ask) == {H1: 8_000}
    asked = ("payout", "prepay-return", "--fund", "390", "--date", "2024-02-01")
    returned = ask(*asked, "--line", f"{H1}=0.01")["prepayment"]
    ask("approve", returned, user=REVIEWER)
    ask("payout", "confirm", returned, "--date", "2024-02-02")
    too_much = bring(("0001", "退汇", "2024-02-03", "80.00"))
    assert [one.code for one in too_much.rejections] == ["prepayment_returned_too_much"]
    ask("reverse", f"{returned}-{H1}", "--reason", "误记")
    assert bring(("0001", "退汇", "2024-02-04", "80.00")).posted == 1
    assert (prepaid(ask), money(ask)) == ({}, 0)
    document = ask("payout", "prepayments", "--fund", "390", "--period", "2024-01")["prepayments"]
    assert states(document[0]) == ["returned", "failed"]


@one_store
def test_a_file_prepays_many_and_tells_everything_that_is_wrong(office, ask):
    """Two months of fund 390 in one file; 310.personal has no gate, H2 is suspended from February."""
    office.bring_flows(flows(2023, 500_000, 100_000))
    suspended = ("institution", "suspend", H2, "--from", "2024-02-01", "--reason", "专项检查")
    ask(*suspended)
    ask("approve", f"{AREA}-institution-{H2}-1", user=REVIEWER)

    def bring(name, *rows):
        heads = ("fixmedins_code", "fund", "period", "date", "amount")
        given = [dict(zip(heads, row, strict=True)) for row in rows]
        return office.bring(office.write_file(name, given), kind="prepayments")

    january = [(H1, "390", "2024-01", "2024-01-05", "80.00")]
    january.append((H2, "390", "2024-01", "2024-01-05", "40.00"))
    wrong = bring(
        "wrong.csv",
        *january,
        (H2, "390", "2024-02", "2024-02-05", "40.00"),
        (H1, "310.personal", "2024-01", "2024-01-05", "1.00"),
        (H1, "390", "2024-02", "2024-02-05", "0"),
        ("H99999999999", "390", "2024-02", "2024-02-05", "1.00"),
        (H1, "390", "2024-01", "2024-01-05", "80.01"),
    )
    assert [(one.line, one.field, one.code) for one in wrong.rejections] == [
        (4, "fixmedins_code", "institution_not_prepaid"),
        (5, "fund", "prepayment_not_offered"),
        (6, "amount", "prepayment_not_positive"),
        (7, "fixmedins_code", "unknown_institution"),
        (8, "fixmedins_code", "row_conflict"),
    ]
    assert wrong.posted == 0
    right = bring("right.csv", *january, (H1, "390", "2024-02", "2024-02-05", "70.00"))
    assert (right.posted, right.already) == (3, 0)
    again = bring("again.csv", *january, (H1, "390", "2024-02", "2024-02-06", "70.00"))
    assert (again.posted, again.already) == (1, 2), "the same orders wait already"
    found = {
        one["prepayment"]: (one["total_fen"], one["state"])
        for month in ("2024-01", "2024-02")
        for one in ask("payout", "prepayments", "--fund", "390", "--period", month)["prepayments"]
    }
    assert found == {
        BATCH: (12_000, "waiting"),
        f"{AREA}-prepay-390-2024-02-1": (7_000, "waiting"),
        f"{AREA}-prepay-390-2024-02-2": (7_000, "waiting"),
    }
    assert states(ask("approve", BATCH, user=REVIEWER)) == ["ordered", "ordered"]
    late = prepay(ask, "--line", f"{H2}=1.00", "--date", "2024-02-05", code=2)["error"]
    assert late["code"] == "payout_faulty", "by hand it is refused as well"


@one_store
def test_prepayments_take_up_the_plan_of_their_month(office, ask):
    """Prepaying beside the plan, or counting what failed, fails here."""
    office.bring_flows(flows(2023, 500_000, 100_000))
    plan = ("--fund", "390", "--period", "2024-01", "--date", "2024-01-03")
    ask("payout", "plan", *plan, "--add", "390=100.00")
    ask("payout", "grant", *plan, "--paper", "财社〔2024〕1号", user=REVIEWER)
    first = order(ask, f"{H1}=60.00")
    second = prepay(ask, "--line", f"{H2}=40.01")["prepayment"]
    error = ask("approve", second, user=REVIEWER, code=3)["error"]
    assert (error["code"], error["facts"]["ordered"]) == ("plan_exceeded", "60.00")
    failed = ("payout", "fail", first, "--line", "1", "--reason", "户名不符")
    ask(*failed, "--date", "2024-01-08")
    ask("approve", second, user=REVIEWER)
    shown = ask("payout", "plan", "--fund", "390", "--period", "2024-01", "--show")["funds"]
    assert shown[0]["ordered_fen"] == 4_001


@one_store
@pytest.mark.parametrize(
    ("year", "why"),
    [
        (list(flows(2023, 149_999, 100_000)), ["payable_months"]),  # 599,988 ÷ 100,000 = 5.99…
        (list(flows(2023, 150_000, 100_000)), []),  # 600,000.00 ÷ 100,000.00 = 6 exactly
        (list(flows(2023, 150_000, 100_000, months=range(2, 13))), ["window_before_first_month"]),
        (
            [
                *flows(2022, 2_000_000, 100_000),
                *flows(2023, 99_999, 100_000),
            ],
            ["deficit_last_year", "deficit_forecast"],
        ),
    ],
)
def test_the_gate_is_told_with_its_figures(office, ask, year, why):
    assert not office.bring_flows(year).rejections
    if not why:
        assert prepay(ask, "--dry-run")["gate"]["payable_months"] == "6.00"
        return
    error = prepay(ask, code=3)["error"]
    assert error["code"] == "prepayment_refused"
    assert error["facts"]["why"].split(", ")[: len(why)] == why
    assert error["facts"]["needed"] == "6.00"


@one_store
def test_a_policy_moves_the_gate_and_a_fund_without_one_is_not_prepaid(office, ask, tmp_path):
    office.bring_flows(flows(2023, 99_000, 100_000))
    assert prepay(ask, code=3)["error"]["facts"]["why"].startswith("payable_months, deficit")
    for gate, deficit in (("0.0001", "refuse"), ("0", "ignore")):
        file = tmp_path / "policy.toml"
        file.write_text(POLICY.format(gate=gate, deficit=deficit), "utf-8")
        ask("policy", "approve", ask("policy", "propose", file)["policy"], user=REVIEWER)
        if deficit == "refuse":
            assert "deficit_last_year" in prepay(ask, code=3)["error"]["facts"]["why"]
    office.bring_flows(flows(2024, 5_000_000, 1, months=[1]))  # later than what is judged
    assert prepay(ask, code=3)["error"]["facts"]["why"] == "payable_months", "below nil"
    office.bring_flows(
        [
            {"doc_no": "K1", "date": "2022-12-31", "fund": "390", "item": "opening_balance"}
            | {"amount": "500000"}
        ]
    )
    two = prepay(ask)
    assert (two["total_fen"], two["policy"]) == (25_000, "resident-2024@2"), "size_months of it"
    assert prepay(ask, fund="310.personal", code=3)["error"]["code"] == "prepayment_not_offered"
    assert prepay(ask, "--line", "H99999999999=1.00", code=2)["error"]["code"] == "payout_faulty"
    by_hand = prepay(ask, "--line", f"{H1}=10.00", "--line", f"{H2}=0.01")
    assert by_hand["total_fen"] == 1_001


@one_store
def test_the_gate_has_the_figures_of_the_indicators(office, ask):
    """Through a year-end transfer: counting it as a flow fails here."""
    office.bring_flows(
        [*flows(2023, 300_000, 70_123), *flows(2024, 310_000, 81_457, months=[1, 2])]
    )
    for month in range(1, 13):
        office.close("390", f"2023-{month:02d}")
    bring_up_to(office.ledger, office.reads, office.position)
    figures = monthly_figures(office.reads, office.ledger, area=AREA)
    for month in ("2023-12", "2024-01", "2024-02"):
        period = Period.parse(month)
        document = indicators_document(figures, period=period, fund="390")
        known = {one["name"]: one for one in document["indicators"]}
        gate = gate_figures(
            office.ledger,
            AREA,
            "390",
            prepaid=period.plus(1),
            rules=PrepaymentRules(gate_months=Fraction(6)),
        )
        months = known["payable_months.trailing12"]
        assert gate.payable_months == months["value"]
        assert gate.accumulated_fen == months["inputs"]["accumulated_fen"]
        assert gate.expense_fen == months["inputs"]["expense_fen"]
        assert gate.accumulated_fen == known["accumulated_surplus"]["value"]
        assert gate.last_year_surplus_fen == 12 * (30_000_000 - 7_012_300)
