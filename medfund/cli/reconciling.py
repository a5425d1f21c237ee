"""``reconcile``: our settlements and our money against what others state (对账)."""

from pathlib import Path
from typing import Any

import click

from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.breaking import breaks_command, release_command, resolve_command
from medfund.cli.files import deliver
from medfund.cli.four_way import RESULT_FILES, counterparty_command, sign_command
from medfund.cli.reading import Month
from medfund.cli.remote_care import remote_command
from medfund.cli.three_way import answer_three_way
from projections.reports.csv import to_csv
from projections.reports.reconciliation_tables import reconciliation_tables
from projections.reports.xlsx import to_xlsx
from settlement.banking import COUNTERPARTIES
from settlement.reconciliation.document import document_of
from settlement.reconciliation.recording import INSTITUTION, month_of, open_since, record
from settlement.reconciliation.resolving import annotate_institutions
from settlement.reconciliation.signing import signature_of

_SHOWN = 50


@cli.group(help="对账 / reconciliation with those outside")
def reconcile() -> None:
    """Gather the kinds of reconciliation."""


for _counterparty in COUNTERPARTIES:
    reconcile.add_command(counterparty_command(_counterparty))
for _command in (sign_command, breaks_command, resolve_command, release_command, remote_command):
    reconcile.add_command(_command)


@reconcile.command(
    "institution",
    help="与定点机构对账:先总账后明细 / with institutions: totals, then details that differ",
)
@click.argument("period", type=Month())
@click.option("--institution", metavar="CODE", help="只看一家机构 / one institution only")
@click.option(
    "--result",
    "target",
    type=click.Path(path_type=Path),
    help="结果文件 .csv 或 .xlsx / write the result to a file",
)
@click.option("--record", "recording", is_flag=True, help="登记对账结果 / record the result")
@click.option(
    "--three-way",
    "three_way",
    is_flag=True,
    help="三方核对:记账、机构申请、银行付款 / our record, the application and the bank side by side",
)
@pass_session
def institution_command(  # noqa: PLR0917  click passes options by name
    session: Session,
    period: Period,
    institution: str | None,
    target: Path | None,
    recording: bool,  # noqa: FBT001
    three_way: bool,  # noqa: FBT001
) -> None:
    """Reconcile a month with institutions; differences are a result, not an error."""
    if recording and (institution or three_way):
        raise click.UsageError("--record 登记全部机构的结果 / --record is about all institutions")
    if target is not None and target.suffix.lower() not in RESULT_FILES:
        raise click.UsageError("--result FILE.csv | FILE.xlsx")
    if three_way:
        answer_three_way(session, period, institution, target)
        return
    output = session.output
    with session.house() as house:
        document = _document(session, house, period, institution, recording=recording)
    if target is not None:
        tables = reconciliation_tables(document, lang=output.lang)
        is_sheet = target.suffix.lower() == ".xlsx"
        deliver(to_xlsx(tables) if is_sheet else b"".join(map(to_csv, tables)), target)
        document["file"] = str(target)
    output.answer(document, lambda: _render(session, document))


def _document(
    session: Session, house: House, period: Period, institution: str | None, *, recording: bool
) -> dict[str, Any]:
    area = session.area(house)
    if recording:
        area.allow(session.user, "reconcile")
    found = month_of(house.ledger, area, period, institution)
    recorded = record(house.ledger, area, found, user=session.user) if recording else None
    document = document_of(
        found,
        area,
        since=open_since(house.ledger, found),
        today=house.today(),
        lang=session.output.lang,
    )
    document["signature"] = signature_of(
        house.ledger, area, counterparty=INSTITUTION, period=str(period)
    )
    annotate_institutions(house.ledger, area.code, document, session.output.lang)
    if recorded is not None:
        document["recorded"] = {"position": recorded.position, "repeated": recorded.repeated}
    return document


