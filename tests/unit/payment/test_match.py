"""对总账、对明细账 and payments: each fact used once, nothing lost on either side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.reconciliation.match import (
    NOTHING,
    Detail,
    Payment,
    Result,
    Totals,
    compare_totals,
    match_details,
    match_payments,
    repeated_keys,
)


def totals(cases, medfee, fund, account):
    return Totals(cases=cases, medfee_fen=medfee, fund_fen=fund, account_fen=account)


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (totals(67, 8958_23, 1819_04, 388_23), totals(67, 8958_23, 1819_04, 388_23), Result.EVEN),
        (
            totals(67, 8958_23, 1819_04, 388_23),
            totals(66, 8900_00, 1800_00, 388_23),
            Result.OURS_MORE,
        ),
        (
            totals(66, 8900_00, 1800_00, 388_23),
            totals(67, 8958_23, 1819_04, 388_23),
            Result.THEIRS_MORE,
        ),
        (
            totals(67, 8958_23, 1819_04, 388_23),
            totals(67, 8958_23, 1819_05, 388_22),
            Result.UNEQUAL,
        ),
        (totals(67, 100, 50, 0), totals(66, 200, 50, 0), Result.UNEQUAL),
        (NOTHING, NOTHING, Result.EVEN),
        (NOTHING, totals(1, 1, 0, 0), Result.THEIRS_MORE),
    ],
)
def test_totals(ours, theirs, result):
    """The first is the real sample of 3201 (§8.3)."""
    assert compare_totals(ours, theirs) is result


def detail(setl_id, fund=70, *, line, refund=False):
    return Detail(
        setl_id=setl_id, refund=refund, medfee_fen=100, fund_fen=fund, account_fen=0, line=line
    )


def test_details():
    ours = [
        detail("S1", line=1),
        detail("S2", line=2),
        detail("S3", line=3),
        detail("S1", -70, line=4, refund=True),
    ]
    theirs = [detail("S3", 71, line=1), detail("S1", line=2), detail("S4", line=3)]
    found = match_details(ours, theirs)
    assert [(a.line, b.line) for a, b in found.even] == [(1, 2)]
    assert [(a.line, b.line) for a, b in found.unequal] == [(3, 1)]
    assert [one.line for one in found.only_ours] == [2, 4]
    assert [one.line for one in found.only_theirs] == [3]
    assert not found.is_even


def test_a_settlement_that_one_side_shows_twice_is_matched_once():
    """The equal one of the two is taken, wherever it stands; the other is left over."""
    theirs = [detail("S1", 71, line=1), detail("S1", 70, line=2)]
    found = match_details([detail("S1", 70, line=1)], theirs)
    assert [(a.line, b.line) for a, b in found.even] == [(1, 2)]
    assert [one.line for one in found.only_theirs] == [1]
    assert repeated_keys(theirs) == [("S1", False)]
    again = match_details(theirs, [detail("S1", 70, line=9)])
    assert len(again.even) + len(again.unequal) == 1
    assert len(again.only_ours) == 1


def payment(line, fen, day=10, *, ref="", party="H1"):
    return Payment(ref=ref, day=day, fen=fen, party=party, line=line)


@pytest.mark.parametrize(
    ("ours", "theirs", "even", "unequal"),
    [
        ([payment(1, -500, ref="P1")], [payment(1, -500, 15, ref="P1", party="?")], [(1, 1)], []),
        ([payment(1, -500, ref="P1")], [payment(1, -400, ref="P1")], [], [(1, 1)]),
        ([payment(1, -500)], [payment(1, -500, 13)], [(1, 1)], []),
        ([payment(1, -500)], [payment(1, -500, 14)], [], []),  # more than three days apart
        ([payment(1, -500, ref="P1")], [payment(1, -500, ref="P2")], [], []),  # two named payments
        ([payment(1, -500)], [payment(1, 500)], [], []),  # the sign counts
        ([payment(1, -500, 10)], [payment(1, -500, 12), payment(2, -500, 11)], [(1, 2)], []),
        (
            [payment(1, -500, 10), payment(2, -500, 11)],
            [payment(1, -500, 11), payment(2, -500, 10)],
            [(1, 2), (2, 1)],
            [],
        ),
    ],
)
def test_payments(ours, theirs, even, unequal):
    found = match_payments(ours, theirs, days_apart=3)
    assert [(a.line, b.line) for a, b in found.even] == even
    assert [(a.line, b.line) for a, b in found.unequal] == unequal


_rows = st.lists(
    st.builds(
        Payment,
        ref=st.sampled_from(["", "P1", "P2"]),
        day=st.integers(1, 6),
        fen=st.sampled_from([-100, 100, 200]),
        party=st.sampled_from(["H1", "H2"]),
        line=st.integers(1, 99),
    ),
    max_size=12,
    unique_by=lambda one: one.line,
)


@given(_rows, _rows, st.randoms())
def test_every_payment_is_used_exactly_once_and_the_order_of_input_is_irrelevant(
    ours, theirs, random
):
    found = match_payments(ours, theirs, days_apart=2)
    used = [a for a, _ in found.even + found.unequal] + found.only_ours
    other = [b for _, b in found.even + found.unequal] + found.only_theirs
    assert sorted(used) == sorted(ours)
    assert sorted(other) == sorted(theirs)
    mixed, mixed_theirs = ours[:], theirs[:]
    random.shuffle(mixed)
    random.shuffle(mixed_theirs)
    again = match_payments(mixed, mixed_theirs, days_apart=2)
    assert sorted(again.even) == sorted(found.even)
    assert sorted(again.unequal) == sorted(found.unequal)
