"""Workers that die, work side by side, or lose their broker for a moment."""

import signal

import pytest
from integration.workers.closing import (
    AREA,
    FUNDS,
    NOVEMBER,
    decide,
    history,
    open_book,
    request,
    state,
    wait_for,
    working,
)
from integration.workers.delivery import Door, send_what_waits, sending
from integration.workers.processes import Wire, nobody_may_append

from ledger.domain.identity import month_stream
from ledger.verify import verify
from medfund.settings import Settings

CLOSED = ["month.frozen.v1", "close.computed.v1", "close.approved.v1", "month.sealed.v1"]


def test_what_a_killed_worker_had_taken_is_finished_by_another(house, settings, nursery, tmp_path):
    run = request(house)
    send_what_waits(house, settings)
    before = history(house)
    with nobody_may_append(settings.database_url), nursery.started(settings, tmp_path) as first:
        first.wait_to_say("task_begun")
        assert first.end(by=signal.SIGKILL) == -signal.SIGKILL
        assert "task_done" not in first.said
    assert history(house) == before
    if settings.broker_url is None:
        with working(settings):
            wait_for(house, "computed")
    else:
        # No pump here: the broker itself has to give the message to the next worker.
        assert house.ledger.log.pending_messages() == []
        with sending(settings, Door(settings.database_url)):
            wait_for(house, "computed")
    assert [row.topic for row in history(house)[len(before) :]] == ["close.computed.v1"]
    assert verify(house.ledger).ok
    decide(house, run)


def test_two_workers_at_once_close_every_month_once(house, settings, nursery, tmp_path):
    with nursery.started(settings, tmp_path) as one, nursery.started(settings, tmp_path) as other:
        one.wait_to_say("worker_started")
        other.wait_to_say("worker_started")
        runs = [request(house, fund) for fund in FUNDS]
        for fund, run in zip(FUNDS, runs, strict=True):
            wait_for(house, "computed", fund)
            decide(house, run)
        for fund in FUNDS:
            wait_for(house, "sealed", fund)
        assert (one.end(), other.end()) == (0, 0)
        assert "task_failed" not in one.said + other.said
        assert "Traceback" not in one.said + other.said
    for fund in FUNDS:
        stream = house.ledger.log.stream(month_stream(AREA, fund, str(NOVEMBER)))
        assert [row.topic for row in stream] == CLOSED
    assert verify(house.ledger).ok


@pytest.fixture
def wire(broker_url):
    wire = Wire(broker_url)
    yield wire
    wire.cut()


def test_while_the_broker_is_away_messages_wait_in_the_outbox(
    file_url, queue, wire, nursery, tmp_path
):
    settings = Settings(database_url=file_url, broker_url=wire.url, queue=queue)
    with open_book(file_url) as house, nursery.started(settings, tmp_path) as worker:
        run = request(house)
        worker.wait_to_say("broker_away")
        waiting = house.ledger.log.pending_messages()
        assert [(one.actor, one.key) for one in waiting] == [("compute_close", run)]
        wire.mend()
        wait_for(house, "computed")

        wire.cut()
        before = worker.said.count("broker_away")
        decide(house, run)
        worker.wait_to_say("broker_away", times=before + 1)
        assert state(house) == "approved"
        wire.mend()
        wait_for(house, "sealed")
        assert worker.end() == 0
        assert house.ledger.log.pending_messages() == []
