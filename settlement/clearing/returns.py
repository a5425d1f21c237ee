"""Prepayments that institutions were asked to give back (预付收回), as the archive has them."""

from ledger.aggregates.payout import ORDERED
from ledger.aggregates.prepayment import APPROVED, Prepayment, fold_prepayments
from ledger.events.prepayment import PrepaymentFact
from settlement.clearing.owed import Records


def open_returns(records: Records, fund: str) -> dict[str, int]:
    """Add up in fen, by institution, what is ordered to be returned and not answered (待到账).

    A run that offset it too would take it twice.
    """
    found: dict[str, int] = {}
    for batch in _batches(records, fund):
        if batch.takes_back and batch.state == APPROVED:
            for number, line in batch.lines.items():
                if batch.states[number][-1].state == ORDERED:
                    found[line.institution] = found.get(line.institution, 0) + line.fen
    return found


def _batches(records: Records, fund: str) -> list[Prepayment]:
    told: dict[str, list[PrepaymentFact]] = {}
    for _, fact in records.facts(PrepaymentFact):
        if fact.fund == fund:
            told.setdefault(fact.period, []).append(fact)
    return [
        batch
        for period in sorted(told)
        for batch in fold_prepayments(records.area, fund, period, told[period]).batches
    ]
