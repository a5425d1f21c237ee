"""The texts that put a month's settlements through the layers again: one pass over a year's columns.

The amounts are those of ``layers.settle``; a test holds the two together. What the year had used before
a settlement is taken as it was settled, so that a deviation is told where it arose and not again in
every later settlement. Whole numbers only: shares of a layer are ``num`` ÷ ``den``, ``hu`` rounds once.
"""

from settlement.clearing.cases.kernel import CANCELLED, hu
from settlement.clearing.engine import Parts

MAX_COST_FEN = 10**9
#: Parts in which the further funds' turns are told, at most.
TURNS = 4

_KINDED = ("policy", "insutype", "institution", "med_type", "psn_type", "maf_psn_type",
           "insuplc_admdvs", "mdtrtarea_admvs")  # fmt: skip

#: Which columns of the archive are read.
SETTLED: tuple[tuple[str, str], ...] = (
    ("position", "BIGINT"),
    *((name, "VARCHAR") for name in ("area", "setl_id", "person")),
    ("person_key", "BIGINT"),
    *((name, "VARCHAR") for name in ("insutype", "institution", "med_type", "setl_date")),
    *((name, "VARCHAR") for name in ("setl_time", "psn_type", "maf_psn_type")),
    *((name, "VARCHAR") for name in ("insuplc_admdvs", "mdtrtarea_admvs")),
    *(
        (name, "BIGINT")
        for name in (
            *("medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt"),
            *("inscp_scp_amt", "fund_pay_sumamt", "hifp_pay", "cvlserv_pay", "hifes_pay"),
            *("hifmi_pay", "hifob_pay", "hifdm_pay", "maf_pay", "oth_pay"),
        )
    ),
)

TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "bounds": (
        ("area", "VARCHAR"),
        ("watermark", "BIGINT"),
        ("first_day", "VARCHAR"),  # of the year
        ("month_day", "VARCHAR"),  # first of the month
        ("last_day", "VARCHAR"),  # of the month
    ),
    "insutypes": (("code", "VARCHAR"),),
    #: Which policy speaks for which days; none may overlap.
    "spans": (("policy", "BIGINT"), ("first_day", "VARCHAR"), ("last_day", "VARCHAR")),
    "kinds": (
        ("policy", "BIGINT"),
        *((name, "VARCHAR") for name in _KINDED[1:]),
        ("role", "VARCHAR"),  # own, or none: of no policy, or no rule of it fits
        ("basic", "BIGINT"),
        ("pool", "VARCHAR"),
        ("yearly", "BIGINT"),
        ("catastrophic", "BIGINT"),  # null: the policy has no such layer; 0: nobody pays
        ("catastrophic_part", "VARCHAR"),
        ("assistance", "BIGINT"),
        ("tilted", "BIGINT"),  # null: nobody's, or no such rule
        ("others", "BIGINT"),
    ),
    "layers": (("layer", "BIGINT"), ("ceiling", "BIGINT"), ("den", "BIGINT"), ("later", "BIGINT")),
    "deductibles": (("layer", "BIGINT"), ("nth", "BIGINT"), ("fen", "BIGINT")),
    "segments": (
        ("layer", "BIGINT"),
        ("begin_fen", "BIGINT"),
        ("upto", "BIGINT"),
        ("num", "BIGINT"),
    ),
    "turns": (
        ("others", "BIGINT"),
        ("turn", "BIGINT"),
        ("part", "VARCHAR"),
        ("num", "BIGINT"),
        ("den", "BIGINT"),
    ),
}

_GIVEN = (
    "COALESCE(s.hifp_pay, s.cvlserv_pay, s.hifes_pay, s.hifmi_pay, s.hifob_pay, s.hifdm_pay,"
    " s.maf_pay, s.oth_pay)"
)
_OUTSIDE = (
    "COALESCE(s.fulamt_ownpay_amt, 0) + COALESCE(s.overlmt_selfpay, 0)"
    " + COALESCE(s.preselfpay_amt, 0)"
)

