"""A month from claims to what is payable, recorded by one person and posted by another.

March 2024, fund 390, fee for service, deposit 5 % of what is declared; booked

    H1  812,345.67 (of it 2,345.60 refused)    H2  1,000.00
"""

import json
import random
import subprocess
import sys
import threading
from datetime import date

import pytest
from support.facts import Books, stepped
from support.office import ADMINISTRATOR, AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.domain.entry import Posting
from ledger.errors import Conflict, RuleRefused
from settlement import month_runs
from settlement.clearing.records import records_now
from settlement.policies import approve_policy, propose
from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

F, MARCH = "390", "2024-03"
RUN = f"{AREA}-clear-{F}-{MARCH}-1"

#: What has nothing to do with the store is tested on the embedded one.
embedded = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def claim(setl_id, institution, booked, *, day="2024-03-15", account="0.00", **more):
    total = f"{float(booked) + float(account):.2f}"
    return {
        "setl_id": setl_id,
        "fixmedins_code": institution,
        "insutype": "390",
        "setl_time": f"{day} 10:00:00",
        "medfee_sumamt": total,
        "hifp_pay": booked,
        "fund_pay_sumamt": booked,
        "acct_pay": account,
        "psn_cash_pay": "0.00",
        **more,
    }


def refund(row, day):
    amounts = ("medfee_sumamt", "hifp_pay", "fund_pay_sumamt")
    return (
        row
        | {name: f"-{row[name]}" for name in amounts}
        | {"setl_time": f"{day} 10:00:00", "refd_setl_flag": "1"}
    )


SETTLED = [claim("S1", H1, "812345.67"), claim("S2", H2, "1000.00")]


def policy(**more):
    return {
        "policy": {
            "name": "resident",
            "title": "2024",
            "fund": F,
            "effective": "2024-01-01",
        },
        "methods": [{"name": "all", "kind": "fee_for_service"}],
        "deposit": {"share": "5%"},
        **more,
    }


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as office:
        office.setup("310", "390")
        yield office


@pytest.fixture
def adopt(office):
    def adopted(**more):
        version = propose(office.ledger, office.area, policy(**more), user=CLERK)
        approve_policy(office.ledger, office.area, policy=version.id, user=REVIEWER)

    return adopted


@pytest.fixture
def ask(medfund):
    def asked(*words, user=None, code=0):
        answer = medfund("--json", *words, user=user)
        assert answer.code == code, answer.out + answer.err
        return answer.json

    return asked


@pytest.fixture
def clear(ask):
    def cleared(period=MARCH, *more, fund=F, user=CLERK, code=0):
        return ask("clear", period, "--fund", fund, *more, user=user, code=code)

    return cleared


def refuse(ask, amount, institution=H1):
    given = ("--fund", F, "--institution", institution, "--period", MARCH, "--date", "2024-04-10")
    why = ("--amount", amount, "--reason-code", "A01", "--reason", "超限定")
    return ask("refuse", *given, *why, user=CLERK)["refusal"]


def lines(document):
    return {one["institution"]: one for one in document["settlement"]["lines"]}


def stages(ask, institution=H1, fund=F):
    rows = ask("obligations", "--institution", institution, "--fund", fund)["institutions"]
    names = ("undeclared_fen", "declared_fen", "approved_fen", "deposit_fen", "refused_fen")
    return tuple(rows[0][name] for name in names) if rows else ()


@pytest.fixture
def march(office, adopt, ask):
    office.bring_claims(SETTLED)
    adopt()
    ask("approve", refuse(ask, "2345.60"), user=REVIEWER)


