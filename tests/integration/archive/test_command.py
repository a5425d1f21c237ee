"""``medfund archive`` and what ``medfund verify`` says of the archive."""

from pathlib import Path

import pytest
from support.facts import Books

from ledger.archive.read import Archive
from medfund.bootstrap import archive_folder
from medfund.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDFUND_ARCHIVE", str(tmp_path / "parquet"))
    return tmp_path / "parquet"


def test_an_archive_is_written_checked_and_written_on(medfund, ledger, folder):
    position = ledger.log.last_position()
    assert medfund("archive", "--check", "--json").json["behind"] == position
    first = medfund("archive", "--json")
    assert first.code == 0
    assert (first.json["position"], first.json["events"]) == (position, position)
    assert first.json["digest"] == Archive(folder).ranges[-1].digest
    Books(ledger, area="330605").found("390")
    checked = medfund("archive", "--check", "--json")
    assert checked.code == 0
    added = ledger.log.last_position() - position
    assert (checked.json["ok"], checked.json["behind"]) == (True, added)
    assert f"{added}" in medfund("archive", "--check").out
    assert medfund("archive", "--json").json["events"] == added
    assert "最新" in medfund("archive").out


def test_verify_speaks_for_the_archive_too(medfund, ledger, folder):
    assert medfund("verify", "--json").json["archive"] is None
    medfund("archive")
    found = medfund("verify", "--json")
    assert (found.code, found.json["archive"]) == (
        0,
        {"covered_to": ledger.log.last_position(), "behind": 0},
    )
    part = Archive(folder).ranges[0].parts[3]
    path = folder / part.path
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    damaged = medfund("verify", "--json")
    assert damaged.code == 4
    assert damaged.json["first_bad_position"] == part.first
    assert [one["code"] for one in damaged.json["findings"]] == ["archive_part_damaged"]
    assert medfund("archive", "--check").code == 4
    said = medfund("verify", "--lang", "en").out
    assert part.path in said
    assert "run archive" in said


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite:////books/medfund.db", "/books/medfund.db.archive"),
        ("postgresql://u:p@host:5433/books?sslmode=require", "books.archive"),
        ("postgresql://host", "medfund.archive"),
    ],
)
def test_an_archive_lies_beside_its_book(url, folder):
    assert archive_folder(Settings(database_url=url)) == Path(folder)
    assert archive_folder(Settings(database_url=url, archive="/srv/a")) == Path("/srv/a")
