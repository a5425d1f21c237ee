"""Balances of one account on both sides: what keeps them apart is always told.

Deliberate defects that these tests catch: an open item left out of an adjustment or on the wrong
side; what lies before the first statement counted as a movement; two accounts of one fund reconciled
apart although our books cannot tell them apart.
"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.period import Period
from ledger.events.reconciliation import StatedPayment
from settlement.banking import BankAccount, Banks
from settlement.reconciliation.money import reconcile_money
from settlement.reconciliation.money_facts import Entry, Line, MoneyFacts
from settlement.reconciliation.units import units_of

FUNDS = ("310.pooled", "310.personal", "390")
JANUARY = Period(2024, 1)


def entry(position, fen, day=5, *, ref="", month=1, fund="390", place="expenditure"):
    when = date(2024, month, day)
    refs = (ref,) if ref else ()
    return Entry(position, place, fund, when, when, fen, refs, "", "", "clerk1")


def stated(position, fen, day=5, *, ref="", balance=None, account="1", month=1, nth=1):
    when = f"2024-{month:02}-{day:02}"
    one = StatedPayment(position, when, fen, balance, ref, nth, None, None, None, None)
    return Line(position, account, one, "clerk1", "I1")


def facts(entries, lines, openings=()):
    found = MoneyFacts("330604", "bank", JANUARY, 100)
    found.entries, found.lines, found.openings = list(entries), list(lines), list(openings)
    return found


def reconciled(found):
    return reconcile_money(
        found, banks=Banks(), funds=FUNDS, institutions=(), days_apart=2
    ).accounts


def test_what_lies_before_the_first_statement_is_the_opening():
    """Books 100 at the start of the year and −30 in December; the bank opens with 65: 5 apart."""
    openings = [entry(1, 10_000, 1)]
    entries = [
        entry(2, -3_000)._replace(booked_on=date(2023, 12, 20), day=date(2023, 12, 20)),
        entry(3, -1_000, ref="P0001"),
    ]
    (account,) = reconciled(
        facts(entries, [stated(9, -1_000, ref="P0001", balance=5_500)], openings)
    )
    assert (account.ours_fen, account.theirs_fen) == (6_000, 5_500)
    assert (account.opening_fen, account.difference_fen) == (500, 500)
    assert account.result == "apart"


def test_a_statement_that_begins_within_a_month_opens_with_what_the_books_held():
    """1,000 and −100 before the 15th: the bank opens with 900, and nothing before it is open."""
    openings = [entry(1, 100_000, 1)]
    entries = [entry(2, -10_000, 5, ref="P0001"), entry(3, -2_000, 16, ref="P0002")]
    (account,) = reconciled(
        facts(entries, [stated(9, -2_000, 15, ref="P0002", balance=88_000)], openings)
    )
    assert (account.since, account.opening_fen) == (date(2024, 1, 15), 0)
    assert (account.only_ours, account.result) == ((), "even")


def test_a_payment_of_ours_before_the_first_line_of_the_month_is_not_left_out():
    entries = [entry(2, -10_000, 2)]
    (account,) = reconciled(facts(entries, [stated(9, -10_000, 4, balance=-10_000)]))
    assert (account.since, account.result) == (date(2024, 1, 1), "even")


@pytest.mark.parametrize(
    ("accounts", "units"),
    [
        ({}, [("expenditure", set(FUNDS))]),
        ({"1": ("310",), "2": ("390",)}, [("1", set(FUNDS[:2])), ("2", {"390"})]),
        ({"1": ("310",), "2": ("310",)}, [("1+2", set(FUNDS[:2])), ("expenditure", {"390"})]),
        ({"1": (), "2": ("390",)}, [("1+2", set(FUNDS))]),
    ],
)
def test_accounts_that_our_books_cannot_tell_apart_are_one(accounts, units):
    banks = Banks(
        {
            name: BankAccount(account=name, money_account="expenditure", funds=funds)
            for name, funds in accounts.items()
        }
    )
    found = units_of(facts([entry(1, -5)], []), banks, frozenset(FUNDS))
    assert sorted((one.name, sorted(one.funds)) for one in found) == sorted(
        (name, sorted(held)) for name, held in units
    )


_REFS = st.sampled_from(["", "", "P0001", "P0002"])
_FENS = st.sampled_from([-300, -200, -100, 100, 200])
_MOVES = st.lists(st.tuples(_FENS, st.integers(1, 31), _REFS), max_size=8)


@given(_MOVES, _MOVES, st.integers(0, 900), st.integers(0, 900))
def test_a_difference_is_the_opening_and_unequal_amounts_and_nothing_else(
    ours, theirs, our_opening, their_opening
):
    entries = [entry(at, fen, day, ref=ref) for at, (fen, day, ref) in enumerate(ours, start=10)]
    balance, lines = their_opening, []
    for at, (fen, day, ref) in enumerate(sorted(theirs, key=lambda one: one[1]), start=50):
        balance += fen
        lines.append(stated(at, fen, day, ref=ref, balance=balance, nth=at))
    openings = [entry(1, our_opening, 1)] if our_opening else []
    for account in reconciled(facts(entries, lines, openings)):
        if account.theirs_fen is None:
            assert lines == []
            continue
        assert account.ours_fen == our_opening + sum(fen for fen, _, _ in ours)
        assert account.theirs_fen == balance
        assert account.gaps == ()
        assert account.difference_fen == account.opening_fen + account.unequal_fen
        whole_month = account.since == date(2024, 1, 1)
        assert account.opening_fen == (our_opening - their_opening if whole_month else 0)


def test_a_document_between_two_funds_of_an_account_is_no_movement():
    entries = [entry(3, -500, fund="310.pooled"), entry(3, 500, fund="310.personal")]
    (account,) = reconciled(facts(entries, [stated(9, 100, balance=100)]))
    assert account.only_ours == ()
    assert account.ours_fen == 0
