"""Methods that price a case by itself: by its days (按床日) or its group (DRG费率、日间病房).

The price of every number of days and of every group is computed beforehand, by the method's own
formula, and handed to the engine as a small table: no text repeats a formula.
"""

from collections.abc import Mapping

from settlement.clearing.cases.kernel import CASES, MAX_COST_FEN, Standing
from settlement.clearing.cases.run import Tally
from settlement.clearing.cases.scoring import Scope, scope_tables
from settlement.clearing.engine import Engine, Parts, Table
from settlement.clearing.methods.day_ward import day_case_fen
from settlement.clearing.methods.drg import fixed_rate_fen
from settlement.clearing.methods.per_diem import PerDiemCap, stay_fen
from settlement.clearing.policies.policy import DayWard, DrgFixedRate, PerDiem

#: A stay of more days, ten years, is held back: it is a mistake or wants to be looked at.
MAX_DAYS = 3_660

_PRICES = (("code", "VARCHAR"), ("fen", "BIGINT"))
_PRICING = (("by_days", "BIGINT"), ("capped", "BIGINT"))

#: The cases of ``CASES`` as ``told``: each with its standing and what it is worth.
TOLD = f"""{CASES},
coded AS (
    SELECT
        c.position, c.institution, c.cancelled, c.cost_fen, c.booked_fen, c.hospital_fen, r.capped,
        CASE WHEN r.by_days = 1 THEN NULLIF(c.days, '') ELSE c.dise_code END AS code
    FROM cases AS c
    JOIN kinds AS k ON k.institution = c.institution
        AND k.med_type = c.med_type AND k.clr_type = c.clr_type
    CROSS JOIN pricing AS r
),
judged AS (
    SELECT
        c.position, c.institution, c.cost_fen, c.booked_fen, c.hospital_fen, c.code,
        CASE WHEN c.capped = 1 AND c.cost_fen < p.fen THEN c.cost_fen ELSE p.fen END AS fen,
        CASE
            WHEN c.cancelled THEN {Standing.CANCELLED:d}
            WHEN c.code IS NULL THEN {Standing.NO_GROUP:d}
            WHEN p.code IS NULL THEN {Standing.UNKNOWN_GROUP:d}
            WHEN c.cost_fen IS NULL OR c.cost_fen < 0 OR c.cost_fen > {MAX_COST_FEN}
                THEN {Standing.COST_OUT_OF_BOUNDS:d}
            ELSE {Standing.NORMAL:d}
        END AS standing
    FROM coded AS c LEFT JOIN prices AS p ON p.code = c.code
),
told AS (
    SELECT
        position, institution, standing, cost_fen, booked_fen, hospital_fen,
        CASE WHEN standing BETWEEN {Standing.NO_GROUP:d} AND {Standing.COST_OUT_OF_BOUNDS:d}
            THEN code END AS held_code,
        CASE WHEN standing = {Standing.NORMAL:d} THEN fen ELSE 0 END AS worth_fen
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
    rules: PerDiem | DrgFixedRate | DayWard, scope: Scope, *, watermark: int
) -> dict[str, Table]:
    """Give the small tables of a run of ``PRICED``."""
    if isinstance(rules, PerDiem):
        pricing = (1, int(rules.cap is PerDiemCap.LOWER))
        prices = {
            str(days): stay_fen(days, 0, stages=rules.stages, cap=PerDiemCap.FIXED)
            for days in range(MAX_DAYS + 1)
        }
    elif isinstance(rules, DayWard):
        pricing = (0, int(rules.lower))
        prices = {
            code: day_case_fen(fen, 0, lower=False) for code, fen in rules.standards_fen.items()
        }
    else:
        pricing = (0, 0)
        prices = {
            code: fixed_rate_fen(one.points4, rules.rate) for code, one in rules.groups.items()
        }
    return {
        **scope_tables(scope, {}, watermark=watermark),
        "prices": Table(_PRICES, sorted(prices.items())),
        "pricing": Table(_PRICING, [pricing]),
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
