"""A bank's statement on its way into the log, on both stores.

Deliberate defects that these tests catch: a line of an overlapping statement added twice; an equal
second line taken for the first; a person's name in an event; a file with a broken balance posted.
"""

import pytest
from support.office import AREA, CLERK, H1

from ledger.domain.identity import bank_statement_stream
from settlement.reconciliation.withdrawing import StatementMatched

ACCOUNT = "33001660400001"


def line(day, amount, balance="", **more):
    return {
        "date": day,
        "amount": amount,
        "balance": balance,
        "counterparty": "",
        "summary": "",
        "bank_ref": "",
        "account": ACCOUNT,
        **more,
    }


FIRST = [
    line("2024-01-05", "10000.00", "10000.00", bank_ref="B1", counterparty="上虞区财政局"),
    line("2024-01-10", "-4000.00", "6000.00", bank_ref="B2", counterparty="第一人民医院"),
    line("2024-01-10", "-10.00", "5990.00", summary="手续费"),
    line("2024-01-10", "-10.00", "5980.00", summary="手续费"),
]
LATER = [
    line("2024-01-31", "-80.00", "5900.00", bank_ref="B3", counterparty="张三丰"),
    line("2024-02-01", "-900.00", "5000.00", bank_ref="B4"),
]


def payments(office, period="2024-01"):
    history = office.ledger.history(bank_statement_stream(AREA, "bank", ACCOUNT, period))
    return [one for _, envelope in history for one in envelope.fact.payments]


def test_lines_are_kept_by_account_and_month(banked, state):
    brought = state(*FIRST, *LATER)
    assert (brought.kind, brought.state, brought.posted) == ("bank_statement", "posted", 6)
    january = payments(banked)
    assert [one.fen for one in january] == [1_000_000, -400_000, -1_000, -1_000, -8_000]
    assert [one.nth for one in january] == [1, 1, 1, 2, 1]
    assert (january[1].institution, january[1].line) == (H1, 3)
    assert [one.fen for one in payments(banked, "2024-02")] == [-90_000]
    banked.assert_sound()


def test_overlapping_statements_change_nothing(banked, state):
    assert state(*FIRST).posted == 4
    again = state(*FIRST[1:], *LATER)
    assert (again.posted, again.already, again.rejected) == (2, 3, 0)
    assert len(payments(banked)) == 5
    same = state(*FIRST)
    assert (same.state, same.posted) == ("duplicate", 0)


def test_no_person_is_in_the_log(banked, state):
    state(*FIRST, *LATER)
    for position in range(1, banked.position + 1):
        assert "张三丰" not in banked.ledger.log.event_at(position).state.decode()
    assert payments(banked)[-1].counterparty == "张**"


def test_a_file_whose_balances_break_posts_nothing_and_says_all(banked, state):
    position = banked.position
    rows = [*FIRST[:1], *FIRST[2:], line("2024-01-11", "-1.00", "1.00"), line("x", "0", "1.00")]
    brought = state(*rows)
    assert [(one.line, one.field, one.code) for one in brought.rejections] == [
        (3, "balance", "balance_broken"),
        (5, "balance", "balance_broken"),
        (6, "date", "not_a_date"),
        (6, "amount", "zero_amount"),
    ]
    assert (brought.state, banked.position) == ("rejected", position)
    assert state(*rows, dry_run=True).state == "checked"
    partial = state(*rows, partial=True)
    assert (partial.state, partial.posted) == ("partial", 2)


def test_a_statement_brought_in_by_mistake_is_withdrawn_and_may_come_again(banked, state, medfund):
    brought = state(*FIRST, *LATER)
    done = medfund("reverse", "--intake", brought.intake, "--json", user=CLERK)
    assert done.json["reversed_rows"] == 6
    (account,) = medfund("reconcile", "bank", "2024-01", "--json").json["accounts"] or [None]
    assert (account["theirs_fen"], account["result"]) == (None, "no_statement")
    again = state(*FIRST, *LATER)
    assert (again.posted, again.already) == (6, 0)
    banked.assert_sound()


def test_a_matched_line_keeps_its_statement(banked, state, medfund):
    row = {"doc_no": "BF01", "fund": "390", "item": "benefit.inpatient", "counterparty": H1}
    banked.bring_flows([{**row, "date": "2024-01-10", "amount": "4000.00"}])
    brought = state(*FIRST)
    recorded = medfund("reconcile", "bank", "2024-01", "--record", "--json", user=CLERK)
    assert recorded.json["accounts"][0]["matches"] == {"party": 1}
    with pytest.raises(StatementMatched) as refused:
        banked.reverse_whole(brought.intake)
    released = medfund(
        *("reconcile", "release", refused.value.facts["match"], "--reason", "重做"), user=CLERK
    )
    assert released.code == 0
    assert banked.reverse_whole(brought.intake).reversed_rows == 4


def test_from_the_terminal(banked, medfund):
    path = banked.write_file("tax.csv", [{"date": "2024-01-05", "amount": "5", "bank_ref": "T1"}])
    said = medfund("intake", path, "--source", "tax", "--json", user=CLERK)
    assert said.code == 0, said.out
    assert said.json["files"][0]["posted"] == 1
    assert [one.fen for one in payments_of_tax(banked)] == [500]
    unknown = medfund("intake", path, "--profile", "gs", "--json", user=CLERK)
    assert unknown.code == 2
    assert unknown.json["files"][0]["problems"][0]["code"] == "unknown_layout"


def payments_of_tax(office):
    history = office.ledger.history(bank_statement_stream(AREA, "tax", "tax", "2024-01"))
    return [one for _, envelope in history for one in envelope.fact.payments]
