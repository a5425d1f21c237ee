"""A stored event of every topic ever released, as it lies in the log (事件样本).

The samples beside this file never change: a fact that is stored differently is a new topic with a
sample of its own, and the old one is still read.
"""

import json
from pathlib import Path

import msgspec
import pytest

from ledger.domain.chart import CHART
from ledger.domain.fund import is_leaf
from ledger.domain.identity import area_stream
from ledger.events.base import Envelope, Posted
from ledger.events.registry import CATALOGUE, UPCASTERS
from ledger.store.codec import EventUnreadable, decode_fact, encode, posted_decoder

SAMPLES = {path.stem: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.json"))}


def stored(fact) -> bytes:
    return encode(Envelope(area_stream("330604"), 1, fact)).state


def test_every_topic_has_a_sample_and_every_sample_a_topic():
    assert sorted(SAMPLES) == sorted({*CATALOGUE, *UPCASTERS})


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_sample_is_read_as_its_class_and_written_back_byte_for_byte(topic):
    fact = decode_fact(topic, SAMPLES[topic])
    if topic in CATALOGUE:
        assert type(fact) is CATALOGUE[topic]
        assert stored(fact) == SAMPLES[topic]
    else:
        assert topic != type(fact).TOPIC


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_sample_names_only_accounts_and_funds_that_still_exist(topic):
    fact = decode_fact(topic, SAMPLES[topic])
    if isinstance(fact, Posted):
        for posting in fact.postings:
            assert {posting.debit, posting.credit} <= set(CHART)
            assert is_leaf(posting.fund)
            assert CHART[posting.debit].book is CHART[posting.credit].book


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_sample_is_plain_json_without_fractions_of_a_fen(topic):
    def refuse(text):
        raise AssertionError(f"a fraction in {topic}: {text}")

    text = SAMPLES[topic].decode("utf-8")
    assert isinstance(json.loads(text, parse_float=refuse), dict)
    assert "\\u" not in text, "Chinese is stored so that an auditor can read it with SQL"


@pytest.mark.parametrize("topic", SAMPLES)
def test_a_sample_with_a_column_missing_is_refused(topic):
    body = json.loads(SAMPLES[topic])
    del body["area"]
    with pytest.raises(EventUnreadable):
        decode_fact(topic, json.dumps(body).encode())


@pytest.mark.parametrize("topic", [topic for topic in SAMPLES if posted_decoder(topic)])
def test_the_quick_way_to_the_postings_of_a_sample_is_as_strict_as_its_class(topic):
    decode, fact = posted_decoder(topic).decode, decode_fact(topic, SAMPLES[topic])
    plain = decode(SAMPLES[topic])
    assert msgspec.to_builtins(plain) == msgspec.to_builtins(fact)
    for name, value in json.loads(SAMPLES[topic]).items():
        body = json.loads(SAMPLES[topic])
        body[name] = ["no such value"] if isinstance(value, str | int | None) else 1
        spoilt = json.dumps(body).encode()
        with pytest.raises(EventUnreadable):
            decode_fact(topic, spoilt)
        with pytest.raises(msgspec.ValidationError):
            decode(spoilt)
