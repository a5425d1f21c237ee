"""Which language an answer is in."""

import pytest
from starlette.requests import Request

from medfund.web.language import language_of
from medfund.web.texts import TEXTS


def asked(query: str, header: str | None) -> Request:
    headers = [(b"accept-language", header.encode())] if header is not None else []
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("query", "header", "default", "chosen"),
    [
        ("", None, "zh", "zh"),
        ("", None, "en", "en"),
        ("lang=en", "zh-CN", "zh", "en"),
        ("lang=fr", "zh-CN", "en", "zh"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "en", "zh"),
        ("", "en-US,en;q=0.9,zh-CN;q=0.8", "zh", "en"),
        ("", "en;q=0.3, zh;q=0.7", "en", "zh"),
        ("", "fr, de;q=0.5", "zh", "zh"),
        ("", "en;q=0, zh;q=0.001", "en", "zh"),
        ("", "en;q=high, zh;q=0.1", "en", "zh"),
        ("", "*, ;;;", "zh", "zh"),
    ],
)
def test_the_query_then_the_browser_then_the_setting(query, header, default, chosen):
    assert language_of(asked(query, header), default) == chosen


def test_every_word_exists_in_both_languages():
    assert [key for key, pair in TEXTS.items() if not all(pair) or len(pair) != 2] == []
