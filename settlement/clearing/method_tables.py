"""The tables of ``[[methods]]`` in a policy file: what each kind of method needs and may say."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from ledger.domain.money import format_yuan
from settlement.clearing.kernel import (
    MAX_AVERAGE_FEN,
    MAX_BASE4,
    MAX_COEFFICIENT4,
    MAX_DENOMINATOR,
    MAX_MULTIPLE,
    MIN_AVERAGE_FEN,
)
from settlement.clearing.methods.per_diem import PerDiemCap, Stage, stage_problems
from settlement.clearing.policy import ReviewPoints
from settlement.clearing.policy_words import Fen, Institution, PolicyTable, Share, Units4


class GroupTable(PolicyTable):
    """One group: ``{ points = "1000", average = "10000.00" }``."""

    points: Units4 = Field(gt=0, le=MAX_BASE4)
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


class MethodTable(PolicyTable):
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
    | {"readmission_days", "readmission_keeps", "readmission_anywhere", "readmission_exempt"}
    | {"undated", "incomplete_ways", "bed_day", "single_review", "min_cases", "review_points"},
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
    if table.kind == "drg":
        yield from _stay_problems(table)
    if table.kind in {"dip", "drg"}:
        yield from _exactness_problems(table)


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
