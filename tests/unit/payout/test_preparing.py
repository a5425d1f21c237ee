"""Who is payable what, and as which kind of benefit: tables by hand, and the laws for any amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.payout.kinds import kind_of, split
from settlement.payout.preparing import Standing, held_back, orders, payable

A, B, C = "H33060400001", "H33060400002", "H33060400003"
JAN, FEB, MAR = "2024-01", "2024-02", "2024-03"

#: approved by month → what is taken of which month, oldest first
TABLE = [
    ({JAN: 100}, [(JAN, 100)]),
    ({JAN: -30, FEB: 100}, [(FEB, 70)]),
    ({JAN: 100, FEB: -30}, [(JAN, 70)]),
    ({JAN: 50, FEB: -60, MAR: 40}, [(JAN, 30)]),
    ({JAN: 20, FEB: -10, MAR: 40}, [(JAN, 20), (MAR, 30)]),
    ({"2023": 15, JAN: 5}, [("2023", 15), (JAN, 5)]),
    ({JAN: 10, FEB: -10}, []),
    ({JAN: -10}, []),
]


@pytest.mark.parametrize(("months", "taken"), TABLE)
def test_the_net_is_taken_from_the_oldest_months_above_nil(months, taken):
    approved = {(A, month): fen for month, fen in months.items()}
    (found,) = payable(approved, standing=Standing())
    assert list(found.months) == taken
    assert (found.held == "carried") == (not taken)


def test_a_chosen_month_is_paid_as_far_as_the_net_goes():
    approved = {(A, JAN): 100, (A, FEB): 50, (A, MAR): -120, (B, JAN): 7}
    chosen = list(payable(approved, months={FEB}, institutions={A}, standing=Standing()))
    assert [(one.institution, one.months) for one in chosen] == [(A, ((FEB, 30),))]


def test_whoever_is_held_back_is_listed_and_not_ordered():
    standing = Standing(held={A: "suspended"}, payees={B: C}, final={B})
    found = list(payable({(A, JAN): 5, (B, JAN): 6, (C, JAN): -1}, standing=standing))
    (order,) = orders("390", found, booked={}, local={}, standing=standing)
    assert (order.institution, order.payee, order.fen, order.final) == (B, C, 6, True)
    assert order.parts[0].kinds == {"other": 6}, "nothing was booked: nothing is guessed"
    assert [(one.institution, one.fen, one.reason) for one in held_back(found)] == [
        (A, 5, "suspended"),
        (C, -1, "carried"),
    ]


#: A is merged into C: approved by institution → orders, and who is held back for what
SUCCESSION = [
    ({A: -30, B: 10, C: 100}, {B: 10, C: 70}, [(A, "carried")]),  # the successor is paid less
    ({A: 100, C: -30}, {A: 70}, [(C, "carried")]),  # and what is owed to it makes up for its own
    ({A: -30, C: 30}, {}, [(A, "carried"), (C, "succeeded")]),
    ({A: -30, C: 20}, {}, [(A, "carried"), (C, "succeeded")]),  # 10 are carried on
    ({A: -30, B: 50}, {B: 50}, [(A, "carried")]),  # B is not in the line
    ({A: 20, C: 30}, {A: 20, C: 30}, []),
]


@pytest.mark.parametrize(("nets", "ordered", "held"), SUCCESSION)
def test_the_debt_of_a_merged_institution_goes_to_its_successor(nets, ordered, held):
    """Paying the successor in full while the merged one's debt lies for ever fails here."""
    standing = Standing(payees={A: C}, merged={A})
    approved = {(institution, JAN): fen for institution, fen in nets.items()}
    found = list(payable(approved, standing=standing))
    lines = orders("390", found, booked={}, local={}, standing=standing)
    assert {one.institution: one.fen for one in lines} == ordered
    assert [(one.institution, one.reason) for one in held_back(found)] == held
    for one in (A, C):
        alone = list(payable(approved, institutions={one}, standing=standing))
        assert alone == [other for other in found if other.institution == one], "chosen or not"


def test_what_made_up_for_a_debt_is_not_ordered_later():
    """January: A −30, C 100, of which 70 were ordered; 30 stay. February brings C 50."""
    standing = Standing(payees={A: C}, merged={A})
    _, found = payable({(A, JAN): -30, (C, JAN): 30, (C, FEB): 50}, standing=standing)
    assert sum(fen for _, fen in found.months) == 50


KINDS = [
    ("11", "11", "outpatient"),
    ("11", "140104", "chronic"),
    ("21", "21", "inpatient"),
    ("21", "28", "inpatient"),
    ("41", "41", "pharmacy"),
    ("21", "52", "maternity_medical"),
    ("11", "9903", "special_drug"),  # local, named by the area
    ("21", "9904", "inpatient"),  # local, by 清算类别
    ("51", "9904", "other"),
]


@pytest.mark.parametrize(("clr_type", "med_type", "kind"), KINDS)
def test_the_kind_follows_from_the_codes(clr_type, med_type, kind):
    assert kind_of(clr_type, med_type, {"9903": "special_drug"}) == kind


def test_personal_accounts_and_assistance_are_one_kind_and_refunds_take_their_kind_out():
    booked = {("21", "21"): 600, ("11", "11"): -5}
    assert split("310.personal", 7, booked, {}) == {"personal_account": 7}
    assert split("610", 7, booked, {}) == {"assistance": 7}
    assert split("390", 7, booked, {}) == {"inpatient": 7}
    assert split("390", 33_334, {("21", "21"): 6, ("11", "11"): 3, ("11", "14"): 1}, {}) == {
        "inpatient": 20_000,
        "outpatient": 10_000,
        "chronic": 3_334,
    }


def test_kinds_stand_in_the_order_of_their_names_whatever_the_order_of_the_engines_rows():
    booked = {("21", "21"): 6, ("11", "11"): 3, ("11", "14"): 1}
    backwards = dict(reversed(booked.items()))
    first, again = split("390", 100, booked, {}), split("390", 100, backwards, {})
    assert list(first.items()) == list(again.items())


amounts = st.integers(-(10**12), 10**12).filter(bool)
approvals = st.dictionaries(
    st.tuples(st.sampled_from([A, B, C]), st.sampled_from(["2023", JAN, FEB, MAR])), amounts
)
books = st.dictionaries(
    st.tuples(st.sampled_from(["11", "21", "41"]), st.sampled_from(["11", "14", "21", "41", "99"])),
    st.integers(-(10**9), 10**12),
)


@given(approvals, books, st.sampled_from(["390", "310.pooled", "310.personal", "610"]))
def test_what_is_ordered_is_the_net_to_the_fen_whatever_the_order_of_input(approved, book, fund):
    """Rounding each kind, ordering below nil, or paying a month twice breaks one of these."""
    found = list(payable(approved, standing=Standing()))
    backwards = dict(reversed(approved.items()))
    assert list(payable(backwards, standing=Standing())) == found
    booked = dict.fromkeys(approved, book)
    ordered = {
        one.institution: one
        for one in orders(fund, found, booked=booked, local={}, standing=Standing())
    }
    for institution in {institution for institution, _ in approved}:
        net = sum(fen for (code, _), fen in approved.items() if code == institution)
        order = ordered.get(institution)
        assert (order.fen if order else 0) == max(net, 0)
        for part in order.parts if order else ():
            assert 0 < part.fen <= approved[institution, part.month]
            assert sum(part.kinds.values()) == part.fen
            assert all(fen > 0 for fen in part.kinds.values())
