"""The differences that recorded reconciliations show (差异), with their age and owner.

One pass over the log for the recordings. With institutions and other places every month stands for
itself; money that is open is carried from month to month, so the latest month of a counterparty tells
what is open there. A difference that was gone in between is a new one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from ledger.aggregates.breaks import break_id
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.events.outstanding import BalancesReconciled, OutstandingItem, ReconciledAccount
from ledger.events.reconciliation import ReconciliationRecorded
from ledger.events.remote import RemoteAllocationReceived, RemoteReconciled
from ledger.store.reading import StoredFact
from settlement.reconciliation.match import Result
from settlement.reconciliation.remote import MOST_MONTHS, STATE_NAMES, UNCONFIRMED

INSTITUTION, REMOTE = "institution", "remote"
_PAGE = 20_000
_balances = msgspec.json.Decoder(BalancesReconciled).decode
_institutions = msgspec.json.Decoder(ReconciliationRecorded).decode
_remote = msgspec.json.Decoder(RemoteReconciled).decode
_allocated = msgspec.json.Decoder(RemoteAllocationReceived).decode


class _Log(Protocol):
    def read_facts(self, *, after: int, until: int) -> list[StoredFact]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference as it was recorded last."""

    id: str
    counterparty: str
    period: str
    subject: str
    fen: int | None  # of money: what is open; None where it is not one amount
    owner: str
    since: int  # position of the first recording that shows it without a break since
    date: str | None = None  # of the payment
    money_account: str | None = None
    side: str | None = None  # of money; of care across areas the state
    items: tuple[str, ...] = ()


@dataclass(slots=True)
class Differences:
    """The differences of an area by number, as of a position of the log."""

    area: str
    position: int
    found: dict[str, Difference] = field(default_factory=dict)


def read_differences(log: _Log, *, area: str, position: int) -> Differences:
    """Read what the latest recordings show."""
    latest: dict[tuple[str, str], dict[str, Difference]] = {}
    for after in range(0, position, _PAGE):
        for at, topic, state in log.read_facts(after=after, until=min(after + _PAGE, position)):
            shown: Iterator[Difference]
            if topic == ReconciliationRecorded.TOPIC:
                recorded = _institutions(state)
                if recorded.area != area:
                    continue
                where, shown = (INSTITUTION, recorded.period), _of_institutions(recorded, at)
            elif topic == BalancesReconciled.TOPIC:
                balances = _balances(state)
                if balances.area != area:
                    continue
                where, shown = (balances.counterparty, ""), _of_money(balances, at)
                older = latest.get(where, {})
                if any(one.period > balances.period for one in older.values()):
                    continue
            elif topic == RemoteReconciled.TOPIC:
                compared = _remote(state)
                if compared.area != area:
                    continue
                where, shown = (REMOTE, compared.period), _of_remote(compared, at)
            elif topic == RemoteAllocationReceived.TOPIC:
                _allocated_late(latest, _allocated(state), area)
                continue
            else:
                continue
            before = latest.get(where, {})
            latest[where] = {one.id: _aged(one, before) for one in shown}
    merged = {number: one for each in latest.values() for number, one in each.items()}
    return Differences(area, position, merged)


def _allocated_late(
    latest: dict[tuple[str, str], dict[str, Difference]],
    fact: RemoteAllocationReceived,
    area: str,
) -> None:
    """Close what was unconfirmed until another month allocated it: that month's result speaks of it."""
    if fact.area != area:
        return
    named = {remote_break_id(area, one.setl_id, refund=one.refund) for one in fact.settlements}
    of_month = Period.parse(fact.period).ordinal
    for (counterparty, period), shown in latest.items():
        if (
            counterparty == REMOTE
            and 0 < abs(Period.parse(period).ordinal - of_month) <= MOST_MONTHS
        ):
            for number in named & shown.keys():
                if shown[number].side == UNCONFIRMED:
                    del shown[number]


def _aged(one: Difference, before: Mapping[str, Difference]) -> Difference:
    earlier = before.get(one.id)
    return one if earlier is None else replace(one, since=earlier.since)


def money_break_id(area: str, counterparty: str, money_account: str, *items: str) -> str:
    """Number what is open between our books and a statement, whatever the month."""
    return break_id(area, counterparty, money_account, *items)


def institution_break_id(area: str, period: str, *key: str) -> str:
    """Number a difference with an institution: of a group, of a settlement, or of all of a month."""
    return break_id(area, INSTITUTION, period, *key)


def remote_break_id(area: str, setl_id: str, *, refund: bool) -> str:
    """Number a settlement of care across areas that is not confirmed, whichever month allocates it."""
    return break_id(area, REMOTE, setl_id, "1" if refund else "0")


def _of_remote(fact: RemoteReconciled, at: int) -> Iterator[Difference]:
    for one in fact.open:
        words = (one.setl_id, "退费" if one.refund else "", STATE_NAMES[one.state][0])
        yield Difference(
            id=remote_break_id(fact.area, one.setl_id, refund=one.refund),
            counterparty=REMOTE,
            period=fact.period,
            subject=" ".join(filter(None, words)),
            fen=(one.ours_fen or 0) - (one.theirs_fen or 0),
            owner=fact.by,
            since=at,
            side=one.state,
        )


def _of_money(fact: BalancesReconciled, at: int) -> Iterator[Difference]:
    for account in fact.accounts:
        for item in account.items:
            yield _open_item(fact, account, item, at)
        for one in account.unequal:
            items = (f"ours:{one.ours}", f"theirs:{one.theirs}")
            ours, theirs = format_yuan(one.ours_fen), format_yuan(one.theirs_fen)
            yield Difference(
                id=money_break_id(fact.area, fact.counterparty, account.money_account, *items),
                counterparty=fact.counterparty,
                period=fact.period,
                subject=f"{one.theirs.split('/')[1]} 金额不符 {ours} / {theirs}",
                fen=one.ours_fen - one.theirs_fen,
                owner=fact.by,
                since=at,
                date=one.theirs.split("/")[1],
                money_account=account.money_account,
                side="unequal",
                items=items,
            )


def _open_item(
    fact: BalancesReconciled, account: ReconciledAccount, item: OutstandingItem, at: int
) -> Difference:
    named = f"{item.side}:{item.item}"
    return Difference(
        id=money_break_id(fact.area, fact.counterparty, account.money_account, named),
        counterparty=fact.counterparty,
        period=fact.period,
        subject=f"{item.date} {format_yuan(item.fen)} {item.text}".strip(),
        fen=item.fen,
        owner=item.owner,
        since=at,
        date=item.date,
        money_account=account.money_account,
        side=item.side,
        items=(named,),
    )


def _of_institutions(fact: ReconciliationRecorded, at: int) -> Iterator[Difference]:
    def one(subject: str, *key: str, fen: int | None = None) -> Difference:
        return Difference(
            id=institution_break_id(fact.area, fact.period, *key),
            counterparty=INSTITUTION,
            period=fact.period,
            subject=subject,
            fen=fen,
            owner=fact.by,
            since=at,
        )

    for group in fact.groups:
        if group.result != Result.EVEN:
            key = (group.institution, group.insutype, group.clr_type, group.part)
            theirs = group.theirs[2] if group.theirs is not None else 0
            yield one(" ".join(key), *key, fen=group.ours[2] - theirs)
    for institution in fact.unreconciled:
        yield one(f"{institution} 未对账", institution)
    for broken in fact.breaks:
        flag = "1" if broken.refund else "0"
        settlement = (broken.institution, broken.setl_id, flag)
        yield one(" ".join(settlement), *settlement)
