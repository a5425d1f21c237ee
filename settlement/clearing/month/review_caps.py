"""How many cases an institution may put up for review (特例单议申请比例上限), by its discharged cases.

医保办发〔2024〕9号: at most 5 ‰ of the cases paid by disease groups (DIP) and 5 % of those by diagnosis
groups (DRG); the area's policy may name another share (``[yearly] review_cap``). Every case that was
put up counts, whatever was decided about it; a second review of a case does not count again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from ledger.aggregates.policies import APPROVED, CLEARING, Policies
from ledger.domain.period import Year
from ledger.events.cases import CaseReviewed
from ledger.events.claim import ClaimFact
from settlement.clearing.cases.census import take_census
from settlement.clearing.cases.scoring import scope_tables
from settlement.clearing.month.question import ask
from settlement.clearing.owed import Records
from settlement.clearing.policies.file import policy_of
from settlement.clearing.policies.policy import Dip, Drg, DrgFixedRate, Policy, knows_reviews

OF_DIP, OF_DRG = Fraction(5, 1000), Fraction(5, 100)


@dataclass(slots=True)
class ReviewCap:
    """One institution's year: the cases that count, how many may be put up, and which were."""

    cases: int = 0
    share: Fraction = Fraction(0)  # of one case each, added up
    reviewed: set[str] = field(default_factory=set)

    @property
    def allowed(self) -> int:
        return floor(self.share)

    def takes(self, setl_id: str) -> bool:
        """Count a case that is put up, where one more may be."""
        if setl_id in self.reviewed:
            return True
        if len(self.reviewed) >= self.allowed:
            return False
        self.reviewed.add(setl_id)
        return True


@dataclass(frozen=True, slots=True)
class ReviewCaps:
    """The caps of a fund's year under the policy that speaks for its end."""

    policy: Policy
    by_institution: dict[str, ReviewCap]

    def of(self, settled: ClaimFact) -> ReviewCap | None:
        """Give the cap that a case falls under; None where its method has no reviews."""
        share = share_of(
            self.policy,
            clr_type=settled.clr_type,
            med_type=settled.med_type,
            institution=settled.institution,
        )
        if share is None:
            return None
        return self.by_institution.setdefault(settled.institution, ReviewCap())


#: Gives the caps of a fund and year; None where no policy speaks for it.
CapsOf = Callable[[str, str], ReviewCaps | None]


def share_of(policy: Policy, *, clr_type: str, med_type: str, institution: str) -> Fraction | None:
    """Give the share of cases that may be put up, by the method that a case is of.

    None where the method knows no reviews, or where neither the country nor the policy bounds them.
    """
    method = policy.method_of(clr_type=clr_type, med_type=med_type, institution=institution)
    if method is None or not knows_reviews(method.rules):
        return None
    if policy.yearly.review_cap is not None:
        return policy.yearly.review_cap
    if isinstance(method.rules, Dip):
        return OF_DIP
    return OF_DRG if isinstance(method.rules, Drg | DrgFixedRate) else None


def review_caps(records: Records, policies: Policies, fund: str, year: str) -> ReviewCaps | None:
    """Count a year's cases and reviews as the archive has them."""
    policy = policy_of_year(policies, fund, year)
    if policy is None:
        return None
    question = ask(
        records.archive,
        records.engine,
        area=records.area,
        fund=fund,
        period=Year.parse(year),
        watermark=records.watermark,
    )
    scope = scope_tables(question.scope(), {}, watermark=records.watermark)
    census, _ = take_census(records.engine, question.parts, scope)
    found: dict[str, ReviewCap] = {}
    for kind in census.kinds:
        share = share_of(
            policy, clr_type=kind.clr_type, med_type=kind.med_type, institution=kind.institution
        )
        if share is not None and not kind.cancelled:
            cap = found.setdefault(kind.institution, ReviewCap())
            cap.cases += kind.cases
            cap.share += share * kind.cases
    for _, fact in records.facts(CaseReviewed):
        if fact.period[:4] == year and fact.institution in found:
            found[fact.institution].reviewed.add(fact.setl_id)
    return ReviewCaps(policy, found)


def policy_of_year(policies: Policies, fund: str, year: str) -> Policy | None:
    """Give the policy that names the year, else the one in force at its end."""
    approved = [
        policy_of(one.content)
        for one in policies.versions
        if one.state == APPROVED and one.kind == CLEARING and one.fund == fund
    ]
    named = [one for one in approved if one.yearly.year == year]
    if named:
        return named[-1]
    version = policies.speaking(fund, f"{year}-12-31", CLEARING)
    return None if version is None else policy_of(version.content)
