"""The tables of a policy file: their forms and what must hang together, with all problems at once.

Amounts are yuan as text, shares are ``"5%"``, ``"1/3"`` or ``"0.05"``, points and coefficients are
decimal text: a number without quotes is refused where TOML would make a float of it.
"""

import datetime as dt
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ledger.domain.fund import is_institution, is_leaf
from settlement.clearing import yearly_rules as yearly
from settlement.clearing.bands import Band, Bands, Ratio
from settlement.clearing.deposit import CEILING, DepositOrder
from settlement.clearing.methods.per_diem import PerDiemCap, Stage, stage_problems
from settlement.clearing.policy import Family, ReviewPoints, SharingBy

_SHARE = re.compile(r"(-?\d+(?:\.\d+)?)(?:(%)|/(\d+))?")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_YUAN = re.compile(r"-?\d+(?:\.\d{1,2})?")
_FOUR_DIGITS = re.compile(r"\d+(?:\.\d{1,4})?")
#: The kernel multiplies cost by points in 64 bits: points of one case stay below this.
_MOST_POINTS4 = 60_000_000


def _share(value: object) -> object:
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[3] == "0":
        raise ValueError('须为 "5%"、"1/3" 或 "0.05" / a share is "5%", "1/3" or "0.05"')
    return Fraction(found[1]) / (100 if found[2] else int(found[3] or 1))


