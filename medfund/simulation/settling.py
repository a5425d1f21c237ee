"""The people who settle with institutions (结算人员): runs, payment orders, the bank's word, prepayments.

They work in some of the runs only: what is settled is asked of the archive, which takes its time.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.simulation.auditor import Auditor
from medfund.simulation.commands import Command
from medfund.simulation.findings import require
from medfund.simulation.papers import HOSPITALS
from medfund.simulation.settlements_kept import Decided
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.question import refuse_unfinished
from settlement.clearing.owed import Records
from settlement.clearing.policies.file import read_policy
from settlement.month_runs import approve_clearing, reject_clearing, request_clearing
from settlement.payout.ordering import Draft, approve_payout, prepare, reject_payout
from settlement.payout.prepay_results import record_prepayment_results
from settlement.payout.prepaying import (
    PrepayDraft,
    approve_prepayment,
    propose_prepayment,
    reject_prepayment,
)
from settlement.payout.results import Result, record_results
from settlement.policies import approve_policy, propose

#: Of how many seeds one is of a bureau that settles, too.
ONE_OF = 16
#: Where prepayments are made: long before everything else, for they are judged by twelve months.
FIRST_MONTH = "2022-11"
FUNDS = ("390", "310.personal", "610")
RESIDENT = "390"
POLICY = """
[policy]
name = "resident"
title = "按项目付费"
fund = "390"
effective = 2022-01-01

[prepayment]
gate_months = "0"
deficit_last_year = "ignore"
deficit_forecast = "ignore"

[deposit]
share = "5%"

