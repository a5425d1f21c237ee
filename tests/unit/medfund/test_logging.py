import io
import json
import logging
import sys

import pytest
import structlog

from medfund.logging import MASK, configure_logging, redact


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_away_from_a_terminal_every_line_is_json():
    stream = io.StringIO()
    configure_logging(stream=stream)
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger("medfund.x").info("intake_processed", rows=3, note="缴费")
    (line,) = lines(stream)
    assert line["event"] == "intake_processed"
    assert (line["rows"], line["note"], line["request_id"]) == (3, "缴费", "r1")
    assert (line["level"], line["logger"]) == ("info", "medfund.x")
    assert line["timestamp"].endswith("Z")


def test_a_library_logs_the_same_way():
    stream = io.StringIO()
    configure_logging(stream=stream, level=logging.WARNING)
    logging.getLogger("dramatiq.worker").warning("lost %s", "it", extra={"token": "hidden"})
    logging.getLogger("alembic").info("too quiet to be heard")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["token"]) == ("lost it", "dramatiq.worker", MASK)


def test_on_a_terminal_it_is_for_people_unless_json_is_asked_for():
    for as_json in (False, True):
        stream = Terminal()
        configure_logging(stream=stream, as_json=as_json)
        structlog.get_logger().warning("period_frozen", fund="310")
        assert stream.getvalue().startswith("{") is as_json


def test_an_exception_is_one_json_line():
    stream = io.StringIO()
    configure_logging(stream=stream)
    try:
        int("went wrong")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "went wrong" in line["exception"]


def test_stdout_stays_empty_and_a_second_call_does_not_double(capsys):
    configure_logging(stream=io.StringIO())
    configure_logging()
    structlog.get_logger().info("once")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("once") == 1
    assert any(handler.stream is sys.stderr for handler in logging.getLogger().handlers[-1:])


@pytest.mark.parametrize(
    "key", ["psn_no", "psn_cert", "certno", "token", "Authorization", "password", "api_token"]
)
def test_persons_and_keys_are_masked_however_deep(key):
    event = {"event": "x", key: "hidden", "row": {"inner": [{key: "hidden"}]}, "n": 1}
    shown = redact(None, "info", event)
    assert "hidden" not in str(shown)
    assert (shown["event"], shown["n"]) == ("x", 1)


def test_a_url_in_a_value_loses_its_password():
    shown = redact(None, "info", {"database": "postgresql://u:hidden@h/db", "page": "http://h/x"})
    assert shown == {"database": "postgresql://u:***@h/db", "page": "http://h/x"}
