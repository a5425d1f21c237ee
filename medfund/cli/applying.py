"""``clear application``: what institutions applied for (3203), and taking it back (3204)."""

from typing import Any

import click

from ledger.aggregates.application import Applications, application_id
from ledger.domain.money import format_yuan
from ledger.events.clearing import ApplicationReceived
from medfund.cli.app import Session
from settlement.applications import applications_of, withdraw_application
from settlement.clearing.records import records_now

_STATES = {"standing": "在案", "withdrawn": "已撤销"}


def list_applications(session: Session, fund: str | None) -> None:
    """List every application, with what each fund was asked for."""
    with session.house() as house:
        area = session.area(house)
        found = applications_of(records_now(house.ledger.log, house.archive, area=area.code))
        names = {code: name for code, (name, _) in area.institutions.items()}
    rows = [application_document(one) | {"name": names.get(_code(one))} for one in found]
    if fund is not None:
        rows = [row for row in rows if fund in {part["fund"] for part in row["parts"]}]
    output = session.output
    heads = output.say(
        "申请|机构名称|基金申请|个人账户|状态", "application|name|funds|personal account|state"
    )
    output.answer(
        {"applications": rows},
        lambda: output.table(
            heads.split("|"),
            [
                (
                    row["application"],
                    row["name"] or "-",
                    format_yuan(row["fund_fen"]),
                    format_yuan(row["account_fen"]),
                    output.say(_STATES[row["state"]], row["state"]),
                )
                for row in rows
            ],
            right=(2, 3),
        ),
    )


def withdraw(session: Session, application: str, reason: str | None) -> None:
    """Withdraw one application."""
    if not reason:
        raise click.UsageError("请写明 --reason / say why: --reason TEXT")
    with session.house() as house:
        found = withdraw_application(
            house.ledger,
            session.area(house),
            application=application,
            reason=reason,
            user=session.user,
            today=house.today(),
        )
    output = session.output
    document = application_document(found)
    state = output.say(_STATES[document["state"]], document["state"])
    output.answer(document, lambda: output.line(f"{document['application']}  {state}"))


def _code(one: Applications) -> str:
    return one.received.institution if one.received is not None else ""


def application_document(one: Applications) -> dict[str, Any]:
    """Give the JSON document of the newest application of a group."""
    fact = one.received
    if not isinstance(fact, ApplicationReceived):
        raise TypeError("an application that nobody made")
    return {
        "application": application_id(fact),
        "state": "withdrawn" if one.reason is not None else "standing",
        "institution": fact.institution,
        "insutype": fact.insutype,
        "clr_type": fact.clr_type,
        "period": fact.belongs_to,
        "medfee_fen": fact.medfee_fen,
        "fund_fen": fact.fund_fen,
        "account_fen": fact.account_fen,
        "parts": [
            {
                "fund": part.fund,
                "booked_fen": part.booked_fen,
                "declared_fen": part.applied_fen,
                "stays_booked_fen": part.left_fen,
            }
            for part in fact.parts
        ],
        "received_by": fact.by,
        "reason": one.reason,
        "position": one.position,
    }
