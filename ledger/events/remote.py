"""Facts of clearing between places (异地清分): what was allocated, and what a comparison found.

None of them posts anything: what is owed lies in the settlements, and what is paid in the cash book.
"""

import msgspec

from ledger.events.base import Source
from ledger.events.reconciliation import ReconciliationFact


class AllocatedSettlement(msgspec.Struct, frozen=True, array_like=True):
    """One settlement of an allocation (3260), stored as a list; amounts in fen; no person."""

    line: int
    setl_id: str  # setl_sn
    refund: bool
    mdtrtarea: str  # 就医地
    insuplc: str | None  # 参保地; None: ours
    institution: str
    medfee_fen: int
    paid_fen: int  # optins_pay_sumamt 经办机构支付总额


class RemoteAllocationReceived(ReconciliationFact, frozen=True, kw_only=True):
    """收到异地清分明细 (3260): settlements allocated in one month, new or changed."""

    TOPIC = "remote.allocation_received.v1"

    settlements: tuple[AllocatedSettlement, ...]
    source: Source  # the lines are the settlements' own


class OpenAllocation(msgspec.Struct, frozen=True, array_like=True):
    """One settlement that is not confirmed, stored as a list; the side that lacks it is None."""

    setl_id: str
    refund: bool
    role: str  # remote, passthrough
    state: str  # 差异 differs, 挂账 hanging, 未确认 unconfirmed
    ours_fen: int | None
    theirs_fen: int | None


class RemoteReconciled(ReconciliationFact, frozen=True, kw_only=True):
    """异地清分对账登记: what comparing an allocation with our settlements gave, as of a position."""

    TOPIC = "remote.reconciled.v1"

    as_of: int  # log position
    confirmed: int
    confirmed_fen: dict[str, int]  # by role
    open: tuple[OpenAllocation, ...]
