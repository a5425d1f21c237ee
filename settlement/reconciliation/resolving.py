"""What is done about a difference (差异处理): ours stand, theirs stand, carried, or corrected.

Ours stand (认我方) and carried (挂账) take effect at once; where our books change, theirs stand
(认对方) or corrected by a document (已更正), a second person decides. A correction of our money is
matched by hand with what it corrects, in the same commit; everything else stays open in the balances
until the other side or a later match has it. The age runs on until the break is resolved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.aggregates.breaks import (
    CARRIED,
    CORRECTED,
    NEED_A_SECOND,
    OPEN,
    RESOLVED,
    WAITING,
    Break,
    UnknownBreak,
    fold_break,
    is_break_of,
)
from ledger.application import FundLedger
from ledger.domain.identity import break_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.errors import InputRejected, RuleRefused
from ledger.events import outstanding as facts
from ledger.events.base import Envelope
from ledger.store.commit import Commit
from ledger.store.reading import moment_of
from settlement.reconciliation.differences import (
    Difference,
    Differences,
    institution_break_id,
    money_break_id,
    read_differences,
    remote_break_id,
)
from settlement.reconciliation.match import Result
from settlement.reconciliation.money import AccountResult, Item, Pairing
from settlement.reconciliation.money_recording import matched, month_of_money, on_their_streams
from settlement.reconciliation.recording import SHANGHAI

HAND = "hand"
WAY_NAMES = {
    "ours": ("认我方", "ours stand"),
    "theirs": ("认对方", "theirs stand"),
    "carry": ("挂账", "carried"),
    "corrected": ("已更正", "corrected"),
}


class DocumentNeeded(InputRejected):
    """A correction names the document that corrects (更正须写单据号)."""

    code = "correcting_document_needed"
    zh = "按“已更正”处理 {break_id} 须写明更正单据号。"
    en = "To settle {break_id} as corrected, name the document that corrects it."
    hint_zh = "请加 --document 单据号。"
    hint_en = "Add --document DOC_NO."


class DoesNotCorrect(RuleRefused):
    """The document named does not make both sides equal (更正单据不相符)."""

    code = "document_does_not_correct"
    zh = "单据 {document} 不能更正 {break_id}:需要 {needed} 元,未勾对的该单据为 {found} 元。"
    en = "The document {document} does not correct {break_id}: {needed} yuan are needed, {found} stand open under it."
    hint_zh = "请核对单据号、金额、账户和险种。"
    hint_en = "Check its number, amount, account and fund."


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person says about a break."""

    way: str
    reason: str
    owner: str | None = None
    document: str | None = None


def load_break(ledger: FundLedger, area: str, number: str) -> Break:
    """Fold a break's own stream."""
    history = ledger.history(break_stream(area, number))
    return fold_break(area, number, ((at, one.fact) for at, one in history))


def differences_of(ledger: FundLedger, area: Area) -> Differences:
    """Read the differences as the log stands now."""
    return read_differences(ledger.log, area=area.code, position=ledger.log.last_position())


def resolve_break(
    ledger: FundLedger, area: Area, number: str, resolution: Resolution, *, user: str | None
) -> Break:
    """Say what is done about a break; the same words again change nothing."""
    by = area.allow(user, "reconcile")
    difference = _difference(ledger, area, number)
    found = load_break(ledger, area.code, number)
    if resolution.way == CORRECTED and not resolution.document:
        raise DocumentNeeded(break_id=number)
    fact = facts.BreakProposed(
        area=area.code,
        period=difference.period,
        by=by,
        counterparty=difference.counterparty,
        break_id=number,
        subject=difference.subject,
        way=resolution.way,
        reason=resolution.reason,
        owner=resolution.owner or (found.proposed.owner if found.proposed else difference.owner),
        document=resolution.document,
    )
    if found.state in {WAITING, CARRIED} and found.proposed == fact:
        return found
    came_back = found.state == RESOLVED and difference.since > (found.decided_at or 0)
    if not came_back:
        found.refuse_unless(OPEN, CARRIED)
    steps: list[facts.BreakFact] = [fact]
    if resolution.way not in NEED_A_SECOND:
        steps.append(_resolved(fact, by=by))
    return _append(ledger, found, steps)


def approve_break(
    ledger: FundLedger, area: Area, number: str, *, user: str | None, today: date
) -> Break:
    """Approve what somebody else proposed; a correction of money is matched in the same commit."""
    by = area.allow(user, "approve")
    found = load_break(ledger, area.code, number)
    if found.approved_by(by):
        return found
    proposed = found.refuse_approval(by)
    difference = differences_of(ledger, area).found.get(number)
    matches: list[Envelope] = []
    if proposed.way == CORRECTED and difference is not None and difference.items:
        matches = _matched_by_hand(ledger, area, difference, proposed, by=by, today=today)
    return _append(ledger, found, [_resolved(proposed, by=by)], matches)


