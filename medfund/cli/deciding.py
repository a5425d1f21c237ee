"""``approve`` and ``reject`` of what has to do with paying: told apart by the form of the id."""

from ledger.aggregates.area import Area
from ledger.aggregates.institution import change_of
from ledger.aggregates.manual_claim import claim_no_of
from ledger.aggregates.payout import batch_of
from ledger.aggregates.persons import persons_of
from ledger.aggregates.prepayment import prepayment_of
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.institutions import answer_change
from medfund.cli.manual_claims import answer_manual_claim, year_asked
from medfund.cli.paying import answer_decided, asking
from medfund.cli.persons import answer_persons
from medfund.cli.prepaying import answer_prepayment
from settlement.one_stop.manual import approve_manual_claim, reject_manual_claim
from settlement.payout.institutions import approve_status, reject_status
from settlement.payout.ordering import approve_payout, reject_payout
from settlement.payout.persons import approve_persons, reject_persons
from settlement.payout.prepaying import approve_prepayment, reject_prepayment


def approve_payment(session: Session, house: House, area: Area, name: str) -> bool:
    """Approve and answer; false where the id is of something else."""
    ledger, user = house.ledger, session.user
    if batch_of(name, area.code) is not None:
        ask = asking(session, house, area)
        paid = approve_payout(ledger, area, payout=name, ask=ask, user=user)
        answer_decided(session, house, area, paid)
    elif change_of(name, area.code) is not None:
        answer_change(session, approve_status(ledger, area, change=name, user=user))
    elif prepayment_of(name, area.code) is not None:
        ask = asking(session, house, area)
        found = approve_prepayment(ledger, area, prepayment=name, ask=ask, user=user)
        answer_prepayment(session, area, found)
    elif persons_of(name, area.code) is not None:
        today = house.today()
        paid_out = approve_persons(ledger, area, payout=name, user=user, today=today)
        answer_persons(session, house, paid_out)
    elif claim_no_of(name, area.code) is not None:
        year, today = year_asked(house, area), house.today()
        claim = approve_manual_claim(ledger, area, claim=name, ask=year, user=user, today=today)
        answer_manual_claim(session, claim)
    else:
        return False
    return True


def reject_payment(session: Session, house: House, area: Area, name: str, reason: str) -> bool:
    """Send back and answer; false where the id is of something else."""
    ledger, user = house.ledger, session.user
    if batch_of(name, area.code) is not None:
        paid = reject_payout(ledger, area, payout=name, reason=reason, user=user)
        answer_decided(session, house, area, paid)
    elif change_of(name, area.code) is not None:
        answer_change(session, reject_status(ledger, area, change=name, reason=reason, user=user))
    elif prepayment_of(name, area.code) is not None:
        found = reject_prepayment(ledger, area, prepayment=name, reason=reason, user=user)
        answer_prepayment(session, area, found)
    elif persons_of(name, area.code) is not None:
        sent_back = reject_persons(ledger, area, payout=name, reason=reason, user=user)
        answer_persons(session, house, sent_back)
    elif claim_no_of(name, area.code) is not None:
        claim = reject_manual_claim(ledger, area, claim=name, reason=reason, user=user)
        answer_manual_claim(session, claim)
    else:
        return False
    return True
