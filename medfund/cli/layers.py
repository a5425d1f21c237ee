"""``layers``: one-stop settlement (一站式) by the policy in force: a case step by step, a month checked."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.archived import archive_up_to_now
from medfund.cli.files import deliver
from medfund.cli.output import Output
from medfund.cli.reading import Month
from medfund.cli.refusing import Day
from projections.reports.csv import to_csv
from projections.reports.layers_tables import layers_table, unsure_name
from projections.reports.xlsx import to_xlsx
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.question import refuse_other_funds, refuse_unfinished
from settlement.clearing.policies.file import read_policy
from settlement.clearing.records import MEMORY_MIB
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell
from settlement.one_stop.check import CheckQuestion, check_month
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
from settlement.one_stop.recording import check_document, record_check
from settlement.policies import load_policies

LAYERS = {
    "basic": ("基本医保", "basic"),
    "catastrophic": ("大病/大额", "catastrophic"),
    "assistance": ("医疗救助", "assistance"),
    "tilted": ("倾斜救助", "further assistance"),
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


_SHOWN = 50
_RESULT_FILES = (".csv", ".xlsx")
_UNJUDGED = {
    "no_scope": ("无范围内金额", "no amount within scope"),
    "no_rule": ("无适用规则", "no rule fits"),
    "cost_out_of_bounds": ("费用超出范围", "cost out of bounds"),
    "no_policy": ("无待遇政策", "no policy"),
}


@layers.command("check", help="按现行政策核查一个月的结算 / check a month against the policy")
@click.argument("period", type=Month())
@click.option("--fund", required=True, help="承担统筹支付的险种 / fund, e.g. 390")
@click.option(
    "--result",
    "target",
    type=click.Path(path_type=Path),
    help="结果文件 .csv 或 .xlsx / write all deviations to a file",
)
@click.option("--record", "recording", is_flag=True, help="登记核查结果 / record the result")
@pass_session
def check_command(
    session: Session,
    period: Period,
    fund: str,
    target: Path | None,
    recording: bool,  # noqa: FBT001  click passes options by name
) -> None:
    """Flag settlements whose layers do not follow the policy; nothing is changed."""
    if target is not None and target.suffix.lower() not in _RESULT_FILES:
        raise click.UsageError("--result FILE.csv | FILE.xlsx")
    output = session.output
    with session.house() as house:
        area = session.area(house)
        refuse_other_funds(area, fund)
        if recording:
            area.allow(session.user, "reconcile")
        refuse_unfinished(house.ledger.log, area.code, fund)
        archive, watermark = archive_up_to_now(session, house)
        refuse_unfinished(house.ledger.log, area.code, fund)
        engine = DuckDBEngine(memory_mib=MEMORY_MIB)
        question = CheckQuestion(area, fund, period, archive, engine, watermark)
        checked = check_month(question, load_policies(house.ledger, area.code))
        document = check_document(checked)
        if recording:
            recorded = record_check(house.ledger, area, checked, user=session.user)
            document["recorded"] = {"position": recorded.position, "repeated": recorded.repeated}
    if target is not None:
        found = layers_table(document, lang=output.lang)
        is_sheet = target.suffix.lower() == ".xlsx"
        deliver(to_xlsx([found]) if is_sheet else to_csv(found), target)
        document["file"] = str(target)
    output.answer(document, lambda: _render_check(output, document))


def _render_check(output: Output, document: dict[str, Any]) -> None:
    output.line(
        output.say(
            f"{document['fund']} {document['period']} 一站式核查,日志位置 {document['position']}:"
            f"结算 {document['settlements']} 笔,核查 {document['judged']} 笔,"
            f"不符 {document['settlements_flagged']} 笔({document['deviations']} 项,"
            f"其中存疑 {document['unsure']} 项)",
            f"{document['fund']} {document['period']}, log position {document['position']}: "
            f"{document['settlements']} settlements, {document['judged']} judged, "
            f"{document['settlements_flagged']} flagged ({document['deviations']} parts, "
            f"{document['unsure']} unsure)",
        )
    )
    if not document["policies"]:
        zh = "本年没有已批准的一站式待遇政策,未标记任何结算。"
        en = "No one-stop policy is in force in this year: nothing was flagged."
        output.line(output.say(zh, en), style="yellow")
    for reason, count in document["unjudged"].items():
        if count:
            output.line(f"  {output.say(*_UNJUDGED[reason])}: {count}")
    if not document["history_complete"]:
        first = document["history_from"]
        zh = f"  年度历史自 {first} 起,累计可能不全,涉及累计的差异列为存疑。"
        en = f"  history begins on {first}: what leans on the year is marked as unsure."
        output.line(output.say(zh, en), style="yellow")
    if len(document["key_versions"]) > 1:
        zh = "  年内人员标识密钥轮换过,新旧标识不能相连,涉及累计的差异列为存疑。"
        en = "  the person key was rotated within the year: later tokens are marked as unsure."
        output.line(output.say(zh, en), style="yellow")
    _render_flagged(output, document["flagged"])
    if "recorded" in document:
        at, same = document["recorded"]["position"], document["recorded"]["repeated"]
        zh = f"与位置 {at} 的登记相同,未重复登记。" if same else f"已登记,位置 {at}。"
        en = f"the same as recorded at {at}; nothing added." if same else f"recorded at {at}."
        output.line(output.say(zh, en))
    if "file" in document:
        output.line(output.say(f"已写入 {document['file']}", f"written to {document['file']}"))


def _render_flagged(output: Output, flagged: list[dict[str, Any]]) -> None:
    if not flagged:
        return
    heads = output.say(
        "结算ID|日期|机构|规则|支付项|结算|政策|差额|存疑",
        "setl_id|date|institution|rule|part|settled|by policy|difference|unsure",
    ).split("|")
    rows = [
        (
            *(one[key] for key in ("setl_id", "date", "institution", "rule", "part")),
            *(format_yuan(one[key]) for key in ("settled_fen", "by_policy_fen", "difference_fen")),
            unsure_name(one["unsure"], output.lang) or "",
        )
        for one in flagged[:_SHOWN]
    ]
    output.table(heads, rows, right=(5, 6, 7))
    if len(flagged) > _SHOWN:
        more = len(flagged) - _SHOWN
        zh, en = f"另有 {more} 项;全部见 --result FILE。", f"{more} more; --result FILE has all."
        output.line(output.say(zh, en))
