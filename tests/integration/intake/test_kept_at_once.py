"""Two processes keep the same received file at once: it is kept once, and whole."""

from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO

import pytest
from sqlalchemy import event

from ledger.store.vault import Vault
from projections.store import ReadStore


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_file_that_another_keeps_while_leftovers_are_dropped_stays_whole(store_url: str) -> None:
    """On SQLite the one waits for the other's write lock."""
    with ExitStack() as opened:
        engines = [ReadStore.open(store_url) for _ in range(2)]
        for one in engines:
            opened.callback(one.close)
        first, second = (
            Vault(one.engine, clock=lambda: datetime.now(UTC), new_key=lambda: bytes(32))
            for one in engines
        )
        others: list[bool] = []

        @event.listens_for(engines[0].engine, "before_cursor_execute")
        def before(*what: object) -> None:
            if str(what[2]).startswith("DELETE FROM received_files") and not others:
                others.append(True)
                second.keep_file("abc", BytesIO(b"figures"))

        first.keep_file("abc", BytesIO(b"figures"))
        assert others
        assert first.file("abc") == second.file("abc") == b"figures"