@pytest.mark.usefixtures("march")
def test_the_worked_month_to_what_is_payable(office, clear, ask, tmp_path, medfund):
    """Withholding from the rest after the deduction, or posting at the request, fails here."""
    dry = clear(MARCH, "--dry-run", user=None)
    waiting = clear()
    assert (waiting["run"], waiting["state"], waiting["prepared_by"]) == (RUN, "waiting", CLERK)
    assert waiting["plan_hash"] == dry["plan_hash"]
    assert waiting["settlement"] == dry["settlement"]
    assert clear()["run"] == RUN, "the same request once more"
    first = lines(waiting)[H1]
    names = ("booked_fen", "refused_fen", "on_behalf_fen", "deposit_fen", "payable_fen", "due_fen")
    assert [first[name] for name in names] == [
        *(812_345_67, 2_345_60, 810_000_07, 40_617_28, 769_382_79, 812_345_67),
    ]
    assert lines(waiting)[H2]["payable_fen"] == 950_00
    assert stages(ask) == (810_000_07, 0, 0, 0, 2_345_60)
    approved = ask("approve", RUN, user=REVIEWER)
    assert (approved["state"], approved["approved_by"]) == ("approved", REVIEWER)
    assert stages(ask) == (0, 0, 769_382_79, 40_617_28, 2_345_60)
    assert ask("approve", RUN, user=REVIEWER) == approved, "approved before a crash"
    assert clear() | {"run": None} == clear()
    assert clear()["state"] == "nothing_new"
    shown = ask("clear", "show", RUN)
    assert shown == approved
    (listed,) = ask("clear", "list")["runs"]
    assert (listed["run"], listed["state"], listed["payable_fen"]) == (RUN, "approved", 770_332_79)
    sheet = tmp_path / "run.csv"
    ask("clear", "show", RUN, "--result", sheet)
    assert "769382.79" in sheet.read_text("utf-8-sig")
    said = medfund("clear", "show", RUN).out
    assert "769,382.79" in said
    assert "代为申报" in said
    topics = [one["topic"] for one in ask("trace", RUN)["events"]]
    pair = ["settlement.declared.v1", "settlement.approved.v1"]
    assert topics == ["clearing.computed.v1", *pair, *pair, "clearing.approved.v1"]
    office.assert_sound()


def test_late_cases_and_refunds_come_in_by_a_second_run(march, office, clear, ask):
    """Settling the month anew in the second run, or by its booking month, fails here."""
    clear()
    ask("approve", RUN, user=REVIEWER)
    office.close("390", MARCH)
    office.bring_claims([claim("S3", H1, "100.00"), claim("S4", H2, "20.00", day="2024-04-02")])
    second = clear()
    assert second["run"] == RUN[:-1] + "2"
    (only,) = lines(second).values()
    names = ("institution", "cases", "booked_fen", "refused_fen", "deposit_fen", "payable_fen")
    assert [only[name] for name in names] == [H1, 1, 100_00, 0, 5_00, 769_382_79 + 95_00]
    assert only["carried_in_fen"] == 769_382_79, "approved before, and not ordered"
    ask("approve", second["run"], user=REVIEWER)
    assert stages(ask) == (0, 0, 769_477_79, 40_622_28, 2_345_60)
    office.assert_sound()


def test_whoever_prepared_it_cannot_approve_it_and_inputs_that_changed_refuse(
    march, office, clear, ask
):
    setup = {
        "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]},
        "users": [{"name": "both1", "roles": ["clerk", "reviewer"]}],
    }
    apply_setup(office.ledger, SetupFile.model_validate(setup), user=ADMINISTRATOR)
    assert clear(user=REVIEWER, code=3)["error"]["code"] == "role_missing"
    clear(user="both1")
    assert ask("approve", RUN, user="both1", code=3)["error"]["code"] == "own_clearing"
    ask("approve", refuse(ask, "1.00"), user=REVIEWER)
    assert ask("approve", RUN, user=REVIEWER, code=3)["error"]["code"] == "clearing_changed"
    assert clear(code=3)["error"]["code"] == "clearing_under_way"
    back = ask("reject", RUN, "--reason", "重新清算", user=REVIEWER)
    assert (back["state"], back["reason"]) == ("rejected", "重新清算")
    assert ask("approve", RUN, user=REVIEWER, code=3)["error"]["code"] == "clearing_not_waiting"
    again = clear()
    assert again["run"] == RUN[:-1] + "2"
    # What is no part of the month changes nothing.
    office.bring_claims([claim("S9", H2, "5.00", day="2024-05-02")])
    assert ask("approve", again["run"], user=REVIEWER)["state"] == "approved"


