"""``payout prepay``, ``prepay-return``, ``prepaid``: prepayments to institutions."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import click
import msgspec

from ledger.aggregates.prepayment import Prepayment
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.cli.app import Session, pass_session
from medfund.cli.by_hand import answer_proposal
from medfund.cli.paying import asking, payout
from medfund.cli.planning import LeafAmount, Yuan
from medfund.cli.reading import Month
from medfund.cli.refusing import Day
from settlement.by_hand import propose_document
from settlement.payout.owing import prepaid_by_institution
from settlement.payout.prepaying import PrepayDraft, propose_prepayment, return_cells

_STATES = {"waiting": "待复核", "approved": "已预付", "rejected": "已退回"}


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
    answer_prepayment(session, found, dry_run=dry_run)


@payout.command("prepay-return", help="收回预付金,由另一人 approve / take prepayment back")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option("--institution", required=True, help="定点机构编码 / institution")
@click.option("--amount", type=Yuan(), required=True, help="金额(元) / amount in yuan")
@click.option("--doc-no", required=True, help="单据号 / document number")
@click.option("--date", "day", type=Day(), help="到账日期,缺省今天 / date, today if absent")
@pass_session
def return_command(
    session: Session, *, fund: str, institution: str, amount: int, doc_no: str, day: date | None
) -> None:
    """Prepare the document of a return."""
    with session.house() as house:
        area, today = session.area(house), house.today()
        cells = return_cells(
            asking(session, house, area)(fund),
            fund=fund,
            institution=institution,
            fen=amount,
            doc_no=doc_no,
            day=day or today,
        )
        proposal = propose_document(house.ledger, area, cells, user=session.user, today=today)
    answer_proposal(session, proposal)


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


def answer_prepayment(session: Session, found: Prepayment, *, dry_run: bool = False) -> None:
    """Answer with a batch of prepayments as it stands."""
    output, proposed = session.output, found.proposed
    document = {
        "prepayment": found.id,
        "area": proposed.area,
        "fund": proposed.fund,
        "period": proposed.period,
        "date": proposed.date,
        "state": found.state,
        "dry_run": dry_run,
        "prepared_by": proposed.by,
        "decided_by": found.decided_by,
        "reason": found.reason,
        "total_fen": proposed.total_fen,
        "policy": proposed.policy,
        "gate": msgspec.to_builtins(proposed.gate),
        "lines": [
            {"institution": one.institution, "amount_fen": one.fen} for one in proposed.lines
        ],
    }

    def render() -> None:
        state = output.say(_STATES[found.state], found.state)
        if dry_run:
            state = output.say("试算", "dry run")
        total = format_yuan(proposed.total_fen)
        output.line(f"{proposed.fund} {proposed.period}  {found.id}  {total}  {state}")
        gate = proposed.gate
        output.line(
            output.say(
                f"  {gate.period} 末可支付 {gate.payable_months} 个月,须 {gate.needed_months} 个月",
                f"  {gate.payable_months} payable months at the end of {gate.period},"
                f" {gate.needed_months} needed",
            )
        )
        heads = output.say("机构|预付金额", "institution|prepaid").split("|")
        rows = [(one.institution, format_yuan(one.fen)) for one in proposed.lines]
        output.table(heads, rows, right=[1])
        if found.state == "waiting" and not dry_run:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {found.id}",
                    f"  next: somebody else runs medfund --as USER approve {found.id}",
                )
            )

    output.answer(document, render)
