"""Sum of statements = run: what an institution's statement (结算单) says is what its runs settled.

For any figures. The statement is laid from the obligations read model and the facts of the month's
stream; what is compared is the line of the run. Left out of the read model, of the entry, or of the
bridge, a part fails here.
"""

from hypothesis import given
from support.month_lines import FUND, H1, months, policies, signed, slowly

from ledger.domain.settlement_entries import declared_entry, refused_entry
from ledger.events.clearing import SettlementApproved, SettlementDeclared
from ledger.events.settlement import RefusalDecided
from projections.page import OBLIGATION_COLUMNS, OBLIGATION_SUMS
from projections.queries.bridge import bridge_of
from settlement.clearing.month.lines import Standing, entry_of, settle


def fact(kind, entry, **more):
    known = {
        "area": "330604",
        "booked_on": "2024-04-01",
        "postings": entry,
        "rules_version": 1,
        "prepared_by": "clerk1",
        "fund": FUND,
        "institution": H1,
        "belongs_to": "2024-03",
        "date": "2024-04-01",
        "summary": "",
    }
    return kind(**known, **more)


def applied_and_refused(month):
    """What lies on the month's stream before a run: the application, and what was refused of it."""
    declared, refused = month.owed["owed.declared"], month.owed["claims.refused"]
    if declared + refused:
        entry = declared_entry(FUND, H1, declared + refused)
        yield fact(SettlementDeclared, entry, amount_fen=declared + refused)
    if refused:
        yield fact(
            RefusalDecided,
            refused_entry(FUND, H1, declared_fen=refused, booked_fen=0),
            doc_no="JF-1",
            revision=1,
            amount_fen=refused,
            reason_code="01",
            reason="",
            approved_by="reviewer1",
        )


def approved(found, run):
    """What a run posts when it is approved."""
    one = found.line
    if one.on_behalf_fen:
        entry = declared_entry(FUND, H1, one.on_behalf_fen)
        yield fact(SettlementDeclared, entry, amount_fen=one.on_behalf_fen)
    yield fact(
        SettlementApproved,
        entry_of(FUND, one, found.offsets),
        run=run,
        payee=one.payee,
        declared_fen=one.settled_fen,
        deposit_fen=one.deposit_fen,
        difference_fen=one.difference_fen,
        insurer_fen=one.insurer_fen,
        offset_fen=one.offset_fen,
        prepaid_fen=one.prepaid_fen,
        approved_by="reviewer1",
    )


def statement(booked, otherwise, facts, lines):
    """The statement's bridge, from the obligations read model and the facts of the month."""
    sums = dict.fromkeys(OBLIGATION_SUMS, 0) | {"booked_fen": booked, "paid_fen": otherwise}
    for posting in (one for each in facts for one in each.postings):
        for account, sign in ((posting.credit, 1), (posting.debit, -1)):
            if account in OBLIGATION_COLUMNS:
                sums[OBLIGATION_SUMS[OBLIGATION_COLUMNS[account]]] += sign * posting.fen
    return bridge_of([sums], list(enumerate(facts)), lines, [])


@slowly
@given(months(), policies, signed)
def test_the_statement_of_an_institution_is_what_the_runs_settled(month, how, more):
    """Row by row, and payable to the fen; a second run before anything is ordered carries the first."""
    first = settle(month, how)
    if first is None:
        return
    owed = month.owed
    booked = -owed["claims.incurred"]
    otherwise = booked - sum(
        owed[key] for key in ("owed.booked", "owed.declared", "claims.refused")
    )
    facts = [*applied_and_refused(month), *approved(first, "run-1")]
    one = first.line
    said = statement(booked, otherwise, facts, [("run-1", one)])
    rows = {row["key"]: row["fen"] for row in said["bridge"]}
    assert rows["booked"] == one.booked_fen
    assert rows["refused"] == -one.refused_fen
    assert rows["undeclared"] + rows["unaudited"] == -one.waiting_fen
    for row, taken in (("deposit", one.deposit_fen), ("insurer", one.insurer_fen)):
        assert rows[row] == -taken
    for row, taken in (("offset", one.offset_fen), ("prepaid", one.prepaid_fen)):
        assert rows[row] == -taken
    assert rows["cleared"] == one.difference_fen
    assert (rows["carried_in"], rows["carried_out"]) == (one.carried_in_fen, -one.carried_out_fen)
    assert said["unpaid_fen"] == one.payable_fen
    assert said["agrees"] == {"books": True, "runs": True, "bank": True}
    # More comes in, and nothing was ordered of the first run: the second has it as carried in.
    again = settle(
        Standing(
            institution=H1,
            owed={
                "claims.incurred": -booked - more,
                "claims.refused": one.refused_fen,
                "owed.booked": owed["owed.booked"] - one.on_behalf_fen + more,
                "owed.declared": owed["owed.declared"] + one.on_behalf_fen - one.settled_fen,
                "owed.approved": one.payable_fen + one.carried_out_fen - one.carried_in_fen,
            },
            approved_elsewhere_fen=month.approved_elsewhere_fen,
            stays_booked_fen=month.stays_booked_fen,
            due=month.due,
            earlier=[one],
        ),
        how,
    )
    if again is not None:
        lines = [("run-1", one), ("run-2", again.line)]
        posted = [*facts, *approved(again, "run-2")]
        both = statement(booked + more, otherwise, posted, lines)
        assert both["unpaid_fen"] == again.line.payable_fen
        assert both["agrees"] == {"books": True, "runs": True, "bank": True}
