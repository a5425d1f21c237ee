"""A book written by an earlier version, in its own schema: upgraded, verified, read, worked on.

Each folder of ``tests/data/stored`` was written by the version it is named after (the schema as it
was then, ``support/stored_books.py``) and is never changed. The deliberate defects that this
catches: a renamed column without a migration, a changed order of fields in the canonical row, a
topic that lost its class, a projection table of another shape that nobody rebuilds.
"""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from support import stored_books
from support.office import open_office
from support.services import fresh_database, require_postgres

from ledger.store import schema
from ledger.verify import Anchor, verify
from medfund.cli import main
from projections.rebuild import rebuild

STORED = Path(__file__).parents[2] / "data" / "stored"
VERSIONS = sorted(path.name for path in STORED.iterdir())


def _text(path):
    return gzip.decompress(path.read_bytes()).decode()


@pytest.fixture(params=VERSIONS)
def version(request):
    return STORED / request.param


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request, version, tmp_path):
    """The address of a book as the earlier version left it."""
    if request.param == "sqlite":
        file = tmp_path / "books.db"
        with closing(sqlite3.connect(file)) as book:
            book.executescript(_text(version / stored_books.SQLITE))
        yield f"sqlite:///{file}"
        return
    with fresh_database(require_postgres()) as url:
        with psycopg.connect(url) as book:
            book.execute(_text(version / stored_books.POSTGRES).encode())
        yield url


def _without_position(document):
    return {key: value for key, value in document.items() if key != "position"}


def upgrade(url):
    """What ``medfund db upgrade`` does: the schema, and read models of another shape."""
    assert main(["--db", url, "db", "upgrade"]) == 0


def test_an_older_book_says_after_the_upgrade_what_it_said_before(older, version, tmp_path):
    before = json.loads((version / stored_books.SAID).read_text())
    upgrade(older)
    assert schema.check(older) == []
    with open_office(older, tmp_path) as office:
        anchor = Anchor.from_json(json.dumps(before["anchor"]))
        found = verify(office.ledger, anchor=anchor)
        assert found.ok, found.findings
        now = stored_books.said(office)
        for name in ("events", "facts", "cash", "obligations", "anchor"):
            assert now[name] == before[name], name
        office.assert_sound()


def test_an_older_book_goes_on(older, tmp_path):
    upgrade(older)
    with open_office(older, tmp_path) as office:
        rebuilt = rebuild(office.ledger, office.reads).document()
        assert rebuilt["differences"] == []
        office.bring_flows(
            [
                {
                    "doc_no": "N1",
                    "date": "2024-03-01",
                    "fund": "310.pooled",
                    "item": "interest",
                    "amount": "1.00",
                }
            ]
        )
        office.close("310", "2024-02")
        office.assert_sound()


def test_the_same_files_add_nothing_to_an_older_book(older, tmp_path):
    """Numbers, contents and person tokens are recognised as the earlier version wrote them."""
    upgrade(older)
    with open_office(older, tmp_path) as office:
        before = office.position
        claims = [stored_books._claim(n) for n in range(40)]
        outcome = office.bring_claims(claims)
        assert (outcome.rejections, outcome.posted) == ([], 0)
        assert outcome.already == 40
        topics = [row.topic for row in office.ledger.log.read_page(after=before, limit=100)]
        assert {topic for topic in topics if not topic.startswith("intake.")} == set()
