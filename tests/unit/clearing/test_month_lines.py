"""An institution's month from what is owed to what is payable: tables to check by hand, and laws.

Paper §1.7 has both conventions of the deposit for 812,345.67 declared and 2,345.60 refused.
"""

from fractions import Fraction

import pytest
from hypothesis import given
from support.month_lines import FUND, H1, months, policies, signed, slowly, standing

from ledger.domain.chart import CHART
from ledger.domain.entry import Book, sides
from settlement.clearing.deposit import DepositOrder
from settlement.clearing.month.lines import (
    DueOf,
    OpenOffset,
    Rules,
    Standing,
    entry_of,
    settle,
)
from settlement.clearing.policies.policy import Basis, Deposit, Monthly, PrepaymentOffset, Unapplied

H2 = "H33060400002"


def rules(deposit=None, order=DepositOrder.OF_DECLARED, **monthly):
    withheld = None if deposit is None else Deposit(share=Fraction(deposit), order=order)
    return Rules(monthly=Monthly(**monthly), deposit=withheld)


def line(one, how=None):
    found = settle(one, how or rules())
    assert found is not None
    return found.line


@pytest.mark.parametrize(
    ("order", "deposit", "payable"),
    [
        (DepositOrder.OF_DECLARED, 40_617_28, 769_382_79),
        (DepositOrder.AFTER_DEDUCTION, 40_500_00, 769_500_07),
    ],
)
def test_both_conventions_of_the_deposit(order, deposit, payable):
    month = standing(812_345_67, 810_000_07, 2_345_60)
    found = line(month, rules("1/20", order))
    assert (found.booked_fen, found.refused_fen) == (812_345_67, 2_345_60)
    assert (found.settled_fen, found.deposit_fen, found.payable_fen) == (
        *(810_000_07, deposit),
        payable,
    )


#: (what stands, rules) → declared on behalf, waiting, settled, payable; in fen
DECLARED = {
    "nobody applied: declared on the institution's behalf": (
        (standing(1000), rules()),
        (1000, 0, 1000, 1000),
    ),
    "nobody applied: it waits": (
        (standing(1000), rules(without_application=Unapplied.SKIP)),
        (0, 1000, 0, 0),
    ),
    "applied for less: the rest stays booked": (
        (standing(1000, 900, stays_booked_fen=100), rules()),
        (0, 100, 900, 900),
    ),
    "what came in after the application": (
        (standing(1050, 900, stays_booked_fen=100), rules()),
        (50, 100, 950, 950),
    ),
    "refused of what was left booked": (
        (standing(1000, 900, 80, stays_booked_fen=100), rules()),
        (0, 20, 900, 900),
    ),
    "refunded after the application": (
        (standing(700, 900, stays_booked_fen=100), rules(without_application=Unapplied.SKIP)),
        (-200, 0, 700, 700),
    ),
    "85 % of what is declared is paid monthly": (
        (standing(1001, 1001), rules(share=Fraction(85, 100))),
        (0, 150, 851, 851),
    ),
    "paid by cash documents before": (
        (standing(1000, otherwise=400), rules()),
        (600, 0, 600, 600),
    ),
}


@pytest.mark.parametrize("case", DECLARED)
def test_what_is_declared_and_settled(case):
    (one, how), expected = DECLARED[case]
    found = line(one, how)
    assert (found.on_behalf_fen, found.waiting_fen, found.settled_fen, found.payable_fen) == (
        expected
    )


