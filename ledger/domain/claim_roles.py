"""Whose insured a settlement is of, and where they were treated (异地就医): which accounts it moves.

``own``: insured and treated here, owed to the institution. ``remote``: insured here, treated
elsewhere; our expense, owed to the other place, for its institutions are no payees of ours.
``passthrough``: insured elsewhere, treated here; owed to our institution, paid out of what the other
place sends (暂收款), and no expense of ours.
"""

from ledger.domain.entry import Entry, Posting
from ledger.domain.fund import is_area, is_institution

OWN, REMOTE, PASSTHROUGH = "own", "remote", "passthrough"

#: Role → what is debited and credited in the obligations book.
CLAIM_ACCOUNTS = {
    OWN: ("claims.incurred", "owed.booked"),
    REMOTE: ("claims.incurred", "owed.remote"),
    PASSTHROUGH: ("claims.passthrough", "owed.passthrough"),
}
#: Accounts that are none of the stages by which institutions are settled with.
REMOTE_ACCOUNTS = frozenset(
    {"claims.passthrough", "claims.passed_on", "owed.remote", "owed.passthrough"}
)


def place_paid(fund: str, party: str | None, fen: int, *, allocation: str | None) -> Entry:
    """异地清算 by an allocation (清分): what another place is paid lowers what it is owed."""
    if allocation is None or party is None or not is_area(party):
        return ()
    return (Posting(fund, "owed.remote", "claims.paid", fen, party),)


def passed_on(fund: str, party: str | None, fen: int, *, allocation: str | None) -> Entry:
    """转付 by an allocation: lowers what an institution is owed for people insured elsewhere."""
    if allocation is None or party is None or not is_institution(party):
        return ()
    return (Posting(fund, "owed.passthrough", "claims.passed_on", fen, party),)
