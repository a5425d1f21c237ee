"""``replay``, ``verify``, ``trace``, ``rebuild``: the auditor's commands."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from ledger.archive.read import Archive
from ledger.domain.chart import account_name
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.replay import Replayed
from ledger.replay import replay as replay_log
from ledger.verify import Anchor
from ledger.verify import verify as verify_log
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.archiving import (
    check_archive,
    findings_document,
    render_archive_damaged,
    render_covered,
    render_findings,
)
from medfund.cli.files import deliver, read_text
from medfund.cli.output import Output
from projections.compare import compare as compare_with_log
from projections.queries.known import known_position
from projections.queries.trace import Tracer
from projections.rebuild import rebuild as rebuild_views
from projections.reports.settlement_words import STATIONS
from projections.store import ProjectionsOutdated, ProjectionsTorn


def _until(house: House, text: str | None) -> tuple[int | None, Period | None]:
    """Read ``--until``: a month bounds the booking axis, anything else the known one."""
    if text is None:
        return None, None
    try:
        return None, Period.parse(text)
    except ValueError:
        return known_position(house.ledger, text), None


@cli.command(help="从头重放日志 / fold the log from the beginning; compare with projections")
@click.option("--until", metavar="PERIOD|POSITION|TIME", help="到此为止 / up to")
@click.option("--compare", is_flag=True, help="与投影比对 / compare with the projections")
@pass_session
def replay(session: Session, until: str | None, compare: bool) -> None:  # noqa: FBT001
    """Fold the log, deciding nothing again."""
    output = session.output
    with session.house() as house:
        position, period = _until(house, until)
        if compare:
            house.catch_up()
            document = compare_with_log(
                house.ledger, house.reads, until_position=position, until_period=period
            )
            session.exit_code = 0 if document["equal"] else 4
            output.answer(document, lambda: _render_compared(session, document))
            return
        replayed = replay_log(house.ledger, until_position=position, until_period=period)
    output.answer(_replayed(replayed, output.lang), lambda: _render_replayed(session, replayed))


def _replayed(replayed: Replayed, lang: str) -> dict[str, Any]:
    return {
        "position": replayed.position,
        "until_period": str(replayed.until_period) if replayed.until_period else None,
        "events": replayed.events,
        "balances": [
            {
                "area": key.area,
                "fund": key.fund,
                "account": key.account,
                "account_name": account_name(key.account, lang),
                "debit_fen": sums.debit_fen,
                "credit_fen": sums.credit_fen,
                "balance_fen": sums.debit_fen - sums.credit_fen,
            }
            for key, sums in replayed.balances.items()
        ],
    }


def _render_replayed(session: Session, replayed: Replayed) -> None:
    output = session.output
    output.line(
        output.say(
            f"已重放 {replayed.events} 个事件,至日志位置 {replayed.position}",
            f"replayed {replayed.events} events up to position {replayed.position}",
        )
    )
    heads = output.say("险种|科目|借方|贷方|余额", "fund|account|debit|credit|balance").split("|")
    output.table(
        heads,
        [
            (
                key.fund,
                account_name(key.account, output.lang),
                format_yuan(sums.debit_fen),
                format_yuan(sums.credit_fen),
                format_yuan(sums.debit_fen - sums.credit_fen),
            )
            for key, sums in replayed.balances.items()
        ],
        right=range(2, 5),
    )


def _render_compared(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    if document["equal"]:
        output.line(
            output.say(
                f"重放与投影一致(日志位置 {document['position']})。",
                f"Replay and projections agree (position {document['position']}).",
            ),
            style="green",
        )
        return
    for difference in document["differences"]:
        output.line(str(difference), style="red")
    output.line(
        output.say(
            "投影与日志不一致:请执行 rebuild 重建并保存差异清单。",
            "The projections differ from the log: keep this list and run rebuild.",
        )
    )


@cli.command(help="校验日志、封签、累计与归档 / integrity of log, seals, totals and archive")
@click.option("--anchor", type=click.Path(path_type=Path), help="与保存的锚点比对 / hold against")
@click.option("--save-anchor", type=click.Path(path_type=Path), help="保存锚点 / save an anchor")
@pass_session
def verify(session: Session, anchor: Path | None, save_anchor: Path | None) -> None:
    """Check everything; exit 4 where anything is damaged."""
    output = session.output
    held = Anchor.from_json(read_text(anchor)) if anchor else None
    with session.house() as house:
        with output.progress("verify") as progress:
            found = verify_log(house.ledger, anchor=held, progress=progress)
        archived = check_archive(session, house)
    findings = (*found.findings, *(archived.findings if archived else ()))
    if save_anchor is not None and found.ok:
        deliver(found.anchor.to_json().encode(), save_anchor)
    session.exit_code = 4 if findings else 0
    document = {
        "ok": not findings,
        "events": found.events,
        "seals": found.seals,
        "first_bad_position": min(
            (one.position for one in findings if one.position is not None), default=None
        ),
        "findings": findings_document(output, findings),
        "anchor": {"seal_no": found.anchor.seal_no, "digest": found.anchor.digest},
        "archive": archived and {"covered_to": archived.covered_to, "behind": archived.behind},
    }

    def render() -> None:
        if not findings:
            output.line(
                output.say(
                    f"校验通过:{found.events} 个事件,{found.seals} 个封签。",
                    f"Verified: {found.events} events under {found.seals} seals.",
                ),
                style="green",
            )
            render_covered(output, archived)
            return
        render_findings(output, findings)
        if found.ok:
            render_archive_damaged(output)
            return
        output.line(
            output.say(
                "账簿受损:请停止记账并保全数据库。", "Damaged: stop posting, keep the database."
            )
        )

    output.answer(document, render)


@cli.command(help="追溯 / from a figure, voucher or event to file and line, and up to reports")
@click.argument("ref")
@pass_session
def trace(session: Session, ref: str) -> None:
    """Trace a reference."""
    output = session.output
    with session.house() as house:
        house.catch_up()
        tracer = Tracer(house.ledger, house.reads, area=session.area(house).code, lang=output.lang)
        document = tracer.trace(ref)
    output.answer(document, lambda: _render_trace(session, document))


def _render_trace(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    output.line(f"{document['ref']}  ({document['kind']})")
    for key in ("figure", "indicator", "voucher", "intake", "month"):
        if key in document:
            output.line(f"{key}: {document[key]}")
    for entry in document.get("entries", []):
        source = entry["source"]
        amount = format_yuan(entry["debit_fen"] - entry["credit_fen"])
        output.line(
            f"  {entry['voucher']}  {entry['booked_on']}  {amount}  {entry['summary']}"
            f"  ← {source['file']}:{source['line']}"
        )
    for event in document.get("events", []):
        source = event["source"]
        output.line(f"  @{event['position']}  {event['topic']}  seal {event['seal']['no']}")
        if source["intake"]:
            output.line(
                output.say("    来源 ", "    from ")
                + f"{source['file']}:{source['line']} ({source['intake']})"
            )
        for posting in event["state"].get("postings", ()):
            output.line(
                f"    {posting['fund']}  借 {posting['debit']} 贷 {posting['credit']}"
                f"  {format_yuan(posting['fen'])}"
            )
    for station in document.get("path", []):
        output.line(_station(output, station))
    for report in document.get("used_by", []):
        output.line(
            output.say("  用于 ", "  used by ") + f"{report['run']}  {report['plan_hash'][:16]}"
        )


def _station(output: Output, one: dict[str, Any]) -> str:
    """Write one station from the counter to the bank on a line."""
    said = f"{one['settlements']}+{one['refunds']}" if one["step"] == "booked" else one["number"]
    at = f"  @{one['position']}" if one["position"] else ""
    return (
        f"  → {one['fund']} {one['institution']} {one['month']}"
        f"  {output.say(*STATIONS[one['step']])}  {format_yuan(one['fen'])}"
        f"  {one['date'] or ''}  {said}{at}"
    )


@cli.command(help="重建投影,与现用并行 / rebuild projections beside the live ones")
@click.argument("names", nargs=-1)
@click.option(
    "--from",
    "source",
    type=click.Choice(["log", "archive"]),
    default="log",
    help="由日志或归档 / out of the log, or of the archive and the log behind it",
)
@pass_session
def rebuild(session: Session, names: tuple[str, ...], source: str) -> None:
    """Rebuild, compare, switch."""
    output = session.output
    with session.house() as house, output.progress("rebuild") as shown:
        with suppress(ProjectionsOutdated, ProjectionsTorn):  # what a rebuild is for
            house.catch_up()
        last = house.ledger.log.last_position()
        document = rebuild_views(
            house.ledger,
            house.reads,
            names or None,
            lambda position: shown(position, last),
            page_size=session.settings.page_size,
            archive=Archive(house.archive) if source == "archive" else None,
        ).document()

    def render() -> None:
        for difference in document["differences"]:
            output.line(str(difference), style="yellow")
        output.line(
            output.say(
                f"已重建至日志位置 {document['position']}。",
                f"Rebuilt up to position {document['position']}.",
            )
        )

    output.answer(document, render)
