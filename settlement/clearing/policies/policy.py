"""A clearing policy (结算政策) as the rest of clearing reads it: frozen values, nothing of a file.

One policy says how one leaf fund of an area pays for care from a date on: its budget, its point
value, the methods with the cases each is for, deposit and bands. Whatever the domain paper marks as
differing from place to place is here, with the default given there. ``policy_file.py`` reads the
file and checks it; a run names the hash of what it read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from ledger.domain.fund import ASSISTANCE, PERSONAL
from settlement.clearing.bands import Bands
from settlement.clearing.deposit import DepositOrder, ReleaseRule
from settlement.clearing.methods.capitation import Signed
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.drg import DrgRules
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.methods.per_diem import PerDiemCap, Stage
from settlement.clearing.policies.prepayment_rules import PrepaymentRules
from settlement.clearing.policies.yearly_rules import YearlyRules

#: Funds that owe parts of settlements and are paid by no method: what is declared is what is settled.
PART_FUNDS = frozenset({PERSONAL, "320", "330", "392", ASSISTANCE})


class Family(StrEnum):
    """What a point value is made of (点值口径)."""

    FUND_ONLY = "fund_only"  # 基金点值
    TOTAL_COST = "total_cost"  # 总费用点值: (fund + persons + others) ÷ points
    AVERAGE_RATIO = "average_ratio"  # 总费用点值 by the average share that the fund pays


class SharingBy(StrEnum):
    """How the distributable amount becomes amounts of institutions."""

    EXACT = "exact"  # largest remainder: the budget to the fen
    PUBLISHED = "published"  # a rounded point value; the difference goes to a named account


class ReviewPoints(StrEnum):
    """What the points of an accepted review (特例单议) stand for."""

    AFTER_COEFFICIENT = "after_coefficient"  # the points of the case
    BEFORE_COEFFICIENT = "before_coefficient"  # in place of the group's: x coefficient


class PricedReviews(StrEnum):
    """What an accepted review (特例单议) makes of a case that is priced by itself (费率、床日、日间)."""

    NONE = "none"  # the method knows no reviews
    AS_GIVEN = (
        "as_given"  # 按认定: the amount given, by DRG rates also a weight; else the usual price
    )
    AS_BOOKED = "as_booked"  # 按项目: what was booked at the counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The year's budget (总额预算) of the fund and what of it is held back (调节金)."""

    year_fen: int
    reserve: Fraction = Fraction(5, 100)
    months: tuple[int, ...] = (1,) * 12  # weights of the twelve months


