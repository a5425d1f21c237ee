"""A month-end from file to seal: the same events on every store and with every dispatch."""

import shutil

import pytest
from integration.workers.closing import (
    DECEMBER,
    NOVEMBER,
    close,
    decide,
    history,
    open_book,
    request,
    working,
)

from ledger.verify import verify
from medfund.tasks import run_pending


@pytest.fixture(scope="session")
def as_at_home(_filled_file, tmp_path_factory):
    """The events of the same two months, closed step by step without pump or queue."""
    path = tmp_path_factory.mktemp("home") / "books.db"
    shutil.copy(_filled_file, path)
    with open_book(f"sqlite:///{path}") as house:
        for period in (NOVEMBER, DECEMBER):
            run = request(house, period=period)
            assert run_pending(house) == 1
            decide(house, run)
            assert run_pending(house) == 1
        return history(house)


def test_a_year_end_closes_alike_on_every_store_and_dispatch(house, settings, as_at_home):
    with working(settings):
        close(house, period=NOVEMBER)
        close(house, period=DECEMBER)
    found = history(house)
    assert [row.topic for row in found] == [row.topic for row in as_at_home]
    assert found == as_at_home
    assert [row.topic for row in found][-5:] == [
        "month.frozen.v1",
        "close.computed.v1",
        "close.approved.v1",
        "year.transferred.v1",
        "month.sealed.v1",
    ]
    assert house.ledger.log.pending_messages() == []
    assert verify(house.ledger).ok
