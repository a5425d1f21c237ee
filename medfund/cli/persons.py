"""``payout release`` and ``payout persons``: payments to persons, whose names lie in the kept file only."""

import tempfile
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.payout import ORDERED
from ledger.aggregates.persons import PersonPayout, person_order_no
from ledger.domain.money import format_yuan
from ledger.store.vault import KeyDestroyed
from medfund.bootstrap import House
from medfund.cli.app import Session, pass_session
from medfund.cli.files import deliver
from medfund.cli.paying import payout
from projections.reports.csv import to_csv
from projections.reports.model import Kind, Table, columns_in, table
from projections.reports.xlsx import to_xlsx
from settlement.intake.columns import PERSON_PAYMENTS
from settlement.intake.person_rows import PersonRow, check_persons
from settlement.intake.readers import open_table
from settlement.intake.row_reader import CheckContext
from settlement.payout.batches import find_person_payout, payments_of
from settlement.payout.persons import record_person_results, release_persons
from settlement.payout.results import Result

_STATES = {
    "waiting": "待复核",
    "approved": "已批准,待释放",
    "rejected": "已退回",
    "released": "已释放代发文件",
    "ordered": "待银行结果",
    "paid": "已付讫",
    "failed": "付款失败",
    "returned": "已退汇",
}
_BANK_FILE = (
    ("付款单号", "order", Kind.TEXT, 34),
    ("收款人户名", "name", Kind.TEXT, 16),
    ("收款账号", "account", Kind.TEXT, 24),
    ("开户行", "bank", Kind.TEXT, 24),
    ("金额(元)", "amount (yuan)", Kind.FEN, 16),
)


@payout.command("release", help="释放代发文件,登记而不留存 / make the bank's file for persons")
@click.argument("payout_id", metavar="ID")
@click.option("--format", "form", type=click.Choice(["csv", "xlsx"]), default="csv")
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True)
@pass_session
def release_command(session: Session, *, payout_id: str, form: str, target: Path) -> None:
    """Make the file out of the kept one, log it, hand it out."""
    with session.house() as house:
        area = session.area(house)
        found = find_person_payout(house.ledger, area, payout_id)
        sheet = _bank_file(house, area, found)
        data = to_csv(sheet)  # what is hashed does not depend on the form that is asked for
        content = house.vault.content_key(sha256(data).hexdigest())
        found = release_persons(
            house.ledger, area, payout=payout_id, content=content, user=session.user
        )
        deliver(data if form == "csv" else to_xlsx([sheet]), target)
        answer_persons(session, house, found)


@payout.command("persons", help="查看个人拨付单,不含姓名账号 / show a batch, without names")
@click.argument("payout_id", metavar="ID")
@pass_session
def persons_command(session: Session, payout_id: str) -> None:
    """Show a batch of payments to persons."""
    with session.house() as house:
        found = find_person_payout(house.ledger, session.area(house), payout_id)
        answer_persons(session, house, found)


def record_for_persons(
    session: Session,
    house: House,
    area: Area,
    payout_id: str,
    *,
    lines: Sequence[int],
    state: str,
    day: date,
    bank_ref: str | None = None,
    reason: str | None = None,
) -> None:
    """Record the same result for some payments of a batch, or for all that wait for it."""
    found = find_person_payout(house.ledger, area, payout_id)
    waiting = [
        one.requested.number
        for one in payments_of(house.ledger, found)
        if one.states[-1].state == ORDERED
    ]
    results = [
        Result(
            payout=payout_id,
            line=line,
            state=state,
            date=day.isoformat(),
            bank_ref=bank_ref,
            reason=reason,
        )
        for line in lines or waiting
    ]
    recorded = record_person_results(house.ledger, area, found, results, user=session.user)
    answer_persons(session, house, found, recorded=recorded)


def answer_persons(session: Session, house: House, found: PersonPayout, **more: Any) -> None:
    """Answer with a batch as it stands; nobody is named."""
    payments = payments_of(house.ledger, found)
    document = {
        "payout": found.id,
        "area": found.area,
        "state": found.state,
        "prepared_by": found.prepared_by,
        "decided_by": found.decided_by,
        "reason": found.reason,
        "total_fen": found.total_fen,
        "released": len(found.released),
        "payments": [
            {
                "order_no": person_order_no(found.id, one.requested.number),
                "ref": one.requested.ref,
                "fund": one.requested.fund,
                "kind": one.requested.kind,
                "amount_fen": one.requested.fen,
                "state": one.states[-1].state,
                "result_date": one.states[-1].date or None,
                "bank_ref": one.states[-1].bank_ref,
                "reason": one.states[-1].reason,
            }
            for one in payments
        ],
        **more,
    }
    output = session.output

    def render() -> None:
        state = output.say(_STATES[found.state], found.state)
        output.line(f"{found.id}  {format_yuan(found.total_fen)}  {state}")
        heads = output.say("付款单号|受理号|险种|金额|状态", "order|reference|fund|amount|state")
        rows = [
            (
                str(one["order_no"]),
                str(one["ref"]),
                str(one["fund"]),
                format_yuan(payment.requested.fen),
                output.say(_STATES[payment.states[-1].state], payment.states[-1].state),
            )
            for one, payment in zip(document["payments"], payments, strict=True)
        ]
        output.table(heads.split("|"), rows, right=[3])

    output.answer(document, render)


def _bank_file(house: House, area: Area, found: PersonPayout) -> Table:
    """Read the kept file once more and write the bank's lines of what the batch has."""
    kept = [one for one in house.vault.reports(area.code) if one.intake == found.batch]
    if not kept:
        raise KeyDestroyed(name=f"file of {found.batch}")
    data = house.vault.file(kept[-1].content)
    by_name = {row.group: row for row in _rows_of(data, house, area)}
    rows = []
    for payment in payments_of(house.ledger, found):
        row = by_name[payment.requested.payment]
        number = person_order_no(found.id, payment.requested.number)
        rows.append((number, row.psn_name, row.bank_account, row.bank_name, row.fen))
    return table(f"代发 {found.id}", columns_in("zh", *_BANK_FILE), rows)


def _rows_of(data: bytes, house: House, area: Area) -> list[PersonRow]:
    context = CheckContext(area=area.code, today=house.today(), funds=area.leaf_funds, accounts={})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "received"
        path.write_bytes(data)
        return check_persons(open_table(path, kind=PERSON_PAYMENTS.name), context).rows
