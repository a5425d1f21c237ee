"""Folding a page of the log into what the read models add up; pure, no database.

Only the fields that a read model needs are decoded. Claims come by the hundred thousand, so their
postings are summed by pairs of accounts here and spelled out as debit and credit sides once a page.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.claim_roles import REMOTE_ACCOUNTS
from ledger.domain.entry import Book
from ledger.errors import BooksDamaged
from ledger.events.base import Fact
from ledger.events.cases import AssessmentRecorded, CaseFact, CaseGrouped, CasesPutUp
from ledger.events.cash import (
    CashFact,
    DocumentReversed,
    OpeningAdjusted,
    OpeningRecorded,
)
from ledger.events.claim import ClaimFact, ClaimRefunded, ClaimReversed
from ledger.events.clearing import ApplicationFact, ClearingFact, OffsetFact
from ledger.events.clearing_year import YearClearingFact
from ledger.events.institution import InstitutionFact
from ledger.events.intake import IntakeCompleted, IntakeFact, IntakeStarted
from ledger.events.month import MonthFact, YearTransferred
from ledger.events.one_stop import OneStopFact
from ledger.events.payout import PayoutFact
from ledger.events.persons import (
    PersonPaymentFailed,
    PersonPaymentPosted,
    PersonPaymentRequested,
    PersonPayoutFact,
)
from ledger.events.plan import PlanCommitted, PlanDrawn, PlanFact
from ledger.events.policy import PolicyFact
from ledger.events.prepayment import PrepaymentFact
from ledger.events.proposal import ProposalFact
from ledger.events.reconciliation import ReconciliationFact, ReconciliationRecorded
from ledger.events.registry import CATALOGUE, UPCASTERS, fact_class
from ledger.events.settlement import RefusalFact, SettlementFact
from ledger.events.setup import AreaFact
from ledger.store.reading import StoredFact
from projections.page import (
    ADJUSTMENT,
    CLOSING,
    FLOW,
    OPENING,
    OWED,
    Bucket,
    Document,
    Page,
    Release,
    Remembered,
    SlimClaim,
    SlimDocument,
    SlimPosting,
    Span,
    add_sums,
)

CLAIMS = "claims"
NO_KIND = "-"  # 清算类别 of what is not told apart by it: payments, refusals
_FLOW_CLASSES = (AccountClass.INCOME, AccountClass.EXPENSE)


class ProjectionStopped(BooksDamaged):
    """An event cannot be read or added up; nothing after it is projected (投影停止)."""

    code = "projection_stopped"
    zh = "投影在日志位置 {position}({topic})停止:{reason}。"
    en = "The projections stop at log position {position} ({topic}): {reason}."
    hint_zh = "请运行 verify 检查日志;问题排除前不出具任何数字。"
    hint_en = "Run verify on the log; no figure is given until this is resolved."


Run = Iterable[StoredFact]
Handler = Callable[["Fold", str, Run], None]


class Fold:
    """Adds events up, in log order, commit by commit."""

    def __init__(self, *, after: int, remembered: Remembered) -> None:
        self.page = Page(after, after)
        self.known_from = after
        self._at = after
        self._running = dict(remembered.running)
        self._openings = dict(remembered.openings)

    def commit(self, rows: Sequence[StoredFact], *, last: int) -> None:
        """Add events of one commit, which are known from its last position on.

        Events of one topic that follow each other are read by one loop. An event that cannot be
        read stops the projection with its position.
        """
        self.known_from = last
        for topic, run in groupby(rows, itemgetter(1)):
            try:
                _HANDLERS.get(topic, Fold.other)(self, topic, run)
            except (msgspec.MsgspecError, KeyError, ValueError, TypeError, BooksDamaged) as error:
                raise ProjectionStopped(
                    position=self._at, topic=topic, reason=_reason(error)
                ) from error
        self.page.last = last

    def claims(self, topic: str, run: Run) -> None:
        """Add settlements: they move the obligations book, and wait while their intake runs.

        Claims come by the hundred thousand: this loop is most of what projecting costs.
        """
        settlements = -1 if topic == ClaimReversed.TOPIC else 1
        where, bucket, rows = None, Bucket(), [0, 0]
        for self._at, _, state in run:
            fact = _decode_claim(state)
            area, intake, day = fact.area, fact.source.intake, fact.booked_on
            if where != (area, intake):
                where, bucket = (area, intake), self._bucket(area, intake)
                rows = self._rows_of(topic, area, intake)
            rows[1] = self._at
            pairs, claims = bucket.pairs, bucket.claims
            counted: list[str] = []
            for posting in fact.postings:
                fund, debit, credit = posting.fund, posting.debit, posting.credit
                pair = (area, fund, debit, credit, day, FLOW)
                sums = pairs.get(pair)
                if sums is None:
                    check_posting(topic, debit, credit, day)
                    sums = pairs[pair] = [0, 0]
                sums[0] += posting.fen
                sums[1] += 1
                key = (
                    fund,
                    debit,
                    credit,
                    posting.party,
                    area,
                    day[:7],
                    fact.institution,
                    fact.belongs_to,
                    fact.clr_type,
                )
                sums = claims.get(key)
                if sums is None:
                    sums = claims[key] = [0, 0, 0]
                sums[0] += posting.fen
                if fund not in counted and OWED in (debit, credit):
                    counted.append(fund)
                    refund = topic == ClaimRefunded.TOPIC or fact.refund
                    sums[2 if refund else 1] += settlements

    def documents(self, topic: str, run: Run) -> None:
        """Add facts of the cash book, and steps of settling what institutions are owed."""
        for self._at, _, state in run:
            fact = _decode_document(state)
            nature = self._nature(topic, fact)
            area, intake = fact.area, fact.source.intake
            bucket = self._bucket(area, intake)
            self._rows_of(topic, area, intake)[1] = self._at
            month = fact.booked_on[:7]
            care_month = fact.belongs_to or month
            cash = []
            for posting in fact.postings:
                _sum(bucket, topic, fact, nature, posting)
                if CHART[posting.debit].book is Book.CASH:
                    cash.append(posting)
                _settle(bucket, area, care_month, posting)
                if nature == FLOW:
                    _by_care(bucket, area, month, care_month, posting)
            if cash:
                self.page.documents.append(Document(self._at, topic, fact, tuple(cash)))

    def months(self, topic: str, run: Run) -> None:
        """Note steps of accounting months."""
        for self._at, _, state in run:
            self.page.months.append((self._at, _decode(MonthFact, topic, state)))

    def intakes(self, topic: str, run: Run) -> None:
        """Note steps of intakes; a claims intake's rows count from its completion on."""
        for self._at, _, state in run:
            fact = _decode(IntakeFact, topic, state)
            self.page.intakes.append((self._at, fact))
            key = (fact.area, fact.intake)
            if isinstance(fact, IntakeStarted) and fact.kind == CLAIMS:
                self._running[key] = self._at
                self.page.spans.append(Span(*key, self._at, None))
            elif isinstance(fact, IntakeCompleted) and key in self._running:
                started = self._running.pop(key)
                self.page.spans.append(Span(*key, started, self._at))
                self.page.releases.append(Release(*key, self.known_from))
                waiting = self.page.staged.pop(key, None)
                if waiting is not None:
                    self._counted().absorb(waiting)

    def setup(self, topic: str, run: Run) -> None:
        """Note facts of an area's setup."""
        for self._at, _, state in run:
            self.page.setup.append((self._at, _decode(AreaFact, topic, state)))

    def clearing(self, topic: str, run: Run) -> None:
        """Note steps of clearing runs, cases grouped afterwards, and recorded reconciliations."""
        for self._at, _, state in run:
            self.page.clearing.append((self._at, _decode(Fact, topic, state)))

    def noted(self, topic: str, run: Run) -> None:
        """Read facts that no read model adds up: whoever asks folds their own stream."""
        for self._at, _, state in run:
            _decode(Fact, topic, state)

    def other(self, topic: str, run: Run) -> None:
        """Read facts of a retired topic as the one that follows it; an unknown one is damage."""
        for self._at, _, state in run:
            if topic not in UPCASTERS:
                fact_class(topic)
                raise KeyError(f"no read model says what it does with {topic}")
            newer_topic, newer = UPCASTERS[topic]
            newer_state = msgspec.json.encode(newer(msgspec.json.decode(state)))
            handler = _HANDLERS.get(newer_topic, Fold.other)
            handler(self, newer_topic, [(self._at, newer_topic, newer_state)])

    def _counted(self) -> Bucket:
        found = self.page.counted.get(self.known_from)
        if found is None:
            found = self.page.counted[self.known_from] = Bucket()
        return found

    def _bucket(self, area: str, intake: str | None) -> Bucket:
        """Find where a fact of an intake is added: to what counts, or to what waits."""
        key = (area, intake)
        if intake is None or key not in self._running:
            return self._counted()
        waiting = self.page.staged.get((area, intake))
        if waiting is None:
            waiting = self.page.staged[area, intake] = Bucket()
        return waiting

    def _rows_of(self, topic: str, area: str, intake: str | None) -> list[int]:
        """Find where first and last row of an intake are noted; a reversal is none of its rows."""
        if intake is None or topic in _REVERSALS:
            return [self._at, self._at]
        return self.page.rows_of.setdefault((area, intake), [self._at, self._at])

    def _nature(self, topic: str, fact: SlimDocument) -> str:
        if topic == YearTransferred.TOPIC:
            return CLOSING
        nature = _OPENING_TOPICS.get(topic)
        if nature is None and fact.original_position is not None:
            nature = self._openings.get(fact.original_position)
        if nature is None:
            return FLOW
        self._openings[self._at] = nature
        self.page.openings.append((self._at, nature))
        return nature


