"""Methods that price a case by itself: by its days (按床日) or its group (DRG费率、日间病房).

The price of every number of days and of every group is computed beforehand, by the method's own
formula, and handed to the engine as a small table: no text repeats a formula. So is that of every
weight that a review gave (``WEIGHTS`` asks which there are).

An accepted review (特例单议) makes of a case what the method's ``reviews`` says: the amount given, or
what was booked at the counter. By rates of diagnosis groups it may give a weight instead. Without
either the case has its usual price, whatever it cost.
"""

from collections.abc import Mapping

from settlement.clearing.cases.kernel import CASES, MAX_COST_FEN, MAX_REVIEW4, Standing
from settlement.clearing.cases.run import Tally
from settlement.clearing.cases.scoring import Scope, scope_tables
from settlement.clearing.engine import Engine, Parts, Row, Table
from settlement.clearing.methods.day_ward import day_case_fen
from settlement.clearing.methods.drg import fixed_rate_fen
from settlement.clearing.methods.per_diem import PerDiemCap, stay_fen
from settlement.clearing.policies.policy import DayWard, DrgFixedRate, PerDiem, PricedReviews

#: A stay of more days, ten years, is held back: it is a mistake or wants to be looked at.
MAX_DAYS = 3_660
#: What a review may make a case worth: a hundred million yuan.
MAX_AMOUNT_FEN = 10**10

_PRICES = (("code", "VARCHAR"), ("fen", "BIGINT"))
_WEIGHED = (("points4", "BIGINT"), ("fen", "BIGINT"))
_PRICING = (
    ("by_days", "BIGINT"),
    ("capped", "BIGINT"),
    ("as_given", "BIGINT"),
    ("as_booked", "BIGINT"),
)

#: The weights that accepted reviews gave, whatever cases they are of.
WEIGHTS = f"""
SELECT DISTINCT r.points4
FROM reviewed AS r JOIN bounds AS b ON r.area = b.area
WHERE r.position <= b.watermark AND r.decision = 'accepted'
    AND r.points4 BETWEEN 0 AND {MAX_REVIEW4}
"""

#: The cases of ``CASES`` as ``told``: each with its standing and what it is worth.
TOLD = f"""{CASES},
coded AS (
    SELECT
        c.position, c.institution, c.cancelled, c.cost_fen, c.booked_fen, c.hospital_fen, r.capped,
        CASE WHEN r.by_days = 1 THEN NULLIF(c.days, '') ELSE c.dise_code END AS code,
        c.review4, c.review_fen, r.as_booked,
        c.accepted AND r.as_given + r.as_booked = 1 AS accepted,
        c.accepted AND COALESCE(c.review4, c.review_fen) IS NOT NULL AS given,
        c.accepted AND (r.as_booked = 1
            OR (r.as_given = 1 AND COALESCE(c.review4, c.review_fen) IS NOT NULL)) AS valued
    FROM cases AS c
    JOIN kinds AS k ON k.institution = c.institution
        AND k.med_type = c.med_type AND k.clr_type = c.clr_type
    CROSS JOIN pricing AS r
),
judged AS (
    SELECT
        c.position, c.institution, c.cost_fen, c.booked_fen, c.hospital_fen, c.code,
        CASE
            WHEN c.accepted AND c.as_booked = 1 THEN c.booked_fen
            WHEN c.accepted AND c.given THEN COALESCE(w.fen, c.review_fen)
            WHEN c.capped = 1 AND c.cost_fen < p.fen THEN c.cost_fen
            ELSE p.fen
        END AS fen,
        CASE
            WHEN c.cancelled THEN {Standing.CANCELLED:d}
            WHEN c.accepted AND c.given AND (c.as_booked = 1
                OR (c.review4 IS NOT NULL AND (w.fen IS NULL OR c.review_fen IS NOT NULL))
                OR c.review_fen < 0 OR c.review_fen > {MAX_AMOUNT_FEN})
                THEN {Standing.REVIEW_OUT_OF_BOUNDS:d}
            WHEN c.code IS NULL AND NOT c.valued THEN {Standing.NO_GROUP:d}
            WHEN p.code IS NULL AND NOT c.valued THEN {Standing.UNKNOWN_GROUP:d}
            WHEN c.cost_fen IS NULL OR c.cost_fen < 0
                OR (c.cost_fen > {MAX_COST_FEN} AND NOT c.accepted)
                THEN {Standing.COST_OUT_OF_BOUNDS:d}
            WHEN c.accepted THEN {Standing.REVIEWED:d}
            ELSE {Standing.NORMAL:d}
        END AS standing
    FROM coded AS c
    LEFT JOIN prices AS p ON p.code = c.code
    LEFT JOIN weighed AS w ON w.points4 = c.review4
),
told AS (
    SELECT
        position, institution, standing, cost_fen, booked_fen, hospital_fen,
        CASE WHEN standing BETWEEN {Standing.NO_GROUP:d} AND {Standing.REVIEW_OUT_OF_BOUNDS:d}
            THEN code END AS held_code,
        CASE WHEN standing >= {Standing.NORMAL:d} THEN fen ELSE 0 END AS worth_fen
    FROM judged
)"""

