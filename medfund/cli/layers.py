"""``layers``: one-stop settlement (一站式) by the policy in force: a case computed step by step."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.domain.money import format_yuan
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.output import Output
from medfund.cli.refusing import Day
from settlement.clearing.policy_file import read_policy
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell
from settlement.one_stop.document import Case, work, worked_document
from settlement.one_stop.in_force import (
    ChosenLayers,
    fund_of_insutype,
    layers_from_file,
    layers_in_force,
    layers_of,
)
from settlement.one_stop.layers import Cost, YearSoFar
from settlement.one_stop.policy import ELSEWHERE, HERE, CaseKind
from settlement.policies import load_policies

LAYERS = {
    "basic": ("基本医保", "basic"),
    "catastrophic": ("大病/大额", "catastrophic"),
    "assistance": ("医疗救助", "assistance"),
    "other": ("其他基金", "other fund"),
}
#: Option, help: what the year has used before the case, by the name of its field.
_YEAR = {
    "basic_scope_fen": (
        "--year-basic-scope",
        "年度内基本范围金额(按年度起付)/ within scope so far",
    ),
    "basic_paid_fen": ("--year-basic-paid", "年度内统筹已付 / basic paid so far"),
    "qualified_fen": ("--year-qualified", "年度内进入大病的合规自付 / entered catastrophic so far"),
    "catastrophic_paid_fen": (
        "--year-catastrophic-paid",
        "年度内大病已付 / catastrophic paid so far",
    ),
    "assistance_base_fen": (
        "--year-assistance-base",
        "年度内进入救助的金额 / entered assistance so far",
    ),
    "assistance_paid_fen": ("--year-assistance-paid", "年度内救助已付 / assistance paid so far"),
}


class Yuan(click.ParamType[int]):
    """An amount in yuan, read exactly, in fen."""

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


@cli.group(help="一站式待遇:试算、核查 / one-stop layers: compute and check")
def layers() -> None:
    """Gather what is done with the layers of one-stop settlement."""


def _year_options(command: Any) -> Any:
    for field, (option, text) in reversed(_YEAR.items()):
        command = click.option(option, field, type=Yuan(), default="0", help=text)(command)
    return command


@layers.command("compute", help="按待遇政策试算一笔结算 / put one settlement through the layers")
@click.option("--insutype", required=True, help="险种类型 / insurance type: 310, 390 …")
@click.option("--total", type=Yuan(), required=True, help="医疗费总额 / whole cost")
@click.option("--own", type=Yuan(), default="0", help="全自费 / outside the list")
@click.option("--above-limit", type=Yuan(), default="0", help="超限价 / above limit prices")
@click.option("--first-share", type=Yuan(), default="0", help="先行自付 / first share")
@click.option("--date", "day", type=Day(), help="结算日期,缺省今天 / date, today if absent")
@click.option("--med-type", default="21", help="医疗类别,缺省 21 / kind of care, 21 if absent")
@click.option("--level", type=int, help="机构等级 / level of the institution")
@click.option("--institution", metavar="CODE", help="定点机构,由其登记取等级 / gives the level")
@click.option("--person-class", help="人员类别 psn_type / class of the person")
@click.option("--assistance-class", help="救助人员类别 maf_psn_type / class of assistance")
@click.option("--elsewhere", is_flag=True, help="异地就医 / treated elsewhere")
@click.option("--year-settlements", type=click.IntRange(0), default=0, help="年度内已结算次数")
@click.option("--policy", metavar="NAME[@VERSION]|FILE.toml", help="另一版政策 / another policy")
@_year_options
@pass_session
def compute_command(session: Session, **given: Any) -> None:
    """Show every layer of a settlement with its rule."""
    output, other = session.output, given["policy"]
    content = read_policy(Path(other)) if other is not None and other.endswith(".toml") else None
    with session.house() as house:
        day = given["day"] or house.today()
        chosen = (
            layers_from_file(content)
            if content is not None
            else _chosen(session, house, other, given["insutype"], day)
        )
        level = given["level"]
        if level is None and given["institution"]:
            _, level = session.area(house).institutions.get(given["institution"], (None, None))
    case = _case(given, level)
    worked = work(case, chosen.policy, policy_id=chosen.id)
    document = {
        "policy": policy_head(chosen),
        "date": day.isoformat(),
        **worked_document(worked),
    }
    output.answer(document, lambda: render_worked(output, document))


def _chosen(
    session: Session, house: House, other: str | None, insutype: str, day: date
) -> ChosenLayers:
    policies = load_policies(house.ledger, session.area(house).code)
    if other is not None:
        return layers_of(policies.find(other))
    return layers_in_force(policies, fund_of_insutype(insutype), day.isoformat())


def policy_head(chosen: ChosenLayers) -> dict[str, Any]:
    """Name a policy in a document."""
    return {
        "policy": chosen.id,
        "title": chosen.policy.title,
        "basis": chosen.policy.basis,
        "content_hash": chosen.content_hash,
    }


def _case(given: dict[str, Any], level: int | None) -> Case:
    return Case(
        kind=CaseKind(
            insutype=given["insutype"],
            level=level,
            med_type=given["med_type"],
            person_class=given["person_class"],
            assistance_class=given["assistance_class"],
            place=ELSEWHERE if given["elsewhere"] else HERE,
        ),
        cost=Cost(
            total_fen=given["total"],
            own_fen=given["own"],
            above_limit_fen=given["above_limit"],
            first_share_fen=given["first_share"],
        ),
        year=YearSoFar(**{field: given[field] for field in _YEAR}),
        settlements=given["year_settlements"],
    )


def render_worked(output: Output, document: dict[str, Any]) -> None:
    """Show a case as a clerk would write it down."""
    policy, cost = document["policy"], document["cost"]
    output.line(f"{policy['policy']}  {policy['title']}  {policy['basis']}")
    outside = (
        (output.say("总费用", "cost"), cost["total_fen"]),
        (output.say("全自费", "own"), cost["own_fen"]),
        (output.say("超限价", "above limit"), cost["above_limit_fen"]),
        (output.say("先行自付", "first share"), cost["first_share_fen"]),
        (output.say("符合政策范围", "within scope"), cost["within_scope_fen"]),
    )
    output.line("  ".join(f"{name} {format_yuan(fen)}" for name, fen in outside))
    heads = output.say(
        "层次|规则|支付项|进入金额|年度累计|起付线|计算|封顶(已付)|支付",
        "layer|rule|part|enters|year so far|deductible|how|ceiling (paid)|pays",
    ).split("|")
    rows = [_step_row(output, step) for step in document["layers"]]
    output.table(heads, rows, right=(3, 4, 5, 8))
    funds, person = format_yuan(document["funds_fen"]), format_yuan(document["person_fen"])
    output.line(output.say(f"基金合计 {funds}  个人 {person}", f"funds {funds}  person {person}"))


def _step_row(output: Output, step: dict[str, Any]) -> Sequence[str]:
    share = step["share"]
    how = " + ".join(f"{format_yuan(one['fen'])}×{one['share']}" for one in step["segments"])
    ceiling = step["ceiling_fen"]
    return (
        output.say(*LAYERS[step["layer"]]),
        step["rule"],
        step["part"],
        format_yuan(step["applies_to_fen"]),
        format_yuan(step["year_before_fen"]),
        format_yuan(step["deductible_fen"]),
        how or (f"×{share}" if share is not None else "-"),
        "-"
        if ceiling is None
        else f"{format_yuan(ceiling)} ({format_yuan(step['paid_before_fen'])})",
        format_yuan(step["paid_fen"]),
    )
