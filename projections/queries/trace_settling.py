"""What the log has of a clearing run, an application or a recovery by offset, by its id (追溯)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from ledger.aggregates.application import application_name
from ledger.aggregates.clearing import run_name
from ledger.aggregates.offset import offset_doc_no
from ledger.domain.identity import (
    application_stream,
    clearing_stream,
    offset_stream,
    settlement_stream,
)
from ledger.store.codec import StoredRow
from ledger.store.reading import Reading


def settling_rows(log: Reading, area: str, ref: str) -> list[StoredRow]:
    """Give every event of what an id names, in the order of the log; none where it is another's."""
    rows = [*_run(log, area, ref), *_application(log, area, ref), *_offset(log, area, ref)]
    return sorted(rows, key=lambda row: row.position)


def _run(log: Reading, area: str, ref: str) -> Iterator[StoredRow]:
    """A run's own steps, and what it posted on the months of its institutions."""
    named = run_name(ref, area)
    if named is None:
        return
    own = _of(log, clearing_stream(area, named.fund, named.period), "run", ref)
    yield from own
    lines = [line for row in own for line in _state(row).get("lines", ())]
    for institution in dict.fromkeys(line[0] for line in lines):
        month = settlement_stream(area, named.fund, institution, named.period)
        yield from _of(log, month, "run", ref)


def _application(log: Reading, area: str, ref: str) -> Iterator[StoredRow]:
    """An application with its withdrawal, and what it declared of each fund."""
    named = application_name(ref, area)
    if named is None:
        return
    stream = application_stream(area, *named[:4])
    own = _of(log, stream, "number", named.number)
    yield from own
    parts = [part for row in own for part in _state(row).get("parts", ())]
    for fund in dict.fromkeys(part[0] for part in parts):
        month = settlement_stream(area, fund, named.institution, named.month)
        yield from _of(log, month, "application", ref)


def _offset(log: Reading, area: str, ref: str) -> Iterator[StoredRow]:
    doc_no = offset_doc_no(ref, area)
    if doc_no is not None:
        yield from log.stream(offset_stream(area, doc_no))


def _of(log: Reading, stream: UUID, key: str, value: object) -> list[StoredRow]:
    return [row for row in log.stream(stream) if _state(row).get(key) == value]


def _state(row: StoredRow) -> dict[str, Any]:
    state: dict[str, Any] = msgspec.json.decode(row.state)
    return state
