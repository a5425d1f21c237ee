"""``python -m workers`` as an operator meets it."""

import signal
import sqlite3
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from integration.workers.closing import close, decide, open_book, request, state, wait_for
from integration.workers.delivery import Door, send_what_waits
from integration.workers.processes import nobody_may_append, program
from support.services import free_port

from medfund.outbox import hand_over
from medfund.settings import Settings
from workers.broker import close_broker
from workers.service import connect, through


@pytest.mark.parametrize("words", [["workers"], ["medfund", "worker"]])
def test_without_a_broker_the_worker_does_the_work_itself(file_url, tmp_path, words):
    settings = Settings(database_url=file_url)
    command = (sys.executable, "-m", *words)
    with open_book(file_url) as house, program(settings, tmp_path, *command) as worker:
        close(house)
        assert worker.end() == 0
        assert "worker_stopped" in worker.said


def test_told_to_stop_it_finishes_what_it_has_begun(file_url, dispatch, queue, nursery, tmp_path):
    settings = Settings(database_url=file_url, broker_url=dispatch, queue=queue)
    with open_book(file_url) as house, ExitStack() as waiting:
        request(house)
        send_what_waits(house, settings)
        with nobody_may_append(file_url):
            worker = waiting.enter_context(nursery.started(settings, tmp_path))
            worker.wait_to_say("task_begun")
            worker.tell(signal.SIGTERM)
            time.sleep(2)  # longer than the pump needs to end
        assert worker.code() == 0
        assert "task_done" in worker.said
        assert state(house) == "computed"


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"MEDFUND_BROKER_URL": "ftp://somewhere"}, 2, "settings_invalid"),
        ({"MEDFUND_QUEUE": "Not A Name"}, 2, "settings_invalid"),
        ({"MEDFUND_DATABASE_URL": "sqlite:///no-such-folder/none.db"}, 5, "schema_missing"),
        ({"POSTGRES_ENABLE_DB_FUNCTIONS": "y"}, 3, "db_functions_refused"),
    ],
)
def test_what_keeps_it_from_starting_is_said_by_code(nursery, tmp_path, environment, code, said):
    with nursery.started(Settings(), tmp_path, **environment) as worker:
        assert worker.code() == code
        assert said in worker.said
        assert "Traceback" not in worker.said


def test_damaged_books_stop_the_worker(file_url, nursery, tmp_path):
    with open_book(file_url) as house:
        request(house)
    with sqlite3.connect(file_url.removeprefix("sqlite:///")) as book:
        for (name,) in book.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            book.execute(f"DROP TRIGGER {name}")
        book.execute("UPDATE events SET state = '{' WHERE topic = 'month.frozen.v1'")
    book.close()
    with nursery.started(Settings(database_url=file_url), tmp_path) as worker:
        assert worker.code() == 4
        assert "worker_ended" in worker.said
        assert "task_failed" not in worker.said


def test_a_password_stays_out_of_the_log(file_url, nursery, tmp_path):
    away = f"redis://clerk:verysecret@127.0.0.1:{free_port()}/0"
    settings = Settings(database_url=file_url, broker_url=away)
    with open_book(file_url) as house, nursery.started(settings, tmp_path) as worker:
        request(house)
        worker.wait_to_say("broker_away")
        assert "clerk" in worker.said
        assert "verysecret" not in worker.said


def test_dramatiqs_own_command_line_adds_hands(file_url, broker_url, queue, tmp_path):
    settings = Settings(database_url=file_url, broker_url=broker_url, queue=queue)
    dramatiq = str(Path(sys.executable).with_name("dramatiq"))
    command = (dramatiq, "workers", "--processes", "1", "--threads", "1")
    broker = connect(settings, Door(file_url))
    with open_book(file_url) as house, program(settings, tmp_path, *command) as worker:
        run = request(house)
        hand_over(house.ledger.log, through(broker, broker_url))
        wait_for(house, "computed")
        decide(house, run)
        hand_over(house.ledger.log, through(broker, broker_url))
        wait_for(house, "sealed")
        assert worker.end() == 0
    close_broker(broker)
