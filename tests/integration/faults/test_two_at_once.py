"""Two people, two processes, one moment: one is first, the other is told so, and the books say it once.

Meant to catch: a step that lost and is appended all the same at the next free place of its stream.
"""

import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from integration.faults.dying import FLOWS, claims
from integration.faults.racing import attempt
from integration.faults.test_killed_intake import FILLED, FOUNDED
from integration.workers.closing import AREA, open_book
from support.lengths import length

from ledger.domain.identity import month_stream
from ledger.events.claim import ClaimFact
from ledger.events.intake import IntakeCompleted
from ledger.events.month import MonthFrozen
from ledger.verify import verify

CLOSED = ["month.frozen.v1", "close.computed.v1", "close.approved.v1", "month.sealed.v1"]
REFUSED = {"conflict", "rule_refused"}
_HEAD_START_SECONDS = 0.15


@pytest.fixture(scope="module")
def pair(crowd):
    with ProcessPoolExecutor(2, mp_context=crowd) as processes:
        yield processes


@pytest.fixture
def book(scene):
    with scene.copies.lent(scene.book(FILLED)) as url:
        yield url


def at_once(pair, url, *steps):
    """Let two processes take a step each at the same moment; give how both ended."""
    moment = time.time() + _HEAD_START_SECONDS
    running = [pair.submit(attempt, url, moment, *step) for step in steps]
    return [one.result(60) for one in running]


def topics(url, fund, period="2023-11"):
    with open_book(url) as house:
        return [row.topic for row in house.ledger.log.stream(month_stream(AREA, fund, period))]


def assert_sound(url):
    with open_book(url) as house:
        assert verify(house.ledger).ok


def test_every_step_of_a_close_taken_twice_at_once_stands_once(pair, book):
    for fund in ("390", "610", "310"):
        asked = at_once(pair, book, *[("request", fund, "2023-11")] * 2)
        runs = {said for how, said in asked if how == "done"}
        assert runs == {f"330604-{fund}-2023-11-1"}
        assert {how for how, _ in asked} <= {"done", *REFUSED}
        run = runs.pop()
        assert at_once(pair, book, *[("compute", run)] * 2) == [("done", "computed")] * 2
        approved = at_once(pair, book, *[("approve", run)] * 2)
        assert ("done", "approved") in approved
        assert {how for how, _ in approved} <= {"done", *REFUSED}
        assert at_once(pair, book, *[("post", run)] * 2) == [("done", "sealed")] * 2
        assert topics(book, fund) == CLOSED
    assert_sound(book)


def test_of_an_approval_and_a_rejection_at_once_one_stands(pair, book):
    with open_book(book) as house:
        for number in range(1, length(6, 40)):
            run = f"330604-390-2023-11-{number}"
            assert attempt(book, 0, "request", "390", "2023-11") == ("done", run)
            attempt(book, 0, "compute", run)
            approved, rejected = at_once(pair, book, ("approve", run), ("reject", run))
            assert [approved[0], rejected[0]].count("done") == 1, (approved, rejected)
            assert {approved[0], rejected[0]} - {"done"} <= REFUSED
            last = topics(book, "390")[-1]
            frozen = [one.frozen_through for one in house.ledger.log.books().values()]
            if approved[0] == "done":
                assert last == "close.approved.v1"
                assert attempt(book, 0, "post", run) == ("done", "sealed")
                break
            assert last == "close.rejected.v1"
            assert not any(frozen)
    assert_sound(book)


def test_one_file_brought_in_by_two_at_once_is_posted_once(pair, scene, tmp_path):
    for name, text, base in (("flows.csv", FLOWS, FOUNDED), ("claims.csv", claims(300), FILLED)):
        (file := tmp_path / name).write_text(text, encoding="utf-8")
        with scene.copies.lent(scene.book(base)) as url:
            ended = at_once(pair, url, *[("bring", str(file))] * 2)
            assert all(how == "done" for how, _ in ended), ended
            states = sorted(said[0] for _, said in ended)
            assert states == ["duplicate", "posted"], ended
            with open_book(url) as house:
                done = [
                    one.fact
                    for _, one in house.ledger.facts()
                    if isinstance(one.fact, IntakeCompleted) and one.fact.file == name
                ]
                assert [one.already for one in done] == [0]
                assert verify(house.ledger).ok


def test_overlapping_files_at_once_post_each_document_and_settlement_once(pair, scene, tmp_path):
    head, *lines = FLOWS.splitlines(keepends=True)
    first, *settled = claims(400).splitlines(keepends=True)
    for base, top, rows in ((FOUNDED, head, lines), (FILLED, first, settled)):
        third = len(rows) // 3
        files = [tmp_path / f"{len(rows)}-{part}.csv" for part in ("one", "other")]
        files[0].write_text(top + "".join(rows[: 2 * third]), encoding="utf-8")
        files[1].write_text(top + "".join(reversed(rows[third:])), encoding="utf-8")
        with scene.copies.lent(scene.book(base)) as url:
            ended = at_once(pair, url, *[("bring", str(file)) for file in files])
            assert [said[0] for _, said in ended] == ["posted", "posted"], ended
            assert sum(said[1] for _, said in ended) == len(rows)
            assert sum(said[2] for _, said in ended) == third
            with open_book(url) as house:
                facts = [one.fact for _, one in house.ledger.facts()]
                named = [fact.setl_id for fact in facts if isinstance(fact, ClaimFact)]
                assert len(named) == len(set(named))
                assert house.ledger.log.unfinished_intakes() == []
                assert not any(isinstance(fact, MonthFrozen) for fact in facts)
                assert verify(house.ledger).ok
