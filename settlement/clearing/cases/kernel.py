"""The kernel: one SQL text that scores every case and adds up by institution, in whole numbers.

The text is DuckDB's dialect; other engines get it through sqlglot, word for word the same rules.
What it needs to know comes as small tables, so the text never changes with the numbers.

Exactness. Division happens only in ``hu`` on operands that are not negative; ``//`` is exact on
64-bit integers on every engine. ``/`` and decimals are not used: each engine divides them in its
own way. The largest product of a case, with the bounds below, is

    2 × base × cost × denominator = 2 × 6e7 × 5e8 × 100 = 6.0e18    a case far above its group
    2 × case points × coefficient  = 2 × 3e13 × 1e5      = 6.0e18    (6e7 × 5e8 ÷ 1e3 = 3e13)

and the same with the factor of the auxiliary directory, since factor × coefficient is 10 at most; 64
bits hold 9.2e18. Points that a review gave are at most 1e12. A cost or review outside the bounds is
held back, a parameter outside is refused.
Sums: DuckDB widens them, Spark refuses one beyond 9.2e18 (9.2e14 points of one institution).
"""

from enum import IntEnum
from hashlib import sha256

import sqlglot

ONE = 10_000  # points and coefficients are whole numbers of 1/10,000
MAX_COST_FEN = 500_000_000
MIN_AVERAGE_FEN, MAX_AVERAGE_FEN = 1_000, MAX_COST_FEN
MAX_BASE4 = 60_000_000
MAX_COEFFICIENT4 = 100_000
MAX_DENOMINATOR = 100
MAX_MULTIPLE = 100
MAX_REVIEW4 = 10**12


class Standing(IntEnum):
    """How a case counts. Those below NORMAL bring no points: cancelled, or held back for a reason."""

    CANCELLED = 0  # refunded or reversed: no case any more
    NO_GROUP = 1  # 未入组: neither the claim nor a grouping names one
    UNKNOWN_GROUP = 2  # not in the list of this run
    UNKNOWN_INSTITUTION = 3  # no coefficient in this run
    COST_OUT_OF_BOUNDS = 4
    REVIEW_OUT_OF_BOUNDS = 5  # nothing that this method can count: too many points, or an amount
    SINGLE_REVIEW = 6  # 待单议: the group is too small or unstable to be scored by rule
    NO_DAYS = 7  # a bed-day group, and the claim names no days
    NO_DATES = 8  # nobody can tell whether the stay is a readmission
    UNKNOWN_AUXILIARY = 9  # a hit that is not in the auxiliary directory (辅助目录) of this run
    NORMAL = 10
    LOW = 11  # 低倍率: cost below the lower deviation edge
    HIGH = 12  # 高倍率: cost above the upper one
    REVIEWED = 13  # 特例单议 accepted: its points, or those of a normal case
    INCOMPLETE = 14  # 不完整住院
    BED_DAY = 15  # 床日病组
    READMITTED = 16  # an earlier stay whose patient came again too soon (再入院)

    @property
    def held_back(self) -> bool:
        return Standing.CANCELLED < self < Standing.NORMAL


#: The type of an entry's column.
POSTINGS = "STRUCT(fund VARCHAR, debit VARCHAR, credit VARCHAR, fen BIGINT, party VARCHAR)[]"

#: What tells who was where and when; only readmissions are looked for by persons' tokens.
_STAYS = (
    ("position", "BIGINT"),
    ("area", "VARCHAR"),
    ("setl_id", "VARCHAR"),
    ("insutype", "VARCHAR"),
    ("belongs_to", "VARCHAR"),
    ("clr_type", "VARCHAR"),
    ("med_type", "VARCHAR"),
    ("institution", "VARCHAR"),
    ("dise_code", "VARCHAR"),
    ("person", "VARCHAR"),
    ("person_key", "BIGINT"),
    ("begndate", "VARCHAR"),
    ("enddate", "VARCHAR"),
    ("setl_date", "VARCHAR"),
)

