"""Funds (基金, 险种) and the codes that name who is meant.

A fund is an independent accounting entity (财会〔2017〕28号 §3). The employee fund has two sub-funds
whose books balance on their own; a fund without sub-funds is its own only one. ``leaf`` means the
sub-fund, or the fund where there is none: postings are made on leaves only.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

EMPLOYEE, RESIDENT, ASSISTANCE = "310", "390", "610"
POOLED, PERSONAL = "310.pooled", "310.personal"
#: The two basic funds that headline indicators add up (基本医疗保险).
BASIC = "basic"
_AREA = re.compile(r"[0-9]{6}")
_INSTITUTION = re.compile(r"[HP][0-9]{6}[0-9A-Z]{5}")


class Regime(StrEnum):
    """The accounting rules a fund follows (会计制度)."""

    SOCIAL_INSURANCE = "social_insurance"  # 财会〔2017〕28号, 财社〔2017〕144号
    ASSISTANCE = "assistance"  # 财办〔2018〕43号, 财社〔2013〕217号
    COMMERCIAL = "commercial"  # 惠民保: outside the basic funds, own book


@dataclass(frozen=True, slots=True)
class Fund:
    """One fund with its national code, names and sub-funds."""

    code: str
    zh: str
    en: str
    regime: Regime = Regime.SOCIAL_INSURANCE
    sub_funds: tuple[str, ...] = ()

    @property
    def leaves(self) -> tuple[str, ...]:
        """Where postings are made: the sub-funds, or the fund itself."""
        return self.sub_funds or (self.code,)


FUNDS: dict[str, Fund] = {
    fund.code: fund
    for fund in (
        Fund("310", "职工基本医疗保险", "Employee basic", sub_funds=(POOLED, PERSONAL)),
        Fund("390", "城乡居民基本医疗保险", "Resident basic"),
        Fund("330", "职工大额医疗费用补助", "Employee large-amount"),
        Fund("392", "城乡居民大病保险", "Resident catastrophic"),
        Fund("320", "公务员医疗补助", "Civil-servant subsidy"),
        Fund("340", "离休人员医疗保障", "Retired cadres"),
        Fund("410", "长期护理保险", "Long-term care"),
        Fund("610", "医疗救助", "Medical assistance", Regime.ASSISTANCE),
        Fund("900", "惠民保", "Commercial top-up", Regime.COMMERCIAL),
    )
}

LEAF_NAMES: dict[str, tuple[str, str]] = {
    POOLED: ("职工基本医疗保险统筹基金", "Employee pooled"),
    PERSONAL: ("职工基本医疗保险个人账户", "Employee personal accounts"),
}


def parent(leaf: str) -> str:
    """Give the fund a sub-fund belongs to; a fund is its own parent."""
    return leaf.partition(".")[0]


def leaves(code: str) -> tuple[str, ...]:
    """List where a fund or sub-fund posts: ``310`` means both of its sub-funds."""
    return FUNDS[code].leaves if code in FUNDS else (code,)


def is_leaf(code: str) -> bool:
    """Tell whether postings can be made on this code."""
    return parent(code) in FUNDS and code in FUNDS[parent(code)].leaves


def fund_name(code: str, lang: str = "zh") -> str:
    """Name a fund, sub-fund or ``basic`` for a reader."""
    if code == BASIC:
        return "基本医疗保险合计" if lang == "zh" else "Basic funds together"
    if code in LEAF_NAMES:
        return LEAF_NAMES[code][0 if lang == "zh" else 1]
    return FUNDS[code].zh if lang == "zh" else FUNDS[code].en


def is_area(code: str) -> bool:
    """Tell whether this is a pooling area's code (统筹区, six digits)."""
    return _AREA.fullmatch(code) is not None


def is_institution(code: str) -> bool:
    """Tell whether this is an institution's code (定点医药机构: H or P, 6 digits, 5 characters)."""
    return _INSTITUTION.fullmatch(code) is not None
