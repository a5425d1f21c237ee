"""Files that go into the log in one commit: how their rows are checked, and what is new of them."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.store.vault import Vault
from settlement.clearing.owed import Records
from settlement.clearing.records import records_now
from settlement.intake.allocation_rows import check_allocations
from settlement.intake.application_rows import check_applications
from settlement.intake.bank_rows import check_payments
from settlement.intake.case_rows import check_cases
from settlement.intake.checked_files import CheckedFlows, check_flows
from settlement.intake.columns import (
    CASE_REVIEWS,
    FUND_FLOWS,
    MANUAL_CLAIMS,
    PAYMENT_RESULTS,
    PERSON_PAYMENTS,
)
from settlement.intake.manual_rows import check_manual_claims
from settlement.intake.payment_rows import check_results
from settlement.intake.person_rows import check_persons
from settlement.intake.post_allocations import new_allocations
from settlement.intake.post_applications import new_applications
from settlement.intake.post_cases import new_case_facts
from settlement.intake.post_flows import new_flows
from settlement.intake.post_manual_claims import new_manual_claims
from settlement.intake.post_payments import new_payments
from settlement.intake.post_persons import new_person_payments
from settlement.intake.post_prepayments import new_prepayments
from settlement.intake.post_results import new_bank_results
from settlement.intake.post_statements import Sorter, new_rows
from settlement.intake.prepay_rows import check_prepayments
from settlement.intake.readers import Table
from settlement.intake.row_reader import CheckContext
from settlement.intake.statement_rows import CheckedStatements, check_details, check_totals
from settlement.one_stop.person_year import year_question

Recorder = tuple[Callable[[Table, CheckContext], CheckedStatements[Any] | CheckedFlows], Sorter]
#: Those whose rows are held against single streams only.
_PLAIN: dict[str, Recorder] = {
    FUND_FLOWS.name: (check_flows, new_flows),
    "statement_totals": (check_totals, new_rows),
    "statement_details": (check_details, new_rows),
    "groupings": (check_cases, new_case_facts),
    "assessments": (check_cases, new_case_facts),
    "remote_allocations": (check_allocations, new_allocations),
    "bank_statement": (check_payments, new_payments),
    "prepayments": (check_prepayments, new_prepayments),
}


def recorder_of(
    kind: str,
    *,
    ledger: FundLedger,
    area: Area,
    vault: Vault,
    folder: Path | None,
    today: date,
) -> Recorder:
    """Give who checks and who sorts the rows of a kind; ``folder`` is where the log lies archived."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == PERSON_PAYMENTS.name:
        return check_persons, partial(new_person_payments, vault=vault)
    if folder is None:
        raise ValueError(f"{kind} are held against the archive: the desk names none")
    if kind == MANUAL_CLAIMS.name:
        years = partial(year_question, ledger, area, folder)
        sort = partial(new_manual_claims, vault=vault, ask=years, today=today)
        return check_manual_claims, sort

    def ask() -> Records:
        return records_now(ledger.log, folder, area=area.code)

    if kind == PAYMENT_RESULTS.name:
        return check_results, partial(new_bank_results, ask=ask, today=today)
    if kind == CASE_REVIEWS.name:
        return check_cases, partial(new_case_facts, ask=ask)
    return check_applications, partial(new_applications, ask=ask, today=today)