def _sum(bucket: Bucket, topic: str, fact: SlimDocument, nature: str, posting: SlimPosting) -> None:
    """Add a posting to the sums by pair of accounts, and by name."""
    area, day, fund = fact.area, fact.booked_on, posting.fund
    debit, credit, fen = posting.debit, posting.credit, posting.fen
    pair = (area, fund, debit, credit, day, nature)
    if pair not in bucket.pairs:
        check_posting(topic, debit, credit, day)
    add_sums(bucket.pairs, pair, [fen, 1])
    if posting.party is not None:
        name = (area, fund, debit, credit, posting.party, day[:7])
        bucket.parties[name] = bucket.parties.get(name, 0) + fen


def _settle(bucket: Bucket, area: str, month: str, posting: SlimPosting) -> None:
    """Add what a document or a step of settling does to what an institution is owed."""
    if posting.party is None or CHART[posting.debit].book is not Book.OBLIGATIONS:
        return
    if posting.debit in REMOTE_ACCOUNTS or posting.credit in REMOTE_ACCOUNTS:
        return  # owed by place or passed on: kept by name, no stage of an institution's month
    key = (area, posting.party, posting.fund, month, NO_KIND)
    bucket.settle(key, posting.credit, posting.fen)
    bucket.settle(key, posting.debit, -posting.fen)


