"""``archive``: the log as Parquet, written on from where it stands, and checked."""

from collections.abc import Sequence
from typing import Any

import click

from ledger.archive import manifest as manifests
from ledger.archive.check import Checked, check
from ledger.archive.write import Archived, bring_up_to
from ledger.store.finding import Finding
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.output import Output


@cli.command(help="日志的 Parquet 归档 / the log as Parquet, brought up to date or checked")
@click.option("--check", "only_check", is_flag=True, help="只核验 / check only, write nothing")
@pass_session
def archive(session: Session, only_check: bool) -> None:  # noqa: FBT001  click passes options by name
    """Bring the archive up to the log, or check it against the log."""
    with session.house() as house:
        if only_check:
            _check(session, house)
        else:
            _write(session, house)


def _write(session: Session, house: House) -> None:
    output = session.output
    with output.progress("archive") as progress:
        done = bring_up_to(house.ledger.log, house.archive, progress=progress)
    document = {
        "folder": str(house.archive),
        "position": done.position,
        "seal_no": done.seal_no,
        "digest": done.digest,
        "ranges": done.ranges,
        "parts": done.parts,
        "events": done.events,
    }
    output.answer(document, lambda: _render_written(output, house, done))


def _render_written(output: Output, house: House, done: Archived) -> None:
    if done.events:
        zh = f"新归档 {done.events} 个事件({done.parts} 个文件),至日志位置 {done.position}。"
        en = f"Archived {done.events} more events in {done.parts} files, up to position {done.position}."
    else:
        zh = f"归档已是最新,至日志位置 {done.position}。"
        en = f"The archive is up to date, at position {done.position}."
    output.line(output.say(zh, en), style="green")
    output.line(output.say(f"目录 {house.archive}", f"in {house.archive}"))
    output.line(output.say(f"清单摘要 {done.digest}", f"digest of the manifests {done.digest}"))


def check_archive(session: Session, house: House) -> Checked | None:
    """Check the archive of a book against its log; None where there is no archive."""
    if not manifests.exists(house.archive):
        return None
    with session.output.progress("archive") as progress:
        return check(house.archive, house.ledger.log, progress=progress)


def _check(session: Session, house: House) -> None:
    output = session.output
    found = check_archive(session, house)
    if found is None:
        document = {"ok": True, "folder": str(house.archive), "covered_to": 0, "findings": []}
        output.answer(
            {**document, "behind": house.ledger.log.last_position(), "first_bad_position": None},
            lambda: output.line(
                output.say(
                    f"{house.archive} 尚无归档,请执行 archive。",
                    f"There is no archive at {house.archive} yet: run archive.",
                )
            ),
        )
        return
    session.exit_code = 0 if found.ok else 4
    document = {
        "ok": found.ok,
        "folder": str(house.archive),
        "covered_to": found.covered_to,
        "behind": found.behind,
        "ranges": found.ranges,
        "parts": found.parts,
        "first_bad_position": found.first_bad_position,
        "findings": findings_document(output, found.findings),
    }

    def render() -> None:
        if found.ok:
            render_covered(output, found)
            return
        render_findings(output, found.findings)
        render_archive_damaged(output)

    output.answer(document, render)


def findings_document(output: Output, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Give findings as the JSON documents of ``verify`` and ``archive --check`` list them."""
    return [
        {
            "code": one.code,
            "position": one.position,
            "message": output.say(one.zh, one.en),
            "facts": dict(one.facts),
        }
        for one in findings
    ]


def render_findings(output: Output, findings: Sequence[Finding]) -> None:
    """Print findings, one a line."""
    for one in findings:
        output.line(f"[{one.code}] {output.say(one.zh, one.en)}", style="red")


def render_covered(output: Output, found: Checked | None) -> None:
    """Say how far a sound archive reaches; nothing where there is none."""
    if found is None:
        return
    zh = f"归档完好:至日志位置 {found.covered_to},{found.parts} 个文件。"
    en = f"The archive is sound: up to position {found.covered_to}, {found.parts} files."
    output.line(output.say(zh, en), style="green")
    if found.behind:
        zh = f"另有 {found.behind} 个事件尚未归档,请执行 archive。"
        en = f"{found.behind} events are not archived yet: run archive."
        output.line(output.say(zh, en))


def render_archive_damaged(output: Output) -> None:
    """Say what to do about a damaged archive of a sound log."""
    output.line(
        output.say(
            "归档受损,日志未受影响:请将归档目录移走保全,再执行 archive 由日志重新生成。",
            "The archive is damaged, not the log: move its folder away, keep it, and run archive"
            " to write it anew from the log.",
        )
    )
