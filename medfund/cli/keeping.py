"""``keys``: rotating and destroying what protects persons and received files."""

import click

from medfund.cli.app import Session, cli, pass_session
from settlement.keys import destroy_person_key, erase_file, rotate_person_key


@cli.group(help="个人信息与留存文件的密钥 / keys of persons and received files")
def keys() -> None:
    """Commands about keys."""


@keys.command("rotate", help="轮换人员标识密钥 / a new version of the person key")
@pass_session
def rotate(session: Session) -> None:
    """Rotate the person key."""
    output = session.output
    with session.house() as house:
        area = session.area(house)
        version = rotate_person_key(house.ledger, house.vault, area, user=session.user)
    output.answer(
        {"key": "person", "version": version},
        lambda: output.line(output.say(f"现用第 {version} 版。", f"Version {version} is in use.")),
    )


@keys.command("destroy", help="销毁旧版人员标识密钥 / destroy an old version of the person key")
@click.argument("version", type=int)
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def destroy(session: Session, version: int, reason: str) -> None:
    """Destroy an old person key."""
    output = session.output
    with session.house() as house:
        area = session.area(house)
        destroy_person_key(
            house.ledger, house.vault, area, version=version, reason=reason, user=session.user
        )
    output.answer(
        {"key": "person", "version": version, "destroyed": True},
        lambda: output.line(output.say("已销毁,不可恢复。", "Destroyed for good.")),
    )


@keys.command("erase", help="删除一个导入批次的留存文件 / erase the received file of an intake")
@click.argument("intake")
@click.option("--reason", required=True, help="理由 / why")
@pass_session
def erase(session: Session, intake: str, reason: str) -> None:
    """Erase a received file; its events stay."""
    output = session.output
    with session.house() as house:
        area = session.area(house)
        erase_file(house.ledger, house.vault, area, intake=intake, reason=reason, user=session.user)
    output.answer(
        {"intake": intake, "erased": True},
        lambda: output.line(
            output.say("留存文件已删除,账簿不变。", "Erased; the books are untouched.")
        ),
    )
