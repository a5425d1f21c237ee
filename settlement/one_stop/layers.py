"""The layers of one settlement: basic 基本 → catastrophic 大病 → assistance 救助 → others → person.

``within scope 符合政策范围 = total - own 全自费 - above limit price 超限价 - first share 先行自付``; then

1. basic: what lies above the deductible of the settlement, or of the year (门诊), by segments, up to
   the yearly ceiling 封顶线;
2. catastrophic: 累计计算、分段报销、按次结算. The year's qualified self-payment so far and with this
   settlement are both put through the segments; this settlement is paid the difference, so that a
   year's sum never depends on how it was cut into settlements;
3. assistance: the rest above its own yearly deductible, by class of person, up to a yearly ceiling;
   then 倾斜救助 (国办发〔2021〕42号) for those whom all three layers leave with a heavy burden: what of
   the year's burden lies above a threshold, by segments, up to a ceiling of its own;
4. other funds in the policy's order, each a share of what then remains;
5. the person, from account and cash.

A settlement names one amount of assistance (``maf_pay``), so what an earlier one paid as 倾斜救助 is not
told apart. The year's burden is therefore that of the policy, a function of what entered assistance:
no share of it depends on how the year was cut into settlements.

Segments are measured from the first fen of what they apply to, the deductible included. Every layer
is rounded once, half-up to the fen. Ratios, deductibles and ceilings are policy of the area and year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ledger.domain.money import fen_share, round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A share of what lies between the edge before and this one (分段比例), in fen."""

    upto_fen: int | None
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A deductible 起付线, segments above it, and a yearly ceiling 封顶线 on what it pays."""

    deductible_fen: int
    segments: tuple[Segment, ...]
    ceiling_fen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFund:
    """A further payer, such as 公务员补助: a share of what is left when its turn comes."""

    part: str  # the part of the settlement, such as cvlserv_pay
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPolicy:
    """What an area's year says for one kind of settlement and class of person."""

    basic: Layer
    basic_yearly: bool = False  # the basic deductible is met once a year, not by each settlement
    catastrophic: Layer | None = None
    catastrophic_part: str = "hifmi_pay"  # hifob_pay for employees
    assistance: Layer | None = None
    tilted: Layer | None = None  # 倾斜救助, on what assistance leaves
    others: tuple[OtherFund, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One settlement's cost and what of it lies outside the list, in fen."""

    total_fen: int
    own_fen: int = 0
    above_limit_fen: int = 0
    first_share_fen: int = 0

    @property
    def within_scope_fen(self) -> int:
        """符合政策范围金额."""
        return self.total_fen - self.own_fen - self.above_limit_fen - self.first_share_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSoFar:
    """What the year has used before this settlement (年度累计), in fen."""

    basic_scope_fen: int = 0  # within scope so far, of care whose deductible is yearly
    basic_paid_fen: int = 0
    qualified_fen: int = 0  # qualified self-payment that entered the catastrophic layer
    catastrophic_paid_fen: int = 0
    assistance_base_fen: int = 0
    assistance_paid_fen: int = 0  # 倾斜救助 included


@dataclass(frozen=True, slots=True)
class Settled:
    """Who pays what of one settlement: parts by their names of the interface, and the person."""

    within_scope_fen: int
    parts: dict[str, int] = field(default_factory=dict)
    person_fen: int = 0
    year: YearSoFar = field(default_factory=YearSoFar)
    tilted_fen: int = 0  # what of maf_pay is 倾斜救助


def by_segments(amount_fen: int, layer: Layer) -> int:
    """Pay an amount by segments above the deductible, rounded half-up once."""
    paid, begun = Fraction(0), layer.deductible_fen
    for segment in layer.segments:
        end = amount_fen if segment.upto_fen is None else min(amount_fen, segment.upto_fen)
        if end > begun:
            paid += (end - begun) * segment.share
            begun = end
    return int(round_half_up(paid))


def _within_ceiling(fen: int, layer: Layer, paid_before: int) -> int:
    if layer.ceiling_fen is None:
        return fen
    return max(min(fen, layer.ceiling_fen - paid_before), 0)


def cumulative(before_fen: int, now_fen: int, layer: Layer, paid_before_fen: int) -> int:
    """Pay what a settlement adds to a yearly cumulative layer (按次结算)."""
    added = by_segments(before_fen + now_fen, layer) - by_segments(before_fen, layer)
    return _within_ceiling(added, layer, paid_before_fen)


def burden_fen(base_fen: int, assistance: Layer) -> int:
    """What the year's assistance by policy leaves to the person (政策范围内个人负担)."""
    return base_fen - _within_ceiling(by_segments(base_fen, assistance), assistance, 0)


def tilted_to_date(base_fen: int, assistance: Layer, tilted: Layer | None) -> int:
    """Give what 倾斜救助 pays of a year of which so much has entered assistance."""
    if tilted is None:
        return 0
    return _within_ceiling(by_segments(burden_fen(base_fen, assistance), tilted), tilted, 0)


def assist(
    left_fen: int, assistance: Layer, tilted: Layer | None, year: YearSoFar
) -> tuple[int, int]:
    """Give what assistance and 倾斜救助 pay of what the layers before have left."""
    before = year.assistance_base_fen
    tilted_before = tilted_to_date(before, assistance, tilted)
    paid_before = max(year.assistance_paid_fen - tilted_before, 0)
    assisted = cumulative(before, left_fen, assistance, paid_before)
    added = tilted_to_date(before + left_fen, assistance, tilted) - tilted_before
    return assisted, max(min(added, left_fen - assisted), 0)


def settle(cost: Cost, policy: LayerPolicy, year: YearSoFar) -> Settled:
    """Put one settlement through the layers in their order."""
    scope = cost.within_scope_fen
    if scope < 0:
        raise ValueError("more lies outside the list than the settlement cost")
    parts: dict[str, int] = {}
    before = year.basic_scope_fen if policy.basic_yearly else 0
    basic = cumulative(before, scope, policy.basic, year.basic_paid_fen)
    parts["hifp_pay"] = basic
    left = scope - basic
    catastrophic, qualified = 0, 0
    if policy.catastrophic is not None:
        qualified = left
        catastrophic = cumulative(
            year.qualified_fen, left, policy.catastrophic, year.catastrophic_paid_fen
        )
        parts[policy.catastrophic_part] = catastrophic
        left -= catastrophic
    assisted, tilted, base = 0, 0, 0
    if policy.assistance is not None:
        base = left
        assisted, tilted = assist(left, policy.assistance, policy.tilted, year)
        parts["maf_pay"] = assisted + tilted
        left -= parts["maf_pay"]
    for other in policy.others:
        parts[other.part] = fen_share(left, other.share)
        left -= parts[other.part]
    return Settled(
        within_scope_fen=scope,
        parts=parts,
        person_fen=cost.total_fen - sum(parts.values()),
        year=YearSoFar(
            basic_scope_fen=year.basic_scope_fen + scope,
            basic_paid_fen=year.basic_paid_fen + basic,
            qualified_fen=year.qualified_fen + qualified,
            catastrophic_paid_fen=year.catastrophic_paid_fen + catastrophic,
            assistance_base_fen=year.assistance_base_fen + base,
            assistance_paid_fen=year.assistance_paid_fen + assisted + tilted,
        ),
        tilted_fen=tilted,
    )


@dataclass(frozen=True, slots=True)
class Deviation:
    """A part of a settlement that does not follow the policy in force: flagged, never changed."""

    part: str
    settled_fen: int
    by_policy_fen: int


def deviations(given: Mapping[str, int], settled: Settled) -> Sequence[Deviation]:
    """Compare a settlement's parts as it came with what the policy gives."""
    return [
        Deviation(part, given.get(part, 0), fen)
        for part, fen in settled.parts.items()
        if given.get(part, 0) != fen
    ]
