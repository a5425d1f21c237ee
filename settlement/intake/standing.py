"""What of a file already stands in the books: posted with equal content, reversed, or in conflict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import msgspec

from ledger.events.cash import DocumentReversed
from ledger.events.claim import ClaimReversed
from ledger.store.codec import StoredRow

_BATCH = 5_000


class _Said(msgspec.Struct):
    """The part of a stored fact that says whether a repeated row is the same."""

    content: str = ""
    revision: int = 1
    person_key: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The last fact of a stream: ``version`` of the stream, and what it said."""

    version: int
    position: int
    reversed: bool
    content: str
    revision: int
    person_key: int
    topic: str


class _Log(Protocol):
    def heads(self, streams: Sequence[bytes]) -> list[StoredRow]: ...


def standing(log: _Log, streams: Iterable[bytes]) -> Mapping[bytes, Standing]:
    """Look the last fact of many streams up, in batches; a stream without facts is absent."""
    found: dict[bytes, Standing] = {}
    rest = iter(streams)
    decode = msgspec.json.Decoder(_Said).decode
    while batch := list(islice(rest, _BATCH)):
        for row in log.heads(batch):
            said = decode(row.state)
            found[row.originator_id.bytes] = Standing(
                version=row.originator_version,
                position=row.position,
                reversed=row.topic in {DocumentReversed.TOPIC, ClaimReversed.TOPIC},
                content=said.content,
                revision=said.revision,
                person_key=said.person_key,
                topic=row.topic,
            )
    return found
