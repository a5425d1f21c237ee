"""The clearing kernel once more, naively: row by row, in fractions, from the text of the rules.

It shares no formula with ``settlement/clearing``; it is slow and meant to be read.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pyarrow.parquet as pq

CANCELLED, NO_GROUP, UNKNOWN_GROUP, UNKNOWN_INSTITUTION, COST, REVIEW = range(6)
UNKNOWN_AUXILIARY = 9
NORMAL, LOW, HIGH, REVIEWED = range(10, 14)
HIGHEST_COST_FEN = 500_000_000
HIGHEST_REVIEW4 = 10**12


def reference(parts: Any, rules: Any, scope: Any, *, watermark: int) -> list[tuple[Any, ...]]:
    """Give the rows that the kernel has to give."""
    return added_up(
        (
            (case, *_judge(case, rules, ended=ended))
            for case, ended in cases(parts, scope, watermark)
        ),
        scope.fund,
    )


def added_up(judged: Any, fund: str) -> list[tuple[Any, ...]]:
    """Add cases with their standing and points up by institution, standing and held group."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for case, standing, points4 in judged:
        held = (case["dise_code"] or None) if NO_GROUP <= standing < NORMAL else None
        none_yet = [0, 0, 0, 0, 0, case["position"]]
        one = sums.setdefault((case["institution"], standing, held), none_yet)
        owed = [posting for posting in case["postings"] or [] if posting["fund"] == fund]
        booked = sum(posting["fen"] for posting in owed)
        one[0] += 1
        one[1] += points4
        one[2] += case["medfee_sumamt"]
        one[3] += booked
        one[4] += case["medfee_sumamt"] - booked - (case["hosp_part_amt"] or 0)
    return [(*key, *one) for key, one in sums.items()]


def cases(parts: Any, scope: Any, watermark: int) -> list[tuple[dict[str, Any], bool]]:
    """Give the cases of a scope, and whether each was cancelled."""
    return [
        (row, ended)
        for row, ended in followed(parts, scope.area, watermark)
        if row["insutype"] in scope.insutypes
        and row["belongs_to"] in scope.months
        and (row["clr_type"], row["med_type"], row["institution"]) in scope.kinds
    ]


def followed(parts: Any, area: str, watermark: int) -> list[tuple[dict[str, Any], bool]]:
    """Follow every settlement through the log: which stand at the end, and which do not."""
    log = sorted(
        (
            (row["position"], kind, row)
            for kind, one in parts.items()
            if kind != "stays"  # the same files once more
            for file in one.files
            for row in pq.ParquetFile(file).read().to_pylist()
        ),
        key=lambda event: event[0],
    )
    settled: dict[str, dict[str, Any]] = {}  # what stands of each settlement id
    latest: dict[str, dict[str, Any]] = {}  # what stood last of it, refunded or not
    refunded: set[str] = set()
    ended: set[int] = set()
    found = []
    for position, kind, row in log:
        if position > watermark or row["area"] != area:
            continue
        name = row["setl_id"]
        if kind == "settled":
            settled[name] = latest[name] = row
            found.append(row)
        elif kind == "grouped":
            latest[name]["dise_code"] = row["dise_code"]
            latest[name]["hits"] = [one for one in (row["auxiliary"] or "").split("+") if one]
        elif kind == "reviewed":
            latest[name]["review"] = row if row["decision"] == "accepted" else None
        elif kind == "refunded":
            refunded.add(name)
        elif row["refund"]:
            refunded.remove(name)
        else:
            ended.add(settled.pop(name)["position"])
    return [(row, row["position"] in ended or row["setl_id"] in refunded) for row in found]


def _judge(case: dict[str, Any], rules: Any, *, ended: bool) -> tuple[int, int]:
    review = case.get("review")
    given4 = None if review is None else review["points4"]
    standing = CANCELLED if ended else _held_back(case, rules, given4, accepted=review is not None)
    if standing is not None:
        return standing, 0
    own4 = rules.coefficients4.get(case["institution"], rules.other_coefficient4)
    if case["dise_code"] in rules.primary:
        own4 = rules.primary_coefficient4
    coefficient = Fraction(own4, 10_000)
    if given4 is not None:
        multiplied = rules.review_points.value == "before_coefficient"
        return REVIEWED, rounded(given4 * coefficient) if multiplied else given4
    group = rules.groups[case["dise_code"]]
    times = Fraction(case["medfee_sumamt"], group.average_fen)
    standing, exact = NORMAL, Fraction(group.points4)
    if review is not None:
        standing = REVIEWED
    elif times < rules.low:
        standing, exact = LOW, times * group.points4
    elif times > rules.high:
        standing, exact = HIGH, (times - rules.high + 1) * group.points4
    points4 = rounded(exact)
    if rules.auxiliary4 and case.get("hits"):
        points4 = rounded(
            points4 * max(Fraction(rules.auxiliary4[one], 10_000) for one in case["hits"])
        )
    return standing, rounded(points4 * coefficient)


def _held_back(
    case: dict[str, Any], rules: Any, given4: int | None, *, accepted: bool
) -> int | None:
    cost, code = case["medfee_sumamt"], case["dise_code"]
    institutions = rules.coefficients4
    unknown = case["institution"] not in institutions and rules.other_coefficient4 is None
    strange = {*case.get("hits", ())} - {*rules.auxiliary4} if rules.auxiliary4 else set()
    reasons = {
        NO_GROUP: not code and given4 is None,
        UNKNOWN_GROUP: code not in rules.groups and given4 is None,
        UNKNOWN_INSTITUTION: unknown,
        UNKNOWN_AUXILIARY: given4 is None and bool(strange),
        REVIEW: given4 is not None and not 0 <= given4 <= HIGHEST_REVIEW4,
        COST: cost < 0 or (cost > HIGHEST_COST_FEN and not accepted),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def rounded(exact: Fraction) -> int:
    """Round half-up, by way of the decimal module: a long expansion decides as the fraction would."""
    whole, rest = divmod(exact.numerator, exact.denominator)
    with localcontext(prec=60):
        part = Decimal(rest) / Decimal(exact.denominator)
        return whole + int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP))
