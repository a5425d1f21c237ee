"""Which stays could not be compared with every later one: the person key was rotated between (密钥轮换).

A token is made by a version of the person key. Where a stay that might be a readmission (再入院) was
made a token by another version, nobody can tell from the log whether it is the same person, and a
link between the two is not kept (docs/privacy.md). So the earlier stay keeps its points, and the run
says how many such stays there are: at most so many readmissions were missed, and none where it is nil.
"""

from collections.abc import Mapping

from settlement.clearing.cases.kernel import AMENDED, CANCELLED
from settlement.clearing.engine import Engine, Parts, Table

# Nearly all stays end long before the other version's first stay begins, or after its last: those are
# passed over by ``spans``, before single days are compared.
#: The positions of stays in the months of the run that a stay under another version followed in time.
UNCOMPARED = f"""
WITH {CANCELLED},
{AMENDED},
standing AS (
    SELECT
        s.position, s.person_key, s.institution, s.clr_type, s.med_type, s.insutype, s.belongs_to,
        w.code, w.days, f.number AS begun, t.number AS ended,
        CASE WHEN w.anywhere = 1 THEN '' ELSE s.institution END AS place
    FROM stays AS s JOIN bounds AS b ON s.area = b.area
    LEFT JOIN overtaken AS o ON o.setl_id = s.setl_id
    LEFT JOIN regrouped AS g ON g.setl_id = s.setl_id AND g.position > s.position
    JOIN watched AS w ON w.code = COALESCE(g.dise_code, s.dise_code)
    LEFT JOIN calendar AS f ON f.day = s.begndate
    LEFT JOIN calendar AS t ON t.day = COALESCE(NULLIF(s.enddate, ''), s.setl_date)
    WHERE s.position <= b.watermark AND COALESCE(s.position > o.through, TRUE)
),
following AS (
    SELECT DISTINCT code, clr_type, place, person_key, begun FROM standing WHERE begun IS NOT NULL
),
spans AS (
    SELECT code, clr_type, place, person_key, MIN(begun) AS earliest, MAX(begun) AS latest
    FROM following
    GROUP BY code, clr_type, place, person_key
),
near AS (
    SELECT DISTINCT e.position, e.code, e.clr_type, e.place, e.person_key, e.begun, e.ended, e.days
    FROM standing AS e
    JOIN kinds AS k ON k.institution = e.institution
        AND k.med_type = e.med_type AND k.clr_type = e.clr_type
    JOIN spans AS p ON p.code = e.code AND p.clr_type = e.clr_type AND p.place = e.place
    WHERE p.person_key <> e.person_key AND e.ended <= p.latest AND e.ended + e.days >= p.earliest
        AND e.insutype IN (SELECT code FROM insutypes)
        AND e.belongs_to IN (SELECT code FROM months)
)
SELECT DISTINCT e.position
FROM near AS e
JOIN following AS l ON l.code = e.code AND l.clr_type = e.clr_type AND l.place = e.place
WHERE l.person_key <> e.person_key
    AND l.begun - e.ended BETWEEN 0 AND e.days
    AND l.begun >= COALESCE(e.begun, e.ended)
"""


def uncompared_stays(
    engine: Engine, parts: Mapping[str, Parts], told: Mapping[str, Table], *, readmitted: set[int]
) -> int:
    """Count them, told what the readmissions are; a stay that is known to be followed is none of them."""
    positions = {int(position) for (position,) in engine.answer(UNCOMPARED, parts, told)}
    return len(positions - readmitted)
