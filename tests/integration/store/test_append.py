"""What an append writes, what it refuses, and that a refusal leaves nothing behind."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from integration.store.building import (
    AREA,
    BOOK,
    FUND,
    JANUARY,
    TABLES,
    commit_of,
    contribution,
    contributions,
    freeze,
    open_book,
    post,
    seal,
)

from ledger.application import FundLedger
from ledger.store.codec import encode_all
from ledger.store.commit import (
    BookKey,
    BookNotOpened,
    Commit,
    Freeze,
    KeyConflict,
    MonthNotOpen,
    OutboxMessage,
    StreamConflict,
    Total,
    TotalKey,
)
from ledger.store.prepared import prepare
from ledger.verify import verify

SIZES = pytest.mark.parametrize("size", [1, 40], ids=["small", "bulk"])


def counts(sql):
    return {table: sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


@SIZES
def test_an_append_writes_events_seal_key_totals_history_and_outbox_together(ledger, sql, size):
    open_book(ledger)
    events = contributions("a", size, fen=250)
    receipt = post(
        ledger, "first", events, history={BOOK: JANUARY}, outbox=(OutboxMessage("actor", "key"),)
    )
    assert (receipt.first_position, receipt.last_position, receipt.repeated) == (2, size + 1, False)
    assert ledger.log.last_position() == size + 1
    assert [envelope for _, envelope in ledger.facts(after=1)] == events
    assert ledger.log.totals(BOOK) == {
        TotalKey(AREA, "310.pooled", "treasury", JANUARY.ordinal): Total(250 * size, 0, size),
        TotalKey(AREA, "310.pooled", "income.contribution.employer", JANUARY.ordinal): Total(
            0, 250 * size, size
        ),
    }
    assert ledger.log.books(AREA)[BOOK].history_from == JANUARY
    [message] = ledger.log.pending_messages(10)
    assert (message.actor, message.key, message.position) == ("actor", "key", size + 1)
    assert ledger.log.receipt("first")[1].seal == receipt.seal == 2


@SIZES
def test_the_same_key_and_input_is_recognised_and_adds_nothing(ledger, sql, size):
    open_book(ledger)
    events = contributions("a", size)
    first = post(ledger, "key", events)
    before = counts(sql)
    # What is booked may have changed meanwhile: only the input decides.
    again = post(ledger, "key", contributions("b", size))
    assert again.repeated
    assert (again.seal, again.first_position, again.last_position) == (
        first.seal,
        first.first_position,
        first.last_position,
    )
    assert counts(sql) == before


@SIZES
def test_the_same_key_with_other_input_conflicts(ledger, sql, size):
    open_book(ledger)
    post(ledger, "key", contributions("a", size))
    before = counts(sql)
    with pytest.raises(KeyConflict) as refused:
        post(ledger, "key", contributions("b", size), input_hash="other")
    assert refused.value.facts == {"key": "key"}
    assert counts(sql) == before


@SIZES
def test_one_taken_stream_refuses_the_whole_append(ledger, sql, size):
    open_book(ledger)
    post(ledger, "key", [contribution("taken")])
    before = counts(sql)
    events = [*contributions("b", size), contribution("taken")]
    with pytest.raises(StreamConflict) as refused:
        post(ledger, "other", events)
    assert refused.value.facts == {"count": 1, "example": str(events[-1].originator_id)}
    assert counts(sql) == before


def test_two_events_of_one_append_in_one_place_conflict(ledger):
    open_book(ledger)
    with pytest.raises(StreamConflict):
        post(ledger, "key", [contribution("same"), contribution("same")])


def test_positions_have_no_gap_after_refusals(ledger):
    open_book(ledger)
    post(ledger, "one", [contribution("one")])
    for size in (1, 40):
        with pytest.raises(StreamConflict):
            post(ledger, f"refused {size}", [*contributions(f"n{size}", size), contribution("one")])
    assert post(ledger, "bulk", contributions("bulk", 40)).first_position == 3
    with pytest.raises(StreamConflict):
        post(ledger, "refused again", [contribution("one")])
    assert post(ledger, "two", [contribution("two")]).first_position == 43
    assert [position for position, _ in ledger.facts(page=7)] == list(range(1, 44))


@SIZES
def test_a_frozen_month_takes_no_entry_and_the_next_one_does(ledger, sql, size):
    open_book(ledger)
    freeze(ledger, JANUARY)
    before = counts(sql)
    with pytest.raises(MonthNotOpen) as refused:
        post(ledger, "late", contributions("late", size))
    assert refused.value.facts == {
        "area": AREA,
        "fund": FUND,
        "period": "2023-01",
        "open_from": "2023-02",
    }
    assert counts(sql) == before
    assert post(ledger, "late", contributions("late", size, month=JANUARY.next))


def test_a_book_that_was_never_opened_takes_nothing(ledger):
    with pytest.raises(BookNotOpened) as refused:
        post(ledger, "key", [contribution("a")])
    assert refused.value.facts == {"area": AREA, "fund": FUND}
    with pytest.raises(BookNotOpened):
        freeze(ledger, JANUARY)
    with pytest.raises(BookNotOpened):
        ledger.append([contribution("a")], Commit("key", "hash", history={BOOK: JANUARY}))


def test_a_commit_that_freezes_and_books_is_one_or_nothing(ledger, sql):
    open_book(ledger)
    post(ledger, "taken", [contribution("taken")])
    before = counts(sql)
    with pytest.raises(StreamConflict):
        post(ledger, "key", [contribution("taken")], transitions=(Freeze(BOOK, JANUARY),))
    assert counts(sql) == before
    assert ledger.log.books()[BOOK].frozen_through is None


def test_books_of_other_funds_are_independent(ledger):
    open_book(ledger)
    open_book(ledger, fund="390", version=2)
    freeze(ledger, JANUARY)
    states = ledger.log.books(AREA)
    assert states[BOOK].frozen_through == JANUARY
    assert states[BookKey(AREA, "390")].frozen_through is None


def test_totals_add_up_and_are_asked_through_a_month(ledger):
    open_book(ledger)
    for number in range(3):
        post(ledger, f"{number}", [contribution(number, month=JANUARY.plus(number), fen=10)])
    post(ledger, "more", [contribution("more", fen=5)])
    found = ledger.log.totals(BOOK, through=JANUARY.next)
    assert {key.month: total for key, total in found.items() if key.account == "treasury"} == {
        JANUARY.ordinal: Total(15, 0, 2),
        JANUARY.next.ordinal: Total(10, 0, 1),
    }
    assert len(ledger.log.totals(BOOK)) == 6


def test_history_only_ever_moves_back(ledger):
    open_book(ledger)
    for month in (5, 3, 7):
        period = JANUARY.plus(month)
        post(ledger, f"{month}", [contribution(month, month=period)], history={BOOK: period})
    assert ledger.log.books()[BOOK].history_from == JANUARY.plus(3)


def test_outbox_messages_are_taken_once(ledger):
    open_book(ledger)
    for number in range(3):
        message = OutboxMessage("actor", f"{number}")
        post(ledger, f"{number}", [contribution(number)], outbox=(message,))
    pending = ledger.log.pending_messages(2)
    assert [one.key for one in pending] == ["0", "1"]
    ledger.log.mark_sent([one.id for one in pending])
    ledger.log.mark_sent([])
    assert [one.key for one in ledger.log.pending_messages(10)] == ["2"]


def test_the_librarys_own_way_in_needs_a_commit_too(ledger):
    open_book(ledger)
    event = contribution("saved")
    with pytest.raises(TypeError, match="every append names its Commit"):
        ledger.save(event)
    [recording] = ledger.save(event, commit=commit_of("saved", [event]))
    assert recording.notification.id == 2
    assert ledger.save(event, commit=commit_of("saved", [event])) == []
    assert list(ledger.events.get(event.originator_id)) == [event]


@SIZES
def test_encoded_and_prepared_events_lie_in_the_log_as_facts_do(ledger, size):
    open_book(ledger)
    events = contributions("a", size)
    receipt = ledger.append_encoded(encode_all(events), commit_of("a", events))
    assert [one for _, one in ledger.history(events[0].originator_id)] == events[:1]
    later = contributions("b", size)
    prepared = prepare(encode_all(later))
    second = ledger.append_prepared(prepared, commit_of("b", later))
    assert second.first_position == receipt.last_position + 1
    assert ledger.log.seals()[-1].root == prepared.root
    assert ledger.append_prepared(prepared, commit_of("b", later)).repeated
    assert verify(ledger).ok


def test_a_stream_that_is_no_uuid_is_a_mistake_of_the_program(ledger):
    with pytest.raises(ValueError, match="16 bytes"):
        ledger.append_encoded([(b"short", 1, "contribution.received.v1", b"{}")], Commit("k", "h"))


def test_an_append_without_events_is_a_mistake_of_the_program(ledger):
    with pytest.raises(ValueError, match="at least one event"):
        ledger.append([], Commit("key", "hash"))


def test_every_state_is_plain_json_in_the_audit_view(ledger, sql):
    open_book(ledger)
    post(ledger, "key", [contribution("a", fen=123)])
    position, topic, stream, version, at, state = sql(
        "SELECT position, topic, stream, version, committed_at, state FROM audit_log"
        " ORDER BY position"
    )[-1]
    assert (position, topic, version) == (2, "contribution.received.v1", 1)
    assert stream == contribution("a").originator_id.hex
    assert at == "2024-01-01T08:00:02+08:00"
    assert '"amount_fen":123' in state
    assert "单位缴费 a" in state


def test_seals_carry_the_commit_time_which_never_goes_back(ledger, clock):
    open_book(ledger)
    moment = clock.now
    clock.now = moment.replace(year=2020)
    post(ledger, "key", [contribution("a")])
    assert [one.at_us for one in ledger.log.seals()] == [ledger.log.seals()[0].at_us] * 2
    assert ledger.log.last_seal_at(moment).no == 2
    assert ledger.log.last_seal_at(moment.replace(year=2019)) is None


def test_reading_by_page_stream_position_and_seal(ledger):
    open_book(ledger)
    post(ledger, "bulk", contributions("a", 40))
    rows = ledger.log.read_page(after=5, limit=10, until=9)
    assert [row.position for row in rows] == [6, 7, 8, 9]
    assert ledger.log.event_at(6) == rows[0]
    assert ledger.log.event_at(99) is None
    assert ledger.log.stream(rows[0].originator_id) == [rows[0]]
    assert ledger.history(rows[0].originator_id)[0][0] == 6
    assert ledger.log.seal_covering(6).no == 2
    assert ledger.log.seal_covering(1).no == 1
    assert ledger.log.seal_covering(99) is None
    assert ledger.log.seal_covering(0) is None


def test_heads_of_thousands_of_streams_are_asked_at_once(ledger):
    open_book(ledger)
    events = contributions("a", 3000)
    post(ledger, "bulk", events)
    second = (events[7].originator_id.bytes, 2, "contribution.received.v1", b"{}")
    ledger.append_encoded([second], Commit("second", "hash"))
    unknown = [one.originator_id for one in contributions("unknown", 2000)]
    heads = ledger.log.stream_heads([*unknown, *(one.originator_id for one in events)])
    assert len(heads) == 3000
    assert heads[events[7].originator_id].originator_version == 2
    assert ledger.log.stream_heads([]) == {}


def test_a_snapshot_does_not_see_what_comes_later(ledger):
    open_book(ledger)
    with ledger.log.snapshot() as log:
        assert log.last_position() == 1
        post(ledger, "key", [contribution("a")])
        assert log.last_position() == 1
        assert log.read_page(after=0, limit=10)[-1].position == 1
    assert ledger.log.last_position() == 2


def test_waiting_ends_with_the_append_or_with_the_time(ledger):
    open_book(ledger)
    assert ledger.log.wait_for_append(after=1, timeout=0.05) == 1
    assert ledger.log.wait_for_append(after=0, timeout=60) == 1
    post(ledger, "key", [contribution("a")])
    assert ledger.log.wait_for_append(after=1, timeout=60) == 2


def test_who_waits_is_woken_by_an_append_of_another(ledger, store_url, clock):
    open_book(ledger)
    with FundLedger(store_url, clock=clock) as other, ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(other.log.wait_for_append, after=1, timeout=40) for _ in range(3)]
        assert wait(waiting, timeout=0.3).not_done == set(waiting)
        post(ledger, "key", [contribution("a")])
        assert [one.result(timeout=30) for one in waiting] == [2, 2, 2]


def test_a_month_goes_from_open_to_sealed_and_is_verified(ledger):
    open_book(ledger)
    post(ledger, "key", [contribution("a")])
    freeze(ledger, JANUARY)
    seal(ledger, JANUARY)
    state = ledger.log.books()[BOOK]
    assert (state.sealed_through, state.open_from) == (JANUARY, JANUARY.next)
    assert verify(ledger).ok
