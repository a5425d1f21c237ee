"""Folding a page of the log into what the read models add up; pure, no database.

Only the fields that a read model needs are decoded. Claims come by the hundred thousand, so their
postings are summed by pairs of accounts here and spelled out as debit and credit sides once a page.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.entry import Book
from ledger.errors import BooksDamaged
from ledger.events.base import Fact
from ledger.events.cash import (
    CashFact,
    DocumentReversed,
    OpeningAdjusted,
    OpeningRecorded,
)
from ledger.events.claim import ClaimFact, ClaimRefunded, ClaimReversed
from ledger.events.intake import IntakeCompleted, IntakeFact, IntakeStarted
from ledger.events.month import MonthFact, YearTransferred
from ledger.events.registry import CATALOGUE, UPCASTERS, fact_class
from ledger.events.setup import AreaFact
from ledger.store.codec import StoredRow
from projections.page import (
    ADJUSTMENT,
    CLOSING,
    FLOW,
    OPENING,
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
OWED, PAID_DOWN = "owed.booked", "-"
_FLOW_CLASSES = (AccountClass.INCOME, AccountClass.EXPENSE)


class ProjectionStopped(BooksDamaged):
    """An event cannot be read or added up; nothing after it is projected (投影停止)."""

    code = "projection_stopped"
    zh = "投影在日志位置 {position}({topic})停止:{reason}。"
    en = "The projections stop at log position {position} ({topic}): {reason}."
    hint_zh = "请运行 verify 检查日志;问题排除前不出具任何数字。"
    hint_en = "Run verify on the log; no figure is given until this is resolved."


Handler = Callable[["Fold", StoredRow], None]


class Fold:
    """Adds events up, in log order. ``known_from`` is set per commit before its events."""

    def __init__(self, *, after: int, remembered: Remembered) -> None:
        self.page = Page(after, after)
        self.known_from = after
        self._running = dict(remembered.running)
        self._openings = dict(remembered.openings)

    def add(self, row: StoredRow) -> None:
        """Add one event; one that cannot be read stops the projection with its position."""
        try:
            _HANDLERS.get(row.topic, _other)(self, row)
        except (msgspec.MsgspecError, KeyError, ValueError, TypeError, BooksDamaged) as error:
            raise ProjectionStopped(
                position=row.position, topic=row.topic, reason=_reason(error)
            ) from error
        self.page.last = row.position

    def claim(self, row: StoredRow) -> None:
        """Add a settlement: it moves the obligations book, and waits while its intake runs."""
        fact = _decode_claim(row.state)
        bucket = self._bucket(row, fact.area, fact.source.intake)
        _sum(bucket, fact, FLOW, row.topic)
        pick = 3 if row.topic == ClaimRefunded.TOPIC or fact.refund else 2
        count = -1 if row.topic == ClaimReversed.TOPIC else 1
        obligations = bucket.obligations
        seen: tuple[str, ...] = ()
        for posting in fact.postings:
            if posting.credit == OWED:
                fen = posting.fen
            elif posting.debit == OWED:
                fen = -posting.fen
            else:
                continue
            fund = posting.fund
            key = (fact.area, fact.institution, fund, fact.belongs_to, fact.clr_type)
            sums = obligations.get(key)
            if sums is None:
                sums = obligations[key] = [0, 0, 0, 0]
            sums[0] += fen
            if fund not in seen:
                seen = (*seen, fund)
                sums[pick] += count

    def document(self, row: StoredRow) -> None:
        """Add a fact of the cash book, which may also pay obligations down."""
        fact = _decode_document(row.state)
        nature = self._nature(row, fact)
        bucket = self._bucket(row, fact.area, fact.source.intake)
        _sum(bucket, fact, nature, row.topic)
        month = fact.booked_on[:7]
        care_month = fact.belongs_to or month
        cash = []
        for posting in fact.postings:
            if CHART[posting.debit].book is Book.CASH:
                cash.append(posting)
            self._pay_down(bucket, fact.area, care_month, posting)
            if nature == FLOW:
                _by_care(bucket, fact.area, month, care_month, posting)
        if cash:
            self.page.documents.append(Document(row.position, row.topic, fact, tuple(cash)))

    def month(self, row: StoredRow) -> None:
        """Note a step of an accounting month."""
        self.page.months.append((row.position, _decode(MonthFact, row)))

    def intake(self, row: StoredRow) -> None:
        """Note a step of an intake; a claims intake's rows count from its completion on."""
        fact = _decode(IntakeFact, row)
        self.page.intakes.append((row.position, fact))
        key = (fact.area, fact.intake)
        if isinstance(fact, IntakeStarted) and fact.kind == CLAIMS:
            self._running[key] = row.position
            self.page.spans.append(Span(*key, row.position, None))
        elif isinstance(fact, IntakeCompleted) and key in self._running:
            started = self._running.pop(key)
            self.page.spans.append(Span(*key, started, row.position))
            self.page.releases.append(Release(*key, self.known_from))
            waiting = self.page.staged.pop(key, None)
            if waiting is not None:
                self._counted().absorb(waiting)

    def setup(self, row: StoredRow) -> None:
        """Note a fact of an area's setup."""
        self.page.setup.append((row.position, _decode(AreaFact, row)))

    def _counted(self) -> Bucket:
        found = self.page.counted.get(self.known_from)
        if found is None:
            found = self.page.counted[self.known_from] = Bucket()
        return found

    def _bucket(self, row: StoredRow, area: str, intake: str | None) -> Bucket:
        """Find where a fact of an intake is added: to what counts, or to what waits."""
        if intake is None:
            return self._counted()
        key = (area, intake)
        if row.topic not in _REVERSALS:
            span = self.page.rows_of.get(key)
            if span is None:
                self.page.rows_of[key] = [row.position, row.position]
            else:
                span[1] = row.position
        if key not in self._running:
            return self._counted()
        waiting = self.page.staged.get(key)
        if waiting is None:
            waiting = self.page.staged[key] = Bucket()
        return waiting

    def _nature(self, row: StoredRow, fact: SlimDocument) -> str:
        if row.topic == YearTransferred.TOPIC:
            return CLOSING
        nature = _OPENING_TOPICS.get(row.topic)
        if nature is None and fact.original_position is not None:
            nature = self._openings.get(fact.original_position)
        if nature is None:
            return FLOW
        self._openings[row.position] = nature
        self.page.openings.append((row.position, nature))
        return nature

    @staticmethod
    def _pay_down(bucket: Bucket, area: str, month: str, posting: SlimPosting) -> None:
        if posting.party is None or OWED not in (posting.debit, posting.credit):
            return
        fen = posting.fen if posting.debit == OWED else -posting.fen
        key = (area, posting.party, posting.fund, month, PAID_DOWN)
        add_sums(bucket.obligations, key, [0, fen, 0, 0])


