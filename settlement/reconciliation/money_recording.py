"""Recording a four-way reconciliation (余额调节表登记、勾对): the result, and each match on both sides.

What was matched stays matched: a payment's stream takes one match, and a second is refused by the
store, whoever is first. Recording the same result again adds nothing.
"""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import cast

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import match_stream, reconciliation_stream
from ledger.domain.period import Period
from ledger.errors import Conflict
from ledger.events.base import Envelope
from ledger.events.outstanding import (
    BalancesReconciled,
    MatchRecorded,
    OutstandingItem,
    ReconciledAccount,
    UnequalItem,
)
from ledger.store.commit import Commit
from settlement.banking import banks_of
from settlement.reconciliation.money import (
    AccountResult,
    Item,
    MoneyReconciliation,
    Pairing,
    reconcile_money,
)
from settlement.reconciliation.money_facts import read_money
from settlement.reconciliation.recording import Recorded

POLICY, DAYS_APART = "reconciliation", 3


class PaymentMatched(Conflict):
    """A payment is matched already: each is used once (一笔只能勾对一次)."""

    code = "payment_matched"
    zh = "{item} 已经勾对(日志位置 {position})。"
    en = "{item} is matched already (log position {position})."
    hint_zh = "请重新执行 reconcile 查看当前结果;有误的勾对先撤销(reconcile release)。"
    hint_en = "Run reconcile again; release a wrong match first (reconcile release)."


def days_apart_of(area: Area, day: date) -> int:
    """Give how many days apart two payments of one amount may be, by the policy in force on a day."""
    in_force = [
        (effective, content)
        for (name, effective), content in area.policies.items()
        if name == POLICY and effective <= day.isoformat()
    ]
    if not in_force:
        return DAYS_APART
    _, content = max(in_force, key=lambda one: one[0])
    return cast("int", content.get("days_apart", DAYS_APART))


def month_of_money(
    ledger: FundLedger, area: Area, counterparty: str, period: Period, fund: str | None = None
) -> MoneyReconciliation:
    """Reconcile a month with a counterparty as the log stands now."""
    position = ledger.log.last_position()
    found = read_money(
        ledger.log, area=area.code, counterparty=counterparty, period=period, position=position
    )
    return reconcile_money(
        found,
        banks=banks_of(area.options),
        funds=area.leaf_funds,
        institutions=area.institutions.keys(),
        days_apart=days_apart_of(area, period.last_day),
        fund=fund,
    )


def record_money(
    ledger: FundLedger, area: Area, found: MoneyReconciliation, *, user: str | None
) -> Recorded:
    """Record a result and its matches; a Conflict if somebody matched a payment of it meanwhile."""
    by = area.allow(user, "reconcile")
    stream = reconciliation_stream(area.code, found.counterparty, found.period)
    history = ledger.history(stream)
    fact = BalancesReconciled(
        area=area.code,
        period=found.period,
        by=by,
        counterparty=found.counterparty,
        as_of=found.position,
        accounts=tuple(map(_account, found.accounts)),
    )
    matches = [
        one
        for account in found.accounts
        for pair in account.pairings
        if pair.match is None
        for one in matched(found, account, pair, by=by)
    ]
    last = [(at, one.fact) for at, one in history if isinstance(one.fact, BalancesReconciled)]
    if last and not matches and last[-1][1].accounts == fact.accounts:
        return Recorded(last[-1][0], repeated=True)
    version = len(history) + 1
    receipt = ledger.append(
        [Envelope(stream, version, fact), *on_their_streams(ledger, matches)],
        Commit(
            key=f"reconciliation:{stream}:{version}",
            input_hash=sha256(msgspec.json.encode((fact, matches))).hexdigest(),
        ),
    )
    return Recorded(receipt.last_position, repeated=receipt.repeated)


def matched(
    found: MoneyReconciliation, account: AccountResult, pair: Pairing, *, by: str
) -> Iterator[MatchRecorded]:
    """Give the facts of one match, one for each payment it uses."""
    items = (*pair.ours, *pair.theirs)
    names = sorted(f"{one.side}:{one.item}" for one in items)
    match = sha256("\n".join(names).encode()).hexdigest()[:16]
    for one in items:
        yield MatchRecorded(
            area=found.area,
            period=found.period,
            by=by,
            counterparty=found.counterparty,
            money_account=account.unit.money_account,
            side=one.side,
            item=one.item,
            match=match,
            how=pair.how,
            partners=tuple(name for name in names if name != f"{one.side}:{one.item}"),
            fen=one.fen,
        )


def on_their_streams(ledger: FundLedger, matches: list[MatchRecorded]) -> list[Envelope]:
    """Put each match on the stream of its payment; PaymentMatched where one stands there already."""
    streams = [
        match_stream(one.area, one.counterparty, one.money_account, one.side, one.item)
        for one in matches
    ]
    heads = ledger.log.stream_heads(streams)
    for stream, one in zip(streams, matches, strict=True):
        if stream in heads and heads[stream].topic == MatchRecorded.TOPIC:
            raise PaymentMatched(item=one.item, position=heads[stream].position)
    return [
        Envelope(stream, heads[stream].originator_version + 1 if stream in heads else 1, one)
        for stream, one in zip(streams, matches, strict=True)
    ]


def _account(one: AccountResult) -> ReconciledAccount:
    return ReconciledAccount(
        account=one.unit.name,
        money_account=one.unit.money_account,
        funds=tuple(sorted(one.unit.funds)),
        ours_fen=one.ours_fen,
        theirs_fen=one.theirs_fen,
        adjusted_ours_fen=one.adjusted_ours_fen,
        adjusted_theirs_fen=one.adjusted_theirs_fen,
        matched=sum(len(pair.ours) + len(pair.theirs) for pair in one.pairings),
        items=tuple(map(_outstanding, sorted((*one.only_ours, *one.only_theirs), key=_order))),
        unequal=tuple(
            UnequalItem(mine.item, other.item, mine.fen, other.fen) for mine, other in one.unequal
        ),
    )


def _order(one: Item) -> tuple[date, str, str]:
    return one.day, one.side, one.item


def _outstanding(one: Item) -> OutstandingItem:
    return OutstandingItem(
        one.side, one.item, one.day.isoformat(), one.fen, f"{one.ref} {one.text}".strip(), one.owner
    )
