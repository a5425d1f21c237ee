"""How institutions stand (定点机构状态), and what that does to paying them.

Suspended: computed and approved as ever, not ordered. Terminated: what is still owed is ordered and
marked as the final settlement. Merged: what is owed to it is paid to its successor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.institution import (
    APPROVED,
    MERGED,
    REJECTED,
    SUSPENDED,
    TERMINATED,
    Change,
    Institution,
    UnknownChange,
    change_of,
    fold_institution,
)
from ledger.aggregates.policies import NoPolicyInForce
from ledger.application import FundLedger
from ledger.domain.identity import institution_stream
from ledger.errors import InputRejected
from ledger.events import institution as facts
from ledger.events.base import Envelope
from ledger.store.commit import Commit
from settlement.clearing.policies.file import policy_of
from settlement.payout.preparing import Standing
from settlement.policies import load_policies
from settlement.refusal_checks import text_of


class StatusFaulty(InputRejected):
    """The change of status is written in a way that cannot be taken."""

    code = "status_faulty"
    zh = "机构状态变更的 {field} 不能接受:{reason_zh}。"
    en = "The {field} of the change of status cannot be taken: {reason_en}."
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDraft:
    """A change of status as it is handed in."""

    institution: str
    status: str
    effective: date
    reason: str
    into: str | None = None


def load_institution(ledger: FundLedger, area: str, code: str) -> Institution:
    """Fold an institution's status."""
    history = ledger.history(institution_stream(area, code))
    return fold_institution(area, code, (item.fact for _, item in history))


def find_change(ledger: FundLedger, area: Area, change: str) -> tuple[Institution, Change]:
    """Find a change by its id; UnknownChange where there is none."""
    named = change_of(change, area.code)
    if named is None:
        raise UnknownChange(change=change)
    institution = load_institution(ledger, area.code, named[0])
    return institution, institution.find(named[1])


def propose_status(
    ledger: FundLedger, area: Area, draft: StatusDraft, *, user: str | None
) -> Change:
    """Prepare a change of status; the same as one that waits or stands last changes nothing."""
    by = area.allow(user, "institution")
    _refuse_faults(ledger, area, draft)
    institution = load_institution(ledger, area.code, draft.institution)
    fact = facts.StatusProposed(
        area=area.code,
        institution=draft.institution,
        change=len(institution.changes) + 1,
        by=by,
        status=draft.status,
        effective=draft.effective.isoformat(),
        reason=text_of("reason", draft.reason),
        into=draft.into,
    )
    last = institution.changes[-1] if institution.changes else None
    if last is not None and last.state != REJECTED and last.content == Change(fact).content:
        return last
    institution.refuse_unfitting(draft.status, fact.effective)
    _append(ledger, institution, fact)
    return Change(fact)


def approve_status(ledger: FundLedger, area: Area, *, change: str, user: str | None) -> Change:
    """Put a change in force from its date on; not by whoever prepared it."""
    by = area.allow(user, "approve")
    institution, found = find_change(ledger, area, change)
    if found.state == APPROVED and found.decided_by == by:
        return found
    proposed = found.refuse_approval(by)
    institution.refuse_unfitting(proposed.status, proposed.effective)
    _refuse_successor(ledger, area, proposed.institution, proposed.into, proposed.effective)
    fact = facts.StatusChanged(
        area=area.code,
        institution=proposed.institution,
        change=proposed.change,
        by=by,
        status=proposed.status,
        effective=proposed.effective,
        reason=proposed.reason,
        into=proposed.into,
        prepared_by=proposed.by,
    )
    _append(ledger, institution, fact)
    return find_change(ledger, area, change)[1]


