"""Reconciling an allocation (异地清分) with our own settlements, one to one.

确认 confirmed: both sides have it with equal amounts · 差异 differs: the amounts do not agree · 挂账
hanging: allocated, and we have no such settlement · 未确认 unconfirmed: ours of the month, allocated
neither in it nor in the twelve months before or after.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.archive.read import Archive
from ledger.domain.claim_roles import PASSTHROUGH, REMOTE
from ledger.domain.identity import allocation_stream, reconciliation_stream
from ledger.domain.period import Period
from ledger.events.base import Envelope
from ledger.events.remote import OpenAllocation, RemoteReconciled
from ledger.store.commit import Commit
from settlement.clearing.cases.kernel import POSTINGS
from settlement.clearing.engine import Engine, Parts, Row, Table
from settlement.intake.places import Places
from settlement.intake.post_allocations import latest

CONFIRMED, DIFFERS, HANGING, UNCONFIRMED = "confirmed", "differs", "hanging", "unconfirmed"
STATE_NAMES = {
    CONFIRMED: ("确认", "confirmed"),
    DIFFERS: ("差异", "differs"),
    HANGING: ("挂账", "hanging"),
    UNCONFIRMED: ("未确认", "unconfirmed"),
}
#: A settlement may be allocated so many months after it was settled (清分滞后).
MOST_MONTHS = 12

_SETTLED = (
    ("position", "BIGINT"),
    *((name, "VARCHAR") for name in ("area", "setl_id", "institution", "setl_date")),
    *((name, "BIGINT") for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")),
    ("postings", POSTINGS),
)
_REVERSED = (
    ("position", "BIGINT"),
    ("area", "VARCHAR"),
    ("original_position", "BIGINT"),
)
_TABLES = {
    "bounds": (
        ("area", "VARCHAR"),
        ("watermark", "BIGINT"),
        ("first_day", "VARCHAR"),
        ("last_day", "VARCHAR"),
    ),
    "stated": (("setl_id", "VARCHAR"),),
}
_ROLE = """list_max(list_transform(s.postings, lambda p: CASE p.credit
        WHEN 'owed.remote' THEN 1 WHEN 'owed.passthrough' THEN 2 ELSE 0 END))"""

#: Our settlements across areas: of the month, and whichever else was allocated in it.
OURS = f"""
WITH every AS (
    SELECT position, area, setl_id, institution, setl_date, medfee_sumamt, fund_pay_sumamt,
        acct_pay, postings, FALSE AS refund FROM settled
    UNION ALL
    SELECT position, area, setl_id, institution, setl_date, medfee_sumamt, fund_pay_sumamt,
        acct_pay, postings, TRUE AS refund FROM refunded
)
SELECT s.position, s.setl_id, s.refund, s.institution, s.setl_date, s.medfee_sumamt,
    s.fund_pay_sumamt + s.acct_pay AS paid_fen, {_ROLE} AS role,
    s.setl_date BETWEEN b.first_day AND b.last_day AS of_month
FROM every AS s JOIN bounds AS b ON s.area = b.area
LEFT JOIN reversed AS r ON r.original_position = s.position AND r.position <= b.watermark
WHERE s.position <= b.watermark AND r.position IS NULL AND {_ROLE} > 0
    AND (s.setl_date BETWEEN b.first_day AND b.last_day
        OR s.setl_id IN (SELECT setl_id FROM stated))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One settlement on both sides, and how it stands; amounts in fen."""

    setl_id: str
    refund: bool
    role: str
    state: str
    place: str | None  # 就医地, as it was allocated
    institution: str
    ours_medfee_fen: int | None = None
    ours_fen: int | None = None
    theirs_medfee_fen: int | None = None
    theirs_fen: int | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """What comparing a month's allocation gave, as of a position of the log."""

    area: str
    period: Period
    position: int
    compared: tuple[Compared, ...]
    received: bool  # some allocation of the month was brought in

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.compared)

    def confirmed_fen(self) -> dict[str, int]:
        """Add up what is confirmed, by role."""
        found = {REMOTE: 0, PASSTHROUGH: 0}
        for one in self.compared:
            if one.state == CONFIRMED:
                found[one.role] += one.ours_fen or 0
        return found

    @property
    def open(self) -> list[Compared]:
        return [one for one in self.compared if one.state != CONFIRMED]


@dataclass(frozen=True, slots=True)
class RemoteQuestion:
    """Which month of allocations, read from where, up to which position."""

    area: Area
    period: Period
    archive: Archive
    engine: Engine
    watermark: int


