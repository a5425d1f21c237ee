"""The tables of a policy file beside its methods, and what must hang together, all problems at once."""

import datetime as dt
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from settlement.clearing.bands import Band, Bands, Ratio
from settlement.clearing.deposit import CEILING, DepositOrder
from settlement.clearing.policies.method_tables import MethodTable
from settlement.clearing.policies.monthly_table import MonthlyTable
from settlement.clearing.policies.policy import PART_FUNDS, Basis, Family, SharingBy
from settlement.clearing.policies.prepayment_table import PrepaymentTable
from settlement.clearing.policies.words import Fen, Institution, Leaf, PolicyTable, Share
from settlement.clearing.policies.yearly_table import YearlyTable


class HeadTable(PolicyTable):
    """``[policy]``; ``kind`` says which tables the file has beside it."""

    kind: Literal["clearing", "one_stop"] = "clearing"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    title: str = Field(min_length=1)
    fund: Leaf
    effective: dt.date
    until: dt.date | None = None
    basis: str = ""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "HeadTable":
        if self.until is not None and self.until < self.effective:
            raise ValueError("until 早于 effective / until lies before effective")
        return self


class BudgetTable(PolicyTable):
    """``[budget]``."""

    year: Fen = Field(ge=0)
    reserve: Share = Fraction(5, 100)
    months: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=lambda: [1] * 12, min_length=12, max_length=12
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "BudgetTable":
        if not 0 <= self.reserve < 1:
            raise ValueError("reserve 须在 0 与 1 之间 / reserve lies between nil and one")
        if not any(self.months):
            raise ValueError("months 不可全为 0 / some month needs a weight")
        return self


class PointValueTable(PolicyTable):
    """``[point_value]``."""

    family: Family = Family.FUND_ONLY
    sharing: SharingBy = SharingBy.EXACT
    digits: int = Field(default=4, ge=0, le=8)
    paid_share: Share | None = None
    insured_elsewhere: Literal["apart", "counted"] = "apart"

    @model_validator(mode="after")
    def _others_bear_their_part(self) -> "PointValueTable":
        if self.insured_elsewhere == "counted" and self.family is not Family.TOTAL_COST:
            raise ValueError(
                "insured_elsewhere = counted 须用 total_cost / counted goes with total_cost only"
            )
        return self

    @model_validator(mode="after")
    def _average_ratio_has_its_share(self) -> "PointValueTable":
        if (self.family is Family.AVERAGE_RATIO) != (self.paid_share is not None):
            raise ValueError(
                "paid_share 须且仅须用于 average_ratio / paid_share goes with average_ratio only"
            )
        if self.paid_share is not None and not 0 < self.paid_share <= 1:
            raise ValueError("paid_share 须大于 0 且不超过 1 / above nil and at most one")
        return self


class ReleaseTable(PolicyTable):
    """``[[deposit.release]]``: from a score, all below another; no share means the score in percent."""

    from_score: Share
    below: Share | None = None
    share: Share | None = None


class DepositTable(PolicyTable):
    """``[deposit]``."""

    share: Share
    order: DepositOrder = DepositOrder.OF_DECLARED
    release: list[ReleaseTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_at_most_five_percent(self) -> "DepositTable":
        if not 0 <= self.share <= CEILING:
            raise ValueError("保证金比例不超过 5% / a deposit is at most 5 %")
        return self


class BandTable(PolicyTable):
    """``[[bands.band]]``: ``due x a + booked x b + constant`` up to an edge."""

    upto: Share | None = None
    owns_edge: bool = True
    due: Share = Fraction(0)
    booked: Share = Fraction(0)
    constant: Fen = 0


class BandsTable(PolicyTable):
    """``[bands]``."""

    ratio: Ratio
    at_most_of_due: Share | None = None
    band: list[BandTable] = Field(min_length=1)

    def bands(self) -> Bands:
        return Bands(
            ratio=self.ratio,
            at_most_of_due=self.at_most_of_due,
            bands=tuple(
                Band(
                    upto=one.upto,
                    owns_edge=one.owns_edge,
                    due=one.due,
                    booked=one.booked,
                    constant_fen=one.constant,
                )
                for one in self.band
            ),
        )

    @model_validator(mode="after")
    def _covers_every_ratio(self) -> "BandsTable":
        self.bands()  # a band with a hole raises ValueError, which pydantic lists
        return self


class PolicyFile(PolicyTable):
    """The whole file."""

    policy: HeadTable
    budget: BudgetTable | None = None
    point_value: PointValueTable = PointValueTable()
    methods: list[MethodTable] = Field(default_factory=list)
    deposit: DepositTable | None = None
    bands: BandsTable | None = None
    monthly: MonthlyTable = MonthlyTable()
    payees: dict[Institution, Institution] = Field(default_factory=dict)
    yearly: YearlyTable = YearlyTable()
    prepayment: PrepaymentTable | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> "PolicyFile":
        names = [method.name for method in self.methods]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"方法重名 / methods named twice: {', '.join(twice)}")
        if self.budget is None and any(one.counts_points for one in self.methods):
            raise ValueError("按点数付费须有 [budget] / methods with points need a [budget]")
        if not self.methods and self.policy.fund not in PART_FUNDS:
            raise ValueError("至少一种方法 / a fund that is cleared by cases needs [[methods]]")
        if not self.methods and self.monthly.basis is Basis.DUE:
            raise ValueError("basis = due 须有方法 / what is due is computed by [[methods]]")
        if chained := sorted(set(self.payees) & set(self.payees.values())):
            raise ValueError(f"收款机构自身另有收款机构 / a payee has a payee: {chained}")
        return self
