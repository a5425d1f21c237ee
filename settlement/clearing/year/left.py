"""What months left declared because only a share of it is paid monthly (按比例预拨后的余额).

Nothing but the year settles it: the year's run takes it off what is declared and posts the difference
to what the whole year is due.
"""

from collections.abc import Collection, Mapping

from ledger.aggregates.clearing import fold_clearing
from ledger.events.base import Fact
from ledger.events.clearing import ClearingFact
from settlement.clearing.owed import Records


def left_declared(
    records: Records, fund: str, months: Collection[str]
) -> Mapping[tuple[str, str], int]:
    """Give by institution and month what the last approved run left of what was declared, in fen."""
    told: dict[str, list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(ClearingFact):
        if fact.fund == fund and fact.period in months:
            told.setdefault(fact.period, []).append((position, fact))
    return {
        (line.institution, month): line.declared_fen + line.on_behalf_fen - line.settled_fen
        for month, stored in told.items()
        for run in fold_clearing(records.area, fund, month, stored).approved
        for line in run.computed.lines
    }


def still_left(left_fen: int, declared_fen: int) -> int:
    """Give what is there of it: it was refused since, or declared anew for a run of its own.

    Of 100.00 that a run left, 40.00 are there if 60.00 were refused; of 130.00, 30.00 are new.
    """
    if left_fen >= 0:
        return max(min(left_fen, declared_fen), 0)
    return min(max(left_fen, declared_fen), 0)
