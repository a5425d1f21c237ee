"""What is approved and not ordered (已审定未下单), set by set from the archive of the log.

Two texts over the archive at a position. The first adds up the entries of every step of settling:
only those touch ``owed.approved``. The second weighs what was booked at the counter by 清算类别 and
医疗类别, from which the kind of benefit follows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ledger.archive.read import Archive
from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.registry import CATALOGUE
from ledger.events.settlement import SettlementFact
from settlement.clearing.engine import Engine, Parts, Table
from settlement.clearing.kernel import POSTINGS

#: Every fact that may move what is approved.
STEPS = tuple(topic for topic, kind in CATALOGUE.items() if issubclass(kind, SettlementFact))

#: By institution and 清算年月: what is approved and not ordered; a month at nil is left out.
APPROVED = """
WITH posted AS (
    SELECT s.institution, s.belongs_to, UNNEST(s.postings) AS p
    FROM steps AS s JOIN bounds AS b ON s.area = b.area
    WHERE s.position <= b.watermark
)
SELECT
    o.institution, o.belongs_to,
    SUM(CASE WHEN o.p.credit = 'owed.approved' THEN o.p.fen ELSE -o.p.fen END) AS fen
FROM posted AS o JOIN bounds AS b ON o.p.fund = b.fund
WHERE (o.p.credit = 'owed.approved') <> (o.p.debit = 'owed.approved')
GROUP BY o.institution, o.belongs_to
HAVING SUM(CASE WHEN o.p.credit = 'owed.approved' THEN o.p.fen ELSE -o.p.fen END) <> 0
"""

#: By institution, month, 清算类别 and 医疗类别: what the settlements that stand made the fund owe.
BOOKED = """
WITH taken_back AS (
    SELECT r.original_position AS position
    FROM reversed AS r JOIN bounds AS b ON r.area = b.area
    WHERE r.position <= b.watermark
),
claims AS (
    SELECT area, position, institution, belongs_to, clr_type, med_type, postings FROM settled
    UNION ALL
    SELECT area, position, institution, belongs_to, clr_type, med_type, postings FROM refunded
),
posted AS (
    SELECT c.institution, c.belongs_to, c.clr_type, c.med_type, UNNEST(c.postings) AS p
    FROM claims AS c JOIN bounds AS b ON c.area = b.area
    LEFT JOIN taken_back AS t ON t.position = c.position
    WHERE c.position <= b.watermark AND t.position IS NULL
)
SELECT o.institution, o.belongs_to, o.clr_type, o.med_type, SUM(o.p.fen) AS fen
FROM posted AS o JOIN bounds AS b ON o.p.fund = b.fund
JOIN wanted AS w ON w.institution = o.institution
    AND (w.month = o.belongs_to OR w.month = SUBSTR(o.belongs_to, 1, 4))
WHERE o.p.credit = 'owed.booked'
GROUP BY o.institution, o.belongs_to, o.clr_type, o.med_type
"""

_BOUNDS = (("area", "VARCHAR"), ("fund", "VARCHAR"), ("watermark", "BIGINT"))
_WANTED = (("institution", "VARCHAR"), ("month", "VARCHAR"))
_STEP = (
    ("position", "BIGINT"),
    ("area", "VARCHAR"),
    ("institution", "VARCHAR"),
    ("belongs_to", "VARCHAR"),
    ("postings", POSTINGS),
)
_CLAIM = (*_STEP, ("clr_type", "VARCHAR"), ("med_type", "VARCHAR"))
_REVERSED = (("position", "BIGINT"), ("area", "VARCHAR"), ("original_position", "BIGINT"))

Month = tuple[str, str]  # institution, 清算年月


@dataclass(frozen=True, slots=True)
class Question:
    """Which fund of which area, read from where, up to which position."""

    area: str
    fund: str
    watermark: int
    archive: Archive
    engine: Engine

    @property
    def bounds(self) -> Table:
        return Table(_BOUNDS, [(self.area, self.fund, self.watermark)])

    def parts(self, topics: Collection[str], columns: tuple[tuple[str, str], ...]) -> Parts:
        """Name the archived parts of some topics; a fund's claims may lie under another fund."""
        found = self.archive.parts(topic=topics, area=self.area, until=self.watermark)
        return Parts(columns, tuple(found))


def approved_by_month(question: Question) -> dict[Month, int]:
    """Give what is approved and not ordered by institution and month; below nil it is carried."""
    rows = question.engine.answer(
        APPROVED, {"steps": question.parts(STEPS, _STEP)}, {"bounds": question.bounds}
    )
    return {(institution, month): int(fen) for institution, month, fen in sorted(rows)}


def booked_by_type(
    question: Question, wanted: Collection[Month]
) -> Mapping[Month, dict[tuple[str, str], int]]:
    """Give what was booked by 清算类别 and 医疗类别; for a year (``YYYY``) that of its months."""
    if not wanted:
        return {}
    rows = question.engine.answer(
        BOOKED,
        {
            "settled": question.parts({ClaimSettled.TOPIC}, _CLAIM),
            "refunded": question.parts({ClaimRefunded.TOPIC}, _CLAIM),
            "reversed": question.parts({ClaimReversed.TOPIC}, _REVERSED),
        },
        {"bounds": question.bounds, "wanted": Table(_WANTED, sorted(wanted))},
    )
    found: dict[Month, dict[tuple[str, str], int]] = {month: {} for month in wanted}
    for institution, belongs_to, clr_type, med_type, fen in rows:
        for month in (belongs_to, belongs_to[:4]):
            types = found.get((institution, month))
            if types is not None:
                types[clr_type, med_type] = types.get((clr_type, med_type), 0) + int(fen)
    return found
