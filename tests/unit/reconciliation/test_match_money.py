"""Payments of our books and of a statement: each used once, nothing lost, what is open said openly.

Deliberate defects that these tests catch: a payment matched twice; an ambiguous sum matched all the
same; a reference with another amount taken as even; an outcome that depends on the order of input.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.reconciliation.match_money import How, Payment, match_payments


def pay(line, fen, day=10, *, ref="", party=""):
    return Payment(ref=ref, day=day, fen=fen, party=party, line=line)


def lines(payments):
    return tuple(sorted(one.line for one in payments))


def told(found):
    """Say the outcome by lines: how → pairs, then unequal, then what is open on either side."""
    even = sorted((str(one.how), lines(one.ours), lines(one.theirs)) for one in found.even)
    unequal = sorted((a.line, b.line) for a, b in found.unequal)
    return even, unequal, lines(found.only_ours), lines(found.only_theirs)


CASES = [
    (
        "the same reference and amount, whenever and to whomever",
        [pay(1, -500, ref="P1", party="H1")],
        [pay(9, -500, 25, ref="P1", party="H2")],
        ([("ref", (1,), (9,))], [], (), ()),
    ),
    (
        "the same reference and another amount is unequal",
        [pay(1, -500, ref="P1")],
        [pay(9, -400, ref="P1")],
        ([], [(1, 9)], (), ()),
    ),
    (
        "an order for two months, paid as one",
        [pay(1, -300, ref="P1"), pay(2, -200, ref="P1")],
        [pay(9, -500, ref="P1")],
        ([("ref_sum", (1, 2), (9,))], [], (), ()),
    ),
    (
        "a document in red cancels itself",
        [pay(1, -300, ref="P1"), pay(2, 300, 20, ref="P1")],
        [],
        ([("reversed", (1, 2), ())], [], (), ()),
    ),
    (
        "reversed and booked anew after the bank had paid: one of the three is the bank's",
        [pay(1, -300, ref="P1"), pay(2, 300, 20, ref="P1"), pay(3, -300, 20, ref="P1")],
        [pay(9, -300, 10, ref="P1")],
        ([("ref", (1,), (9,)), ("reversed", (2, 3), ())], [], (), ()),
    ),
    ("amount within three days", [pay(1, -500)], [pay(9, -500, 13)], ([("amount", (1,), (9,))], [], (), ())),
    ("not four days apart", [pay(1, -500)], [pay(9, -500, 14)], ([], [], (1,), (9,))),
    ("the sign counts", [pay(1, -500)], [pay(9, 500)], ([], [], (1,), (9,))),
    (
        "the party before the nearer day",
        [pay(1, -500, 10, party="H1")],
        [pay(8, -500, 12, party="H1"), pay(9, -500, 10)],
        ([("party", (1,), (8,))], [], (), (9,)),
    ),
    ("never another party", [pay(1, -5, party="H1")], [pay(9, -5, party="H2")], ([], [], (1,), (9,))),
    (
        "the nearest day",
        [pay(1, -500, 10)],
        [pay(8, -500, 12), pay(9, -500, 11)],
        ([("amount", (1,), (9,))], [], (), (8,)),
    ),
    (
        "each once, day by day",
        [pay(1, -500, 10), pay(2, -500, 11)],
        [pay(8, -500, 11), pay(9, -500, 10)],
        ([("amount", (1,), (9,)), ("amount", (2,), (8,))], [], (), ()),
    ),
    (
        "a day's payments go out as one",
        [pay(1, -300), pay(2, -200), pay(3, 50)],
        [pay(9, -500)],
        ([("day_sum", (1, 2), (9,))], [], (3,), ()),
    ),
    (
        "one voucher for a day's receipts",
        [pay(1, 500)],
        [pay(8, 300), pay(9, 200)],
        ([("day_sum", (1,), (8, 9))], [], (), ()),
    ),
    (
        "a day's payments to one institution",
        [pay(1, -300, party="H1"), pay(2, -200, party="H1"), pay(3, -7, party="H2")],
        [pay(9, -500, party="H1")],
        ([("day_sum", (1, 2), (9,))], [], (3,), ()),
    ),
    (
        "a sum that two lines have goes to neither",
        [pay(1, -300), pay(2, -200)],
        [pay(8, -500), pay(9, -500)],
        ([], [], (1, 2), (8, 9)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_payments(ours, theirs, outcome):
    assert told(match_payments(ours, theirs, days_apart=3)) == outcome


def test_what_could_go_two_ways_is_said():
    found = match_payments([pay(1, -300), pay(2, -200)], [pay(8, -500), pay(9, -500)], days_apart=3)
    assert lines(found.ambiguous) == (1, 2, 8, 9)


@pytest.mark.parametrize("number", [3_000])
def test_thousands_of_one_amount_are_matched_by_day(number):
    """Quadratic matching would look at nine million pairs; days are compared instead."""
    ours = [pay(at, -200, 10 + at % 20) for at in range(number)]
    theirs = [pay(at + number, -200, 10 + at % 20) for at in range(number)]
    found = match_payments(ours, theirs, days_apart=3)
    assert len(found.even) == number


def _side(first):
    return st.lists(
        st.builds(
            Payment,
            ref=st.sampled_from(["", "", "P1", "P2"]),
            day=st.integers(1, 4),
            fen=st.sampled_from([-300, -200, -100, 100, 200]),
            party=st.sampled_from(["", "H1", "H2"]),
            line=st.integers(first, first + 98),
        ),
        max_size=10,
        unique_by=lambda one: one.line,
    )


OURS, THEIRS = _side(1), _side(101)


@given(OURS, THEIRS)
def test_every_payment_is_in_one_place_and_no_money_is_lost(ours, theirs):
    found = match_payments(ours, theirs, days_apart=2)
    mine = [a for one in found.even for a in one.ours] + [a for a, _ in found.unequal]
    other = [b for one in found.even for b in one.theirs] + [b for _, b in found.unequal]
    assert sorted(mine + found.only_ours) == sorted(ours)
    assert sorted(other + found.only_theirs) == sorted(theirs)
    for one in found.even:
        assert sum(a.fen for a in one.ours) == sum(b.fen for b in one.theirs)
        assert one.ours or one.theirs
    assert all(a.ref == b.ref and a.fen != b.fen for a, b in found.unequal)
    apart = sum(one.fen for one in ours) - sum(one.fen for one in theirs)
    unequal = sum(a.fen - b.fen for a, b in found.unequal)
    left = sum(a.fen for a in found.only_ours) - sum(b.fen for b in found.only_theirs)
    assert apart == unequal + left
    assert found.ambiguous <= {*found.only_ours, *found.only_theirs}


@given(OURS, THEIRS, st.randoms())
def test_the_order_of_input_is_irrelevant(ours, theirs, random):
    found = told(match_payments(ours, theirs, days_apart=2))
    mixed, mixed_theirs = ours[:], theirs[:]
    random.shuffle(mixed)
    random.shuffle(mixed_theirs)
    assert told(match_payments(mixed, mixed_theirs, days_apart=2)) == found


@given(OURS, THEIRS)
def test_turned_round_the_same_amounts_meet_by_reference(ours, theirs):
    def by_ref(found, side):
        return sorted(
            sorted((one.ref, one.fen) for one in getattr(pair, side))
            for pair in found.even
            if pair.how in {How.REF, How.REF_SUM, How.REVERSED}
        )

    found, turned = (
        match_payments(ours, theirs, days_apart=2),
        match_payments(theirs, ours, days_apart=2),
    )
    assert by_ref(found, "ours") == by_ref(turned, "theirs")


@given(OURS)
def test_a_side_matches_itself_whole(ours):
    found = match_payments(ours, ours, days_apart=0)
    assert (found.unequal, found.only_ours, found.only_theirs) == ([], [], [])