[[methods]]
name = "all"
kind = "fee_for_service"
"""
_UNSETTLED = ("owed.booked", "owed.declared")
_ENGINE = DuckDBEngine(memory_mib=64, threads=1)
_REJECTED = 20  # of a hundred decisions


@dataclass(slots=True)
class Settling:
    """Draws what is settled next, from what stands in the books."""

    chance: random.Random
    auditor: Auditor
    today: Callable[[], date]
    clerk: Callable[[], str]
    reviewer: Callable[[], str]
    areas: Sequence[str]
    prepays: bool

    def policy(self, area: str, folder: Path) -> Command:
        """Put the policy of the residents' fund in force; it is done before anything breaks."""
        (path := folder / "policy.toml").write_text(POLICY, encoding="utf-8")

        def work(house: House) -> str:
            version = propose(house.ledger, house.area(area), read_policy(path), user="clerk1")
            approve_policy(house.ledger, house.area(area), policy=version.id, user="reviewer1")
            return version.id

        return Command("policy", f"clerk1 policy {area}", work)

    def draw(self) -> Command | None:
        """Draw one of the steps for which there is something to do; None where there is none."""
        steps = [
            self._clear,
            self._prepare,
            *(self._decide_run, self._decide_payout, self._bank) * 2,
        ]
        steps += [self._decide_prepayment] * 2 + ([self._prepay] if self.prepays else [])
        self.chance.shuffle(steps)
        return next((task for step in steps if (task := step()) is not None), None)

    def _waiting(self, kept: Mapping[str, Decided]) -> str | None:
        """Choose something to decide: mostly what waits, now and then what is decided already."""
        waiting = [number for number, one in kept.items() if one.state == "waiting"]
        if self.chance.randrange(8) == 0:
            waiting = list(kept)
        return self.chance.choice(waiting) if waiting else None

    # --- runs ---------------------------------------------------------------------------------

    def _clear(self) -> Command | None:
        """A run of a month: mostly of one in which something is booked and not settled."""
        area, fund = self.chance.choice(self.areas), self.chance.choice(FUNDS)
        month = str(Period.of(self.today()).plus(self.chance.choice((-1, -2, -3, 0))))
        waiting = sorted(
            {
                (its_area, its_fund, its_month)
                for its_area, its_fund, _, its_month in self.auditor.settlements.standing(
                    *_UNSETTLED
                )
                if its_fund in FUNDS
            }
        )
        if self.chance.randrange(8):
            if not waiting:
                return None
            area, fund, month = self.chance.choice(waiting)
        user, period = self.clerk(), Period.parse(month)

        def work(house: House) -> str:
            run = request_clearing(
                house.ledger,
                house.area(area),
                lambda: _records(house, area),
                fund=fund,
                period=period,
                user=user,
                today=self.today(),
            )
            if run is None:
                return "nothing new"
            require(run.id in self.auditor.settlements.runs, "what was confirmed stands in the log")
            return f"{run.id} {run.state} {len(run.computed.lines)}"

        return Command("clear", f"{user} clear {area} {fund} {period}", work)

    def _decide_run(self) -> Command | None:
        run = self._waiting(self.auditor.settlements.runs)
        if run is None:
            return None
        area, user = run.partition("-")[0], self.reviewer()
        if self.chance.randrange(100) < _REJECTED:

            def rejecting(house: House) -> str:
                return reject_clearing(
                    house.ledger, house.area(area), run=run, reason="请核对", user=user
                ).state

            return Command("reject a run", f"{user} reject {run}", rejecting)

        def approving(house: House) -> str:
            done = approve_clearing(
                house.ledger,
                house.area(area),
                lambda: _records(house, area),
                run=run,
                user=user,
                today=self.today(),
            )
            kept = self.auditor.settlements.runs[run].state
            require(kept == "approved", "what was confirmed stands in the log", run=run)
            return done.state

        return Command("approve a run", f"{user} approve {run}", approving)

    # --- payment orders -----------------------------------------------------------------------

    def _prepare(self) -> Command | None:
        approved = self.auditor.settlements.standing("owed.approved")
        waiting = sorted({place[:2] for place, fen in approved.items() if fen > 0})
        if not waiting:
            return None
        area, fund = self.chance.choice(waiting)
        user, day = self.clerk(), self.today()

        def work(house: House) -> str:
            found = prepare(
                house.ledger,
                house.area(area),
                Draft(fund=fund, day=day),
                ask=_asking(house, area),
                user=user,
                today=self.today(),
            )
            return f"{found.id} {found.prepared.total_fen}"

        return Command("prepare", f"{user} payout prepare {area} {fund} {day}", work)

    def _decide_payout(self) -> Command | None:
        payout = self._waiting(self.auditor.settlements.payouts)
        if payout is None:
            return None
        area, user = payout.partition("-")[0], self.reviewer()
        if self.chance.randrange(100) < _REJECTED:

            def rejecting(house: House) -> str:
                return reject_payout(
                    house.ledger, house.area(area), payout=payout, reason="请核对", user=user
                ).state

            return Command("reject a payout", f"{user} reject {payout}", rejecting)

        def approving(house: House) -> str:
            return approve_payout(
                house.ledger,
                house.area(area),
                payout=payout,
                ask=_asking(house, area),
                user=user,
            ).state

        return Command("approve a payout", f"{user} approve {payout}", approving)

    def _bank(self) -> Command | None:
        """The bank's word on some orders of a batch: mostly paid, now and then once more."""
        lines = sorted({order[:2] for order in self.auditor.settlements.orders})
        if not lines:
            return None
        payout, _ = self.chance.choice(lines)
        prepaid = "-prepay-" in payout
        states = ("paid", "paid", "failed") if prepaid else ("paid",) * 3 + ("failed", "returned")
        mine = [line for one, line in lines if one == payout]
        said = [
            Result(
                payout=payout,
                line=line,
                state=(state := self.chance.choice(states)),
                date=self.today().isoformat(),
                reason=None if state == "paid" else "户名不符",
            )
            for line in sorted(self.chance.sample(mine, self.chance.randint(1, len(mine))))
        ]
        area, user = payout.partition("-")[0], self.clerk()

        def work(house: House) -> str:
            ledger, of = house.ledger, house.area(area)
            if not prepaid:
                return f"{record_results(ledger, of, said, user=user)} new"
            ask, today = _asking(house, area), self.today()
            done = record_prepayment_results(ledger, of, said, ask=ask, user=user, today=today)
            return f"{done} new"

        words = ", ".join(f"{one.line} {one.state}" for one in said)
        return Command("bank", f"{user} payout results {payout}: {words}", work)

    # --- prepayments --------------------------------------------------------------------------

    def _prepay(self) -> Command:
        area, user, day = self.chance.choice(self.areas), self.clerk(), self.today()
        chosen = self.chance.sample(HOSPITALS, self.chance.randint(1, len(HOSPITALS)))
        lines = {code: self.chance.randint(1, 10**9) for code in sorted(chosen)}
        draft = PrepayDraft(fund=RESIDENT, period=Period.of(day), day=day, lines=lines)

        def work(house: House) -> str:
            found = propose_prepayment(
                house.ledger, house.area(area), draft, ask=_asking(house, area), user=user
            )
            return f"{found.id} {found.proposed.total_fen}"

        return Command("prepay", f"{user} payout prepay {area} {sum(lines.values())}", work)

    def _decide_prepayment(self) -> Command | None:
        name = self._waiting(self.auditor.settlements.prepayments)
        if name is None:
            return None
        area, user = name.partition("-")[0], self.reviewer()
        if self.chance.randrange(100) < _REJECTED:

            def rejecting(house: House) -> str:
                return reject_prepayment(
                    house.ledger, house.area(area), prepayment=name, reason="请核对", user=user
                ).state

            return Command("reject a prepayment", f"{user} reject {name}", rejecting)

        def approving(house: House) -> str:
            return approve_prepayment(
                house.ledger,
                house.area(area),
                prepayment=name,
                ask=_asking(house, area),
                user=user,
            ).state

        return Command("approve a prepayment", f"{user} approve {name}", approving)


def _records(house: House, area: str) -> Records:
    """Give the archive, brought up to the log as it stands."""
    position = house.ledger.log.last_position()
    bring_up_to(house.ledger.log, house.archive, position=position)
    return Records(Archive(house.archive), _ENGINE, area, position)


def _asking(house: House, area: str) -> Callable[[str], Records]:
    def ask(fund: str) -> Records:
        refuse_unfinished(house.ledger.log, area, fund)
        return _records(house, area)

    return ask
