"""``reconcile remote``: allocations of care across areas (异地清分) against our own settlements."""

from pathlib import Path
from typing import Any

import click

from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, pass_session
from medfund.cli.archived import archive_up_to_now
from medfund.cli.files import deliver
from medfund.cli.output import Output
from medfund.cli.reading import Month
from projections.queries.balances import balances_document
from projections.reports.csv import to_csv
from projections.reports.remote_tables import ROLES, remote_table
from projections.reports.xlsx import to_xlsx
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.records import MEMORY_MIB
from settlement.reconciliation.remote import RemoteQuestion, reconcile_remote, record_remote
from settlement.reconciliation.remote_document import prefund_document, remote_document
from settlement.reconciliation.resolving import annotate_remote

_SHOWN = 50
_RESULT_FILES = (".csv", ".xlsx")


@click.command("remote", help="异地清分对账 / allocations across areas, settlement by settlement")
@click.argument("period", type=Month())
@click.option(
    "--result",
    "target",
    type=click.Path(path_type=Path),
    help="结果文件 .csv 或 .xlsx / write what is open to a file",
)
@click.option("--record", "recording", is_flag=True, help="登记对账结果 / record the result")
@pass_session
def remote_command(
    session: Session,
    period: Period,
    target: Path | None,
    recording: bool,  # noqa: FBT001  click passes options by name
) -> None:
    """Compare a month's allocation with our settlements."""
    if target is not None and target.suffix.lower() not in _RESULT_FILES:
        raise click.UsageError("--result FILE.csv | FILE.xlsx")
    output = session.output
    with session.house() as house:
        document = _document(session, house, period, recording=recording)
    if target is not None:
        found = remote_table(document, lang=output.lang)
        is_sheet = target.suffix.lower() == ".xlsx"
        deliver(to_xlsx([found]) if is_sheet else to_csv(found), target)
        document["file"] = str(target)
    output.answer(document, lambda: _render(output, document))


def _document(session: Session, house: House, period: Period, *, recording: bool) -> dict[str, Any]:
    area = session.area(house)
    if recording:
        area.allow(session.user, "reconcile")
    archive, watermark = archive_up_to_now(session, house)
    engine = DuckDBEngine(memory_mib=MEMORY_MIB)
    found = reconcile_remote(house.ledger, RemoteQuestion(area, period, archive, engine, watermark))
    prefund = prefund_document(found, _prefund(house, area.code, period), area.policies)
    document = remote_document(found, prefund, lang=session.output.lang)
    if recording:
        position, repeated = record_remote(house.ledger, area, found, user=session.user)
        document["recorded"] = {"position": position, "repeated": repeated}
    annotate_remote(house.ledger, area.code, document, session.output.lang)
    return document


def _prefund(house: House, area: str, period: Period) -> int:
    """Read what lies with other places as prefund at the end of the month."""
    house.catch_up()
    balances = balances_document(house.reads, house.ledger, area=area, as_of=period.last_day)
    return sum(
        int(row["balance_fen"])
        for row in balances["balances"]
        if row["account"] == "advance.remote"
    )


def _render(output: Output, document: dict[str, Any]) -> None:
    summary = document["summary"]
    output.line(
        output.say(
            f"{document['period']} 异地清分对账,日志位置 {document['position']}:"
            f"{summary['settlements']} 笔,确认 {summary['confirmed']},差异 {summary['differs']},"
            f"挂账 {summary['hanging']},未确认 {summary['unconfirmed']}",
            f"{document['period']}, log position {document['position']}: "
            f"{summary['settlements']} settlements, {summary['confirmed']} confirmed, "
            f"{summary['differs']} differ, {summary['hanging']} hanging, "
            f"{summary['unconfirmed']} unconfirmed",
        )
    )
    if not document["received"]:
        zh, en = "该月还没有导入清分明细。", "No allocation of the month was brought in yet."
        output.line(output.say(zh, en), style="yellow")
    for role, fen in document["confirmed_fen"].items():
        output.line(f"  {output.say(*ROLES[role])}: {format_yuan(fen)}")
    _render_prefund(output, document["prefund"])
    _render_open(output, document["open"])
    if "recorded" in document:
        at, same = document["recorded"]["position"], document["recorded"]["repeated"]
        zh = f"与位置 {at} 的登记相同,未重复登记。" if same else f"已登记,位置 {at}。"
        en = f"the same as recorded at {at}; nothing added." if same else f"recorded at {at}."
        output.line(output.say(zh, en))
    if "file" in document:
        output.line(output.say(f"已写入 {document['file']}", f"written to {document['file']}"))


def _render_prefund(output: Output, prefund: dict[str, Any]) -> None:
    balance, used = format_yuan(prefund["balance_fen"]), format_yuan(prefund["used_fen"])
    share = "-" if prefund["share"] is None else f"{prefund['share']}%"
    output.line(
        output.say(
            f"  异地预付金 {balance},本月使用 {used}({share},预警线 {prefund['warn_at']}%)",
            f"  prefund {balance}, used {used} ({share}, warned from {prefund['warn_at']}%)",
        ),
        style="yellow" if prefund["warning"] else None,
    )
    if prefund["warning"]:
        zh = "  预付金使用超过预警线,请申请调增。"
        en = "  The prefund is nearly used up: ask for more."
        output.line(output.say(zh, en), style="yellow")


def _render_open(output: Output, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    heads = output.say(
        "结算ID|退费|角色|状态|就医地|机构|本区支付|清分支付",
        "setl_id|refund|role|state|place|institution|ours|allocated",
    ).split("|")
    shown = [
        (
            one["setl_id"],
            "1" if one["refund"] else "0",
            output.say(*ROLES[one["role"]]),
            one["state_name"],
            one["mdtrtarea"] or "-",
            one["institution"],
            *(
                "-" if fen is None else format_yuan(fen)
                for fen in (one["ours_fen"], one["theirs_fen"])
            ),
        )
        for one in rows[:_SHOWN]
    ]
    output.table(heads, shown, right=(6, 7))
    if len(rows) > _SHOWN:
        more = len(rows) - _SHOWN
        zh, en = f"另有 {more} 笔;全部见 --result FILE。", f"{more} more; --result FILE has all."
        output.line(output.say(zh, en))