def reject_break(
    ledger: FundLedger, area: Area, number: str, *, reason: str, user: str | None
) -> Break:
    """Send a proposal back; whoever made it may take it back."""
    found = load_break(ledger, area.code, number)
    own = found.proposed is not None and found.proposed.by == user
    by = area.allow(user, "reconcile" if own else "reject")
    if found.state == OPEN and (found.decided_by, found.note) == (by, reason):
        return found
    found.refuse_unless(WAITING)
    if found.proposed is None:
        raise UnknownBreak(break_id=number)
    fact = facts.BreakRejected(
        area=area.code,
        period=found.proposed.period,
        by=by,
        counterparty=found.proposed.counterparty,
        break_id=number,
        reason=reason,
    )
    return _append(ledger, found, [fact])


def breaks_document(
    ledger: FundLedger, area: Area, *, today: date, only_open: bool
) -> dict[str, Any]:
    """List the differences with state, age in days and owner (差异清单); the oldest first."""
    known = differences_of(ledger, area)
    said = states_of(ledger, area.code, known.found)
    rows = [
        break_row(ledger, area.code, one, said.get(number, Break(area.code, number)), today=today)
        for number, one in known.found.items()
    ]
    rows = [row for row in rows if not only_open or row["state"] != RESOLVED]
    rows.sort(key=lambda row: (-(row["days"] or 0), row["counterparty"], row["id"]))
    states = [row["state"] for row in rows]
    return {
        "position": known.position,
        "area": area.code,
        "summary": {
            "breaks": len(rows),
            **{state: states.count(state) for state in (OPEN, WAITING, CARRIED, RESOLVED)},
            "oldest_days": max((row["days"] or 0 for row in rows), default=None),
        },
        "breaks": rows,
    }


def break_row(
    ledger: FundLedger, area: str, one: Difference | None, found: Break, *, today: date
) -> dict[str, Any]:
    """Write one break; where no recording shows it any more, as what was proposed last."""
    said = found.proposed
    came_back = one is not None and found.state == RESOLVED and one.since > (found.decided_at or 0)
    first = _first_day(ledger, one)
    return {
        "id": found.id,
        "area": area,
        "counterparty": one.counterparty if one else said.counterparty if said else None,
        "period": one.period if one else said.period if said else None,
        "subject": one.subject if one else said.subject if said else None,
        "fen": one.fen if one else None,
        "since": None if first is None else first.isoformat(),
        "first_recorded": one.since if one else None,
        "days": None if first is None else (today - first).days,
        "owner": said.owner if said else one.owner if one else None,
        "state": OPEN if came_back else found.state,
        "way": said.way if said else None,
        "reason": said.reason if said else None,
        "document": said.document if said else None,
        "prepared_by": said.by if said else None,
        "decided_by": found.decided_by,
        "note": found.note,
    }


def _first_day(ledger: FundLedger, one: Difference | None) -> date | None:
    """Give the day a payment is of, or the day a difference was first recorded."""
    if one is None:
        return None
    if one.date is not None:
        return date.fromisoformat(one.date)
    seal = ledger.log.seal_covering(one.since)
    return moment_of(seal.at_us).astimezone(SHANGHAI).date() if seal is not None else None


def annotate(ledger: FundLedger, area: str, document: dict[str, Any], lang: str) -> None:
    """Say of each open item of a four-way result which break it is and what is done about it."""
    rows = []
    for account in document["accounts"]:
        where = (area, document["counterparty"], account["money_account"])
        for one in account["outstanding"]:
            one["break"] = money_break_id(*where, f"{one['side']}:{one['item']}")
            rows.append(one)
        for one in account["unequal"]:
            names = (f"{side}:{one[side]['item']}" for side in ("ours", "theirs"))
            one["break"] = money_break_id(*where, *names)
            rows.append(one)
    _tell(ledger, area, rows, lang)


def annotate_institutions(
    ledger: FundLedger, area: str, document: dict[str, Any], lang: str
) -> None:
    """Say the same of the differences with institutions."""
    period = document["period"]
    rows: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    for row in document["groups"]:
        if row["result"] != Result.EVEN:
            key = (row["institution"], row["insutype"], row["clr_type"], row["part"])
            rows.append((row, key))
    rows += [(row, (row["institution"],)) for row in document["unreconciled"]]
    for result in document["details"]:
        for row in result["breaks"]:
            flag = "1" if row["refund"] else "0"
            rows.append((row, (result["institution"], row["setl_id"], flag)))
    for row, named in rows:
        row["break"] = institution_break_id(area, period, *named)
    _tell(ledger, area, [row for row, _ in rows], lang)


