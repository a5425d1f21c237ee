"""One month of institutions at three desks (三方核对): our record, the institution's application, the bank.

For each institution and leaf fund the amounts at every station, from what was booked to what the
bank's statement shows, and where they part: what has not gone on from one station to the next. Out of
the log: applications and postings of the month of care, and the matches that were recorded with the
bank. Pure but for reading the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from ledger.aggregates.area import Area
from ledger.domain.period import Period
from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.clearing import ApplicationReceived, ApplicationWithdrawn
from ledger.events.outstanding import MatchRecorded, MatchReleased
from ledger.store.reading import StoredFact
from settlement.reconciliation.month_facts import read_month

_PAGE = 20_000
_CLAIMS = frozenset({ClaimSettled.TOPIC, ClaimRefunded.TOPIC, ClaimReversed.TOPIC})
PAID = "claims.paid"
#: Where money may stand still, and what that is called.
PARTS = {
    "applied": ("记账与申请不一致", "booked and applied for differ"),
    "owed.booked": ("已记账未申报", "booked, not declared"),
    "owed.declared": ("已申报未审定", "declared, not approved"),
    "owed.approved": ("已审定未下付款单", "approved, not ordered"),
    "owed.ordered": ("已下付款单,银行未付讫", "ordered, not confirmed by the bank"),
    "bank": ("账上已付,银行对账单未见", "paid in our books, not seen in a statement"),
}
_STAGES = ("owed.booked", "owed.declared", "owed.approved", "owed.ordered")


class _Log(Protocol):
    def read_facts(self, *, after: int, until: int) -> list[StoredFact]: ...


class Key(NamedTuple):
    """What is followed: an institution's month of one leaf fund."""

    institution: str
    fund: str


class _Posting(msgspec.Struct, gc=False):
    fund: str
    debit: str
    credit: str
    fen: int
    party: str | None = None


class _Step(msgspec.Struct, gc=False):
    """The fields of a fact with postings on an institution's month."""

    area: str
    postings: list[_Posting]
    belongs_to: str | None = None


class _Withdrawn(msgspec.Struct, gc=False):
    area: str
    institution: str
    insutype: str
    clr_type: str
    belongs_to: str


class _Matched(msgspec.Struct, gc=False):
    area: str
    side: str
    item: str


_step = msgspec.json.Decoder(_Step).decode
_applied = msgspec.json.Decoder(ApplicationReceived).decode
_withdrawn = msgspec.json.Decoder(_Withdrawn).decode
_matched = msgspec.json.Decoder(_Matched).decode


@dataclass(slots=True)
class ThreeWayFacts:
    """What the log says of one month, as of a position."""

    booked: dict[Key, int] = field(default_factory=dict)
    applied: dict[tuple[str, str, str], ApplicationReceived] = field(default_factory=dict)
    moved: dict[tuple[Key, str, str], int] = field(default_factory=dict)  # by debit and credit
    payments: list[tuple[Key, int, int]] = field(default_factory=list)  # with position and fen
    in_bank: set[tuple[int, str]] = field(default_factory=set)  # positions and funds matched


def read_three_way(
    log: _Log, *, area: str, period: Period, position: int, institution: str | None = None
) -> ThreeWayFacts:
    """Read a month up to a position; of one institution, or of all."""
    month = read_month(log, area=area, period=period, position=position, institution=institution)
    found = ThreeWayFacts()
    for claim in month.claims.values():
        for fund, fen in claim.funds:
            key = Key(claim.group.institution, fund)
            found.booked[key] = found.booked.get(key, 0) + fen
    belongs = f'"belongs_to":"{period}"'.encode()
    for after in range(0, position, _PAGE):
        for at, topic, state in log.read_facts(after=after, until=min(after + _PAGE, position)):
            if topic in _CLAIMS:
                continue
            if topic in {MatchRecorded.TOPIC, MatchReleased.TOPIC}:
                _match(found, area, state, recorded=topic == MatchRecorded.TOPIC)
            elif belongs in state:
                wanted = _Wanted(area, institution)
                _apply(found, wanted, topic, state)
                _post(found, wanted, at, state)
    return found


class _Wanted(NamedTuple):
    """Whose facts are read: of an area, and of one institution or of all."""

    area: str
    institution: str | None

    def takes(self, area: str, institution: str | None) -> bool:
        """Tell whether a fact is one of them."""
        named = institution is not None and self.institution in {None, institution}
        return area == self.area and named


def _match(found: ThreeWayFacts, area: str, state: bytes, *, recorded: bool) -> None:
    fact = _matched(state)
    if fact.area != area or fact.side != "ours":
        return
    position, _, funds = fact.item.partition("/")
    for fund in funds.split("+"):
        if recorded:
            found.in_bank.add((int(position), fund))
        else:
            found.in_bank.discard((int(position), fund))


def _apply(found: ThreeWayFacts, wanted: _Wanted, topic: str, state: bytes) -> None:
    """Take an application, or its withdrawal."""
    if topic == ApplicationReceived.TOPIC:
        fact = _applied(state)
        if wanted.takes(fact.area, fact.institution):
            found.applied[fact.institution, fact.insutype, fact.clr_type] = fact
    elif topic == ApplicationWithdrawn.TOPIC:
        gone = _withdrawn(state)
        if wanted.takes(gone.area, gone.institution):
            found.applied.pop((gone.institution, gone.insutype, gone.clr_type), None)


