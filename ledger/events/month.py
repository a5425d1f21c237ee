"""Facts of an accounting month (账期): requested, frozen, computed, approved, sealed, reopened.

The stream is (area, fund, period); a fund's months are frozen and sealed in order.
"""

from ledger.events.base import Fact, Posted


class MonthFact(Fact, frozen=True, kw_only=True):
    """What every fact of a month says."""

    area: str
    fund: str  # the parent fund: 310 closes with both sub-funds
    period: str
    run: str  # the close run, e.g. 330604-310-2023-10-1
    by: str


class MonthFrozen(MonthFact, frozen=True, kw_only=True):
    """锁账: requested and frozen in one commit; what lies before its own position counts."""

    TOPIC = "month.frozen.v1"


class CloseComputed(MonthFact, frozen=True, kw_only=True):
    """月结计算: the plan that a second person approves, by its hash."""

    TOPIC = "close.computed.v1"

    cutoff_position: int
    plan_hash: str
    plan: dict[str, object]


class CloseApproved(MonthFact, frozen=True, kw_only=True):
    """复核通过, by someone else than who prepared it."""

    TOPIC = "close.approved.v1"

    plan_hash: str


class CloseRejected(MonthFact, frozen=True, kw_only=True):
    """复核退回: the freeze is withdrawn, with its reason."""

    TOPIC = "close.rejected.v1"

    reason: str


class YearTransferred(Posted, frozen=True, kw_only=True):
    """年终结转: income and expense of the year to fund balance, by sub-fund."""

    TOPIC = "year.transferred.v1"

    fund: str
    period: str
    run: str
    summary: str


class MonthSealed(MonthFact, frozen=True, kw_only=True):
    """封账: names the position and digest that the month's report prints."""

    TOPIC = "month.sealed.v1"

    plan_hash: str
    sealed_position: int  # the last position that the seal speaks for
    sealed_digest: str  # the log's seal digest at that position


class ReopenRequested(MonthFact, frozen=True, kw_only=True):
    """申请反结账 of the latest sealed month."""

    TOPIC = "reopen.requested.v1"

    reason: str


class MonthReopened(MonthFact, frozen=True, kw_only=True):
    """反结账, decided by a second person."""

    TOPIC = "month.reopened.v1"

    requested_by: str


class ReopenRejected(MonthFact, frozen=True, kw_only=True):
    """反结账申请退回."""

    TOPIC = "reopen.rejected.v1"

    reason: str