def annotate_remote(ledger: FundLedger, area: str, document: dict[str, Any], lang: str) -> None:
    """Say the same of what is not confirmed of care across areas; its own state is that of matching."""
    for row in document["open"]:
        row["break"] = remote_break_id(area, row["setl_id"], refund=row["refund"])
    _tell(ledger, area, document["open"], lang, state="break_state")


def _tell(
    ledger: FundLedger, area: str, rows: list[dict[str, Any]], lang: str, *, state: str = "state"
) -> None:
    said = states_of(ledger, area, (row["break"] for row in rows))
    for row in rows:
        found = said.get(row["break"])
        proposed = found.proposed if found is not None else None
        row[state] = found.state if found is not None else OPEN
        row["way"] = proposed.way if proposed is not None else None
        row["way_name"] = WAY_NAMES[proposed.way][lang != "zh"] if proposed is not None else None
        if proposed is not None:
            row["owner"] = proposed.owner


def states_of(ledger: FundLedger, area: str, numbers: Iterable[str]) -> Mapping[str, Break]:
    """Fold the breaks that something was said about, of many."""
    streams = {break_stream(area, number): number for number in numbers}
    heads = ledger.log.stream_heads(list(streams))
    return {streams[one]: load_break(ledger, area, streams[one]) for one in heads}


def _difference(ledger: FundLedger, area: Area, number: str) -> Difference:
    found = differences_of(ledger, area).found.get(number)
    if found is None or not is_break_of(number, area.code):
        raise UnknownBreak(break_id=number)
    return found


def _resolved(proposed: facts.BreakProposed, *, by: str) -> facts.BreakResolved:
    return facts.BreakResolved(
        area=proposed.area,
        period=proposed.period,
        by=by,
        counterparty=proposed.counterparty,
        break_id=proposed.break_id,
        way=proposed.way,
        prepared_by=proposed.by,
    )


def _append(
    ledger: FundLedger,
    found: Break,
    steps: Iterable[facts.BreakFact],
    more: Iterable[Envelope] = (),
) -> Break:
    """Append steps behind what was read: of two at once the second is told."""
    stream = break_stream(found.area, found.id)
    own = [
        Envelope(stream, found.version + number, fact) for number, fact in enumerate(steps, start=1)
    ]
    content = msgspec.json.encode([one.fact for one in own])
    ledger.append(
        [*own, *more],
        Commit(key=f"break:{found.id}:{found.version + 1}", input_hash=sha256(content).hexdigest()),
    )
    return load_break(ledger, found.area, found.id)


def _matched_by_hand(
    ledger: FundLedger,
    area: Area,
    difference: Difference,
    proposed: facts.BreakProposed,
    *,
    by: str,
    today: date,
) -> list[Envelope]:
    """Match the correcting document with what it corrects; nothing where that is matched already."""
    now = month_of_money(ledger, area, difference.counterparty, Period.of(today))
    for account in now.accounts:
        if account.unit.money_account == difference.money_account:
            pair = _pair(account, difference, proposed)
            if pair is not None:
                return on_their_streams(ledger, list(matched(now, account, pair, by=by)))
    return []


def _pair(
    account: AccountResult, difference: Difference, proposed: facts.BreakProposed
) -> Pairing | None:
    """Put the open payments of a break and the document together; DoesNotCorrect if that is uneven."""
    still_open = {
        f"{one.side}:{one.item}": one for one in (*account.only_ours, *account.only_theirs)
    }
    still_open |= {f"{one.side}:{one.item}": one for pair in account.unequal for one in pair}
    concerned = [still_open[name] for name in difference.items if name in still_open]
    if len(concerned) < len(difference.items):
        return None
    ours = tuple(one for one in concerned if one.side == "ours")
    theirs = tuple(one for one in concerned if one.side == "theirs")
    document = proposed.document or ""
    correcting = tuple(
        one for one in account.only_ours if document in one.refs and one not in concerned
    )
    needed = _sum(theirs) - _sum(ours)
    if not correcting or _sum(correcting) != needed:
        raise DoesNotCorrect(
            document=document,
            break_id=difference.id,
            needed=format_yuan(needed),
            found=format_yuan(_sum(correcting)),
        )
    return Pairing(HAND, (*ours, *correcting), theirs)


def _sum(items: Iterable[Item]) -> int:
    return sum(one.fen for one in items)
