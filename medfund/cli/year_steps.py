"""A month of the sample city, settled by its people: run, plan, payment orders, the bank's word.

Each step is a use-case of the product under the demo's own calendar, and is left out where it was
done before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ledger.aggregates import payout as states
from ledger.aggregates.clearing import APPROVED
from ledger.aggregates.payout import Payout
from ledger.aggregates.refusal import POSTED
from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.fund import parent
from ledger.domain.money import format_yuan
from ledger.domain.period import Period, Year
from medfund.bootstrap import House
from medfund.cli.refusing import owed_in
from medfund.demo.city import CITY_CODE, HOSPITALS
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.owed import Records
from settlement.clearing.records import MEMORY_MIB
from settlement.month_runs import approve_clearing, load_clearing, request_clearing
from settlement.payout.batches import load_payouts
from settlement.payout.ordering import Draft, approve_payout, prepare
from settlement.payout.plan_gate import load_plan
from settlement.payout.planning import PlanDraft, draw_plan, grant_plan, request_plan
from settlement.payout.refusals import NothingToPay
from settlement.payout.results import record_results, results_for
from settlement.refusal_checks import Draft as RefusalDraft
from settlement.refusing import approve_refusal, load_refusal, propose_refusal
from settlement.year_runs import approve_year, load_year, request_year

CLERK, REVIEWER = "clerk1", "reviewer1"
LEAVES = ("310.pooled", "310.personal", "390")
CLEARED = ("310.pooled", "390")  # paid by methods, and cleared for the year
#: The hospital whose statement the demo prints: something of its claims is refused every month.
SHOWN = HOSPITALS[0].code
_REFUSED_FEN = 128_000


@dataclass(slots=True)
class Desk:
    """The city's book, the month that is being settled, and the archive as it was last looked at.

    What one fund's run posts changes nothing for another's, so a look serves all of them.
    """

    house: House
    month: Period
    _records: Records | None = None

    def day(self, number: int) -> date:
        """Give a day of the month after, in which it is settled and paid."""
        return self.month.next.first_day.replace(day=number)

    @property
    def paid_in(self) -> str:
        return str(self.month.next)

    def look(self, position: int | None = None) -> Records:
        """Read the archive as of a position, by default as the log stands."""
        log, folder = self.house.ledger.log, self.house.archive
        bring_up_to(log, folder)
        engine = DuckDBEngine(memory_mib=MEMORY_MIB)
        position = log.last_position() if position is None else position
        self._records = Records(Archive(folder), engine, CITY_CODE, position)
        return self._records

    def records(self, _fund: str | None = None) -> Records:
        """Give the archive as it was last looked at."""
        return self._records or self.look()


def settle_month(desk: Desk) -> None:
    """Refuse, clear, plan, order and pay a month of every leaf fund."""
    _refuse(desk)
    desk.look(_cleared_at(desk))
    for fund in LEAVES:
        _clear(desk, fund)
    desk.look(_planned_at(desk))
    for fund in dict.fromkeys(parent(leaf) for leaf in LEAVES):
        _plan(desk, fund)
    for fund in LEAVES:
        _pay(desk, fund)


def settle_year(desk: Desk, year: Year) -> None:
    """Clear the year of the funds that are paid by methods, and pay what it brings."""
    desk.look(_year_cleared_at(desk, year))
    for fund in CLEARED:
        _clear_year(desk, fund, year)
    desk.look(_planned_at(desk))
    for fund in dict.fromkeys(parent(leaf) for leaf in CLEARED):
        _plan(desk, fund)
    for fund in CLEARED:
        _pay(desk, fund)


def _year_cleared_at(desk: Desk, year: Year) -> int | None:
    runs = load_year(desk.house.ledger, CITY_CODE, CLEARED[0], str(year)).runs
    return runs[0].computed.watermark if runs else None


def _clear_year(desk: Desk, fund: str, year: Year) -> None:
    ledger, area, today = desk.house.ledger, desk.house.area(), desk.day(20)
    if any(run.state == APPROVED for run in load_year(ledger, area.code, fund, str(year)).runs):
        return
    run = request_year(ledger, area, desk.records, fund=fund, year=year, user=CLERK, today=today)
    if run is not None:
        approve_year(ledger, area, desk.records, run=run.id, user=REVIEWER, today=today)


def _cleared_at(desk: Desk) -> int | None:
    """Say where the month's first run looked: what was killed goes on with the same figures."""
    runs = load_clearing(desk.house.ledger, CITY_CODE, LEAVES[0], str(desk.month)).runs
    return runs[0].computed.watermark if runs else None


