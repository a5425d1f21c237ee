"""What one append to the log carries beside its events (design §3.2).

Everything here is written, and every condition checked, in the transaction of the events and after
the lock: nothing can slip into a month that was frozen a moment earlier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.domain.period import Period
from ledger.errors import Conflict, RuleRefused


class BookKey(NamedTuple):
    """The book (账套) of one fund of one pooling area; ``fund`` is the parent fund (310, not 310.pooled)."""

    area: str
    fund: str


class TotalKey(NamedTuple):
    """One running total: leaf fund × account × booking month (``Period.ordinal``)."""

    area: str
    fund: str
    account: str
    month: int


class Total(NamedTuple):
    """Sums in fen, and how many lines were added up."""

    debit_fen: int
    credit_fen: int
    lines: int


class OutboxMessage(NamedTuple):
    """Work to be done after the commit: an actor and the key it is called with (never content)."""

    actor: str
    key: str


@dataclass(frozen=True, slots=True)
class OpenBook:
    """Open a fund's book (建账), from the month it names or from the beginning (None)."""

    book: BookKey
    first: Period | None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Freeze a month (锁账): booking into it and everything before ends."""

    book: BookKey
    month: Period


@dataclass(frozen=True, slots=True)
class Thaw:
    """Withdraw the freeze of a month that was not sealed (撤销锁账)."""

    book: BookKey
    month: Period


@dataclass(frozen=True, slots=True)
class SealMonth:
    """Seal a frozen month (封账)."""

    book: BookKey
    month: Period


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open the latest sealed month again (反结账)."""

    book: BookKey
    month: Period


Transition = OpenBook | Freeze | Thaw | SealMonth | Reopen


@dataclass(frozen=True, slots=True)
class IntakeLease:
    """The right to post for one (area, kind): a fencing token that an overtaken worker lacks."""

    area: str
    kind: str
    intake: str
    token: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One append: its idempotency key, the hash of its input, its effects on guards and totals.

    ``history`` is, per book, the first month that the facts of this commit give the book a history
    for. ``staged_for`` keeps the totals of a running claims intake apart until ``releases`` adds
    them to the live ones (figures count only completed intakes, design §5). ``opens_intake`` and
    ``closes_intake`` mark an intake as unfinished for the months it touches.
    """

    key: str
    input_hash: str
    booked: frozenset[tuple[BookKey, Period]] = frozenset()
    totals: Mapping[TotalKey, Total] = field(default_factory=dict)
    history: Mapping[BookKey, Period] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()
    outbox: tuple[OutboxMessage, ...] = ()
    lease: IntakeLease | None = None
    opens_intake: tuple[BookKey, ...] = ()
    staged_for: str | None = None
    releases: str | None = None
    closes_intake: str | None = None

    def __post_init__(self) -> None:
        if self.opens_intake and self.lease is None and self.staged_for is None:
            raise ValueError("a commit that opens an intake names it by its lease or staged_for")

    @property
    def intake(self) -> str | None:
        """Name the intake that this commit belongs to (导入批次)."""
        return self.lease.intake if self.lease is not None else self.staged_for


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an append lies in the log. ``repeated``: it had been recorded before, nothing was added."""

    seal: int
    first_position: int
    last_position: int
    repeated: bool = False


class KeyConflict(Conflict):
    """The same idempotency key came with other content."""

    code = "key_conflict"
    zh = "同一业务键 {key} 已用于不同内容的提交。"
    en = "The key {key} was already used for other content."
    hint_zh = "请核对是否改动过内容;如确需更正,请先冲销原记录。"
    hint_en = "Check what was changed; to correct a recorded fact, reverse it first."


class StreamConflict(Conflict):
    """Somebody else appended to one of the streams first."""

    code = "stream_conflict"
    zh = "有 {count} 条记录已被他人先行登记,例如 {example}。"
    en = "{count} of the facts were recorded by someone else first, for example {example}."
    hint_zh = "请重新执行;系统会重新核对哪些已登记。"
    hint_en = "Run it again; what is already recorded is then recognised."


class MonthNotOpen(RuleRefused):
    """The month of booking is frozen or sealed (账期已锁定或封账)."""

    code = "month_not_open"
    zh = "险种 {fund} 的 {period} 已锁账或封账,最早可记账月份为 {open_from}。"
    en = "{period} of fund {fund} is frozen or sealed; booking is open from {open_from}."
    hint_zh = "请改记入开放月份后重试。"
    hint_en = "Book into an open month and try again."


class BookNotOpened(RuleRefused):
    """The fund has no book here (未建账)."""

    code = "book_not_opened"
    zh = "统筹区 {area} 未为险种 {fund} 建账。"
    en = "Area {area} has no book for fund {fund}."
    hint_zh = "请在 setup 文件的 funds 中加入该险种后重新执行 setup。"
    hint_en = "Add the fund to the setup file and run setup again."


class TransitionRefused(RuleRefused):
    """The month is not in the state that the step starts from."""

    code = "transition_refused"
    zh = "险种 {fund} 的 {period} 不能执行“{step}”:当前状态与所需状态不符。"
    en = "{step} of {period} in fund {fund} does not fit the month's present state."
    hint_zh = "请用 close list 查看账期状态。"
    hint_en = "See the state of the months with close list."


class IntakeUnfinished(RuleRefused):
    """A claims intake for the month has not finished (导入未完成)."""

    code = "intake_unfinished"
    zh = "险种 {fund} 有未完成的导入 {intake},不能锁账。"
    en = "The intake {intake} for fund {fund} has not finished; the month cannot be frozen."
    hint_zh = "请重新执行该文件的导入使其完成。"
    hint_en = "Bring the same file in again so that it finishes."


class LeaseLost(Conflict):
    """Another worker has taken the intake over (租约已失效)."""

    code = "lease_lost"
    zh = "导入 {intake} 已由另一进程接管。"
    en = "The intake {intake} was taken over by another process."
    hint_zh = "无需处理;接管的进程会完成导入。"
    hint_en = "Nothing to do: the process that took over will finish it."
