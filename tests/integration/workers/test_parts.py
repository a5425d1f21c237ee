"""A clearing fanned out to workers: killed, delivered twice, and the same in the end (分区计算).

The workers are processes of their own on a real queue; who asks sends the names of the parts.
"""

import signal
from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pytest
from integration.workers.closing import open_book, wait_until
from integration.workers.delivery import Door, sending
from structlog.testing import capture_logs
from support.office import AREA, CLERK, H1, H2, REVIEWER, open_office

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.period import Period, Year
from ledger.store import schema
from medfund.partitions import COUNT, PartsMissing, Patience, by_workers, count_by_key
from medfund.settings import Settings
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.partitions import cut
from settlement.clearing.month.provisional import clear_month
from settlement.clearing.month.question import ask, chosen_of
from settlement.clearing.owed import Records
from settlement.clearing.policies.file import read_policy
from settlement.clearing.year.run import clear_year
from settlement.policies import approve_policy, load_policies, propose
from workers.broker import close_broker
from workers.service import connect, through

FUND, MARCH, PARTS = "310.pooled", Period.parse("2024-03"), 6
#: What a broker does with a dead worker's messages is asked of both with the month.
ON_REDIS = pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
POLICY = """
[policy]
name = "inpatient"
title = "2024年度支付方式"
fund = "310.pooled"
effective = 2024-01-01

[budget]
year = "120000.00"

[[methods]]
name = "rehabilitation"
kind = "per_diem"
med_types = ["2106"]
stages = [{ rate = "100.00" }]

[[methods]]
name = "inpatient"
kind = "drg"
groups = { A = { points = "125", average = "15000.00" } }
coefficients = { H33060400001 = "1.08", H33060400002 = "1" }
readmission_anywhere = true
"""


def claim(number, institution, cost, **others):
    paid = {"medfee_sumamt": cost, "fund_pay_sumamt": cost, "acct_pay": "0", "psn_cash_pay": "0"}
    when = {"setl_time": "2024-03-20 10:00:00", "begndate": "2024-03-10", "enddate": "2024-03-20"}
    who = {"setl_id": f"S{number}", "psn_no": f"P{number}", "fixmedins_code": institution}
    return who | when | paid | {"dise_code": "A"} | others


ROWS = [
    *(claim(number, (H1, H2)[number % 2], f"{3000 + 900 * number}.00") for number in range(20)),
    claim(50, H1, "15000.00", psn_no="R1"),
    claim(51, H2, "15000.00", psn_no="R1", begndate="2024-03-25", enddate="2024-03-28"),
    claim(60, H2, "900.00", med_type="2106", days="9"),
    claim(61, H2, "900.00", dise_code=""),
]


