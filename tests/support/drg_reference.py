"""DRG points of stays once more, naively: stay by stay and person by person, in fractions.

It shares no formula with ``settlement/clearing``; readmissions are found by comparing every two stays
of a person.
"""

from datetime import date
from fractions import Fraction
from typing import Any

from support.clearing_reference import (
    CANCELLED,
    COST,
    HIGH,
    HIGHEST_COST_FEN,
    HIGHEST_REVIEW4,
    LOW,
    NO_GROUP,
    NORMAL,
    REVIEW,
    REVIEWED,
    UNKNOWN_GROUP,
    UNKNOWN_INSTITUTION,
    added_up,
    cases,
    followed,
    rounded,
)

SINGLE, NO_DAYS, NO_DATES = range(6, 9)
INCOMPLETE, BED_DAY, READMITTED = range(14, 17)


def reference(parts: Any, rules: Any, scope: Any, *, watermark: int) -> list[tuple[Any, ...]]:
    """Give the rows that the text of stays has to give."""
    everybody = followed(parts, scope.area, watermark)
    own = cases(parts, scope, watermark)
    sizes: dict[str, int] = {}
    for case, ended in own:
        if not ended and case["dise_code"]:
            sizes[case["dise_code"]] = sizes.get(case["dise_code"], 0) + 1
    single = {code for code, count in sizes.items() if count < rules.rules.min_cases}
    single |= rules.single_review
    again = _readmitted(everybody, rules)
    return added_up(
        ((case, *_judge(case, rules, single, again, ended=ended)) for case, ended in own),
        scope.fund,
    )


def _readmitted(everybody: Any, rules: Any) -> set[int]:
    persons: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for case, ended in everybody:
        code = case["dise_code"]
        if not ended and code in rules.groups and code not in rules.readmission_exempt:
            who = (case["person"], case["person_key"], code, case["clr_type"])
            persons.setdefault(who, []).append(case)
    found = set()
    for stays in persons.values():
        for earlier in stays:
            for later in stays:
                if earlier is not later and _follows(earlier, later, rules.rules):
                    found.add(earlier["position"])
    return found


def _follows(earlier: dict[str, Any], later: dict[str, Any], own: Any) -> bool:
    if not later["begndate"]:
        return False
    left = date.fromisoformat(earlier["enddate"] or earlier["setl_date"])
    came = date.fromisoformat(earlier["begndate"]) if earlier["begndate"] else left
    again = date.fromisoformat(later["begndate"])
    gone = date.fromisoformat(later["enddate"] or later["setl_date"])
    if (again, gone, later["setl_id"]) < (came, left, earlier["setl_id"]):
        return False
    near = own.readmission_anywhere or earlier["institution"] == later["institution"]
    return bool(0 <= (again - left).days <= own.readmission_days and near)


def _judge(
    case: dict[str, Any], rules: Any, single: set[str], again: set[int], *, ended: bool
) -> tuple[int, int]:
    review = case.get("review")
    given4 = None if review is None else review["points4"]
    if ended:
        return CANCELLED, 0
    held = _held_back(case, rules, single, given4, accepted=review is not None)
    if held is not None:
        return held, 0
    coefficient = Fraction(rules.coefficients4[case["institution"]], 10_000)
    if given4 is not None:
        multiplied = rules.review_points.value == "before_coefficient"
        return REVIEWED, rounded(given4 * coefficient) if multiplied else given4
    standing, points4 = _by_rule(case, rules, coefficient, reviewed=review is not None)
    if case["position"] in again and standing != REVIEWED:
        return READMITTED, rounded(points4 * rules.rules.readmission_keeps)
    return standing, points4


def _by_rule(
    case: dict[str, Any], rules: Any, coefficient: Fraction, *, reviewed: bool
) -> tuple[int, int]:
    code, own = case["dise_code"], rules.rules
    group = rules.groups[code]
    base, times = group.points4, Fraction(case["medfee_sumamt"], group.average_fen)
    complete = rounded(base * coefficient)
    most = next(
        tier.multiple
        for tier in own.high_tiers
        if tier.upto_points is None or base <= tier.upto_points * 10_000
    )
    if code in rules.bed_day:
        return BED_DAY, base * int(case["days"])
    if reviewed:
        return REVIEWED, complete
    if case["dscg_way"] in own.incomplete_ways:
        return INCOMPLETE, min(base, rounded(complete * times))
    if times < own.low_multiple:
        return LOW, rounded(base * times)
    if times > most:
        return HIGH, complete + rounded(base * (times - most))
    return NORMAL, complete


def _held_back(
    case: dict[str, Any], rules: Any, single: set[str], given4: int | None, *, accepted: bool
) -> int | None:
    cost, code = case["medfee_sumamt"], case["dise_code"]
    known = code in rules.groups
    named = known or code in rules.single_review
    watched = known and code not in rules.readmission_exempt
    plain = given4 is None
    reasons = {
        NO_GROUP: plain and not code,
        UNKNOWN_GROUP: plain and not named,
        UNKNOWN_INSTITUTION: case["institution"] not in rules.coefficients4,
        REVIEW: given4 is not None and not 0 <= given4 <= HIGHEST_REVIEW4,
        COST: cost < 0 or (cost > HIGHEST_COST_FEN and not accepted),
        SINGLE: plain and code in single and (not accepted or not known),
        NO_DAYS: plain and code in rules.bed_day and not _days(case["days"]),
        NO_DATES: plain
        and watched
        and rules.rules.undated_held
        and not case["begndate"]
        and (not accepted or code in rules.bed_day),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _days(text: str | None) -> bool:
    """Tell whether the days of a stay are plain: no sign, no leading zero, ten years at most."""
    return bool(text and text.isdigit() and text == str(int(text)) and int(text) <= 3_660)
