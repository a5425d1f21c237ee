"""Reconciling a month: what is read from the log, and properties of the comparison.

Deliberate defects that these tests catch: an intake's settlements counted before it completed; the
earlier statement kept; refunds' sign lost; a settlement in two lists.
"""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.period import Period
from ledger.events.base import Source
from ledger.events.claim import ClaimAmounts, ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.reconciliation import (
    StatedSettlement,
    StatementDetailsReceived,
    StatementTotalsReceived,
)
from settlement.reconciliation.document import rate_of
from settlement.reconciliation.institutions import reconcile, sum_up
from settlement.reconciliation.match import Detail, Result
from settlement.reconciliation.month_facts import read_month

AREA, MONTH, H1, H2 = "330604", Period(2024, 1), "H33060400001", "H33060400002"
BY = {"area": AREA, "by": "clerk1"}
POSTED = {"area": AREA, "postings": (), "rules_version": 1, "prepared_by": "clerk1"}


class Log:
    """A log of facts in memory, read as a store gives it."""

    def __init__(self, *facts):
        self._rows = [
            (at, fact.TOPIC, msgspec.json.encode(fact)) for at, fact in enumerate(facts, start=1)
        ]

    def read_facts(self, *, after, until):
        return [row for row in self._rows if after < row[0] <= until]

    def month(self, position=None, **how):
        position = len(self._rows) if position is None else position
        return read_month(self, area=AREA, period=MONTH, position=position, **how)


def claim(
    number, fee=100, *, refund=False, intake=None, day="2024-01-15", hospital=H1, clr_type="21"
):
    kind = ClaimRefunded if refund else ClaimSettled
    fen = -fee if refund else fee
    return kind(
        **POSTED,
        booked_on=day,
        setl_id=f"S{number}",
        person="t",
        person_key=1,
        insutype="310",
        institution=hospital,
        med_type="21",
        clr_type=clr_type,
        setl_date=day,
        belongs_to=day[:7],
        amounts=ClaimAmounts(
            medfee_sumamt=fen, fund_pay_sumamt=fen // 2, acct_pay=0, psn_cash_pay=fen - fen // 2
        ),
        details={},
        content="c",
        source=Source(intake=intake),
    )


def red(number, *, refund=False):
    return ClaimReversed(
        **POSTED,
        booked_on="2024-02-01",
        setl_id=f"S{number}",
        refund=refund,
        institution=H1,
        clr_type="21",
        belongs_to="2024-01",
        original_position=1,
        reason="x",
        source=Source(),
    )


def started(intake="I1"):
    return IntakeStarted(
        **BY, intake=intake, kind="claims", file="f", content="c", accepted=1, rejected=0,
        partial=False, funds=(), months=(),
    )  # fmt: skip


def completed(intake="I1"):
    return IntakeCompleted(
        **BY, intake=intake, kind="claims", file="f", content="c", accepted=1, rejected=0,
        posted=1, already=0,
    )  # fmt: skip


def totals(cases, fee, fund, *, refund=None, clr_type="21", period="2024-01"):
    return StatementTotalsReceived(
        **BY,
        period=period,
        institution=H1,
        insutype="310",
        clr_type=clr_type,
        refund=refund,
        cases=cases,
        medfee_fen=fee,
        fund_fen=fund,
        account_fen=0,
        content="c",
        source=Source(intake="I9", line=2),
    )