def reconcile_remote(ledger: FundLedger, asked: RemoteQuestion) -> RemoteResult:
    """Compare a month's allocation with our settlements; differences are a result, not an error."""
    area, period, watermark = asked.area, asked.period, asked.watermark
    theirs = latest(one for _, one in ledger.history(allocation_stream(area.code, str(period))))
    elsewhere = _allocated_elsewhere(ledger, area, period)
    rows = _ours(asked, {key[0] for key in theirs})
    compared = list(_compare(rows, theirs, elsewhere, Places.of(area)))
    compared.sort(key=lambda one: (one.role, one.setl_id, one.refund))
    return RemoteResult(area.code, period, watermark, tuple(compared), bool(theirs))


def _allocated_elsewhere(ledger: FundLedger, area: Area, period: Period) -> set[tuple[str, bool]]:
    """Name what other months' allocations have: it is held against those, not against this one."""
    found: set[tuple[str, bool]] = set()
    for apart in range(-MOST_MONTHS, MOST_MONTHS + 1):
        if apart:
            month = Period.from_ordinal(period.ordinal + apart)
            history = ledger.history(allocation_stream(area.code, str(month)))
            found.update(latest(one for _, one in history))
    return found


def _ours(asked: RemoteQuestion, stated: Iterable[str]) -> list[Row]:
    area, period, watermark = asked.area, asked.period, asked.watermark
    since = str(Period.from_ordinal(period.ordinal - MOST_MONTHS))

    def parts(topic: str, columns: tuple[tuple[str, str], ...]) -> Parts:
        files = asked.archive.parts(topic=topic, area=area.code, since=since, until=watermark)
        return Parts(columns, tuple(files))

    told: dict[str, list[Row]] = {
        "bounds": [
            (area.code, watermark, period.first_day.isoformat(), period.last_day.isoformat())
        ],
        "stated": [(one,) for one in sorted(set(stated))],
    }
    return asked.engine.answer(
        OURS,
        {
            "settled": parts("claim.settled.v1", _SETTLED),
            "refunded": parts("claim.refunded.v1", _SETTLED),
            "reversed": parts("claim.reversed.v1", _REVERSED),
        },
        {name: Table(columns, told[name]) for name, columns in _TABLES.items()},
    )


def _compare(
    rows: Iterable[Row],
    theirs: Mapping[tuple[str, bool], tuple[object, ...]],
    elsewhere: set[tuple[str, bool]],
    places: Places,
) -> Iterator[Compared]:
    met: set[tuple[str, bool]] = set()
    for position, setl_id, refund, institution, _, medfee, paid, role, of_month in rows:
        key = (str(setl_id), bool(refund))
        other = theirs.get(key)
        if other is None and (key in elsewhere or not of_month):
            continue
        met.add(key)
        state = UNCONFIRMED
        if other is not None:
            state = CONFIRMED if (other[5], other[6]) == (medfee, paid) else DIFFERS
        yield Compared(
            setl_id=key[0],
            refund=key[1],
            role=REMOTE if role == 1 else PASSTHROUGH,
            state=state,
            place=None if other is None else str(other[2]),
            institution=str(institution),
            ours_medfee_fen=_fen(medfee),
            ours_fen=_fen(paid),
            theirs_medfee_fen=None if other is None else _fen(other[5]),
            theirs_fen=None if other is None else _fen(other[6]),
            position=_fen(position),
        )
    for key, other in theirs.items():
        if key not in met:
            _, _, place, insuplc, institution, medfee, paid = other
            named = None if insuplc is None else str(insuplc)
            role_name = places.role(named, str(place), str(institution))
            yield Compared(
                setl_id=key[0],
                refund=key[1],
                role=role_name or REMOTE,
                state=HANGING,
                place=str(place),
                institution=str(institution),
                theirs_medfee_fen=_fen(medfee),
                theirs_fen=_fen(paid),
            )


def _fen(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"not whole fen: {value!r}")
    return value


def record_remote(
    ledger: FundLedger, area: Area, found: RemoteResult, *, user: str | None
) -> tuple[int, bool]:
    """Record a result; the same result again adds nothing. Gives the position, and whether it stood."""
    by = area.allow(user, "reconcile")
    fact = RemoteReconciled(
        area=area.code,
        period=str(found.period),
        by=by,
        as_of=found.position,
        confirmed=found.count(CONFIRMED),
        confirmed_fen=found.confirmed_fen(),
        open=tuple(
            OpenAllocation(
                one.setl_id, one.refund, one.role, one.state, one.ours_fen, one.theirs_fen
            )
            for one in found.open
        ),
    )
    stream = reconciliation_stream(area.code, "remote", str(found.period))
    history = ledger.history(stream)
    if history:
        position, last = history[-1][0], history[-1][1].fact
        if isinstance(last, RemoteReconciled) and _said(last) == _said(fact):
            return position, True
    receipt = ledger.append(
        [Envelope(stream, len(history) + 1, fact)],
        Commit(
            key=f"reconciliation:{stream}:{len(history) + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return receipt.last_position, receipt.repeated


def _said(fact: RemoteReconciled) -> tuple[object, ...]:
    return fact.confirmed, fact.confirmed_fen, fact.open