@dataclass(frozen=True, slots=True, kw_only=True)
class PointValue:
    """How points are priced."""

    family: Family = Family.FUND_ONLY
    by: SharingBy = SharingBy.EXACT
    digits: int = 4
    paid_share: Fraction | None = None  # only of the family average_ratio
    insured_elsewhere: bool = False  # 就医地管理; only of the family total_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Which settlements a method is for; empty means all. The first method that fits takes a case."""

    clr_types: frozenset[str] = frozenset()
    med_types: frozenset[str] = frozenset()
    institutions: frozenset[str] = frozenset()

    def fits(self, *, clr_type: str, med_type: str, institution: str) -> bool:
        """Tell whether a settlement is one of these."""
        return (
            (not self.clr_types or clr_type in self.clr_types)
            and (not self.med_types or med_type in self.med_types)
            and (not self.institutions or institution in self.institutions)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One disease or diagnosis group (病种、病组): points and the benchmark cost of a case."""

    points4: int  # 1/10,000 of a point
    average_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A version of the groups (病种目录) and the month from which on it is used."""

    since: str  # YYYY-MM
    groups: Mapping[str, Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dip:
    """按病种分值: groups, hospital coefficients, deviation edges (the edges themselves are normal)."""

    groups: Mapping[str, Group]
    coefficients4: Mapping[str, int]
    low: Fraction = Fraction(1, 2)
    high: Fraction = Fraction(2)
    review_points: ReviewPoints = ReviewPoints.AFTER_COEFFICIENT
    other_coefficient4: int | None = None  # of institutions that are not named; None: unknown
    primary: frozenset[str] = frozenset()  # 基层病种: the same coefficient at every level
    primary_coefficient4: int = 10_000
    catalogues: tuple[Catalogue, ...] = ()  # later versions of the groups, by rising month
    auxiliary4: Mapping[str, int] = field(default_factory=dict)  # 辅助目录: factors by entry

    def groups_of(self, month: str) -> Mapping[str, Group]:
        """Give the groups in force in a month (YYYY-MM): those of the latest catalogue by then."""
        found = self.groups
        for one in self.catalogues:
            if one.since <= month:
                found = one.groups
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Drg:
    """DRG点数法: groups, coefficients of difference by institution, and the rules of stays."""

    groups: Mapping[str, Group]
    coefficients4: Mapping[str, int]
    rules: DrgRules = field(default_factory=DrgRules)
    bed_day: frozenset[str] = frozenset()  # 床日病组: the points of these are those of a day
    single_review: frozenset[str] = frozenset()  # 非稳定组、歧义组: counted by a review only
    readmission_exempt: frozenset[str] = frozenset()  # 放化疗 and the like
    review_points: ReviewPoints = ReviewPoints.AFTER_COEFFICIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class DrgFixedRate:
    """DRG费率法: weights of groups at a fixed rate in yuan."""

    groups: Mapping[str, Group]
    rate: Fraction
    reviews: PricedReviews = PricedReviews.AS_GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PerDiem:
    """按床日: stages with their rates."""

    stages: tuple[Stage, ...]
    cap: PerDiemCap = PerDiemCap.FIXED
    reviews: PricedReviews = PricedReviews.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeForService:
    """按项目: as booked, or against a year's total per institution."""

    quotas_fen: Mapping[str, int] = field(default_factory=dict)
    rule: TotalControl = field(default_factory=TotalControl)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWardPoints(Dip):
    """日间病房 by points: the groups' points times the day factor are in ``groups`` already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWard:
    """日间病房: a standard in fen by group; with ``lower``, at most the cost."""

    standards_fen: Mapping[str, int]
    lower: bool = False
    reviews: PricedReviews = PricedReviews.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Capitation:
    """按人头: who signed where, and what those people needed elsewhere (转外), by month."""

    heads: tuple[Signed, ...]
    elsewhere_fen: Mapping[tuple[str, str], int] = field(default_factory=dict)  # institution, month
    deducted: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyCommunity:
    """紧密型医共体: one budget for the people of some places, shared by its members."""

    weights: Mapping[str, int]  # of the members
    year: CommunityYear  # what was raised and the shares; nothing spent yet
    insured_in: frozenset[str] = frozenset()  # 参保地; empty: all the members' cases are its own
    outside_fen: Mapping[str, int] = field(default_factory=dict)  # by month, beside what is counted


Rules = Dip | Drg | DrgFixedRate | PerDiem | FeeForService | DayWard | Capitation | CountyCommunity


def knows_reviews(rules: Rules) -> bool:
    """Tell whether a review of a single case (特例单议) can change what the method makes of it."""
    if isinstance(rules, Dip | Drg):
        return True
    if isinstance(rules, DrgFixedRate | PerDiem | DayWard):
        return rules.reviews is not PricedReviews.NONE
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One payment method of a policy, and the cases it is for."""

    name: str
    cases: Cases
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """质量保证金: share, what it is a share of, and what an assessment releases."""

    share: Fraction
    order: DepositOrder = DepositOrder.OF_DECLARED
    release: tuple[ReleaseRule, ...] = ()


class Basis(StrEnum):
    """What a month is paid by (月度拨付口径)."""

    BOOKED = "booked"  # 按记账(申报)额
    DUE = "due"  # 按当月应付


class Unapplied(StrEnum):
    """What happens to what nobody applied for (未申请的)."""

    BOOKED = "booked"  # declared on the institution's behalf, and said so
    SKIP = "skip"  # waits for an application


class PrepaymentOffset(StrEnum):
    """When prepaid money (预付金) is offset."""

    YEARLY = "yearly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """How a month is settled before the year is cleared (月度结算)."""

    basis: Basis = Basis.BOOKED
    share: Fraction = Fraction(1)  # of what is declared or due: 按比例预拨
    without_application: Unapplied = Unapplied.BOOKED
    prepayment_offset: PrepaymentOffset = PrepaymentOffset.YEARLY
    prepayment_share: Fraction = Fraction(1)  # of what is payable, at most, offset in a month
    insurer_share: Fraction = Fraction(0)  # paid by the insurer itself (大病保险承办机构)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy of one leaf fund, from a date on."""

    name: str
    title: str
    fund: str
    effective: str  # date
    until: str | None = None
    basis: str = ""  # 文件依据
    budget: Budget | None = None
    point_value: PointValue = field(default_factory=PointValue)
    methods: tuple[Method, ...] = ()
    deposit: Deposit | None = None
    bands: Bands | None = None
    monthly: Monthly = field(default_factory=Monthly)
    payees: Mapping[str, str] = field(default_factory=dict)  # member → who is paid (牵头机构)
    yearly: YearlyRules = field(default_factory=YearlyRules)
    prepayment: PrepaymentRules | None = None

    def in_force(self, date: str) -> bool:
        """Tell whether the policy speaks for a date."""
        return self.effective <= date and (self.until is None or date <= self.until)

    def method_of(self, *, clr_type: str, med_type: str, institution: str) -> Method | None:
        """Give the first method whose cases a settlement is one of; None is a policy gap."""
        for method in self.methods:
            if method.cases.fits(clr_type=clr_type, med_type=med_type, institution=institution):
                return method
        return None
