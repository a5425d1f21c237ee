"""Laws of the log and what is read from it, for any small history of a bureau."""

from collections import defaultdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.office import CLERK, H1, REVIEWER, open_office

from ledger.domain.period import Period
from ledger.replay import replay
from projections.follow import bring_up_to
from projections.rebuild import rebuild
from settlement import closing

TODAY = date(2026, 1, 1)
END = date(2030, 12, 31)
ITEMS = ("利息", "县级财政补贴", "住院", "门诊", "退汇", "暂收款", "预付", "罚款", "其他支出")
documents = st.tuples(
    st.sampled_from(ITEMS),
    st.sampled_from(("310.pooled", "310.personal", "390")),
    st.integers(1, 10**8),
    st.integers(10, 12),
    st.integers(1, 28),
    st.sampled_from(("", H1)),
)
files = st.lists(st.lists(documents, min_size=1, max_size=4), min_size=1, max_size=4)


def rows(file, number):
    """Write drawn documents as the rows of the file of that number."""
    return [
        {
            "doc_no": f"D{number}-{line}",
            "date": f"2023-{month:02d}-{day:02d}",
            "fund": fund,
            "item": item,
            "amount": f"{fen // 100}.{fen % 100:02d}",
            "counterparty": party,
        }
        for line, (item, fund, fen, month, day, party) in enumerate(file)
    ]


@pytest.fixture
def bureau(fresh_sqlite):
    """Open a new bureau with a book of its own, as often as it is called."""

    def found():
        url, folder = fresh_sqlite()
        return open_office(url, folder, today=TODAY)

    return found


def totals(office):
    """Give the balances of both books and the figures of the funds."""
    return (
        office.balances(END),
        office.balances(END, book="obligations"),
        office.figures(date(2023, 12, 31))["funds"],
    )


@examples(12)
@given(brought=files, data=st.data())
def test_the_order_of_files_and_repeating_them_do_not_matter(bureau, brought, data):
    order = data.draw(st.permutations(range(len(brought))))
    again = data.draw(st.lists(st.sampled_from(order), max_size=3))
    with bureau() as one, bureau() as other:
        for office, numbers in ((one, range(len(brought))), (other, [*order, *again])):
            office.setup("310", "390")
            for number in numbers:
                assert not office.bring_flows(rows(brought[number], number)).refused
        assert totals(one) == totals(other)
        other.assert_sound()


@examples(12)
@given(brought=files, cut=st.integers(0, 10**6), page=st.integers(1, 7))
def test_a_prefix_and_the_rest_are_the_whole_and_rebuilt_is_live(bureau, brought, cut, page):
    with bureau() as office:
        office.setup("310", "390")
        for number, file in enumerate(brought):
            office.bring_flows(rows(file, number))
        last = office.position
        at = cut % (last + 1)
        whole = replay(office.ledger)
        prefix = replay(office.ledger, until_position=at)
        sums = defaultdict(int)
        for key, total in prefix.balances.items():
            sums[key.fund, key.account] += total.debit_fen - total.credit_fen
        for position, envelope in office.ledger.facts(after=at):
            assert position > at
            for one in getattr(envelope.fact, "postings", ()):
                sums[one.fund, one.debit] += one.fen
                sums[one.fund, one.credit] -= one.fen
        told = {
            (key.fund, key.account): total.debit_fen - total.credit_fen
            for key, total in whole.balances.items()
        }
        assert {key: fen for key, fen in sums.items() if fen} == {
            key: fen for key, fen in told.items() if fen
        }
        bring_up_to(office.ledger, office.reads, at, page_size=page)
        live = totals(office)
        assert rebuild(office.ledger, office.reads, page_size=page).document()["equal"]
        assert totals(office) == live


