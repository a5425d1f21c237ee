"""``recover`` and ``penalize``: single documents by hand; somebody else approves."""

from datetime import date
from typing import Any

import click

from ledger.aggregates.proposal import WAITING, Proposal
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.offsetting import answer_offset
from medfund.cli.refusing import Day
from settlement.by_hand import propose_document
from settlement.offsets import OffsetDraft, propose_offset

_STATES = {"waiting": "待复核", "rejected": "已退回", "posted": "已过账"}


@cli.command(help="追回,由另一人 approve / money recovered; somebody else approves")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option("--amount", required=True, metavar="YUAN", help="金额(元) / amount in yuan")
@click.option("--original-year", required=True, metavar="YYYY", help="原支付年度 / year of payment")
@click.option("--doc-no", required=True, help="单据号 / document number")
@click.option("--counterparty", help="对方单位 / institution or other payer")
@click.option("--method", help="方式 / cash, offset, deposit, instalment, account")
@click.option("--original-doc", help="原单据号 / document of the payment")
@click.option("--date", "day", type=Day(), help="入账日期,缺省今天 / date, today if absent")
@click.option("--belongs-to", metavar="YYYY-MM", help="费款所属期 / month it is for")
@click.option("--note", help="备注 / note")
@click.option(
    "--from-next-payment",
    is_flag=True,
    help="由以后的清算批次从应拨付中抵扣 / taken by the clearing runs that follow",
)
@pass_session
def recover(session: Session, *, day: date | None, from_next_payment: bool, **given: Any) -> None:
    """Prepare a recovery."""
    if from_next_payment:
        _take_later(session, day, given)
    else:
        _propose(session, "recovery", day, given)


def _take_later(session: Session, day: date | None, given: dict[str, Any]) -> None:
    """Prepare a recovery that no document is for: the runs take it from what they pay."""
    stray = [name for name in ("method", "original_doc", "belongs_to") if given.pop(name)]
    if stray or not given["counterparty"] or not given["note"]:
        raise click.UsageError(
            "--from-next-payment 须有 --counterparty 机构 与 --note 理由,不用 --method、"
            "--original-doc、--belongs-to / it needs an institution and a reason, and none of these"
        )
    with session.house() as house:
        today = house.today()
        draft = OffsetDraft(
            doc_no=given["doc_no"],
            fund=given["fund"],
            institution=given["counterparty"],
            amount=given["amount"],
            original_year=given["original_year"],
            reason=given["note"],
            day=day or today,
        )
        offset = propose_offset(
            house.ledger, session.area(house), draft, user=session.user, today=today
        )
    answer_offset(session, offset)


@cli.command(help="罚款登记,由另一人 approve / a fine due to the treasury; somebody else approves")
@click.option("--fund", required=True, help="子基金或险种 / leaf fund")
@click.option("--amount", required=True, metavar="YUAN", help="金额(元) / amount in yuan")
@click.option("--doc-no", required=True, help="单据号 / document number")
@click.option("--counterparty", help="对方单位 / who is fined")
@click.option("--money-account", help="误入的资金账户 / the fund's account it lies in, if in any")
@click.option("--date", "day", type=Day(), help="日期,缺省今天 / date, today if absent")
@click.option("--note", help="备注 / note")
@pass_session
def penalize(session: Session, *, day: date | None, **given: Any) -> None:
    """Prepare the registration of a fine."""
    _propose(session, "fine_received", day, given)


def _propose(session: Session, item: str, day: date | None, given: dict[str, Any]) -> None:
    with session.house() as house:
        today = house.today()
        cells = {name: text for name, text in given.items() if text is not None}
        cells |= {"item": item, "date": (day or today).isoformat()}
        proposal = propose_document(
            house.ledger, session.area(house), cells, user=session.user, today=today
        )
    answer_proposal(session, proposal)


def answer_proposal(session: Session, proposal: Proposal) -> None:
    """Answer with a document entered by hand as it stands."""
    output = session.output
    proposed = proposal.proposed
    content = proposed.content if proposed is not None else {}

    def render() -> None:
        state = output.say(_STATES[proposal.state], proposal.state)
        output.line(
            f"{content['fund']} {content['item']} {content['amount']}  {proposal.id}  {state}"
        )
        if proposal.state == WAITING:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {proposal.id}",
                    f"  next: somebody else runs medfund --as USER approve {proposal.id}",
                )
            )

    output.answer(
        {
            "proposal": proposal.id,
            "doc_no": proposal.doc_no,
            "state": proposal.state,
            "content": content,
            "prepared_by": proposed.by if proposed is not None else None,
            "decided_by": proposal.decided_by,
            "reason": proposal.reason,
        },
        render,
    )
