"""Asking the read models (查账), and holding the answer against the auditor's own fold."""

from datetime import date
from typing import NamedTuple

from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.simulation.auditor import Auditor, Totals
from medfund.simulation.findings import require
from medfund.simulation.months_kept import Balances, closes
from projections.queries.balances import balances_document


class Snapshot(NamedTuple):
    """What the auditor had added up at a position: the answer to what was known then."""

    position: int
    live: Totals


def look(
    house: House, auditor: Auditor, area: str, as_of: date, snapshot: Snapshot | None = None
) -> str:
    """Ask for balances on both time axes; the answer is the fold of the log."""
    known_at = snapshot.position if snapshot else None
    answer = {
        book: balances_document(
            house.reads, house.ledger, area=area, as_of=as_of, known_at=known_at, book=book
        )
        for book in ("cash", "obligations")
    }
    if snapshot is None and auditor.position != answer["cash"]["position"]:
        return "the log went on"  # somebody wrote between the answer and this line
    if answer["cash"]["position"] != answer["obligations"]["position"]:
        return "the log went on"
    live = snapshot.live if snapshot else auditor.live
    month = Period.of(as_of).ordinal
    wanted: Balances = {}
    for (its_area, fund, account, at), (debit, credit, _) in live.items():
        if its_area == area and at <= month:
            wanted[fund, account] = wanted.get((fund, account), 0) + debit - credit
    found = {
        (row["fund"], row["account"]): row["balance_fen"]
        for document in answer.values()
        for row in document["balances"]
    }
    differing = {
        key: (found.get(key, 0), wanted.get(key, 0))
        for key in {*found, *wanted}
        if found.get(key, 0) != wanted.get(key, 0)
    }
    require(not differing, "projections are the fold of the log", differing=differing)
    for row in answer["cash"]["funds"]:
        held = -sum(
            fen
            for (fund, account), fen in wanted.items()
            if row["fund"] in {fund, fund.partition(".")[0]}
            and (closes(account) or account == "net_assets")
        )
        require(row["accumulated_fen"] == held, "accumulated = fold", fund=row["fund"], fold=held)
    return f"{len(found)} balances"
