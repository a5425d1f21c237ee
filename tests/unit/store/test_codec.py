"""Stored events and back; older versions; what cannot be read."""

from uuid import UUID

import pytest
from eventsourcing.persistence import JSONTranscoder

from ledger.domain.entry import Posting
from ledger.events import registry
from ledger.events.base import Envelope, Source
from ledger.events.cash import ContributionReceived
from ledger.events.setup import FundOpened
from ledger.store.codec import EventUnreadable, FactMapper, StoredRow, decode, decode_fact, encode

STREAM = UUID(int=7)
OPENED = FundOpened(area="330604", by="admin1", fund="310", first="2023-01")
RECEIVED = ContributionReceived(
    area="330604",
    booked_on="2023-01-05",
    postings=(Posting("310.pooled", "treasury", "income.contribution.employer", 12300, "某单位"),),
    rules_version=1,
    prepared_by="clerk1",
    doc_no="D1",
    revision=1,
    fund="310.pooled",
    item="contribution.employer",
    date="2023-01-05",
    belongs_to="2023-01",
    amount_fen=12300,
    summary="单位缴费",
    content="hash",
    source=Source(intake="i1", line=2),
)


@pytest.mark.parametrize("fact", [OPENED, RECEIVED])
def test_a_fact_comes_back_as_it_was(fact):
    stored = encode(Envelope(STREAM, 3, fact))
    row = StoredRow(9, STREAM, 3, stored.topic, stored.state)
    assert decode(row) == Envelope(STREAM, 3, fact)
    assert encode(decode(row)) == stored


def test_the_state_is_json_that_a_person_can_read():
    state = encode(Envelope(STREAM, 1, RECEIVED)).state.decode()
    assert state.startswith('{"area":"330604","booked_on":"2023-01-05","postings":[{"fund":')
    assert '"fen":12300,"party":"某单位"' in state


def test_a_retired_topic_is_read_as_its_successor(monkeypatch):
    for old, new, change in (
        ("fund.opened.v-1", "fund.opened.v0", lambda body: body | {"fund": body.pop("kind")}),
        ("fund.opened.v0", "fund.opened.v1", lambda body: {"first": None, **body}),
    ):
        monkeypatch.setitem(registry.UPCASTERS, old, (new, change))
    state = b'{"area":"330604","by":"admin1","kind":"390"}'
    assert decode_fact("fund.opened.v-1", state) == FundOpened(
        area="330604", by="admin1", fund="390", first=None
    )


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"area":"330604","by":"admin1","fund":"310"}',
        b'{"area":1,"by":"admin1","fund":"310","first":null}',
    ],
)
def test_a_state_that_does_not_fit_its_topic_is_damage(state):
    with pytest.raises(EventUnreadable) as error:
        decode(StoredRow(12, STREAM, 1, "fund.opened.v1", state))
    assert (error.value.facts["position"], error.value.facts["topic"]) == (12, "fund.opened.v1")
    assert error.value.family == "books_damaged"


def test_an_upcaster_that_does_not_fit_is_damage(monkeypatch):
    monkeypatch.setitem(
        registry.UPCASTERS, "fund.opened.v0", ("fund.opened.v1", lambda body: body["nothing"])
    )
    with pytest.raises(EventUnreadable):
        decode_fact("fund.opened.v0", b"{}", position=1)


def test_an_unknown_topic_is_damage():
    with pytest.raises(registry.UnknownTopic):
        decode_fact("never.heard.v1", b"{}")


def test_the_librarys_mapper_takes_envelopes_only():
    mapper = FactMapper(JSONTranscoder())
    envelope = Envelope(STREAM, 1, OPENED)
    assert mapper.to_domain_event(mapper.to_stored_event(envelope)) == envelope
    with pytest.raises(TypeError, match="keeps Envelopes"):
        mapper.to_stored_event(OPENED)
