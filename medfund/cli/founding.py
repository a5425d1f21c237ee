"""``db`` and ``setup``: making a book and saying whose it is."""

from pathlib import Path

import click

from ledger.store import schema
from medfund.cli.app import Session, cli, pass_session
from projections.rebuild import renew
from settlement.setup import apply_setup
from settlement.setup_file import read_setup


@cli.group(help="建立或检查数据库结构 / create, migrate or check the schema")
def db() -> None:
    """Commands about the schema."""


@db.command("upgrade", help="建立或迁移数据库结构 / create or migrate the schema")
@pass_session
def upgrade(session: Session) -> None:
    """Bring the schema to this version, and read models that an earlier one made."""
    schema.upgrade(session.settings.database_url)
    output = session.output
    missing = [problem.en for problem in schema.check(session.settings.database_url)]
    with session.house() as house, output.progress("rebuild") as shown:
        last = house.ledger.log.last_position()
        renewed = renew(
            house.ledger,
            house.reads,
            lambda position: shown(position, last),
            page_size=session.settings.page_size,
        )

    def render() -> None:
        output.line(output.say("数据库结构已是最新。", "The schema is up to date."))
        if renewed is not None:
            output.line(
                output.say(
                    f"投影已按本版本重建至日志位置 {renewed.position}。",
                    f"The read models of another version were rebuilt up to {renewed.position}.",
                )
            )

    rebuilt = None if renewed is None else renewed.position
    output.answer({"upgraded": not missing, "missing": missing, "rebuilt": rebuilt}, render)


@db.command("check", help="说明缺什么 / say what is missing")
@pass_session
def check(session: Session) -> None:
    """Say what the schema lacks; exit 5 where it lacks anything."""
    output = session.output
    missing = [
        output.say(problem.zh, problem.en)
        for problem in schema.check(session.settings.database_url)
    ]
    session.exit_code = 5 if missing else 0

    def render() -> None:
        if not missing:
            output.line(output.say("数据库结构完整。", "The schema is complete."))
        for problem in missing:
            output.line(problem)
        if missing:
            output.line(output.say("请执行 medfund db upgrade。", "Run medfund db upgrade."))

    output.answer({"ok": not missing, "missing": missing}, render)


@cli.command(help="按文件设置统筹区、险种、机构、用户 / set an area up from a TOML file")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def setup(session: Session, file: Path) -> None:
    """Bring an area to what the file says."""
    wanted = read_setup(file)
    url = session.settings.database_url
    if any(problem.code == "schema_missing" for problem in schema.check(url)):
        schema.upgrade(url)  # the founding act of a book that does not exist yet
    with session.house() as house:
        result = apply_setup(house.ledger, wanted, user=session.user)
        house.vault.prepare()
    output = session.output

    def render() -> None:
        if not result.changes:
            output.line(output.say("无变化:设置已是如此。", "Nothing to change."))
        for topic, count in result.changes.items():
            output.line(f"{topic}  × {count}")
        for key in result.unknown_keys:
            output.note(output.say(f"未识别的键:{key}", f"key read over: {key}"), style="yellow")

    output.answer(
        {
            "area": result.area,
            "founding": result.founding,
            "changes": result.changes,
            "unknown_keys": result.unknown_keys,
        },
        render,
    )
