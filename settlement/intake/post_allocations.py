"""Recording an allocation (异地清分明细): what is new or changed; the latest word on a settlement counts."""

from collections.abc import Iterable, Sequence

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import allocation_stream
from ledger.events.base import Envelope, Source
from ledger.events.remote import AllocatedSettlement, RemoteAllocationReceived
from settlement.intake.allocation_rows import AllocationRow
from settlement.intake.post_statements import New

_TOGETHER = 1_000  # settlements in one event


def new_allocations(
    ledger: FundLedger, area: Area, rows: Sequence[AllocationRow], *, intake: str, user: str
) -> New:
    """Give the events for what the log does not say already."""
    months: dict[str, list[AllocationRow]] = {}
    for row in rows:
        months.setdefault(row.period, []).append(row)
    found, count = [], 0
    for period, mine in sorted(months.items()):
        stream = allocation_stream(area.code, period)
        history = [envelope for _, envelope in ledger.history(stream)]
        known = latest(history)
        new = [one for row in mine if known.get((row.setl_id, row.refund)) != (one := _said(row))]
        parts = [new[at : at + _TOGETHER] for at in range(0, len(new), _TOGETHER)]
        lines = {(row.setl_id, row.refund): row.line for row in mine}
        for version, part in enumerate(parts, start=len(history) + 1):
            settlements = (AllocatedSettlement(lines[one[0], one[1]], *one) for one in part)
            fact = RemoteAllocationReceived(
                area=area.code,
                period=period,
                by=user,
                settlements=tuple(settlements),
                source=Source(intake=intake),
            )
            found.append(Envelope(stream, version, fact))
        count += len(new)
    return New(found, count)


_Said = tuple[str, bool, str, str | None, str, int, int]


def _said(row: AllocationRow) -> _Said:
    return (row.setl_id, row.refund, row.mdtrtarea, row.insuplc, row.institution,
            row.medfee_fen, row.paid_fen)  # fmt: skip


def latest(history: Iterable[Envelope]) -> dict[tuple[str, bool], _Said]:
    """Fold the allocations of a month: the latest word on each settlement."""
    found: dict[tuple[str, bool], _Said] = {}
    for envelope in history:
        if isinstance(envelope.fact, RemoteAllocationReceived):
            for one in envelope.fact.settlements:
                found[one.setl_id, one.refund] = (
                    one.setl_id, one.refund, one.mdtrtarea, one.insuplc, one.institution,
                    one.medfee_fen, one.paid_fen,
                )  # fmt: skip
    return found
