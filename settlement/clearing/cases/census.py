"""Two texts beside the kernel: which kinds of cases a month has, and what its entries say is owed.

The first is how cases come to methods: kinds are few, so the policy itself tells the method of each.
The second goes another way to the same sums, over the entries alone: it joins nothing and leaves out
no insurance type. Where the two differ, cases were lost, doubled, or belong to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from settlement.clearing.cases.kernel import CASES
from settlement.clearing.engine import Engine, Parts, Row, Table

#: One row for each kind of case and whether it was cancelled.
CENSUS = f"""{CASES}
SELECT
    clr_type, med_type, institution, cancelled,
    COUNT(*) AS cases, SUM(cost_fen) AS cost_fen, SUM(booked_fen) AS booked_fen,
    MIN(position) AS first_position
FROM cases
GROUP BY clr_type, med_type, institution, cancelled
"""

#: What the settlements of the months made the fund owe, by institution; people insured otherwise
#: apart (where an area has a part of their payment owed by this fund).
OBLIGATIONS = """
WITH posted AS (
    SELECT s.area, s.position, s.belongs_to, s.insutype, UNNEST(s.postings) AS p
    FROM settled AS s
)
SELECT o.p.party AS institution, i.code IS NOT NULL AS insured_here, SUM(o.p.fen) AS fen
FROM posted AS o JOIN bounds AS b ON o.area = b.area AND o.p.fund = b.fund
LEFT JOIN insutypes AS i ON i.code = o.insutype
WHERE o.position <= b.watermark
    AND o.belongs_to IN (SELECT code FROM months)
    AND o.p.credit = 'owed.booked'
GROUP BY o.p.party, i.code IS NOT NULL
"""


@dataclass(frozen=True, slots=True, order=True)
class CaseKind:
    """Cases of one 清算类别、医疗类别 and institution; cancelled ones apart; amounts in fen."""

    clr_type: str
    med_type: str
    institution: str
    cancelled: bool
    cases: int
    cost_fen: int
    booked_fen: int
    first_position: int

    @property
    def kind(self) -> tuple[str, str, str]:
        """Give what a method is chosen by."""
        return self.clr_type, self.med_type, self.institution


@dataclass(frozen=True, slots=True)
class Census:
    """All cases of the months by kind, and what the entries of these made the fund owe.

    ``elsewhere_fen`` is what it owes for people insured otherwise: no method is for their cases.
    """

    kinds: tuple[CaseKind, ...]
    obligations_fen: Mapping[str, int]  # by institution
    elsewhere_fen: int


def take_census(
    engine: Engine, parts: Mapping[str, Parts], scope: Mapping[str, Table]
) -> tuple[Census, list[Row]]:
    """Count the cases of a scope (``scope_tables``); also the bare rows, for the run's digest."""
    rows = engine.answer(CENSUS, parts, scope)
    owed = engine.answer(OBLIGATIONS, parts, scope)
    census = Census(
        kinds=tuple(sorted(CaseKind(*row) for row in rows)),
        obligations_fen={code: int(fen) for code, here, fen in owed if here},
        elsewhere_fen=sum(int(fen) for _, here, fen in owed if not here),
    )
    return census, [*rows, *owed]
