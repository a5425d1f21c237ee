"""Several processes at once: nothing slips into a closed month, no event is missed, none doubled."""

import random
import signal
import time
from concurrent.futures import ProcessPoolExecutor

from integration.store.building import BOOK, JANUARY, open_book
from integration.store.processes import append_many, book_late, close_months

from ledger.domain.period import Period
from ledger.events.cash import ContributionReceived
from ledger.events.month import MonthFrozen
from ledger.verify import verify

MONTHS = 60


def test_nothing_slips_into_a_month_that_closes_at_the_same_moment(ledger, store_url, crowd):
    open_book(ledger, first=JANUARY)
    last = JANUARY.plus(MONTHS - 1)
    with ProcessPoolExecutor(3, mp_context=crowd) as processes:
        late = [processes.submit(book_late, store_url, name, last) for name in ("first", "second")]
        closing = processes.submit(close_months, store_url, JANUARY, MONTHS)
        refused = [one.result(120) for one in late]
        assert closing.result(120) == MONTHS
    frozen: dict[Period, int] = {}
    slipped = []
    for position, envelope in ledger.facts():
        fact = envelope.fact
        if isinstance(fact, MonthFrozen):
            frozen[Period.parse(fact.period)] = position
        elif isinstance(fact, ContributionReceived) and Period.parse(fact.booked_on[:7]) in frozen:
            slipped.append(position)
    assert len(frozen) == MONTHS
    assert slipped == []
    assert min(refused) > 0, "the race was never run: nobody came late"
    assert ledger.log.books()[BOOK].sealed_through == last
    assert verify(ledger).ok


def test_a_tailing_reader_sees_every_event_of_three_writers_once(ledger, store_url, crowd):
    open_book(ledger)
    sizes = {"a": [1] * 150, "b": [50] * 30, "c": [400] * 5}
    expected = 1 + sum(sum(one) for one in sizes.values())
    seen: list[int] = []
    with ProcessPoolExecutor(3, mp_context=crowd) as processes:
        writers = [
            processes.submit(append_many, store_url, name, one) for name, one in sizes.items()
        ]
        while not all(one.done() for one in writers) or ledger.log.last_position() > len(seen):
            ledger.log.wait_for_append(after=len(seen), timeout=0.2)
            page = ledger.log.read_page(after=seen[-1] if seen else 0, limit=97)
            seen.extend(row.position for row in page)
        assert sum(one.result() for one in writers) == expected - 1
    assert seen == list(range(1, expected + 1))
    assert verify(ledger).ok


def test_a_writer_killed_at_any_moment_leaves_whole_commits_and_resumes(ledger, store_url, crowd):
    open_book(ledger)
    moments = random.Random(20231)
    sizes = [1 if number % 3 else 60 for number in range(600)]
    kills = 0
    for _ in range(4):
        before = ledger.log.last_position()
        writer = crowd.Process(target=append_many, args=(store_url, "w", sizes))
        writer.start()
        deadline = time.monotonic() + 30
        while ledger.log.last_position() == before and writer.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moments.random() * 0.05)
        writer.kill()
        writer.join()
        kills += writer.exitcode == -signal.SIGKILL
        assert verify(ledger).ok
    assert kills >= 2, "the writer was never killed at work"
    append_many(store_url, "w", sizes)
    assert ledger.log.last_position() == 1 + sum(sizes)
    assert verify(ledger).events == 1 + sum(sizes)
