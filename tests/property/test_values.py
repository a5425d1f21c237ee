"""Laws of money, months and entries, for any amount, month and document."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ledger.domain.chart import CHART, MONEY_ACCOUNTS, AccountClass
from ledger.domain.entry import Book, red_letter, sides
from ledger.domain.money import allocate, decimal_text, format_yuan, round_half_up
from ledger.domain.period import Period, months_between
from ledger.domain.posting_rules import RULES, Flow, RuleNotApplicable, entry_of
from settlement.intake.amounts import parse_amount

INSTITUTION = "H33060400001"
fen = st.integers(-(10**15), 10**15)
positive = st.integers(1, 10**12)
fractions = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6)
institutions = st.from_regex(r"[HP][0-9]{11}", fullmatch=True)
weights = st.dictionaries(institutions, st.integers(0, 10**9), min_size=1, max_size=12).filter(
    lambda found: any(found.values())
)
months = st.builds(Period, st.integers(1950, 2100), st.integers(1, 12))
#: Cash-book accounts a document may name.
accounts = st.sampled_from(sorted(key for key in CHART if CHART[key].book is Book.CASH))
flows = st.builds(
    Flow,
    item=st.sampled_from(sorted(RULES)),
    fund=st.sampled_from(("310.pooled", "310.personal", "390", "610")),
    fen=positive,
    year=st.just(2023),
    counterparty=st.sampled_from((None, INSTITUTION, "某公司")),
    counterparty_fund=st.sampled_from(("390", "310.pooled")),
    money_account=st.sampled_from((None, *MONEY_ACCOUNTS)),
    original_year=st.sampled_from((2020, 2023)),
    method=st.sampled_from((None, "cash", "offset", "deposit", "instalment", "account")),
    account=st.none() | accounts,
    tax_collects=st.booleans(),
)


@examples(200)
@given(total=fen, split=weights)
def test_splitting_loses_nothing_and_is_fair_to_the_fen(total, split):
    shares = allocate(total, split)
    assert sum(shares.values()) == total
    base = sum(split.values())
    for key, share in shares.items():
        assert abs(share - Fraction(total * split[key], base)) < 1


@examples(100)
@given(total=fen, split=weights, data=st.data())
def test_a_split_depends_neither_on_order_nor_on_sign(total, split, data):
    shuffled = dict(data.draw(st.permutations(list(split.items()))))
    assert allocate(total, shuffled) == allocate(total, split)
    assert allocate(-total, split) == {key: -one for key, one in allocate(total, split).items()}


@examples(100)
@given(amount=fen)
def test_yuan_that_is_written_is_read_back(amount):
    assert parse_amount(format_yuan(amount)) == amount
    assert parse_amount(format_yuan(amount, grouped=False)) == amount


@examples(150)
@given(value=fractions, digits=st.integers(0, 6))
def test_rounding_is_near_symmetric_and_done_once(value, digits):
    rounded = round_half_up(value, digits)
    assert abs(rounded - value) <= Fraction(1, 2 * 10**digits)
    assert round_half_up(-value, digits) == -rounded
    assert round_half_up(rounded, digits) == rounded
    assert Fraction(decimal_text(value, digits)) == rounded


@examples(150)
@given(month=months, one=st.integers(-300, 300), other=st.integers(-300, 300))
def test_months_form_a_line(month, one, other):
    assert month.plus(one).plus(other) == month.plus(one + other)
    assert month.plus(one).ordinal - month.ordinal == one
    assert (month.plus(one) < month) == (one < 0)
    assert Period.parse(str(month)) == Period.from_ordinal(month.ordinal) == month
    assert month.next.first_day - month.last_day == date.resolution
    assert len(months_between(month, month.plus(abs(one)))) == abs(one) + 1


@examples(400)
@given(flow=flows)
def test_any_document_balances_in_every_fund_and_book_it_touches(flow):
    try:
        entry = entry_of(flow)
    except RuleNotApplicable:
        return  # refused as a whole: nothing is posted that would not balance
    sums: dict[tuple[str, Book], int] = defaultdict(int)
    for side in sides(entry):
        sums[side.fund, CHART[side.account].book] += side.debit_fen - side.credit_fen
    assert set(sums.values()) <= {0}
    assert not any(_net(entry + red_letter(entry)).values())


@examples(200)
@given(flow=flows, item=st.sampled_from(("fine_received", "fine_remitted")))
def test_a_fine_never_changes_what_a_fund_owns(flow, item):
    flow = replace(flow, item=item)
    owned = (AccountClass.INCOME, AccountClass.EXPENSE, AccountClass.NET_ASSETS)
    moved = {key for key, amount in _net(entry_of(flow)).items() if amount}
    assert not [key for key in moved if CHART[key[1]].kind in owned]


def _net(entry):
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for side in sides(entry):
        sums[side.fund, side.account] += side.debit_fen - side.credit_fen
    return sums
