"""Facts and commits for the store's tests."""

from collections.abc import Sequence
from typing import Any

from ledger.application import FundLedger
from ledger.domain.entry import Posting
from ledger.domain.identity import area_stream, document_stream, intake_stream, month_stream
from ledger.domain.period import Period
from ledger.events import month as month_facts
from ledger.events.base import Envelope, Fact, Source
from ledger.events.cash import ContributionReceived
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.setup import FundOpened
from ledger.store.commit import BookKey, Commit, Freeze, OpenBook, Receipt, SealMonth, Transition
from settlement.booking import booked_months, totals_of

AREA, FUND = "330604", "310"
BOOK = BookKey(AREA, FUND)
JANUARY = Period(2023, 1)
TABLES = (
    "events",
    "seals",
    "idempotency",
    "books",
    "totals",
    "staged_totals",
    "open_intakes",
    "outbox",
)


def contribution(
    doc: str | int, *, month: Period = JANUARY, fen: int = 100, intake: str | None = None
) -> Envelope:
    fact = ContributionReceived(
        area=AREA,
        booked_on=month.first_day.isoformat(),
        postings=(Posting("310.pooled", "treasury", "income.contribution.employer", fen),),
        rules_version=1,
        prepared_by="clerk1",
        doc_no=str(doc),
        revision=1,
        fund="310.pooled",
        item="contribution.employer",
        date=month.first_day.isoformat(),
        belongs_to=str(month),
        amount_fen=fen,
        summary=f"单位缴费 {doc}",
        content=f"content of {doc}",
        source=Source(intake=intake),
    )
    return Envelope(document_stream(AREA, str(doc)), 1, fact)


def contributions(name: str, count: int, **kwargs: Any) -> list[Envelope]:
    return [contribution(f"{name}-{number}", **kwargs) for number in range(count)]


def commit_of(key: str, envelopes: Sequence[Envelope], **kwargs: Any) -> Commit:
    facts = [envelope.fact for envelope in envelopes]
    return Commit(
        **{
            "key": key,
            "input_hash": "hash",
            "booked": booked_months(facts),
            "totals": totals_of(facts),
            **kwargs,
        }
    )


def post(ledger: FundLedger, key: str, envelopes: Sequence[Envelope], **kwargs: Any) -> Receipt:
    return ledger.append(envelopes, commit_of(key, envelopes, **kwargs))


def open_book(
    ledger: FundLedger, *, first: Period | None = None, fund: str = FUND, version: int = 1
) -> Receipt:
    fact = FundOpened(area=AREA, by="admin1", fund=fund, first=str(first) if first else None)
    step = OpenBook(BookKey(AREA, fund), first)
    envelope = Envelope(area_stream(AREA), version, fact)
    return ledger.append([envelope], Commit(f"open:{fund}", "hash", transitions=(step,)))


def month_step(
    ledger: FundLedger, fact: type[Fact], transition: Transition, *, version: int, **extra: Any
) -> Receipt:
    """Append a month's fact with its transition."""
    period = str(transition.month)
    stream = month_stream(AREA, FUND, period)
    body = fact(area=AREA, fund=FUND, period=period, run=f"run-{version}", by="clerk1", **extra)
    key = f"{fact.TOPIC}:{period}:{version}"
    return ledger.append(
        [Envelope(stream, version, body)], Commit(key, "hash", transitions=(transition,))
    )


def freeze(ledger: FundLedger, month: Period, *, version: int = 1) -> Receipt:
    return month_step(ledger, month_facts.MonthFrozen, Freeze(BOOK, month), version=version)


def seal(ledger: FundLedger, month: Period, *, version: int = 2) -> Receipt:
    return month_step(
        ledger,
        month_facts.MonthSealed,
        SealMonth(BOOK, month),
        version=version,
        plan_hash="plan",
        sealed_position=ledger.log.last_position(),
        sealed_digest="",
    )


def started(intake: str) -> Envelope:
    fact = IntakeStarted(
        area=AREA,
        intake=intake,
        by="clerk1",
        kind="claims",
        file="claims.csv",
        content=f"content of {intake}",
        accepted=2,
        rejected=0,
        partial=False,
        funds=(FUND,),
        months=(str(JANUARY),),
    )
    return Envelope(intake_stream(AREA, "claims", intake), 1, fact)


def completed(intake: str) -> Envelope:
    fact = IntakeCompleted(
        area=AREA,
        intake=intake,
        by="clerk1",
        kind="claims",
        file="claims.csv",
        content=f"content of {intake}",
        accepted=2,
        rejected=0,
        posted=2,
        already=0,
    )
    return Envelope(intake_stream(AREA, "claims", intake), 2, fact)
