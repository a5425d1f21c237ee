"""How many runs of a fund were approved (清算批次), months and years in one row."""

from ledger.events.clearing import ClearingApproved
from ledger.events.clearing_year import YearApproved
from settlement.clearing.owed import Records


def approvals_of(records: Records, fund: str) -> int:
    """Count the approvals of a fund up to the position of the records."""
    months = [one for _, one in records.facts(ClearingApproved) if one.fund == fund]
    years = [one for _, one in records.facts(YearApproved) if one.fund == fund]
    return len(months) + len(years)
