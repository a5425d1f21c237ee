"""Whatever somebody with all rights does to the tables, verify tells it, and where."""

from uuid import uuid4

import pytest
from integration.store.building import BOOK, JANUARY, contribution, contributions, open_book, post

from ledger.store.codec import encode_all
from ledger.store.commit import Commit
from ledger.store.failures import LogOverrun
from ledger.store.seals import canonical_row, leaf, merkle_root, seal_digest
from ledger.verify import Anchor, AnchorUnreadable, verify


@pytest.fixture
def books(ledger):
    """Seals 1 to 4 over positions 1 · 2 · 3 to 42 · 43."""
    open_book(ledger)
    post(ledger, "one", [contribution("one")], history={BOOK: JANUARY})
    post(ledger, "bulk", contributions("bulk", 40))
    post(ledger, "two", [contribution("two")])
    found = verify(ledger)
    assert (found.ok, found.events, found.seals, found.findings) == (True, 43, 4, ())
    return ledger


def codes(found):
    assert not found.ok
    return {finding.code for finding in found.findings}


def blob(store_url, value):
    return f"x'{value.hex()}'" if store_url.startswith("sqlite") else f"'\\x{value.hex()}'"


@pytest.mark.parametrize(
    "change",
    ["topic = 'income.received.v1'", "originator_version = 7", "state = {}", "originator_id = {}"],
)
def test_an_altered_event_is_told_by_its_commit(books, unlocked, store_url, place, change):
    if change.startswith("state"):
        [(state,)] = unlocked(f"SELECT state FROM events WHERE {place} = 20")
        change = change.format(blob(store_url, bytes(state).replace(b":100", b":900")))
    stream = uuid4().hex
    unlocked(f"UPDATE events SET {change.format(repr(stream))} WHERE {place} = 20")
    found = verify(books)
    assert "events_altered" in codes(found)
    assert found.first_bad_position == 3
    assert {"seal": 3, "first": 3, "last": 42} in [one.facts for one in found.findings]


def test_two_events_that_changed_places_are_told_by_their_commit(books, unlocked, place):
    for old, new in ((10, 900), (20, 10), (900, 20)):
        unlocked(f"UPDATE events SET {place} = {new} WHERE {place} = {old}")
    found = verify(books)
    assert codes(found) == {"events_altered"}
    assert found.first_bad_position == 3


@pytest.mark.parametrize("position", [1, 2, 20, 42, 43])
def test_a_deleted_event_is_told_to_the_position(books, unlocked, place, position):
    unlocked(f"DELETE FROM events WHERE {place} = {position}")
    found = verify(books)
    assert codes(found) == {"event_missing"}
    assert found.first_bad_position == position


def insert_around(sql, place, position, store_url):
    values = f"{position}, '{uuid4().hex}', 1, 'x', {blob(store_url, b'{}')}"
    sql(
        f"INSERT INTO events ({place}, originator_id, originator_version, topic, state)"
        f" VALUES ({values})"
    )


@pytest.mark.parametrize("position", [44, 50])
def test_an_event_written_around_the_store_is_told_to_the_position(
    books, sql, store_url, place, position
):
    insert_around(sql, place, position, store_url)
    found = verify(books)
    assert codes(found) == {"event_unsealed"}
    assert found.first_bad_position == position


@pytest.mark.parametrize("size", [1, 40])
def test_the_next_append_stops_at_an_event_written_around_the_store(
    books, sql, store_url, place, size
):
    insert_around(sql, place, 44, store_url)
    with pytest.raises(LogOverrun) as refused:
        post(books, "next", contributions("next", size))
    assert refused.value.facts == {"position": 44, "seal": 4}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_us", "1"),
        ("events", "39"),
        ("root", None),
        ("digest", None),
        ("prev", None),
        ("first_position", "4"),
        ("last_position", "41"),
        ("last_position", "9000000000000000"),
    ],
)
def test_an_altered_seal_is_told(books, unlocked, store_url, column, value):
    value = blob(store_url, bytes(31) + b"\1") if value is None else value
    unlocked(f"UPDATE seals SET {column} = {value} WHERE no = 3")
    found = verify(books)
    assert "seal_altered" in codes(found)
    assert found.first_bad_position in (3, 4)


