"""What is approved and not ordered (已审定未下单), and what it was booked for, from the archive.

The amounts are those of ``settlement/clearing/owed.py``. The text here weighs what was booked at the
counter by 清算类别 and 医疗类别, from which the kind of benefit follows.
"""

from collections.abc import Collection, Mapping

from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from settlement.clearing.cases.kernel import POSTINGS
from settlement.clearing.engine import Parts, Table
from settlement.clearing.owed import APPROVED, PREPAID_ASSET, Records

#: A month after all others: no settlement is booked since then, and none moves what is approved.
_NO_CLAIMS = "9999-12"

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
_CLAIM = (
    ("position", "BIGINT"),
    ("area", "VARCHAR"),
    ("institution", "VARCHAR"),
    ("belongs_to", "VARCHAR"),
    ("postings", POSTINGS),
    ("clr_type", "VARCHAR"),
    ("med_type", "VARCHAR"),
)
_REVERSED = (("position", "BIGINT"), ("area", "VARCHAR"), ("original_position", "BIGINT"))

Month = tuple[str, str]  # institution, 清算年月


def approved_by_month(records: Records, fund: str) -> dict[Month, int]:
    """Give what is approved and not ordered by institution and month; below nil it is carried."""
    return {
        (one.institution, one.month): by_account[APPROVED]
        for one, by_account in sorted(records.owed(since=_NO_CLAIMS).items())
        if one.fund == fund and by_account.get(APPROVED)
    }


def prepaid_by_institution(records: Records, fund: str) -> dict[str, int]:
    """Give what of its prepayment each institution still holds (预付金余额), in fen."""
    found: dict[str, int] = {}
    for one, by_account in sorted(records.owed(since=_NO_CLAIMS).items()):
        if one.fund == fund and PREPAID_ASSET in by_account:
            fen = -by_account[PREPAID_ASSET]  # an asset, on the debit side
            found[one.institution] = found.get(one.institution, 0) + fen
    return {institution: fen for institution, fen in found.items() if fen}


def booked_by_type(
    records: Records, fund: str, wanted: Collection[Month]
) -> Mapping[Month, dict[tuple[str, str], int]]:
    """Give what was booked by 清算类别 and 医疗类别; for a year (``YYYY``) that of its months."""
    if not wanted:
        return {}
    since = min(f"{month}-01"[:7] for _, month in wanted)  # booked in its month of care or later

    def parts(topic: str, columns: tuple[tuple[str, str], ...]) -> Parts:
        files = records.archive.parts(
            topic=topic, area=records.area, since=since, until=records.watermark
        )
        return Parts(columns, tuple(files))

    rows = records.engine.answer(
        BOOKED,
        {
            "settled": parts(ClaimSettled.TOPIC, _CLAIM),
            "refunded": parts(ClaimRefunded.TOPIC, _CLAIM),
            "reversed": parts(ClaimReversed.TOPIC, _REVERSED),
        },
        {
            "bounds": Table(_BOUNDS, [(records.area, fund, records.watermark)]),
            "wanted": Table(_WANTED, sorted(wanted)),
        },
    )
    found: dict[Month, dict[tuple[str, str], int]] = {month: {} for month in wanted}
    for institution, belongs_to, clr_type, med_type, fen in rows:
        for month in (belongs_to, belongs_to[:4]):
            types = found.get((institution, month))
            if types is not None:
                types[clr_type, med_type] = types.get((clr_type, med_type), 0) + int(fen)
    return found
