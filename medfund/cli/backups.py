"""``backup`` and ``restore``: a copy of the whole book with its anchor, and back again."""

from pathlib import Path

import click

from ledger.backup import copies
from medfund.bootstrap import now
from medfund.cli.app import Session, cli, pass_session
from medfund.settings import environment_for, without_password


@cli.command(help="备份整个账簿及其锚点 / a consistent copy of the book, with its anchor")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@pass_session
def backup(session: Session, folder: Path) -> None:
    """Copy the book while it is in use."""
    output = session.output
    settings = session.settings
    paper = copies.backup(settings.database_url, folder, env=environment_for(settings))
    document = {
        "folder": str(folder),
        "file": paper.file,
        "store": paper.store,
        "bytes": paper.bytes,
        "sha256": paper.sha256,
        "position": paper.position,
        "anchor": {"seal_no": paper.seal_no, "digest": paper.seal_digest},
    }

    def render() -> None:
        output.line(
            output.say(
                f"已备份至日志位置 {paper.position}(封签 {paper.seal_no}):{folder / paper.file}",
                f"Copied up to position {paper.position} (seal {paper.seal_no}): "
                f"{folder / paper.file}",
            ),
            style="green",
        )
        output.line(
            output.say(
                "备份含人员密钥与留存文件,请加密保管并按期销毁;anchor.json 请另存他处。",
                "It holds keys and received files: keep it encrypted and let it expire; "
                "keep anchor.json elsewhere too.",
            )
        )

    output.answer(document, render)


@cli.command(help="把备份恢复到新库并校验 / bring a backup into a new book, and verify it")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@pass_session
def restore(session: Session, folder: Path) -> None:
    """Restore into a new file or an empty database; exit 4 where the copy is damaged."""
    output = session.output
    settings = session.settings
    with output.progress("verify") as progress:
        found = copies.restore(
            folder,
            settings.database_url,
            clock=now,
            env=environment_for(settings),
            progress=progress,
        )
    document = {
        "restored": True,
        "events": found.events,
        "seals": found.seals,
        "anchor": {"seal_no": found.anchor.seal_no, "digest": found.anchor.digest},
    }

    def render() -> None:
        where = without_password(settings.database_url)
        output.line(
            output.say(
                f"已恢复到 {where} 并与锚点核对一致:{found.events} 个事件,{found.seals} 个封签。",
                f"Restored to {where} and verified against the anchor: {found.events} events "
                f"under {found.seals} seals.",
            ),
            style="green",
        )
        output.line(
            output.say(
                "建议接着执行 medfund replay --compare,核对投影。",
                "Next: medfund replay --compare, to hold the projections against the log.",
            )
        )

    output.answer(document, render)
