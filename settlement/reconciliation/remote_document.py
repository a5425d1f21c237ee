"""The answer of ``reconcile remote``: what is confirmed, what is open, and how far the prefund reaches."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ledger.domain.claim_roles import REMOTE
from ledger.domain.money import decimal_text
from settlement.reconciliation.remote import STATE_NAMES, Compared, RemoteResult

#: Share of the prefund from which its use is warned about (异地预付金预警), if the setup says nothing.
WARN_AT = Fraction(9, 10)


def remote_document(found: RemoteResult, prefund: dict[str, Any], *, lang: str) -> dict[str, Any]:
    """Give a result as JSON; every open settlement with both sides."""
    counts = {state: found.count(state) for state in STATE_NAMES}
    return {
        "position": found.position,
        "area": found.area,
        "counterparty": "remote",
        "period": str(found.period),
        "received": found.received,
        "summary": {"settlements": len(found.compared), **counts},
        "confirmed_fen": found.confirmed_fen(),
        "open": [_row(one, lang) for one in found.open],
        "prefund": prefund,
    }


def _row(one: Compared, lang: str) -> dict[str, Any]:
    zh, en = STATE_NAMES[one.state]
    return {
        "setl_id": one.setl_id,
        "refund": one.refund,
        "role": one.role,
        "state": one.state,
        "state_name": zh if lang == "zh" else en,
        "mdtrtarea": one.place,
        "institution": one.institution,
        "ours_medfee_fen": one.ours_medfee_fen,
        "ours_fen": one.ours_fen,
        "theirs_medfee_fen": one.theirs_medfee_fen,
        "theirs_fen": one.theirs_fen,
        "position": one.position,
    }


def prefund_document(
    found: RemoteResult, balance_fen: int, policies: Mapping[tuple[str, str], Mapping[str, object]]
) -> dict[str, Any]:
    """Say how much of the prefund (异地预付金) a month uses: what is confirmed of our insured elsewhere."""
    used = found.confirmed_fen()[REMOTE]
    warn_at = warn_share(policies, found.period.last_day.isoformat())
    share = Fraction(used, balance_fen) if balance_fen > 0 else None
    return {
        "balance_fen": balance_fen,
        "used_fen": used,
        "share": None if share is None else decimal_text(share * 100),
        "reason": "no_prefund" if share is None else None,
        "warn_at": decimal_text(warn_at * 100),
        "warning": share is not None and share >= warn_at,
    }


def warn_share(policies: Mapping[tuple[str, str], Mapping[str, object]], day: str) -> Fraction:
    """Give the share from which is warned: ``remote_prefund`` of the setup in force on a day, else 90 %."""
    found = [
        (effective, content.get("warn_at"))
        for (name, effective), content in policies.items()
        if name == "remote_prefund" and effective <= day
    ]
    _, said = max(found, default=("", None), key=lambda one: one[0])
    if not isinstance(said, str) or not said.removesuffix("%").replace(".", "", 1).isdecimal():
        return WARN_AT
    return Fraction(said.removesuffix("%")) / (100 if said.endswith("%") else 1)
