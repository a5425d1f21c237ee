"""A copy of the whole book, brought back elsewhere: the same events, the same figures, or nothing.

The deliberate defects these tests catch: the anchor read before the copy began (a commit in between
makes it too old or too new for the copy); a hash that is not compared; a copy that gets its final
name before it is verified; a paper written before the data.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from support.office import AREA, H1, open_office
from support.services import fresh_database, require_postgres, require_program

from ledger.backup import postgres_copy
from ledger.backup.folder import hash_of
from ledger.verify import verify
from projections.rebuild import rebuild

END = date(2024, 12, 31)


@pytest.fixture
def elsewhere(store_url, tmp_path):
    """A store of the same kind that holds nothing yet."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'books.db'}"
        return
    require_program("pg_dump")
    with fresh_database(require_postgres()) as url:
        yield url


@pytest.fixture
def book(store_url, tmp_path):
    """Two funds with flows, settlements, a sealed January and something in February."""
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390", "610")
        flow = {"fund": "390", "item": "contribution.individual", "amount": "1000.00"}
        office.bring_flows(
            [{"doc_no": f"D{n:03}", "date": f"2024-01-{n + 1:02}", **flow} for n in range(20)]
        )
        office.bring_claims(
            [
                {
                    "setl_id": f"S{n:03}",
                    "fixmedins_code": H1,
                    "setl_time": f"2024-01-{n % 28 + 1:02} 09:00:00",
                    "medfee_sumamt": "100.00",
                    "fund_pay_sumamt": "70.00",
                    "acct_pay": "10.00",
                    "psn_cash_pay": "20.00",
                }
                for n in range(60)
            ]
        )
        office.close("390", "2024-01")
        office.bring_flows([{"doc_no": "D900", "date": "2024-02-03", **flow}])
        office.figures(END)
    return store_url


@contextmanager
def opened(url, folder):
    with open_office(url, folder) as office:
        yield office


def fingerprint(url, folder):
    """Everything a book says: its events and seals to the byte, its figures in both books."""
    with opened(url, folder) as office:
        log = office.ledger.log
        events = [tuple(row) for row in log.read_page(after=0, limit=10_000)]
        seals = [tuple(seal) for seal in log.seals()]
        return events, seals, office.figures(END), office.figures(END, book="obligations")


def test_a_restored_book_is_the_same_book(book, elsewhere, medfund, tmp_path):
    folder = tmp_path / "copy"
    made = medfund("backup", folder, "--json")
    assert made.code == 0, made.err
    before = fingerprint(book, tmp_path)
    restored = medfund("--db", elsewhere, "restore", folder, "--json")
    assert restored.code == 0, restored.err
    assert restored.json["anchor"] == made.json["anchor"]
    assert fingerprint(elsewhere, tmp_path) == before
    with opened(elsewhere, tmp_path) as office:
        assert verify(office.ledger).ok
        assert rebuild(office.ledger, office.reads).document()["differences"] == []
        office.assert_sound()
        office.close("390", "2024-02")  # it can be worked on
        office.assert_sound()
    assert fingerprint(book, tmp_path) == before


def test_a_backup_of_a_book_in_use_is_one_moment_of_it(book, elsewhere, medfund, tmp_path):
    """Commits keep coming while copies are made: each copy ends at its own anchor, whole."""
    stop = threading.Event()
    brought = []

    def work():
        with open_office(book, tmp_path) as office:
            while not stop.is_set():
                number = len(brought)
                office.bring_flows(
                    [
                        {
                            "doc_no": f"W{number:05}",
                            "date": "2024-03-01",
                            "fund": "390",
                            "item": "interest",
                            "amount": "1.00",
                        }
                    ]
                )
                brought.append(number)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        while len(brought) < 3:
            stop.wait(0.01)
        made = medfund("backup", tmp_path / "copy", "--json")
    finally:
        stop.set()
        writer.join()
    assert made.code == 0, made.err
    restored = medfund("--db", elsewhere, "restore", tmp_path / "copy", "--json")
    assert restored.code == 0, restored.err + restored.out
    assert restored.json["events"] == made.json["position"]
    with opened(elsewhere, tmp_path) as copied, opened(book, tmp_path) as original:
        rows = copied.ledger.log.read_page(after=0, limit=10_000)
        assert rows == original.ledger.log.read_page(after=0, limit=len(rows))


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def _older_anchor(path):
    anchor = json.loads(path.read_text())
    path.write_text(json.dumps(anchor | {"seal_no": anchor["seal_no"] - 1}))