#: One row for each institution and standing, like the kernel's, with what the cases are worth.
PRICED = f"""{TOLD}
SELECT
    institution, standing, held_code,
    COUNT(*) AS cases, SUM(worth_fen) AS worth_fen, SUM(cost_fen) AS cost_fen,
    SUM(booked_fen) AS booked_fen, SUM(cost_fen - booked_fen - hospital_fen) AS borne_fen,
    MIN(position) AS first_position
FROM told
GROUP BY institution, standing, held_code
"""


def price_tables(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: PerDiem | DrgFixedRate | DayWard,
    scope: Scope,
    *,
    watermark: int,
) -> dict[str, Table]:
    """Give the small tables of a run of ``PRICED``, with the weights that reviews gave."""
    told = scope_tables(scope, {}, watermark=watermark)
    weighed: list[Row] = []
    by_days, capped = False, False
    if isinstance(rules, PerDiem):
        by_days, capped = True, rules.cap is PerDiemCap.LOWER
        prices = {
            str(days): stay_fen(days, 0, stages=rules.stages, cap=PerDiemCap.FIXED)
            for days in range(MAX_DAYS + 1)
        }
    elif isinstance(rules, DayWard):
        capped = rules.lower
        prices = {
            code: day_case_fen(fen, 0, lower=False) for code, fen in rules.standards_fen.items()
        }
    else:
        prices = {
            code: fixed_rate_fen(one.points4, rules.rate) for code, one in rules.groups.items()
        }
        if rules.reviews is PricedReviews.AS_GIVEN:
            given = sorted(points4 for (points4,) in engine.answer(WEIGHTS, parts, told))
            priced = ((points4, fixed_rate_fen(points4, rules.rate)) for points4 in given)
            weighed = [one for one in priced if one[1] <= MAX_AMOUNT_FEN]
    reviews = (rules.reviews is PricedReviews.AS_GIVEN, rules.reviews is PricedReviews.AS_BOOKED)
    return {
        **told,
        "prices": Table(_PRICES, sorted(prices.items())),
        "weighed": Table(_WEIGHED, weighed),
        "pricing": Table(_PRICING, [tuple(map(int, (by_days, capped, *reviews)))]),
    }


def price_cases(
    engine: Engine, parts: Mapping[str, Parts], told: Mapping[str, Table]
) -> list[tuple[Tally, int]]:
    """Give tallies without points and, beside each, what its cases are worth in fen."""
    found = []
    for institution, standing, code, cases, worth_fen, *sums in engine.answer(PRICED, parts, told):
        tally = Tally(institution, Standing(standing), code, cases, 0, *sums)
        found.append((tally, int(worth_fen)))
    return sorted(found, key=lambda one: one[0].order)
