"""The simulator over a few seeds. Its long form: ``medfund simulate --seeds 5000`` (docs/testing.md).

That it can fail is shown there too, by deliberate defects in a copy of the product; here two of them
are made in this process: a guard that asks no month, and the same person on both sides of a close.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext

import pytest

from ledger.aggregates.month import Month
from ledger.store import guard
from medfund.cli import main
from medfund.simulation import run
from medfund.simulation.breaking import Fault
from medfund.simulation.machine import Workshop
from medfund.simulation.many import in_memory, simulate
from medfund.simulation.run import run_seed

SEEDS = int(os.environ.get("MEDFUND_TEST_SEEDS", "30"))
#: What has to have happened, or the runs would say nothing.
EVENTS = (
    "claim.refunded.v1",
    "claim.reversed.v1",
    "close.rejected.v1",
    "document.reversed.v1",
    "fine.registered.v1",
    "fine.remitted.v1",
    "intake.reversed.v1",
    "intake.started.v1",
    "month.sealed.v1",
    "month.reopened.v1",
    "opening.recorded.v1",
    "participation.assisted.v1",
    "recovery.received.v1",
    "year.transferred.v1",
)
#: Of bureaus that settle: one that prepays, one whose orders are paid and come back.
SETTLING = (64, 112)
SETTLED = (
    *("clearing.computed.v1", "clearing.approved.v1", "clearing.rejected.v1"),
    *("settlement.declared.v1", "settlement.approved.v1"),
    *("payout.prepared.v1", "payout.approved.v1"),
    *("payment.ordered.v1", "payment.confirmed.v1", "payment.returned.v1"),
    *("prepayment.proposed.v1", "prepayment.ordered.v1", "prepayment.paid.v1"),
)
REFUSALS = ("already_reversed", "earlier_month_open", "role_missing", "same_person")


@pytest.fixture
def workshop():
    with in_memory() as folder:
        yield Workshop(folder)


def play(*, hash_seed: str, seed: int) -> dict:
    """Replay one seed in a fresh interpreter with other hashes."""
    words = ["-m", "medfund", "--json", "simulate", "--seed", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, check=True, env=environment, text=True
    )
    return json.loads(done.stdout)


def test_every_rule_holds_whatever_breaks_when():
    found = simulate(range(1, SEEDS + 1))
    assert [(run.seed, run.broken) for run in found.failed] == []
    happened = Counter(found.document(with_traces=False)["happened"])
    wanted = [
        *(f"event {topic}" for topic in EVENTS),
        *(f"refused: {code}" for code in REFUSALS),
        *(fault.value for fault in Fault),
        "messages lost",
        "messages doubled",
        "turns taken",
    ]
    assert [what for what in wanted if not happened[what]] == []


def test_every_rule_holds_where_institutions_are_settled_and_paid():
    found = simulate(SETTLING)
    assert [(run.seed, run.broken) for run in found.failed] == []
    happened = Counter(found.document(with_traces=False)["happened"])
    assert [topic for topic in SETTLED if not happened[f"event {topic}"]] == []


def test_a_seed_is_the_same_run_in_every_process():
    first, second = (play(hash_seed=hashes, seed=4) for hashes in ("1", "2"))
    assert first == second
    (run,) = first["runs"]
    assert len(run["trace"]) > 40
    assert run["digest"] != play(hash_seed="1", seed=5)["runs"][0]["digest"]


def test_a_seed_is_the_same_run_alone_and_among_others(workshop):
    alone = run_seed(9, workshop).digest
    assert [run.digest for run in simulate([8, 9], jobs=2).runs][1] == alone


def test_a_thread_of_the_product_without_a_turn_is_caught(workshop, monkeypatch):
    """Two things at once in an intake made one run in twelve another one on a busy machine."""
    monkeypatch.setattr(run, "one_thing_at_a_time", nullcontext)
    assert "works without a turn" in (run_seed(1, workshop).broken or "")


def breaks(workshop, rule: str, *, within: int) -> bool:
    """Tell whether some seed finds that a rule does not hold."""
    runs = (run_seed(seed, workshop) for seed in range(1, within + 1))
    return any((run.broken or "").startswith(rule) for run in runs)


def test_a_guard_that_asks_no_month_is_caught(workshop, monkeypatch):
    monkeypatch.setattr(guard, "_check_months", lambda _commit, _standing: None)
    assert breaks(workshop, "sealed and frozen months do not change", within=60)


def test_the_same_person_on_both_sides_is_caught(workshop, monkeypatch):
    monkeypatch.setattr(Month, "refuse_decision", lambda _month, *, run, user: None)
    assert breaks(workshop, "four eyes", within=20)


def test_a_broken_rule_ends_with_its_trace_and_exit_code_4(monkeypatch, capfd):
    monkeypatch.setattr(Month, "refuse_decision", lambda _month, *, run, user: None)
    assert main(["--json", "simulate", "--seeds", "8", "--jobs", "1"]) == 4
    document = json.loads(capfd.readouterr().out)
    assert document["ok"] is False
    failed = document["failed"][0]
    assert "BROKEN" in failed["trace"][-1]
    assert main(["--lang", "en", "simulate", "--seed", str(failed["seed"])]) == 4
    said = capfd.readouterr().out
    assert failed["digest"] in said
    assert f"medfund simulate --seed {failed['seed']} --steps 40" in said
