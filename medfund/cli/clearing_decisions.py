"""``approve`` and ``reject`` of clearing runs, of a month or a year: told by the form of the id."""

from ledger.aggregates.area import Area
from ledger.aggregates.clearing import run_name
from ledger.aggregates.clearing_year import year_run_name
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.archived import records_up_to_now
from medfund.cli.clearing_runs import answer_run
from medfund.cli.clearing_year import answer_year
from settlement.clearing.owed import Records
from settlement.month_runs import approve_clearing, reject_clearing
from settlement.year_runs import approve_year, reject_year


def approve_cleared(session: Session, house: House, area: Area, run: str) -> bool:
    """Approve and post a clearing run; False where the id is of something else."""

    def records() -> Records:
        return records_up_to_now(session, house, area.code)

    ledger, user, today = house.ledger, session.user, house.today()
    if run_name(run, area.code) is not None:
        month = approve_clearing(ledger, area, records, run=run, user=user, today=today)
        answer_run(session, area, month)
    elif year_run_name(run, area.code) is not None:
        year = approve_year(ledger, area, records, run=run, user=user, today=today)
        answer_year(session, house, area, year)
    else:
        return False
    return True


def reject_cleared(session: Session, house: House, area: Area, run: str, reason: str) -> bool:
    """Send a clearing run back; False where the id is of something else."""
    ledger, user = house.ledger, session.user
    if run_name(run, area.code) is not None:
        month = reject_clearing(ledger, area, run=run, reason=reason, user=user)
        answer_run(session, area, month)
    elif year_run_name(run, area.code) is not None:
        year = reject_year(ledger, area, run=run, reason=reason, user=user)
        answer_year(session, house, area, year)
    else:
        return False
    return True