def _by_care(bucket: Bucket, area: str, month: str, care: str, posting: SlimPosting) -> None:
    for account, debit, credit in (
        (posting.debit, posting.fen, 0),
        (posting.credit, 0, posting.fen),
    ):
        if CHART[account].kind in _FLOW_CLASSES:
            key = (area, posting.fund, account, month, care)
            add_sums(bucket.care, key, [debit, credit])


def check_posting(topic: str, debit: str, credit: str, booked_on: str) -> None:
    """Refuse what would make two books one: each posting lies in one, and claims move no cash."""
    books = {CHART[debit].book, CHART[credit].book}
    if len(books) != 1:
        raise ValueError(f"a posting between two books: {debit}, {credit}")
    if topic in _CLAIM_TOPICS and Book.CASH in books:
        raise ValueError(f"a settlement that moves cash: {debit}, {credit}")
    if len(booked_on) != len("2023-01-31"):
        raise ValueError(f"not a booking date: {booked_on}")


def _reason(error: Exception) -> str:
    return (
        error.message("en")
        if isinstance(error, BooksDamaged)
        else f"{error!s} [{type(error).__name__}]"
    )


def _decode(kind: type[Any], topic: str, state: bytes) -> Any:
    """Read a rare fact whole."""
    found = _WHOLE[topic].decode(state)
    if not isinstance(found, kind):
        raise TypeError(f"{topic} is not a {kind.__name__}")
    return found


_REVERSALS = frozenset({ClaimReversed.TOPIC, DocumentReversed.TOPIC})
_decode_claim = msgspec.json.Decoder(SlimClaim).decode
_decode_document = msgspec.json.Decoder(SlimDocument).decode
_WHOLE = {topic: msgspec.json.Decoder(kind) for topic, kind in CATALOGUE.items()}
_OPENING_TOPICS = {OpeningRecorded.TOPIC: OPENING, OpeningAdjusted.TOPIC: ADJUSTMENT}
_BY_BASE: tuple[tuple[type[Fact], Handler], ...] = (
    (ClaimFact, Fold.claims),
    (ClaimReversed, Fold.claims),
    (CashFact, Fold.documents),
    (DocumentReversed, Fold.documents),
    (YearTransferred, Fold.documents),
    (MonthFact, Fold.months),
    (IntakeFact, Fold.intakes),
    (AreaFact, Fold.setup),
    (PolicyFact, Fold.noted),
    (PayoutFact, Fold.noted),
    (PersonPayoutFact, Fold.noted),
    (PersonPaymentRequested, Fold.noted),
    (PersonPaymentFailed, Fold.noted),
    (PersonPaymentPosted, Fold.documents),
    (PlanFact, Fold.noted),
    (PlanCommitted, Fold.noted),
    (PrepaymentFact, Fold.noted),
    (PlanDrawn, Fold.documents),
    (InstitutionFact, Fold.noted),
    (ReconciliationFact, Fold.noted),
    (ReconciliationRecorded, Fold.clearing),
    (CaseFact, Fold.noted),
    (CaseGrouped, Fold.clearing),
    (OneStopFact, Fold.noted),
    (AssessmentRecorded, Fold.noted),
    (CasesPutUp, Fold.noted),
    (RefusalFact, Fold.noted),
    (ProposalFact, Fold.noted),
    (ApplicationFact, Fold.noted),
    (ClearingFact, Fold.clearing),
    (YearClearingFact, Fold.noted),
    (OffsetFact, Fold.noted),
    (SettlementFact, Fold.documents),
)
_HANDLERS: dict[str, Handler] = {
    topic: handler
    for topic, kind in CATALOGUE.items()
    for base, handler in _BY_BASE
    if issubclass(kind, base)
}
_CLAIM_TOPICS = frozenset(topic for topic, handler in _HANDLERS.items() if handler is Fold.claims)
