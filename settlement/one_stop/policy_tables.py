"""The tables of a one-stop policy file: their forms and what must hang together, all at once."""

from collections.abc import Iterator
from math import lcm
from typing import Any, Literal

from pydantic import Field, model_validator

from settlement.clearing.policies.tables import HeadTable
from settlement.clearing.policies.words import Fen, PolicyTable, Share
from settlement.one_stop.layers import Layer, Segment
from settlement.one_stop.policy import (
    AssistanceRule,
    BasicRule,
    CatastrophicRule,
    OneStopPolicy,
    OtherRule,
    TiltedRule,
    Whom,
)

#: Shares of a layer add up in 64 bits with this common denominator at most.
MAX_DENOMINATOR = 1_000_000
MAX_FEN = 10**11  # of an edge, a deductible or a ceiling


class SegmentTable(PolicyTable):
    """``{ upto = "30000.00", share = "60%" }``; the last has no ``upto``."""

    upto: Fen | None = Field(default=None, gt=0, le=MAX_FEN)
    share: Share


class RuleTable(PolicyTable):
    """What the rules of all layers have: a name and whom they are for."""

    name: str = Field(min_length=1)
    insutypes: list[str] = Field(default_factory=list)
    levels: list[int] = Field(default_factory=list)
    med_types: list[str] = Field(default_factory=list)
    person_classes: list[str] = Field(default_factory=list)
    assistance_classes: list[str] = Field(default_factory=list)
    places: list[Literal["here", "elsewhere"]] = Field(default_factory=list)

    def whom(self) -> Whom:
        return Whom(
            insutypes=frozenset(self.insutypes),
            levels=frozenset(self.levels),
            med_types=frozenset(self.med_types),
            person_classes=frozenset(self.person_classes),
            assistance_classes=frozenset(self.assistance_classes),
            places=frozenset(self.places),
        )


class LayerTable(RuleTable):
    """A layer with deductible 起付线, segments 分段 and yearly ceiling 封顶线."""

    deductible: Fen = Field(default=0, ge=0, le=MAX_FEN)
    segments: list[SegmentTable] = Field(min_length=1)
    ceiling: Fen | None = Field(default=None, gt=0, le=MAX_FEN)

    def layer(self) -> Layer:
        return Layer(
            deductible_fen=self.deductible,
            segments=tuple(Segment(upto_fen=one.upto, share=one.share) for one in self.segments),
            ceiling_fen=self.ceiling,
        )

    @model_validator(mode="after")
    def _segments_follow_each_other(self) -> "LayerTable":
        if problems := list(_segment_problems(self.segments)):
            raise ValueError("; ".join(problems))
        return self


def _segment_problems(segments: list[SegmentTable]) -> Iterator[str]:
    edges = [one.upto for one in segments]
    inner = [edge for edge in edges[:-1] if edge is not None]
    if edges[-1] is not None or len(inner) != len(edges) - 1:
        yield "最后一段不设 upto,其余各段必设 / the last segment, and only it, has no upto"
    elif inner != sorted(set(inner)):
        yield "各段 upto 须递增 / the edges must rise"
    if any(not 0 <= one.share <= 1 for one in segments):
        yield "share 须在 0 与 1 之间 / a share lies between nil and one"
    if lcm(*(one.share.denominator for one in segments)) > MAX_DENOMINATOR:
        yield "各段比例的公分母过大 / the shares have no common denominator below a million"


class BasicTable(LayerTable):
    """``[[basic]]`` 基本医保."""

    per: Literal["settlement", "year"] = "settlement"
    later_deductibles: list[Fen] = Field(default_factory=list)
    pool: str | None = Field(default=None, min_length=1)

    def rule(self) -> BasicRule:
        return BasicRule(
            name=self.name,
            whom=self.whom(),
            layer=self.layer(),
            later_deductibles_fen=tuple(self.later_deductibles),
            yearly=self.per == "year",
            pool=self.pool or self.name,
        )

    @model_validator(mode="after")
    def _deductibles_make_sense(self) -> "BasicTable":
        if self.per == "year" and self.later_deductibles:
            raise ValueError(
                '按年度的起付线没有 later_deductibles / per = "year" has no later_deductibles'
            )
        if any(not 0 <= one <= MAX_FEN for one in self.later_deductibles):
            raise ValueError("later_deductibles 不可为负 / a deductible is not negative")
        return self


