"""DRG points (DRG点数法) of every stay: one SQL text beside the kernel's, with the same discipline.

The formulas are those of ``methods/drg.py``. Division happens only in ``hu``; the largest product of
a stay, with the kernel's bounds, is that of a case far above its group, 6.0e18:

    2 × base × cost × denominator      = 2 × 6e7 × 5e8 × 100 = 6.0e18
    2 × complete points × cost         = 2 × 6e8 × 5e8       = 6.0e17   (6e7 × 1e5 ÷ 1e4 = 6e8)
    2 × points of a stay × numerator   = 2 × 3.1e13 × 100    = 6.2e15   what a readmission leaves
"""

from settlement.clearing.cases.kernel import (
    CASES,
    MAX_COST_FEN,
    MAX_REVIEW4,
    ONE,
    Standing,
    hu,
)

#: The small tables of a run beside those of its scope.
TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "groups": (
        ("code", "VARCHAR"),
        ("base4", "BIGINT"),
        ("average_fen", "BIGINT"),
        ("low_below_fen", "BIGINT"),
        ("high_above_fen", "BIGINT"),
        ("high_denominator", "BIGINT"),
        ("high_base_fen", "BIGINT"),
        ("bed_day", "BIGINT"),
        ("single_review", "BIGINT"),
        ("dated", "BIGINT"),
    ),
    "ways": (("code", "VARCHAR"),),  # 离院方式 of an incomplete stay
    "lengths": (("code", "VARCHAR"), ("days", "BIGINT")),
    "readmitted": (("position", "BIGINT"),),
    "keeping": (("times_coefficient", "BIGINT"), ("keeps", "BIGINT"), ("of_parts", "BIGINT")),
}

_COMPLETE = hu("base4 * coefficient4", str(ONE))
_LOW = hu("base4 * cost_fen", "average_fen")
_ABOVE = hu(
    "base4 * (cost_fen * high_denominator - high_base_fen)", "average_fen * high_denominator"
)
_INCOMPLETE = hu("complete4 * cost_fen", "average_fen")
_REVIEW = hu("review4 * coefficient4", str(ONE))
_KEPT = hu("full4 * keeps", "of_parts")

#: The cases of ``CASES`` as ``pointed``: each with its standing and its points.
POINTED_STAYS = f"""{CASES},
judged AS (
    SELECT
        c.position, c.institution, c.dise_code, c.cost_fen, c.booked_fen, c.hospital_fen,
        c.review4, g.base4, g.average_fen, g.high_denominator, g.high_base_fen, k.coefficient4,
        d.days, p.times_coefficient, p.keeps, p.of_parts, r.position IS NOT NULL AS readmitted,
        CASE
            WHEN c.cancelled THEN {Standing.CANCELLED:d}
            WHEN c.review4 IS NULL AND c.dise_code IS NULL THEN {Standing.NO_GROUP:d}
            WHEN c.review4 IS NULL AND g.code IS NULL THEN {Standing.UNKNOWN_GROUP:d}
            WHEN k.coefficient4 IS NULL THEN {Standing.UNKNOWN_INSTITUTION:d}
            WHEN c.review_fen IS NOT NULL OR c.review4 < 0 OR c.review4 > {MAX_REVIEW4}
                THEN {Standing.REVIEW_OUT_OF_BOUNDS:d}
            WHEN c.cost_fen IS NULL OR c.cost_fen < 0
                OR (c.cost_fen > {MAX_COST_FEN} AND NOT c.accepted)
                THEN {Standing.COST_OUT_OF_BOUNDS:d}
            WHEN c.review4 IS NOT NULL THEN {Standing.REVIEWED:d}
            WHEN g.single_review = 1 AND (g.base4 IS NULL OR NOT c.accepted)
                THEN {Standing.SINGLE_REVIEW:d}
            WHEN g.bed_day = 1 AND d.days IS NULL THEN {Standing.NO_DAYS:d}
            WHEN g.bed_day = 0 AND c.accepted THEN {Standing.REVIEWED:d}
            WHEN g.dated = 1 AND c.begndate IS NULL THEN {Standing.NO_DATES:d}
            WHEN g.bed_day = 1 THEN {Standing.BED_DAY:d}
            WHEN w.code IS NOT NULL THEN {Standing.INCOMPLETE:d}
            WHEN c.cost_fen < g.low_below_fen THEN {Standing.LOW:d}
            WHEN c.cost_fen > g.high_above_fen THEN {Standing.HIGH:d}
            ELSE {Standing.NORMAL:d}
        END AS ruled
    FROM cases AS c
    JOIN kinds AS k ON k.institution = c.institution
        AND k.med_type = c.med_type AND k.clr_type = c.clr_type
    CROSS JOIN keeping AS p
    LEFT JOIN groups AS g ON g.code = c.dise_code
    LEFT JOIN ways AS w ON w.code = c.dscg_way
    LEFT JOIN lengths AS d ON d.code = c.days
    LEFT JOIN readmitted AS r ON r.position = c.position
),
complete AS (
    SELECT
        *,
        CASE WHEN ruled >= {Standing.NORMAL:d} THEN {_COMPLETE} END AS complete4,
        CASE
            WHEN readmitted AND ruled >= {Standing.NORMAL:d} AND ruled <> {Standing.REVIEWED:d}
                THEN {Standing.READMITTED:d}
            ELSE ruled
        END AS standing
    FROM judged
),
scored AS (
    SELECT
        *,
        CASE ruled
            WHEN {Standing.NORMAL:d} THEN complete4
            WHEN {Standing.LOW:d} THEN {_LOW}
            WHEN {Standing.HIGH:d} THEN complete4 + {_ABOVE}
            WHEN {Standing.INCOMPLETE:d} THEN LEAST({_INCOMPLETE}, base4)
            WHEN {Standing.BED_DAY:d} THEN base4 * days
            WHEN {Standing.REVIEWED:d} THEN CASE
                WHEN review4 IS NULL THEN complete4
                WHEN times_coefficient = 1 THEN {_REVIEW}
                ELSE review4
            END
            ELSE 0
        END AS full4
    FROM complete
),
pointed AS (
    SELECT
        position, institution, standing, cost_fen, booked_fen, hospital_fen,
        CASE WHEN standing BETWEEN {Standing.NO_GROUP:d} AND {Standing.NORMAL - 1:d}
            THEN dise_code END AS held_group,
        CASE WHEN standing = {Standing.READMITTED:d} THEN {_KEPT} ELSE full4 END AS points4
    FROM scored
)"""

#: One row for each institution and standing, and for each group of what is held back, as the kernel's.
STAYS = f"""{POINTED_STAYS}
SELECT
    institution, standing, held_group,
    COUNT(*) AS cases, SUM(points4) AS points4, SUM(cost_fen) AS cost_fen,
    SUM(booked_fen) AS booked_fen, SUM(cost_fen - booked_fen - hospital_fen) AS borne_fen,
    MIN(position) AS first_position
FROM pointed
GROUP BY institution, standing, held_group
"""