def _planned_at(desk: Desk) -> int | None:
    """Say where the month's first plan looked."""
    plan = load_plan(desk.house.ledger, CITY_CODE, parent(LEAVES[0]), desk.paid_in)
    return plan.requests[0].as_of if plan.requests else None


def _refuse(desk: Desk) -> None:
    """Refuse part of a hospital's claims, by two people."""
    ledger, area = desk.house.ledger, desk.house.area()
    number, owed = f"JF-{desk.month}-001", owed_in(desk.house, area.code)
    booked = owed(LEAVES[0], SHOWN, str(desk.month)).get("owed.booked", 0)
    fen = min(_REFUSED_FEN, booked // 10)
    if fen <= 0 or load_refusal(ledger, area.code, number).state == POSTED:
        return
    draft = RefusalDraft(
        fund=LEAVES[0],
        institution=SHOWN,
        month=desk.month,
        amount=format_yuan(fen, grouped=False),
        reason_code="0102",
        reason="重复收费:床位费按日多计",
        day=desk.day(2),
        doc_no=number,
    )
    found = propose_refusal(ledger, area, draft, owed=owed, user=CLERK, today=desk.day(2))
    approve_refusal(ledger, area, refusal=found.id, owed=owed, user=REVIEWER)


def _clear(desk: Desk, fund: str) -> None:
    """Compute the run of a month and have it approved; nothing where nothing is new."""
    ledger, area, today = desk.house.ledger, desk.house.area(), desk.day(3)
    runs = load_clearing(ledger, area.code, fund, str(desk.month)).runs
    if any(run.state == APPROVED for run in runs):
        return
    run = request_clearing(
        ledger, area, desk.records, fund=fund, period=desk.month, user=CLERK, today=today
    )
    if run is not None:
        approve_clearing(ledger, area, desk.records, run=run.id, user=REVIEWER, today=today)


def _plan(desk: Desk, fund: str) -> None:
    """Ask the bureau for the money of the month, have it granted, and draw it."""
    ledger, area, period = desk.house.ledger, desk.house.area(), desk.month.next
    plan = load_plan(ledger, area.code, fund, desk.paid_in)
    if not plan.requests:
        draft = PlanDraft(fund=fund, period=period, day=desk.day(4), by_hand={})
        plan = request_plan(ledger, area, draft, records=desk.records(), user=CLERK)
    if plan.waiting is not None:
        plan = grant_plan(
            ledger,
            area,
            fund=fund,
            period=period,
            amounts={},
            paper=f"样例财社〔{period}〕{fund}",
            day=desk.day(5),
            user=REVIEWER,
        )
    for leaf in LEAVES:
        if parent(leaf) == fund and plan.granted(leaf) > plan.drawn(leaf):
            draw_plan(
                ledger,
                area,
                fund=leaf,
                period=period,
                fen=None,
                doc_no=f"YK-{leaf}-{period}",
                day=desk.day(6),
                user=CLERK,
            )


def _pay(desk: Desk, fund: str) -> None:
    """Prepare the month's payment orders, order them, and record that the bank paid them."""
    ledger, area = desk.house.ledger, desk.house.area()
    if not load_payouts(ledger, area.code, fund, desk.paid_in).batches:
        try:
            prepare(
                ledger,
                area,
                Draft(fund=fund, day=desk.day(8)),
                ask=desk.records,
                user=CLERK,
                today=desk.day(8),
            )
        except NothingToPay:
            return
    for waiting in _batches(desk, fund, states.WAITING):
        approve_payout(ledger, area, payout=waiting.id, ask=desk.records, user=REVIEWER)
    for ordered in _batches(desk, fund, states.APPROVED):
        results = results_for(
            ledger,
            ordered,
            lines=(),
            state=states.PAID,
            date=desk.day(9).isoformat(),
            bank_ref=f"{desk.paid_in.replace('-', '')}09{fund.replace('.', '').upper()}",
        )
        record_results(ledger, area, results, user=CLERK)


def _batches(desk: Desk, fund: str, state: str) -> Iterator[Payout]:
    found = load_payouts(desk.house.ledger, desk.house.area().code, fund, desk.paid_in)
    return (one for one in found.batches if one.state == state)