REFUSED = [
    (("2999-01", "--fund", F), 3, "clearing_month_not_over"),
    ((MARCH, "--fund", "310.pooled"), 3, "no_policy_in_force"),
    ((MARCH, "--fund", "310"), 3, "fund_not_cleared"),
    ((MARCH, "--fund", F, "--policy", "x"), 64, "usage"),
    (("list", "show"), 64, "usage"),
    (("show", RUN), 2, "unknown_clearing"),
    (("show", "x"), 2, "unknown_clearing"),
]


@embedded
def test_refusals(march, medfund):
    for words, code, error in REFUSED:
        answer = medfund("--json", "clear", *words, user=CLERK)
        assert (answer.code, answer.json["error"]["code"]) == (code, error), words
    answer = medfund("--json", "clear", MARCH, "--fund", F)
    assert answer.json["error"]["code"] == "nobody_named"


def test_a_month_that_is_owed_back_goes_into_the_next(office, adopt, clear, ask):
    """April has nothing but the refund of a March stay: 1,000.00 less than nothing is owed."""
    office.bring_claims([claim("S1", H1, "1000.00"), claim("S2", H1, "700.00", day="2024-05-02")])
    adopt(deposit={"share": "0%"})
    ask("approve", clear()["run"], user=REVIEWER)
    office.bring_claims([refund(claim("S1", H1, "1000.00"), "2024-04-03")])
    april = clear("2024-04")
    (line,) = lines(april).values()
    assert (line["booked_fen"], line["carried_in_fen"], line["payable_fen"]) == (
        -1000_00,
        1000_00,
        0,
    )
    ask("approve", april["run"], user=REVIEWER)
    may = lines(clear("2024-05"))[H1]
    assert (may["carried_in_fen"], may["payable_fen"]) == (0, 700_00)
    office.assert_sound()


@embedded
def test_personal_accounts_run_without_policy_points_or_deposit(office, clear, ask):
    rows = [claim("S1", H1, "0.00", account="30.00"), claim("S2", H1, "0.00", account="12.34")]
    office.bring_claims([row | {"insutype": "310"} for row in rows])
    dry = clear(MARCH, "--dry-run", fund="310.personal", user=None)
    found = clear(fund="310.personal")
    assert dry["plan_hash"] == found["plan_hash"]
    assert (found["settlement"]["policy"], found["settlement"]["basis"]) == (None, "booked")
    line = lines(found)[H1]
    assert (line["cases"], line["payable_fen"], line["deposit_fen"], line["due_fen"]) == (
        *(2, 42_34, 0),
        None,
    )
    ask("approve", found["run"], user=REVIEWER)
    assert stages(ask, fund="310.personal")[:3] == (0, 0, 42_34)


def test_without_an_application_it_waits_where_the_policy_says_so(office, adopt, clear, ask):
    office.bring_claims(SETTLED)
    adopt(monthly={"without_application": "skip"}, payees={H2: H1})
    applied = {
        "fixmedins_code": H2,
        "insutype": F,
        "clr_type": "21",
        "setlym": "202403",
        "medfee_sumamt": "900.00",
        "fund_appy_sum": "900.00",
        "cash_payamt": "0",
        "acct_pay": "0",
    }
    office.bring(office.write_file("apply.csv", [applied]))
    found = clear()
    first, second = lines(found)[H1], lines(found)[H2]
    assert (first["waiting_fen"], first["payable_fen"]) == (812_345_67, 0)
    assert (second["declared_fen"], second["waiting_fen"], second["payable_fen"]) == (
        *(900_00, 100_00),
        855_00,
    )
    assert found["settlement"]["payees"] == [
        {"payee": H1, "name": "第一人民医院", "payable_fen": 855_00}
    ]
    ask("approve", found["run"], user=REVIEWER)
    withdraw = ("clear", "application", "withdraw", f"{AREA}-application-{H2}-{F}-21-{MARCH}-1")
    refused = ask(*withdraw, "--reason", "x", user=CLERK, code=3)["error"]
    assert refused["code"] == "application_used"
    assert clear()["state"] == "nothing_new"
    office.assert_sound()