def _sum(bucket: Bucket, fact: SlimClaim | SlimDocument, nature: str, topic: str) -> None:
    """Add the postings of a fact to the sums by pair of accounts, and by name."""
    area, booked_on = fact.area, fact.booked_on
    pairs, parties = bucket.pairs, bucket.parties
    for posting in fact.postings:
        fund, debit, credit = posting.fund, posting.debit, posting.credit
        pair = (area, fund, debit, credit, booked_on, nature)
        sums = pairs.get(pair)
        if sums is None:
            _check(topic, debit, credit, booked_on)
            pairs[pair] = [posting.fen, 1]
        else:
            sums[0] += posting.fen
            sums[1] += 1
        if posting.party is not None:
            name = (area, fund, debit, credit, posting.party, booked_on[:7])
            parties[name] = parties.get(name, 0) + posting.fen


def _by_care(bucket: Bucket, area: str, month: str, care: str, posting: SlimPosting) -> None:
    for account, debit, credit in (
        (posting.debit, posting.fen, 0),
        (posting.credit, 0, posting.fen),
    ):
        if CHART[account].kind in _FLOW_CLASSES:
            key = (area, posting.fund, account, month, care)
            add_sums(bucket.care, key, [debit, credit])


def _check(topic: str, debit: str, credit: str, booked_on: str) -> None:
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


def _decode(kind: type[Any], row: StoredRow) -> Any:
    """Read a rare fact whole."""
    found = _WHOLE[row.topic].decode(row.state)
    if not isinstance(found, kind):
        raise TypeError(f"{row.topic} is not a {kind.__name__}")
    return found


def _other(fold: Fold, row: StoredRow) -> None:
    """Read a fact of a retired topic as the one that follows it; an unknown one is damage."""
    if row.topic not in UPCASTERS:
        fact_class(row.topic)
        raise KeyError(f"no read model says what it does with {row.topic}")
    topic, newer = UPCASTERS[row.topic]
    state = msgspec.json.encode(newer(msgspec.json.decode(row.state)))
    _HANDLERS.get(topic, _other)(fold, row._replace(topic=topic, state=state))


_REVERSALS = frozenset({ClaimReversed.TOPIC, DocumentReversed.TOPIC})
_decode_claim = msgspec.json.Decoder(SlimClaim).decode
_decode_document = msgspec.json.Decoder(SlimDocument).decode
_WHOLE = {topic: msgspec.json.Decoder(kind) for topic, kind in CATALOGUE.items()}
_OPENING_TOPICS = {OpeningRecorded.TOPIC: OPENING, OpeningAdjusted.TOPIC: ADJUSTMENT}
_BY_BASE: tuple[tuple[type[Fact], Handler], ...] = (
    (ClaimFact, Fold.claim),
    (ClaimReversed, Fold.claim),
    (CashFact, Fold.document),
    (DocumentReversed, Fold.document),
    (YearTransferred, Fold.document),
    (MonthFact, Fold.month),
    (IntakeFact, Fold.intake),
    (AreaFact, Fold.setup),
)
_HANDLERS: dict[str, Handler] = {
    topic: handler
    for topic, kind in CATALOGUE.items()
    for base, handler in _BY_BASE
    if issubclass(kind, base)
}
_CLAIM_TOPICS = frozenset(topic for topic, handler in _HANDLERS.items() if handler is Fold.claim)