#: Which columns of the archive are read, by the name that the text gives to each kind of event.
ARCHIVE: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "settled": (
        "claim.settled.v1",
        (
            ("position", "BIGINT"),
            ("area", "VARCHAR"),
            ("setl_id", "VARCHAR"),
            ("insutype", "VARCHAR"),
            ("belongs_to", "VARCHAR"),
            ("clr_type", "VARCHAR"),
            ("med_type", "VARCHAR"),
            ("institution", "VARCHAR"),
            ("dise_code", "VARCHAR"),
            ("days", "VARCHAR"),
            ("begndate", "VARCHAR"),
            ("dscg_way", "VARCHAR"),
            ("insuplc_admdvs", "VARCHAR"),
            ("medfee_sumamt", "BIGINT"),
            ("hosp_part_amt", "BIGINT"),
            ("postings", POSTINGS),
        ),
    ),
    "refunded": (
        "claim.refunded.v1",
        (("position", "BIGINT"), ("area", "VARCHAR"), ("setl_id", "VARCHAR")),
    ),
    "reversed": (
        "claim.reversed.v1",
        (
            ("position", "BIGINT"),
            ("area", "VARCHAR"),
            ("setl_id", "VARCHAR"),
            ("refund", "BOOLEAN"),
            ("original_position", "BIGINT"),
        ),
    ),
    "stays": ("claim.settled.v1", _STAYS),
    "grouped": (
        "case.grouped.v1",
        (
            ("position", "BIGINT"),
            ("area", "VARCHAR"),
            ("setl_id", "VARCHAR"),
            ("dise_code", "VARCHAR"),
            ("auxiliary", "VARCHAR"),
        ),
    ),
    "reviewed": (
        "case.reviewed.v1",
        (
            ("position", "BIGINT"),
            ("area", "VARCHAR"),
            ("setl_id", "VARCHAR"),
            ("decision", "VARCHAR"),
            ("points4", "BIGINT"),
            ("amount_fen", "BIGINT"),
        ),
    ),
}

#: The small tables of a run and their columns.
TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "bounds": (
        ("area", "VARCHAR"),
        ("fund", "VARCHAR"),
        ("watermark", "BIGINT"),
        ("elsewhere", "BIGINT"),  # whether people insured elsewhere are counted
    ),
    "insutypes": (("code", "VARCHAR"),),
    "months": (("code", "VARCHAR"),),
    "kinds": (
        ("clr_type", "VARCHAR"),
        ("med_type", "VARCHAR"),
        ("institution", "VARCHAR"),
        ("coefficient4", "BIGINT"),
    ),
    "reviews": (("times_coefficient", "BIGINT"),),
    "groups": (
        ("code", "VARCHAR"),
        ("base4", "BIGINT"),
        ("average_fen", "BIGINT"),
        ("low_below_fen", "BIGINT"),
        ("high_above_fen", "BIGINT"),
        ("high_denominator", "BIGINT"),
        ("high_base_fen", "BIGINT"),
        ("own_coefficient4", "BIGINT"),
    ),
    "auxiliary": (("hits", "VARCHAR"), ("factor4", "BIGINT")),
}


def hu(a: str, b: str) -> str:
    """Write a ÷ b rounded half-up (四舍五入), for integers a ≥ 0 and b > 0."""
    return f"((2 * ({a}) + ({b})) // (2 * ({b})))"


_LOW = hu("base4 * cost_fen", "average_fen")
_HIGH = hu(
    "base4 * (cost_fen * high_denominator - high_base_fen)", "average_fen * high_denominator"
)

# A refund mirrors its settlement entirely, so neither is a case; rows of one commit lie in the order of
# their streams, so the refund may stand before what it mirrors. What was settled again after a
# reversal stands behind the position up to which its number is overtaken.
CANCELLED = """undone AS (
    SELECT r.original_position AS position
    FROM reversed AS r JOIN bounds AS b ON r.area = b.area
    WHERE r.refund AND r.position <= b.watermark
),
corrections AS (
    SELECT r.setl_id, b.watermark AS position
    FROM refunded AS r JOIN bounds AS b ON r.area = b.area
    LEFT JOIN undone AS u ON u.position = r.position
    WHERE r.position <= b.watermark AND u.position IS NULL
    UNION ALL
    SELECT r.setl_id, r.original_position
    FROM reversed AS r JOIN bounds AS b ON r.area = b.area
    WHERE NOT r.refund AND r.position <= b.watermark
),
overtaken AS (
    SELECT setl_id, MAX(position) AS through FROM corrections GROUP BY setl_id
)"""

