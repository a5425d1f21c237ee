"""Each step of settling with an institution, account by account; a year's steps end in nil."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import settlement_entries as steps
from ledger.domain.chart import CHART, STAGES
from ledger.domain.entry import Book, Posting, sides

H = "H33060400001"
F = "310.pooled"

TABLE = [
    (steps.declared_entry(F, H, 100), [("owed.booked", "owed.declared", 100, H)]),
    (
        steps.refused_entry(F, H, declared_fen=30, booked_fen=12),
        [
            ("owed.declared", "claims.refused", 30, H),
            ("owed.booked", "claims.refused", 12, H),
        ],
    ),
    (
        steps.refused_entry(F, H, declared_fen=0, booked_fen=12),
        [("owed.booked", "claims.refused", 12, H)],
    ),
    (
        steps.approved_entry(F, H, declared_fen=100, deposit_fen=5),
        [("owed.declared", "owed.approved", 95, H), ("owed.declared", "owed.deposit", 5, H)],
    ),
    (
        steps.approved_entry(F, H, declared_fen=100, deposit_fen=0),
        [("owed.declared", "owed.approved", 100, H)],
    ),
    (
        steps.recovery_offset_entry(F, H, 40, same_year=True),
        [
            ("expense.benefit.offset", "expense.benefit.recovered", 40, None),
            ("owed.approved", "claims.offset", 40, H),
        ],
    ),
    (
        steps.recovery_offset_entry(F, H, 40, same_year=False),
        [
            ("expense.benefit.offset", "income.other.recovery", 40, None),
            ("owed.approved", "claims.offset", 40, H),
        ],
    ),
    (
        steps.prepayment_offset_entry(F, H, 40),
        [
            ("expense.benefit.prepaid", "advance.prepayment", 40, H),
            ("owed.approved", "claims.prepaid", 40, H),
        ],
    ),
    (steps.ordered_entry(F, H, 100), [("owed.approved", "owed.ordered", 100, H)]),
    (
        steps.paid_entry(F, H, {"inpatient": 60, "outpatient": 0, "chronic": 40}),
        [
            ("expense.benefit.inpatient", "expenditure", 60, None),
            ("expense.benefit.chronic", "expenditure", 40, None),
            ("owed.ordered", "claims.paid", 100, H),
        ],
    ),
    (steps.payment_failed_entry(F, H, 100), [("owed.ordered", "owed.approved", 100, H)]),
    (
        steps.payment_returned_entry(F, H, 100),
        [
            ("expenditure", "expense.benefit.returned", 100, None),
            ("claims.paid", "owed.approved", 100, H),
        ],
    ),
    (steps.deposit_released_entry(F, H, 5), [("owed.deposit", "owed.approved", 5, H)]),
    (steps.deposit_forfeited_entry(F, H, 5), [("owed.deposit", "claims.forfeited", 5, H)]),
    (steps.year_cleared_entry(F, H, 7), [("claims.cleared", "owed.approved", 7, H)]),
    (steps.year_cleared_entry(F, H, -7), [("owed.approved", "claims.cleared", 7, H)]),
]


@pytest.mark.parametrize(("entry", "expected"), TABLE)
def test_each_step_posts_what_the_table_says(entry, expected):
    assert entry == tuple(Posting(F, *posting) for posting in expected)
    for posting in entry:
        assert CHART[posting.debit].book is CHART[posting.credit].book
        assert (CHART[posting.debit].book is Book.CASH) or posting.party == H


def test_medical_assistance_is_paid_from_the_fiscal_account():
    (cash, _) = steps.paid_entry("610", H, {"assistance": 9})
    assert cash == Posting("610", "expense.benefit.assistance", "fiscal", 9)
    (back, _) = steps.payment_returned_entry("610", H, 9)
    assert back == Posting("610", "fiscal", "expense.benefit.returned", 9)


def test_a_refusal_that_is_withdrawn_leaves_every_stage_as_it_was():
    refused = steps.refused_entry(F, H, declared_fen=30, booked_fen=12)
    assert set(balances(refused + steps.refusal_withdrawn_entry(refused)).values()) == {0}


def balances(entry) -> Counter[str]:
    """Credits less debits by account."""
    found: Counter[str] = Counter()
    for side in sides(entry):
        found[side.account] += side.credit_fen - side.debit_fen
    return found


@given(st.lists(st.integers(1, 10**12), min_size=9, max_size=9))
def test_the_bridge_holds_whatever_the_amounts(fen):
    """Leaving the deposit's forfeiting out of the sum breaks it."""
    refused, deposit, offset, prepaid, ordered, paid, released, forfeited, cleared = fen
    booked = sum(fen)
    entry = (
        Posting(F, "claims.incurred", "owed.booked", booked, H),
        *steps.declared_entry(F, H, booked - 1),
        *steps.refused_entry(F, H, declared_fen=refused, booked_fen=1),
        *steps.approved_entry(F, H, declared_fen=booked - 1 - refused, deposit_fen=deposit),
        *steps.recovery_offset_entry(F, H, offset, same_year=True),
        *steps.prepayment_offset_entry(F, H, prepaid),
        *steps.ordered_entry(F, H, ordered),
        *steps.paid_entry(F, H, {"inpatient": paid}),
        *steps.deposit_released_entry(F, H, released),
        *steps.deposit_forfeited_entry(F, H, forfeited),
        *steps.year_cleared_entry(F, H, -cleared),
    )
    found = balances(entry)
    assert found["owed.booked"] == 0
    assert found["owed.deposit"] == deposit - released - forfeited
    assert sum(found[stage] for stage in STAGES) == (
        booked - (refused + 1) - offset - prepaid - forfeited - cleared - paid
    )
