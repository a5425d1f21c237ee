"""Proposing prepayments from a file (预付申请): a batch for each fund, month and date, all in one commit."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger.aggregates.area import Area
from ledger.aggregates.prepayment import Prepayment, Prepayments
from ledger.application import FundLedger
from ledger.domain.identity import prepayments_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.events.base import Envelope
from ledger.events.prepayment import GateFigures
from settlement.intake.columns import PREPAYMENTS
from settlement.intake.post_statements import New
from settlement.intake.prepay_rows import PrepayRow
from settlement.intake.rejections import Rejection
from settlement.payout.batches import load_prepayments
from settlement.payout.institutions import standing_of
from settlement.payout.prepay_gate import PrepaymentNotOffered, PrepaymentRefused
from settlement.payout.prepaying import judged, not_prepaid, proposal_of, waiting_same

_Gate = tuple[GateFigures, str | None]


def new_prepayments(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[PrepayRow],
    *,
    intake: str,  # noqa: ARG001  sorters are called alike; a batch is known by fund and month
    user: str,
) -> New:
    """Give the batches that do not wait already, and the rows that the books bar."""
    by = area.allow(user, "pay")
    groups: dict[tuple[str, Period, date], list[PrepayRow]] = {}
    for row in rows:
        groups.setdefault((row.fund, row.period, row.date), []).append(row)
    known: dict[tuple[str, Period], Prepayments] = {}
    found: list[Envelope] = []
    rejections: list[Rejection] = []
    count = 0
    for (fund, period, day), mine in groups.items():
        gate = _gate(ledger, area, fund, period)
        barred = _barred(ledger, area, mine, gate)
        rejections += barred
        lines = {one.line for one in barred}
        good = [row for row in mine if row.line not in lines]
        if not good or isinstance(gate, PrepaymentRefused | PrepaymentNotOffered):
            continue
        if (fund, period) not in known:
            known[fund, period] = load_prepayments(ledger, area.code, fund, str(period))
        batches = known[fund, period]
        amounts = {row.institution: row.fen for row in good}
        fact = proposal_of(batches, day, amounts, gate=gate[0], policy=gate[1], by=by)
        if waiting_same(batches, fact) is not None:
            continue
        batches.batches.append(Prepayment(fact))  # the next of the file is numbered after it
        batches.version += 1
        stream = prepayments_stream(area.code, fund, str(period))
        found.append(Envelope(stream, batches.version, fact))
        count += len(good)
    return New(found, count, tuple(rejections))


def _gate(
    ledger: FundLedger, area: Area, fund: str, period: Period
) -> _Gate | PrepaymentRefused | PrepaymentNotOffered:
    try:
        return judged(ledger, area, fund, period)
    except (PrepaymentRefused, PrepaymentNotOffered) as refused:
        return refused


def _barred(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[PrepayRow],
    gate: _Gate | PrepaymentRefused | PrepaymentNotOffered,
) -> list[Rejection]:
    """Reject whoever is not prepaid on the day, and every row of a fund that may not prepay."""
    first = rows[0]
    gone = not_prepaid(standing_of(ledger, area, first.fund, first.date.isoformat()))
    found = []
    for row in rows:
        if row.institution in gone:
            facts = {"status": gone[row.institution], "date": row.date.isoformat()}
            found.append(_bar(row, "fixmedins_code", "institution_not_prepaid", facts))
        if isinstance(gate, PrepaymentRefused | PrepaymentNotOffered):
            found.append(_bar(row, "fund", gate.code, gate.facts))
    return found


def _bar(row: PrepayRow, key: str, code: str, facts: dict[str, Any]) -> Rejection:
    values = {"fixmedins_code": row.institution, "fund": row.fund}
    more = {"amount": format_yuan(row.fen, grouped=False), **facts}
    return Rejection(row.line, key, code, values[key], more, PREPAYMENTS.name)
