"""Facts of the four-way reconciliation (四方对账): results, matches, sign-off, and what became of breaks.

None of them posts anything: a correction of the books is a document of its own. A match lies on the
stream of each payment it uses, on either side, so that a payment can be used once and no more: the
store refuses a second first event of a stream.
"""

import msgspec

from ledger.events.reconciliation import ReconciliationFact


class OutstandingItem(msgspec.Struct, frozen=True, array_like=True):
    """One payment that only one side has (未达账项), stored as a list; fen, + is money in."""

    side: str  # ours, theirs
    item: str
    date: str
    fen: int
    text: str
    owner: str


class UnequalItem(msgspec.Struct, frozen=True, array_like=True):
    """One reference with two amounts (金额不符), stored as a list in fen."""

    ours: str
    theirs: str
    ours_fen: int
    theirs_fen: int


class ReconciledAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account's balance reconciliation (余额调节表) at the end of a month, in fen.

    Without balances in the statement (``tax``) both sides are sums of movements.
    """

    account: str
    money_account: str
    funds: tuple[str, ...]
    ours_fen: int
    theirs_fen: int | None  # None: nothing was stated for the month
    adjusted_ours_fen: int
    adjusted_theirs_fen: int | None
    matched: int
    items: tuple[OutstandingItem, ...]
    unequal: tuple[UnequalItem, ...]


class BalancesReconciled(ReconciliationFact, frozen=True, kw_only=True):
    """余额调节表登记: what comparing a month with one counterparty's statements gave."""

    TOPIC = "balances.reconciled.v1"

    counterparty: str  # bank, treasury, fiscal, tax
    as_of: int  # log position
    accounts: tuple[ReconciledAccount, ...]


class MatchFact(ReconciliationFact, frozen=True, kw_only=True):
    """A fact on the stream of one payment of one side."""

    counterparty: str
    money_account: str
    side: str  # ours, theirs
    item: str
    match: str  # the same for all payments of a match


class MatchRecorded(MatchFact, frozen=True, kw_only=True):
    """勾对: the payment is the same money as those of the match on the other side."""

    TOPIC = "match.recorded.v1"

    how: str
    partners: tuple[str, ...]
    fen: int


class MatchReleased(MatchFact, frozen=True, kw_only=True):
    """撤销勾对: the payment is open again."""

    TOPIC = "match.released.v1"

    reason: str


class ReconciliationSigned(ReconciliationFact, frozen=True, kw_only=True):
    """对账复核签字 by somebody else than who recorded it."""

    TOPIC = "reconciliation.signed.v1"

    counterparty: str
    recorded_at: int  # position of what was signed
    reason: str | None = None  # why it was signed with a difference


class BreakFact(ReconciliationFact, frozen=True, kw_only=True):
    """A step of what is done about a break (差异处理), on the break's own stream."""

    counterparty: str
    break_id: str  # number of the break, as approve and reject are given it


class BreakProposed(BreakFact, frozen=True, kw_only=True):
    """提出差异处理: where a correction follows, it waits for a second person."""

    TOPIC = "break.proposed.v1"

    subject: str  # what the break is, for a reader
    way: str  # ours 认我方, theirs 认对方, carry 挂账, corrected 已更正
    reason: str
    owner: str
    document: str | None = None  # the document that corrects it


class BreakResolved(BreakFact, frozen=True, kw_only=True):
    """差异处理生效."""

    TOPIC = "break.resolved.v1"

    way: str
    prepared_by: str


class BreakRejected(BreakFact, frozen=True, kw_only=True):
    """差异处理退回."""

    TOPIC = "break.rejected.v1"

    reason: str
