"""Replay (重放): fold the whole log from the beginning in plain Python, one event after another.

It shares no code with the projections and asks the database for nothing but events, so that an
auditor can hold one against the other. Replay folds stored postings; it decides nothing again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.claim_roles import REMOTE_ACCOUNTS
from ledger.domain.entry import Book, Posting, Side, sides
from ledger.domain.fund import parent
from ledger.domain.period import Period
from ledger.errors import BooksDamaged, InputRejected
from ledger.events.base import Fact, Posted
from ledger.events.cases import CaseGrouped
from ledger.events.claim import ClaimFact, ClaimReversed
from ledger.events.clearing import ClearingApproved, ClearingComputed
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.month import YearTransferred
from ledger.events.reconciliation import ReconciliationRecorded
from ledger.store.codec import StoredRow, decode_fact
from ledger.store.commit import Total, TotalKey

_PAGE = 5_000
_OWED, _PAID = "owed.booked", "claims.paid"
_INCURRED = "claims.incurred"
_FLOWS = frozenset({AccountClass.INCOME, AccountClass.EXPENSE})


class Log(Protocol):
    """What replay asks of the log."""

    def last_position(self) -> int: ...

    def read_page(self, *, after: int, limit: int, until: int | None = None) -> list[StoredRow]: ...


class Ledger(Protocol):
    """The books, as far as replay needs them."""

    @property
    def log(self) -> Log: ...


class ReplayBeyondLog(InputRejected):
    """A position that the log has not reached (位置超出日志)."""

    code = "replay_beyond_log"
    zh = "日志只到位置 {last},没有位置 {position}。"
    en = "The log ends at position {last}; there is no position {position}."
    hint_zh = "请核对位置。"
    hint_en = "Check the position."


class LogBroken(BooksDamaged):
    """A position is missing from the log (日志缺号)."""

    code = "log_broken"
    zh = "日志缺少位置 {position}。"
    en = "Position {position} is missing from the log."
    hint_zh = "请运行 verify 查明受损范围。"
    hint_en = "Run verify to see what is damaged."


class AccountKey(NamedTuple):
    """An account of a leaf fund's book."""

    area: str
    fund: str
    account: str


class PartyAccount(NamedTuple):
    """An account kept by name (按对方单位明细核算)."""

    area: str
    fund: str
    account: str
    party: str


class CareAccount(NamedTuple):
    """An income or expense account by month of care (费款所属期)."""

    area: str
    fund: str
    account: str
    belongs_to: str


class FundYear(NamedTuple):
    """A leaf fund's calendar year."""

    area: str
    fund: str
    year: int


class Owed(NamedTuple):
    """What an institution was credited and paid in one fund, month and 清算类别."""

    area: str
    institution: str
    fund: str
    month: str
    clr_type: str


class Stage(NamedTuple):
    """What an account of the obligations book says of an institution's fund and month."""

    area: str
    institution: str
    fund: str
    month: str
    account: str


class Cleared(NamedTuple):
    """One institution in an approved clearing run."""

    area: str
    fund: str
    period: str
    run: str
    institution: str


@dataclass(slots=True)
class Sums:
    """Debits and credits in fen, and how many lines they come from."""

    debit_fen: int = 0
    credit_fen: int = 0
    lines: int = 0

    def add(self, debit_fen: int, credit_fen: int) -> None:
        """Add one line."""
        self.debit_fen += debit_fen
        self.credit_fen += credit_fen
        self.lines += 1


@dataclass(slots=True)
class YearResult:
    """A year's income and expense (合计), year-end transfers left out."""

    income_fen: int = 0
    expense_fen: int = 0


@dataclass(slots=True)
class Replayed:
    """What the log says up to a position, and, where asked, up to a booking month."""

    position: int
    until_period: Period | None = None
    events: int = 0
    by_month: dict[TotalKey, Sums] = field(default_factory=dict)
    by_party: dict[PartyAccount, Sums] = field(default_factory=dict)
    journal: dict[AccountKey, Sums] = field(default_factory=dict)
    years: dict[FundYear, YearResult] = field(default_factory=dict)
    by_care: dict[CareAccount, Sums] = field(default_factory=dict)
    owed: dict[Owed, Sums] = field(default_factory=dict)
    stages: dict[Stage, int] = field(default_factory=dict)  # credits less debits
    vouchers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    cleared: dict[Cleared, tuple[int, ...]] = field(default_factory=dict)
    regrouped: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    #: By area, month, institution and leaf fund: groups compared, groups even.
    reconciled: dict[tuple[str, str, str, str], tuple[int, int]] = field(default_factory=dict)

    @property
    def balances(self) -> dict[AccountKey, Sums]:
        """Debits and credits per leaf fund and account."""
        found: dict[AccountKey, Sums] = {}
        for key, month in self.by_month.items():
            sums = found.setdefault(AccountKey(key.area, key.fund, key.account), Sums())
            sums.debit_fen += month.debit_fen
            sums.credit_fen += month.credit_fen
            sums.lines += month.lines
        return dict(sorted(found.items()))

    def totals(self) -> dict[TotalKey, Total]:
        """Give the sums by month in the form of the guard's running totals."""
        return {
            key: Total(sums.debit_fen, sums.credit_fen, sums.lines)
            for key, sums in sorted(self.by_month.items())
        }