def _render(session: Session, document: dict[str, Any]) -> None:
    output, summary = session.output, document["summary"]
    rate = summary["match_rate"] or "-"
    output.line(
        output.say(
            f"{document['period']} 机构对账,日志位置 {document['position']}:"
            f"{summary['groups']} 组,平 {summary['even']},中心多 {summary['ours_more']},"
            f"机构多 {summary['theirs_more']},不一致 {summary['unequal']},"
            f"未对账机构 {summary['unreconciled']} 家,对平率 {rate}%",
            f"{document['period']} with institutions, log position {document['position']}: "
            f"{summary['groups']} groups, {summary['even']} even, {summary['ours_more']} ours "
            f"more, {summary['theirs_more']} theirs more, {summary['unequal']} unequal, "
            f"{summary['unreconciled']} institutions without a statement, match rate {rate}%",
        )
    )
    _render_groups(session, document)
    _render_breaks(session, document)
    elsewhere = document["elsewhere"]["cases"]
    if elsewhere:
        output.line(
            output.say(
                f"异地机构结算 {elsewhere} 笔不在此对账(走异地清分)。",
                f"{elsewhere} settlements elsewhere are reconciled by allocation, not here.",
            )
        )
    if "recorded" in document:
        at = document["recorded"]["position"]
        same = document["recorded"]["repeated"]
        zh = f"与位置 {at} 的登记相同,未重复登记。" if same else f"已登记,位置 {at}。"
        en = f"the same as recorded at {at}; nothing added." if same else f"recorded at {at}."
        output.line(output.say(zh, en))
    if "file" in document:
        output.line(output.say(f"已写入 {document['file']}", f"written to {document['file']}"))


def _render_groups(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    heads = output.say(
        "机构|险种|清算类别|结果|中心笔数|中心医疗费|中心基金|中心个账|机构笔数|机构医疗费|机构基金|机构个账|挂账天数",
        "institution|insutype|clr_type|result|cases|fee|fund|account"
        "|their cases|their fee|their fund|their account|days open",
    ).split("|")
    rows = [
        (
            row["institution"],
            row["insutype"],
            row["clr_type"] + {"all": "", "normal": " +", "refunds": " −"}[row["part"]],
            row["result_name"],
            *_figures(row["ours"]),
            *_figures(row["theirs"]),
            _age(row),
        )
        for row in document["groups"]
    ]
    missing = output.say("未对账", "no statement")
    rows += [
        (row["institution"], "", "", missing, *_figures(row["ours"]), *_figures(None), _age(row))
        for row in document["unreconciled"]
    ]
    if rows:
        output.table(heads, rows, right=range(4, 13))


def _render_breaks(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    breaks = [
        (result["institution"], row) for result in document["details"] for row in result["breaks"]
    ]
    if not breaks:
        return
    heads = output.say(
        "机构|结算ID|退费|结果|中心医疗费|中心基金|中心个账|机构医疗费|机构基金|机构个账|行号",
        "institution|setl_id|refund|result|fee|fund|account|their fee|their fund|their account|line",
    ).split("|")
    output.table(
        heads,
        [
            (
                institution,
                row["setl_id"],
                "1" if row["refund"] else "0",
                row["result_name"],
                *_figures(row["ours"], cases=False),
                *_figures(row["theirs"], cases=False),
                str(row["line"] or ""),
            )
            for institution, row in breaks[:_SHOWN]
        ],
        right=range(4, 11),
    )
    if len(breaks) > _SHOWN:
        output.line(
            output.say(
                f"另有 {len(breaks) - _SHOWN} 笔差异;全部见 --result FILE。",
                f"{len(breaks) - _SHOWN} more breaks; --result FILE has all.",
            )
        )


def _figures(side: dict[str, int] | None, *, cases: bool = True) -> list[str]:
    amounts = ("medfee_fen", "fund_fen", "account_fen")
    if side is None:
        return ["-"] * (len(amounts) + cases)
    count = [str(side["cases"])] if cases else []
    return [*count, *(format_yuan(side[key]) for key in amounts)]


def _age(row: dict[str, Any]) -> str:
    first = row["first_recorded"]
    return str(first["days"]) if first else ""