class CatastrophicTable(LayerTable):
    """``[[catastrophic]]`` 大病、大额."""

    part: Literal["hifmi_pay", "hifob_pay"] = "hifmi_pay"

    def rule(self) -> CatastrophicRule:
        return CatastrophicRule(
            name=self.name, whom=self.whom(), layer=self.layer(), part=self.part
        )


class AssistanceTable(LayerTable):
    """``[[assistance]]`` 医疗救助."""

    assistance_classes: list[str] = Field(min_length=1)

    def rule(self) -> AssistanceRule:
        return AssistanceRule(name=self.name, whom=self.whom(), layer=self.layer())


class TiltedTable(LayerTable):
    """``[[tilted]]`` 倾斜救助: deductible and ceiling are of the year."""

    assistance_classes: list[str] = Field(min_length=1)

    def rule(self) -> TiltedRule:
        return TiltedRule(name=self.name, whom=self.whom(), layer=self.layer())


class OtherTable(RuleTable):
    """``[[others]]``: further payers, in their order."""

    part: Literal["cvlserv_pay", "hifes_pay", "hifdm_pay", "oth_pay"]
    share: Share

    def rule(self) -> OtherRule:
        return OtherRule(name=self.name, whom=self.whom(), part=self.part, share=self.share)

    @model_validator(mode="after")
    def _is_a_share(self) -> "OtherTable":
        if not 0 <= self.share <= 1 or self.share.denominator > MAX_DENOMINATOR:
            raise ValueError("share 须在 0 与 1 之间 / a share lies between nil and one")
        return self


class OneStopFile(PolicyTable):
    """The whole file."""

    policy: HeadTable
    basic: list[BasicTable] = Field(min_length=1)
    catastrophic: list[CatastrophicTable] = Field(default_factory=list)
    assistance: list[AssistanceTable] = Field(default_factory=list)
    tilted: list[TiltedTable] = Field(default_factory=list)
    others: list[OtherTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _hangs_together(self) -> "OneStopFile":
        if problems := list(_file_problems(self)):
            raise ValueError("; ".join(problems))
        return self


def _file_problems(file: OneStopFile) -> Iterator[str]:
    for layer in ("basic", "catastrophic", "assistance", "tilted", "others"):
        names = [one.name for one in getattr(file, layer)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"{layer} 规则重名 / rules named twice: {', '.join(twice)}"
    of_pool: dict[str, tuple[int | None, str]] = {}
    for one in file.basic:
        pool = one.pool or one.name
        if of_pool.setdefault(pool, (one.ceiling, one.per)) != (one.ceiling, one.per):
            yield f"pool {pool} 的各规则须有相同的 ceiling 与 per / one ceiling and per for a pool"
    assisted = {code for one in file.assistance for code in one.assistance_classes}
    tilted = {code for one in file.tilted for code in one.assistance_classes}
    if alone := sorted(tilted - assisted):
        yield f"tilted 的救助类别没有 assistance 规则 / no assistance for: {', '.join(alone)}"
    yield from _turn_problems(file.others)


def _turn_problems(others: list[OtherTable]) -> Iterator[str]:
    """Rules of one part must stand together: whose turn it is must not depend on the person."""
    turns = [one.part for one in others]
    seen = list(dict.fromkeys(turns))
    if turns != [part for part in seen for _ in range(turns.count(part))]:
        yield "同一基金的 others 规则须相连 / the rules of one part must stand together"


def one_stop_policy_of(content: dict[str, Any]) -> OneStopPolicy:
    """Give the policy of a content that was checked when it was proposed."""
    file = OneStopFile.model_validate(content)
    head = file.policy
    return OneStopPolicy(
        name=head.name,
        title=head.title,
        fund=head.fund,
        effective=head.effective.isoformat(),
        until=None if head.until is None else head.until.isoformat(),
        basis=head.basis,
        basic=tuple(one.rule() for one in file.basic),
        catastrophic=tuple(one.rule() for one in file.catastrophic),
        assistance=tuple(one.rule() for one in file.assistance),
        tilted=tuple(one.rule() for one in file.tilted),
        others=tuple(one.rule() for one in file.others),
    )