def details(*rows):
    return StatementDetailsReceived(
        **BY,
        period="2024-01",
        institution=H1,
        settlements=tuple(
            StatedSettlement(line, f"S{number}", refund, fee, fee // 2, 0, None)
            for line, (number, refund, fee) in enumerate(rows, start=2)
        ),
        source=Source(intake="I9"),
    )


def keys(found):
    return sorted(found.claims)


def test_a_settlement_counts_from_the_completion_of_its_intake():
    log = Log(
        started(), claim(1, intake="I1"), claim(2), completed(), started(), claim(3, intake="I1")
    )
    assert keys(log.month(3)) == [("S2", False)]
    assert keys(log.month(4)) == [("S1", False), ("S2", False)]
    assert keys(log.month()) == [("S1", False), ("S2", False)], "the second round still runs"


def test_reversed_other_months_and_other_areas_are_left_out():
    elsewhere = msgspec.structs.replace(claim(5), area="330602")
    log = Log(
        claim(1), red(1), claim(2, day="2024-02-01"), claim(3), claim(3, refund=True), elsewhere
    )
    assert keys(log.month()) == [("S3", False), ("S3", True)]
    assert keys(log.month(1)) == [("S1", False)], "as of a position before the reversal"
    assert keys(log.month(institution=H2)) == []


def test_what_was_posted_again_after_its_reversal_counts_once():
    log = Log(claim(1), red(1), claim(1, fee=70))
    (one,) = log.month().claims.values()
    assert one.detail.medfee_fen == 70


def result_of(*facts):
    return reconcile(Log(*facts).month(), registered=())


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([totals(2, 200, 100)], [("all", "0")]),
        ([totals(1, 1, 1), totals(2, 200, 100)], [("all", "0")]),
        ([totals(3, 100, 50), totals(2, 200, 100, refund=False)], [("normal", "0")]),
        ([totals(2, 200, 100, refund=False), totals(3, 200, 100)], [("all", "2")]),
        (
            [totals(2, 200, 100, refund=False), totals(1, -100, -50, refund=True)],
            [("normal", "0"), ("refunds", "2")],
        ),
        ([totals(2, 200, 100, period="2024-02")], []),
        ([totals(1, 100, 50, clr_type="11")], [("all", "2"), ("all", "1")]),
    ],
)
def test_the_latest_statement_is_compared_like_with_like(stated, expected):
    found = result_of(claim(1), claim(2), *stated)
    said = [(one.part, str(one.result)) for one in found.groups]
    assert said == expected
    assert [one.institution for one in found.unreconciled] == ([] if expected else [H1])


ROW = st.tuples(st.integers(1, 12), st.booleans(), st.integers(1, 3).map(lambda n: n * 100))
OURS = st.dictionaries(
    st.tuples(st.integers(1, 12), st.booleans()), st.integers(1, 3).map(lambda n: n * 100)
)


@given(ours=OURS, theirs=OURS)
def test_the_breaks_explain_the_difference_of_the_totals(ours, theirs):
    """Nothing is matched twice or lost: what the breaks differ by is what the totals differ by."""
    listed = [(number, refund, -fee if refund else fee) for (number, refund), fee in theirs.items()]
    stated = sum_up(
        Detail(setl_id="", refund=refund, medfee_fen=fee, fund_fen=fee // 2, account_fen=0, line=0)
        for _, refund, fee in listed
    )
    claims = [claim(number, fee, refund=refund) for (number, refund), fee in ours.items()]
    facts = [totals(stated.cases, stated.medfee_fen, stated.fund_fen), details(*listed)]
    found = result_of(*claims, *facts)
    (group,) = found.groups
    if group.result is Result.EVEN:
        assert found.details == ()
        return
    (matched,) = found.details
    sides = [(one.ours, one.theirs) for one in matched.breaks]
    difference = sum(mine.medfee_fen for mine, _ in sides if mine) - sum(
        other.medfee_fen for _, other in sides if other
    )
    assert difference == group.ours.medfee_fen - stated.medfee_fen
    counted = Counter((one.setl_id, one.refund) for one in matched.breaks)
    assert set(counted.values()) <= {1}
    assert matched.even + len(counted) == len({*ours, *theirs})


@given(ours=OURS, order=st.randoms())
def test_the_order_of_the_log_does_not_matter(ours, order):
    claims = [claim(number, fee, refund=refund) for (number, refund), fee in ours.items()]
    stated = [totals(2, 200, 100), details((1, False, 100), (2, True, -100))]
    first = result_of(*claims, *stated)
    order.shuffle(claims)
    again = result_of(*claims, *stated)
    assert first.groups == again.groups
    assert [(one.setl_id, one.refund, one.result) for one in first.breaks] == [
        (one.setl_id, one.refund, one.result) for one in again.breaks
    ]


def test_even_groups_are_not_looked_through_again():
    """Only settlements of groups that differ are asked for, and whatever else was listed."""
    facts = [claim(1), claim(2, clr_type="11"), claim(3, clr_type="11")]
    stated = [totals(1, 200, 100), totals(2, 200, 100, clr_type="11")]
    found = result_of(*facts, *stated, details((1, False, 200), (2, False, 100)))
    (matched,) = found.details
    assert (matched.even, [one.setl_id for one in matched.breaks]) == (1, ["S1"])


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, None),
        (0, 3, "0.00"),
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        (1, 16, "6.25"),
        (1, 800, "0.13"),
        (3, 3, "100.00"),
    ],
)
def test_a_share_is_rounded_half_up(part, whole, said):
    assert rate_of(part, whole) == said
