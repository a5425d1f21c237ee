"""``reverse``: correcting by red-letter entries."""

import click

from medfund.cli.app import Session, cli, pass_session
from settlement.corrections import reverse_fact, reverse_intake


@cli.command(help="红字冲销 / reverse a document, settlement or position, or a whole intake")
@click.argument("ref", required=False, metavar="EVENT")
@click.option("--intake", metavar="ID", help="整批冲销 / every row of an intake")
@click.option("--reason", default="更正", show_default=True, help="理由 / why")
@pass_session
def reverse(session: Session, ref: str | None, intake: str | None, reason: str) -> None:
    """Reverse, naming the original."""
    if (ref is None) == (intake is None):
        raise click.UsageError("reverse EVENT | reverse --intake ID")
    output = session.output
    with session.house() as house:
        area = session.area(house)
        if intake is not None:
            done = reverse_intake(
                house.ledger, area, intake=intake, reason=reason, user=session.user
            )
        else:
            done = reverse_fact(house.ledger, area, ref=str(ref), reason=reason, user=session.user)
    output.answer(
        {
            "ref": ref or intake,
            "reversed_rows": done.reversed_rows,
            "first_position": done.first_position,
            "last_position": done.last_position,
        },
        lambda: output.line(
            output.say(
                f"已红字冲销 {done.reversed_rows} 笔,日志位置至 {done.last_position}。",
                f"Reversed {done.reversed_rows}, up to log position {done.last_position}.",
            )
        ),
    )