# The latest grouping of a case counts, and the latest review. Either speaks of what had been settled
# when it was recorded: what is settled again under the same number is looked at anew.
AMENDED = """last_grouped AS (
    SELECT g.setl_id, MAX(g.position) AS position
    FROM grouped AS g JOIN bounds AS b ON g.area = b.area
    WHERE g.position <= b.watermark
    GROUP BY g.setl_id
),
regrouped AS (
    SELECT g.setl_id, g.position, g.dise_code, g.auxiliary
    FROM grouped AS g JOIN last_grouped AS l ON l.position = g.position
),
last_reviewed AS (
    SELECT r.setl_id, MAX(r.position) AS position
    FROM reviewed AS r JOIN bounds AS b ON r.area = b.area
    WHERE r.position <= b.watermark
    GROUP BY r.setl_id
),
accepted AS (
    SELECT r.setl_id, r.position, r.points4, r.amount_fen
    FROM reviewed AS r JOIN last_reviewed AS l ON l.position = r.position
    WHERE r.decision = 'accepted'
)"""

# What was booked is read from the entry: it names a fund at most once, so the greatest of its amounts
# for the fund is the only one (a maximum because both engines have it for lists; a sum they say
# differently).
#: The beginning of every text: ``cases`` are the settlements of the months by people insured so, in
#: their latest group, with what the fund was charged at the counter (记账). What was owed to another place
#: (异地就医) is cleared between the places and no case here. So is what is owed for people insured
#: elsewhere, unless the run counts them: then nothing was booked of the fund here.
CASES = f"""
WITH {CANCELLED},
{AMENDED},
cases AS (
    SELECT
        s.position, s.clr_type, s.med_type, s.institution, s.days,
        NULLIF(s.begndate, '') AS begndate, s.dscg_way, s.insuplc_admdvs,
        NULLIF(COALESCE(g.dise_code, s.dise_code), '') AS dise_code, g.auxiliary,
        s.medfee_sumamt AS cost_fen,
        COALESCE(
            list_max(list_transform(
                s.postings, lambda p: CASE
                    WHEN p.fund = b.fund AND p.credit <> 'owed.passthrough' THEN p.fen END
            )), 0
        ) AS booked_fen,
        COALESCE(s.hosp_part_amt, 0) AS hospital_fen,
        COALESCE(s.position <= o.through, FALSE) AS cancelled,
        a.position IS NOT NULL AS accepted,
        a.points4 AS review4, a.amount_fen AS review_fen
    FROM settled AS s JOIN bounds AS b ON s.area = b.area
    LEFT JOIN overtaken AS o ON o.setl_id = s.setl_id
    LEFT JOIN regrouped AS g ON g.setl_id = s.setl_id AND g.position > s.position
    LEFT JOIN accepted AS a ON a.setl_id = s.setl_id AND a.position > s.position
    WHERE s.position <= b.watermark
        AND s.insutype IN (SELECT code FROM insutypes)
        AND s.belongs_to IN (SELECT code FROM months)
        AND COALESCE(list_max(list_transform(s.postings, lambda p:
            CASE p.credit WHEN 'owed.remote' THEN 2 WHEN 'owed.passthrough' THEN 1 END
        )), 0) <= b.elsewhere
)"""

#: What was hit of the auxiliary directory (辅助目录): every set of entries that some case has.
HITS = """
SELECT DISTINCT g.auxiliary
FROM grouped AS g JOIN bounds AS b ON g.area = b.area
WHERE g.position <= b.watermark AND g.auxiliary <> ''
"""

