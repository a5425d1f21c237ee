"""A walk through the log: the seals in their order, and under each the events that it covers."""

import struct
from bisect import bisect_left
from collections.abc import Callable
from itertools import groupby
from operator import length_hint
from typing import Any, NamedTuple

from ledger.errors import BooksDamaged
from ledger.store import statements as sql
from ledger.store.codec import decode_fact
from ledger.store.finding import Finding
from ledger.store.reading import Columns, EventsInOrder, Reading
from ledger.store.recomputed import Recomputed
from ledger.store.seals import (
    GENESIS_NO,
    NO_DIGEST,
    Seal,
    canonical_rows,
    leaves,
    merkle_root,
    seal_digest,
)
from ledger.verify.tables import stray_keys

_SEALS_AT_ONCE = 500
_END = 2**63 - 1
#: Findings about the log come in its order; more than these would say nothing new.
_MOST = 200

Progress = Callable[[int, int], None]


class Walked(NamedTuple):
    """What a walk brings back from another process: that all was well, and what it counted."""

    events: int
    seals: int
    recomputed: Recomputed


class Walk:
    """Goes through seals in order and reads each one's events once, from a position on."""

    def __init__(
        self,
        log: Reading,
        *,
        after: int = 0,
        until: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.findings: list[Finding] = []
        self.recomputed = Recomputed()
        self.events = 0
        self.seals = 0
        self._log = log
        self._progress = progress
        self._last = log.head().last_position
        self._events = EventsInOrder(log, after=after, until=until)

    def through(self, previous: Seal, *, until: int = _END) -> Seal:
        """Check the seals after one, up to a number or to the last; give the last of them."""
        while page := self._log.seals(after=previous.no, limit=_at_once(previous.no, until)):
            bounds = {"after": previous.no, "to": page[-1].no}
            keys = {no: (key, told) for no, key, told in self._log.rows(sql.KEYS, bounds)}
            for seal in page:
                self._check_chain(previous, seal, keys.get(seal.no))
                self._check_events(seal)
                previous = seal
                self.seals += 1
            if self._progress:
                self._progress(previous.last_position, self._last)
        return previous

    def join(self, later: "Walked") -> None:
        """Count what another walk has found in order after this one."""
        self.events += later.events
        self.seals += later.seals
        self.recomputed.join(later.recomputed)

    def end(self, last: Seal) -> None:
        """Check what can be told when all seals were seen."""
        for events in self._events.up_to(None):
            for position in events.positions:
                self._unsealed(position)
        if last.last_position != self._last:
            zh, en = "末封记顺序有误", "is out of order at the end of the log"
            self._bad_seal("seal_unordered", last, zh, en)
        for position, error in self.recomputed.books()[1]:
            self._add("step_out_of_order", position, error.message("zh"), error.message("en"))
        self.findings.extend(stray_keys(self._log))

    def genesis(self) -> Seal:
        """Check the seal that is the same in every book."""
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
        start = 0
        for topic, same in groupby(events.topics):
            end = start + len(list(same))
            self._fold_alike(topic, events.part(start, end))
            start = end

    def _fold_alike(self, topic: str, events: Columns) -> None:
        states = iter(events.states)
        try:
            self.recomputed.add_stored(topic, events.positions, states)
        except (BooksDamaged, ValueError):
            # This event, and those after it, are looked at one by one.
            counted = len(events.states) - length_hint(states) - 1
            for position, state in zip(
                events.positions[counted:], events.states[counted:], strict=True
            ):
                self._fold_one(position, topic, state)

    def _fold_one(self, position: int, topic: str, state: bytes) -> None:
        try:
            self.recomputed.add(position, decode_fact(topic, state, position=position))
        except BooksDamaged as error:
            self._add(error.code, position, error.message("zh"), error.message("en"))
        except ValueError as error:
            zh, en = f"事件内容有误：{error}", f"the event says what cannot be: {error}"
            self._add("event_unreadable", position, zh, en)

    def _add(self, code: str, position: int, zh: str, en: str, **facts: Any) -> None:
        if len(self.findings) < _MOST:
            self.findings.append(Finding(code, position, zh, en, facts))


def walked(log: Reading, progress: Progress | None) -> Walk:
    """Walk through a whole log."""
    walk = Walk(log, progress=progress)
    walk.end(walk.through(walk.genesis()))
    return walk


def _leaves(events: Columns) -> list[bytes]:
    """Hash events; where the database holds something else than we write, none of them is ours."""
    try:
        return leaves(canonical_rows(zip(*events[1:], strict=True)))
    except (TypeError, ValueError, AttributeError, struct.error):
        return [b""] * len(events.positions)


def _at_once(after: int, until: int) -> int:
    return max(0, min(_SEALS_AT_ONCE, until - after))