@pytest.mark.parametrize(("no", "position"), [(1, 1), (2, 2), (3, 3), (4, 43)])
def test_a_deleted_seal_is_told(books, unlocked, no, position):
    unlocked(f"DELETE FROM seals WHERE no = {no}")
    found = verify(books)
    assert codes(found) & {"seal_missing", "event_unsealed"}
    assert found.first_bad_position == position


def test_an_altered_genesis_is_told(books, unlocked):
    unlocked("UPDATE seals SET at_us = 5 WHERE no = 0")
    assert codes(verify(books)) == {"genesis_altered"}
    unlocked("DELETE FROM seals WHERE no = 0")
    assert codes(verify(books)) == {"genesis_altered"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE idempotency SET input_hash = 'x' WHERE seal_no = 3", "seal_altered"),
        ("UPDATE idempotency SET key = 'x' WHERE seal_no = 3", "seal_altered"),
        ("DELETE FROM idempotency WHERE seal_no = 3", "key_missing"),
        ("INSERT INTO idempotency VALUES ('x', 'x', 99)", "key_stray"),
        ("UPDATE totals SET debit_fen = debit_fen + 1", "total_differs"),
        ("UPDATE totals SET lines = 1", "total_differs"),
        ("DELETE FROM totals", "total_differs"),
        ("INSERT INTO totals VALUES ('1', '390', 'x', 1, 1, 1, 1)", "total_differs"),
        ("INSERT INTO staged_totals VALUES ('i', '1', '390', 'x', 1, 1, 1, 1)", "total_differs"),
        ("UPDATE books SET open_from = 1", "book_differs"),
        ("UPDATE books SET open_from = 24280", "book_differs"),
        ("UPDATE books SET sealed_through = 24276, frozen_through = 24276", "book_differs"),
        ("DELETE FROM books", "book_differs"),
        ("INSERT INTO open_intakes VALUES ('330604', '310', 'ghost')", "intake_differs"),
    ],
)
def test_every_table_beside_the_log_is_held_against_it(books, unlocked, statement, code):
    unlocked(statement)
    assert code in codes(verify(books))


@pytest.mark.parametrize(
    "column", ["originator_id = 'zz'", "originator_id = upper(originator_id)", "state = 'x'"]
)
def test_an_event_that_is_not_even_of_our_form_is_told_to_the_commit(
    books, unlocked, store_url, column
):
    if not store_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's columns take nothing of another form")
    unlocked(f"UPDATE events SET {column} WHERE rowid = 20")
    found = [one for one in verify(books).findings if one.code == "events_altered"]
    assert [(one.position, one.facts["last"]) for one in found] == [(3, 42)]


def test_a_position_that_is_taken_twice_is_told(books, unlocked, store_url):
    """Found only if rows before the awaited position are looked at, too."""
    if store_url.startswith("sqlite"):
        pytest.skip("positions are SQLite's own row ids")
    constraint = "CONSTRAINT events_notification_id_idx"
    unlocked(f"ALTER TABLE events DROP {constraint}")
    unlocked(
        "INSERT INTO events SELECT gen_random_uuid(), 1, topic, state, 20 FROM events"
        " WHERE notification_id = 20"
    )
    try:
        assert verify(books).first_bad_position in {3, 20}
    finally:
        unlocked("DELETE FROM events WHERE notification_id = 20")
        unlocked(f"ALTER TABLE events ADD {constraint} UNIQUE (notification_id)")


