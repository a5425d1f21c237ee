"""``payout``: payment orders to institutions."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.payout import Payout
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.archived import records_up_to_now
from medfund.cli.files import deliver
from medfund.cli.reading import Month
from medfund.cli.refusing import Day
from projections.reports.csv import to_csv
from projections.reports.payout_table import payout_table
from projections.reports.xlsx import to_xlsx
from settlement.clearing.month.question import refuse_unfinished
from settlement.clearing.owed import Records
from settlement.payout.batches import payout_of, states_of
from settlement.payout.document import list_payouts, payout_document
from settlement.payout.ordering import Ask, Draft, prepare

_STATES = {
    "waiting": "待复核",
    "approved": "已下单",
    "rejected": "已退回",
    "ordered": "待银行结果",
    "paid": "已付讫",
    "failed": "付款失败",
    "returned": "已退汇",
}
HELD = {
    "carried": ("结转(合计不为正)", "carried forward (not above nil together)"),
    "succeeded": ("抵减被合并机构的结转", "makes up for the debt of a merged one"),
    "suspended": ("暂停拨付", "suspended"),
    "payee_suspended": ("承继机构暂停拨付", "successor suspended"),
}


@cli.group(help="拨付:付款单与银行结果 / payment orders and the bank's results")
def payout() -> None:
    """Commands about paying."""


def asking(session: Session, house: House, area: Area) -> Ask:
    """Give what the archive says, as the log stands when it is asked."""

    def ask(fund: str) -> Records:
        refuse_unfinished(house.ledger.log, area.code, fund)
        return records_up_to_now(session, house, area.code)

    return ask


@payout.command("prepare", help="制单:按已审定未付金额生成付款单 / prepare payment orders")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option(
    "--period", "months", type=Month(), multiple=True, help="只付此清算年月 / month of care"
)
@click.option("--institution", "institutions", multiple=True, help="只付此机构 / institution")
@click.option("--date", "day", type=Day(), help="付款日期,缺省今天 / date, today if absent")
@click.option("--dry-run", is_flag=True, help="只试算 / compute only")
@pass_session
def prepare_command(
    session: Session,
    *,
    fund: str,
    months: Sequence[Period],
    institutions: Sequence[str],
    day: date | None,
    dry_run: bool,
) -> None:
    """Prepare a batch; somebody else approves."""
    with session.house() as house:
        area, today = session.area(house), house.today()
        draft = Draft(
            fund=fund,
            day=day or today,
            months=tuple(sorted(map(str, months))),
            institutions=tuple(sorted(institutions)),
        )
        found = prepare(
            house.ledger,
            area,
            draft,
            ask=asking(session, house, area),
            user=session.user,
            today=today,
            dry_run=dry_run,
        )
        document = payout_document(area, found, states_of(house.ledger, found))
    answer_payout(session, document | {"dry_run": dry_run})


@payout.command("list", help="列出拨付单 / list batches")
@click.option("--fund", help="子基金或险种 / leaf fund")
@click.option("--period", type=Month(), help="付款年月,缺省本年至今 / month of payment")
@pass_session
def list_command(session: Session, *, fund: str | None, period: Period | None) -> None:
    """List the batches of a month of payment, or of the year to date."""
    with session.house() as house:
        area, now = session.area(house), Period.of(house.today())
        months = [period] if period else [Period(now.year, one) for one in range(1, now.month + 1)]
        funds = [fund] if fund else sorted(area.leaf_funds)
        found = list_payouts(house.ledger, area, funds=funds, periods=months)
    output = session.output
    heads = output.say(
        "拨付单|状态|笔数|金额|已付|失败|退汇|待结果",
        "payout|state|orders|amount|paid|failed|returned|open",
    )
    sums = ("total_fen", "paid_fen", "failed_fen", "returned_fen", "open_fen")
    output.answer(
        {"payouts": found},
        lambda: output.table(
            heads.split("|"),
            [
                (
                    one["payout"],
                    output.say(_STATES[one["state"]], one["state"]),
                    str(one["orders"]),
                    *(format_yuan(one[name]) for name in sums),
                )
                for one in found
            ],
            right=range(2, 8),
        ),
    )


@payout.command("show", help="查看拨付单,可导出给银行 / show a batch, or export it for the bank")
@click.argument("payout_id", metavar="ID")
@click.option("--format", "form", type=click.Choice(["table", "csv", "xlsx"]), default="table")
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="文件 / file")
@pass_session
def show_command(session: Session, *, payout_id: str, form: str, target: Path | None) -> None:
    """Show a batch whole."""
    with session.house() as house:
        area = session.area(house)
        _, found = payout_of(house.ledger, area, payout_id)
        document = payout_document(area, found, states_of(house.ledger, found))
    if form == "table":
        answer_payout(session, document)
        return
    table = payout_table(document, session.output.lang)
    deliver(to_csv(table) if form == "csv" else to_xlsx([table]), target)


def answer_decided(session: Session, house: House, area: Area, found: Payout) -> None:
    """Answer with a batch as it stands after a decision."""
    answer_payout(session, payout_document(area, found, states_of(house.ledger, found)))


def answer_payout(session: Session, document: dict[str, Any]) -> None:
    """Answer with a batch."""
    session.output.answer(document, lambda: _render(session, document))


def _render(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    state = output.say(_STATES[document["state"]], document["state"])
    if document.get("dry_run"):
        state = output.say("试算,未制单", "dry run, nothing was prepared")
    total = format_yuan(document["total_fen"])
    output.line(f"{document['fund']} {document['date']}  {document['payout']}  {total}  {state}")
    heads = output.say(
        "行|机构|名称|收款方|清算年月|金额|状态|银行流水号",
        "line|institution|name|payee|months|amount|state|bank reference",
    )
    rows = [
        (
            str(one["line"]),
            one["institution"],
            one["name"] or "-",
            one["payee"],
            " ".join(part["month"] for part in one["months"]),
            format_yuan(one["amount_fen"]),
            output.say(_STATES[one["state"]], one["state"]) if one["state"] else "-",
            one["bank_ref"] or "-",
        )
        for one in document["lines"]
    ]
    output.table(heads.split("|"), rows, right=[0, 5])
    if document["held"]:
        heads = output.say("暂不拨付|名称|金额|原因", "held back|name|amount|reason")
        held = [
            (
                one["institution"],
                one["name"] or "-",
                format_yuan(one["amount_fen"]),
                output.say(*HELD[one["reason"]]),
            )
            for one in document["held"]
        ]
        output.table(heads.split("|"), held, right=[2])
    if document["state"] == "waiting" and not document.get("dry_run"):
        name = document["payout"]
        output.line(
            output.say(
                f"  下一步:由另一人执行 medfund --as USER approve {name}",
                f"  next: somebody else runs medfund --as USER approve {name}",
            )
        )
