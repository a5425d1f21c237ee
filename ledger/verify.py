"""Verify the books (校验): every event under its seal, every seal in the chain, every total right.

Everything is read as of one moment. A Merkle root tells which commit was altered, not which of its
events; what is missing or was added is told to the position. A chain that was rebuilt with correct
hashes, or cut off at its end, can only be told by an anchor (存证锚点) kept elsewhere.
"""

import json
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from ledger.errors import BooksDamaged, InputRejected
from ledger.store import statements as sql
from ledger.store.books import BookState
from ledger.store.codec import decode_fact, decode_facts
from ledger.store.commit import BookKey, Total, TotalKey, TransitionRefused
from ledger.store.finding import Finding
from ledger.store.reading import Columns, EventsInOrder, Reading, moment_of
from ledger.store.recomputed import Recomputed
from ledger.store.recording import Recording
from ledger.store.seals import (
    GENESIS_NO,
    NO_DIGEST,
    Seal,
    canonical_rows,
    leaves,
    merkle_root,
    seal_digest,
)

_SEALS_AT_ONCE = 500
#: Findings about the log come in its order; more than these would say nothing new.
_MOST = 200

Progress = Callable[[int, int], None]


class AnchorUnreadable(InputRejected):
    """The anchor file is not one of ours (锚点文件无法读取)."""

    code = "anchor_unreadable"
    zh = "锚点文件无法读取：{reason}。"
    en = "The anchor file cannot be read: {reason}."
    hint_zh = "请使用 verify --save-anchor 生成的文件。"
    hint_en = "Use a file that `verify --save-anchor` wrote."


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal remembered outside the database (存证锚点): nobody can rewrite what is before it."""

    seal_no: int
    digest: str
    position: int
    at: str

    @classmethod
    def of(cls, seal: Seal) -> Self:
        """Remember a seal."""
        at = moment_of(seal.at_us).isoformat()
        return cls(seal.no, seal.digest.hex(), seal.last_position, at)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an anchor file; AnchorUnreadable where it is none."""
        try:
            found = json.loads(text)
            anchor = cls(
                int(found["seal_no"]),
                str(found["digest"]),
                int(found["position"]),
                str(found["at"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AnchorUnreadable(reason=str(error)) from error
        return anchor

    def to_json(self) -> str:
        """Write the anchor as a file's text."""
        return json.dumps(asdict(self), indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Verification:
    """What verify found. ``anchor`` is the present last seal, to be kept elsewhere."""

    ok: bool
    events: int
    seals: int
    first_bad_position: int | None
    findings: tuple[Finding, ...]
    anchor: Anchor


class Ledger(Protocol):
    """What verify reads: the log of the books."""

    @property
    def log(self) -> Recording: ...


def verify(
    ledger: Ledger, *, anchor: Anchor | None = None, progress: Progress | None = None
) -> Verification:
    """Check the whole log, its seals, keys, totals and books against each other."""
    with ledger.log.snapshot() as log:
        walk = _Walk(log, progress)
        walk.run()
        if anchor is not None:
            walk.hold_against(anchor)
        if not walk.findings:
            # Totals of a damaged log would only repeat the damage.
            walk.found(_guard_findings(log, walk.recomputed))
        findings = tuple(walk.findings)
        bad = [one.position for one in findings if one.position is not None]
        return Verification(
            ok=not findings,
            events=walk.events,
            seals=walk.seals,
            first_bad_position=min(bad, default=None),
            findings=findings,
            anchor=Anchor.of(log.head()),
        )


class _Walk:
    """Goes through the seals in order and reads each one's events once."""

    def __init__(self, log: Reading, progress: Progress | None) -> None:
        self.findings: list[Finding] = []
        self.recomputed = Recomputed()
        self.events = 0
        self.seals = 0
        self._log = log
        self._progress = progress
        self._last = log.head().last_position
        self._events = EventsInOrder(log)

    def found(self, findings: Iterator[Finding]) -> None:
        self.findings.extend(findings)

    def run(self) -> None:
        previous = self._genesis()
        after = GENESIS_NO
        while page := self._log.seals(after=after, limit=_SEALS_AT_ONCE):
            after = page[-1].no
            keys = {
                no: (key, input_hash)
                for no, key, input_hash in self._log.rows(
                    sql.KEYS, {"after": page[0].no - 1, "to": after}
                )
            }
            for seal in page:
                self._check_chain(previous, seal, keys.get(seal.no))
                self._check_events(seal)
                previous = seal
                self.seals += 1
            if self._progress:
                self._progress(previous.last_position, self._last)
        self._check_beyond(previous)
        self.recomputed.finish()
        self.found(_stray_keys(self._log))

    def _genesis(self) -> Seal:
        found = self._log.seals(after=GENESIS_NO - 1, limit=1)
        blank = Seal(GENESIS_NO, 0, 0, 0, 0, NO_DIGEST, NO_DIGEST, b"")
        genesis = blank._replace(digest=seal_digest(blank, key="", input_hash=""))
        if not found or found[0] != genesis:
            self._add("genesis_altered", 0, "创世封记被改动或缺失", "the genesis seal was altered")
        return genesis

    def _check_chain(self, previous: Seal, seal: Seal, key: tuple[str, str] | None) -> None:
        awaited = previous.last_position + 1
        if seal.no != previous.no + 1 or seal.first_position != awaited:
            self._bad_seal(
                "seal_missing", seal, "与前一封记不衔接", "does not follow on", at=awaited
            )
        elif seal.prev != previous.digest:
            self._bad_seal(
                "chain_broken", seal, "与前一封记不相连", "is not chained to the last one"
            )
        if seal.at_us < previous.at_us:
            self._bad_seal("seal_earlier", seal, "时间早于前一封记", "is earlier than the last one")
        if key is None:
            self._bad_seal("key_missing", seal, "缺少业务键", "has no idempotency key")
        elif seal_digest(seal, key=key[0], input_hash=key[1]) != seal.digest:
            self._bad_seal("seal_altered", seal, "或其业务键被改动", "or its key was altered")

    def _check_events(self, seal: Seal) -> None:
        hashes: list[bytes] = []
        awaited = seal.first_position
        for events in self._events.up_to(seal.last_position):
            inside = self._in_place(self._sealed(events, seal.first_position), awaited, seal)
            if inside.positions:
                awaited = inside.positions[-1] + 1
                hashes += _leaves(inside)
                self._fold(inside)
        if awaited <= seal.last_position:
            self._missing(awaited, seal.last_position, seal)
        if len(hashes) == seal.events and merkle_root(hashes) != seal.root:
            self._bad_seal(
                "events_altered", seal, "所含事件被改动", "covers an event that was altered"
            )
        self.events += len(hashes)

    def _sealed(self, events: Columns, first: int) -> Columns:
        """Tell of the events before a seal's first, which none covers, and give the others."""
        stray = bisect_left(events.positions, first)
        for position in events.positions[:stray]:
            self._unsealed(position)
        return events.part(stray) if stray else events

    def _in_place(self, events: Columns, awaited: int, seal: Seal) -> Columns:
        """Tell what is missing between a seal's events, or has a place taken before; give the rest."""
        if events.positions == tuple(range(awaited, awaited + len(events.positions))):
            return events
        kept = []
        for event in zip(*events, strict=True):
            position = event[0]
            if position < awaited:
                self._unsealed(position)
                continue
            if position > awaited:
                self._missing(awaited, position - 1, seal)
            kept.append(event)
            awaited = position + 1
        return Columns(*zip(*kept, strict=True)) if kept else events.part(0, 0)

    def _check_beyond(self, last: Seal) -> None:
        for events in self._events.up_to(None):
            for position in events.positions:
                self._unsealed(position)
        if last.last_position != self._last:
            zh, en = "末封记顺序有误", "is out of order at the end of the log"
            self._bad_seal("seal_unordered", last, zh, en)

    def _unsealed(self, position: int) -> None:
        self.events += 1
        zh = f"位置 {position} 的事件没有封记"
        self._add("event_unsealed", position, zh, f"no seal covers position {position}")

    def _missing(self, first: int, last: int, seal: Seal) -> None:
        zh, en = f"位置 {first} 的事件缺失", f"the event at position {first} is missing"
        self._add("event_missing", first, zh, en, seal=seal.no, first=first, last=last)

    def _bad_seal(self, code: str, seal: Seal, zh: str, en: str, *, at: int | None = None) -> None:
        self._add(
            code,
            seal.first_position if at is None else at,
            f"封记 {seal.no} {zh}",
            f"seal {seal.no} {en}",
            seal=seal.no,
            first=seal.first_position,
            last=seal.last_position,
        )

    def _fold(self, events: Columns) -> None:
        counted, add = 0, self.recomputed.add
        try:
            for fact in decode_facts(events.topics, events.states):
                add(fact)
                counted += 1
        except (BooksDamaged, TransitionRefused, ValueError, TypeError, KeyError):
            # This event, and those after it, are looked at one by one.
            for event in zip(*events.part(counted), strict=True):
                self._fold_one(event[0], event[3], event[4])

    def _fold_one(self, position: int, topic: str, state: bytes) -> None:
        try:
            self.recomputed.add(decode_fact(topic, state, position=position))
        except BooksDamaged as error:
            self._add(error.code, position, error.message("zh"), error.message("en"))
        except TransitionRefused as error:
            self._add("step_out_of_order", position, error.message("zh"), error.message("en"))
        except ValueError as error:
            zh, en = f"事件内容有误：{error}", f"the event says what cannot be: {error}"
            self._add("event_unreadable", position, zh, en)

    def _add(self, code: str, position: int, zh: str, en: str, **facts: Any) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code, position, zh, en, facts))

    def hold_against(self, anchor: Anchor) -> None:
        """Compare with a seal that was remembered elsewhere."""
        found = self._log.seals(after=anchor.seal_no - 1, limit=1)
        facts = {"seal": anchor.seal_no, "digest": anchor.digest, "at": anchor.at}
        if not found or found[0].no != anchor.seal_no:
            position = min(anchor.position, self._last + 1)
            zh = f"锚点记录的封记 {anchor.seal_no} 已不存在：日志尾部被截去"
            en = f"seal {anchor.seal_no} of the anchor is gone: the tail of the log was cut"
            self.findings.append(Finding("tail_cut", position, zh, en, facts))
        elif found[0].digest.hex() != anchor.digest:
            zh = f"封记 {anchor.seal_no} 与锚点不符：其之前的日志被重写"
            en = f"seal {anchor.seal_no} differs from the anchor: the log before it was rewritten"
            self.findings.append(Finding("chain_rewritten", anchor.position, zh, en, facts))


def _leaves(events: Columns) -> list[bytes]:
    """Hash events; where the database holds something else than we write, none of them is ours."""
    try:
        return leaves(canonical_rows(zip(*events[1:], strict=True)))
    except (TypeError, ValueError, AttributeError, struct.error):
        return [b""] * len(events.positions)


def _stray_keys(log: Reading) -> Iterator[Finding]:
    for key, seal_no in log.rows(sql.STRAY_KEYS, {}):
        yield Finding(
            "key_stray",
            None,
            f"业务键 {key} 指向不存在的封记 {seal_no}",
            f"the key {key} names seal {seal_no}, which does not exist",
            {"key": key, "seal": seal_no},
        )


def _guard_findings(log: Reading, wanted: Recomputed) -> Iterator[Finding]:
    """Hold the tables that move (totals, books, open intakes) against the log."""
    live = {TotalKey(*row[:4]): Total(*row[4:]) for row in log.rows(sql.ALL_TOTALS, {})}
    yield from _total_findings("totals", wanted.live, live)
    staged: dict[str, dict[TotalKey, Total]] = {}
    for row in log.rows(sql.ALL_STAGED, {}):
        staged.setdefault(row[0], {})[TotalKey(*row[1:5])] = Total(*row[5:])
    for intake in sorted({*staged, *wanted.staged}):
        there, right = staged.get(intake, {}), wanted.staged.get(intake, {})
        yield from _total_findings(f"staged_totals {intake}", right, there)
    try:
        yield from _book_findings(wanted.books, log.books())
    except BooksDamaged as error:
        yield Finding("book_differs", None, error.message("zh"), error.message("en"), error.facts)
    yield from _intake_findings(log, wanted)


def _total_findings(
    table: str, wanted: dict[TotalKey, Total], there: dict[TotalKey, Total]
) -> Iterator[Finding]:
    nil = Total(0, 0, 0)
    for key in sorted({*wanted, *there}):
        right, found = wanted.get(key, nil), there.get(key, nil)
        if right != found:
            name = f"{table} {key.area}/{key.fund}/{key.account}/{key.month}"
            yield Finding(
                "total_differs",
                None,
                f"汇总 {name} 为 {tuple(found)}，按日志应为 {tuple(right)}",
                f"{name} says {tuple(found)}, the log says {tuple(right)}",
                {**key._asdict(), "found": found._asdict(), "wanted": right._asdict()},
            )


def _book_findings(
    wanted: dict[BookKey, BookState], there: dict[BookKey, BookState]
) -> Iterator[Finding]:
    for book in sorted({*wanted, *there}):
        right, found = wanted.get(book), there.get(book)
        # Since when a book has a history is the use-case's word, not a state of the months.
        if found is not None:
            found = found._replace(history_from=None)
        if right != found:
            yield Finding(
                "book_differs",
                None,
                f"账套 {book.area}/{book.fund} 的状态与日志不符",
                f"the state of book {book.area}/{book.fund} differs from the log",
                {**book._asdict(), "found": _months(found), "wanted": _months(right)},
            )


def _months(state: BookState | None) -> dict[str, str | None] | None:
    if state is None:
        return None
    return {name: str(month) if month else None for name, month in state._asdict().items()}


def _intake_findings(log: Reading, wanted: Recomputed) -> Iterator[Finding]:
    marked = {one.intake for one in log.unfinished_intakes()}
    unmarked = {intake for intake in wanted.unfinished if wanted.staged.get(intake)} - marked
    for intake in sorted((marked - wanted.unfinished) | unmarked):
        yield Finding(
            "intake_differs",
            None,
            f"导入 {intake} 的未完成标记与日志不符",
            f"whether intake {intake} is unfinished differs from the log",
            {"intake": intake},
        )
