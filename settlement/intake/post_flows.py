"""What of a ``fund_flows`` file is new: which of its documents stand, conflict, or become facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.entry import Entry
from ledger.domain.identity import document_stream
from ledger.domain.posting_rules import RuleNotApplicable
from ledger.events.base import Envelope
from settlement.intake.columns import FUND_FLOWS
from settlement.intake.flow_facts import (
    Document,
    documents,
    entry_of_document,
    fact_of_document,
)
from settlement.intake.fund_flow_rows import FundFlowRow
from settlement.intake.post_statements import New
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


def new_flows(
    ledger: FundLedger, area: Area, rows: Sequence[FundFlowRow], *, intake: str, user: str
) -> New:
    """Give the facts of the documents that do not stand yet, booked as the open months allow."""
    found = sort_documents(ledger, area, documents(rows))
    states = ledger.log.books(area.code)
    envelopes = [
        Envelope(
            new.stream,
            new.version,
            fact_of_document(
                new.document,
                new.entry,
                area=area,
                states=states,
                revision=new.revision,
                intake=intake,
                user=user,
            ),
        )
        for new in found.new
    ]
    posted = sum(len(new.document.rows) for new in found.new)
    return New(envelopes, posted, tuple(found.rejections))
