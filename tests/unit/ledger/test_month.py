"""The state machine of an accounting month: every step from every state, as a table."""

import pytest

from ledger.aggregates.month import (
    AlreadyClosed,
    CloseNotWaiting,
    NotSealed,
    SamePerson,
    fold_month,
)
from ledger.domain.entry import Posting
from ledger.errors import RuleRefused
from ledger.events import month as facts
from ledger.events.setup import FundOpened

RUN = "330604-390-2023-12-1"
SAID = {"area": "330604", "fund": "390", "period": "2023-12", "run": RUN}
TRANSFER = (Posting("390", "income.interest", "net_assets", 100),)
FACTS = {
    "freeze": facts.MonthFrozen(**SAID, by="clerk1"),
    "compute": facts.CloseComputed(
        **SAID, by="clerk1", cutoff_position=7, plan_hash="aa", plan={"checks": []}
    ),
    "approve": facts.CloseApproved(**SAID, by="reviewer1", plan_hash="aa"),
    "reject": facts.CloseRejected(**SAID, by="reviewer1", reason="不符"),
    "transfer": facts.YearTransferred(
        **SAID,
        booked_on="2023-12-31",
        postings=TRANSFER,
        rules_version=1,
        prepared_by="clerk1",
        summary="年终结转",
    ),
    "seal": facts.MonthSealed(
        **SAID, by="reviewer1", plan_hash="aa", sealed_position=9, sealed_digest="bb"
    ),
    "ask": facts.ReopenRequested(**SAID, by="clerk1", reason="补记"),
    "keep": facts.ReopenRejected(**SAID, by="reviewer1", reason="不必"),
    "reopen": facts.MonthReopened(**SAID, by="reviewer1", requested_by="clerk1"),
}

#: How a month came to be where it is, the state, and whether it may be
#: requested · approved by the reviewer · rejected · reopened.
STATES = """
-                                          | open      | yes no  no  no
freeze                                     | frozen    | no  no  yes no
freeze compute                             | computed  | no  yes yes no
freeze compute approve                     | approved  | no  no  no  no
freeze compute approve transfer            | approved  | no  no  no  no
freeze compute approve transfer seal       | sealed    | no  no  no  yes
freeze compute reject                      | open      | yes no  no  no
freeze reject                              | open      | yes no  no  no
freeze compute reject freeze compute       | computed  | no  yes yes no
freeze compute approve seal ask            | reopening | no  yes yes no
freeze compute approve seal ask keep       | sealed    | no  no  no  yes
freeze compute approve seal ask reopen     | open      | yes no  no  no
"""
ROWS = [line.split("|") for line in STATES.strip().splitlines()]


def month(story):
    told = [FACTS[step] for step in story.split() if step != "-"]
    return fold_month("330604", "390", "2023-12", told)


def allowed(question, *words, **named):
    try:
        question(*words, **named)
    except RuleRefused:
        return "no"
    return "yes"


@pytest.mark.parametrize(("story", "state", "answers"), ROWS)
def test_a_month_is_where_its_facts_left_it_and_allows_what_follows(story, state, answers):
    found = month(story)
    assert found.state == state.strip()
    assert found.version == len(story.replace("-", "").split())
    assert [
        allowed(found.refuse_second_close),
        allowed(found.refuse_decision, run=RUN, user="reviewer1"),
        allowed(found.refuse_rejection, run=RUN),
        allowed(found.refuse_reopening),
    ] == answers.split()


@pytest.mark.parametrize(
    ("story", "question", "refusal"),
    [
        ("freeze", lambda one: one.refuse_second_close(), AlreadyClosed),
        ("-", lambda one: one.refuse_reopening(), NotSealed),
        ("freeze compute", lambda one: one.refuse_decision(run="other", user="r"), CloseNotWaiting),
        # not waiting comes before the four eyes
        ("freeze", lambda one: one.refuse_decision(run=RUN, user="clerk1"), CloseNotWaiting),
        ("freeze compute", lambda one: one.refuse_decision(run=RUN, user="clerk1"), SamePerson),
        ("freeze compute", lambda one: one.refuse_rejection(run="other"), CloseNotWaiting),
        ("freeze compute approve seal ask",
         lambda one: one.refuse_decision(run=RUN, user="clerk1"), SamePerson),
    ],
)  # fmt: skip
def test_a_refusal_says_which_rule_it_is(story, question, refusal):
    with pytest.raises(refusal):
        question(month(story))


@pytest.mark.parametrize(
    ("story", "approved", "rejected"),
    [
        ("freeze compute", False, False),
        ("freeze compute approve", True, False),
        ("freeze compute approve seal", True, False),
        ("freeze compute reject", False, True),
        ("freeze compute reject freeze compute", False, False),
        ("freeze compute approve seal ask", False, False),
        ("freeze compute approve seal ask keep", False, False),  # kept for another reason
        ("freeze compute approve seal ask reopen", True, False),
    ],
)
def test_who_decides_again_as_they_decided_changes_nothing(story, approved, rejected):
    found = month(story)
    assert found.was_approved(run=RUN, by="reviewer1") == approved
    assert found.was_rejected(run=RUN, by="reviewer1", reason="不符") == rejected
    assert not found.was_approved(run=RUN, by="reviewer2")
    assert not found.was_approved(run="other", by="reviewer1")
    assert not found.was_rejected(run=RUN, by="reviewer1", reason="另有原因")


def test_a_preparer_may_withdraw_but_not_approve():
    waiting = month("freeze compute")
    waiting.refuse_rejection(run=RUN)
    with pytest.raises(SamePerson, match="clerk1"):
        waiting.refuse_decision(run=RUN, user="clerk1")


def test_runs_are_numbered_by_their_freezes():
    assert month("-").next_run() == "330604-390-2023-12-1"
    assert month("freeze compute reject").next_run() == "330604-390-2023-12-2"
    assert month("freeze reject freeze reject").next_run() == "330604-390-2023-12-3"


def test_what_was_approved_is_forgotten_by_the_next_freeze():
    again = month("freeze compute reject freeze")
    assert (again.plan, again.plan_hash, again.reason, again.approved_by) == (None,) * 4


def test_a_seal_is_named_and_transfers_stand_until_the_month_is_reopened():
    sealed = month("freeze compute approve transfer seal")
    assert (sealed.sealed_position, sealed.sealed_digest) == (9, "bb")
    assert (sealed.prepared_by, sealed.approved_by) == ("clerk1", "reviewer1")
    assert sealed.transfers == TRANSFER
    assert month("freeze compute approve transfer seal ask reopen").transfers == ()


def test_a_stranger_on_the_stream_is_not_read_over():
    with pytest.raises(TypeError, match="FundOpened"):
        fold_month(
            "330604", "390", "2023-12", [FundOpened(area="330604", by="a", fund="390", first=None)]
        )
