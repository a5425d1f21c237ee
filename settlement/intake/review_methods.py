"""Whether the method of a case can count what a review (特例单议) gave: points, a weight, an amount.

Asked of the policy that the year of the case will be cleared by; where none speaks for it, or none of
its methods takes the case, nothing is barred.
"""

from collections.abc import Iterator

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.events.claim import ClaimFact
from settlement.clearing.month.review_caps import policy_of_year
from settlement.clearing.policies.policy import (
    Dip,
    Drg,
    DrgFixedRate,
    Policy,
    PricedReviews,
    Rules,
    knows_reviews,
)
from settlement.intake.case_rows import CaseRow, ReviewRow
from settlement.intake.columns import CASE_REVIEWS
from settlement.intake.owing import BASIC_FUND
from settlement.intake.rejections import Rejection
from settlement.policies import load_policies


class ReviewMethods:
    """The methods of an area's cases, by fund and year, read once for a file."""

    def __init__(self, ledger: FundLedger, area: Area) -> None:
        self._ledger, self._area = ledger, area
        self._years: dict[tuple[str, str], Policy | None] = {}

    def faults(self, row: CaseRow, settled: ClaimFact | None) -> Iterator[Rejection]:
        """Reject whatever of a review the method of its case cannot count."""
        if not isinstance(row, ReviewRow) or settled is None:
            return
        fund = BASIC_FUND.get(settled.insutype, settled.insutype)
        policy = self._policy(fund, settled.belongs_to[:4])
        method = policy and policy.method_of(
            clr_type=settled.clr_type, med_type=settled.med_type, institution=settled.institution
        )
        if not method:
            return
        if not knows_reviews(method.rules):
            facts = {"method": method.name}
            yield Rejection(
                row.line, "setl_id", "reviews_not_known", row.setl_id, facts, CASE_REVIEWS.name
            )
            return
        facts = {"method": method.name, "setl_id": row.setl_id}
        counted = _counted(method.rules)
        for key, value in row.given.items():
            if key not in counted:
                yield Rejection(
                    row.line, key, "review_not_of_method", value, facts, CASE_REVIEWS.name
                )

    def _policy(self, fund: str, year: str) -> Policy | None:
        if (fund, year) not in self._years:
            policies = load_policies(self._ledger, self._area.code)
            self._years[fund, year] = policy_of_year(policies, fund, year)
        return self._years[fund, year]


def _counted(rules: Rules) -> frozenset[str]:
    """Name what a review of a case under these rules may give."""
    if isinstance(rules, Dip | Drg):
        return frozenset({"points"})
    if getattr(rules, "reviews", None) is PricedReviews.AS_BOOKED:
        return frozenset()
    return frozenset({"points", "amount"} if isinstance(rules, DrgFixedRate) else {"amount"})
