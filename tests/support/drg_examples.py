"""Stays for the text of DRG points: the edges of its rules, and people who come again.

``golden_stays`` is for stays what ``golden`` is for cases: costs at and beside every edge and every
tie, products near the bound of 64 bits, every way in which a stay can end, and readmissions of every
kind on the last day that counts and one day later.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any

from support.clearing_examples import (
    COEFFICIENTS4,
    MONTH,
    Log,
    every_amendment,
    every_ending,
    hard_group,
)

from settlement.clearing.cases import kernel
from settlement.clearing.methods.drg import DrgRules, HighTier, high_multiple
from settlement.clearing.policies.policy import Drg, Group

H1, H2 = "H33010000002", "H33010000003"
DAYS = 15
PLAIN = DrgRules(incomplete_ways=frozenset({"2", "4"}), min_cases=3)
HARDEST = replace(
    PLAIN,
    low_multiple=Fraction(49, 100),
    high_tiers=(
        HighTier(upto_points=Fraction(60), multiple=Fraction(299, 100)),
        HighTier(upto_points=None, multiple=Fraction(199, 100)),
    ),
    readmission_keeps=Fraction(1, 3),
    readmission_anywhere=True,
    undated_held=False,
)


def golden_stays(own: DrgRules = PLAIN, *, seed: int = 11) -> tuple[Log, Drg]:
    """Make the set for one set of rules."""
    chance = random.Random(seed)
    log, groups = Log(), dict[str, Group]()
    rules = Drg(
        groups=groups,
        coefficients4=COEFFICIENTS4,
        rules=own,
        bed_day=frozenset({"床日1", "床日2"}),
        single_review=frozenset({"QY01", "非稳定"}),
        readmission_exempt=frozenset({"化疗", "病种007"}),
    )
    for code in ("化疗", "非稳定", "再入院", "小组"):
        groups[code] = Group(points4=1_234_567, average_fen=1_000_003)
    groups["床日1"] = Group(points4=35_000, average_fen=40_000)
    groups["床日2"] = Group(points4=kernel.MAX_BASE4, average_fen=40_000)
    for number in range(60):
        group = hard_group(chance, number)
        code = f"病种{number:03d}"
        groups[code] = group
        for cost in _hard_costs(group, own):
            for way in (None, "1", "4"):
                log.settle(code, chance.choice([*COEFFICIENTS4]), cost, dscg_way=way)
    _other_stays(log)
    _readmissions(log)
    every_ending(log)
    every_amendment(log)
    return log, rules


def _hard_costs(group: Group, own: DrgRules) -> Iterator[int]:
    average = group.average_fen
    multiple = high_multiple(group.points4, own.high_tiers)
    for edge in (own.low_multiple * average, multiple * average, Fraction(average)):
        for cost in {floor(edge), ceil(edge)}:
            yield from (cost - 1, cost, cost + 1)
    yield from (0, 1, kernel.MAX_COST_FEN)
    for beside in (
        -1,
        0,
        1,
    ):  # base x cost is half of the average, or just beside it, and a multiple
        yield (average // 2 + beside) * pow(group.points4, -1, average) % average


def _other_stays(log: Log) -> None:
    """Bed-days, groups that want a review, and stays without dates."""
    for institution in (H1, H2, "P33010000001"):
        for code in ("床日1", "床日2"):
            for days in ("0", "42", "3660", "3661", "-1", "04", "4.0", "", None):
                log.settle(code, institution, 500_000, days=days)
            log.review(log.settle(code, institution, 500_000, days="7"), None)
            log.settle(code, institution, 500_000, days="7", begndate=None)
        for code in ("QY01", "非稳定", "小组"):
            log.settle(code, institution, 700_000)
            log.review(log.settle(code, institution, 700_000), None)
            log.review(log.settle(code, institution, 700_000), 9_999)
            log.review(log.settle(code, institution, 700_000), None, decision="rejected")
        for code in ("化疗", "再入院"):
            for begun in (None, ""):
                log.settle(code, institution, 1_000_003, begndate=begun)
            log.review(log.settle(code, institution, 1_000_003, begndate=None), None)


def _stay(log: Log, who: str, began: date, nights: int, **others: Any) -> int:
    ended = began + timedelta(days=nights)
    known = {
        "person": who,
        "begndate": began.isoformat(),
        "enddate": ended.isoformat(),
        "setl_date": ended.isoformat(),
        "belongs_to": f"{ended:%Y-%m}",
    }
    code = others.pop("code", "再入院")
    institution = others.pop("institution", H1)
    return log.settle(code, institution, others.pop("cost", 1_000_003), **(known | others))


def _readmissions(log: Log) -> None:
    """A first stay in the month, and a second one: what differs is said by a word for each pair."""
    first = date.fromisoformat(f"{MONTH}-03")
    pairs: dict[str, dict[str, Any]] = {
        "same day": {"gap": 0},
        "last day": {"gap": DAYS},
        "too late": {"gap": DAYS + 1},
        "overlap": {"gap": -1},
        "next month": {"gap": DAYS, "nights": 20},
        "elsewhere": {"gap": 3, "institution": H2},
        "other group": {"gap": 3, "code": "非稳定"},
        "exempt": {"gap": 3, "code": "化疗", "first": {"code": "化疗"}},
        "other key": {"gap": 3, "person_key": 2},
        "other type": {"gap": 3, "clr_type": "99"},
        "other insurance": {"gap": 3, "insutype": "390"},
        "undated": {"gap": 3, "begndate": None},
        "undated first": {"gap": 3, "first": {"begndate": None}},
        "no discharge": {"gap": 3, "first": {"enddate": None}},
        "empty discharge": {"gap": 3, "first": {"enddate": ""}},
        "one day both": {"gap": 0, "nights": 0, "first": {"nights": 0}},
        "low": {"gap": 3, "first": {"cost": 300_001}},
        "high": {"gap": 3, "first": {"cost": 9_000_001}},
        "incomplete": {"gap": 3, "first": {"cost": 900_001, "dscg_way": "2"}},
    }
    for number, words in enumerate(pairs.values()):
        own = dict(words)
        of_first = own.pop("first", {})
        nights = of_first.pop("nights", 4)
        who = f"{number % 16:x}{number:031x}"
        _stay(log, who, first, nights, **of_first)
        again = first + timedelta(days=nights + own.pop("gap"))
        _stay(log, who, again, own.pop("nights", 5), **own)
    _amended_readmissions(log, first)


def _amended_readmissions(log: Log, first: date) -> None:
    """Three in a row; second stays that were taken back or regrouped; first stays that were reviewed."""
    for step in range(3):
        _stay(log, "f" * 32, first + timedelta(days=7 * step), 4)
    later = first + timedelta(days=8)
    names = ("refunded", "reversed", "regrouped", "grouped late", "reviewed", "reviewed points")
    for number, name in enumerate(names):
        who = f"{number:x}" + "e" * 31
        one = _stay(log, who, first, 4)
        two = _stay(log, who, later, 4, code=None if name == "grouped late" else "再入院")
        match name:
            case "refunded":
                log.refund(two)
            case "reversed":
                log.reverse(two)
            case "regrouped":
                log.group(two, "化疗")
            case "grouped late":
                log.group(two, "再入院")
            case "reviewed":
                log.review(one, None)
            case _:
                log.review(one, 777)