@embedded
def test_prepaid_money_is_offset_month_by_month_where_the_policy_says_so(office, adopt, clear, ask):
    """600.00 prepaid, at most half of what is payable: 475.00 of March's 950.00, the rest of May's."""
    office.bring_claims([SETTLED[1], claim("S3", H2, "1000.00", day="2024-05-02")])
    adopt(monthly={"prepayment_offset": "monthly", "prepayment_share": "1/2"})
    prepaid = {"doc_no": "Y1", "date": "2024-02-20", "fund": F, "item": "prepayment"}
    assert office.bring_flows([prepaid | {"amount": "600.00", "counterparty": H2}]).posted == 1
    march = clear()
    (line,) = lines(march).values()
    assert (line["prepaid_fen"], line["payable_fen"]) == (475_00, 475_00)
    ask("approve", march["run"], user=REVIEWER)
    may = clear("2024-05")
    (line,) = lines(may).values()
    assert (line["carried_in_fen"], line["prepaid_fen"], line["payable_fen"]) == (
        *(475_00, 125_00),
        1300_00,
    )
    ask("approve", may["run"], user=REVIEWER)
    cash = {one["account"]: one["balance_fen"] for one in ask("balances", "--fund", F)["balances"]}
    assert cash["expense.benefit.prepaid"] == 600_00
    assert cash.get("advance.prepayment", 0) == 0
    office.assert_sound()


@embedded
def test_what_the_insurer_of_a_part_fund_pays_is_taken_off_and_shown(
    store_url, tmp_path, ask, clear
):
    """392 has a policy without methods: all of it is paid by the insurer."""
    with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as office:
        office.setup("390", "392")
        row = claim("S1", H1, "100.00")
        more = {"medfee_sumamt": "140.00", "fund_pay_sumamt": "140.00", "hifmi_pay": "40.00"}
        office.bring_claims([row | more])
        whole = policy(monthly={"insurer_share": "100%"})
        del whole["methods"], whole["deposit"]
        whole["policy"] |= {"name": "catastrophic", "fund": "392"}
        version = propose(office.ledger, office.area, whole, user=CLERK)
        approve_policy(office.ledger, office.area, policy=version.id, user=REVIEWER)
        run = clear(fund="392")
        (line,) = lines(run).values()
        assert (line["booked_fen"], line["insurer_fen"], line["payable_fen"]) == (40_00, 40_00, 0)
        ask("approve", run["run"], user=REVIEWER)
        (row,) = ask("obligations", "--fund", "392")["institutions"]
        assert (row["insurer_fen"], row["owed_fen"]) == (40_00, 0)
        office.assert_sound()


@embedded
def test_what_persons_are_owed_is_no_line_of_an_institution(office, adopt, clear):
    """Manual claims (手工报销) are owed to a person's token: they are paid apart from any run."""
    office.bring_claims(SETTLED[1:])
    adopt()
    owed = (Posting(F, "claims.incurred", "owed.approved", 500_00, "token"),)
    Books(office.ledger).post(stepped(1, owed, "2024-03-20", institution="token"))
    assert list(lines(clear())) == [H2]