#: The cases of ``CASES`` as ``pointed``: each with its standing and its points.
POINTED = f"""{CASES},
judged AS (
    SELECT
        c.position, c.institution, c.dise_code, c.cost_fen, c.booked_fen, c.hospital_fen,
        c.review4, g.base4, g.average_fen, g.high_denominator, g.high_base_fen,
        COALESCE(g.own_coefficient4, k.coefficient4) AS coefficient4, x.factor4,
        CASE
            WHEN c.cancelled THEN {Standing.CANCELLED:d}
            WHEN c.review4 IS NULL AND c.dise_code IS NULL THEN {Standing.NO_GROUP:d}
            WHEN c.review4 IS NULL AND g.code IS NULL THEN {Standing.UNKNOWN_GROUP:d}
            WHEN k.coefficient4 IS NULL THEN {Standing.UNKNOWN_INSTITUTION:d}
            WHEN c.review4 IS NULL AND x.hits IS NOT NULL AND x.factor4 IS NULL
                THEN {Standing.UNKNOWN_AUXILIARY:d}
            WHEN c.review_fen IS NOT NULL OR c.review4 < 0 OR c.review4 > {MAX_REVIEW4}
                THEN {Standing.REVIEW_OUT_OF_BOUNDS:d}
            WHEN c.cost_fen IS NULL OR c.cost_fen < 0
                OR (c.cost_fen > {MAX_COST_FEN} AND NOT c.accepted)
                THEN {Standing.COST_OUT_OF_BOUNDS:d}
            WHEN c.accepted THEN {Standing.REVIEWED:d}
            WHEN c.cost_fen < g.low_below_fen THEN {Standing.LOW:d}
            WHEN c.cost_fen > g.high_above_fen THEN {Standing.HIGH:d}
            ELSE {Standing.NORMAL:d}
        END AS standing
    FROM cases AS c
    JOIN kinds AS k ON k.institution = c.institution
        AND k.med_type = c.med_type AND k.clr_type = c.clr_type
    LEFT JOIN groups AS g ON g.code = c.dise_code
    LEFT JOIN auxiliary AS x ON x.hits = c.auxiliary
),
scored AS (
    SELECT
        j.factor4, j.review4, j.position, j.institution, j.standing, j.cost_fen, j.booked_fen, j.hospital_fen,
        CASE WHEN j.review4 IS NULL OR r.times_coefficient = 1
            THEN j.coefficient4 ELSE {ONE} END AS coefficient4,
        CASE WHEN j.standing BETWEEN {Standing.NO_GROUP:d} AND {Standing.NORMAL - 1:d}
            THEN j.dise_code END AS held_group,
        CASE j.standing
            WHEN {Standing.NORMAL:d} THEN j.base4
            WHEN {Standing.REVIEWED:d} THEN COALESCE(j.review4, j.base4)
            WHEN {Standing.LOW:d} THEN {_LOW}
            WHEN {Standing.HIGH:d} THEN {_HIGH}
        END AS case4
    FROM judged AS j CROSS JOIN reviews AS r
),
hit AS (
    SELECT
        position, institution, standing, held_group, cost_fen, booked_fen, hospital_fen, coefficient4,
        CASE WHEN factor4 IS NULL OR review4 IS NOT NULL THEN case4
            ELSE {hu("case4 * factor4", str(ONE))} END AS case4
    FROM scored
),
pointed AS (
    SELECT
        position, institution, standing, held_group, cost_fen, booked_fen, hospital_fen,
        COALESCE({hu("case4 * coefficient4", str(ONE))}, 0) AS points4
    FROM hit
)"""

#: One row for each institution and standing, and for each group of what is held back: cases, points,
#: cost, what was booked, what persons and others bore, and the position of the first case.
KERNEL = f"""{POINTED}
SELECT
    institution, standing, held_group,
    COUNT(*) AS cases, SUM(points4) AS points4, SUM(cost_fen) AS cost_fen,
    SUM(booked_fen) AS booked_fen, SUM(cost_fen - booked_fen - hospital_fen) AS borne_fen,
    MIN(position) AS first_position
FROM pointed
GROUP BY institution, standing, held_group
"""


def in_dialect(text: str, dialect: str) -> str:
    """Say a text in another engine's words (``spark``)."""
    (said,) = sqlglot.transpile(text, read="duckdb", write=dialect)
    return said


def text_hash(*texts: str) -> str:
    """Name the rules that a run followed: the texts it asked, in their order."""
    return sha256("\0".join(texts).encode()).hexdigest()
