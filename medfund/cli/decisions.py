"""What ``approve`` and ``reject`` decide beside a close: told apart by the form of the id."""

from collections.abc import Callable
from dataclasses import dataclass

from ledger.aggregates.area import Area
from ledger.aggregates.breaks import is_break_of
from ledger.aggregates.offset import offset_doc_no
from ledger.aggregates.proposal import proposal_doc_no
from ledger.aggregates.refusal import doc_no_of
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.breaking import answer_break
from medfund.cli.by_hand import answer_proposal
from medfund.cli.clearing_decisions import approve_cleared, reject_cleared
from medfund.cli.deciding import approve_payment, reject_payment
from medfund.cli.offsetting import answer_offset
from medfund.cli.refusing import answer_refusal, owed_in
from settlement.by_hand import approve_document, reject_document
from settlement.offsets import approve_offset, reject_offset
from settlement.reconciliation.resolving import approve_break, reject_break
from settlement.refusing import approve_refusal, reject_refusal

_Approve = Callable[[Session, House, Area, str], None]
_Reject = Callable[[Session, House, Area, str, str], None]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of thing that a second person decides: whose id it is, and both answers."""

    is_one: Callable[[str, str], object]  # (id, area): None or False where it is something else
    approve: _Approve
    reject: _Reject


def approve_other(session: Session, house: House, area: Area, name: str) -> bool:
    """Approve what the id names and answer; False where it is the id of a close."""
    for kind in _KINDS:
        if kind.is_one(name, area.code):
            kind.approve(session, house, area, name)
            return True
    cleared = approve_cleared(session, house, area, name)
    return cleared or approve_payment(session, house, area, name)


def reject_other(session: Session, house: House, area: Area, name: str, reason: str) -> bool:
    """Send back what the id names and answer; False where it is the id of a close."""
    for kind in _KINDS:
        if kind.is_one(name, area.code):
            kind.reject(session, house, area, name, reason)
            return True
    cleared = reject_cleared(session, house, area, name, reason)
    return cleared or reject_payment(session, house, area, name, reason)


def _approve_offset(session: Session, house: House, area: Area, name: str) -> None:
    answer_offset(session, approve_offset(house.ledger, area, offset=name, user=session.user))


def _reject_offset(session: Session, house: House, area: Area, name: str, reason: str) -> None:
    found = reject_offset(house.ledger, area, offset=name, reason=reason, user=session.user)
    answer_offset(session, found)


def _approve_refusal(session: Session, house: House, area: Area, name: str) -> None:
    owed = owed_in(house, area.code)
    found = approve_refusal(house.ledger, area, refusal=name, owed=owed, user=session.user)
    answer_refusal(session, found)


def _reject_refusal(session: Session, house: House, area: Area, name: str, reason: str) -> None:
    found = reject_refusal(house.ledger, area, refusal=name, reason=reason, user=session.user)
    answer_refusal(session, found)


def _approve_document(session: Session, house: House, area: Area, name: str) -> None:
    found = approve_document(
        house.ledger, area, proposal=name, user=session.user, today=house.today()
    )
    answer_proposal(session, found)


def _reject_document(session: Session, house: House, area: Area, name: str, reason: str) -> None:
    found = reject_document(house.ledger, area, proposal=name, reason=reason, user=session.user)
    answer_proposal(session, found)


def _approve_break(session: Session, house: House, area: Area, name: str) -> None:
    found = approve_break(house.ledger, area, name, user=session.user, today=house.today())
    answer_break(session, house, found)


def _reject_break(session: Session, house: House, area: Area, name: str, reason: str) -> None:
    found = reject_break(house.ledger, area, name, reason=reason, user=session.user)
    answer_break(session, house, found)


_KINDS = (
    _Kind(offset_doc_no, _approve_offset, _reject_offset),
    _Kind(doc_no_of, _approve_refusal, _reject_refusal),
    _Kind(proposal_doc_no, _approve_document, _reject_document),
    _Kind(is_break_of, _approve_break, _reject_break),
)