#: carried in, recoveries, prepaid, share of it → offset, prepaid, carried out, payable of 1000 settled
TAKEN = {
    "owed back from before": ((-300, [], 0, 1), (0, 0, 0, 700)),
    "more owed back than there is": ((-1300, [], 0, 1), (0, 0, -300, 0)),
    "approved before and not ordered": ((250, [], 0, 1), (0, 0, 0, 1250)),
    "a recovery": ((0, [300], 0, 1), (300, 0, 0, 700)),
    "recoveries, oldest first, up to what is payable": ((-100, [300, 900], 0, 1), (900, 0, 0, 0)),
    "nothing is taken of what is owed back": ((-1000, [300], 500, 1), (0, 0, 0, 0)),
    "prepaid money, whole": ((0, [], 400, 1), (0, 400, 0, 600)),
    "prepaid money, half of what is payable": (
        (0, [200], 900, Fraction(1, 2)),
        (200, 400, 0, 400),
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken_from_what_is_payable(case):
    (carried, waiting, prepaid, share), expected = TAKEN[case]
    offsets = [
        OpenOffset(doc_no=f"R{n}", left_fen=fen, same_year=True) for n, fen in enumerate(waiting)
    ]
    month = standing(
        1000, 1000, approved_elsewhere_fen=carried, offsets=offsets, prepaid_fen=prepaid
    )
    how = rules(prepayment_offset=PrepaymentOffset.MONTHLY, prepayment_share=Fraction(share))
    found = line(month, how)
    amounts = (found.offset_fen, found.prepaid_fen, found.carried_out_fen, found.payable_fen)
    assert amounts == expected
    assert line(month).prepaid_fen == 0, "prepaid money waits for the year by default"


def test_a_month_that_is_paid_by_what_is_due():
    """Due 950 of 1000 booked, 60 of them held back, which wait: 950 − 1000, and the rest later."""
    due = DueOf(due_fen=890, counted_fen=940, standing_fen=1000)
    found = line(standing(1000, 1000, due=due), rules(basis=Basis.DUE))
    assert (found.settled_fen, found.difference_fen, found.payable_fen) == (1000, -110, 890)
    assert (found.due_fen, found.due_booked_fen) == (890, 940)
    # The held back case is known now: nothing new was booked, and 60 more are due.
    later = standing(
        1000,
        0,
        settled=1000,
        due=DueOf(due_fen=950, counted_fen=1000, standing_fen=1000),
        earlier=[found],
    )
    again = line(later, rules(basis=Basis.DUE))
    assert (again.booked_fen, again.settled_fen, again.difference_fen) == (0, 0, 60)
    assert again.payable_fen == 60
    shared = line(standing(1000, 1000, due=due), rules(basis=Basis.DUE, share=Fraction(1, 2)))
    assert shared.payable_fen == 445


def test_what_the_insurer_pays_and_whom_the_agency_pays():
    how = Rules(monthly=Monthly(insurer_share=Fraction(1)), payees={H1: H2})
    found = line(standing(1000), how)
    assert (found.insurer_fen, found.payable_fen, found.payee) == (1000, 0, H2)


def test_nothing_new_is_no_line():
    first = line(standing(1000))
    assert settle(standing(1000, settled=1000, earlier=[first]), rules()) is None
    assert settle(Standing(institution=H1, owed={}), rules()) is None


@slowly
@given(months(), policies)
def test_the_bridge_holds_to_the_fen_and_the_entry_says_the_same(month, how):
    """Leaving one part out of the line, or of the entry, fails here."""
    found = settle(month, how)
    if found is None:
        return
    one = found.line
    settled = one.booked_fen - one.refused_fen - one.otherwise_fen - one.waiting_fen
    assert settled == one.settled_fen
    available = one.settled_fen - one.deposit_fen + one.difference_fen - one.insurer_fen
    available += one.carried_in_fen - one.offset_fen - one.prepaid_fen
    assert available - one.carried_out_fen == one.payable_fen
    assert one.payable_fen >= 0 >= one.carried_out_fen
    assert 0 <= one.deposit_fen <= max(one.settled_fen + one.difference_fen, 0)
    assert one.offset_fen == sum(part.fen for part in found.offsets)
    moved: dict[str, int] = {}
    for side in sides(entry_of(FUND, one, found.offsets)):
        moved[side.account] = moved.get(side.account, 0) + side.credit_fen - side.debit_fen
    assert moved.get("owed.declared", 0) == -one.settled_fen
    assert moved.get("owed.deposit", 0) == one.deposit_fen
    assert moved.get("owed.approved", 0) == available - one.carried_in_fen
    assert moved.get("claims.cleared", 0) == -one.difference_fen
    assert moved.get("claims.offset", 0) == one.offset_fen
    assert moved.get("advance.prepayment", 0) == one.prepaid_fen
    for book in Book:
        assert sum(fen for key, fen in moved.items() if CHART[key].book is book) == 0


@slowly
@given(months(), policies, signed)
def test_two_runs_come_to_what_one_would(month, how, more):
    """What is settled in a second run is the whole less the first, whatever the share."""
    first = settle(month, how)
    earlier = [] if first is None else [first.line]
    owed = dict(month.owed)
    if first is not None:
        one = first.line
        owed["owed.booked"] -= one.on_behalf_fen
        owed["owed.declared"] += one.on_behalf_fen - one.settled_fen
    owed["claims.incurred"] -= more
    owed["owed.booked"] += more
    later = Standing(
        institution=H1,
        owed=owed,
        earlier=earlier,
        stays_booked_fen=month.stays_booked_fen,
        due=month.due,
    )
    second = settle(later, how)
    lines = [*earlier, *([] if second is None else [second.line])]
    settled = sum(one.settled_fen for one in lines)
    waiting = sum(one.waiting_fen for one in lines)
    booked = sum(one.booked_fen for one in lines)
    assert booked == -owed["claims.incurred"]
    assert booked - settled - waiting == sum(one.refused_fen + one.otherwise_fen for one in lines)
    assert waiting == owed["owed.booked"] + owed["owed.declared"] - (
        second.line.settled_fen if second else 0
    )
