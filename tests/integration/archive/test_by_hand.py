"""What docs/archive.md tells an auditor to type works, with nothing of ours, and says what the log says."""

import json
import re
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.events.base import Posted
from ledger.store.codec import decode

PAGE = Path(__file__).parents[3] / "docs" / "archive.md"
STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def folder(ledger, tmp_path):
    bring_up_to(ledger.log, tmp_path / "parquet", range_events=60)
    return tmp_path / "parquet"


def typed(text: str, folder: Path) -> list[tuple]:
    asked = text.replace("medfund.db.archive", str(folder)).replace(
        "'SHA256SUMS'", f"'{folder / 'SHA256SUMS'}'"
    )
    with duckdb.connect() as connection:
        return connection.execute(asked).fetchall()


def test_the_statements_of_the_page(ledger, folder):
    owed, accounts, event, sums = STATEMENTS
    facts = [one.fact for _, one in ledger.facts()]
    claims: Counter = Counter()
    debited: Counter = Counter()
    credited: Counter = Counter()
    for fact in facts:
        for posting in fact.postings if isinstance(fact, Posted) else ():
            if fact.TOPIC == "claim.settled.v1":
                claims[posting.fund, fact.booked_on[:7]] += posting.fen
            debited[posting.fund, posting.debit] += posting.fen
            credited[posting.fund, posting.credit] += posting.fen
    assert {row[:2]: row[3] for row in typed(owed, folder)} == claims
    assert {row[:2]: row[2:] for row in typed(accounts, folder)} == {
        key: (debited[key], credited[key]) for key in {*debited, *credited}
    }
    stored = ledger.log.event_at(9)
    assert typed(event, folder) == [
        (
            9,
            stored.topic,
            str(stored.originator_id),
            decode(stored).originator_version,
            stored.state.decode(),
        )
    ]
    typed(sums, folder)
    checked = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, b"")
    listed = (folder / "SHA256SUMS").read_text().splitlines()
    assert len(listed) == sum(len(one.parts) + 1 for one in Archive(folder).ranges)


def test_the_chain_of_manifests_by_hand(folder):
    previous = "0" * 64
    for path in sorted((folder / "manifest").iterdir()):
        said = json.loads(path.read_text())
        digest = said.pop("digest")
        plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert said["previous"] == previous
        assert sha256(plain.encode()).hexdigest() == digest
        previous = digest