@pytest.fixture
def url(tmp_path):
    """A book with a month of claims, a policy, and its archive."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    schema.upgrade(url)
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    with open_office(url, tmp_path, today=date(2024, 7, 1)) as office:
        office.setup("310")
        assert office.bring_claims(ROWS).posted == len(ROWS)
        content = read_policy(tmp_path / "policy.toml")
        version = propose(office.ledger, office.area, content, user=CLERK)
        approve_policy(office.ledger, office.area, policy=version.id, user=REVIEWER)
    return url


@pytest.fixture
def house(url):
    with open_book(url) as opened:
        bring_up_to(opened.ledger.log, opened.archive)
        yield opened


def question_of(house, period):
    return ask(
        Archive(house.archive),
        DuckDBEngine(memory_mib=64, threads=1),
        area=AREA,
        fund=FUND,
        period=period,
        watermark=house.ledger.log.last_position(),
    )


@pytest.fixture
def asked(house):
    """The month, and the policy in force."""
    question = question_of(house, MARCH)
    return question, chosen_of(load_policies(house.ledger, AREA).find("inpatient@1"))


@pytest.fixture
def settings(url, broker_url, queue):
    return Settings(database_url=url, broker_url=broker_url, queue=queue)


def test_a_killed_worker_takes_nothing_with_it(house, asked, settings, nursery, tmp_path):
    question, chosen = asked
    whole = clear_month(question, chosen)
    sent = []
    with ExitStack() as stack:
        broker = connect(settings, Door(settings.database_url))
        stack.callback(close_broker, broker)
        send = through(broker, settings.broker_url)
        first = stack.enter_context(nursery.started(settings, tmp_path))
        first.wait_to_say("worker_started")

        def to_queue(keys):
            for key in keys:
                send(COUNT, key)
            if not sent:  # the first worker dies over what it has taken, another one comes
                first.wait_to_say("task_begun")
                assert first.end(by=signal.SIGKILL) == -signal.SIGKILL
                stack.enter_context(nursery.started(settings, tmp_path))
            sent.extend(keys)

        patience = Patience(resend_seconds=5.0, give_up_seconds=120.0)
        spread = by_workers(question, house.archive, to_queue, of=PARTS, patience=patience)
        found = clear_month(spread, chosen)
    assert first.said.count("task_done") < first.said.count("task_begun")
    assert {*sent} == {part.key for one in (0, 1) for part in parts(asked, one)}
    assert found == whole
    assert found.record.result == whole.record.result
    assert not list(house.archive.with_name(f"{house.archive.name}.parts").rglob("*.json"))


def parts(asked, method):
    question, chosen = asked
    return cut(question, chosen, chosen.policy.methods[method], PARTS)


@ON_REDIS
def test_a_year_is_counted_to_the_end_although_its_workers_die(
    house, asked, settings, nursery, tmp_path
):
    """The worker of each round is killed over what it has taken, the last one lives."""
    _, chosen = asked
    year = question_of(house, Year(2024))
    records = Records(Archive(house.archive), year.engine, AREA, year.watermark)
    whole = clear_year(year, records, chosen)
    died = []
    with ExitStack() as stack:
        broker = connect(settings, Door(settings.database_url))
        stack.callback(close_broker, broker)
        send = through(broker, settings.broker_url)

        def to_queue(keys):
            for key in keys:
                send(COUNT, key)
            worker = stack.enter_context(nursery.started(settings, tmp_path))
            if len(died) < 2:
                worker.wait_to_say("task_begun")
                died.append(worker.end(by=signal.SIGKILL))

        patience = Patience(resend_seconds=2.0, give_up_seconds=120.0)
        spread = by_workers(year, house.archive, to_queue, of=PARTS, patience=patience)
        found = clear_year(spread, records, chosen)
    assert died == [-signal.SIGKILL] * 2
    assert found == whole
    assert found.result == whole.result


FOREIGN = (
    "",
    "330604-390-2024-03-1",  # a message of the close
    "330604/310.pooled/2024-03/1/inpatient@1/1/0",  # of a form with fewer words
    "330604/310.pooled/2024-13/1/inpatient@1/1/0/6",
    "330604/310.pooled/2024-03/1/inpatient@1/1/6/6",  # the seventh of six
    "330604/310.pooled/2024-03/1/inpatient@1/7/0/6",  # a method that the policy has not
    "330604/310.pooled/2024-03/1/outpatient@1/0/0/6",
)


@ON_REDIS
def test_a_message_that_names_no_part_is_set_aside_as_refused(house, asked, settings):
    door, known = Door(settings.database_url), [part.key for part in parts(asked, 1)]
    with sending(settings, door) as send, capture_logs() as said:
        for key in (*FOREIGN, *known):
            send(COUNT, key)
        wait_until("all are worked off", lambda: door.left >= len(FOREIGN) + PARTS)
    refused = {one["key"]: one["code"] for one in said if one["event"] == "task_refused"}
    codes = ["clearing_part_unknown"] * 6 + ["unknown_policy"]
    assert refused == dict(zip(FOREIGN, codes, strict=True))
    folder = house.archive.with_name(f"{house.archive.name}.parts")
    assert len(list(folder.rglob("*.json"))) == PARTS


def test_a_part_that_is_delivered_twice_leaves_the_same_file(house, asked):
    folder = house.archive.with_name(f"{house.archive.name}.parts")
    keys = [part.key for part in parts(asked, 1)]
    for key in keys:
        count_by_key(house, key)
    once = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.json")}
    assert len(once) == PARTS
    for key in reversed(keys):
        count_by_key(house, key)
    assert once == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.json")
    }


def test_where_nobody_counts_the_run_is_given_up(house, asked):
    question, chosen = asked
    patience = Patience(look_seconds=0.01, resend_seconds=0.02, give_up_seconds=0.2)
    sent = []
    spread = by_workers(question, house.archive, sent.extend, of=PARTS, patience=patience)
    with pytest.raises(PartsMissing) as caught:
        clear_month(spread, chosen)
    assert caught.value.facts["missing"] == PARTS
    assert len(sent) > PARTS  # what is missing is sent again

    half = replace(patience, give_up_seconds=60.0)

    def count_half_then_all(keys):
        for key in keys if len(keys) < PARTS else keys[::2]:
            count_by_key(house, key)

    spread = by_workers(question, house.archive, count_half_then_all, of=PARTS, patience=half)
    assert clear_month(spread, chosen) == clear_month(question, chosen)
