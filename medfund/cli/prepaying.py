"""``payout prepay``, ``prepay-return``, ``prepayments``, ``prepaid``: prepayments to institutions."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.prepayment import Prepayment
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, pass_session
from medfund.cli.paying import asking, payout
from medfund.cli.planning import LeafAmount, Yuan
from medfund.cli.reading import Month
from medfund.cli.refusing import Day
from settlement.payout.batches import find_prepayment, load_prepayments
from settlement.payout.document import prepayment_document
from settlement.payout.owing import prepaid_by_institution
from settlement.payout.prepay_results import prepayment_results, record_prepayment_results
from settlement.payout.prepaying import (
    PrepayDraft,
    ReturnDraft,
    propose_prepayment,
    propose_return,
)

_KINDS = {"prepayment": ("预付", "prepayment"), "prepayment_return": ("收回", "return")}
_STATES = {
    "waiting": "待复核",
    "approved": "已下单",
    "rejected": "已退回",
    "ordered": "待银行结果",
    "paid": "已付讫",
    "failed": "付款失败",
    "returned": "已退汇",
}


class Months(click.ParamType[Fraction]):
    """A number of months, whole or with decimals."""

    name = "MONTHS"

    def convert(self, value: Any, param: Any, ctx: Any) -> Fraction:
        """Read the text; wrong usage otherwise."""
        try:
            months = Fraction(value)
        except (ValueError, ZeroDivisionError):
            months = Fraction(0)
        if months <= 0:
            self.fail(f"{value}: 须为大于零的月数 / months above nil", param, ctx)
        return months


@payout.command(
    "prepay", help="预付,由另一人 approve / prepay institutions; somebody else approves"
)
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option("--period", type=Month(), required=True, help="预付的月份 / month that is prepaid")
@click.option("--amount", type=Yuan(), help="总额(元),按上年记账分摊 / total, split by last year")
@click.option("--months", type=Months(), help="上年月均记账的月数 / months of last year's booked")
@click.option("--line", "lines", type=LeafAmount(), multiple=True, help="机构=金额 / CODE=YUAN")
@click.option("--date", "day", type=Day(), help="付款日期,缺省今天 / date, today if absent")
@click.option("--dry-run", is_flag=True, help="只试算 / compute only")
@pass_session
def prepay_command(
    session: Session,
    *,
    fund: str,
    period: Period,
    amount: int | None,
    months: Fraction | None,
    lines: Sequence[tuple[str, int]],
    day: date | None,
    dry_run: bool,
) -> None:
    """Prepare a batch of prepayments where the gate allows it."""
    if sum(bool(given) for given in (amount, months, lines)) > 1:
        raise click.UsageError("--amount | --months | --line CODE=YUAN …")
    with session.house() as house:
        area = session.area(house)
        draft = PrepayDraft(
            fund=fund,
            period=period,
            day=day or house.today(),
            total_fen=amount,
            months=months,
            lines=dict(lines) or None,
        )
        found = propose_prepayment(
            house.ledger,
            area,
            draft,
            ask=asking(session, house, area),
            user=session.user,
            dry_run=dry_run,
        )
    answer_prepayment(session, area, found, dry_run=dry_run)


@payout.command("prepay-return", help="收回预付金,由另一人 approve / take prepayment back")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option(
    "--line", "lines", type=LeafAmount(), multiple=True, required=True, help="机构=金额 / CODE=YUAN"
)
@click.option("--date", "day", type=Day(), help="应退日期,缺省今天 / date, today if absent")
@pass_session
def return_command(
    session: Session, *, fund: str, lines: Sequence[tuple[str, int]], day: date | None
) -> None:
    """Prepare a batch of returns."""
    with session.house() as house:
        area = session.area(house)
        draft = ReturnDraft(fund=fund, day=day or house.today(), lines=dict(lines))
        ask = asking(session, house, area)
        found = propose_return(house.ledger, area, draft, ask=ask, user=session.user)
    answer_prepayment(session, area, found)


@payout.command("prepayments", help="列出预付单与收回单 / batches of prepayments and returns")
@click.option("--fund", help="子基金或险种 / leaf fund")
@click.option("--period", type=Month(), help="预付年月,缺省本年至今 / month that is prepaid")
@pass_session
def list_command(session: Session, *, fund: str | None, period: Period | None) -> None:
    """List the batches of a month, or of the year to date."""
    with session.house() as house:
        area, now = session.area(house), Period.of(house.today())
        months = [period] if period else [Period(now.year, one) for one in range(1, now.month + 1)]
        funds = [fund] if fund else sorted(area.leaf_funds)
        found = [
            prepayment_document(area, one)
            for month in months
            for leaf in funds
            for one in load_prepayments(house.ledger, area.code, leaf, str(month)).batches
        ]
    output = session.output
    heads = output.say("预付单|种类|状态|笔数|金额", "prepayment|kind|state|orders|amount").split(
        "|"
    )
    rows = [
        (
            one["prepayment"],
            output.say(*_KINDS[one["item"]]),
            output.say(_STATES[one["state"]], one["state"]),
            str(len(one["lines"])),
            format_yuan(one["total_fen"]),
        )
        for one in found
    ]
    output.answer({"prepayments": found}, lambda: output.table(heads, rows, right=[3, 4]))


@payout.command("prepaid", help="各机构预付金余额 / what of its prepayment each institution holds")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@pass_session
def prepaid_command(session: Session, fund: str) -> None:
    """List balances of prepayments."""
    with session.house() as house:
        area = session.area(house)
        records = asking(session, house, area)(fund)
        balances = prepaid_by_institution(records, fund)
        names = {code: name for code, (name, *_) in area.institutions.items()}
    output = session.output
    rows = [
        {"institution": code, "name": names.get(code), "balance_fen": fen}
        for code, fen in balances.items()
    ]
    document = {
        "area": records.area,
        "fund": fund,
        "position": records.watermark,
        "institutions": rows,
        "total_fen": sum(balances.values()),
    }
    heads = output.say("机构|名称|预付金余额", "institution|name|prepayment held").split("|")
    shown = [(code, names.get(code) or "-", format_yuan(fen)) for code, fen in balances.items()]
    output.answer(document, lambda: output.table(heads, shown, right=[2]))


def record_for_prepayment(
    session: Session,
    house: House,
    area: Area,
    name: str,
    *,
    lines: Sequence[int],
    state: str,
    day: date,
    **said: str | None,
) -> None:
    """Record the same result for some orders of a batch, or for all that wait for it."""
    _, found = find_prepayment(house.ledger, area, name)
    results = prepayment_results(found, lines=lines, state=state, date=day.isoformat(), **said)
    recorded = record_prepayment_results(
        house.ledger,
        area,
        results,
        ask=asking(session, house, area),
        user=session.user,
        today=house.today(),
    )
    _, found = find_prepayment(house.ledger, area, name)
    answer_prepayment(session, area, found, recorded=recorded)


def answer_prepayment(
    session: Session, area: Area, found: Prepayment, *, dry_run: bool = False, **more: Any
) -> None:
    """Answer with a batch as it stands."""
    output, document = session.output, prepayment_document(area, found)

    def render() -> None:
        state = output.say(_STATES[found.state], found.state)
        if dry_run:
            state = output.say("试算", "dry run")
        kind = output.say(*_KINDS[document["item"]])
        fund, total = document["fund"], format_yuan(document["total_fen"])
        output.line(f"{kind} {fund} {document['period']}  {found.id}  {total}  {state}")
        gate = document["gate"]
        if gate is not None:
            end, months, needed = gate["period"], gate["payable_months"], gate["needed_months"]
            output.line(
                output.say(
                    f"  {end} 末可支付 {months} 个月,须 {needed} 个月",
                    f"  {months} payable months at the end of {end}, {needed} needed",
                )
            )
        heads = output.say("行|机构|名称|金额|状态", "line|institution|name|amount|state").split(
            "|"
        )
        rows = [
            (
                str(one["line"]),
                one["institution"],
                one["name"] or "-",
                format_yuan(one["amount_fen"]),
                output.say(_STATES[one["state"]], one["state"]) if one["state"] else "-",
            )
            for one in document["lines"]
        ]
        output.table(heads, rows, right=[0, 3])
        if found.state == "waiting" and not dry_run:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {found.id}",
                    f"  next: somebody else runs medfund --as USER approve {found.id}",
                )
            )

    output.answer(document | {"dry_run": dry_run} | more, render)
