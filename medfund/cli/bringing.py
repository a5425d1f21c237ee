"""``intake``: bringing files in, and looking at what came in."""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from ledger.store.vault import IntakeReport, KeyDestroyed
from medfund.bootstrap import House, now
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.files import FileUnreadable, deliver
from medfund.cli.output import Output
from projections.queries.intakes import IntakeUnknown, intakes_document
from settlement.banking import COUNTERPARTIES, banks_of
from settlement.intake.attempt import load_attempt
from settlement.intake.bring_in import Desk, Outcome, bring_in
from settlement.intake.columns import KINDS, Kind
from settlement.intake.layouts import layouts_of
from settlement.intake.readers import Table, open_table
from settlement.intake.rejects_file import reasons_of, write_rejects

_SHOWN = 50
_COUNTS = ("accepted", "rejected", "posted", "already")
_COLUMNS = ("intake", "file", "kind", "state", "received_by", *_COUNTS)


@cli.command(
    help="导入文件,或 list / show ID 查看 / bring files in; or: intake list, intake show ID",
)
@click.argument("words", nargs=-1, required=True, metavar="FILE… | list | show ID")
@click.option("--kind", type=click.Choice(list(KINDS)), help="文件种类 / kind of file")
@click.option("--profile", metavar="NAME", help="对账单格式 / the layout of a bank's statement")
@click.option(
    "--source", type=click.Choice(COUNTERPARTIES), help="谁的对账单 / whose statement it is"
)
@click.option("--dry-run", is_flag=True, help="只检查不入账 / check only, write nothing")
@click.option("--partial", is_flag=True, help="合格行入账,其余写入退回文件 / post the good rows")
@click.option("--original", is_flag=True, help="show -o:取回原文件 / the file as received")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="退回文件 / rejects"
)
@pass_session
def intake(  # noqa: PLR0917  click passes options by name
    session: Session,
    words: tuple[str, ...],
    kind: str | None,
    profile: str | None,
    source: str | None,
    dry_run: bool,  # noqa: FBT001
    partial: bool,  # noqa: FBT001
    original: bool,  # noqa: FBT001
    target: Path | None,
) -> None:
    """Bring files in one after another; each is atomic by itself."""
    if words == ("list",):
        _list(session)
    elif words[0] == "show" and len(words) == 2:
        _show(session, words[1], target, original=original)
    else:
        files = [Path(word) for word in words]
        if target is not None and len(files) > 1:
            raise click.UsageError("-o FILE 只用于单个文件 / -o FILE goes with one file only")
        how = _How(kind, profile, source, dry_run=dry_run, partial=partial)
        _bring(session, files, how, target=target)


@dataclass(frozen=True, slots=True)
class _How:
    """How files are brought in, as the options say."""

    kind: str | None
    profile: str | None
    source: str | None
    dry_run: bool
    partial: bool


def _bring(session: Session, files: list[Path], how: _How, *, target: Path | None) -> None:
    output = session.output
    documents: list[dict[str, Any]] = []
    with session.house() as house:
        area = session.area(house)
        user = area.allow(session.user, "intake")
        for path in files:
            with output.progress(path.name) as progress:
                desk = Desk(
                    ledger=house.ledger,
                    vault=house.vault,
                    area=area,
                    user=user,
                    today=house.today(),
                    partial=how.partial,
                    dry_run=how.dry_run,
                    profile=how.profile,
                    source=how.source,
                    archive=house.archive,
                    lease_seconds=session.settings.lease_seconds,
                    progress=progress,
                    wait=lambda: time.sleep(0.2),
                )
                outcome = bring_in(path, desk, kind=how.kind)
            document = outcome.document(output.lang)
            if how.partial and outcome.rejections and outcome.table and not how.dry_run:
                document["rejects_file"] = _rejects(output, outcome, outcome.table, target)
            _keep_report(house, outcome, area.code, user, document)
            documents.append(document)
            if outcome.refused:
                session.exit_code = 2
            if not output.as_json:
                _render(session, outcome, document)
    if output.as_json:
        output.answer({"files": documents})


def _rejects(output: Output, outcome: Outcome, table: Table, target: Path | None) -> str | None:
    """Write the rejects file; the good rows are posted already, so a full disk is only a notice."""
    path = target or outcome.path.with_name(f"{outcome.path.stem}.rejects.csv")
    try:
        write_rejects(table, reasons_of(outcome.rejections, output.lang), path)
        return str(path)
    except OSError as error:
        said = output.say("退回文件无法写入", "the rejects file cannot be written")
        output.note(f"{said}: {error}", style="red")
        return None


def _keep_report(
    house: House, outcome: Outcome, area: str, user: str, document: dict[str, Any]
) -> None:
    """Remember how the latest try of a file ended; a dry run and a repeated file leave no mark."""
    if outcome.dry_run or not outcome.sha256:
        return
    content = house.vault.content_key(outcome.sha256)
    if outcome.duplicate:
        first = _unreported(house, outcome, area, content)
        if first is None:
            return
        outcome = first
        document = document | {
            "state": first.state,
            "posted": first.posted,
            "already": first.already,
            "duplicate": False,
        }
    moment = now()
    house.vault.keep_report(
        IntakeReport(
            area=area,
            content=content,
            intake=outcome.intake or "",
            kind=outcome.kind or "",
            received_by=user,
            received_us=int(moment.timestamp()) * 1_000_000 + moment.microsecond,
            outcome=outcome.state,
            accepted=outcome.accepted,
            rejected=outcome.rejected,
            posted=outcome.posted,
            already=outcome.already,
            report=document,
        )
    )


