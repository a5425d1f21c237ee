"""Folding pages: every topic has a reader, old ones are read as what follows them, any cut agrees."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.facts import Books, flow, settled
from support.random_books import RandomBooks

from ledger.events import registry
from ledger.events.base import Envelope
from ledger.store.codec import StoredRow, encode
from ledger.store.commit import Commit, Receipt
from projections import fold as folding
from projections.fold import Fold, ProjectionStopped
from projections.page import Page, Remembered


class Paper:
    """Takes appends down as the rows of a log, commit by commit; checks nothing."""

    def __init__(self) -> None:
        self.commits: list[list[StoredRow]] = []

    def append(self, envelopes: Sequence[Envelope], _commit: Commit) -> Receipt:
        first = sum(map(len, self.commits)) + 1
        stored = [encode(envelope) for envelope in envelopes]
        self.commits.append(
            [
                StoredRow(first + at, UUID(int=0), 1, event.topic, event.state)
                for at, event in enumerate(stored)
            ]
        )
        return Receipt(len(self.commits), first, first + len(stored) - 1)


def fold(commits: Sequence[Sequence[StoredRow]], remembered: Remembered) -> Page:
    first = Fold(after=commits[0][0].position - 1, remembered=remembered)
    for commit in commits:
        rows = [(row.position, row.topic, row.state) for row in commit]
        first.commit(rows, last=rows[-1][0])
    return first.page


class Added:
    """What pages add up to, in memory: a reading of the tables' rules without a database."""

    def __init__(self) -> None:
        self.counted: Counter[Any] = Counter()
        self.staged: dict[tuple[str, str], Counter[Any]] = {}
        self.running: dict[tuple[str, str], int] = {}
        self.openings: dict[int, str] = {}
        self.documents: list[int] = []

    def add(self, page: Page) -> None:
        for release in page.releases:
            waited = self.staged.pop((release.area, release.intake), Counter())
            for key, amount in waited.items():
                self.counted[(*key, release.known_from)] += amount
        for known_from, bucket in page.counted.items():
            for key, amount in amounts(bucket).items():
                self.counted[(*key, known_from)] += amount
        for intake, bucket in page.staged.items():
            self.staged.setdefault(intake, Counter()).update(amounts(bucket))
        for span in page.spans:
            self.running[span.area, span.intake] = span.started
            if span.completed is not None:
                del self.running[span.area, span.intake]
        self.openings.update(page.openings)
        self.documents += [document.position for document in page.documents]

    def remembered(self) -> Remembered:
        return Remembered(dict(self.running), dict(self.openings))


def amounts(bucket: Any) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for kind, sums in (
        ("movement", bucket.movements()),
        ("party", bucket.party_movements()),
        ("care", bucket.care),
        ("owed", bucket.obligations()),
    ):
        for key, row in sums.items():
            for column, amount in enumerate(row):
                found[kind, *key, column] += amount
    return Counter({key: amount for key, amount in found.items() if amount})


def pages(commits: Sequence[Sequence[StoredRow]], cuts: Sequence[int]) -> Added:
    added = Added()
    for start, end in zip([0, *cuts], [*cuts, len(commits)], strict=True):
        if start < end:
            added.add(fold(commits[start:end], added.remembered()))
    return added


@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_log_cut_anywhere_between_commits_adds_up_to_the_same(seed, data):
    paper = Paper()
    RandomBooks(Books(paper), seed, settling=True).write(15)  # type: ignore[arg-type]
    whole = pages(paper.commits, [])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(paper.commits) - 1), max_size=4)))
    cut = pages(paper.commits, cuts)
    assert {key: amount for key, amount in cut.counted.items() if amount} == {
        key: amount for key, amount in whole.counted.items() if amount
    }
    assert {key: +sums for key, sums in cut.staged.items()} == {
        key: +sums for key, sums in whole.staged.items()
    }
    assert (cut.running, cut.openings, cut.documents) == (
        whole.running,
        whole.openings,
        whole.documents,
    )


def test_every_topic_of_the_catalogue_has_a_reader():
    assert set(folding._HANDLERS) == set(registry.CATALOGUE)


def one_row(fact: Any) -> StoredRow:
    event = encode(Envelope(UUID(int=1), 1, fact))
    return StoredRow(1, UUID(int=1), 1, event.topic, event.state)


def test_a_retired_topic_is_read_as_the_one_that_follows_it(monkeypatch):
    row = one_row(flow("interest", "390", 7, "2023-01-01"))

    def newer(state: dict[str, Any]) -> dict[str, Any]:
        return state | {"booked_on": state["day"]}

    monkeypatch.setitem(registry.UPCASTERS, "income.received.v0", (row.topic, newer))
    state = msgspec.json.decode(row.state)
    state["day"] = state.pop("booked_on")
    old = row._replace(topic="income.received.v0", state=msgspec.json.encode(state))
    found = fold([[old]], Remembered())
    assert found.counted[1].movements() == fold([[row]], Remembered()).counted[1].movements()
    assert found.documents[0].topic == row.topic


def test_an_unknown_topic_stops_with_its_position():
    row = one_row(flow("interest", "390", 7, "2023-01-01"))
    with pytest.raises(ProjectionStopped) as stopped:
        fold([[row._replace(topic="money.printed.v1", position=41)]], Remembered())
    assert stopped.value.facts["position"] == 41
    assert "money.printed.v1" in stopped.value.message("zh")


def test_a_settlement_never_moves_cash():
    claim = settled("s1", {"390": 5}, "2023-01-01")
    cash = flow("interest", "390", 7, "2023-01-01")
    row = one_row(msgspec.structs.replace(claim, postings=cash.postings))
    with pytest.raises(ProjectionStopped):
        fold([[row]], Remembered())


def test_a_settlement_of_two_parts_in_one_fund_counts_once():
    claim = settled("s1", {"390": 5}, "2023-01-01")
    row = one_row(msgspec.structs.replace(claim, postings=claim.postings * 2))
    (sums,) = fold([[row]], Remembered()).counted[1].obligations().values()
    assert sums[:4] == [10, 0, 1, 0]


def test_an_obligation_goes_down_on_the_other_side_as_well_as_in_red():
    claim = settled("s1", {"390": 5}, "2023-01-01")
    (posting,) = claim.postings
    turned = type(posting)("390", posting.credit, posting.debit, 5, posting.party)
    row = one_row(msgspec.structs.replace(claim, postings=(turned,)))
    (sums,) = fold([[row]], Remembered()).counted[1].obligations().values()
    assert sums[0] == -5
