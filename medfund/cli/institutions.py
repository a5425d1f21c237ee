"""``institution``: suspended, resumed, terminated, merged; somebody else approves."""

from datetime import date
from typing import Any

import click

from ledger.aggregates.institution import (
    ACTIVE,
    MERGED,
    SUSPENDED,
    TERMINATED,
    Change,
    Institution,
)
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.refusing import Day
from settlement.payout.institutions import StatusDraft, load_institution, propose_status

_STATES = {"waiting": "待复核", "approved": "已生效", "rejected": "已退回"}
_STATUS = {ACTIVE: "正常", SUSPENDED: "暂停拨付", TERMINATED: "终止协议", MERGED: "已合并"}


@cli.group(help="定点机构状态 / how an institution stands")
def institution() -> None:
    """Commands about an institution's status."""


def _change(name: str, status: str, text: str) -> None:
    """Register one command that prepares a change of status."""

    @institution.command(name, help=text)
    @click.argument("code", metavar="CODE")
    @click.option("--from", "effective", type=Day(), required=True, help="生效日期 / from this day")
    @click.option("--reason", required=True, help="理由 / why")
    @pass_session
    def command(session: Session, *, code: str, effective: date, reason: str) -> None:
        _propose(
            session,
            StatusDraft(institution=code, status=status, effective=effective, reason=reason),
        )


_change("suspend", SUSPENDED, "暂停拨付,由另一人 approve / suspend payment; somebody else approves")
_change("resume", ACTIVE, "恢复拨付,由另一人 approve / resume payment; somebody else approves")
_change("terminate", TERMINATED, "终止协议,由另一人 approve / terminate; somebody else approves")


@institution.command("merge", help="并入另一机构,由另一人 approve / merge; somebody else approves")
@click.argument("code", metavar="CODE")
@click.option("--into", required=True, metavar="CODE", help="承继机构 / successor")
@click.option("--from", "effective", type=Day(), required=True, help="生效日期 / from this day")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def merge_command(session: Session, *, code: str, into: str, effective: date, reason: str) -> None:
    """Prepare a merger."""
    _propose(
        session,
        StatusDraft(institution=code, status=MERGED, effective=effective, reason=reason, into=into),
    )


@institution.command("show", help="查看机构状态 / show how an institution stands")
@click.argument("code", metavar="CODE")
@pass_session
def show_command(session: Session, code: str) -> None:
    """Show status and every change."""
    with session.house() as house:
        area = session.area(house)
        found = load_institution(house.ledger, area.code, code)
        document = _document(found, house.today(), area.institutions.get(code, (None,))[0])
    output = session.output

    def render() -> None:
        status = output.say(_STATUS[document["status"]], document["status"])
        output.line(f"{code}  {document['name'] or '-'}  {status}")
        heads = output.say("变更|状态|自|理由|结果", "change|status|from|why|result").split("|")
        rows = [
            (
                one["change"],
                output.say(_STATUS[one["status"]], one["status"]),
                one["effective"],
                one["reason"],
                output.say(_STATES[one["state"]], one["state"]),
            )
            for one in document["changes"]
        ]
        output.table(heads, rows)

    output.answer(document, render)


def _propose(session: Session, draft: StatusDraft) -> None:
    with session.house() as house:
        change = propose_status(house.ledger, session.area(house), draft, user=session.user)
    answer_change(session, change)


def answer_change(session: Session, change: Change) -> None:
    """Answer with a change as it stands."""
    output, document = session.output, _change_document(change)

    def render() -> None:
        status = output.say(_STATUS[document["status"]], document["status"])
        state = output.say(_STATES[change.state], change.state)
        output.line(f"{document['institution']}  {status}  {document['effective']}  {state}")
        if change.state == "waiting":
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {change.id}",
                    f"  next: somebody else runs medfund --as USER approve {change.id}",
                )
            )

    output.answer(document, render)


def _change_document(change: Change) -> dict[str, Any]:
    proposed = change.proposed
    return {
        "change": change.id,
        "institution": proposed.institution,
        "status": proposed.status,
        "effective": proposed.effective,
        "into": proposed.into,
        "reason": proposed.reason,
        "state": change.state,
        "prepared_by": proposed.by,
        "decided_by": change.decided_by,
        "rejected_because": change.reason,
    }


def _document(found: Institution, today: date, name: str | None) -> dict[str, Any]:
    status, into = found.on(today.isoformat())
    return {
        "area": found.area,
        "institution": found.code,
        "name": name,
        "status": status,
        "into": into,
        "changes": list(map(_change_document, found.changes)),
    }
