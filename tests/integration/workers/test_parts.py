"""A clearing fanned out to workers: killed, delivered twice, and the same in the end (分区计算).

The workers are processes of their own on a real queue; who asks sends the names of the parts.
"""

import signal
from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pytest
from integration.workers.closing import open_book
from integration.workers.delivery import Door
from support.office import CLERK, H1, H2, REVIEWER, open_office

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.period import Period
from ledger.store import schema
from medfund.partitions import COUNT, PartsMissing, Patience, by_workers, count_by_key
from medfund.settings import Settings
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.partitions import cut
from settlement.clearing.month.provisional import ask, chosen_of, clear_month
from settlement.clearing.policies.file import read_policy
from settlement.policies import approve_policy, load_policies, propose
from workers.broker import close_broker
from workers.service import connect, through

FUND, MARCH, PARTS = "310.pooled", Period.parse("2024-03"), 6
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


@pytest.fixture
def asked(house):
    """The month, and the policy in force."""
    question = ask(
        Archive(house.archive),
        DuckDBEngine(memory_mib=64, threads=1),
        area="330604",
        fund=FUND,
        period=MARCH,
        watermark=house.ledger.log.last_position(),
    )
    return question, chosen_of(load_policies(house.ledger, "330604").find("inpatient@1"))


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
