"""Claims intakes: staged totals, the mark of an unfinished intake, leases with fencing tokens."""

import pytest
from integration.store.building import (
    AREA,
    BOOK,
    JANUARY,
    commit_of,
    completed,
    contribution,
    contributions,
    freeze,
    open_book,
    post,
    started,
)

from ledger.store.commit import Commit, IntakeUnfinished, LeaseLost
from ledger.verify import verify


def lease(ledger, *, intake="i1", seconds=60):
    return ledger.log.acquire_lease(area=AREA, kind="claims", intake=intake, seconds=seconds)


def begin(ledger, held):
    ledger.append(
        [started(held.intake)],
        Commit(f"{held.intake}:start", "hash", lease=held, opens_intake=(BOOK,)),
    )


def chunk(ledger, held, number):
    events = contributions(f"{held.intake}-{number}", 2, intake=held.intake)
    return post(ledger, f"{held.intake}:{number}", events, lease=held, staged_for=held.intake)


def finish(ledger, held):
    ledger.append(
        [completed(held.intake)],
        Commit(
            f"{held.intake}:end",
            "hash",
            lease=held,
            releases=held.intake,
            closes_intake=held.intake,
        ),
    )


def test_rows_count_only_when_their_intake_is_complete(ledger):
    open_book(ledger)
    post(ledger, "by hand", [contribution("by hand")])
    before = ledger.log.totals(BOOK)
    held = lease(ledger)
    begin(ledger, held)
    for number in range(3):
        chunk(ledger, held, number)
        assert ledger.log.totals(BOOK) == before
        assert verify(ledger).ok
    finish(ledger, held)
    treasury = [one for key, one in ledger.log.totals(BOOK).items() if key.account == "treasury"]
    assert treasury == [(700, 0, 7)]
    assert verify(ledger).ok


def test_a_month_is_not_frozen_while_an_intake_for_its_book_is_unfinished(ledger):
    open_book(ledger)
    open_book(ledger, fund="390", version=2)
    held = lease(ledger)
    begin(ledger, held)
    assert [(one.intake, one.book) for one in ledger.log.unfinished_intakes(AREA)] == [("i1", BOOK)]
    with pytest.raises(IntakeUnfinished) as refused:
        freeze(ledger, JANUARY)
    assert refused.value.facts["intake"] == "i1"
    finish(ledger, held)
    assert ledger.log.unfinished_intakes() == []
    assert freeze(ledger, JANUARY)


def test_a_killed_intake_is_taken_over_when_its_lease_has_expired(ledger):
    open_book(ledger)
    first = lease(ledger, seconds=3)
    begin(ledger, first)
    chunk(ledger, first, 0)
    second = None
    for _ in range(5):  # the clock goes on by a second at each look
        second = second or lease(ledger)
    assert second.token == first.token + 1
    assert chunk(ledger, second, 0).repeated
    chunk(ledger, second, 1)
    with pytest.raises(LeaseLost) as refused:
        chunk(ledger, first, 2)
    assert refused.value.facts == {"intake": "i1"}
    finish(ledger, second)
    assert verify(ledger).ok


def test_a_lease_is_held_renewed_released_and_its_tokens_never_repeat(ledger):
    first = lease(ledger)
    assert lease(ledger, intake="other") is None
    assert ledger.log.renew_lease(first, seconds=60)
    assert ledger.log.release_lease(first)
    second = lease(ledger, intake="other")
    assert (second.intake, second.token) == ("other", first.token + 1)
    assert not ledger.log.renew_lease(first, seconds=60)
    assert not ledger.log.release_lease(first)
    assert ledger.log.acquire_lease(area=AREA, kind="other", intake="x", seconds=1).token == 1


def test_a_commit_without_the_lease_it_names_is_refused(ledger):
    open_book(ledger)
    held = lease(ledger)
    ledger.log.release_lease(held)
    lease(ledger, intake="other")
    for size in (1, 40):
        events = contributions(f"n{size}", size)
        with pytest.raises(LeaseLost):
            ledger.append(events, commit_of(f"{size}", events, lease=held))
