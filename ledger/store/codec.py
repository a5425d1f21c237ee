"""Facts to stored events and back (编码): JSON that an auditor reads with SQL, typed on the way in."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.errors import BooksDamaged
from ledger.events import registry
from ledger.events.base import Envelope, Fact, Posted
from ledger.store.prepared import Encoded

_ENCODE = msgspec.json.Encoder().encode
_DECODE = {topic: msgspec.json.Decoder(fact).decode for topic, fact in registry.CATALOGUE.items()}
_PLAIN = msgspec.json.Decoder(dict[str, Any]).decode


class StoredRow(NamedTuple):
    """An event as it lies in the log."""

    position: int
    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes


class EventUnreadable(BooksDamaged):
    """A stored event does not have the form that its topic promises (事件无法读取)."""

    code = "event_unreadable"
    zh = "日志位置 {position} 的事件({topic})无法读取：{reason}。"
    en = "The event at position {position} ({topic}) cannot be read: {reason}."
    hint_zh = "请运行 medfund verify 查明受损范围。"
    hint_en = "Run `medfund verify` to see what is damaged."


def encode(envelope: Envelope) -> StoredEvent:
    """Write a fact as it is stored: UTF-8 JSON, fields in the order of the class."""
    return StoredEvent(
        envelope.originator_id,
        envelope.originator_version,
        envelope.fact.TOPIC,
        _ENCODE(envelope.fact),
    )


def encode_all(envelopes: Iterable[Envelope]) -> list[Encoded]:
    """Write the facts of one append in the form that ``prepare`` takes."""
    return [
        (one.originator_id.bytes, one.originator_version, one.fact.TOPIC, _ENCODE(one.fact))
        for one in envelopes
    ]


def decode_fact(topic: str, state: bytes, *, position: int | None = None) -> Fact:
    """Read a fact, upcast from an older version where its topic is a retired one."""
    try:
        decoder = _DECODE.get(topic)
        return decoder(state) if decoder is not None else _upcast(topic, state)
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise EventUnreadable(position=position, topic=topic, reason=str(error)) from error


class PlainPosting(msgspec.Struct, frozen=True, gc=False):
    """A posting read as strictly as ``Posting`` reads it, and by the million."""

    fund: str
    debit: str
    credit: str
    fen: int
    party: str | None = None


class PostedDecoder(NamedTuple):
    """Reads the states of one topic with postings. ``sourced``: its facts say where they came from."""

    decode: Callable[[bytes], Any]
    sourced: bool


@cache
def posted_decoder(topic: str) -> PostedDecoder | None:
    """Give what reads each field of a topic as its class does, with plain postings.

    None for a topic without postings, and for one that is not (or no longer) of the catalogue. That
    a posting says no amount, or one account twice, is left for whoever adds it up to see.
    """
    fact = registry.CATALOGUE.get(topic)
    if fact is None or not issubclass(fact, Posted):
        return None
    fields: list[Any] = []
    for field in msgspec.structs.fields(fact):
        kind = tuple[PlainPosting, ...] if field.name == "postings" else field.type
        made = field.default_factory is not msgspec.NODEFAULT
        default = msgspec.field(default_factory=field.default_factory) if made else field.default
        fields.append((field.name, kind) if field.required else (field.name, kind, default))
    plain = msgspec.defstruct(fact.__name__, fields, kw_only=True, frozen=True, gc=False)
    sourced = any(field.name == "source" for field in msgspec.structs.fields(fact))
    return PostedDecoder(msgspec.json.Decoder(plain).decode, sourced)


def _upcast(topic: str, state: bytes) -> Fact:
    if topic not in registry.UPCASTERS:
        registry.fact_class(topic)  # raises UnknownTopic
    body = _PLAIN(state)
    while topic in registry.UPCASTERS:
        topic, newer = registry.UPCASTERS[topic]
        body = newer(body)
    return msgspec.convert(body, registry.fact_class(topic))


def decode(row: StoredRow) -> Envelope:
    """Read an event of the log."""
    fact = decode_fact(row.topic, row.state, position=row.position)
    return Envelope(row.originator_id, row.originator_version, fact)


def decode_all(rows: Sequence[StoredRow]) -> list[tuple[int, Envelope]]:
    """Read events with their positions."""
    return [(row.position, decode(row)) for row in rows]


class FactMapper(Mapper[UUID]):
    """The library's way in and out (its repository and ``save``), through the same codec."""

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        if not isinstance(domain_event, Envelope):
            raise TypeError(f"the log keeps Envelopes, not {type(domain_event).__name__}")
        return encode(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        if not isinstance(stored_event.originator_id, UUID):
            raise TypeError("streams of the log are named by UUIDs")
        return Envelope(
            stored_event.originator_id,
            stored_event.originator_version,
            decode_fact(stored_event.topic, stored_event.state),
        )
