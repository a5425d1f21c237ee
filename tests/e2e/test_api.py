"""The API as a downstream system meets it: a real server over a real book, on both stores."""

import json
import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.facts import Books, Clock, flow
from support.services import fresh_database, require_postgres
from support.web import OPENAPI, Consumer, openapi_of, served

from ledger.application import FundLedger
from ledger.events import setup
from ledger.store import schema
from medfund.bootstrap import House, open_house
from medfund.cli import main
from medfund.settings import load_settings
from medfund.web import schemas
from medfund.web.api import create_app
from medfund.web.feed import Pace
from projections.queries.balances import balances_document
from settlement.tokens import token_hash

QUICK = Pace(poll=0.02, heartbeat=0.2)
PATHS = (
    "/v1/balances",
    "/v1/indicators?period=2023-10",
    "/v1/journal?period=2023-10",
    "/v1/periods",
    "/v1/events",
    "/v1/events/stream",
)


def token(name: str, *, area: str = "330604") -> setup.TokenIssued:
    return setup.TokenIssued(
        area=area, by="admin1", name=name, role="reader", token_hash=token_hash(f"{name}-{area}")
    )


@dataclass
class Site:
    """A served book and the hand that fills it."""

    url: str
    address: str
    house: House
    books: Books

    def consumer(self, name: str | None = "reporting", *, area: str = "330604") -> Consumer:
        return Consumer(self.address, f"{name}-{area}" if name else None)


def fill(books: Books) -> None:
    books.found("310", "390", "610")
    target = {"indicator": "expenditure_growth_ytd", "fund": "390", "year": 2023}
    books.append(
        [
            token("reporting", area=books.area),
            setup.TargetSet(area=books.area, by="admin1", at_most="10.00", **target),
        ]
    )
    for year in (2022, 2023):
        for month in range(1, 13):
            books.post(
                flow(
                    "contribution.employer",
                    "310.pooled",
                    9000 + month,
                    f"{year}-{month:02d}-05",
                    area=books.area,
                ),
                flow(
                    "benefit.chronic",
                    "390",
                    5000 + (year - 2022) * 300,
                    f"{year}-{month:02d}-09",
                    counterparty="H33060400001",
                    area=books.area,
                ),
            )


@contextmanager
def open_site(url: str) -> Iterator[Site]:
    schema.upgrade(url)
    with ExitStack() as opened:
        books = Books(opened.enter_context(FundLedger(url, clock=Clock())))
        fill(books)
        house = opened.enter_context(open_house(load_settings(database_url=url)))
        address = opened.enter_context(served(create_app(house, pace=QUICK)))
        yield Site(url, address, house, books)


@contextmanager
def new_book(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'book.db'}"
        return
    with fresh_database(require_postgres()) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One book for the tests that only read."""
    folder = tmp_path_factory.mktemp("book")
    with new_book(request.param, folder) as url, open_site(url) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def own_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A book of its own for a test that writes."""
    with new_book(request.param, tmp_path) as url, open_site(url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A command sends the log to the standard error it found, which ends with its test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    root.handlers[:] = before


# --- who may ask --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", [None, "nobody"])
def test_without_a_token_that_stands_nothing_is_answered(site, path, who):
    answer = site.consumer(who).get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "header",
    ["Basic cmVwb3J0aW5nOg==", "Bearer", "Token reporting-330604", "reporting-330604", "Bearer é"],
)
def test_other_forms_of_the_header_let_nobody_in(site, header):
    answer = Consumer(site.address, None).get(
        "/v1/periods", headers={"Authorization": header.encode("latin-1")}
    )
    assert answer.status_code == 401


def test_a_refused_question_is_refused_before_it_is_judged(site):
    assert site.consumer(None).get("/v1/indicators?period=nonsense").status_code == 401


def test_a_token_that_was_revoked_a_moment_ago_opens_nothing(own_site):
    consumer = own_site.consumer()
    assert consumer.get("/v1/periods").status_code == 200
    own_site.books.append([setup.TokenRevoked(area="330604", by="admin1", name="reporting")])
    assert consumer.get("/v1/periods").status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json"])
def test_health_and_description_are_public_and_hold_no_figures(site, path):
    answer = site.consumer(None).get(path)
    assert answer.status_code == 200
    assert "330604" not in answer.text


def test_a_token_reads_its_own_area_only(own_site):
    other = Books(own_site.books.ledger, area="330681")
    fill(other)
    own, stranger = own_site.consumer(), own_site.consumer(area="330681")
    refused = own.get("/v1/balances?area=330681")
    assert (refused.status_code, refused.json()["code"]) == (403, "area_not_allowed")
    for consumer, area in ((own, "330604"), (stranger, "330681")):
        rows = consumer.get("/v1/balances?as_of=2023-12").json()["balances"]
        assert {row["area"] for row in rows} == {area}
        events = list(all_events(consumer, limit=7))
        assert {event["data"]["area"] for event in events} == {area}
        assert {event["source"] for event in events} == {f"/medfund/{area}"}


# --- the documents ------------------------------------------------------------------------------

