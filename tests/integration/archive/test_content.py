"""The archive says what the log says, row by row, whenever and in however many runs it was written.

Deliberate defects that these tests were seen to catch: a column read from another field, a page that
is read twice, a range that begins one position late, leftovers that are kept.
"""

from typing import Any

import msgspec
import pyarrow.parquet as pq

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.fund import parent
from ledger.events.base import Fact, Posted
from ledger.events.claim import ClaimFact
from ledger.store.codec import decode


def rows_of(archive: Archive) -> list[dict[str, Any]]:
    """All rows of the archive in the order of the log."""
    rows = [
        row
        for path in archive.parts()
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]
    return sorted(rows, key=lambda row: row["position"])


def said_by(fact: Fact) -> dict[str, Any]:
    """What a fact says, in the form of the columns: told by msgspec, not by the archive."""
    said: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fact))
    plain = {key: value for key, value in said.items() if not isinstance(value, dict)}
    if "source" in said:
        plain |= {f"source_{key}": said["source"].get(key) for key in ("intake", "line")}
    if isinstance(fact, ClaimFact):
        plain |= said["amounts"] | said["details"]
    return plain


def home_of(fact: Fact) -> tuple[str, str, str]:
    fund = getattr(fact, "fund", None)
    if fund is None and isinstance(fact, Posted) and fact.postings:
        fund = parent(fact.postings[0].fund)
    month = fact.booked_on[:7] if isinstance(fact, Posted) else getattr(fact, "period", None)
    return getattr(fact, "area", "_"), fund or "_", month or "_"


def test_every_row_is_the_event_of_the_log(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path, range_events=37)
    archive = Archive(tmp_path)
    stored = ledger.log.read_page(after=0, limit=10_000)
    assert archive.covered_to == len(stored) == ledger.log.last_position()
    for row, event in zip(rows_of(archive), stored, strict=True):
        fact = decode(event).fact
        assert row.pop("position") == event.position
        assert row.pop("stream") == str(event.originator_id)
        assert row.pop("version") == event.originator_version
        assert row.pop("topic") == event.topic
        assert row.pop("state").encode() == event.state
        assert {key: value for key, value in row.items() if value is not None} == {
            key: value for key, value in said_by(fact).items() if value is not None
        }


def test_every_part_lies_where_its_rows_belong(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path)
    facts = {position: one.fact for position, one in ledger.facts()}
    for one in Archive(tmp_path).ranges[0].parts:
        rows = pq.read_table(tmp_path / one.path, partitioning=None).to_pylist()
        folder = one.folder()
        assert {(row["topic"], *home_of(facts[row["position"]])) for row in rows} == {tuple(folder)}
        fens = [posting["fen"] for row in rows for posting in row.get("postings") or ()]
        assert (one.rows, one.fen) == (len(rows), sum(fens))


def test_files_are_chosen_by_what_is_asked_for(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path, range_events=50)
    archive = Archive(tmp_path)
    claims = archive.parts(topic="claim.settled.v1", fund="310", periods={"2023-05"})
    wanted = [
        position
        for position, one in ledger.facts()
        if one.fact.TOPIC == "claim.settled.v1" and home_of(one.fact)[1:] == ("310", "2023-05")
    ]
    assert (
        sorted(
            row["position"]
            for path in claims
            for row in pq.read_table(path, partitioning=None).to_pylist()
        )
        == wanted
    )
    pooled = archive.parts(topic=("benefit.paid.v1",), fund="310")
    assert {path.parts[-3] for path in pooled} == {"fund=310.pooled", "fund=310.personal"}
    assert archive.parts(until=3) == [path for path in archive.parts() if int(path.name[5:17]) <= 3]
    assert archive.parts(area="999999") == []


def test_the_check_finds_nothing_in_an_archive_that_is_sound(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path, range_events=50)
    assert Archive(tmp_path).check(ledger.log).findings == ()
    assert Archive(tmp_path).check().ok
