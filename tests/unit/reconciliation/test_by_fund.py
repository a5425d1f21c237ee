"""Results with institutions by fund: what a statement tells of each, and what it does not.

Deliberate defects that these tests catch: a fund's difference shared out by guess; personal accounts
counted to the pooled fund; groups that differ in opposite directions netted to 平.
"""

import pytest

from settlement.reconciliation.by_fund import ByFund
from settlement.reconciliation.match import Result, Totals

H1 = "H33060400001"
POOLED, PERSONAL, AID = "310.pooled", "310.personal", "610"


def totals(fund, account=0):
    return Totals(cases=1, medfee_fen=0, fund_fen=fund, account_fen=account)


def results(*groups):
    """Each group: what our funds owe, our totals, theirs; give (ours, theirs, result) by fund."""
    by_fund = ByFund()
    for owed, ours, theirs in groups:
        by_fund.add(H1, "21", owed, (ours, theirs))
    return {
        one.key.fund: (one.ours_fen, one.theirs_fen, one.reason or one.result)
        for one in by_fund.results()
    }


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (
            [({POOLED: 900, AID: 100, PERSONAL: 50}, totals(1000, 50), totals(1000, 50))],
            {
                POOLED: (900, 900, Result.EVEN),
                AID: (100, 100, Result.EVEN),
                PERSONAL: (50, 50, Result.EVEN),
            },
        ),
        (
            [({POOLED: 900, PERSONAL: 50}, totals(900, 50), totals(950, 40))],
            {
                POOLED: (900, 950, Result.THEIRS_MORE),
                PERSONAL: (50, 40, Result.OURS_MORE),
            },
        ),
        (
            [({POOLED: 900, AID: 100}, totals(1000), totals(990))],
            {POOLED: (900, None, "several_funds"), AID: (100, None, "several_funds")},
        ),
        (
            [({POOLED: 900, AID: 100}, totals(1000), None)],
            {POOLED: (900, 0, Result.OURS_MORE), AID: (100, 0, Result.OURS_MORE)},
        ),
        (
            [
                ({"390": 500}, totals(500), totals(450)),
                ({"390": 300}, totals(300), totals(350)),
            ],
            {"390": (800, 800, Result.UNEQUAL)},
        ),
        (
            [({PERSONAL: 10}, totals(0, 10), totals(0, 10)), ({PERSONAL: 5}, totals(0, 5), None)],
            {PERSONAL: (15, 10, Result.OURS_MORE)},
        ),
        ([({}, totals(0), totals(70))], {"": (0, None, "no_fund")}),
        (  # a part that no fund of the book owes is in our total and in no fund
            [({POOLED: 900}, totals(950), totals(940))],
            {POOLED: (900, None, "several_funds")},
        ),
    ],
)
def test_each_fund(groups, found):
    assert results(*groups) == found


def test_without_a_statement_theirs_is_not_known():
    by_fund = ByFund()
    by_fund.add(H1, "21", {POOLED: 900}, (totals(900), None), stated=False)
    (one,) = by_fund.results()
    assert (one.theirs_fen, one.result, one.reason) == (None, None, "no_statement")
