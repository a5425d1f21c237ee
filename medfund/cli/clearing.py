"""``clear``: what institutions are due for a month by the policy in force, computed and not posted."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.applying import list_applications, withdraw
from medfund.cli.clearing_year import (
    ANSWERS,
    answer_result,
    clear_whole_year,
    is_year,
    show_year,
)
from medfund.cli.output import Output
from medfund.cli.refusing import Day
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month_document import month_document
from settlement.clearing.policy_file import read_policy
from settlement.clearing.provisional import (
    Chosen,
    Question,
    ask,
    chosen_from_file,
    chosen_of,
    clear_month,
    policy_of_month,
    refuse_other_funds,
    refuse_unfinished,
)
from settlement.clearing.refusals import ClearingNotPostedYet
from settlement.policies import load_policies

_MEMORY_MIB = 400
_REASONS = {
    "no_group": ("未入组", "no group"),
    "unknown_group": ("病种(组)不在目录", "group not in the list"),
    "unknown_institution": ("机构无系数", "institution without a coefficient"),
    "cost_out_of_bounds": ("费用超出范围", "cost out of bounds"),
    "review_out_of_bounds": ("单议点数超出范围", "points of a review out of bounds"),
    "single_review": ("待特例单议", "awaits a single review"),
    "unknown_auxiliary": ("辅助目录项不在目录", "auxiliary entry not in the list"),
    "no_dates": ("无入院日期", "no date of admission"),
    "no_days": ("无住院天数", "no days"),
    "days_out_of_bounds": ("住院天数超出范围", "days out of bounds"),
}


@cli.command(
    help="按月清算、申请 / clear a month; or: clear application list|withdraw ID",
)
@click.argument("words", nargs=-1, required=True, metavar="PERIOD | application list|withdraw ID")
@click.option("--fund", help="险种 / fund, e.g. 310.pooled")
@click.option(
    "--policy",
    "other",
    metavar="NAME[@VERSION]|FILE.toml",
    help="与现行政策并列试算 / a policy to show beside the one in force",
)
@click.option("--dry-run", is_flag=True, help="只试算 / compute only (posting comes later)")
@click.option(
    "--reason", help="撤销、异议、不采纳的理由 / why it is withdrawn, disputed, dismissed"
)
@click.option("--institution", help="confirm、dispute:机构编号 / the institution that says so")
@click.option("--date", "day", type=Day(), help="confirm、dispute:日期,缺省今天 / date, or today")
@click.option(
    "--by", "signatory", help="confirm:签章部门或职务 / who signed, without a person's name"
)
@pass_session
def clear(
    session: Session,
    *,
    words: tuple[str, ...],
    fund: str | None,
    other: str | None,
    dry_run: bool,
    reason: str | None,
    institution: str | None,
    day: date | None,
    signatory: str | None,
) -> None:
    """Clear a month of one fund, or look after the applications for it."""
    if len(words) == 2 and words[0] in ANSWERS:
        answer_result(session, words[0], words[1], institution, day, reason=reason, by=signatory)
    elif len(words) == 2 and words[0] == "show":
        show_year(session, words[1])
    elif words == ("application", "list"):
        list_applications(session, fund)
    elif words[:2] == ("application", "withdraw") and len(words) == 3:
        withdraw(session, words[2], reason)
    elif len(words) == 1:
        if fund is None:
            raise click.UsageError("请用 --fund 指明险种 / name the fund: --fund F")
        clear_period = clear_whole_year if is_year(words[0]) else _clear
        clear_period(session, words[0], fund, other, dry_run=dry_run)
    else:
        raise click.UsageError("clear PERIOD --fund F | clear application list|withdraw ID")


def _clear(session: Session, period: str, fund: str, other: str | None, *, dry_run: bool) -> None:
    month = _month(period)
    if not dry_run:
        raise ClearingNotPostedYet(period=period)
    content = read_policy(Path(other)) if other is not None and other.endswith(".toml") else None
    with session.house() as house:
        area = session.area(house)
        refuse_other_funds(area, fund)
        policies = load_policies(house.ledger, area.code)
        chosen = policy_of_month(policies, fund, month)
        alternative: Chosen | None = None
        if content is not None:
            alternative = chosen_from_file(content)
        elif other is not None:
            alternative = chosen_of(policies.find(other))
        question = _question(session, house, area.code, fund, month)
        cleared = clear_month(question, chosen)
        beside = None if alternative is None else clear_month(question, alternative)
        names = {code: name for code, (name, _) in area.institutions.items()}
    document = month_document(
        cleared, beside, area=area.code, fund=fund, period=period, names=names
    )
    session.output.answer(document, lambda: _render(session.output, document))


def _month(period: str) -> Period:
    try:
        return Period.parse(period)
    except ValueError:
        raise click.UsageError(f"{period}: 账期须写作 YYYY-MM / a month is YYYY-MM") from None


def _question(session: Session, house: House, area: str, fund: str, period: Period) -> Question:
    """Bring the archive up to the log as it stands, and ask there.

    An intake is looked for before and after the position is taken: what is under way there would be
    a part of the month only.
    """
    output, log = session.output, house.ledger.log
    refuse_unfinished(log, area, fund)
    watermark = log.last_position()
    refuse_unfinished(log, area, fund)
    with output.progress("archive") as progress:
        done = bring_up_to(log, house.archive, position=watermark, progress=progress)
    if done.events:
        output.note(
            output.say(
                f"已续写归档 {done.events} 个事件,至日志位置 {done.position}。",
                f"Archived {done.events} more events first, up to position {done.position}.",
            )
        )
    return ask(
        Archive(house.archive),
        DuckDBEngine(memory_mib=_MEMORY_MIB),
        area=area,
        fund=fund,
        period=period,
        watermark=watermark,
    )


def _render(output: Output, document: dict[str, Any]) -> None:
    head = f"{document['area']} {document['fund']} {document['period']}"
    output.line(head + output.say("  清算试算,未入账", "  dry run, nothing was posted"))
    _render_policy(output, document)
    if document["alternative"] is not None:
        output.line()
        output.line(output.say("并列试算的政策:", "The policy beside it:"))
        _render_policy(output, document["alternative"])
        _render_comparison(output, document)


def _render_policy(output: Output, found: dict[str, Any]) -> None:
    policy, run = found["policy"], found["run"]
    output.line(
        output.say("政策 ", "policy ") + f"{policy['policy']}  {policy['title']}  {policy['basis']}"
    )
    _render_points(output, found["points"])
    heads = output.say(
        "机构|名称|方法|例数|点数|总费用|记账|应付|应付÷记账|记账÷应付",
        "institution|name|method|cases|points|cost|booked|due|due÷booked|booked÷due",
    )
    rows = [
        _row(one["institution"], one["name"] or "-", method["method"], method)
        for one in found["institutions"]
        for method in one["methods"]
    ]
    rows.append(_row(output.say("合计", "total"), "", "", found["total"]))
    output.table(heads.split("|"), rows, right=range(3, 10))
    _render_cases(output, found)
    for zh, en, key in (
        ("引擎", "engine", "engine"),
        ("引擎版本", "engine version", "engine_version"),
        ("规则哈希", "kernel", "kernel"),
        ("日志位置", "log position", "watermark"),
        ("结果摘要", "result", "result"),
    ):
        output.line(f"  {output.say(zh, en)}: {run[key]}")
    output.line(f"  {output.say('政策哈希', 'policy hash')}: {policy['content_hash']}")


def _row(code: str, name: str, method: str, amounts: dict[str, Any]) -> tuple[str, ...]:
    return (
        code,
        name,
        method,
        str(amounts["cases"]),
        amounts["points"],
        format_yuan(amounts["cost_fen"]),
        format_yuan(amounts["booked_fen"]),
        format_yuan(amounts["due_fen"]),
        amounts["due_over_booked"] or "-",
        amounts["booked_over_due"] or "-",
    )


def _render_points(output: Output, points: dict[str, Any] | None) -> None:
    if points is None:
        return
    amounts = (
        ("当月可分配", "distributable", format_yuan(points["distributable_fen"])),
        ("总点数", "points", points["points"]),
        ("点值(元)", "point value (yuan)", points["value"] or "-"),
        ("差额", "difference", format_yuan(points["difference_fen"])),
    )
    said = "  ".join(f"{output.say(zh, en)} {value}" for zh, en, value in amounts)
    output.line(f"  {said} ({points['difference_account']})")


def _render_cases(output: Output, found: dict[str, Any]) -> None:
    """Account for every case: those that count, and the others with their reason."""
    cases, booked = found["cases"], found["booked"]
    counts = output.say(
        "结算 {settled} 例 = 计入 {counted} + 挂起 {held_back} + 无适用方法 {no_method} + 已退费冲销 {cancelled}",
        "{settled} settlements = {counted} counted + {held_back} held back + {no_method} of no method"
        " + {cancelled} cancelled",
    )
    output.line("  " + counts.format(**cases))
    label = output.say("记账合计(与应付台账核对一致)", "booked, equal to the obligations")
    output.line(f"  {label}: {format_yuan(booked['obligations_fen'])}")
    if booked["insured_elsewhere_fen"]:
        label = output.say("其中其他险种参保人(不按方法清算)", "of it for people insured otherwise")
        output.line(f"  {label}: {format_yuan(booked['insured_elsewhere_fen'])}")
    for one in found["readmissions"]:
        if len(one["person_keys"]) > 1:
            said = output.say(
                "{method}: 人员密钥曾轮换(版本 {keys}),跨版本的再入院无法识别",
                "{method}: the person key was rotated (versions {keys}); readmissions across it"
                " are not seen",
            )
            keys = ", ".join(str(key) for key in one["person_keys"])
            output.line("  " + said.format(method=one["method"], keys=keys))
    if found["held_back"]:
        _render_held_back(output, found["held_back"])
    if found["no_method"]:
        _render_no_method(output, found["no_method"])


def _render_held_back(output: Output, held: list[dict[str, Any]]) -> None:
    heads = output.say(
        "挂起|机构|方法|病种(组)、天数|例数|总费用|记账|首例位置",
        "held back|institution|method|group, days|cases|cost|booked|first position",
    )
    rows = [
        (
            output.say(*_REASONS[one["reason"]]),
            one["institution"],
            one["method"],
            one["group"] or "-",
            *_sums(one),
        )
        for one in held
    ]
    output.table(heads.split("|"), rows, right=range(4, 8))


def _render_no_method(output: Output, gaps: list[dict[str, Any]]) -> None:
    heads = output.say(
        "无适用方法|清算类别|医疗类别|例数|总费用|记账|首例位置",
        "of no method|clr_type|med_type|cases|cost|booked|first position",
    )
    rows = [(one["institution"], one["clr_type"], one["med_type"], *_sums(one)) for one in gaps]
    output.table(heads.split("|"), rows, right=range(3, 7))


def _sums(one: dict[str, Any]) -> tuple[str, ...]:
    amounts = (format_yuan(one["cost_fen"]), format_yuan(one["booked_fen"]))
    return (str(one["cases"]), *amounts, str(one["first_position"]))


def _render_comparison(output: Output, document: dict[str, Any]) -> None:
    heads = output.say(
        "机构|名称|现行政策应付|并列政策应付|差额",
        "institution|name|due, in force|due, beside it|difference",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            format_yuan(one["due_fen"]),
            format_yuan(one["alternative_due_fen"]),
            format_yuan(one["difference_fen"]),
        )
        for one in document["comparison"]
    ]
    output.table(heads.split("|"), rows, right=range(2, 5))