def replay(
    ledger: Ledger, *, until_position: int | None = None, until_period: Period | None = None
) -> Replayed:
    """Fold the log up to a position (inclusive), counting what is booked up to a month (inclusive)."""
    last = ledger.log.last_position()
    if until_position is not None and not 0 <= until_position <= last:
        raise ReplayBeyondLog(position=until_position, last=last)
    until = last if until_position is None else until_position
    fold = _Fold(Replayed(position=until, until_period=until_period))
    for row in _events(ledger.log, until):
        fold.add(decode_fact(row.topic, row.state, position=row.position))
    return fold.result


def _events(log: Log, until: int) -> Iterator[StoredRow]:
    position = 0
    while position < until:
        page = log.read_page(after=position, limit=_PAGE, until=until)
        for row in page:
            position += 1
            if row.position != position:
                raise LogBroken(position=position)
            yield row
        if not page:
            raise LogBroken(position=position + 1)


class _Fold:
    """Counts each fact when it counts: a settlement only once its claims intake is complete."""

    def __init__(self, result: Replayed) -> None:
        self.result = result
        self._waiting: dict[tuple[str, str], Replayed] = {}
        self._computed: dict[tuple[str, str], ClearingComputed] = {}

    def add(self, fact: Fact) -> None:
        self.result.events += 1
        if isinstance(fact, IntakeStarted) and fact.kind == "claims":
            self._waiting[fact.area, fact.intake] = Replayed(self.result.position)
        elif isinstance(fact, IntakeCompleted):
            waiting = self._waiting.pop((fact.area, fact.intake), None)
            if waiting is not None:
                _absorb(self.result, waiting)
        elif isinstance(fact, ClearingComputed):
            self._computed[fact.area, fact.run] = fact
        elif isinstance(fact, ClearingApproved):
            self._clear(self._computed[fact.area, fact.run])
        elif isinstance(fact, CaseGrouped):
            self.result.regrouped[fact.area, fact.setl_id] = (1,)
        elif isinstance(fact, ReconciliationRecorded):
            self._reconcile(fact)
        elif isinstance(fact, Posted):
            source = getattr(fact, "source", None)
            intake = (fact.area, source.intake if source else "")
            self._count(fact, self._waiting.get(intake, self.result))

    def _clear(self, run: ClearingComputed) -> None:
        """Count what an approved run says of each institution."""
        for one in run.lines:
            key = Cleared(run.area, run.fund, run.period, run.run, one.institution)
            due = one.due_fen or 0, one.due_booked_fen or 0
            self.result.cleared[key] = (one.settled_fen, one.payable_fen, *due, one.points4)

    def _reconcile(self, fact: ReconciliationRecorded) -> None:
        """Count groups and even groups of a month anew: the latest recording says the month."""
        kept = self.result.reconciled
        for key in [key for key in kept if key[:2] == (fact.area, fact.period)]:
            del kept[key]
        for one in fact.funds:
            if one.fund and one.institution not in fact.unreconciled:
                key = (fact.area, fact.period, one.institution, one.fund)
                compared, even = kept.get(key, (0, 0))
                kept[key] = (compared + 1, even + (one.result == "0"))

    def _count(self, fact: Posted, into: Replayed) -> None:
        limit = self.result.until_period
        month = Period.parse(fact.booked_on[:7])
        if limit is not None and month > limit:
            return
        for side in sides(fact.postings):
            key = TotalKey(fact.area, side.fund, side.account, month.ordinal)
            amounts = side.debit_fen, side.credit_fen
            into.by_month.setdefault(key, Sums()).add(*amounts)
            if side.party is not None:
                name = PartyAccount(fact.area, side.fund, side.account, side.party)
                into.by_party.setdefault(name, Sums()).add(*amounts)
            if CHART[side.account].book is Book.CASH:
                account = AccountKey(fact.area, side.fund, side.account)
                into.journal.setdefault(account, Sums()).add(*amounts)
            self._count_flow(fact, side, into)
        _count_vouchers(into, fact)
        _count_owed(into, fact)
        _count_stages(into, fact)

    @staticmethod
    def _count_flow(fact: Posted, side: Side, into: Replayed) -> None:
        """Count income and expense; a year-end transfer closes a year and is neither."""
        kind = CHART[side.account].kind
        if kind not in _FLOWS or isinstance(fact, YearTransferred):
            return
        year = FundYear(fact.area, side.fund, int(fact.booked_on[:4]))
        result = into.years.setdefault(year, YearResult())
        if kind is AccountClass.INCOME:
            result.income_fen += side.credit_fen - side.debit_fen
        else:
            result.expense_fen += side.debit_fen - side.credit_fen
        belongs_to = getattr(fact, "belongs_to", None) or fact.booked_on[:7]
        care = CareAccount(fact.area, side.fund, side.account, belongs_to)
        into.by_care.setdefault(care, Sums()).add(side.debit_fen, side.credit_fen)


