"""``report settlement``: one institution's statement (结算单), put together from books and archive."""

from collections.abc import Iterator
from typing import Any

import click

from ledger.aggregates.policies import NoPolicyInForce, Policies
from ledger.archive.read import Archive
from ledger.domain.fund import PERSONAL
from ledger.domain.period import Period, Year
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.archived import archive_up_to_now
from projections.queries.settlement import settlement_document
from projections.reports.model import Table
from projections.reports.settlement_tables import settlement_tables
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.case_list import CaseLine, list_cases
from settlement.clearing.month.document import month_document, points_text
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import Chosen, Question, ask, chosen_of, policy_of_month
from settlement.clearing.month.refusals import PolicyChangesWithinMonth
from settlement.policies import load_policies

_MEMORY_MIB = 400


def statement_of(
    session: Session, house: House, period: str, fund: str | None, institution: str | None
) -> list[Table]:
    """Make the statements of an institution: of one leaf fund, or of each that owes it something."""
    if institution is None:
        raise click.UsageError("--institution")
    area = session.area(house)
    archive, position = archive_up_to_now(session, house)
    policies = load_policies(house.ledger, area.code)
    found: list[Table] = []
    for leaf in [fund] if fund else sorted(area.leaf_funds):
        document = settlement_document(
            house.reads,
            house.ledger,
            area=area.code,
            fund=leaf,
            institution=institution,
            period=period,
        )
        if fund is None and not (document["claims"] or document["steps"]):
            continue
        methods: list[dict[str, Any]] = []
        lines: list[CaseLine] = []
        for month, question in _questions(archive, position, area.code, leaf, period):
            chosen = _policy(policies, document, leaf, month)
            lines += list_cases(question, chosen.policy if chosen else None, institution)
            if chosen is not None:
                methods += _methods(question, chosen, institution)
        found += settlement_tables(
            document,
            methods=methods,
            lines=[_line(one) for one in lines],
            lang=session.output.lang,
        )
    return found


def _questions(
    archive: Archive, position: int, area: str, fund: str, period: str
) -> Iterator[tuple[Period, Question]]:
    is_year = len(period) == len("2024")
    engine = DuckDBEngine(memory_mib=_MEMORY_MIB)
    for month in Year.parse(period).months if is_year else (Period.parse(period),):
        question = ask(archive, engine, area=area, fund=fund, period=month, watermark=position)
        yield month, question


def _policy(
    policies: Policies, document: dict[str, Any], fund: str, month: Period
) -> Chosen | None:
    """Give the policy of the run that settled the month, else the one in force; None: the fund has none."""
    mine = (run for run in document["runs"] if run["period"] == str(month))
    named = [run["policy"] for run in mine if run["policy"]]
    if named:
        return chosen_of(policies.find(named[-1]))
    if fund == PERSONAL:
        return None
    try:
        return policy_of_month(policies, fund, month)
    except (NoPolicyInForce, PolicyChangesWithinMonth):
        return None


def _methods(question: Question, chosen: Chosen, institution: str) -> list[dict[str, Any]]:
    """Compute the month of the whole fund for the point value, and give the institution's part."""
    cleared = clear_month(question, chosen)
    document = month_document(
        cleared, area=question.area, fund=question.fund, period=str(question.period), names={}
    )
    value = document["points"]["value"] if document["points"] else None
    return [
        {
            **one,
            "month": str(question.period),
            "value": value if one["points"] != points_text(0) else None,
        }
        for mine in document["institutions"]
        if mine["institution"] == institution
        for one in mine["methods"]
    ]


def _line(one: CaseLine) -> dict[str, Any]:
    return {
        "setl_id": one.setl_id,
        "date": one.date,
        "clr_type": one.clr_type,
        "refund": one.refund,
        "reversed": one.reversed,
        "group": one.group,
        "days": one.days,
        "cost_fen": one.cost_fen,
        "charged_fen": one.charged_fen,
        "method": one.method,
        "standing": one.standing.name.lower() if one.standing is not None else None,
        "points": points_text(one.points4) if one.points4 else None,
        "worth_fen": one.worth_fen or None,
        "position": one.position,
    }
