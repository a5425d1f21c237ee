"""Recording the lines of a bank's statement (对账单): those that no earlier statement had.

Statements overlap, and a line has no number of its own: it is known by account, reference, day,
amount and the how-manieth of such lines it is (decision 0029).
"""

from collections.abc import Iterable, Sequence

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import bank_statement_stream
from ledger.events.base import Envelope, Fact, Source
from ledger.events.reconciliation import (
    StatedPayment,
    StatementBankReceived,
    StatementBankWithdrawn,
)
from settlement.banking import Place
from settlement.intake.bank_rows import BankRow
from settlement.intake.post_statements import New

#: Lines in one event.
_TOGETHER = 1_000


def new_payments(
    ledger: FundLedger, area: Area, rows: Sequence[BankRow], *, intake: str, user: str
) -> New:
    """Add the lines of a bank's statement that no earlier statement had."""
    lists: dict[tuple[Place, str], list[BankRow]] = {}
    for row in rows:
        lists.setdefault((row.place, row.period), []).append(row)
    found, count = [], 0
    for (place, period), mine in lists.items():
        stream = bank_statement_stream(area.code, place.source, place.account, period)
        history = ledger.history(stream)
        known = lines_standing(envelope.fact for _, envelope in history)
        new = [row for row in mine if row.key not in known]
        parts = [new[at : at + _TOGETHER] for at in range(0, len(new), _TOGETHER)]
        for version, part in enumerate(parts, start=len(history) + 1):
            fact = StatementBankReceived(
                area=area.code,
                period=period,
                by=user,
                counterparty=place.source,
                account=place.account,
                payments=tuple(map(_payment, part)),
                source=Source(intake=intake),
            )
            found.append(Envelope(stream, version, fact))
        count += len(new)
    return New(found, count)


def _payment(row: BankRow) -> StatedPayment:
    return StatedPayment(
        row.line,
        row.date.isoformat(),
        row.fen,
        row.balance_fen,
        row.ref,
        row.nth,
        row.counterparty,
        row.institution,
        row.summary,
        row.fund,
    )


def lines_standing(history: Iterable[Fact]) -> set[tuple[str, str, int, int]]:
    """Name the lines of one account and month that were added and not withdrawn since."""
    lines: dict[tuple[str, str, int, int], str | None] = {}
    for fact in history:
        if isinstance(fact, StatementBankReceived):
            for one in fact.payments:
                lines[one.ref, one.date, one.fen, one.nth] = fact.source.intake
        elif isinstance(fact, StatementBankWithdrawn):
            lines = {key: intake for key, intake in lines.items() if intake != fact.intake}
    return set(lines)