def reject_status(
    ledger: FundLedger, area: Area, *, change: str, reason: str, user: str | None
) -> Change:
    """Send a change back; whoever prepared it may take it back."""
    institution, found = find_change(ledger, area, change)
    own = user == found.proposed.by
    by, said = area.allow(user, "institution" if own else "reject"), text_of("reason", reason)
    if found.state == REJECTED and (found.decided_by, found.reason) == (by, said):
        return found
    proposed = found.refuse_decision()
    fact = facts.StatusRejected(
        area=area.code,
        institution=proposed.institution,
        change=proposed.change,
        by=by,
        reason=said,
    )
    _append(ledger, institution, fact)
    return find_change(ledger, area, change)[1]


def standing_of(ledger: FundLedger, area: Area, fund: str, day: str) -> Standing:
    """Say how all institutions of an area stand on a day, for paying them from a fund.

    A member is paid to whom the fund's policy names (医共体牵头机构), a merged one to its successor.
    """
    streams = {institution_stream(area.code, code): code for code in area.institutions}
    on: dict[str, tuple[str, str | None]] = {}
    for stream in ledger.log.stream_heads(list(streams)):
        code = streams[stream]
        on[code] = load_institution(ledger, area.code, code).on(day)
    leads = _leads(ledger, area, fund, day)
    held: dict[str, str] = {}
    payees: dict[str, str] = {}
    for code in {*on, *leads}:
        payee = _successor(leads.get(code, code), on)
        if payee != code:
            payees[code] = payee
        if on.get(code, ("", None))[0] == SUSPENDED:
            held[code] = SUSPENDED
        elif on.get(payee, ("", None))[0] == SUSPENDED:
            held[code] = "payee_suspended"
    final = {code for code, (status, _) in on.items() if status == TERMINATED}
    merged = {code for code, (status, _) in on.items() if status == MERGED}
    return Standing(held=held, payees=payees, final=final, merged=merged)


def _leads(ledger: FundLedger, area: Area, fund: str, day: str) -> Mapping[str, str]:
    """Give who is paid for whom by the policy in force; nobody else where there is none."""
    try:
        version = load_policies(ledger, area.code).in_force(fund, day)
    except NoPolicyInForce:
        return {}
    return policy_of(version.content).payees


def _successor(code: str, on: dict[str, tuple[str, str | None]]) -> str:
    """Follow mergers to whoever stands; a circle is refused when it is prepared."""
    seen = {code}
    while True:
        status, into = on.get(code, ("", None))
        if status != MERGED or into is None or into in seen:
            return code
        seen.add(into)
        code = into


def _refuse_faults(ledger: FundLedger, area: Area, draft: StatusDraft) -> None:
    if draft.institution not in area.institutions:
        raise _faulty(
            "institution",
            f"机构 {draft.institution} 未登记",
            f"{draft.institution} is not known",
        )
    if (draft.into is not None) != (draft.status == MERGED):
        raise _faulty(
            "into", "合并且仅合并须写明承继机构", "a merger, and only it, names into whom"
        )
    _refuse_successor(ledger, area, draft.institution, draft.into, draft.effective.isoformat())


def _refuse_successor(
    ledger: FundLedger, area: Area, code: str, into: str | None, day: str
) -> None:
    """A successor is registered, stands on that day, and is not the institution itself."""
    if into is None:
        return
    if into not in area.institutions or into == code:
        raise _faulty(
            "into", f"承继机构 {into} 未登记或即本机构", f"{into} is not known, or is itself"
        )
    status, _ = load_institution(ledger, area.code, into).on(day)
    if status in {TERMINATED, MERGED}:
        raise _faulty(
            "into", f"承继机构 {into} 当日状态为 {status}", f"{into} is {status} that day"
        )


def _faulty(field: str, reason_zh: str, reason_en: str) -> StatusFaulty:
    return StatusFaulty(field=field, reason_zh=reason_zh, reason_en=reason_en)


def _append(ledger: FundLedger, institution: Institution, fact: facts.InstitutionFact) -> None:
    """Append at the place that was read: whoever was first wins, the other is told."""
    ledger.append(
        [
            Envelope(
                institution_stream(institution.area, institution.code),
                institution.version + 1,
                fact,
            )
        ],
        Commit(
            key=f"institution:{institution.area}:{institution.code}:{institution.version + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
