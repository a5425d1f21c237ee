"""The queue carries no truth: what a broker lost is found by asking the books."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from integration.workers.closing import (
    BRISK,
    NOVEMBER,
    decide,
    open_book,
    request,
    state,
    wait_for,
    working,
)
from structlog.testing import capture_logs

from medfund.outbox import hand_over, resend_due
from medfund.settings import Settings
from medfund.tasks import run_pending
from settlement.closing import COMPUTE, POST, approve, reject, request_reopening
from workers.dispatch import in_process


@pytest.fixture
def house(book_url):
    with open_book(book_url) as opened:
        yield opened


def lose_messages(house):
    """The broker takes what waits, and forgets it."""
    return hand_over(house.ledger.log, lambda _actor, _key: None)


def swept(house, older_than=0.0):
    sent = []
    resend_due(house, lambda actor, key: sent.append((actor, key)), older_than=older_than)
    return sent


def test_the_sweep_sends_exactly_what_the_books_wait_for(house):
    assert swept(house) == []
    run = request(house)
    other = request(house, "610")
    assert lose_messages(house) == 2
    assert sorted(swept(house)) == sorted([(COMPUTE, run), (COMPUTE, other)])
    reject(house.ledger, house.area(), run=other, reason="重来", user="reviewer1")
    assert swept(house) == [(COMPUTE, run)]

    resend_due(house, in_process(house), older_than=0)
    assert state(house) == "computed"
    assert swept(house) == []  # a person's turn

    decide(house, run)
    assert lose_messages(house) == 1
    assert swept(house) == [(POST, run)]
    resend_due(house, in_process(house), older_than=0)
    assert state(house) == "sealed"
    assert swept(house) == []

    asked = request_reopening(
        house.ledger, house.area(), fund="390", period=NOVEMBER, reason="更正", user="clerk1"
    )
    assert swept(house) == []
    approve(house.ledger, house.area(), run=asked.run, user="reviewer1")
    assert swept(house) == []
    again = request(house)
    assert swept(house) == [(COMPUTE, again)]


def test_what_was_sent_a_moment_ago_is_left_alone(house):
    run = request(house)
    assert swept(house, older_than=60) == []
    assert swept(house, older_than=-1) == [(COMPUTE, run)]


def test_a_clock_that_was_set_back_delays_nothing(book_url):
    """Three hours back, what is lost was due for three hours more before it was sent again."""
    with open_book(book_url, clock=lambda: datetime(2024, 3, 5, 4, tzinfo=UTC)) as before:
        run = request(before)
        lose_messages(before)
    with open_book(book_url, clock=lambda: datetime(2024, 3, 5, 1, tzinfo=UTC)) as house:
        assert swept(house, older_than=60) == [(COMPUTE, run)]


def test_what_fails_in_process_stops_nothing_and_comes_back_while_it_is_due(house):
    run = request(house)
    request(house, "610")
    work = in_process(house)

    def stumbling(actor, key):
        work(actor, None if key == run else key)  # no task expects that

    with capture_logs() as said:
        assert hand_over(house.ledger.log, stumbling) == 2
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["task_failed"]
    assert (state(house), state(house, "610")) == ("frozen", "computed")
    assert swept(house) == [(COMPUTE, run)]


def test_work_of_a_newer_version_waits_for_its_worker(house):
    run = request(house)
    house.ledger.log.write(
        "INSERT INTO outbox (actor, key, position) VALUES (:actor, :key, :position)",
        [{"actor": "clear_next_year", "key": "x", "position": 1}],
    )
    sent = []
    assert hand_over(house.ledger.log, lambda *message: sent.append(message)) == 1
    assert sent == [(COMPUTE, run)]
    assert [one.actor for one in house.ledger.log.pending_messages()] == ["clear_next_year"]


def test_a_month_closes_although_every_message_was_lost(file_url, dispatch, queue):
    settings = Settings(database_url=file_url, broker_url=dispatch, queue=queue)
    with open_book(file_url) as house:
        run = request(house)
        assert lose_messages(house) == 1
        with working(settings, pace=replace(BRISK, resend_seconds=0.0)):
            wait_for(house, "computed")
        decide(house, run)
        assert lose_messages(house) == 1
        with working(settings, pace=replace(BRISK, resend_seconds=0.0)):
            wait_for(house, "sealed")
        assert run_pending(house) == 0
