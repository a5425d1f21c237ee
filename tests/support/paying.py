"""What a monthly run leaves behind (审定), written straight to the log for tests of paying."""

from collections.abc import Iterable
from hashlib import sha256

from support.facts import stepped

from ledger.application import FundLedger
from ledger.domain.entry import Entry, move
from ledger.domain.identity import settlement_stream
from ledger.events.base import Envelope
from ledger.store.commit import Commit
from settlement.booking import booked_months, totals_of

Approved = tuple[str, str, int]  # institution, 清算年月, fen; below nil is owed back


def approve_months(
    ledger: FundLedger, area: str, fund: str, months: Iterable[Approved], day: str
) -> None:
    """Bring amounts to ``owed.approved``, each on the stream of its institution's month."""
    for institution, month, fen in months:
        entry: Entry = (
            move(fund, debit="owed.declared", credit="owed.approved", fen=fen, party=institution),
        )
        step(ledger, (area, fund, institution, month), entry, day)


def step(ledger: FundLedger, month: tuple[str, str, str, str], entry: Entry, day: str) -> None:
    """Append one step of settling with any entry; ``month`` names the stream."""
    stream = settlement_stream(*month)
    version = len(ledger.history(stream)) + 1
    fact = stepped(version, entry, day, institution=month[2], belongs_to=month[3])
    key = f"{stream}:{version}"
    ledger.append(
        [Envelope(stream, version, fact)],
        Commit(
            key=key,
            input_hash=sha256(key.encode()).hexdigest(),
            booked=booked_months([fact]),
            totals=totals_of([fact]),
        ),
    )
