"""``close``, ``approve``, ``reject``, ``reopen``: the month-end."""

import time
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.month import APPROVED, FROZEN, Month
from ledger.domain.fund import is_area
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.errors import Unavailable
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.decisions import approve_other, reject_other
from medfund.tasks import run_pending
from projections.queries.periods import periods_document
from settlement.closing import (
    CloseState,
    dry_run_close,
    load_month,
    month_of_run,
    request_close,
    request_reopening,
)
from settlement.closing import (
    approve as approve_run,
)
from settlement.closing import (
    reject as reject_run,
)

_STATES = {
    "open": "未结",
    "frozen": "已锁账",
    "computed": "待复核",
    "approved": "已批准",
    "sealed": "已封账",
    "reopening": "反结账待复核",
}
_FIGURES = {
    "income_month_fen": ("本月收入合计", "income of the month"),
    "expense_month_fen": ("本月支出合计", "expense of the month"),
    "income_year_fen": ("本年收入合计", "income of the year"),
    "expense_year_fen": ("本年支出合计", "expense of the year"),
    "expense_trailing12_fen": ("近12个月支出合计", "expense of twelve months"),
    "accumulated_fen": ("累计结余", "accumulated"),
}
_CHECKS = {
    "money_account_negative": ("资金账户余额为负", "a money account is below zero"),
    "income_account_not_nil": ("收入户月末有余额", "the income account is not nil"),
    "negative_accumulated": ("累计结余为负", "the accumulated balance is negative"),
}
_WAIT_SECONDS = 60


class WorkerAway(Unavailable):
    """The queue took the work, and no worker has done it yet."""

    code = "worker_away"
    zh = "{run} 已提交队列,{seconds} 秒内没有 worker 处理。"
    en = "{run} is queued; no worker has taken it within {seconds} seconds."
    hint_zh = "请启动 medfund worker;随后用 close show {run} 查看。"
    hint_en = "Start medfund worker; then see close show {run}."