def _count_vouchers(into: Replayed, fact: Posted) -> None:
    cash = (posting for posting in fact.postings if CHART[posting.debit].book is Book.CASH)
    for fund in {parent(posting.fund) for posting in cash}:
        series = (fact.area, fund, fact.booked_on[:7])
        into.vouchers[series] = into.vouchers.get(series, 0) + 1


def _count_owed(into: Replayed, fact: Posted) -> None:
    """Count what settlements raised, and what was paid: postings with claims.paid on one side."""
    claim = isinstance(fact, ClaimFact | ClaimReversed)
    for posting in fact.postings:
        accounts = (posting.debit, posting.credit)
        if CHART[posting.debit].book is Book.CASH or (claim and _OWED not in accounts):
            continue
        if _is_remote(posting):
            continue
        owed = _owed(fact, posting)
        if owed is None:
            continue
        sums = into.owed.setdefault(owed, Sums())
        if claim:
            sums.add(0, posting.fen if posting.credit == _OWED else -posting.fen)
        elif _PAID in accounts:
            sums.add(posting.fen if posting.credit == _PAID else -posting.fen, 0)


def _is_remote(posting: Posting) -> bool:
    """Tell what is owed by place, or passed on: no stage of an institution's month (异地就医)."""
    return posting.debit in REMOTE_ACCOUNTS or posting.credit in REMOTE_ACCOUNTS


def _count_stages(into: Replayed, fact: Posted) -> None:
    """Count every account of the obligations book by institution, but for what was incurred."""
    for side in sides(one for one in fact.postings if not _is_remote(one)):
        account = CHART[side.account]
        if account.book is not Book.OBLIGATIONS or side.account == _INCURRED:
            continue
        institution = getattr(fact, "institution", None) or side.party
        if institution is not None:
            month = getattr(fact, "belongs_to", None) or fact.booked_on[:7]
            key = Stage(fact.area, institution, side.fund, month, side.account)
            into.stages[key] = into.stages.get(key, 0) + side.credit_fen - side.debit_fen


def _absorb(into: Replayed, waited: Replayed) -> None:
    """Count what waited for the completion of its intake."""
    for mine, theirs in (
        (into.by_month, waited.by_month),
        (into.by_party, waited.by_party),
        (into.journal, waited.journal),
        (into.by_care, waited.by_care),
        (into.owed, waited.owed),
    ):
        _absorb_sums(mine, theirs)
    for key, result in waited.years.items():
        year = into.years.setdefault(key, YearResult())
        year.income_fen += result.income_fen
        year.expense_fen += result.expense_fen
    for stage, fen in waited.stages.items():
        into.stages[stage] = into.stages.get(stage, 0) + fen
    for series, count in waited.vouchers.items():
        into.vouchers[series] = into.vouchers.get(series, 0) + count


def _absorb_sums(mine: dict[Any, Sums], theirs: dict[Any, Sums]) -> None:
    for key, sums in theirs.items():
        own = mine.setdefault(key, Sums())
        own.debit_fen += sums.debit_fen
        own.credit_fen += sums.credit_fen
        own.lines += sums.lines


def _owed(fact: Posted, posting: Posting) -> Owed | None:
    """Say whose claim a posting on 应付定点机构 raises or pays down."""
    if isinstance(fact, ClaimFact | ClaimReversed):
        return Owed(fact.area, fact.institution, posting.fund, fact.belongs_to, fact.clr_type)
    if posting.party is None:
        return None
    month = getattr(fact, "belongs_to", None) or fact.booked_on[:7]
    return Owed(fact.area, posting.party, posting.fund, month, "-")
