"""``payout confirm`` and ``payout fail``: what the bank made of payment orders."""

from collections.abc import Sequence
from datetime import date

import click

from ledger.aggregates.payout import FAILED, PAID, RETURNED
from ledger.aggregates.persons import persons_of
from ledger.aggregates.prepayment import prepayment_of
from medfund.cli.app import Session, pass_session
from medfund.cli.paying import answer_payout, payout
from medfund.cli.persons import record_for_persons
from medfund.cli.prepaying import record_for_prepayment
from medfund.cli.refusing import Day
from settlement.payout.batches import payout_of, states_of
from settlement.payout.document import payout_document
from settlement.payout.results import record_results, results_for


@payout.command("confirm", help="登记银行付讫 / record that the bank paid")
@click.argument("payout_id", metavar="ID")
@click.option("--date", "day", type=Day(), required=True, help="银行付款日期 / the bank's date")
@click.option(
    "--line", "lines", type=int, multiple=True, help="付款单行号,缺省全部待结果的 / order"
)
@click.option("--bank-ref", help="银行流水号 / the bank's reference")
@pass_session
def confirm_command(
    session: Session, *, payout_id: str, day: date, lines: Sequence[int], bank_ref: str | None
) -> None:
    """Record payments."""
    _record(session, payout_id, lines, PAID, day, bank_ref=bank_ref)


@payout.command("fail", help="登记付款失败或退汇 / record that a payment failed or came back")
@click.argument("payout_id", metavar="ID")
@click.option("--line", "lines", type=int, multiple=True, required=True, help="付款单行号 / order")
@click.option("--reason", required=True, help="原因 / why")
@click.option("--date", "day", type=Day(), required=True, help="银行日期 / the bank's date")
@click.option("--bank-ref", help="银行流水号 / the bank's reference")
@click.option("--returned", is_flag=True, help="付讫后退汇 / it was paid and came back")
@pass_session
def fail_command(
    session: Session,
    *,
    payout_id: str,
    day: date,
    lines: Sequence[int],
    returned: bool,
    **said: str | None,
) -> None:
    """Record failures, or payments that came back."""
    _record(session, payout_id, lines, RETURNED if returned else FAILED, day, **said)


def _record(
    session: Session,
    payout_id: str,
    lines: Sequence[int],
    state: str,
    day: date,
    **said: str | None,
) -> None:
    with session.house() as house:
        area = session.area(house)
        if persons_of(payout_id, area.code) is not None:
            record_for_persons(
                session, house, area, payout_id, lines=lines, state=state, day=day, **said
            )
            return
        if prepayment_of(payout_id, area.code) is not None:
            record_for_prepayment(
                session, house, area, payout_id, lines=lines, state=state, day=day, **said
            )
            return
        _, found = payout_of(house.ledger, area, payout_id)
        results = results_for(
            house.ledger, found, lines=lines, state=state, date=day.isoformat(), **said
        )
        recorded = record_results(house.ledger, area, results, user=session.user)
        document = payout_document(area, found, states_of(house.ledger, found))
    answer_payout(session, document | {"recorded": recorded})
