"""``refuse``: audit deductions by hand, and their withdrawal after an appeal."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from ledger.aggregates.refusal import Refusal
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.reading import Month
from settlement.clearing.records import records_now
from settlement.refusal_checks import Draft, OwedByStage
from settlement.refusing import appeal_refusal, propose_refusal

_STATES = {
    "waiting": "待复核",
    "rejected": "已退回",
    "posted": "已过账",
    "appealed": "申诉待复核",
    "withdrawn": "已撤销",
}
_NEEDED = ("fund", "institution", "period", "amount", "reason_code")


class Day(click.ParamType[date]):
    """A date."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Read the text; wrong usage otherwise."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value}: 日期须写作 YYYY-MM-DD / a date is YYYY-MM-DD", param, ctx)


@cli.command(help="审核拒付,由另一人 approve / refuse part of what is owed; somebody else approves")
@click.option("--fund", help="子基金或险种 / leaf fund")
@click.option("--institution", help="定点机构编码 / institution")
@click.option("--period", type=Month(), help="清算年月 / month of care")
@click.option("--amount", metavar="YUAN", help="拒付金额(元) / amount in yuan")
@click.option("--reason-code", metavar="CODE", help="拒付原因代码 / code of the reason")
@click.option("--reason", required=True, help="理由 / why")
@click.option("--setl-id", help="结算号 / the settlement it is about")
@click.option("--doc-no", help="拒付单号,缺省由内容生成 / number; made from the content if absent")
@click.option("--date", "day", type=Day(), help="拒付日期,缺省今天 / date, today if absent")
@click.option("--withdraw", metavar="ID", help="申诉后撤销 / withdraw a refusal after an appeal")
@pass_session
def refuse(
    session: Session, *, reason: str, day: date | None, withdraw: str | None, **given: Any
) -> None:
    """Prepare a refusal or its withdrawal."""
    if withdraw is not None and any(value is not None for value in given.values()):
        raise click.UsageError("refuse --withdraw ID --reason TEXT")
    missing = [f"--{name.replace('_', '-')}" for name in _NEEDED if given[name] is None]
    if withdraw is None and missing:
        raise click.UsageError(f"缺少 / missing: {', '.join(missing)}")
    with session.house() as house:
        area = session.area(house)
        today = day or house.today()
        if withdraw is not None:
            refusal = appeal_refusal(
                house.ledger, area, refusal=withdraw, reason=reason, day=today, user=session.user
            )
        else:
            refusal = propose_refusal(
                house.ledger,
                area,
                _draft(given, reason, today),
                owed=owed_in(house, area.code),
                user=session.user,
                today=house.today(),
            )
    answer_refusal(session, refusal)


def _draft(given: Mapping[str, Any], reason: str, day: date) -> Draft:
    month: Period = given["period"]
    return Draft(
        fund=given["fund"],
        institution=given["institution"],
        month=month,
        amount=given["amount"],
        reason_code=given["reason_code"],
        reason=reason,
        day=day,
        setl_id=given["setl_id"],
        doc_no=given["doc_no"],
    )


def owed_in(house: House, area: str) -> OwedByStage:
    """Ask the archive what is owed, brought up to the log as it stands when it is asked."""

    def owed(fund: str, institution: str, month: str) -> Mapping[str, int]:
        records = records_now(house.ledger.log, house.archive, area=area)
        return records.by_stage(fund, institution, month)

    return owed


def answer_refusal(session: Session, refusal: Refusal) -> None:
    """Answer with a refusal as it stands."""
    output = session.output
    document = refusal_document(refusal)

    def render() -> None:
        state = output.say(_STATES[refusal.state], refusal.state)
        amount = format_yuan(document["amount_fen"])
        output.line(
            f"{document['fund']} {document['institution']} {document['period']}"
            f"  {refusal.id}  {amount}  {state}"
        )
        if refusal.state in {"waiting", "appealed"}:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {refusal.id}",
                    f"  next: somebody else runs medfund --as USER approve {refusal.id}",
                )
            )

    output.answer(document, render)


def refusal_document(refusal: Refusal) -> dict[str, Any]:
    """Give the JSON document of a refusal."""
    proposed = refusal.refuse_unless(*_STATES)
    return {
        "refusal": refusal.id,
        "doc_no": refusal.doc_no,
        "revision": proposed.revision,
        "state": refusal.state,
        "area": refusal.area,
        "fund": proposed.fund,
        "institution": proposed.institution,
        "period": proposed.belongs_to,
        "date": proposed.date,
        "amount_fen": proposed.amount_fen,
        "reason_code": proposed.reason_code,
        "reason": refusal.reason,
        "setl_id": proposed.setl_id,
        "prepared_by": refusal.prepared_by,
        "approved_by": refusal.approved_by,
        "booked_on": refusal.booked_on,
        "position": refusal.position,
    }
