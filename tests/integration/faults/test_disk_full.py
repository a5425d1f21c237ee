"""The disk is full in the middle of work: said as such, nothing lost, and on it goes with more room.

Seen red before it was repaired: an error of the driver under the read models, let out as it is
(exit 1, no next step).
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from integration.faults.dying import CLERK, SETUP, claims
from integration.store.building import contributions, open_book, post
from support.mortal import LATER
from support.servers import own_postgres, required
from support.services import database_on
from support.small_disk import SmallDisk, small_disk

from ledger.application import FundLedger
from ledger.store import schema
from ledger.store.failures import StoreFull
from ledger.verify import verify

_MIB = 1 << 20
_SIZE = 40 * _MIB
_ROOM = 3 * _MIB // 2


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def cramped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, SmallDisk]]:
    """A book of each kind on a disk that has little room left."""
    if request.param == "sqlite":
        with small_disk(tmp_path / "small", size=_SIZE) as disk:
            url = f"sqlite:///{disk.folder / 'books.db'}"
            schema.upgrade(url)
            yield url, disk
        return
    with ExitStack() as opened:
        server = required(opened.enter_context(own_postgres()), "PostgreSQL")
        # Only the tables lie on the small disk: without room for its own log a server stops.
        disk = opened.enter_context(small_disk(server.folder / "small", size=_SIZE))
        (place := disk.folder / "tables").mkdir()
        shutil.chown(place, "postgres", "postgres")  # only root could mount
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
            admin.execute("CREATE DATABASE books TABLESPACE small TEMPLATE template0")
        url = database_on(server.url, "books")
        schema.upgrade(url)
        yield url, disk


def test_an_append_that_finds_no_room_writes_nothing_and_can_be_repeated(cramped):
    url, disk = cramped
    with FundLedger(url, clock=now) as ledger:
        open_book(ledger)
        disk.leave(_ROOM)
        with pytest.raises(StoreFull) as full:
            fill_with_events(ledger)
        assert full.value.family == "unavailable"
        assert "请腾出空间后重试" in full.value.message("zh")
        confirmed = ledger.log.last_position()
        with pytest.raises(StoreFull):
            post(ledger, "large", contributions("large", 20_000))
        assert ledger.log.last_position() == confirmed
        disk.give_room()
        assert verify(ledger).ok
        receipt = post(ledger, "after", contributions("after", 700))
        assert (receipt.first_position, receipt.repeated) == (confirmed + 1, False)
        assert verify(ledger).ok


def test_a_command_says_that_the_disk_is_full_and_goes_on_when_it_is_not(
    cramped, commands, tmp_path
):
    url, disk = cramped
    setup, file = tmp_path / "setup.toml", tmp_path / "claims.csv"
    setup.write_text(SETUP, encoding="utf-8")
    file.write_text(claims(4000), encoding="utf-8")
    commands.must(url, "setup", setup, "--as", "admin1")
    disk.leave(_ROOM)
    ended = commands.run(url, "intake", file, *CLERK, "--json", chunk=500)
    assert ended.code == 5, ended
    error = json.loads(ended.said)["error"]
    assert error["code"] == "store_full"
    assert "请腾出空间后重试" in error["message"]
    said = commands.run(url, "--lang", "en", "intake", file, *CLERK, now=LATER, chunk=500)
    assert said.code == 5, said
    assert "Free some space and try again" in said.said
    assert commands.run(url, "verify").code == 0
    disk.give_room()
    ended = commands.run(
        url, "intake", file, *CLERK, "--json", now="2024-03-06 12:00:00", chunk=500
    )
    assert ended.code == 0, ended
    found = json.loads(ended.said)["files"][0]
    assert (found["state"], found["accepted"]) == ("posted", 4000)
    assert commands.run(url, "balances").code == 0
    assert json.loads(commands.must(url, "replay", "--compare", "--json"))["equal"]
    assert commands.run(url, "verify").code == 0


def test_read_models_that_find_no_room_say_so_and_are_made_when_there_is(
    cramped, commands, tmp_path
):
    url, disk = cramped
    setup = tmp_path / "setup.toml"
    setup.write_text(SETUP, encoding="utf-8")
    commands.must(url, "setup", setup, "--as", "admin1")
    disk.leave(0)
    ended = commands.run(url, "balances", "--json")
    assert ended.code == 5, ended
    # SQLite cannot even make its shared memory then, and calls that an I/O error.
    assert json.loads(ended.said)["error"]["code"] in {"store_full", "store_unavailable"}
    disk.give_room()
    assert commands.run(url, "balances").code == 0


def fill_with_events(ledger: FundLedger) -> None:
    for number in range(10_000):
        size = (1, 40, 700)[number % 3]
        post(ledger, f"{number}", contributions(f"{number}", size))
