"""What recorded reconciliations with institutions say of their match and their records (对账考核).

The latest recording of each month counts. 对平率 is even groups ÷ compared groups; 填报准确率 is
settlements that are right ÷ settlements that were compared one by one; the error in amounts is
Σ|ours − theirs| ÷ Σ ours. A list of settlements is of all funds of an institution, so its accuracy
stands with each of them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from sqlalchemy import select

from projections.queries.scope import Scope
from projections.store import Reading
from projections.tables import FUND_SUMS, LIST_SUMS

RECONCILED_REASONS: dict[str, tuple[str, str]] = {
    "not_reconciled": ("没有登记过对账结果", "no reconciliation was recorded"),
    "no_statement": ("机构没有报送对账单", "the institution stated nothing"),
    "no_list": (
        "总账不平,机构没有报送明细账",
        "sums differ and the institution listed no settlements",
    ),
    "funds_not_told_apart": (
        "对账单未分险种,差额分不到基金",
        "the statement does not tell funds apart",
    ),
    "nothing_booked": ("我方金额不为正", "our amount is not positive"),
}


@dataclass(slots=True)
class Reconciled:
    """Sums of an institution's fund over some months, or of all institutions of a fund."""

    recorded: bool = False
    sums: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.sums.get(name, 0)

    def add(self, other: "Reconciled") -> None:
        """Add another institution, or another month."""
        self.recorded = self.recorded or other.recorded
        for name, amount in other.sums.items():
            self.sums[name] = self[name] + amount

    def match_rate(self) -> Fraction | str:
        """Give 对平率 in percent, or why there is none."""
        if self["compared"]:
            return Fraction(100 * self["even"], self["compared"])
        return "no_statement" if self.recorded else "not_reconciled"

    def accuracy(self) -> Fraction | str:
        """Give 填报准确率 in percent, or why there is none."""
        if self["listed"]:
            return Fraction(100 * self["right"], self["listed"])
        if not self.recorded:
            return "not_reconciled"
        return "no_list" if self["stated"] else "no_statement"

    def error_rate(self) -> Fraction | str:
        """Give how far amounts are apart in percent of ours, or why that cannot be said."""
        if not self["compared"]:
            return self.match_rate()
        if self["untold"]:
            return "funds_not_told_apart"
        if self["ours_fen"] <= 0:
            return "nothing_booked"
        return Fraction(100 * self["apart_fen"], self["ours_fen"])


def reconciled_months(reading: Reading, area: str, months: Iterable[str]) -> list[str]:
    """List the months of which a reconciliation was recorded."""
    c = reading.clearing.reconciled_institutions.c
    found = reading.rows(
        select(c.period).where(c.area == area, c.period.in_(tuple(months))).distinct()
    )
    return sorted(row.period for row in found)


def reconciled_in(
    reading: Reading,
    scope: Scope,
    months: tuple[str, ...],
    cleared: Collection[tuple[str, str]],
) -> dict[tuple[str, str], Reconciled]:
    """Read what was recorded of each leaf fund and institution, by (fund, institution).

    Who stated nothing has no groups: it stands with the funds that were ``cleared`` with it.
    """
    lists = _lists(reading, scope.area, months)
    found = _groups(reading, scope, months)
    for key in cleared:
        if key[1] in lists:
            found.setdefault(key, Reconciled(True))
    for (_, institution), one in found.items():
        one.add(lists.get(institution, Reconciled()))
    return found


def _lists(reading: Reading, area: str, months: tuple[str, ...]) -> dict[str, Reconciled]:
    """Read the settlements that were compared one by one, by institution."""
    found: dict[str, Reconciled] = {}
    c = reading.clearing.reconciled_institutions.c
    columns = [c[name] for name in LIST_SUMS]
    for row in reading.rows(
        select(c.institution, *columns).where(c.area == area, c.period.in_(months))
    ):
        sums = {name: int(getattr(row, name)) for name in LIST_SUMS}
        found.setdefault(row.institution, Reconciled()).add(Reconciled(True, sums))
    return found


def _groups(
    reading: Reading, scope: Scope, months: tuple[str, ...]
) -> dict[tuple[str, str], Reconciled]:
    """Read the groups that were compared, by leaf fund and institution."""
    found: dict[tuple[str, str], Reconciled] = {}
    c = reading.clearing.reconciled_funds.c
    columns = [c[name] for name in FUND_SUMS]
    for row in reading.rows(
        select(c.fund, c.institution, *columns).where(
            c.area == scope.area, c.period.in_(months), c.fund.in_(scope.leaves)
        )
    ):
        sums = {name: int(getattr(row, name)) for name in FUND_SUMS}
        found.setdefault((row.fund, row.institution), Reconciled()).add(Reconciled(True, sums))
    return found
