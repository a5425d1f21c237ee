"""Seals in real databases: the same on both, and good for proving one event."""

import psycopg
from integration.store.building import contribution, contributions, freeze, open_book, post
from support.services import fresh_database, require_postgres

from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.store import schema
from ledger.store.seals import canonical_row, check_proof


def live(ledger):
    open_book(ledger)
    post(ledger, "one", [contribution("one")])
    post(ledger, "bulk", contributions("bulk", 77))
    freeze(ledger, Period(2023, 1))


def row_of(ledger, position):
    row = ledger.log.event_at(position)
    return canonical_row(
        row.originator_id.bytes, row.originator_version, row.topic.encode(), row.state
    )


def test_the_same_history_has_the_same_seals_in_both_databases(tmp_path, clock):
    start = clock.now
    with fresh_database(require_postgres()) as postgres_url:
        seals = []
        for url in (f"sqlite:///{tmp_path / 'books.db'}", postgres_url):
            schema.upgrade(url)
            clock.now = start
            with FundLedger(url, clock=clock) as ledger:
                live(ledger)
                seals.append(ledger.log.seals(after=-1))
    assert seals[0] == seals[1]
    assert len(seals[0]) == 5


def test_an_event_is_proven_without_showing_another(ledger):
    live(ledger)
    for position in (1, 3, 50, 79, 80):
        proof = ledger.log.prove(position)
        assert check_proof(proof, row_of(ledger, position))
        assert not check_proof(proof, row_of(ledger, 2))
    assert ledger.log.prove(81) is None
    assert ledger.log.prove(0) is None


def test_what_is_hashed_is_what_postgresql_copies(ledger, store_url):
    live(ledger)
    if store_url.startswith("sqlite"):
        return  # compared through the seals above
    with (
        psycopg.connect(store_url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY (SELECT originator_id, originator_version, topic, state FROM events"
            " ORDER BY notification_id) TO STDOUT (FORMAT binary)"
        ) as copy,
    ):
        data = b"".join(copy)
    rows = b"".join(row_of(ledger, position) for position in range(1, 81))
    assert data == b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows + b"\xff\xff"
