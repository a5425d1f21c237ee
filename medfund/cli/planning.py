"""``payout plan``, ``grant``, ``draw``: the month's plan of payments."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.plan import Plan
from ledger.application import FundLedger
from ledger.domain.fund import leaves
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.cli.app import Session, pass_session
from medfund.cli.paying import asking, payout
from medfund.cli.reading import Month
from medfund.cli.refusing import Day
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell
from settlement.payout.batches import load_payouts
from settlement.payout.plan_gate import load_plan, ordered_fen
from settlement.payout.planning import (
    PlanDraft,
    draw_plan,
    grant_plan,
    request_plan,
)


class Yuan(click.ParamType[int]):
    """An amount in yuan, above nil or nil; in fen inside."""

    name = "YUAN"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Read the text; wrong usage otherwise."""
        if isinstance(value, int):
            return value
        try:
            fen = parse_amount(value)
        except BadCell:
            fen = None
        if fen is None or fen < 0:
            self.fail(f"{value}: 须为不小于零的元 / yuan, not below nil", param, ctx)
        return fen


class LeafAmount(click.ParamType[tuple[str, int]]):
    """``FUND=YUAN``."""

    name = "FUND=YUAN"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        """Read the text; wrong usage otherwise."""
        if isinstance(value, tuple):
            return value
        fund, _, amount = value.partition("=")
        return fund, Yuan().convert(amount, param, ctx)


@payout.command("plan", help="用款计划申请或查看 / ask the finance bureau for money, or show")
@click.option("--fund", required=True, help="险种 / fund")
@click.option("--period", type=Month(), help="付款年月,缺省本月 / month of payment")
@click.option("--add", "added", type=LeafAmount(), multiple=True, help="另加金额 / added by hand")
@click.option("--note", help="说明 / note")
@click.option("--date", "day", type=Day(), help="日期,缺省今天 / date, today if absent")
@click.option("--show", is_flag=True, help="只查看 / show only")
@pass_session
def plan_command(
    session: Session,
    *,
    fund: str,
    period: Period | None,
    added: Sequence[tuple[str, int]],
    note: str | None,
    day: date | None,
    show: bool,
) -> None:
    """Ask for what is approved and not ordered."""
    with session.house() as house:
        area, day = session.area(house), day or house.today()
        month = period or Period.of(day)
        if show:
            plan = load_plan(house.ledger, area.code, fund, str(month))
        else:
            draft = PlanDraft(fund=fund, period=month, day=day, by_hand=dict(added), note=note)
            records = asking(session, house, area)(fund)
            plan = request_plan(house.ledger, area, draft, records=records, user=session.user)
        document = _document(plan, _ordered(house.ledger, area, plan))
    _answer(session, document)


@payout.command("grant", help="登记用款批复 / record what the finance bureau grants")
@click.option("--fund", required=True, help="险种 / fund")
@click.option("--period", type=Month(), required=True, help="付款年月 / month of payment")
@click.option("--amount", "amounts", type=LeafAmount(), multiple=True, help="缺省全额 / or all")
@click.option("--paper", required=True, help="批复文号 / the paper")
@click.option("--date", "day", type=Day(), help="批复日期,缺省今天 / date, today if absent")
@pass_session
def grant_command(
    session: Session,
    *,
    fund: str,
    period: Period,
    amounts: Sequence[tuple[str, int]],
    paper: str,
    day: date | None,
) -> None:
    """Record a grant; not by whoever asked."""
    with session.house() as house:
        area = session.area(house)
        plan = grant_plan(
            house.ledger,
            area,
            fund=fund,
            period=period,
            amounts=dict(amounts),
            paper=paper,
            day=day or house.today(),
            user=session.user,
        )
        document = _document(plan, _ordered(house.ledger, area, plan))
    _answer(session, document)


@payout.command("draw", help="按批复拨入支出户 / draw granted money to the expenditure account")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option("--period", type=Month(), required=True, help="付款年月 / month of payment")
@click.option("--doc-no", required=True, help="拨款单号 / number of the transfer")
@click.option("--amount", type=Yuan(), help="金额,缺省全部余额 / amount, or all that is left")
@click.option("--date", "day", type=Day(), help="日期,缺省今天 / date, today if absent")
@pass_session
def draw_command(
    session: Session,
    *,
    fund: str,
    period: Period,
    doc_no: str,
    amount: int | None,
    day: date | None,
) -> None:
    """Move money from the fiscal to the expenditure account."""
    with session.house() as house:
        area = session.area(house)
        plan = draw_plan(
            house.ledger,
            area,
            fund=fund,
            period=period,
            fen=amount,
            doc_no=doc_no,
            day=day or house.today(),
            user=session.user,
        )
        document = _document(plan, _ordered(house.ledger, area, plan))
    _answer(session, document)


def _ordered(ledger: FundLedger, area: Area, plan: Plan) -> Mapping[str, int]:
    """Add up what is ordered or paid in the month of a plan, by leaf fund."""
    return {
        leaf: ordered_fen(ledger, area, load_payouts(ledger, plan.area, leaf, plan.period))
        for leaf in leaves(plan.fund)
    }


def _document(plan: Plan, ordered: Mapping[str, int]) -> dict[str, Any]:
    return {
        "area": plan.area,
        "fund": plan.fund,
        "period": plan.period,
        "rounds": len(plan.requests),
        "waiting": plan.waiting is not None,
        "papers": [one.paper for one in plan.grants],
        "draws": [
            {"doc_no": one.doc_no, "fund": one.fund, "date": one.date, "amount_fen": one.amount_fen}
            for one in plan.draws
        ],
        "funds": [
            {
                "fund": leaf,
                "requested_fen": plan.requested(leaf),
                "granted_fen": plan.granted(leaf),
                "drawn_fen": plan.drawn(leaf),
                "ordered_fen": fen,
                "left_fen": plan.granted(leaf) - fen,
            }
            for leaf, fen in ordered.items()
        ],
    }


def _answer(session: Session, document: dict[str, Any]) -> None:
    output = session.output

    def render() -> None:
        output.line(f"{document['fund']} {document['period']}  " + ", ".join(document["papers"]))
        heads = output.say(
            "险种|申请|批复|已拨支出户|已下单|批复余额",
            "fund|requested|granted|drawn|ordered|left",
        ).split("|")
        names = ("requested_fen", "granted_fen", "drawn_fen", "ordered_fen", "left_fen")
        rows = [
            (one["fund"], *(format_yuan(one[name]) for name in names)) for one in document["funds"]
        ]
        output.table(heads, rows, right=range(1, 6))
        if document["waiting"]:
            output.line(
                output.say(
                    "  下一步:由另一人登记批复 payout grant",
                    "  next: somebody else records the grant with payout grant",
                )
            )

    output.answer(document, render)