@embedded
def test_the_order_in_which_things_came_in_is_irrelevant(office, adopt, clear):
    rows = [claim(f"S{n}", (H1, H2)[n % 2], f"{n}.0{n % 9}") for n in range(1, 30)]
    random.Random(7).shuffle(rows)
    office.bring_claims(rows)
    adopt()
    booked = {H1: 0, H2: 0}
    for row in rows:
        booked[row["fixmedins_code"]] += round(float(row["hifp_pay"]) * 100)
    found = lines(clear(MARCH, "--dry-run"))
    assert {code: one["booked_fen"] for code, one in found.items()} == booked


POINTS = {
    "budget": {"year": "12000.00", "reserve": "0"},
    "methods": [
        {
            "name": "inpatient",
            "kind": "dip",
            "groups": {"A": {"points": "1000", "average": "1000.00"}},
            "coefficients": {H1: "1", H2: "1"},
        }
    ],
}


@embedded
def test_a_month_is_paid_by_what_is_due_to_the_payment_order(office, adopt, clear, ask):
    """March has 1,000.00 to share by points: 250.00 each for four cases, booked 300.00 or 100.00.

    H2's second case names no group: it waits, and comes in by a second run of 1/5 for each.
    """
    rows = [
        claim("S1", H1, "300.00", medfee_sumamt="1000.00", psn_cash_pay="700.00", dise_code="A"),
        claim("S2", H1, "300.00", medfee_sumamt="1000.00", psn_cash_pay="700.00", dise_code="A"),
        claim("S3", H2, "100.00", medfee_sumamt="1000.00", psn_cash_pay="900.00", dise_code="A"),
        claim("S4", H2, "100.00", medfee_sumamt="1000.00", psn_cash_pay="900.00", dise_code="A"),
        claim("S5", H2, "100.00", medfee_sumamt="1000.00", psn_cash_pay="900.00"),
    ]
    office.bring_claims(rows)
    adopt(**POINTS, monthly={"basis": "due"})
    first = clear()
    names = ("booked_fen", "settled_fen", "difference_fen", "deposit_fen", "payable_fen", "due_fen")
    assert {code: [one[name] for name in names] for code, one in lines(first).items()} == {
        H1: [600_00, 600_00, -100_00, 25_00, 475_00, 500_00],
        H2: [300_00, 300_00, 200_00, 25_00, 475_00, 500_00],
    }
    ask("approve", RUN, user=REVIEWER)
    for code, taken_off in ((H1, 100_00), (H2, -200_00)):
        (row,) = ask("obligations", "--institution", code, "--fund", F)["institutions"]
        assert (row["approved_fen"], row["deposit_fen"], row["cleared_fen"]) == (
            *(475_00, 25_00),
            taken_off,
        )
    late = [{"setl_id": "S5", "dise_code": "A", "reason": "首页补传"}]
    assert office.bring(office.write_file("late.csv", late), kind="groupings").posted == 1
    second = clear()
    assert {code: one["difference_fen"] for code, one in lines(second).items()} == {
        H1: -100_00,  # 400.00 of 1,000.00 are due now
        H2: 100_00,
    }
    ask("approve", second["run"], user=REVIEWER)
    assert stages(ask, H1)[2] + stages(ask, H1)[3] == 400_00
    assert stages(ask, H2)[2] + stages(ask, H2)[3] == 600_00
    assert clear()["state"] == "nothing_new"
    office.assert_sound()


