"""对总账、对明细账: each fact used once, nothing lost on either side."""

import pytest

from settlement.reconciliation.match import (
    NOTHING,
    Detail,
    Result,
    Totals,
    compare_totals,
    match_details,
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
