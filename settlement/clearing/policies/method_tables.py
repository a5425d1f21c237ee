"""The tables of ``[[methods]]`` in a policy file: what each kind of method needs and may say."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ledger.domain.money import format_yuan
from settlement.clearing.cases.kernel import (
    MAX_AVERAGE_FEN,
    MAX_BASE4,
    MAX_COEFFICIENT4,
    MAX_DENOMINATOR,
    MAX_MULTIPLE,
    MIN_AVERAGE_FEN,
    ONE,
)
from settlement.clearing.methods.capitation import Heads, Signed
from settlement.clearing.methods.dip import group_points4
from settlement.clearing.methods.drg import base_points4, weight4
from settlement.clearing.methods.per_diem import PerDiemCap, Stage, stage_problems
from settlement.clearing.policies.policy import PricedReviews, ReviewPoints
from settlement.clearing.policies.words import Fen, Institution, Month, PolicyTable, Share, Units4

#: What stands between the entries of the auxiliary directory where a file names several.
_BETWEEN_HITS = frozenset(" +,;、，；|")


class GroupTable(PolicyTable):
    """One group: ``{ points = "1000", average = "10000.00" }``; no points with ``area_average``."""

    points: Annotated[Units4, Field(gt=0, le=MAX_BASE4)] | None = None
    average: Fen = Field(gt=0)


class StageTable(PolicyTable):
    """One stage of a stay: ``{ upto_day = 30, rate = "200.00" }``; the last has no ``upto_day``."""

    upto_day: int | None = Field(default=None, ge=1)
    rate: Fen = Field(ge=0)

    def stage(self) -> Stage:
        return Stage(upto_day=self.upto_day, rate_fen=self.rate)


class TierTable(PolicyTable):
    """``{ upto_points = "100", multiple = "3" }``; the last has no ``upto_points``."""

    upto_points: Share | None = None
    multiple: Share


class CatalogueTable(PolicyTable):
    """``[[methods.catalogues]]``: the groups from the first day of a month on."""

    effective: dt.date
    groups: dict[str, GroupTable] = Field(default_factory=dict)
    groups_file: str | None = None


class HeadsTable(PolicyTable):
    """One class of persons who signed: ``{ institution, heads = 1200, rate = "8.50" }``."""

    institution: Institution
    heads: int = Field(ge=0)
    rate: Fen = Field(ge=0)
    factor: Share = Field(default=Fraction(1), ge=0)
    since: Month = "0000-01"
    until: Month = "9999-12"
    person_class: str = ""

    def signed(self) -> Signed:
        return Signed(
            institution=self.institution,
            since=self.since,
            until=self.until,
            heads=Heads(heads=self.heads, rate_fen=self.rate, factor=self.factor),
        )


class ElsewhereTable(PolicyTable):
    """Visits elsewhere (转外) of an institution's persons in a month, in yuan."""

    institution: Institution
    month: Month
    amount: Fen = Field(ge=0)


