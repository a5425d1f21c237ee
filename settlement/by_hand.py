"""Single documents by hand (手工单据): the checks and facts of a ``fund_flows`` row, with four eyes."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import cast

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.proposal import (
    POSTED,
    REJECTED,
    WAITING,
    Proposal,
    UnknownProposal,
    fold_proposal,
    proposal_doc_no,
)
from ledger.application import FundLedger
from ledger.domain.chart import account_words
from ledger.domain.identity import document_stream, proposal_stream
from ledger.errors import Conflict, InputRejected
from ledger.events import proposal as facts
from ledger.events.base import Envelope
from ledger.store.commit import Commit, MonthNotOpen
from settlement.booking import booked_months, first_months, totals_of
from settlement.intake.flow_facts import Document, fact_of_document
from settlement.intake.fund_flow_rows import FundFlowRow, check_fund_flow
from settlement.intake.post_flows import Sorted, sort_documents
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext

_TRIES = 5


class DocumentFaulty(InputRejected):
    """The document does not pass the checks of a ``fund_flows`` row."""

    code = "document_faulty"
    zh = "单据不能接受:{reason_zh}"
    en = "The document cannot be taken: {reason_en}"
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare it again."


class DocumentConflict(Conflict):
    """The number stands in the books already, or waits with other content."""

    code = "document_conflict"
    zh = "单据号 {doc_no} 已有单据在账,或有不同内容的单据待复核。"
    en = "The number {doc_no} stands already, or waits with other content."
    hint_zh = "请换一个单据号,或先冲销、退回原单。"
    hint_en = "Use another number, or reverse or reject the first one."


def load_proposal(ledger: FundLedger, area: str, doc_no: str) -> Proposal:
    """Fold the proposal of a document."""
    history = ledger.history(proposal_stream(area, doc_no))
    return fold_proposal(area, doc_no, (item.fact for _, item in history))


def proposal_of(ledger: FundLedger, area: Area, proposal: str) -> Proposal:
    """Find a proposal by its id; UnknownProposal where there is none."""
    doc_no = proposal_doc_no(proposal, area.code)
    found = load_proposal(ledger, area.code, doc_no) if doc_no is not None else None
    if found is None or found.proposed is None:
        raise UnknownProposal(proposal=proposal)
    return found


def propose_document(
    ledger: FundLedger, area: Area, cells: Mapping[str, str], *, user: str | None, today: date
) -> Proposal:
    """Prepare a document; the same number with the same content changes nothing."""
    by = area.allow(user, "post")
    cells = {"area": area.code, **cells}
    document = Document((checked_document(area, cells, today),))
    proposal = load_proposal(ledger, area.code, document.doc_no)
    if proposal.state == WAITING and proposal.proposed is not None:
        if proposal.proposed.content_hash == document.content:
            return proposal
        raise DocumentConflict(doc_no=document.doc_no)
    found = sorted_document(ledger, area, document)
    if not found.new:  # it stands with this very content
        if proposal.proposed is None:
            raise DocumentConflict(doc_no=document.doc_no)
        return proposal
    fact = facts.DocumentProposed(
        area=area.code,
        doc_no=document.doc_no,
        by=by,
        content=cells,
        content_hash=document.content,
    )
    return _append_step(ledger, proposal, fact)


def approve_document(
    ledger: FundLedger, area: Area, *, proposal: str, user: str | None, today: date
) -> Proposal:
    """Post a document that somebody else prepared: the fact and the approval in one commit."""
    by = area.allow(user, "approve")
    found = proposal_of(ledger, area, proposal)
    if found.state == POSTED and found.decided_by == by:
        return found
    proposed = found.refuse_approval(by)
    document = Document((checked_document(area, proposed.content, today),))
    approved = facts.DocumentApproved(
        area=area.code, doc_no=found.doc_no, by=by, content_hash=document.content
    )
    step = Envelope(proposal_stream(area.code, found.doc_no), found.version + 1, approved)
    for tries_left in range(_TRIES - 1, -1, -1):
        new = sorted_document(ledger, area, document).new
        if not new:  # a file brought the same document in meanwhile
            raise DocumentConflict(doc_no=found.doc_no)
        fact = fact_of_document(
            document,
            new[0].entry,
            area=area,
            states=ledger.log.books(area.code),
            revision=new[0].revision,
            intake=None,
            user=proposed.by,
        )
        row = Envelope(document_stream(area.code, found.doc_no), new[0].version, fact)
        commit = Commit(
            key=_key(found),
            input_hash=sha256(msgspec.json.encode(approved)).hexdigest(),
            booked=booked_months([fact]),
            totals=totals_of([fact]),
            history=first_months([fact]),
        )
        try:
            ledger.append([row, step], commit)
        except MonthNotOpen:  # frozen a moment ago: booked again into the month that is open
            if not tries_left:
                raise
            continue
        return load_proposal(ledger, area.code, found.doc_no)
    raise AssertionError("the last try returns or raises")


def reject_document(
    ledger: FundLedger, area: Area, *, proposal: str, reason: str, user: str | None
) -> Proposal:
    """Send a document back; whoever prepared it may take it back. The same again changes nothing."""
    found = proposal_of(ledger, area, proposal)
    own = found.proposed is not None and user == found.proposed.by
    by = area.allow(user, "post" if own else "reject")
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, reason):
        return found
    found.refuse_decision()
    fact = facts.DocumentRejected(area=area.code, doc_no=found.doc_no, by=by, reason=reason)
    return _append_step(ledger, found, fact)


def checked_document(area: Area, cells: Mapping[str, str], today: date) -> FundFlowRow:
    """Check the row as a file's row is checked; DocumentFaulty with everything that is wrong."""
    codes = cast("dict[str, str]", area.options.get("chart") or {})
    context = CheckContext(
        area=area.code,
        today=today,
        funds=area.leaf_funds,
        institutions=frozenset(area.institutions),
        accounts=account_words(codes),
    )
    row = check_fund_flow(cells, line=1, context=context)
    if isinstance(row, FundFlowRow):
        return row
    raise _faulty(row)


def sorted_document(ledger: FundLedger, area: Area, document: Document) -> Sorted:
    """Say whether a document is new; DocumentConflict, DocumentFaulty where it cannot be."""
    found = sort_documents(ledger, area, [document])
    if any(one.code == "doc_no_conflict" for one in found.rejections):
        raise DocumentConflict(doc_no=document.doc_no)
    if found.rejections:
        raise _faulty(found.rejections)
    return found


def _faulty(rejections: tuple[Rejection, ...] | list[Rejection]) -> DocumentFaulty:
    return DocumentFaulty(
        reason_zh=" ".join(one.message("zh") for one in rejections),
        reason_en=" ".join(one.message("en") for one in rejections),
        codes=sorted({one.code for one in rejections}),
        fields=sorted({one.field for one in rejections}),
    )


def _append_step(ledger: FundLedger, proposal: Proposal, fact: facts.ProposalFact) -> Proposal:
    ledger.append(
        [Envelope(proposal_stream(proposal.area, proposal.doc_no), proposal.version + 1, fact)],
        Commit(key=_key(proposal), input_hash=sha256(msgspec.json.encode(fact)).hexdigest()),
    )
    return load_proposal(ledger, proposal.area, proposal.doc_no)


def _key(proposal: Proposal) -> str:
    """Name the next step of a proposal, whatever it is: of two at once the second is told."""
    return f"document:{proposal.area}:{proposal.doc_no}:{proposal.version + 1}"