@embedded
@pytest.mark.parametrize(
    "terms",
    [
        ({"share": "85%"}, (510_00, 0, 510_00, 85_00)),
        ({"basis": "due", "share": "85%"}, (600_00, -175_00, 425_00, 0)),
    ],
    ids=["booked", "due"],
)
def test_a_share_of_a_month_is_paid_and_the_rest_waits(office, adopt, clear, ask, terms):
    """600.00 booked, 500.00 due; a late claim of 100.00 is shared like the others."""
    shown = {"medfee_sumamt": "1000.00", "dise_code": "A"}
    monthly, (settled, difference, payable, later) = terms
    office.bring_claims(
        [
            claim("S1", H1, "600.00", psn_cash_pay="400.00", **shown),
            claim("S2", H2, "600.00", psn_cash_pay="400.00", **shown),
        ]
    )
    adopt(**POINTS, monthly=monthly, deposit={"share": "0%"})
    found = lines(clear())[H1]
    assert (found["settled_fen"], found["difference_fen"], found["payable_fen"]) == (
        *(settled, difference),
        payable,
    )
    ask("approve", RUN, user=REVIEWER)
    assert stages(ask)[1:3] == (600_00 + difference - payable, payable)
    assert clear()["state"] == "nothing_new"
    office.bring_claims([claim("S3", H1, "100.00")])  # of no group: booked, and not due
    again = clear()
    line = lines(again)[H1]
    assert line["payable_fen"] - line["carried_in_fen"] == later
    ask("approve", again["run"], user=REVIEWER)
    assert stages(ask)[2] == payable + later
    office.assert_sound()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_two_months_of_a_fund_at_once_by_two_processes(office, adopt, clear, ask, store_url):
    """Both begin to write the archive, both carry what the other approves: nothing is lost or twice.

    What March approves is carried into May's run, so one of two approvals may have to be made anew.
    """
    adopt(deposit={"share": "0%"})
    office.bring_claims([claim("S1", H1, "700.00"), claim("S2", H1, "500.00", day="2024-05-15")])
    months = (MARCH, "2024-05")
    asked = [("--as", CLERK, "clear", month, "--fund", F) for month in months]
    for said in at_once(store_url, asked):
        assert said["state"] == "waiting", said
    runs = [f"{AREA}-clear-{F}-{month}-1" for month in months]
    decided = at_once(store_url, [("--as", REVIEWER, "approve", run) for run in runs])
    states = sorted(said.get("state") or said["error"]["code"] for said in decided)
    assert states in (["approved", "approved"], ["approved", "clearing_changed"]), decided
    for month, run in zip(months, runs, strict=True):
        if ask("clear", "show", run)["state"] != "approved":
            ask("reject", run, "--reason", "重新计算", user=REVIEWER)
            ask("approve", clear(month)["run"], user=REVIEWER)
    assert stages(ask)[:3] == (0, 0, 1200_00)
    office.assert_sound()


def at_once(url, commands):
    """Run commands as processes of their own, all at the same time; give what each said."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "medfund", "--db", url, "--json", *words],
            stdout=subprocess.PIPE,
            text=True,
        )
        for words in commands
    ]
    return [json.loads(one.communicate(timeout=120)[0]) for one in running]


@pytest.mark.usefixtures("march")
def test_of_two_approvals_at_once_one_posts(office, clear, ask, store_url, tmp_path):
    """Two runs of a fund that were made of the same figures, and one run by two people."""
    office.bring_claims([claim("S5", H1, "50.00", day="2024-04-02")])
    setup = {
        "area": {"code": AREA, "name": "上虞区", "funds": ["310", "390"]},
        "users": [{"name": "reviewer2", "roles": ["reviewer"]}],
    }
    apply_setup(office.ledger, SetupFile.model_validate(setup), user=ADMINISTRATOR)
    run = clear()["run"]
    both_have_read = threading.Barrier(2)
    told = {}

    def decide(user):
        with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as mine:
            first = True

            def records():
                nonlocal first
                found = records_now(mine.ledger.log, tmp_path / f"archive-{user}", area=AREA)
                if first:
                    both_have_read.wait(timeout=120)
                    first = False
                return found

            try:
                month_runs.approve_clearing(
                    mine.ledger, mine.area, records, run=run, user=user, today=mine.today
                )
                told[user] = "posted"
            except (Conflict, RuleRefused) as error:
                told[user] = error.code

    threads = [threading.Thread(target=decide, args=(user,)) for user in (REVIEWER, "reviewer2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.values()) == ["clearing_not_waiting", "posted"]
    assert stages(ask)[2] == 769_382_79
    office.assert_sound()