COMMANDS = (
    ("/v1/balances?as_of=2023-06-30", ("balances", "--as-of", "2023-06-30"), schemas.Balances),
    (
        "/v1/balances?as_of=2023-06&fund=390&known_at=40&book=cash",
        ("balances", "--as-of", "2023-06", "--fund", "390", "--known-at", "40", "--book", "cash"),
        schemas.Balances,
    ),
    ("/v1/indicators?period=2023-10", ("indicators", "2023-10"), schemas.Indicators),
    (
        "/v1/indicators?period=2023-10&fund=390&lang=en",
        ("indicators", "2023-10", "--fund", "390", "--lang", "en"),
        schemas.Indicators,
    ),
    ("/v1/journal?period=2023-10", ("journal", "--period", "2023-10"), schemas.Journal),
    ("/v1/journal?fund=310.pooled", ("journal", "--fund", "310.pooled"), schemas.Journal),
    ("/v1/periods", ("close", "list"), schemas.Periods),
)


@pytest.mark.parametrize(("path", "command", "model"), COMMANDS, ids=[one[0] for one in COMMANDS])
def test_an_answer_is_the_document_of_the_command(site, capsys, path, command, model):
    answer = site.consumer().get(path, headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 200, answer.text
    assert main(["--db", site.url, "--json", *command]) == 0
    assert answer.json() == json.loads(capsys.readouterr().out)
    model.model_validate(answer.json())


def test_the_default_day_is_today(site):
    given = site.consumer().get("/v1/balances").json()
    today = site.house.today()
    assert given == balances_document(site.house.reads, site.house.ledger, area=None, as_of=today)


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/v1/balances?fond=310", "request_invalid", 422),
        ("/v1/balances?as_of=2023-13", "request_invalid", 422),
        ("/v1/balances?as_of=2023-02-30", "request_invalid", 422),
        ("/v1/balances?as_of=yesterday", "request_invalid", 422),
        ("/v1/balances?fund=999", "fund_unknown", 422),
        ("/v1/balances?known_at=9999999", "position_beyond_log", 422),
        ("/v1/balances?known_at=soon", "known_at_unreadable", 422),
        ("/v1/balances?book=both", "request_invalid", 422),
        ("/v1/indicators", "request_invalid", 422),
        ("/v1/indicators?period=2023", "request_invalid", 422),
        ("/v1/indicators?period=2023-10&fund=330", "fund_unknown", 422),
        ("/v1/events?after=-1", "request_invalid", 422),
        ("/v1/events?limit=0", "request_invalid", 422),
        ("/v1/events?limit=100000", "request_invalid", 422),
        ("/v1/events?after=9999999", "position_ahead", 409),
        ("/v1/events/stream?after=9999999", "position_ahead", 409),
        ("/v1/nothing", "not_found", 404),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_cannot_be_answered_is_a_problem_with_code_family_and_facts(
    site, path, code, status, lang
):
    answer = site.consumer().get(path, headers={"Accept-Language": f"{lang};q=0.9, fr"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = schemas.Problem.model_validate(answer.json())
    assert (problem.code, problem.status) == (code, status)
    assert problem.family == ("conflict" if status == 409 else "input_rejected")
    assert problem.title.isascii() == (lang == "en")


def test_writing_is_not_for_this_door(site):
    import httpx  # noqa: PLC0415  the only test that does not GET

    answer = httpx.post(f"{site.address}/v1/balances", headers=site.consumer().headers)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_a_database_that_is_away_is_unavailable_not_a_traceback():
    with fresh_database(require_postgres()) as url, open_site(url) as opened:
        consumer = opened.consumer()
        assert consumer.get("/readyz").status_code == 200
        name = url.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(require_postgres(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        answer = consumer.get("/readyz")
        assert answer.status_code == 503, answer.text
        assert answer.json()["family"] == "unavailable"
        assert answer.headers["retry-after"]
        assert consumer.get("/livez").status_code == 200


def test_an_answer_that_the_asker_holds_is_not_sent_again(own_site):
    consumer = own_site.consumer()
    first = consumer.get("/v1/balances?as_of=2023-12")
    held = {"If-None-Match": first.headers["etag"]}
    again = consumer.get("/v1/balances?as_of=2023-12", headers=held)
    assert (again.status_code, again.content) == (304, b"")
    for other in ("/v1/balances?as_of=2023-11", "/v1/balances?as_of=2023-12&lang=en"):
        assert consumer.get(other, headers=held).status_code == 200
    own_site.books.post(flow("interest", "390", 7, "2023-12-21"))
    fresh = consumer.get("/v1/balances?as_of=2023-12", headers=held)
    assert fresh.status_code == 200
    assert fresh.json()["position"] == first.json()["position"] + 1


def test_every_answer_is_guarded_against_framing_and_sniffing(site):
    for path in ("/livez", "/v1/periods", "/nope", "/login", "/static/medfund.css"):
        headers = site.consumer().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]


def test_the_description_is_the_one_that_was_agreed(site):
    described = openapi_of(create_app(site.house))
    assert json.loads(described)["openapi"].startswith("3.1")
    assert described == OPENAPI.read_text(encoding="utf-8"), "python -m support.web writes it again"
    assert site.consumer(None).get("/openapi.json").json() == json.loads(described)


# --- the feed -----------------------------------------------------------------------------------


def all_events(consumer: Consumer, *, limit: int, after: int = 0) -> Iterator[dict[str, Any]]:
    while True:
        page = consumer.get(f"/v1/events?after={after}&limit={limit}").json()
        yield from page["events"]
        if page["next"] == page["position"]:
            return
        assert page["next"] > after
        after = page["next"]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_give_every_event_once_in_the_order_of_the_log(site, limit):
    events = list(all_events(site.consumer(), limit=limit))
    last = site.house.ledger.log.last_position()
    assert [event["id"] for event in events] == [str(number) for number in range(1, last + 1)]


def test_an_event_says_what_the_log_says(site):
    page = site.consumer().get("/v1/events?after=6&limit=20").json()
    schemas.Events.model_validate(page)
    log = site.house.ledger.log
    for event in page["events"]:
        row = log.event_at(int(event["id"]))
        seal = log.seal_covering(row.position)
        assert event["specversion"] == "1.0"
        assert event["type"] == row.topic
        assert event["subject"] == str(row.originator_id)
        assert event["streamversion"] == row.originator_version
        assert event["data"] == json.loads(row.state)
        moment = datetime.fromisoformat(event["time"])
        assert round(moment.timestamp() * 1_000_000) == seal.at_us
        assert event["time"].endswith("+08:00")


def test_nobody_is_named_in_the_feed(site):
    text = site.consumer().get("/v1/events?limit=1000").text
    assert "reporting-330604" not in text  # the token itself


def test_a_stream_goes_on_after_the_last_event_seen(site):
    consumer = site.consumer()
    messages = (one for one in consumer.follow(Last_Event_ID="5") if "id" in one)
    first = list(islice(messages, 3))
    assert [one["id"] for one in first] == ["6", "7", "8"]
    page = consumer.get("/v1/events?after=5&limit=3").json()
    assert [json.loads(one["data"]) for one in first] == page["events"]
    stands_over = consumer.follow("/v1/events/stream?after=40", Last_Event_ID="7")
    assert next(one for one in stands_over if "id" in one)["id"] == "8"
    asked = consumer.follow("/v1/events/stream?after=9")
    assert next(one for one in asked if "id" in one)["id"] == "10"


def test_a_quiet_stream_says_that_it_lives_and_then_brings_news(own_site):
    end = own_site.house.ledger.log.last_position()
    stream = own_site.consumer().follow(f"/v1/events/stream?after={end}")
    alive = next(one for one in stream if "comment" in one)
    assert alive == {"comment": f"position {end}"}
    own_site.books.post(flow("interest", "390", 7, "2023-12-21"))
    news = next(one for one in stream if "id" in one)
    assert news["id"] == str(end + 1)
    assert json.loads(news["data"])["data"]["amount_fen"] == 7


def test_a_stream_ends_when_its_token_is_revoked(own_site):
    end = own_site.house.ledger.log.last_position()
    stream = own_site.consumer().follow(f"/v1/events/stream?after={end + 0}")
    next(stream)
    own_site.books.append([setup.TokenRevoked(area="330604", by="admin1", name="reporting")])
    assert [one for one in stream if "id" in one][-1]["id"] == str(end + 1)


@pytest.mark.parametrize("breaks_off_after", [40, 100_000], ids=["breaks off", "keeps up"])
def test_a_consumer_gets_every_event_exactly_once_while_others_write(own_site, breaks_off_after):
    writers, commits = 3, 25
    start = own_site.house.ledger.log.last_position()
    failures: list[BaseException] = []

    def append(number: int) -> None:
        try:
            with FundLedger(own_site.url, clock=Clock()) as ledger:
                books = Books(ledger)
                books._commits = 1000 * (number + 1)
                for commit in range(commits):
                    time.sleep(0.01)  # so that a consumer catches up with the writers now and then
                    books.post(
                        *(
                            flow(
                                "interest",
                                "390",
                                1,
                                "2023-12-21",
                                doc_no=f"{number}/{commit}/{one}",
                            )
                            for one in range(1 + commit % 4)
                        )
                    )
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=append, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    expected = start + writers * sum(1 + commit % 4 for commit in range(commits))
    seen: list[int] = []
    chance = random.Random(7)
    consumer = own_site.consumer()
    while len(seen) < expected:
        resumed = {"Last_Event_ID": str(seen[-1])} if seen else {}
        stream = (one for one in consumer.follow(**resumed) if "id" in one)
        for message in islice(
            stream,
            min(chance.randint(breaks_off_after // 2, breaks_off_after), expected - len(seen)),
        ):
            assert json.loads(message["data"])["id"] == message["id"]
            seen.append(int(message["id"]))
        stream.close()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen == list(range(1, expected + 1))
    assert own_site.house.ledger.log.last_position() == expected