def test_an_event_that_cannot_be_read_is_told_to_the_position(books):
    stream, _, topic, state = encode_all([contribution("odd")])[0]
    # Well sealed, and still no events of ours.
    books.append_encoded([(stream, 1, topic, b'{"no": "such thing"}')], Commit("odd", "hash"))
    books.append_encoded([(stream, 2, "never.heard.v9", state)], Commit("unknown", "hash"))
    found = verify(books)
    assert [(one.code, one.position) for one in found.findings] == [
        ("event_unreadable", 44),
        ("unknown_topic", 45),
    ]


def cut_tail(sql, place):
    """Take the last commit away and make everything else fit."""
    sql(f"DELETE FROM events WHERE {place} > 42")
    sql("DELETE FROM idempotency WHERE seal_no > 3")
    sql("DELETE FROM seals WHERE no > 3")
    sql("UPDATE totals SET debit_fen = 4100, lines = 41 WHERE debit_fen > 0")
    sql("UPDATE totals SET credit_fen = 4100, lines = 41 WHERE credit_fen > 0")


def test_a_cut_tail_is_told_only_by_an_anchor(books, unlocked, place):
    anchor = Anchor.from_json(verify(books).anchor.to_json())
    assert (anchor.seal_no, anchor.position) == (4, 43)
    cut_tail(unlocked, place)
    assert verify(books).ok
    found = verify(books, anchor=anchor)
    assert codes(found) == {"tail_cut"}
    assert found.first_bad_position == 43


def test_a_rewritten_tail_is_told_only_by_an_anchor(books, unlocked, place):
    anchor = verify(books).anchor
    cut_tail(unlocked, place)
    post(books, "two", [contribution("another")])
    assert verify(books).ok
    assert codes(verify(books, anchor=anchor)) == {"chain_rewritten"}


def test_a_chain_rebuilt_with_correct_hashes_is_told_only_by_an_anchor(
    books, unlocked, store_url, place
):
    anchor = verify(books).anchor
    [(state,)] = unlocked(f"SELECT state FROM events WHERE {place} = 2")
    forged = bytes(state).replace("单位缴费 one".encode(), "单位缴费 ONE".encode())
    unlocked(f"UPDATE events SET state = {blob(store_url, forged)} WHERE {place} = 2")
    previous = books.log.seals(limit=1)[0]
    for seal in books.log.seals(after=1):
        rows = books.log.read_page(
            after=seal.first_position - 1, limit=100, until=seal.last_position
        )
        root = merkle_root(
            [
                leaf(
                    canonical_row(
                        row.originator_id.bytes,
                        row.originator_version,
                        row.topic.encode(),
                        row.state,
                    )
                )
                for row in rows
            ]
        )
        [(key, hashed)] = unlocked(
            f"SELECT key, input_hash FROM idempotency WHERE seal_no = {seal.no}"
        )
        body = seal._replace(root=root, prev=previous.digest)
        previous = body._replace(digest=seal_digest(body, key=key, input_hash=hashed))
        unlocked(
            f"UPDATE seals SET root = {blob(store_url, root)},"
            f" prev = {blob(store_url, previous.prev)},"
            f" digest = {blob(store_url, previous.digest)} WHERE no = {seal.no}"
        )
    assert verify(books).ok
    assert codes(verify(books, anchor=anchor)) == {"chain_rewritten"}


def test_an_anchor_stays_good_while_the_log_grows(books):
    anchor = verify(books).anchor
    post(books, "next", [contribution("next")])
    assert verify(books, anchor=anchor).ok


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seal_no": "x"}', "not json"])
def test_a_file_that_is_no_anchor_is_refused(text):
    with pytest.raises(AnchorUnreadable):
        Anchor.from_json(text)


def test_progress_is_reported_up_to_the_end(books):
    seen = []
    verify(books, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(43, 43)]


def test_an_empty_book_is_whole(ledger):
    found = verify(ledger)
    assert (found.ok, found.events, found.seals, found.anchor.seal_no) == (True, 0, 0, 0)
