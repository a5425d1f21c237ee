"""Posting a ``fund_flows`` file: what is new goes into the log in one transaction, or nothing does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import document_stream
from ledger.domain.posting_rules import RuleNotApplicable
from ledger.events.base import Envelope
from ledger.events.intake import IntakeCompleted
from ledger.store.commit import Commit
from settlement.booking import booked_months, first_months, totals_of
from settlement.intake.attempt import Attempt
from settlement.intake.columns import FUND_FLOWS
from settlement.intake.flow_facts import Document, entry_of_document, fact_of_document
from settlement.intake.rejections import Rejection
from settlement.intake.standing import standing


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document that does not stand yet: its entry, and where on its stream it goes."""

    stream: UUID
    document: Document
    entry: Entry
    revision: int
    version: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """A file's documents sorted by what the books know of them."""

    new: list[NewDocument]
    already: int
    rejections: list[Rejection]

    @property
    def rows(self) -> int:
        """Count the rows of what is new."""
        return sum(len(one.document.rows) for one in self.new)


@dataclass(frozen=True, slots=True)
class Posted:
    """What posting a file did."""

    posted: int
    already: int
    repeated: bool  # another process brought the same file in a moment earlier


def sort_documents(ledger: FundLedger, area: Area, documents: Sequence[Document]) -> Sorted:
    """Tell new documents from those that stand already and those that conflict with them."""
    streams = [document_stream(area.code, document.doc_no) for document in documents]
    known = standing(ledger.log, [stream.bytes for stream in streams])
    result = Sorted([], 0, [])
    already = 0
    for stream, document in zip(streams, documents, strict=True):
        head = known.get(stream.bytes)
        if head is not None and not head.reversed:
            if head.content == document.content:
                already += len(document.rows)
            else:
                result.rejections.extend(_conflict(document, head.position))
            continue
        try:
            entry = entry_of_document(document, tax_collects=area.tax_collects)
        except RuleNotApplicable as error:
            result.rejections.extend(_not_applicable(document, error))
            continue
        revision, version = (head.revision + 1, head.version + 1) if head else (1, 1)
        result.new.append(NewDocument(stream, document, entry, revision, version))
    return Sorted(result.new, already, result.rejections)


def _conflict(document: Document, position: int) -> Iterator[Rejection]:
    """Reject every row of a document whose number stands with other content."""
    for row in document.rows:
        facts = {"position": position}
        yield Rejection(
            row.line, "doc_no", "doc_no_conflict", document.doc_no, facts, FUND_FLOWS.name
        )


def _not_applicable(document: Document, error: RuleNotApplicable) -> Iterator[Rejection]:
    """Reject every row of a document that no posting rule fits."""
    facts = {name: error.facts[name] for name in ("reason_zh", "reason_en")}
    for row in document.rows:
        yield Rejection(row.line, "item", "rule_not_applicable", row.item, facts, FUND_FLOWS.name)


def post_documents(
    ledger: FundLedger,
    area: Area,
    found: Sorted,
    *,
    already: int,
    attempt: Attempt,
    user: str,
    rejected: int,
) -> Posted:
    """Append all new documents and the intake's completion in one commit.

    Two processes with one file meet at the same key: one posts, the other is told so. A month that
    was frozen meanwhile (MonthNotOpen) and a document posted by somebody else (StreamConflict) are
    refused under the lock: the file has to be held against the books again.
    """
    states = ledger.log.books(area.code)
    facts = [
        fact_of_document(
            new.document,
            new.entry,
            area=area,
            states=states,
            revision=new.revision,
            intake=attempt.intake,
            user=user,
        )
        for new in found.new
    ]
    rows = [
        Envelope(new.stream, new.version, fact) for new, fact in zip(found.new, facts, strict=True)
    ]
    posted = found.rows
    completed = _completed(attempt, user=user, posted=posted, already=already, rejected=rejected)
    receipt = ledger.append(
        [*rows, Envelope(attempt.stream, attempt.round, completed)],
        Commit(
            key=attempt.key,
            input_hash=attempt.content,
            booked=booked_months(facts),
            totals=totals_of(facts),
            history=first_months(facts),
        ),
    )
    if receipt.repeated:
        return Posted(0, posted + already, repeated=True)
    return Posted(posted, already, repeated=False)


def _completed(
    attempt: Attempt, *, user: str, posted: int, already: int, rejected: int
) -> IntakeCompleted:
    return IntakeCompleted(
        area=attempt.area,
        intake=attempt.intake,
        by=user,
        kind=attempt.kind,
        file=attempt.file,
        content=attempt.content,
        accepted=posted + already,
        rejected=rejected,
        posted=posted,
        already=already,
    )
