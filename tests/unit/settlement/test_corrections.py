"""What may be reversed, how it is named, and what stands afterwards, on both stores."""

from datetime import date

import pytest
from support.office import AREA, H1, REVIEWER, open_office

from ledger.aggregates.area import RoleMissing
from ledger.domain.identity import claim_stream, document_stream
from ledger.events.cash import DocumentReversed
from ledger.events.claim import ClaimReversed
from settlement.corrections import (
    AlreadyReversed,
    IntakeNotComplete,
    NothingToReverse,
    reverse_fact,
    reverse_intake,
)

END = date(2030, 12, 31)


@pytest.fixture
def office(store_url, tmp_path):
    with open_office(store_url, tmp_path) as opened:
        opened.setup("310", "390")
        yield opened
        opened.assert_sound()


def flow(doc_no, yuan, day="2023-11-10", item="利息"):
    return {"doc_no": doc_no, "date": day, "fund": "390", "item": item, "amount": yuan}


def claim(setl_id, yuan, refund=""):
    amounts = dict.fromkeys(("medfee_sumamt", "fund_pay_sumamt"), yuan)
    rest = dict.fromkeys(("acct_pay", "psn_cash_pay"), "0")
    named = {"setl_id": setl_id, "fixmedins_code": H1, "setl_time": "2023-11-05"}
    return named | amounts | rest | {"refd_setl_flag": refund}


def last_of(office, stream):
    return office.ledger.history(stream)[-1]


def owed(office):
    return -office.balances(END, book="obligations").get(("310.pooled", "owed.booked"), 0)


def test_a_document_is_named_by_number_or_by_position(office):
    office.bring_flows([flow("A1", "5.00"), flow("A2", "7.00")])
    position, _ = last_of(office, document_stream(AREA, "A2"))
    office.reverse("A1", "重复入账")
    office.reverse(str(position), "金额有误")
    for doc_no, reason in (("A1", "重复入账"), ("A2", "金额有误")):
        at, last = last_of(office, document_stream(AREA, doc_no))
        assert isinstance(last.fact, DocumentReversed)
        assert (last.fact.reason, last.fact.original_position) == (reason, at - 3)
        assert last.fact.summary == f"冲销 {doc_no}: {reason}"
    assert office.balances(END) == {}


def test_a_number_that_looks_like_a_position_is_a_number_first(office):
    office.bring_flows([flow("3", "5.00"), flow("A2", "7.00")])
    office.reverse("3")
    assert office.balances(END)["390", "income.interest"] == -700


def test_a_settlement_and_its_refund_are_reversed_one_after_the_other(office):
    office.bring_claims([claim("S1", "90.00"), claim("S2", "10.00")])
    office.bring_claims([claim("S1", "-90.00", refund="1")])
    assert owed(office) == 1_000
    position, _ = last_of(office, claim_stream(AREA, "S1", refund=True))
    office.reverse(str(position), "不应退费")
    assert owed(office) == 10_000
    office.reverse("S2")
    assert owed(office) == 9_000
    _, last = last_of(office, claim_stream(AREA, "S1", refund=True))
    assert isinstance(last.fact, ClaimReversed)
    assert last.fact.refund


@pytest.mark.parametrize("ref", ["A9", "1", "0", "99999", "", "A1 "])
def test_what_names_no_document_cannot_be_reversed(office, ref):
    office.bring_flows([flow("A1", "5.00")])
    before = office.position
    with pytest.raises(NothingToReverse):
        office.reverse(ref)
    assert office.position == before


def test_only_a_clerk_reverses(office):
    office.bring_flows([flow("A1", "5.00")])
    for reverse, named in ((reverse_fact, "ref"), (reverse_intake, "intake")):
        with pytest.raises(RoleMissing):
            reverse(office.ledger, office.area, **{named: "A1"}, reason="x", user=REVIEWER)


def test_a_whole_intake_is_reversed_and_may_come_again(office):
    rows = [flow("A1", "5.00"), flow("A2", "7.00"), flow("A3", "1.00", item="住院")]
    brought = office.bring_flows(rows)
    office.bring_flows([flow("B1", "2.00")])
    office.reverse("A2")
    done = office.reverse_whole(brought.intake)
    assert done.reversed_rows == 2
    assert office.balances(END)["390", "income.interest"] == -200
    with pytest.raises(AlreadyReversed):
        office.reverse_whole(brought.intake)
    again = office.bring(brought.path, kind="fund_flows")
    assert (again.state, again.posted, again.intake) == ("posted", 3, f"{brought.intake}.2")
    assert office.balances(END)["390", "income.interest"] == -1_400


def test_an_intake_of_settlements_is_reversed_into_the_open_month(office):
    office.bring_flows([flow("A1", "5.00")])
    brought = office.bring_claims([claim("S1", "90.00"), claim("S2", "10.00")])
    office.bring_flows([{**flow("P1", "1.00", "2023-11-01"), "fund": "310.pooled"}])
    office.close("310", "2023-11")
    office.reverse_whole(brought.intake)
    _, last = last_of(office, claim_stream(AREA, "S1", refund=False))
    assert last.fact.booked_on == "2023-12-01"
    before = office.balances(date(2023, 11, 30), book="obligations")
    assert before["310.pooled", "owed.booked"] == -10_000
    assert owed(office) == 0


def test_an_unknown_intake_cannot_be_reversed(office):
    with pytest.raises(IntakeNotComplete):
        office.reverse_whole("I000000000000")
