"""预付单: where each order stands, from the facts of today and from those of before."""

import pytest

from ledger.aggregates.prepayment import PrepaymentNotWaiting, fold_prepayments
from ledger.events import prepayment as facts

BATCH = {"area": "330604", "fund": "390", "period": "2024-01", "no": 1, "by": "reviewer1"}
GATE = facts.GateFigures(
    period="2023-12",
    accumulated_fen=100,
    expense_fen=10,
    payable_months="10.00",
    needed_months="6.00",
    last_year_surplus_fen=1,
    forecast_surplus_fen=1,
)
PROPOSED = facts.PrepaymentProposed(
    **BATCH | {"by": "clerk1"},
    date="2024-01-05",
    lines=(
        facts.PrepaidLine(institution="H33060400001", fen=8_333),
        facts.PrepaidLine(institution="H33060400002", fen=4_167),
    ),
    total_fen=12_500,
    gate=GATE,
    policy=None,
)
ORDERED = facts.PrepaymentOrdered(**BATCH, total_fen=12_500, gate=GATE)
#: As books have it that were written when an approval posted the whole batch.
APPROVED = facts.PrepaymentApproved(**BATCH, total_fen=12_500, gate=GATE)
SAID = {"institution": "H33060400001", "fen": 8_333, "date": "2024-01-08"}
PAID = facts.PrepaymentPaid(**BATCH, **SAID, line=1, doc_no="D1")
FAILED = facts.PrepaymentFailed(**BATCH, **SAID, line=2, reason="户名不符")
CAME_BACK = facts.PrepaymentReturned(**BATCH, **SAID, line=1, doc_no="D2", reason="账户注销")


@pytest.mark.parametrize(
    ("stored", "state", "orders"),
    [
        ([], "waiting", []),
        ([ORDERED], "approved", ["ordered", "ordered"]),
        ([ORDERED, PAID], "approved", ["paid", "ordered"]),
        ([ORDERED, PAID, FAILED], "approved", ["paid", "failed"]),
        ([ORDERED, PAID, CAME_BACK], "approved", ["returned", "ordered"]),
        ([APPROVED], "approved", ["paid", "paid"]),
        ([APPROVED, CAME_BACK], "approved", ["returned", "paid"]),
    ],
)
def test_where_each_order_stands(stored, state, orders):
    found = fold_prepayments("330604", "390", "2024-01", [PROPOSED, *stored]).find(1)
    assert found.state == state
    assert [found.states[line][-1].state for line in sorted(found.states)] == orders


def test_a_batch_that_waits_has_no_orders():
    found = fold_prepayments("330604", "390", "2024-01", [PROPOSED]).find(1)
    with pytest.raises(PrepaymentNotWaiting):
        found.order(1)