def _post(found: ThreeWayFacts, wanted: _Wanted, at: int, state: bytes) -> None:
    """Add what a fact moves between the accounts of what institutions are owed."""
    if b'"owed.' not in state or b'"postings":[{' not in state:
        return
    step = _step(state)
    for one in step.postings:
        if one.party is None or not wanted.takes(step.area, one.party):
            continue
        key = Key(one.party, one.fund)
        move = key, one.debit, one.credit
        found.moved[move] = found.moved.get(move, 0) + one.fen
        if PAID in {one.debit, one.credit}:
            fen = one.fen if one.credit == PAID else -one.fen
            found.payments.append((key, at, fen))


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One institution and leaf fund through the stations (三方核对), in fen."""

    key: Key
    booked_fen: int
    applied_fen: int | None  # None: nothing was applied for
    declared_fen: int
    refused_fen: int
    deposit_fen: int
    approved_fen: int
    offset_fen: int  # of recoveries, prepayments and what an insurer pays
    ordered_fen: int
    paid_fen: int
    bank_fen: int  # of what is paid, what was matched with a statement
    parts: tuple[tuple[str, int], ...]  # where money stands still, and how much


def follow(found: ThreeWayFacts) -> list[Followed]:
    """Follow every institution and fund of the month."""
    applied: dict[Key, int] = {}
    for fact in found.applied.values():
        for part in fact.parts:
            key = Key(fact.institution, part.fund)
            applied[key] = applied.get(key, 0) + part.applied_fen
    keys = {*found.booked, *applied, *(key for key, _, _ in found.moved)}
    return [_followed(found, key, applied.get(key)) for key in sorted(keys)]


def _followed(found: ThreeWayFacts, key: Key, applied: int | None) -> Followed:
    moved = {
        (debit, credit): fen for (one, debit, credit), fen in found.moved.items() if one == key
    }
    booked = found.booked.get(key, 0)
    paid = _into(moved, PAID)
    in_bank = sum(
        fen for one, at, fen in found.payments if one == key and (at, key.fund) in found.in_bank
    )
    stages = {stage: _into(moved, stage) for stage in _STAGES}
    stages["owed.booked"] += booked
    parts = [(stage, fen) for stage, fen in stages.items() if fen]
    if applied is not None and applied != booked:
        parts.insert(0, ("applied", booked - applied))
    if paid != in_bank:
        parts.append(("bank", paid - in_bank))
    return Followed(
        key=key,
        booked_fen=booked,
        applied_fen=applied,
        declared_fen=_between(moved, "owed.booked", "owed.declared"),
        refused_fen=_into(moved, "claims.refused"),
        deposit_fen=_into(moved, "owed.deposit"),
        approved_fen=_between(moved, "owed.declared", "owed.approved"),
        offset_fen=sum(
            _into(moved, account)
            for account in ("claims.offset", "claims.prepaid", "claims.insurer")
        ),
        ordered_fen=_between(moved, "owed.approved", "owed.ordered"),
        paid_fen=paid,
        bank_fen=in_bank,
        parts=tuple(parts),
    )


def _into(moved: Mapping[tuple[str, str], int], account: str) -> int:
    """Give what an account of the obligations book holds: credits less debits."""
    return sum(
        fen * ((credit == account) - (debit == account)) for (debit, credit), fen in moved.items()
    )


def _between(moved: Mapping[tuple[str, str], int], debit: str, credit: str) -> int:
    return moved.get((debit, credit), 0) - moved.get((credit, debit), 0)


_SUMS = (
    *("booked_fen", "declared_fen", "refused_fen", "deposit_fen", "approved_fen"),
    *("offset_fen", "ordered_fen", "paid_fen", "bank_fen"),
)


def three_way_document(
    rows: list[Followed], area: Area, *, period: Period, position: int, lang: str
) -> dict[str, Any]:
    """Give the stations as JSON, with where they part in the reader's language."""
    return {
        "position": position,
        "area": area.code,
        "counterparty": "institution",
        "period": str(period),
        "summary": {
            "rows": len(rows),
            "even": sum(not one.parts for one in rows),
            "applied_fen": sum(one.applied_fen or 0 for one in rows),
            **{name: sum(getattr(one, name) for one in rows) for name in _SUMS},
        },
        "rows": [_row(one, area, lang) for one in rows],
    }


def _row(one: Followed, area: Area, lang: str) -> dict[str, Any]:
    name, *_ = area.institutions.get(one.key.institution, (None, None))
    return {
        "institution": one.key.institution,
        "name": name,
        "fund": one.key.fund,
        "applied_fen": one.applied_fen,
        **{key: getattr(one, key) for key in _SUMS},
        "even": not one.parts,
        "parts": [{"at": at, "fen": fen, "why": PARTS[at][lang != "zh"]} for at, fen in one.parts],
    }
