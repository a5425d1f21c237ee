"""The known axis (何时已知): what counts at a log position or at a moment.

A fact is known from the end of its commit, and a settlement from the completion of its intake; the
read models say so in ``known_from``. A position inside a commit counts the facts up to it: that
part alone is folded from the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import func, or_, select

from ledger.errors import InputRejected
from ledger.events.claim import ClaimRefunded, ClaimSettled
from ledger.events.intake import IntakeCompleted
from ledger.store.reading import StoredFact
from ledger.store.seals import Seal
from projections.fold import Fold
from projections.follow import READ_SIZE, Log, PositionBeyondLog
from projections.page import Bucket, Remembered, SlimSource
from projections.store import Reading

#: Asia/Shanghai has had no other offset since 1991, and no log is older.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class KnownAtUnreadable(InputRejected):
    """Neither a position nor a point in time."""

    code = "known_at_unreadable"
    zh = "无法识别的已知时点 {value}。"
    en = "{value} is neither a log position nor a point in time."
    hint_zh = "请写日志位置(整数)或时间,如 2023-11-05T17:30:00。"
    hint_en = "Write a log position (a whole number) or a time such as 2023-11-05T17:30:00."


class TimedLog(Log, Protocol):
    """A log that can also be asked by time."""

    def last_seal_at(self, moment: datetime) -> Seal | None: ...


class KnownLedger(Protocol):
    """The books, as far as the known axis needs them."""

    @property
    def log(self) -> TimedLog: ...


class MonthKey(NamedTuple):
    """What movements are read by."""

    fund: str
    account: str
    month: str
    nature: str


@dataclass(frozen=True, slots=True)
class Known:
    """A point on the known axis: whole commits up to ``base``, and what the next one adds by then."""

    position: int
    base: int
    part: Bucket = field(default_factory=Bucket)


def known_position(ledger: KnownLedger, text: str) -> int:
    """Read ``--known-at``: a position, or a time, which means the last commit at or before it."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise KnownAtUnreadable(value=text) from None
    if len(text) == len("2023-11-05"):  # a day means its end
        moment += timedelta(days=1, microseconds=-1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    seal = ledger.log.last_seal_at(moment)
    return seal.last_position if seal else 0


def known_as_of(reading: Reading, ledger: KnownLedger, known_at: int | None) -> Known:
    """Say what counts; without a position everything that is projected."""
    if known_at is None or known_at == reading.position:
        return Known(reading.position, reading.position)
    if not 0 <= known_at <= reading.position:
        raise PositionBeyondLog(position=known_at, last=reading.position)
    seal = ledger.log.seal_covering(known_at)
    if seal is None or seal.last_position == known_at:
        return Known(known_at, known_at)
    base = seal.first_position - 1
    return Known(known_at, base, _part(reading, ledger.log, base=base, until=known_at))


def _part(reading: Reading, log: Log, *, base: int, until: int) -> Bucket:
    """Fold the beginning of one commit, with the intakes that complete in it."""
    running = _running_at(reading, base)
    fold = Fold(after=base, remembered=Remembered(running, _openings_at(reading, base)))
    facts = log.read_facts(after=base, until=until)
    if running and not any(topic == IntakeCompleted.TOPIC for _, topic, _ in facts):
        # A settlement whose intake goes on running counts for nothing yet.
        facts = [fact for fact in facts if not _waits(fact, running)]
    fold.commit(facts, last=until)
    part = Bucket()
    for bucket in fold.page.counted.values():
        part.absorb(bucket)
    for release in fold.page.releases:
        key = (release.area, release.intake)
        if key in running:
            part.absorb(_staged(log, key, started=running[key], until=base))
    return part


class _Whose(msgspec.Struct, gc=False):
    """Whose settlement it is: all that is read of one that does not count yet."""

    area: str
    source: SlimSource


_decode_whose = msgspec.json.Decoder(_Whose).decode
_WAITING = frozenset({ClaimSettled.TOPIC, ClaimRefunded.TOPIC})


def _waits(fact: StoredFact, running: Mapping[tuple[str, str], int]) -> bool:
    if fact[1] not in _WAITING:
        return False
    whose = _decode_whose(fact[2])
    return (whose.area, whose.source.intake) in running


def _staged(log: Log, intake: tuple[str, str], *, started: int, until: int) -> Bucket:
    fold = Fold(after=started, remembered=Remembered({intake: started}))
    position = started
    while position < until:
        last = min(position + READ_SIZE, until)
        fold.commit(log.read_facts(after=position, until=last), last=last)
        position = last
    return fold.page.staged.get(intake, Bucket())


def _running_at(reading: Reading, position: int) -> Mapping[tuple[str, str], int]:
    c = reading.balances.claim_intakes.c
    found = reading.rows(
        select(c.area, c.intake, c.started_position).where(
            c.started_position <= position,
            or_(c.completed_position.is_(None), c.completed_position > position),
        )
    )
    return {(row.area, row.intake): row.started_position for row in found}


def _openings_at(reading: Reading, position: int) -> Mapping[int, str]:
    c = reading.balances.openings.c
    found = reading.rows(select(c.position, c.nature).where(c.position <= position))
    return {row.position: row.nature for row in found}


def movements_by_month(
    reading: Reading,
    known: Known,
    *,
    area: str,
    leaves: Iterable[str],
    until: date | None = None,
) -> dict[MonthKey, tuple[int, int]]:
    """Sum debits and credits per leaf, account, booking month and nature, booked up to a day."""
    wanted = frozenset(leaves)
    last_day = until.isoformat() if until else "9999"
    sums: dict[MonthKey, tuple[int, int]] = {}
    if known.position == reading.position:
        _add_whole_months(sums, reading, area=area, leaves=wanted, before=last_day[:7])
        _add_days(sums, reading, known, area=area, leaves=wanted, first=last_day[:7], last=last_day)
    else:
        _add_days(sums, reading, known, area=area, leaves=wanted, first="", last=last_day)
    for (whose, day, fund, account, nature), (debit, credit, _) in known.part.movements().items():
        if whose == area and fund in wanted and day <= last_day:
            _add(sums, MonthKey(fund, account, day[:7], nature), debit, credit)
    return sums


def _add_whole_months(
    sums: dict[MonthKey, tuple[int, int]],
    reading: Reading,
    *,
    area: str,
    leaves: frozenset[str],
    before: str,
) -> None:
    c = reading.balances.month_sums.c
    asked = select(c.fund, c.account, c.booked_month, c.nature, c.debit_fen, c.credit_fen)
    whose = (c.area == area, c.fund.in_(sorted(leaves)), c.booked_month < before)
    for row in reading.rows(asked.where(*whose)):
        _add(sums, MonthKey(*row[:4]), row[4], row[5])


def _add_days(
    sums: dict[MonthKey, tuple[int, int]],
    reading: Reading,
    known: Known,
    *,
    area: str,
    leaves: frozenset[str],
    first: str,
    last: str,
) -> None:
    c = reading.balances.movements.c
    month = func.substr(c.booked_on, 1, 7).label("month")
    found = reading.rows(
        select(c.fund, c.account, month, c.nature, func.sum(c.debit_fen), func.sum(c.credit_fen))
        .where(
            c.area == area,
            c.fund.in_(sorted(leaves)),
            c.booked_on >= first,
            c.booked_on <= last,
            c.known_from <= known.base,
        )
        .group_by(c.fund, c.account, month, c.nature)
    )
    for row in found:
        _add(sums, MonthKey(*row[:4]), int(row[4]), int(row[5]))


def _add(sums: dict[MonthKey, tuple[int, int]], key: MonthKey, debit: int, credit: int) -> None:
    before = sums.get(key, (0, 0))
    sums[key] = (before[0] + debit, before[1] + credit)
