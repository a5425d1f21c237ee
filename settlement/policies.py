"""Policies (结算、待遇政策) from file to force: proposed by one person, approved by another."""

from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.policies import APPROVED, REJECTED, Policies, Version, fold_policies
from ledger.application import FundLedger
from ledger.domain.identity import policies_stream
from ledger.events import policy as facts
from ledger.events.base import Envelope
from ledger.store.commit import Commit
from settlement.clearing.policies.file import head_of


def load_policies(ledger: FundLedger, area: str) -> Policies:
    """Fold the policies of an area."""
    return fold_policies(area, (item.fact for _, item in ledger.history(policies_stream(area))))


def content_hash(content: dict[str, Any]) -> str:
    """Hash a policy's content, whatever the order of its keys."""
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def propose(
    ledger: FundLedger, area: Area, content: dict[str, Any], *, user: str | None
) -> Version:
    """Propose a checked content; the same content as the newest version changes nothing."""
    by = area.allow(user, "propose_policy")
    policy = head_of(content)
    policies = load_policies(ledger, area.code)
    newest = policies.newest(policy.name)
    hashed = content_hash(content)
    if newest is not None and newest.content_hash == hashed and newest.state != "rejected":
        return newest
    fact = facts.PolicyProposed(
        area=area.code,
        fund=policy.fund,
        name=policy.name,
        version=1 if newest is None else newest.version + 1,
        by=by,
        title=policy.title,
        effective=policy.effective.isoformat(),
        until=None if policy.until is None else policy.until.isoformat(),
        basis=policy.basis,
        content=content,
        content_hash=hashed,
    )
    _append(ledger, policies, fact)
    return load_policies(ledger, area.code).find(f"{fact.name}@{fact.version}")


def approve_policy(ledger: FundLedger, area: Area, *, policy: str, user: str | None) -> Version:
    """Put a policy in force from its date on; not by whoever proposed it."""
    by = area.allow(user, "approve")
    policies = load_policies(ledger, area.code)
    version = policies.find(policy)
    if version.state == APPROVED and version.decided_by == by:
        return version
    version.refuse_approval(by)
    fact = facts.PolicyApproved(
        area=area.code,
        fund=version.fund,
        name=version.name,
        version=version.version,
        by=by,
        content_hash=version.content_hash,
    )
    _append(ledger, policies, fact)
    return load_policies(ledger, area.code).find(version.id)


def reject_policy(
    ledger: FundLedger, area: Area, *, policy: str, reason: str, user: str | None
) -> Version:
    """Send a policy back with a reason; its proposer may withdraw it the same way."""
    by = area.allow(user, "reject_policy")
    policies = load_policies(ledger, area.code)
    version = policies.find(policy)
    if version.state == REJECTED and (version.decided_by, version.reason) == (by, reason):
        return version
    version.refuse_decision()
    fact = facts.PolicyRejected(
        area=area.code,
        fund=version.fund,
        name=version.name,
        version=version.version,
        by=by,
        reason=reason,
    )
    _append(ledger, policies, fact)
    return load_policies(ledger, area.code).find(version.id)


def _append(ledger: FundLedger, policies: Policies, fact: facts.PolicyFact) -> None:
    """Append at the place that was read: whoever was first wins, the other is told."""
    ledger.append(
        [Envelope(policies_stream(policies.area), policies.version + 1, fact)],
        Commit(
            key=f"policy:{policies.area}:{policies.version}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
