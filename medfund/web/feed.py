"""The log as a feed for downstream systems: CloudEvents by page, and as server-sent events.

An event's id is its position in the log, which has no gaps and never changes: whoever resumes after
the last position seen gets every event exactly once, also while others append.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from anyio import sleep, to_thread

from ledger.errors import Conflict
from ledger.store.codec import StoredRow
from ledger.store.reading import Reading, moment_of

SPEC_VERSION = "1.0"
_ZONE = ZoneInfo("Asia/Shanghai")
_STREAM_PAGE = 500


class PositionAhead(Conflict):
    """A consumer has seen more than this log holds (位置超前): the log is not the one it followed."""

    code = "position_ahead"
    zh = "请求从位置 {after} 之后读取，但日志只到 {position}。"
    en = "Events after position {after} were asked for, but the log ends at {position}."
    hint_zh = "日志可能由备份恢复；请与管理员核对后从较早位置重新读取。"
    hint_en = (
        "The log may have been restored from a backup: check, then read again from earlier on."
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some events of one area; ``next`` is where to go on, ``position`` the log's end."""

    events: tuple[dict[str, Any], ...]
    after: int
    next: int
    position: int

    def document(self) -> dict[str, Any]:
        """Give the page as JSON; it may be empty while ``next`` is still below ``position``."""
        return {
            "position": self.position,
            "after": self.after,
            "next": self.next,
            "events": list(self.events),
        }


def read_events(log: Reading, *, area: str, after: int, limit: int) -> Page:
    """Read up to ``limit`` positions after one, and keep what belongs to the area."""
    position = log.last_position()
    if after > position:
        raise PositionAhead(after=after, position=position)
    rows = log.read_page(after=after, limit=limit)
    events = tuple(event for event in _enveloped(log, rows) if event["data"].get("area") == area)
    reached = rows[-1].position if rows else after
    return Page(events, after, reached, max(position, reached))


def _enveloped(log: Reading, rows: Sequence[StoredRow]) -> Iterator[dict[str, Any]]:
    times = _times(log, rows)
    for row, time in zip(rows, times, strict=True):
        data = json.loads(row.state)
        yield {
            "specversion": SPEC_VERSION,
            "id": str(row.position),
            "source": f"/medfund/{data.get('area', '')}",
            "type": row.topic,
            "subject": str(row.originator_id),
            "time": time.isoformat(),
            "datacontenttype": "application/json",
            "sequence": str(row.position),
            "streamversion": row.originator_version,
            "data": data,
        }


def _times(log: Reading, rows: Sequence[StoredRow]) -> Iterator[datetime]:
    """Give each row the moment of its commit, as its seal says (封记时间)."""
    seal = log.seal_covering(rows[0].position) if rows else None
    later = iter(log.seals(after=seal.no, limit=len(rows)) if seal else ())
    for row in rows:
        while seal is not None and row.position > seal.last_position:
            seal = next(later)
        if seal is not None:
            yield moment_of(seal.at_us).astimezone(_ZONE)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream looks for news and says that it is alive, in seconds."""

    poll: float = 0.5
    heartbeat: float = 15.0


async def follow(
    log: Reading, *, area: str, after: int, pace: Pace, may_go_on: Callable[[], bool]
) -> AsyncIterator[str]:
    """Send every event after a position as it is appended, for as long as the asker may read."""
    yield "retry: 2000\n\n"
    checked_at = monotonic()
    while True:
        page = await to_thread.run_sync(_next_page, log, area, after)
        for event in page.events:
            yield _sent(event)
        moved, after = page.next > after, page.next
        if monotonic() - checked_at >= pace.heartbeat:
            if not await to_thread.run_sync(may_go_on):
                return
            checked_at = monotonic()
            yield f": position {after}\n\n"
        if not moved:
            await sleep(pace.poll)


def _next_page(log: Reading, area: str, after: int) -> Page:
    return read_events(log, area=area, after=after, limit=_STREAM_PAGE)


def _sent(event: dict[str, Any]) -> str:
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event['id']}\ndata: {body}\n\n"
