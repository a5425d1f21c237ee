"""``manual``: claims by hand (手工、零星报销), computed by the one-stop policy; somebody else approves."""

from datetime import date
from functools import partial
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.manual_claim import WAITING, ManualClaim
from ledger.domain.money import format_yuan
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.layers import Yuan
from medfund.cli.refusing import Day
from settlement.one_stop.layers import Cost
from settlement.one_stop.manual import AskYear, manual_claim_of, propose_manual_claim
from settlement.one_stop.manual_checks import ManualDraft
from settlement.one_stop.person_year import year_question
from settlement.one_stop.policy import ELSEWHERE, HERE

_STATES = {"waiting": "待复核", "rejected": "已退回", "settled": "已核定"}


@cli.group(help="手工报销(零星报销、补救助) / manual claims")
def manual() -> None:
    """Gather what is done with manual claims."""


@manual.command(
    "claim", help="受理并计算,由另一人 approve / receive and compute; somebody else approves"
)
@click.option("--claim-no", required=True, help="受理编号 / number of the claim")
@click.option(
    "--person", required=True, metavar="PSN_NO", help="人员编号,只存标识 / kept as a token"
)
@click.option("--insutype", required=True, help="险种类型 / insurance type")
@click.option(
    "--date", "day", type=Day(), required=True, help="费用日期(出院、结算)/ day of the cost"
)
@click.option("--received", type=Day(), help="受理日期,缺省今天 / received on, today if absent")
@click.option("--documents", type=click.IntRange(1), required=True, help="票据张数 / documents")
@click.option("--total", type=Yuan(), default="0", help="医疗费总额 / whole cost")
@click.option("--own", type=Yuan(), default="0", help="全自费 / outside the list")
@click.option("--above-limit", type=Yuan(), default="0", help="超限价 / above limit prices")
@click.option("--first-share", type=Yuan(), default="0", help="先行自付 / first share")
@click.option("--med-type", default="21", help="医疗类别,缺省 21 / kind of care, 21 if absent")
@click.option("--level", type=int, help="机构等级 / level of the institution")
@click.option("--person-class", help="人员类别 psn_type")
@click.option("--assistance-class", help="救助人员类别 maf_psn_type")
@click.option("--elsewhere", is_flag=True, help="异地就医 / treated elsewhere")
@click.option(
    "--setl-id", help="补救助:已联网结算的结算号 / assistance of a settlement, made up for"
)
@click.option("--reason", required=True, help="手工报销原因 / why by hand")
@pass_session
def claim_command(session: Session, **given: Any) -> None:
    """Prepare a manual claim."""
    with session.house() as house:
        area, today = session.area(house), house.today()
        claim = propose_manual_claim(
            house.ledger,
            house.vault,
            area,
            _draft(given, today),
            ask=year_asked(house, area),
            user=session.user,
            today=today,
        )
    answer_manual_claim(session, claim)


@manual.command("show", help="查看一笔手工报销 / show a manual claim")
@click.argument("claim_id", metavar="AREA-manual-CLAIM_NO")
@pass_session
def show_command(session: Session, claim_id: str) -> None:
    """Show a manual claim as it stands."""
    with session.house() as house:
        claim = manual_claim_of(house.ledger, session.area(house), claim_id)
    answer_manual_claim(session, claim)


def _draft(given: dict[str, Any], today: date) -> ManualDraft:
    cost = Cost(
        total_fen=given["total"],
        own_fen=given["own"],
        above_limit_fen=given["above_limit"],
        first_share_fen=given["first_share"],
    )
    same = ("claim_no", "person", "insutype", "day", "documents", "med_type", "level")
    others = ("person_class", "assistance_class", "setl_id", "reason")
    return ManualDraft(
        **{name: given[name] for name in (*same, *others)},
        received=given["received"] or today,
        cost=cost,
        place=ELSEWHERE if given["elsewhere"] else HERE,
    )


def year_asked(house: House, area: Area) -> AskYear:
    """Open a person's year at the log as it stands; the archive is brought up to it."""
    return partial(year_question, house.ledger, area, house.archive)


def answer_manual_claim(session: Session, claim: ManualClaim) -> None:
    """Answer with a manual claim as it stands."""
    output = session.output
    document = manual_claim_document(claim)

    def render() -> None:
        state = output.say(_STATES[claim.state], claim.state)
        output.line(f"{claim.id}  {document['policy']}  {state}")
        for part, fen in document["parts"].items():
            output.line(f"  {part}: {format_yuan(fen)}")
        total, person = format_yuan(document["funds_fen"]), format_yuan(document["person_fen"])
        output.line(
            output.say(f"  基金合计 {total}  个人 {person}", f"  funds {total}  person {person}")
        )
        due = document["due"]
        output.line(output.say(f"  办结期限 {due}", f"  due by {due}"))
        if claim.state == WAITING:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {claim.id}",
                    f"  next: somebody else runs medfund --as USER approve {claim.id}",
                )
            )

    output.answer(document, render)


def manual_claim_document(claim: ManualClaim) -> dict[str, Any]:
    """Give the JSON document of a manual claim; the person only as a token."""
    proposed = claim.proposed
    if proposed is None:
        raise ValueError("a manual claim that was never prepared has no document")
    return {
        "manual_claim": claim.id,
        "claim_no": claim.claim_no,
        "revision": proposed.revision,
        "state": claim.state,
        "area": claim.area,
        "person": proposed.person,
        "policy": proposed.policy,
        "date": proposed.date,
        "received": proposed.received,
        "due": proposed.due,
        "documents": proposed.documents,
        "kind": proposed.facts,
        "cost": proposed.cost,
        "year_before": proposed.year_before,
        "setl_id": proposed.setl_id,
        "paid_before": proposed.paid_before,
        "parts": proposed.parts,
        "funds_fen": sum(proposed.parts.values()),
        "person_fen": proposed.person_fen,
        "owed": {one.fund: one.amount_fen for one in claim.settled},
        "prepared_by": proposed.by,
        "approved_by": claim.settled[-1].approved_by if claim.settled else None,
        "reason": claim.reason,
    }
