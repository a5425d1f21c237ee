"""``clear``: what institutions are due for a month by the policy in force, computed and not posted."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.domain.period import Period
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.applying import list_applications, withdraw
from medfund.cli.archived import records_up_to_now
from medfund.cli.clearing_month import render_month
from medfund.cli.clearing_replay import replay_run
from medfund.cli.clearing_runs import (
    answer_nothing_new,
    answer_run,
    list_runs,
    render_settlement,
    show_run,
)
from medfund.cli.clearing_year import (
    ANSWERS,
    answer_result,
    clear_whole_year,
    is_year,
    is_year_run,
    show_year,
)
from medfund.cli.offsetting import list_offsets
from medfund.cli.output import Output
from medfund.cli.refusing import Day
from medfund.engines import NAMES, EngineName
from settlement.clearing.month.provisional import Cleared, clear_month
from settlement.clearing.month.question import (
    chosen_from_file,
    chosen_of,
    refuse_other_funds,
    refuse_unfinished,
)
from settlement.clearing.month.run_document import dry_run_document
from settlement.clearing.policies.file import read_policy
from settlement.month_runs import plan_month, question_of, request_clearing
from settlement.policies import load_policies


@cli.command(
    help="月度、年度清算,批次、申请 / clear a month or year; or: clear list, show RUN, confirm RUN …",
)
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="PERIOD | list | show|replay|confirm|dispute|dismiss RUN | offsets"
    " | application list|withdraw ID",
)
@click.option("--fund", help="险种 / fund, e.g. 310.pooled")
@click.option(
    "--policy",
    "other",
    metavar="NAME[@VERSION]|FILE.toml",
    help="与现行政策并列试算 / a policy to show beside the one in force",
)
@click.option("--dry-run", is_flag=True, help="只试算 / compute only, record nothing")
@click.option(
    "--reason", help="撤销、异议、不采纳的理由 / why it is withdrawn, disputed, dismissed"
)
@click.option("--institution", help="confirm、dispute:机构编号 / the institution that says so")
@click.option("--date", "day", type=Day(), help="confirm、dispute:日期,缺省今天 / date, or today")
@click.option(
    "--by", "signatory", help="confirm:签章部门或职务 / who signed, without a person's name"
)
@click.option(
    "--result",
    type=click.Path(path_type=Path),
    metavar="FILE.xlsx|csv",
    help="show:导出明细 / write the lines of a run to a file",
)
@click.option(
    "--engine",
    type=click.Choice(NAMES),
    default="duckdb",
    show_default=True,
    help="replay:用哪个引擎重算 / on which engine a run is computed again",
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
    result: Path | None,
    engine: EngineName,
) -> None:
    """Clear a month or a year of one fund, or look after the applications for it."""
    if words == ("list",):
        list_runs(session, fund)
    elif words == ("offsets",):
        list_offsets(session, fund)
    elif words[0] == "show" and len(words) == 2:
        (show_year if is_year_run(words[1]) else show_run)(session, words[1], result)
    elif words[0] == "replay" and len(words) == 2:
        replay_run(session, words[1], engine)
    elif len(words) == 2 and words[0] in ANSWERS:
        answer_result(session, words[0], words[1], institution, day, reason=reason, by=signatory)
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
        raise click.UsageError(
            "clear PERIOD --fund F | clear list | clear show|replay|confirm|dispute|dismiss RUN"
            " | clear offsets | clear application list|withdraw ID"
        )


def _clear(session: Session, period: str, fund: str, other: str | None, *, dry_run: bool) -> None:
    month = _month(period)
    if dry_run:
        _dry_run(session, month, fund, other)
        return
    if other is not None:
        raise click.UsageError("--policy 只用于 --dry-run / --policy goes with --dry-run only")
    with session.house() as house:
        area = session.area(house)
        run = request_clearing(
            house.ledger,
            area,
            lambda: records_up_to_now(session, house, area.code),
            fund=fund,
            period=month,
            user=session.user,
            today=house.today(),
        )
    if run is None:
        answer_nothing_new(session, area, fund, period)
    else:
        answer_run(session, area, run)


def _dry_run(session: Session, month: Period, fund: str, other: str | None) -> None:
    content = read_policy(Path(other)) if other is not None and other.endswith(".toml") else None
    with session.house() as house:
        area = session.area(house)
        refuse_unfinished(house.ledger.log, area.code, fund)
        records = records_up_to_now(session, house, area.code)
        plan = plan_month(house.ledger, area, records, fund=fund, period=month, today=house.today())
        beside: Cleared | None = None
        if content is not None or other is not None:
            refuse_other_funds(area, fund)
            alternative = (
                chosen_from_file(content)
                if content is not None
                else chosen_of(load_policies(house.ledger, area.code).find(str(other)))
            )
            beside = clear_month(question_of(records, fund, month), alternative)
        names = {code: name for code, (name, _) in area.institutions.items()}
    document = dry_run_document(plan, beside, names)
    session.output.answer(document, lambda: _render(session.output, document))


def _render(output: Output, document: dict[str, Any]) -> None:
    if "institutions" in document:
        render_month(output, document)
        output.line()
    render_settlement(output, document)


def _month(period: str) -> Period:
    try:
        return Period.parse(period)
    except ValueError:
        raise click.UsageError(f"{period}: 账期须写作 YYYY-MM / a month is YYYY-MM") from None
