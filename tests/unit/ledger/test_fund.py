"""Funds and sub-funds, and the codes of areas and institutions."""

import pytest

from ledger.domain.fund import (
    FUNDS,
    Regime,
    fund_name,
    is_area,
    is_institution,
    is_leaf,
    leaves,
    parent,
)


@pytest.mark.parametrize(
    ("code", "belongs_to", "posts_on", "leaf"),
    [
        ("310", "310", ("310.pooled", "310.personal"), False),
        ("310.pooled", "310", ("310.pooled",), True),
        ("310.personal", "310", ("310.personal",), True),
        ("310.other", "310", ("310.other",), False),
        ("390", "390", ("390",), True),
        ("390.pooled", "390", ("390.pooled",), False),
        ("610", "610", ("610",), True),
        ("999", "999", ("999",), False),
        ("", "", ("",), False),
    ],
)
def test_postings_are_made_on_leaves(code, belongs_to, posts_on, leaf):
    assert (parent(code), leaves(code), is_leaf(code)) == (belongs_to, posts_on, leaf)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("310", "职工基本医疗保险", "Employee basic"),
        ("310.pooled", "职工基本医疗保险统筹基金", "Employee pooled"),
        ("310.personal", "职工基本医疗保险个人账户", "Employee personal accounts"),
        ("390", "城乡居民基本医疗保险", "Resident basic"),
        ("610", "医疗救助", "Medical assistance"),
        ("basic", "基本医疗保险合计", "Basic funds together"),
    ],
)
def test_a_fund_is_named_for_its_reader(code, zh, en):
    assert (fund_name(code), fund_name(code, "en")) == (zh, en)


def test_the_funds_are_those_of_the_contract():
    assert list(FUNDS) == ["310", "390", "330", "392", "320", "340", "410", "610", "900"]
    assert {code for code, fund in FUNDS.items() if fund.sub_funds} == {"310"}
    other = {
        code: fund.regime for code, fund in FUNDS.items() if fund.regime != FUNDS["310"].regime
    }
    assert other == {"610": Regime.ASSISTANCE, "900": Regime.COMMERCIAL}


@pytest.mark.parametrize(
    ("code", "area", "institution"),
    [
        ("330604", True, False),
        ("000000", True, False),
        ("33060", False, False),
        ("3306041", False, False),
        ("33060a", False, False),
        ("３３０６０４", False, False),
        ("H３３０６０４00001", False, False),
        ("H33060400001", False, True),
        ("P330604A00Z9", False, True),
        ("h33060400001", False, False),
        ("X33060400001", False, False),
        ("H3306040000", False, False),
        ("H330604000012", False, False),
        ("H33060a00001", False, False),
        ("H33060400001\n", False, False),
    ],
)
def test_codes_of_areas_and_institutions(code, area, institution):
    assert (is_area(code), is_institution(code)) == (area, institution)