#: The year's settlements that stand, each with the policy of its day.
_YEAR = f"""
WITH {CANCELLED},
standing AS (
    SELECT
        s.position, s.setl_id, s.person, s.person_key, s.setl_date,
        COALESCE(s.setl_time, s.setl_date) AS moment,
        s.insutype, s.institution, s.med_type,
        COALESCE(s.psn_type, '') AS psn_type, COALESCE(s.maf_psn_type, '') AS maf_psn_type,
        COALESCE(s.insuplc_admdvs, '') AS insuplc_admdvs,
        COALESCE(s.mdtrtarea_admvs, '') AS mdtrtarea_admvs,
        s.medfee_sumamt AS cost_fen, s.inscp_scp_amt AS given_fen,
        CASE WHEN COALESCE(s.fulamt_ownpay_amt, s.overlmt_selfpay, s.preselfpay_amt) IS NOT NULL
            THEN s.medfee_sumamt - ({_OUTSIDE}) END AS reckoned_fen,
        CASE WHEN {_GIVEN} IS NULL THEN s.fund_pay_sumamt ELSE COALESCE(s.hifp_pay, 0) END
            AS hifp_pay,
        COALESCE(s.hifmi_pay, 0) AS hifmi_pay, COALESCE(s.hifob_pay, 0) AS hifob_pay,
        COALESCE(s.maf_pay, 0) AS maf_pay, COALESCE(s.cvlserv_pay, 0) AS cvlserv_pay,
        COALESCE(s.hifes_pay, 0) AS hifes_pay, COALESCE(s.hifdm_pay, 0) AS hifdm_pay,
        COALESCE(s.oth_pay, 0) AS oth_pay,
        COALESCE(p.policy, 0) AS policy,
        s.setl_date >= b.month_day AS in_month
    FROM settled AS s JOIN bounds AS b ON s.area = b.area
    LEFT JOIN overtaken AS o ON o.setl_id = s.setl_id
    LEFT JOIN spans AS p ON s.setl_date BETWEEN p.first_day AND p.last_day
    WHERE s.position <= b.watermark
        AND s.insutype IN (SELECT code FROM insutypes)
        AND s.setl_date BETWEEN b.first_day AND b.last_day
        AND NOT COALESCE(s.position <= o.through, FALSE)
)"""

#: Which kinds of settlements the year has: few, so that the policy itself says which rules are theirs.
KINDS = f"""{_YEAR}
SELECT
    {", ".join(_KINDED)},
    COUNT(*) AS settlements, SUM(CASE WHEN in_month THEN 1 ELSE 0 END) AS of_month,
    MIN(setl_date) AS first_day, MIN(person_key) AS first_key, MAX(person_key) AS last_key
FROM standing
GROUP BY {", ".join(_KINDED)}
"""

_ON = " AND ".join(f"k.{name} = s.{name}" for name in _KINDED)
_CATASTROPHIC = "CASE WHEN k.catastrophic_part = 'hifob_pay' THEN s.hifob_pay ELSE s.hifmi_pay END"


