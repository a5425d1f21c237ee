"""``reconcile breaks|resolve|release``: the differences, what is done about them, and wrong matches."""

from typing import Any

import click

from ledger.aggregates.breaks import OPEN, WAITING, WAYS, Break
from ledger.domain.money import format_yuan
from medfund.bootstrap import House
from medfund.cli.app import Session, pass_session
from settlement.reconciliation.money_document import COUNTERPARTY_NAMES
from settlement.reconciliation.releasing import release_match
from settlement.reconciliation.resolving import (
    WAY_NAMES,
    Resolution,
    break_row,
    breaks_document,
    differences_of,
    resolve_break,
)

_STATES = {
    "open": "未结",
    "waiting": "待复核",
    "carried": "挂账",
    "resolved": "已结",
}
_NAMES = {
    **COUNTERPARTY_NAMES,
    "institution": ("机构", "institution"),
    "remote": ("异地", "other places"),
}
_SHOWN = 100


@click.command("breaks", help="差异清单:天数、责任人、处理 / the differences with age and owner")
@click.option("--open", "only_open", is_flag=True, help="只看未结的 / only what is not resolved")
@pass_session
def breaks_command(session: Session, only_open: bool) -> None:  # noqa: FBT001
    """List the differences that recorded reconciliations show."""
    with session.house() as house:
        document = breaks_document(
            house.ledger, session.area(house), today=house.today(), only_open=only_open
        )
    session.output.answer(document, lambda: _render_list(session, document))


def _render_list(session: Session, document: dict[str, Any]) -> None:
    output, summary = session.output, document["summary"]
    output.line(
        output.say(
            f"差异 {summary['breaks']} 项:未结 {summary['open']},待复核 {summary['waiting']},"
            f"挂账 {summary['carried']},已结 {summary['resolved']}",
            f"{summary['breaks']} breaks: {summary['open']} open, {summary['waiting']} waiting, "
            f"{summary['carried']} carried, {summary['resolved']} resolved",
        )
    )
    heads = output.say(
        "编号|与谁|账期|差异|金额|天数|责任人|状态|处理",
        "id|with|period|break|amount|days|owner|state|way",
    ).split("|")
    rows = [
        (
            row["id"],
            output.say(*_NAMES[row["counterparty"]]),
            row["period"],
            row["subject"],
            "" if row["fen"] is None else format_yuan(row["fen"]),
            "" if row["days"] is None else str(row["days"]),
            row["owner"] or "",
            output.say(_STATES[row["state"]], row["state"]),
            output.say(*WAY_NAMES[row["way"]]) if row["way"] else "",
        )
        for row in document["breaks"]
    ]
    if rows:
        output.table(heads, rows[:_SHOWN], right=(4, 5))
    if len(rows) > _SHOWN:
        output.line(output.say(f"另有 {len(rows) - _SHOWN} 项。", f"{len(rows) - _SHOWN} more."))


@click.command("resolve", help="处理差异 / say what is done about a break")
@click.argument("number", metavar="AREA-break-…")
@click.option("--way", required=True, type=click.Choice(WAYS), help="认我方、认对方、挂账、已更正")
@click.option("--reason", required=True, help="理由 / why")
@click.option("--owner", help="责任人 / who sees to it")
@click.option("--document", metavar="DOC_NO", help="更正单据号 / the document that corrects it")
@pass_session
def resolve_command(  # noqa: PLR0917  click passes options by name
    session: Session,
    number: str,
    way: str,
    reason: str,
    owner: str | None,
    document: str | None,
) -> None:
    """Ours stand and carried take effect at once; somebody else approves the others."""
    with session.house() as house:
        resolution = Resolution(way, reason, owner, document)
        found = resolve_break(
            house.ledger, session.area(house), number, resolution, user=session.user
        )
        answer_break(session, house, found)


def answer_break(session: Session, house: House, found: Break) -> None:
    """Answer with a break as it stands."""
    area = session.area(house)
    known = differences_of(house.ledger, area).found.get(found.id)
    row = break_row(house.ledger, area.code, known, found, today=house.today())
    output = session.output

    def render() -> None:
        state = output.say(_STATES[row["state"]], row["state"])
        way = output.say(*WAY_NAMES[row["way"]]) if row["way"] else ""
        output.line(f"{row['id']}  {row['subject']}  {way}  {state}")
        if row["state"] == WAITING:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {row['id']}",
                    f"  next: somebody else runs medfund --as USER approve {row['id']}",
                )
            )
        elif row["state"] == OPEN and row["note"]:
            output.line(output.say(f"  退回:{row['note']}", f"  sent back: {row['note']}"))

    output.answer(row, render)


@click.command("release", help="撤销一组勾对 / undo a recorded match; its payments are open again")
@click.argument("match")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def release_command(session: Session, match: str, reason: str) -> None:
    """Release a match that was wrong."""
    output = session.output
    with session.house() as house:
        document = release_match(
            house.ledger, session.area(house), match, reason=reason, user=session.user
        )
    output.answer(
        document,
        lambda: output.line(
            output.say(
                f"已撤销勾对 {match}:{document['payments']} 笔收付恢复未达。",
                f"released {match}: {document['payments']} payments are open again.",
            )
        ),
    )
