"""A log that several processes verify in parts says what it says when one goes through it."""

import pytest
from integration.store.building import (
    AREA,
    BOOK,
    JANUARY,
    completed,
    contribution,
    contributions,
    freeze,
    open_book,
    post,
    seal,
    started,
)
from integration.store.test_tampering import blob

from ledger.domain.identity import area_stream
from ledger.events.base import Envelope
from ledger.events.setup import FundOpened
from ledger.store.commit import Commit
from ledger.verify import verify
from ledger.verify.apart import walked_apart

#: Some parts hold small commits, others the beginning, middle or end of none but one.
PART = 6


def bring_in(ledger, intake, month, *, whole):
    held = ledger.log.acquire_lease(area=AREA, kind="claims", intake=intake, seconds=60)
    begun = Commit(f"{intake}:start", "hash", lease=held, opens_intake=(BOOK,))
    ledger.append([started(intake)], begun)
    for number, rows in enumerate((3, 9)):
        events = contributions(f"{intake}-{number}", rows, intake=intake, month=month)
        post(ledger, f"{intake}:{number}", events, lease=held, staged_for=intake)
    if whole:
        over = Commit(f"{intake}:end", "hash", lease=held, releases=intake, closes_intake=intake)
        ledger.append([completed(intake)], over)
    ledger.log.release_lease(held)


@pytest.fixture
def books(ledger):
    """A sealed month, an intake that is complete and one that is not: 35 events, 15 seals."""
    open_book(ledger)
    for number in range(5):
        post(ledger, f"{number}", [contribution(f"{number}")])
    bring_in(ledger, "whole", JANUARY, whole=True)
    freeze(ledger, JANUARY)
    seal(ledger, JANUARY)
    bring_in(ledger, "cut off", JANUARY.next, whole=False)
    return ledger


def apart(ledger, progress=None):
    with ledger.log.snapshot() as log:
        return walked_apart(ledger.log, log, processes=1, part=PART, progress=progress)


def test_the_processes_tell_that_all_is_well_and_come_to_the_same_figures(books):
    whole = verify(books, processes=1)
    assert (whole.ok, whole.events) == (True, 35)
    seen = []
    walk = apart(books, lambda done, total: seen.append((done, total)))
    assert (walk.events, walk.seals) == (whole.events, whole.seals)
    assert seen == sorted(seen)
    assert (len(seen) > 1, seen[-1]) == (True, (35, 35))
    assert verify(books, processes=2, part=PART) == whole


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET state = {} WHERE {} = 30",
        "DELETE FROM events WHERE {1} = 7",
        "UPDATE seals SET root = {0} WHERE no = 9",
        "UPDATE seals SET last_position = 9000000000000000 WHERE no = 9",
    ],
)
def test_what_was_done_to_a_part_is_left_to_one_process_to_tell(
    books, unlocked, store_url, change, place
):
    unlocked(change.format(blob(store_url, bytes(32)), place))
    assert apart(books) is None


def test_what_one_part_cannot_know_is_told_as_by_one_process(books):
    opened = FundOpened(area=AREA, by="admin1", fund="310", first=None)
    books.append([Envelope(area_stream(AREA), 2, opened)], Commit("again", "hash"))
    found = verify(books, processes=2, part=PART)
    assert [(one.code, one.position) for one in found.findings] == [("step_out_of_order", 36)]
    assert found == verify(books, processes=1)


def test_totals_that_the_parts_do_not_come_to_are_told(books, unlocked):
    unlocked("UPDATE staged_totals SET debit_fen = debit_fen + 1 WHERE debit_fen > 0")
    found = verify(books, processes=2, part=PART)
    assert [one.code for one in found.findings] == ["total_differs"]