def _before(what: str, when: str = "TRUE", within: str = "") -> str:
    """Add up what a person's earlier settlements of the year were settled with."""
    return (
        f"COALESCE(SUM(CASE WHEN {when} THEN {what} ELSE 0 END) OVER (PARTITION BY person{within}"
        " ORDER BY moment, setl_id, position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    )


#: The month's settlements that are judged, with what the year had used before each of them.
_MONTH = f"""{_YEAR},
ruled AS (
    SELECT
        s.*, k.role, k.basic, k.pool, k.yearly, k.catastrophic, k.catastrophic_part,
        k.assistance, k.tilted, k.others, {_CATASTROPHIC} AS catastrophic_pay,
        COALESCE(s.given_fen, s.reckoned_fen) AS scope_fen,
        GREATEST(COALESCE(s.given_fen, s.reckoned_fen, 0) - s.hifp_pay, 0) AS left_fen,
        CASE
            WHEN k.basic IS NULL THEN 2
            WHEN COALESCE(s.given_fen, s.reckoned_fen) IS NULL THEN 1
            WHEN COALESCE(s.given_fen, s.reckoned_fen) < 0 OR s.cost_fen > {MAX_COST_FEN} THEN 3
            ELSE 0
        END AS unjudged
    FROM standing AS s JOIN kinds AS k ON {_ON}
),
counted AS (
    SELECT
        *,
        {_before("1", within=", pool")} AS settlements_before,
        {_before("COALESCE(scope_fen, 0)", within=", pool")} AS scope_before,
        {_before("hifp_pay", within=", pool")} AS basic_before,
        {_before("left_fen", "catastrophic > 0")} AS qualified_before,
        {_before("catastrophic_pay")} AS catastrophic_before,
        {_before("GREATEST(left_fen - catastrophic_pay, 0)", "assistance > 0")} AS assisted_before,
        {_before("maf_pay")} AS assistance_before,
        {_before("CASE WHEN unjudged > 0 THEN 1 ELSE 0 END")} AS unjudged_before
    FROM ruled
),
month AS (SELECT * FROM counted WHERE in_month)"""

#: How many settlements of the month are judged (0), and why others are not.
TALLY = f"""{_MONTH}
SELECT unjudged, COUNT(*) AS settlements FROM month GROUP BY unjudged
"""


def _paid_of(before: str, now: str) -> str:
    """Write the numerators of what is paid before a settlement and with it (按次结算)."""
    reach = f"({before} + {now})"
    piece = (
        "SUM(GREATEST(LEAST({0}, COALESCE(g.upto, {0})) - GREATEST(g.begin_fen, d.fen), 0) * g.num)"
    )
    return f"COALESCE({piece.format(reach)}, 0) AS after_num, COALESCE({piece.format(before)}, 0) AS before_num"


def _layer(name: str, source: str, *, layer: str, before: str, now: str, nth: str) -> str:
    """Add ``name``: the rows of ``source`` with what a layer pays by the policy."""
    paid = f"({hu('n.after_num', 'l.den')} - {hu('n.before_num', 'l.den')})"
    return f"""
{name}_sums AS (
    SELECT m.position, {_paid_of(before, now)}
    FROM {source} AS m JOIN layers AS l ON l.layer = m.{layer}
    JOIN deductibles AS d ON d.layer = l.layer AND d.nth = LEAST({nth}, l.later)
    LEFT JOIN segments AS g ON g.layer = l.layer
    GROUP BY m.position
),
{name} AS (
    SELECT m.*,
        CASE WHEN l.ceiling IS NULL THEN {paid}
            ELSE GREATEST(LEAST({paid}, l.ceiling - m.{name}_before), 0) END AS {name}_fen
    FROM {source} AS m LEFT JOIN {name}_sums AS n ON n.position = m.position
    LEFT JOIN layers AS l ON l.layer = m.{layer}
)"""


def _sums(name: str, source: str, *, layer: str, before: str, now: str) -> str:
    """Add ``name``: what a yearly layer pays before and with each settlement, as numerators."""
    return f"""
{name} AS (
    SELECT m.position, {_paid_of(before, now)}
    FROM {source} AS m JOIN layers AS l ON l.layer = m.{layer}
    JOIN deductibles AS d ON d.layer = l.layer AND d.nth = 0
    LEFT JOIN segments AS g ON g.layer = l.layer
    GROUP BY m.position
)"""


def _to_date(num: str) -> str:
    """Write what a yearly layer has paid to date by the policy, up to its ceiling."""
    return f"LEAST({hu(num, 'l.den')}, COALESCE(l.ceiling, {hu(num, 'l.den')}))"


_REST = "(m.scope_fen - m.basic_fen - COALESCE(m.catastrophic_fen, 0))"
#: Assistance and 倾斜救助 are one part of a settlement (``layers.assist``).
_ASSISTANCE = f"""{
    _sums(
        "assistance_sums", "catastrophic", layer="assistance", before="m.assisted_before", now=_REST
    )
},
burdened AS (
    SELECT m.*, l.ceiling AS assistance_ceiling,
        {hu("n.after_num", "l.den")} - {hu("n.before_num", "l.den")} AS added_fen,
        m.assisted_before - {_to_date("n.before_num")} AS burden_before,
        m.assisted_before + {_REST} - {_to_date("n.after_num")} AS burden_after
    FROM catastrophic AS m LEFT JOIN assistance_sums AS n ON n.position = m.position
    LEFT JOIN layers AS l ON l.layer = m.assistance
),{
    _sums(
        "tilted_sums",
        "burdened",
        layer="tilted",
        before="m.burden_before",
        now="(m.burden_after - m.burden_before)",
    )
},
tilted AS (
    SELECT m.*, COALESCE({_to_date("n.before_num")}, 0) AS tilted_before,
        COALESCE({_to_date("n.after_num")}, 0) AS tilted_after
    FROM burdened AS m LEFT JOIN tilted_sums AS n ON n.position = m.position
    LEFT JOIN layers AS l ON l.layer = m.tilted
),
assisted AS (
    SELECT m.*,
        CASE WHEN assistance_ceiling IS NULL THEN added_fen
            ELSE GREATEST(LEAST(added_fen, assistance_ceiling
                - GREATEST(assistance_before - tilted_before, 0)), 0) END AS assisted_fen
    FROM tilted AS m
),
assistance AS (
    SELECT m.*,
        assisted_fen + GREATEST(LEAST(tilted_after - tilted_before, {_REST} - assisted_fen), 0)
            AS assistance_fen
    FROM assisted AS m
)"""


_JUDGED = ",".join(
    [
        f"{_MONTH},\njudged AS (SELECT * FROM month WHERE unjudged = 0)",
        _layer(
            "basic",
            "judged",
            layer="basic",
            before="CASE WHEN m.yearly = 1 THEN m.scope_before ELSE 0 END",
            now="m.scope_fen",
            nth="m.settlements_before",
        ),
        _layer(
            "catastrophic",
            "basic",
            layer="catastrophic",
            before="m.qualified_before",
            now="(m.scope_fen - m.basic_fen)",
            nth="0",
        ),
        _ASSISTANCE,
        """
turn0 AS (
    SELECT *, scope_fen - basic_fen - COALESCE(catastrophic_fen, 0) - COALESCE(assistance_fen, 0)
        AS rest_fen
    FROM assistance
)""",
        *(
            f"""
turn{turn} AS (
    SELECT m.* EXCLUDE (rest_fen), t.part AS part{turn}, {hu("m.rest_fen * t.num", "t.den")} AS fen{turn},
        m.rest_fen - COALESCE({hu("m.rest_fen * t.num", "t.den")}, 0) AS rest_fen
    FROM turn{turn - 1} AS m
    LEFT JOIN turns AS t ON t.others = m.others AND t.turn = {turn}
)"""
            for turn in range(1, TURNS + 1)
        ),
    ]
)


def _part(part: str, settled: str, by_policy: str, cumulative: int) -> str:
    return (
        "SELECT position, setl_id, person, institution, setl_date, med_type, policy, basic,"
        f" {part} AS part, {settled} AS settled_fen, {by_policy} AS by_policy_fen,"
        f" person_key, unjudged_before, {cumulative} AS cumulative FROM turn{TURNS}"
        f" WHERE {by_policy} IS NOT NULL AND {settled} <> {by_policy}"
    )


def _of_turn(turn: int) -> str:
    """Read the settled amount of whichever fund has this turn."""
    parts = ("cvlserv_pay", "hifes_pay", "hifdm_pay", "oth_pay")
    cases = " ".join(f"WHEN '{part}' THEN {part}" for part in parts)
    return f"CASE part{turn} {cases} END"


#: One row for each part of a settlement that does not follow the policy.
DEVIATIONS = f"{_JUDGED}\n" + "\nUNION ALL\n".join(
    [
        f"""SELECT position, setl_id, person, institution, setl_date, med_type, policy, basic,
    'inscp_scp_amt' AS part, given_fen AS settled_fen, reckoned_fen AS by_policy_fen,
    person_key, unjudged_before, 0 AS cumulative
FROM turn{TURNS} WHERE given_fen <> reckoned_fen""",
        _part("'hifp_pay'", "hifp_pay", "basic_fen", 0),
        _part("catastrophic_part", "catastrophic_pay", "catastrophic_fen", 1),
        _part("'maf_pay'", "maf_pay", "assistance_fen", 1),
        *(_part(f"part{turn}", _of_turn(turn), f"fen{turn}", 1) for turn in range(1, TURNS + 1)),
    ]
)

TEXTS = (KINDS, TALLY, DEVIATIONS)

#: The settlements of one person's year, as they were settled (table ``tokens``).
PERSON_YEAR = f"""{_YEAR}
SELECT
    position, setl_id, setl_date, insutype, institution, med_type, psn_type, maf_psn_type,
    insuplc_admdvs, mdtrtarea_admvs, COALESCE(given_fen, reckoned_fen) AS scope_fen,
    hifp_pay, hifmi_pay, hifob_pay, maf_pay
FROM standing
WHERE person IN (SELECT code FROM tokens)
"""


def parts_with(parts: dict[str, Parts]) -> dict[str, Parts]:
    """Read the columns of these texts from the parts of a clearing's run."""
    return {**parts, "settled": Parts(SETTLED, parts["settled"].files)}
