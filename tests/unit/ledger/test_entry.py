"""Entries balance by construction in every fund they touch; red ones take back what they name."""

from collections import defaultdict

import pytest

from ledger.domain.entry import Posting, move, red_letter, sides

ENTRY = (
    Posting("610", "expense.assisted_participation", "fiscal", 58_500),
    Posting("390", "fiscal", "income.contribution.assisted", 58_500),
    Posting("390", "owed.booked", "claims.paid", 1, "H33060400001"),
)


def balances(entry):
    sums = defaultdict(int)
    for side in sides(entry):
        sums[side.fund, side.account, side.party] += side.debit_fen - side.credit_fen
    return {key: fen for key, fen in sums.items() if fen}


def test_an_entry_is_spelled_out_as_debit_and_credit_lines():
    assert [tuple(side) for side in sides(ENTRY[1:])] == [
        ("390", "fiscal", 58_500, 0, None),
        ("390", "income.contribution.assisted", 0, 58_500, None),
        ("390", "owed.booked", 1, 0, "H33060400001"),
        ("390", "claims.paid", 0, 1, "H33060400001"),
    ]


def test_every_fund_of_an_entry_balances_by_itself():
    by_fund = defaultdict(int)
    for side in sides(ENTRY):
        by_fund[side.fund] += side.debit_fen - side.credit_fen
    assert by_fund == {"610": 0, "390": 0}


def test_a_red_letter_entry_keeps_sides_and_parties_and_takes_everything_back():
    red = red_letter(ENTRY)
    assert [(one.debit, one.credit, one.party) for one in red] == [
        (one.debit, one.credit, one.party) for one in ENTRY
    ]
    assert [one.fen for one in red] == [-58_500, -58_500, -1]
    assert balances([*ENTRY, *red]) == {}
    assert red_letter(red) == ENTRY


def test_a_negative_amount_swaps_the_sides():
    assert move("390", debit="fiscal", credit="net_assets", fen=-5) == Posting(
        "390", "net_assets", "fiscal", 5
    )
    assert move("390", debit="fiscal", credit="net_assets", fen=5, party="甲").party == "甲"


@pytest.mark.parametrize("fen", [0, 1.0, "1", True, None])
def test_a_posting_needs_a_whole_amount_that_is_not_nil(fen):
    with pytest.raises(ValueError, match="whole amount"):
        Posting("390", "fiscal", "net_assets", fen)


def test_a_posting_needs_two_accounts():
    with pytest.raises(ValueError, match="two accounts"):
        Posting("390", "fiscal", "fiscal", 1)
