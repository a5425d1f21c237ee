"""Running totals of postings (发生额汇总): the one way in which they are added up.

A use-case hands them over with its facts; verify adds them up again from the log.
"""

from collections.abc import Iterable, MutableMapping

from ledger.domain.period import Period
from ledger.events.base import Posted
from ledger.store.commit import Total, TotalKey

Totals = dict[TotalKey, Total]
_NIL = Total(0, 0, 0)


def add(into: MutableMapping[TotalKey, Total], fact: Posted) -> None:
    """Add one fact's postings: each debits one account and credits another in its booking month."""
    month = Period.parse(fact.booked_on[:7]).ordinal
    for posting in fact.postings:
        key = TotalKey(fact.area, posting.fund, posting.debit, month)
        debit, credit, lines = into.get(key, _NIL)
        into[key] = Total(debit + posting.fen, credit, lines + 1)
        key = TotalKey(fact.area, posting.fund, posting.credit, month)
        debit, credit, lines = into.get(key, _NIL)
        into[key] = Total(debit, credit + posting.fen, lines + 1)


def merge(into: MutableMapping[TotalKey, Total], more: MutableMapping[TotalKey, Total]) -> None:
    """Add totals to totals."""
    for key, (debit, credit, lines) in more.items():
        before = into.get(key, _NIL)
        into[key] = Total(before[0] + debit, before[1] + credit, before[2] + lines)


def add_up(facts: Iterable[object]) -> Totals:
    """Give the totals of some facts; those without postings add nothing."""
    found: Totals = {}
    for fact in facts:
        if isinstance(fact, Posted):
            add(found, fact)
    return found
