"""Payments to persons (手工报销、零星报销): asked for by file, approved, released to the bank, answered.

No fact names a person: a token and a reference number stand for whom it is, and name and account lie
in the kept file only, which can be erased. A batch is one file; every payment has a stream of its own
by its reference, so that none is paid twice.
"""

from ledger.events.base import Fact, Posted, Source


def payment_name(fund: str, ref: str) -> str:
    """Name a payment: one reference may be owed by several funds."""
    return f"{fund}/{ref}"


class PersonPayoutFact(Fact, frozen=True, kw_only=True):
    """A step of a batch of payments to persons (个人拨付单)."""

    area: str
    batch: str  # the intake that brought it
    by: str


class PersonPayoutPrepared(PersonPayoutFact, frozen=True, kw_only=True):
    """个人拨付单制单: payments wait for a second person."""

    TOPIC = "person_payout.prepared.v1"

    payments: tuple[str, ...]  # leaf fund/受理号, in the order of their numbers
    total_fen: int


class PersonPayoutApproved(PersonPayoutFact, frozen=True, kw_only=True):
    """个人拨付单批准: the bank's file may be released."""

    TOPIC = "person_payout.approved.v1"

    total_fen: int


class PersonPayoutRejected(PersonPayoutFact, frozen=True, kw_only=True):
    """个人拨付单退回: its references may come again."""

    TOPIC = "person_payout.rejected.v1"

    reason: str


class PersonPayoutReleased(PersonPayoutFact, frozen=True, kw_only=True):
    """代发文件释放: made for the bank, handed out, and not kept."""

    TOPIC = "person_payout.released.v1"

    count: int
    total_fen: int
    content: str  # keyed hash of the file


class PersonPaymentRequested(Fact, frozen=True, kw_only=True):
    """个人待遇付款申请: one payment by its reference."""

    TOPIC = "person_payment.requested.v1"

    area: str
    ref: str  # 受理号
    batch: str
    number: int  # within the batch
    by: str
    fund: str  # leaf
    kind: str  # of benefit
    fen: int
    person: str  # keyed token of psn_no
    person_key: int
    belongs_to: str | None = None  # month of the manual claim that it pays, where it pays one
    source: Source

    @property
    def payment(self) -> str:
        """Name the payment within its area."""
        return payment_name(self.fund, self.ref)


class PersonPaymentPosted(Posted, frozen=True, kw_only=True):
    """What the bank's result of a payment to a person posts."""

    fund: str
    date: str
    belongs_to: str | None = None
    summary: str
    ref: str
    batch: str
    number: int
    amount_fen: int
    bank_ref: str | None = None
    source: Source = Source()


class PersonPaymentPaid(PersonPaymentPosted, frozen=True, kw_only=True):
    """个人待遇付讫: benefit expense."""

    TOPIC = "person_payment.paid.v1"


class PersonPaymentReturned(PersonPaymentPosted, frozen=True, kw_only=True):
    """个人待遇退汇: it came back and may be asked for again; no recovery."""

    TOPIC = "person_payment.returned.v1"

    reason: str


class PersonPaymentFailed(Fact, frozen=True, kw_only=True):
    """个人待遇付款失败: no money moved; it may be asked for again."""

    TOPIC = "person_payment.failed.v1"

    area: str
    ref: str
    batch: str
    number: int
    by: str
    date: str
    reason: str
    bank_ref: str | None = None
    source: Source = Source()
