"""Signing a recorded reconciliation off (对账复核签字): a second person, for what lies in the log.

What is signed is named by its position: a later recording is signed anew.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import reconciliation_stream
from ledger.domain.period import Period
from ledger.errors import RuleRefused
from ledger.events.base import Envelope
from ledger.events.outstanding import BalancesReconciled, ReconciledAccount, ReconciliationSigned
from ledger.events.reconciliation import ReconciliationRecorded
from ledger.store.commit import Commit
from settlement.reconciliation.recording import Recorded


class NothingRecorded(RuleRefused):
    """There is no recorded result to sign."""

    code = "reconciliation_not_recorded"
    zh = "{period} 与 {counterparty} 的对账还没有登记结果。"
    en = "The reconciliation of {period} with {counterparty} has no recorded result."
    hint_zh = "请先由经办执行 reconcile {counterparty} {period} --record。"
    hint_en = "Let a clerk run reconcile {counterparty} {period} --record first."


class OwnReconciliation(RuleRefused):
    """Four eyes: whoever recorded a reconciliation cannot sign it (经办与复核须分离)."""

    code = "own_reconciliation"
    zh = "{user} 登记了 {period} 与 {counterparty} 的对账,不能自己复核签字。"
    en = "{user} recorded the reconciliation of {period} with {counterparty} and cannot sign it."
    hint_zh = "请由另一名复核人员签字。"
    hint_en = "Let another reviewer sign."


class ReconciliationApart(RuleRefused):
    """The adjusted balances are not equal, and no reason was given (调节后余额不相等)."""

    code = "reconciliation_apart"
    zh = "{period} 与 {counterparty} 的对账调节后仍不相等:{accounts}。"
    en = "Once adjusted, {period} with {counterparty} is still apart: {accounts}."
    hint_zh = "请查明原因后重新登记;确需签字的用 --reason 写明理由。"
    hint_en = "Find out why and record again; to sign all the same, give the --reason."


def sign(
    ledger: FundLedger,
    area: Area,
    *,
    counterparty: str,
    period: Period,
    user: str | None,
    reason: str | None = None,
) -> Recorded:
    """Sign the latest recorded result; who recorded it cannot, and a difference needs a reason."""
    by = area.allow(user, "approve")
    stream = reconciliation_stream(area.code, counterparty, str(period))
    history = ledger.history(stream)
    named = {"period": str(period), "counterparty": counterparty}
    results = [
        (at, one.fact)
        for at, one in history
        if isinstance(one.fact, BalancesReconciled | ReconciliationRecorded)
    ]
    if not results:
        raise NothingRecorded(**named)
    recorded_at, result = results[-1]
    at, last = history[-1]
    if isinstance(last.fact, ReconciliationSigned):
        return Recorded(at, repeated=True)
    if result.by == by:
        raise OwnReconciliation(user=by, **named)
    if isinstance(result, BalancesReconciled) and not reason and (apart := _apart(result.accounts)):
        raise ReconciliationApart(accounts=", ".join(apart), **named)
    fact = ReconciliationSigned(
        area=area.code,
        period=str(period),
        by=by,
        counterparty=counterparty,
        recorded_at=recorded_at,
        reason=reason,
    )
    version = len(history) + 1
    receipt = ledger.append(
        [Envelope(stream, version, fact)],
        Commit(
            key=f"reconciliation:{stream}:{version}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return Recorded(receipt.last_position, repeated=receipt.repeated)


def signature_of(
    ledger: FundLedger, area: Area, *, counterparty: str, period: str
) -> dict[str, object]:
    """Say where the latest result was recorded and whether it is signed, by whom (签字)."""
    history = ledger.history(reconciliation_stream(area.code, counterparty, period))
    state: dict[str, object] = {"recorded_at": None, "recorded_by": None, "signed_by": None}
    for at, envelope in history:
        fact = envelope.fact
        if isinstance(fact, BalancesReconciled | ReconciliationRecorded):
            state = {"recorded_at": at, "recorded_by": fact.by, "signed_by": None}
        elif isinstance(fact, ReconciliationSigned):
            state = {**state, "signed_by": fact.by}
    return state


def _apart(accounts: Sequence[ReconciledAccount]) -> list[str]:
    return [one.account for one in accounts if one.adjusted_ours_fen != one.adjusted_theirs_fen]
