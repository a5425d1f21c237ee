"""Which stays are followed by a readmission (再入院): a step of its own before the points of stays.

An earlier stay keeps only a part of its points where the same person comes again, within the days of
the policy, with the same group. To see that, one case has to look at others, and at those of later
months too: whatever had been settled up to the watermark. The step gives the positions of the earlier
stays; the text of ``stays.py`` takes them as a small table.

Persons are tokens. A token is made by a version of the person key, so stays on either side of a
rotation cannot be seen as one person's (docs/privacy.md); ``key_versions`` says which there are, and
``uncompared`` how many stays that concerns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ledger.domain.period import Period
from settlement.clearing.cases.kernel import AMENDED, CANCELLED, CASES
from settlement.clearing.cases.uncompared import uncompared_stays
from settlement.clearing.engine import Engine, Parts, Row, Table

#: A stay that began longer before the first month, ten years, is not looked at.
_LOOK_BACK_DAYS = 3_660
#: Persons are cut into slices by so many first digits of their tokens.
_DIGITS = 3
_MOST_SLICES = 16**_DIGITS

_WATCHED = (("code", "VARCHAR"), ("days", "BIGINT"), ("anywhere", "BIGINT"))
_CALENDAR = (("day", "VARCHAR"), ("number", "BIGINT"))
_SLICE = (("low", "VARCHAR"), ("high", "VARCHAR"))

#: The number of cases that stand in each group, over all institutions.
SIZES = f"""{CASES}
SELECT c.dise_code, COUNT(*) AS cases
FROM cases AS c
JOIN kinds AS k ON k.institution = c.institution
    AND k.med_type = c.med_type AND k.clr_type = c.clr_type
WHERE NOT c.cancelled AND c.dise_code IS NOT NULL
GROUP BY c.dise_code
"""

# A stay ends with its discharge; where the file names none, the day it was settled. The later of two
# stays is the one that began later, of two that began on one day the one that ended later, then the one
# with the greater number: which of them came in first has no say. What is carried into the comparison
# is what two stays are compared by and no more: it is held in memory.
#: The positions of earlier stays in the months of the run whose patient came again in time.
READMITTED = f"""
WITH {CANCELLED},
{AMENDED},
standing AS (
    SELECT
        s.position, s.setl_id, s.person, s.person_key, s.institution, s.clr_type, w.code,
        f.number AS begun, t.number AS ended,
        k.institution IS NOT NULL AND i.code IS NOT NULL AND m.code IS NOT NULL AS own
    FROM stays AS s JOIN bounds AS b ON s.area = b.area
    CROSS JOIN slice AS h
    LEFT JOIN overtaken AS o ON o.setl_id = s.setl_id
    LEFT JOIN regrouped AS g ON g.setl_id = s.setl_id AND g.position > s.position
    JOIN watched AS w ON w.code = COALESCE(g.dise_code, s.dise_code)
    LEFT JOIN kinds AS k ON k.institution = s.institution
        AND k.med_type = s.med_type AND k.clr_type = s.clr_type
    LEFT JOIN insutypes AS i ON i.code = s.insutype
    LEFT JOIN months AS m ON m.code = s.belongs_to
    LEFT JOIN calendar AS f ON f.day = s.begndate
    LEFT JOIN calendar AS t ON t.day = COALESCE(NULLIF(s.enddate, ''), s.setl_date)
    WHERE s.position <= b.watermark
        AND COALESCE(s.position > o.through, TRUE)
        AND s.person >= h.low AND COALESCE(s.person < h.high, TRUE)
)
SELECT DISTINCT e.position
FROM standing AS e
JOIN watched AS w ON w.code = e.code
JOIN standing AS l ON l.person = e.person AND l.person_key = e.person_key
    AND l.code = e.code AND l.clr_type = e.clr_type
WHERE e.own
    AND l.begun - e.ended BETWEEN 0 AND w.days
    AND (l.begun > COALESCE(e.begun, e.ended)
        OR (l.begun = COALESCE(e.begun, e.ended)
            AND (COALESCE(l.ended, l.begun) > e.ended
                OR (COALESCE(l.ended, l.begun) = e.ended AND l.setl_id > e.setl_id))))
    AND (l.institution = e.institution OR w.anywhere = 1)
"""

#: How many stays in watched groups there are up to the watermark, whenever they were settled, by the
#: version of the person key that made the tokens of their people.
KEY_VERSIONS = f"""
WITH {AMENDED}
SELECT s.person_key, COUNT(*) AS stays
FROM stays AS s JOIN bounds AS b ON s.area = b.area
LEFT JOIN regrouped AS g ON g.setl_id = s.setl_id AND g.position > s.position
JOIN watched AS w ON w.code = COALESCE(g.dise_code, s.dise_code)
WHERE s.position <= b.watermark
GROUP BY s.person_key
"""


@dataclass(frozen=True, slots=True)
class Watch:
    """Which groups are watched, for how many days, and whether any institution counts."""

    codes: frozenset[str]
    days: int
    anywhere: bool


@dataclass(frozen=True, slots=True)
class Readmissions:
    """The earlier stays by position, the versions of the person key, and stays nobody can judge."""

    positions: tuple[int, ...]
    key_versions: tuple[int, ...]
    uncompared: int = 0


def group_sizes(
    engine: Engine, parts: Mapping[str, Parts], scope: Mapping[str, Table]
) -> dict[str, int]:
    """Count the standing cases of the scope by group."""
    return {code: int(cases) for code, cases in engine.answer(SIZES, parts, scope)}


def find_readmissions(
    engine: Engine, parts: Mapping[str, Parts], watch: Watch, scope: Mapping[str, Table]
) -> Readmissions:
    """Find the stays of a scope (``scope_tables``) that a readmission follows.

    Persons are taken in slices, as many as the engine needs: how they are cut has no say in what is
    found.
    """
    months = sorted(code for (code,) in scope["months"].rows)
    if not watch.codes or not months:
        return Readmissions((), ())
    watched = sorted((code, watch.days, int(watch.anywhere)) for code in watch.codes)
    told = {
        **scope,
        "watched": Table(_WATCHED, watched),
        "calendar": Table(_CALENDAR, list(_calendar(months[0], months[-1], watch.days))),
    }
    stays = {version: int(count) for version, count in engine.answer(KEY_VERSIONS, parts, told)}
    found: set[int] = set()
    for slice_ in slices(sum(stays.values()), at_once=engine.stays_at_once):
        asked = {**told, "slice": Table(_SLICE, [slice_])}
        found.update(position for (position,) in engine.answer(READMITTED, parts, asked))
    several = len(stays) > 1
    uncompared = uncompared_stays(engine, parts, told, readmitted=found) if several else 0
    return Readmissions(tuple(sorted(found)), tuple(sorted(stays)), uncompared)


def _calendar(first: str, last: str, days: int) -> Iterator[Row]:
    day = Period.parse(first).first_day - timedelta(days=_LOOK_BACK_DAYS)
    end = Period.parse(last).last_day + timedelta(days=days)
    while day <= end:
        yield day.isoformat(), day.toordinal()
        day += timedelta(days=1)


def slices(stays: int, *, at_once: int) -> list[tuple[str, str | None]]:
    """Cut all tokens into ranges of about so many stays: nothing is left out, nor twice.

    Tokens are hexadecimal and spread evenly; the last range has no end.
    """
    count = min(_MOST_SLICES, max(1, -(-stays // at_once)))
    cuts = [f"{_MOST_SLICES * number // count:0{_DIGITS}x}" for number in range(1, count)]
    return list(zip(["", *cuts], [*cuts, None], strict=True))