def _unreported(house: House, outcome: Outcome, area: str, content: str) -> Outcome | None:
    """Give how a file first ended if it was posted by a run that died before it could report."""
    if house.vault.reported(area, content):
        return None
    found = load_attempt(
        house.ledger,
        area=area,
        kind=outcome.kind or "",
        file=outcome.path.name,
        content=content,
    )
    if found.completed is None:
        return None
    posted, already = found.completed.posted, found.completed.already
    return replace(outcome, duplicate=False, posted=posted, already=already)


def _render(session: Session, outcome: Outcome, document: dict[str, Any]) -> None:
    output = session.output
    zh = {
        "posted": "已入账",
        "partial": "部分入账",
        "duplicate": "重复文件,无变化",
        "checked": "试导入(未入账)",
        "rejected": "未入账",
    }
    output.line(
        f"{outcome.path.name}  {outcome.kind or '-'}  "
        + output.say(zh[outcome.state], outcome.state)
        + output.say(
            f"  接受 {outcome.accepted} 行,退回 {outcome.rejected} 行,"
            f"入账 {outcome.posted} 行,已在账 {outcome.already} 行",
            f"  accepted {outcome.accepted}, rejected {outcome.rejected}, "
            f"posted {outcome.posted}, already {outcome.already}",
        ),
        style="red" if outcome.refused else "green",
    )
    for problem in outcome.problems:
        output.line(f"  {problem.message(output.lang)}", style="red" if problem.stops else "yellow")
    if outcome.rejections:
        heads = output.say("行|列|值|原因", "line|field|value|reason").split("|")
        output.table(
            heads,
            [
                (str(one.line), one.field, one.value, one.message(output.lang))
                for one in outcome.rejections[:_SHOWN]
            ],
            right=[0],
        )
    left = len(outcome.rejections) - _SHOWN
    if left > 0:
        output.line(output.say(f"  另有 {left} 条,见 --json。", f"  {left} more; see --json."))
    if document.get("rejects_file"):
        path = document["rejects_file"]
        output.line(output.say(f"  退回文件:{path}", f"  rejects file: {path}"))
    elif outcome.rejections and outcome.state == "rejected":
        output.line(
            output.say(
                "  整个文件未入账。请更正后重新导入,或用 --partial 先入账合格行。",
                "  Nothing was posted. Correct the file, or post the good rows with --partial.",
            )
        )


def _row(one: IntakeReport) -> dict[str, Any]:
    return {
        "intake": one.intake,
        "file": one.report.get("file"),
        "kind": one.kind,
        "state": one.outcome,
        "received_by": one.received_by,
        "accepted": one.accepted,
        "rejected": one.rejected,
        "posted": one.posted,
        "already": one.already,
    }


def _came_in(house: House, area: str) -> list[dict[str, Any]]:
    """List what came in: the reports, and over them what the log knows.

    A killed intake never wrote its report, and one reversed later still has its first.
    """
    house.catch_up()
    rows = {one.intake: _row(one) for one in house.vault.reports(area)}
    for logged in intakes_document(house.reads, area=area)["intakes"]:
        if logged["intake"] not in rows or logged["state"] in ("posting", "reversed"):
            known = {key: logged.get(key) for key in ("kind", "state", *_COUNTS)}
            row = rows.setdefault(
                logged["intake"],
                {"intake": logged["intake"], "file": logged["file"]},
            )
            row |= known | {"received_by": logged["by"]}
    return [{key: row[key] for key in _COLUMNS} for row in rows.values()]


def _list(session: Session) -> None:
    output = session.output
    with session.house() as house:
        area = session.area(house)
        rows = _came_in(house, area.code)
    heads = output.say(
        "批次|文件|种类|状态|经办|接受|退回|入账|已在账",
        "intake|file|kind|state|by|accepted|rejected|posted|already",
    ).split("|")
    output.answer(
        {"area": area.code, "intakes": rows},
        lambda: output.table(
            heads, [[str(v) for v in row.values()] for row in rows], right=[5, 6, 7, 8]
        ),
    )


def _write_rejects_of(report: IntakeReport, data: bytes, target: Path, layouts: list[Kind]) -> None:
    """Write the rejects file of an intake from the file that was kept."""
    reasons: dict[int, list[str]] = {}
    for one in report.report.get("rejections", []):
        reasons.setdefault(one["line"], []).append(one["message"])
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "received"
        kept.write_bytes(data)
        try:
            table = open_table(kept, kind=report.kind, layouts=layouts)
            write_rejects(table, reasons, target)
        except OSError as error:
            raise FileUnreadable(path=str(target), reason=str(error)) from error


def _show(session: Session, intake_id: str, target: Path | None, *, original: bool) -> None:
    output = session.output
    with session.house() as house:
        area = session.area(house)
        listed = [row for row in _came_in(house, area.code) if row["intake"] == intake_id]
        if not listed:
            raise IntakeUnknown(intake=intake_id)
        found = [one for one in house.vault.reports(area.code) if one.intake == intake_id]
        if target is not None:
            if not found:
                raise KeyDestroyed(name=f"file of {intake_id}")
            data = house.vault.file(found[-1].content)
            if original:
                deliver(data, target)
            else:
                layouts = layouts_of(banks_of(area.options))
                _write_rejects_of(found[-1], data, target, layouts)
    document = (found[-1].report if found else {}) | listed[0]

    def render() -> None:
        for key in ("intake", "file", "kind", "state", "accepted", "rejected", "posted", "already"):
            output.line(f"{key}: {document.get(key)}")
        heads = output.say("行|列|值|原因", "line|field|value|reason").split("|")
        rows = [
            (str(r["line"]), r["field"], r["value"], r["message"])
            for r in document.get("rejections", [])
        ]
        if rows:
            output.table(heads, rows, right=[0])

    output.answer(document, render)