DAMAGES = {
    "a byte of the copy": ("books.*", _flip),
    "the end of the copy": ("books.*", _cut),
    "the copy itself": ("books.*", Path.unlink),
    "the anchor": ("anchor.json", _older_anchor),
    "the anchor's file": ("anchor.json", Path.unlink),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_told_and_restores_nothing(book, elsewhere, medfund, tmp_path, damage):
    folder = tmp_path / "copy"
    assert medfund("backup", folder).code == 0
    pattern, change = DAMAGES[damage]
    [file] = folder.glob(pattern)
    change(file)
    answer = medfund("--db", elsewhere, "restore", folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (4, "backup_damaged")
    assert _is_empty(elsewhere)


def test_a_copy_rewritten_with_its_paper_is_found_by_the_seals(book, elsewhere, medfund, tmp_path):
    """Whoever alters copy and paper alike still meets the seals: an amount is changed in a dump."""
    folder = tmp_path / "copy"
    if not book.startswith("sqlite"):
        pytest.skip("a custom dump is compressed; the same is shown on the file of SQLite")
    assert medfund("backup", folder).code == 0
    with closing(sqlite3.connect(folder / "books.db")) as copy:
        copy.execute("DROP TRIGGER events_no_update")
        copy.execute("UPDATE events SET state = CAST(replace(state, '100000', '900000') AS BLOB)")
        copy.commit()
    paper = json.loads((folder / "backup.json").read_text())
    paper["sha256"] = hash_of(folder / "books.db")
    (folder / "backup.json").write_text(json.dumps(paper))
    answer = medfund("--db", elsewhere, "restore", folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (4, "backup_damaged")
    assert _is_empty(elsewhere)


def _is_empty(url):
    if url.startswith("sqlite"):
        return not Path(url.removeprefix("sqlite:///")).exists()
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM pg_tables WHERE schemaname='public'").rowcount == 0


def test_nothing_is_overwritten(book, medfund, tmp_path):
    folder = tmp_path / "copy"
    assert medfund("backup", folder).code == 0
    again = medfund("backup", folder, "--json")
    assert (again.code, again.json["error"]["code"]) == (3, "backup_folder_taken")
    over = medfund("restore", folder, "--json")
    assert (over.code, over.json["error"]["code"]) == (3, "restore_target_taken")
    with opened(book, tmp_path) as office:
        office.assert_sound()


@pytest.mark.parametrize("left", [{}, {"backup.json": "{"}, {"backup.json": '{"format": 99}'}])
def test_a_folder_without_a_finished_backup_is_refused(elsewhere, medfund, tmp_path, left):
    folder = tmp_path / "nothing"
    folder.mkdir()
    for name, text in left.items():
        (folder / name).write_text(text)
    answer = medfund("--db", elsewhere, "restore", folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "not_a_backup")


def test_a_copy_of_one_kind_of_store_does_not_go_into_the_other(book, medfund, tmp_path):
    folder = tmp_path / "copy"
    assert medfund("backup", folder).code == 0
    other = "postgresql://nobody@127.0.0.1:1/none"
    if not book.startswith("sqlite"):
        other = f"sqlite:///{tmp_path / 'other.db'}"
    answer = medfund("--db", other, "restore", folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "not_a_backup")


def test_a_restore_that_was_killed_leaves_no_book_and_can_be_repeated(
    book, elsewhere, medfund, tmp_path
):
    """Killed while it verifies: the name of the book is not there yet, the next run begins anew."""
    if not book.startswith("sqlite"):
        pytest.skip("pg_restore runs in one transaction of the server")
    folder = tmp_path / "copy"
    assert medfund("backup", folder).code == 0
    script = (
        "import os, signal, sys\n"
        "from ledger.backup import copies\n"
        "copies.verify = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from medfund.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", script, "--db", elsewhere, "restore", str(folder)]
    done = subprocess.run(words, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL
    assert _is_empty(elsewhere)
    assert medfund("--db", elsewhere, "restore", folder).code == 0
    assert not list(Path(elsewhere.removeprefix("sqlite:///")).parent.glob("*.restoring*"))


def test_without_the_servers_programs_it_says_what_to_install(book, medfund, tmp_path, monkeypatch):
    if book.startswith("sqlite"):
        pytest.skip("an SQLite book is copied without any program")
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = medfund("backup", tmp_path / "copy", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (5, "program_missing")


def test_a_password_is_never_on_a_command_line(tmp_path, monkeypatch, store_url):
    """The stand-in for pg_dump notes its words and environment: the password is in the latter only."""
    if store_url.startswith("sqlite"):
        pytest.skip("an SQLite book has no password")
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" >{seen}; echo "$PGPASSWORD" >>{seen}\n')
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    url = "postgresql://clerk:geheim@127.0.0.1/books"
    postgres_copy.copy_out(url, tmp_path, "0001", env)
    words, password = seen.read_text().splitlines()
    assert "geheim" not in words
    assert password == "geheim"


def test_the_disk_is_full(book, medfund, tmp_path):
    """A folder with hardly any room: a clear refusal, and no paper that calls it a backup."""
    small = tmp_path / "small"
    small.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(words, check=False).returncode:
        pytest.skip("mounting a small disk needs rights that are not here")
    try:
        answer = medfund("backup", small / "copy", "--json")
        assert answer.code == 5
        assert answer.json["error"]["code"] == "backup_failed"
        assert not (small / "copy" / "backup.json").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    with opened(book, tmp_path) as office:
        assert office.area.code == AREA
