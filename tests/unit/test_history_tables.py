"""The tables of published figures: that they say what was published, and that the files are theirs."""

from decimal import Decimal

import pytest
from support import history
from support.history import COUNTY, HISTORIES, NATIONAL, History


def total(lines, *, fund: str, items: tuple[str, ...] | None = None, year: str = "") -> Decimal:
    return sum(
        (
            Decimal(line.amount)
            for line in lines
            if line.fund.startswith(fund)
            and line.date.startswith(year)
            and (items is None or line.item.startswith(items))
        ),
        Decimal(0),
    )


def test_the_files_are_what_the_tables_say():
    written = {path.name: path.read_text("utf-8") for path in history.FOLDER.iterdir()}
    assert written == dict(history.contents())


@pytest.mark.parametrize(
    ("fund", "items", "published"),
    [
        ("310", ("contribution", "interest", "other_income", "transfer_in"), "32076.55"),
        ("310", ("benefit", "other_expense", "transfer_out"), "28438.81"),
        ("390", ("contribution", "subsidy", "interest", "other_income"), "38077.74"),
        ("390", ("benefit", "catastrophic", "other_expense"), "35602.94"),
        ("610", ("subsidy", "other_income"), "3674.71"),
        ("610", ("benefit", "assisted"), "3527.20"),
    ],
)
def test_the_county_parts_add_up_to_what_was_published(fund, items, published):
    lines = COUNTY.files["county-2024"]
    assert total(lines, fund=fund, items=items, year="2024") == Decimal(published)


def test_the_county_income_of_residents_misses_the_stated_sum_by_100_yuan():
    lines = COUNTY.files["county-2024"]
    own = total(lines, fund="390", items=("contribution", "subsidy", "interest", "other_income"))
    assisted = total(lines, fund="610", items=("assisted",))
    assert Decimal("38683.10") - (own + assisted) == Decimal("0.01")


def test_2023_is_2024_less_the_published_increase():
    lines = COUNTY.files["county-2024"]
    income = ("contribution", "interest", "other_income", "transfer_in")
    premiums, all_income = (
        total(lines, fund="310", items=items, year="2024")
        - total(lines, fund="310", items=items, year="2023")
        for items in (("contribution",), income)
    )
    assert (premiums, all_income) == (Decimal("4498.62"), Decimal("3784.72"))
    grown = premiums / total(lines, fund="310", items=("contribution",), year="2023") * 100
    assert round(grown, 2) == Decimal("16.69")


@pytest.mark.parametrize("place", HISTORIES, ids=lambda place: place.name)
def test_every_booked_break_is_a_row_of_its_own(place: History):
    lines = [line for table in place.files.values() for line in table]
    booked: dict[tuple[str, str], Decimal] = {}
    for one in place.breaks:
        if one.booked == "opening_adjustment":
            key = (one.fund, one.booked)
            booked[key] = booked.get(key, Decimal(0)) + Decimal(one.difference)
    assert booked == {
        (fund, "opening_adjustment"): total(lines, fund=fund, items=("opening_adjustment",))
        for fund, _ in booked
    }
    moved = [line for line in lines if line.item == "reclassification"]
    assert sum(Decimal(line.amount) for line in moved) == 0


def test_the_breaks_of_2022_add_up_to_the_break_of_the_national_total():
    of_2022 = [one for one in NATIONAL.breaks if one.where == "end of 2021 to 2022"]
    assert sum(Decimal(one.difference) for one in of_2022) == Decimal("158.66")


@pytest.mark.parametrize("place", HISTORIES, ids=lambda place: place.name)
def test_every_balance_is_opening_and_adjustments_and_income_less_expense(place: History):
    lines = [line for table in place.files.values() for line in table]
    spent = ("benefit", "catastrophic", "other_expense", "transfer_out", "assisted")
    for figure in place.figures:
        if figure.name != "accumulated_surplus" or figure.fund == "basic":
            continue
        until = [line for line in lines if line.date[:7] <= figure.period]
        paid_for = [line for line in until if line.counterparty_fund == figure.fund]
        pending = [line for line in until if line.account == "advance.other"]
        left = total(until, fund=figure.fund) - 2 * total(until, fund=figure.fund, items=spent)
        left += total(paid_for, fund="610") + total(pending, fund=figure.fund)
        assert left == Decimal(figure.value), figure
