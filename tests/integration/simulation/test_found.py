"""What the simulator has found, once more without it."""

from datetime import UTC, datetime

import pytest
from support.facts import Books, settled

from ledger.application import FundLedger
from settlement.corrections import IntakeStillOpen, reverse_fact
from settlement.setup import load_area


def test_a_settlement_of_an_unfinished_intake_waits_with_its_reversal(store_url):
    """Its reversal alone would count at once, and the resumed intake would post it a second time."""
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    with FundLedger(store_url, clock=lambda: moment) as ledger:
        books = Books(ledger)
        books.found("390")
        books.start_claims("i1", "390")
        books.claims("i1", settled("s1", {"390": 500}, "2023-11-05", intake_id="i1"))
        with pytest.raises(IntakeStillOpen):
            reverse_fact(ledger, load_area(ledger), ref="s1", reason="错账", user="clerk1")
        books.complete_claims("i1")
        done = reverse_fact(ledger, load_area(ledger), ref="s1", reason="错账", user="clerk1")
        assert done.reversed_rows == 1