class MethodTable(PolicyTable):
    """``[[methods]]``: one payment method and the cases it is for."""

    name: str = Field(min_length=1)
    kind: Literal[
        "dip",
        "drg",
        "drg_rate",
        "per_diem",
        "fee_for_service",
        "day_ward",
        "capitation",
        "county_community",
    ]
    clr_types: list[str] = Field(default_factory=list)
    med_types: list[str] = Field(default_factory=list)
    institutions: list[Institution] = Field(default_factory=list)
    groups: dict[str, GroupTable] = Field(default_factory=dict)
    groups_file: str | None = None
    area_average: Annotated[Fen, Field(gt=0)] | None = None
    coefficients: dict[Institution, Units4] = Field(default_factory=dict)
    low: Share | None = None
    high: Share | None = None
    tiers: list[TierTable] = Field(default_factory=list)
    readmission_days: int = Field(default=15, ge=0, le=366)
    readmission_keeps: Share = Field(default=Fraction(1, 2), ge=0, le=1)
    readmission_anywhere: bool = False
    readmission_exempt: list[str] = Field(default_factory=list)
    undated: Literal["held_back", "counted"] = "held_back"
    incomplete_ways: list[str] = Field(default_factory=list)
    bed_day: list[str] = Field(default_factory=list)
    single_review: list[str] = Field(default_factory=list)
    min_cases: int = Field(default=0, ge=0)
    rate: Share | None = None
    stages: list[StageTable] = Field(default_factory=list)
    cap: PerDiemCap = PerDiemCap.FIXED
    review_points: ReviewPoints = ReviewPoints.AFTER_COEFFICIENT
    reviews: PricedReviews | None = None  # None: what is usual for the kind
    quotas: dict[Institution, Fen] = Field(default_factory=dict)
    saving_kept: Share = Fraction(0)
    excess_paid: Share = Fraction(0)
    excess_upto: Share | None = None
    coefficient_default: Units4 | None = None
    primary_groups: list[str] = Field(default_factory=list)
    primary_coefficient: Units4 = 10_000
    catalogues: list[CatalogueTable] = Field(default_factory=list)
    auxiliary: dict[str, Units4] = Field(default_factory=dict)
    standards: dict[str, Fen] = Field(default_factory=dict)
    factor: Share | None = None
    heads: list[HeadsTable] = Field(default_factory=list)
    heads_file: str | None = None
    elsewhere: list[ElsewhereTable] = Field(default_factory=list)
    deducted: Share = Field(default=Fraction(1), ge=0, le=1)
    members: dict[Institution, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    raised: Fen = 0
    distributable: Share = Field(default=Fraction(1), ge=0, le=1)
    adjustment: Fen = 0
    assessment: Share = Field(default=Fraction(1), ge=0)
    overrun_borne: Share = Field(default=Fraction(1), ge=0, le=1)
    insured_in: list[str] = Field(default_factory=list)
    outside: dict[Month, Fen] = Field(default_factory=dict)

    def points4(self, group: GroupTable) -> int:
        """Give the points (or weight) of a group: its own, else by the averages of group and area."""
        if group.points is not None or self.area_average is None:
            return group.points or 0
        return _BY_AVERAGES[self.kind](group.average, self.area_average)

    @property
    def counts_points(self) -> bool:
        """Tell whether its cases share the budget by points."""
        return self.kind in {"dip", "drg"} or (self.kind == "day_ward" and self.factor is not None)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "MethodTable":
        if problems := list(_method_problems(self)):
            raise ValueError("; ".join(problems))
        return self


#: What the points of a group are where it has none of its own.
_BY_AVERAGES: dict[str, Callable[[int, int], int]] = {
    "dip": group_points4,
    "drg": base_points4,
    "drg_rate": weight4,
}

#: Keys that say something only for some kinds; set for another, they are a mistake.
_KEYS_OF_KIND = {
    "dip": {"groups", "groups_file", "coefficients", "low", "high", "review_points"}
    | {"area_average"}
    | {"coefficient_default", "primary_groups", "primary_coefficient", "catalogues", "auxiliary"},
    "drg": {"groups", "groups_file", "coefficients", "low", "tiers", "area_average"}
    | {"readmission_days", "readmission_keeps", "readmission_anywhere", "readmission_exempt"}
    | {"undated", "incomplete_ways", "bed_day", "single_review", "min_cases", "review_points"},
    "drg_rate": {"groups", "groups_file", "rate", "area_average", "reviews"},
    "per_diem": {"stages", "cap", "reviews"},
    "fee_for_service": {"quotas", "saving_kept", "excess_paid", "excess_upto"},
    "day_ward": {"standards", "cap", "reviews"}
    | {"groups", "groups_file", "factor", "coefficients", "coefficient_default", "review_points"},
    "capitation": {"heads", "heads_file", "elsewhere", "deducted"},
    "county_community": {"members", "raised", "distributable", "adjustment", "assessment"}
    | {"overrun_borne", "insured_in", "outside"},
}
_EVERY_KIND = {"name", "kind", "clr_types", "med_types", "institutions"}


def _method_problems(table: MethodTable) -> Iterator[str]:
    stray = sorted(table.model_fields_set - _EVERY_KIND - _KEYS_OF_KIND[table.kind])
    if stray:
        yield f"{table.kind} 不用这些键 / not used by {table.kind}: {', '.join(stray)}"
    by_groups = table.counts_points or table.kind == "drg_rate"
    if by_groups and not table.groups and table.groups_file is None:
        yield "缺少 groups 或 groups_file / groups or groups_file is missing"
    if table.counts_points and not table.coefficients and table.coefficient_default is None:
        yield "缺少 coefficients / coefficients are missing"
    yield from _points_problems(table)
    low, high = table.low or Fraction(1, 2), table.high or Fraction(2)
    if not 0 <= low <= 1 <= high:
        yield "须 low ≤ 1 ≤ high / low is at most one, high at least one"
    for check in _CHECKS.get(table.kind, ()):
        yield from check(table)


def _points_problems(table: MethodTable) -> Iterator[str]:
    every = [table.groups, *(one.groups for one in table.catalogues)]
    found = {code: one for groups in every for code, one in groups.items()}
    if table.area_average is None:
        if without := sorted(code for code, one in found.items() if one.points is None):
            yield f"缺少 points 或 area_average / neither points nor area_average: {', '.join(without)}"
    elif wrong := sorted(
        code for code, one in found.items() if not 0 < table.points4(one) <= MAX_BASE4
    ):
        yield f"由次均费用算出的分值越界 / points by the averages out of bounds: {', '.join(wrong)}"
    named = [table.groups[code] for code in table.bed_day if code in table.groups]
    if any(one.points is None for one in named):
        yield "床日病组须写 points(每日点数) / a bed-day group names the points of a day"


def _rate_problems(table: MethodTable) -> Iterator[str]:
    if table.rate is None or table.rate <= 0:
        yield "缺少 rate / a rate above nil is missing"


def _stage_problems(table: MethodTable) -> Iterator[str]:
    yield from stage_problems([stage.stage() for stage in table.stages])


def _heads_problems(table: MethodTable) -> Iterator[str]:
    if not table.heads and table.heads_file is None:
        yield "缺少 heads 或 heads_file / heads or heads_file is missing"
    if any(one.since > one.until for one in table.heads):
        yield "heads 的 since 晚于 until / heads end before they begin"


def _directory_problems(table: MethodTable) -> Iterator[str]:
    known = {*table.groups}.union(*(one.groups for one in table.catalogues))
    if unknown := sorted({*table.primary_groups} - known):
        yield f"primary_groups 中的病种不在目录内 / not among the groups: {', '.join(unknown)}"
    if wrong := sorted(entry for entry in table.auxiliary if set(entry) & _BETWEEN_HITS):
        yield f"辅助目录名称不可含分隔符 / entries without separators: {', '.join(wrong)}"
    most4 = max(
        [table.primary_coefficient, table.coefficient_default or 0, *table.coefficients.values()]
    )
    if any(one * most4 > MAX_COEFFICIENT4 * ONE for one in table.auxiliary.values()):
        yield "辅助目录系数 x 机构系数不超过 10 / factor x coefficient is at most 10"
    since = [one.effective for one in table.catalogues]
    if any(a >= b for a, b in itertools.pairwise(since)):
        yield "catalogues 须按 effective 递增 / catalogues rise by their date"
    if any(day.day != 1 for day in since):
        yield "catalogues 须自月初起用 / a catalogue begins with a month"
    if any(not one.groups and one.groups_file is None for one in table.catalogues):
        yield "catalogues 缺少 groups 或 groups_file / a catalogue without groups"


def _day_problems(table: MethodTable) -> Iterator[str]:
    by_points = {"groups", "groups_file", "coefficients", "coefficient_default", "review_points"}
    if (table.factor is None) == (not table.standards):
        yield "日间病房须有 standards 或 factor 之一 / either standards or a factor"
    elif table.factor is None and (stray := sorted(table.model_fields_set & by_points)):
        yield f"仅用于 factor / only with a factor: {', '.join(stray)}"
    elif table.factor is not None and (
        stray := sorted(table.model_fields_set & {"cap", "reviews"})
    ):
        yield f"仅用于 standards / only for standards: {', '.join(stray)}"
    if table.factor is not None and not 0 < table.factor <= 1:
        yield "须 0 < factor ≤ 1 / the factor is above nil and at most one"


def _community_problems(table: MethodTable) -> Iterator[str]:
    if not any(table.members.values()):
        yield "缺少 members 及其权重 / members with weights are missing"
    if table.raised <= 0:
        yield "缺少 raised / what was raised is missing"


def _stay_problems(table: MethodTable) -> Iterator[str]:
    ends = [tier.upto_points for tier in table.tiers]
    if ends and (ends[-1] is not None or None in ends[:-1]):
        yield "最后一档不设 upto_points,其余各档必设 / the last tier, and only it, has no upto_points"
    edges = [end for end in ends if end is not None]
    if any(a >= b for a, b in itertools.pairwise(edges)):
        yield "各档 upto_points 须递增 / tiers rise"
    for key in ("bed_day", "readmission_exempt"):
        if unknown := sorted({*getattr(table, key)} - {*table.groups}):
            yield f"{key} 中的病组不在 groups 内 / not among the groups: {', '.join(unknown)}"
    if both := sorted({*table.bed_day} & {*table.single_review}):
        yield f"不可同为 bed_day 与 single_review / in both lists: {', '.join(both)}"


def _exactness_problems(table: MethodTable) -> Iterator[str]:
    """Name what the kernel's whole numbers are not exact for (``kernel.py``)."""
    named = {"low": table.low, "high": table.high, "readmission_keeps": table.readmission_keeps}
    edges = [*named.items(), *(("tiers", tier.multiple) for tier in table.tiers)]
    for key, edge in edges:
        if edge is not None and edge.denominator > MAX_DENOMINATOR:
            yield f"{key} 最多两位小数或分母不超过 {MAX_DENOMINATOR} / a denominator of {MAX_DENOMINATOR} at most"
    if any(not 1 <= tier.multiple <= MAX_MULTIPLE for tier in table.tiers):
        yield f"倍率须在 1 至 {MAX_MULTIPLE} 之间 / multiples are 1 to {MAX_MULTIPLE}"
    if table.high is not None and table.high > MAX_MULTIPLE:
        yield f"high 不超过 {MAX_MULTIPLE} / high is at most {MAX_MULTIPLE}"
    low, high = MIN_AVERAGE_FEN, MAX_AVERAGE_FEN
    if wrong := sorted(
        code for code, one in table.groups.items() if not low <= one.average <= high
    ):
        yield (
            f"次均费用须在 {format_yuan(low)} 至 {format_yuan(high)} 元之间 / averages out of bounds:"
            f" {', '.join(wrong)}"
        )
    if wrong := sorted(code for code, one in table.coefficients.items() if one > MAX_COEFFICIENT4):
        yield f"系数不超过 10 / coefficients are at most 10: {', '.join(wrong)}"


_CHECKS: dict[str, tuple[Callable[[MethodTable], Iterator[str]], ...]] = {
    "dip": (_exactness_problems, _directory_problems),
    "drg": (_stay_problems, _exactness_problems),
    "drg_rate": (_rate_problems,),
    "per_diem": (_stage_problems,),
    "day_ward": (_day_problems,),
    "capitation": (_heads_problems,),
    "county_community": (_community_problems,),
}