@examples(12)
@given(brought=files)
def test_sub_funds_add_up_and_a_closing_is_the_next_opening(bureau, brought):
    with bureau() as office:
        office.setup("310", "390", first_month="2023-10")
        for number, file in enumerate(brought):
            office.bring_flows(rows(file, number))
        funds = {row["fund"]: row for row in office.figures(date(2023, 12, 31))["funds"]}
        for name, fen in funds["310"].items():
            if name.endswith("_fen"):
                assert fen == funds["310.pooled"][name] + funds["310.personal"][name]
        closings: dict[tuple[str, str], int] = defaultdict(int)
        for month in ("2023-10", "2023-11", "2023-12", "2024-01"):
            plan = office.close("310", month).plan
            for row in plan["trial_balance"]:
                key = row["fund"], row["account"]
                assert row["opening_fen"] == closings[key]
                closings[key] = row["closing_fen"]
            for move in plan.get("year_end", {}).get("transfer", ()):
                closings[move["fund"], move["debit"]] += move["fen"]
                closings[move["fund"], move["credit"]] -= move["fen"]
        opening = office.month("310", "2023-12").plan["year_end"]["opening_next_year_fen"]
        assert opening == {
            fund: -sum(fen for key, fen in closings.items() if key == (fund, "net_assets"))
            for fund in opening
        }
        balances = office.balances(date(2024, 1, 31))
        balances |= office.balances(date(2024, 1, 31), book="obligations")
        assert {key: fen for key, fen in closings.items() if fen} == {
            key: fen for key, fen in balances.items() if key[0].startswith("310.")
        }
        office.assert_sound()


@examples(12)
@given(brought=files, fund=st.sampled_from(("310", "390")))
def test_a_dry_run_writes_nothing_and_promises_what_the_run_does(bureau, brought, fund):
    with bureau() as office:
        office.setup("310", "390", first_month="2023-10")
        for number, file in enumerate(brought):
            before = office.position
            checked = office.bring_flows(rows(file, number), dry_run=True)
            assert (checked.state, office.position) == ("checked", before)
            posted = office.bring_flows(rows(file, number))
            assert (posted.accepted, posted.posted) == (checked.accepted, len(file))
        before, seal = office.position, office.ledger.log.head()
        dry = closing.dry_run_close(
            office.ledger, office.area, fund=fund, period=Period(2023, 10)
        ).month
        assert (office.position, office.ledger.log.head()) == (before, seal)
        office.request(fund, "2023-10")
        run = office.month(fund, "2023-10")
        assert (run.plan_hash, run.plan, run.cutoff_position) == (dry.plan_hash, dry.plan, before)


@examples(15)
@given(delivered=st.lists(st.sampled_from(("compute", "approve", "post")), max_size=9))
def test_messages_of_a_close_may_come_late_twice_and_in_any_order(bureau, delivered):
    with bureau() as office:
        office.setup("390", first_month="2023-12")
        office.bring_flows(rows([("利息", "390", 100, 12, 1, "")], 1))
        ledger, area = office.ledger, office.area
        run = closing.request_close(
            ledger, area, fund="390", period=Period(2023, 12), user=CLERK, today=TODAY
        ).run
        steps = {
            "compute": lambda: closing.compute_close(ledger, area, run=run),
            "post": lambda: closing.post_close(ledger, area, run=run),
            "approve": lambda: _approve_once(office, run),
        }
        for step in [*delivered, "compute", "approve", "post", *delivered]:
            steps[step]()
        assert office.month("390", "2023-12").state == "sealed"
        assert [
            type(item.fact).__name__ for _, item in ledger.facts(after=office.position - 5)
        ] == [
            "MonthFrozen",
            "CloseComputed",
            "CloseApproved",
            "YearTransferred",
            "MonthSealed",
        ]
        assert office.balances(END)["390", "net_assets"] == -100
        office.assert_sound()


def _approve_once(office, run):
    if closing.month_of_run(office.ledger, office.area, run).state == "computed":
        closing.approve(office.ledger, office.area, run=run, user=REVIEWER)


@examples(12)
@given(amounts=st.lists(st.integers(1, 10**7), min_size=1, max_size=5), data=st.data())
def test_settlements_in_any_number_of_files_are_owed_once(bureau, amounts, data):
    claims = [
        {
            "setl_id": f"S{number}",
            "fixmedins_code": H1,
            "setl_time": "2023-11-05",
            **dict.fromkeys(("medfee_sumamt", "fund_pay_sumamt"), f"{fen // 100}.{fen % 100:02d}"),
            **dict.fromkeys(("acct_pay", "psn_cash_pay"), "0"),
        }
        for number, fen in enumerate(amounts)
    ]
    parts = data.draw(st.lists(st.lists(st.sampled_from(claims), min_size=1), max_size=3))
    with bureau() as office:
        office.setup("310")
        for part in [*parts, claims]:
            assert not office.bring_claims(part).refused
        owed = office.balances(END, book="obligations")
        assert owed["310.pooled", "owed.booked"] == -sum(amounts)
        office.assert_sound()