def _fen(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _YUAN.fullmatch(value):
        raise ValueError('须为元,如 "1234.50" / an amount is yuan such as "1234.50"')
    return int(Fraction(value) * 100)


def _units4(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _FOUR_DIGITS.fullmatch(value):
        raise ValueError('须为最多四位小数的文本,如 "1.05" / decimal text with four digits at most')
    return int(Fraction(value) * 10_000)


def _leaf(value: object) -> object:
    if not is_leaf(str(value)):
        raise ValueError(f"须为基金或子基金,如 310.pooled / no such fund: {value}")
    return str(value)


def _institution(value: object) -> object:
    if not is_institution(str(value)):
        raise ValueError(f"机构编码须为 H 或 P 加 11 位 / no institution: {value}")
    return str(value)


Share = Annotated[Fraction, BeforeValidator(_share)]
Fen = Annotated[int, BeforeValidator(_fen)]
Units4 = Annotated[int, BeforeValidator(_units4)]
Institution = Annotated[str, BeforeValidator(_institution)]


class PolicyTable(BaseModel):
    """A table of the file; a key that we do not know is a mistake: a policy is not guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


_Table = PolicyTable


class HeadTable(_Table):
    """``[policy]``; ``kind`` says which tables the file has beside it."""

    kind: Literal["clearing", "one_stop"] = "clearing"
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    title: str = Field(min_length=1)
    fund: Annotated[str, BeforeValidator(_leaf)]
    effective: dt.date
    until: dt.date | None = None
    basis: str = ""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "HeadTable":
        if self.until is not None and self.until < self.effective:
            raise ValueError("until 早于 effective / until lies before effective")
        return self


class BudgetTable(_Table):
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


class PointValueTable(_Table):
    """``[point_value]``."""

    family: Family = Family.FUND_ONLY
    sharing: SharingBy = SharingBy.EXACT
    digits: int = Field(default=4, ge=0, le=8)
    paid_share: Share | None = None

    @model_validator(mode="after")
    def _average_ratio_has_its_share(self) -> "PointValueTable":
        if (self.family is Family.AVERAGE_RATIO) != (self.paid_share is not None):
            raise ValueError(
                "paid_share 须且仅须用于 average_ratio / paid_share goes with average_ratio only"
            )
        if self.paid_share is not None and not 0 < self.paid_share <= 1:
            raise ValueError("paid_share 须大于 0 且不超过 1 / above nil and at most one")
        return self


class GroupTable(_Table):
    """One group: ``{ points = "1000", average = "10000.00" }``."""

    points: Units4 = Field(gt=0, le=_MOST_POINTS4)
    average: Fen = Field(gt=0)


class StageTable(_Table):
    """One stage of a stay: ``{ upto_day = 30, rate = "200.00" }``; the last has no ``upto_day``."""

    upto_day: int | None = Field(default=None, ge=1)
    rate: Fen = Field(ge=0)

    def stage(self) -> Stage:
        return Stage(upto_day=self.upto_day, rate_fen=self.rate)


class TierTable(_Table):
    """``{ upto_points = "100", multiple = "3" }``; the last has no ``upto_points``."""

    upto_points: Share | None = None
    multiple: Share


class MethodTable(_Table):
    """``[[methods]]``: one payment method and the cases it is for."""

    name: str = Field(min_length=1)
    kind: Literal["dip", "drg", "drg_rate", "per_diem", "fee_for_service"]
    clr_types: list[str] = Field(default_factory=list)
    med_types: list[str] = Field(default_factory=list)
    institutions: list[Institution] = Field(default_factory=list)
    groups: dict[str, GroupTable] = Field(default_factory=dict)
    groups_file: str | None = None
    coefficients: dict[Institution, Units4] = Field(default_factory=dict)
    low: Share | None = None
    high: Share | None = None
    tiers: list[TierTable] = Field(default_factory=list)
    readmission_days: int = Field(default=15, ge=0)
    readmission_keeps: Share = Fraction(1, 2)
    rate: Share | None = None
    stages: list[StageTable] = Field(default_factory=list)
    cap: PerDiemCap = PerDiemCap.FIXED
    review_points: ReviewPoints = ReviewPoints.AFTER_COEFFICIENT
    quotas: dict[Institution, Fen] = Field(default_factory=dict)
    saving_kept: Share = Fraction(0)
    excess_paid: Share = Fraction(0)
    excess_upto: Share | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "MethodTable":
        if problems := list(_method_problems(self)):
            raise ValueError("; ".join(problems))
        return self


#: Keys that say something only for some kinds; set for another, they are a mistake.
_KEYS_OF_KIND = {
    "dip": {"groups", "groups_file", "coefficients", "low", "high", "review_points"},
    "drg": {"groups", "groups_file", "coefficients", "low", "tiers"}
    | {"readmission_days", "readmission_keeps", "review_points"},
    "drg_rate": {"groups", "groups_file", "rate"},
    "per_diem": {"stages", "cap"},
    "fee_for_service": {"quotas", "saving_kept", "excess_paid", "excess_upto"},
}
_EVERY_KIND = {"name", "kind", "clr_types", "med_types", "institutions"}


def _method_problems(table: MethodTable) -> Iterator[str]:
    stray = sorted(table.model_fields_set - _EVERY_KIND - _KEYS_OF_KIND[table.kind])
    if stray:
        yield f"{table.kind} 不用这些键 / not used by {table.kind}: {', '.join(stray)}"
    if table.kind in {"dip", "drg", "drg_rate"} and not table.groups and table.groups_file is None:
        yield "缺少 groups 或 groups_file / groups or groups_file is missing"
    if table.kind in {"dip", "drg"} and not table.coefficients:
        yield "缺少 coefficients / coefficients are missing"
    if table.kind == "drg_rate" and (table.rate is None or table.rate <= 0):
        yield "缺少 rate / a rate above nil is missing"
    low, high = table.low or Fraction(1, 2), table.high or Fraction(2)
    if not 0 <= low <= 1 <= high:
        yield "须 low ≤ 1 ≤ high / low is at most one, high at least one"
    if table.kind == "per_diem":
        yield from stage_problems([stage.stage() for stage in table.stages])
    ends = [tier.upto_points for tier in table.tiers]
    if ends and (ends[-1] is not None or None in ends[:-1]):
        yield "最后一档不设 upto_points,其余各档必设 / the last tier, and only it, has no upto_points"


class ReleaseTable(_Table):
    """``[[deposit.release]]``: from a score, all below another; no share means the score in percent."""

    from_score: Share
    below: Share | None = None
    share: Share | None = None


class DepositTable(_Table):
    """``[deposit]``."""

    share: Share
    order: DepositOrder = DepositOrder.OF_DECLARED
    release: list[ReleaseTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_at_most_five_percent(self) -> "DepositTable":
        if not 0 <= self.share <= CEILING:
            raise ValueError("保证金比例不超过 5% / a deposit is at most 5 %")
        return self


class BandTable(_Table):
    """``[[bands.band]]``: ``due x a + booked x b + constant`` up to an edge."""

    upto: Share | None = None
    owns_edge: bool = True
    due: Share = Fraction(0)
    booked: Share = Fraction(0)
    constant: Fen = 0


class BandsTable(_Table):
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


class YearlyTable(_Table):
    """``[yearly]``: how the year is cleared; every key may be left out."""

    year: int | None = Field(default=None, ge=2000, le=9998)
    bands_on: yearly.BandsOn = yearly.BandsOn.FUND
    bands_of: yearly.BandsOf = yearly.BandsOf.POINTS
    assessment: yearly.Assessment = yearly.Assessment.AFTER_BANDS
    surplus: yearly.Surplus = yearly.Surplus.FUND
    surplus_shared: Share = Fraction(0)
    reserve_cap: Share = Fraction(1)
    held_back: yearly.HeldBack = yearly.HeldBack.UNPAID
    no_method: yearly.NoMethod = yearly.NoMethod.AS_BOOKED
    months: yearly.Months = yearly.Months.SETTLED
    rounding: yearly.Rounding = yearly.Rounding.FEN

    @model_validator(mode="after")
    def _shares_are_parts(self) -> "YearlyTable":
        for name in ("surplus_shared", "reserve_cap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} 须在 0 与 1 之间 / {name} lies between nil and one")
        return self

    def rules(self) -> yearly.YearlyRules:
        said = {name: getattr(self, name) for name in type(self).model_fields if name != "year"}
        return yearly.YearlyRules(year=None if self.year is None else str(self.year), **said)


class PolicyFile(_Table):
    """The whole file."""

    policy: HeadTable
    budget: BudgetTable | None = None
    point_value: PointValueTable = PointValueTable()
    methods: list[MethodTable] = Field(min_length=1)
    deposit: DepositTable | None = None
    bands: BandsTable | None = None
    yearly: YearlyTable = YearlyTable()

    @model_validator(mode="after")
    def _hangs_together(self) -> "PolicyFile":
        names = [method.name for method in self.methods]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"方法重名 / methods named twice: {', '.join(twice)}")
        if self.budget is None and any(one.kind in {"dip", "drg"} for one in self.methods):
            raise ValueError("按点数付费须有 [budget] / methods with points need a [budget]")
        return self