@cli.command(help="月结,或 list / show RUN / close a month; or: close list, close show RUN")
@click.argument("words", nargs=-1, required=True, metavar="PERIOD | list | show RUN")
@click.option("--fund", help="险种 / fund")
@click.option("--dry-run", is_flag=True, help="只试算 / compute only, freeze nothing")
@pass_session
def close(
    session: Session,
    words: tuple[str, ...],
    fund: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Request a close: freeze and compute; somebody else approves."""
    if words == ("list",):
        _list(session, fund)
    elif words[0] == "show" and len(words) == 2:
        with session.house() as house:
            area = _area_of(session, house, words[1])
            _answer(session, CloseState(month_of_run(house.ledger, area, words[1])))
    elif len(words) == 1:
        _close(session, _period(words[0]), fund, dry_run=dry_run)
    else:
        raise click.UsageError("close PERIOD --fund F | close list | close show RUN")


def _area_of(session: Session, house: House, run: str) -> Area:
    """A run's name begins with its area, so that need not be named again."""
    own = run.partition("-")[0]
    return house.area(session.area_code or (own if is_area(own) else None))


def _period(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError:
        raise click.UsageError(f"{text}: 账期须写作 YYYY-MM / a month is YYYY-MM") from None


def _close(session: Session, period: Period, fund: str | None, *, dry_run: bool) -> None:
    if fund is None:
        raise click.UsageError("请用 --fund 指明险种 / name the fund: --fund F")
    with session.house() as house:
        area = session.area(house)
        if dry_run:
            state = dry_run_close(house.ledger, area, fund=fund, period=period)
        else:
            month = request_close(
                house.ledger,
                area,
                fund=fund,
                period=period,
                user=session.user,
                today=house.today(),
            )
            state = CloseState(_follow(session, house, month, FROZEN))
    _answer(session, state)


def _follow(session: Session, house: House, month: Month, waiting: str) -> Month:
    """Do what follows in this process, or wait for the worker where a broker is configured."""
    area = house.area(month.area)
    if session.settings.broker_url is None:
        run_pending(house)
        return load_month(house.ledger, area.code, month.fund, Period.parse(month.period))
    for _ in range(_WAIT_SECONDS * 5):
        found = load_month(house.ledger, area.code, month.fund, Period.parse(month.period))
        if found.state != waiting:
            return found
        time.sleep(0.2)
    raise WorkerAway(run=month.run, seconds=_WAIT_SECONDS)


@cli.command(help="复核通过 / approve a close, reopening or refusal that somebody else prepared")
@click.argument("run")
@pass_session
def approve(session: Session, run: str) -> None:
    """Approve; posting and sealing follow."""
    with session.house() as house:
        area = _area_of(session, house, run)
        if approve_other(session, house, area, run):
            return
        month = approve_run(house.ledger, area, run=run, user=session.user)
        if month.state == APPROVED:
            month = _follow(session, house, month, APPROVED)
    _answer(session, CloseState(month))


@cli.command(help="复核退回 / send a close, a reopening or a refusal back")
@click.argument("run")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def reject(session: Session, run: str, reason: str) -> None:
    """Reject: the freeze is withdrawn and leaves its trace."""
    with session.house() as house:
        area = _area_of(session, house, run)
        if reject_other(session, house, area, run, reason):
            return
        month = reject_run(house.ledger, area, run=run, reason=reason, user=session.user)
    _answer(session, CloseState(month))


@cli.command(help="申请反结账 / ask to reopen the latest sealed month; a second person approves")
@click.argument("period")
@click.option("--fund", required=True, help="险种 / fund")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def reopen(session: Session, period: str, fund: str, reason: str) -> None:
    """Ask for a reopening."""
    with session.house() as house:
        area = session.area(house)
        month = request_reopening(
            house.ledger,
            area,
            fund=fund,
            period=_period(period),
            reason=reason,
            user=session.user,
        )
    _answer(session, CloseState(month))


def _answer(session: Session, state: CloseState) -> None:
    document = state.document()
    session.output.answer(document, lambda: _render(session, document))


def _render(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    name = output.say(_STATES[document["state"]], document["state"])
    if document["dry_run"]:
        name = output.say("试算", "dry run")
    output.line(f"{document['fund']} {document['period']}  {document['run'] or ''}  {name}")
    if document["plan_hash"]:
        output.line(output.say("方案哈希 ", "plan hash ") + document["plan_hash"])
    if document["sealed_digest"]:
        output.line(
            output.say("封签位置 ", "sealed at position ")
            + f"{document['sealed_position']}  {document['sealed_digest']}"
        )
    plan = document["plan"]
    if plan:
        for key, fen in plan["figures"].items():
            output.line(f"  {output.say(*_FIGURES[key])}: {format_yuan(fen)}")
        for check in plan["checks"]:
            style = "red" if check["blocking"] else "yellow"
            where = " ".join(str(check[key]) for key in ("fund", "account") if key in check)
            fen = next((value for key, value in check.items() if key.endswith("_fen")), None)
            amount = "" if fen is None else format_yuan(fen)
            label = output.say(*_CHECKS[check["code"]])
            output.line(f"  ! {label} [{check['code']}] {where} {amount}", style=style)
        if "year_end" in plan:
            _render_year_end(session, plan["year_end"])
    if document["state"] in {"computed", "reopening"}:
        run = document["run"]
        output.line(
            output.say(
                f"  下一步:由另一人执行 medfund --as USER approve {run}",
                f"  next: somebody else runs medfund --as USER approve {run}",
            )
        )


def _render_year_end(session: Session, year_end: dict[str, Any]) -> None:
    """Show what December posts beside the close (年终结转) and what stays open by age (账龄)."""
    output = session.output
    count = len(year_end["transfer"])
    output.line(output.say(f"  年终结转分录 {count} 笔", f"  year-end transfer: {count} postings"))
    for fund, fen in year_end["opening_next_year_fen"].items():
        label = output.say("次年期初", "opening of next year")
        output.line(f"  {label} {fund}: {format_yuan(fen)}")
    for row in year_end["ageing"]:
        bands = ", ".join(f"{band}: {format_yuan(fen)}" for band, fen in row["bands"].items())
        label = output.say("账龄(月)", "open by age (months)")
        output.line(f"  {label} {row['fund']} {row['account']}  {bands}")


def _list(session: Session, fund: str | None) -> None:
    output = session.output
    with session.house() as house:
        house.catch_up()
        document = periods_document(house.reads, area=session.area_code, fund=fund)
    heads = output.say(
        "险种|账期|状态|月结|经办|复核", "fund|period|state|run|prepared|approved"
    ).split("|")
    output.answer(
        document,
        lambda: output.table(
            heads,
            [
                tuple(
                    str(row.get(key) or "")
                    for key in ("fund", "period", "state", "run", "requested_by", "approved_by")
                )
                for row in document["periods"]
            ],
        ),
    )
