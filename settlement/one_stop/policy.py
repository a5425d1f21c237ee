"""A one-stop policy (一站式待遇政策) as the rest reads it: which rule of each layer is for whom.

One policy says what an area's year gives the people whose 统筹基金支付 one fund owes, from a date on.
Each layer is a list of rules; the first that fits a settlement is the one that pays, and a settlement
that no basic rule fits is a policy gap, never guessed over. ``policy_tables.py`` reads the file.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from settlement.one_stop.layers import Layer, LayerPolicy, OtherFund

HERE, ELSEWHERE = "here", "elsewhere"


class CaseKind(NamedTuple):
    """What decides which rules a settlement is paid by."""

    insutype: str
    level: int | None  # of the institution; None where it is not ours
    med_type: str
    person_class: str | None  # psn_type
    assistance_class: str | None  # maf_psn_type
    place: str = HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Which settlements a rule is for; empty means all."""

    insutypes: frozenset[str] = frozenset()
    levels: frozenset[int] = frozenset()
    med_types: frozenset[str] = frozenset()
    person_classes: frozenset[str] = frozenset()
    assistance_classes: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def fits(self, kind: CaseKind) -> bool:
        """Tell whether a settlement is one of these."""
        return (
            (not self.insutypes or kind.insutype in self.insutypes)
            and (not self.levels or kind.level in self.levels)
            and (not self.med_types or kind.med_type in self.med_types)
            and (not self.person_classes or kind.person_class in self.person_classes)
            and (not self.assistance_classes or kind.assistance_class in self.assistance_classes)
            and (not self.places or kind.place in self.places)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicRule:
    """基本: a deductible by settlement or by year, segments, and a ceiling shared by ``pool``.

    ``later_deductibles_fen`` are those of the second, third … settlement of the year in the pool
    (多次住院起付线递减); the last of them holds for all later ones.
    """

    name: str
    whom: Whom
    layer: Layer
    later_deductibles_fen: tuple[int, ...] = ()
    yearly: bool = False
    pool: str

    def layer_after(self, settlements: int) -> Layer:
        """Give the layer for a settlement that so many of the year came before."""
        if settlements == 0 or not self.later_deductibles_fen:
            return self.layer
        later = self.later_deductibles_fen
        return replace(self.layer, deductible_fen=later[min(settlements, len(later)) - 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CatastrophicRule:
    """大病 (居民) or 大额 (职工): yearly cumulative."""

    name: str
    whom: Whom
    layer: Layer
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceRule:
    """医疗救助 by 救助人员类别: yearly cumulative."""

    name: str
    whom: Whom
    layer: Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltedRule:
    """倾斜救助: on what assistance leaves of the year, above a threshold; only beside assistance."""

    name: str
    whom: Whom
    layer: Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRule:
    """A further payer in its turn: a share of what is left."""

    name: str
    whom: Whom
    part: str
    share: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The rules of one settlement, layer by layer."""

    basic: BasicRule
    catastrophic: CatastrophicRule | None = None
    assistance: AssistanceRule | None = None
    tilted: TiltedRule | None = None
    others: tuple[OtherRule, ...] = ()

    def layers(self, settlements: int) -> LayerPolicy:
        """Give what the calculator is told, for a settlement that so many of the year came before."""
        return LayerPolicy(
            basic=self.basic.layer_after(settlements),
            basic_yearly=self.basic.yearly,
            catastrophic=self.catastrophic.layer if self.catastrophic else None,
            catastrophic_part=self.catastrophic.part if self.catastrophic else "hifmi_pay",
            assistance=self.assistance.layer if self.assistance else None,
            tilted=self.tilted.layer if self.tilted else None,
            others=tuple(OtherFund(part=one.part, share=one.share) for one in self.others),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OneStopPolicy:
    """One policy of one basic fund, from a date on."""

    name: str
    title: str
    fund: str
    effective: str  # date
    until: str | None = None
    basis: str = ""  # 文件依据
    basic: tuple[BasicRule, ...]
    catastrophic: tuple[CatastrophicRule, ...] = ()
    assistance: tuple[AssistanceRule, ...] = ()
    tilted: tuple[TiltedRule, ...] = ()
    others: tuple[OtherRule, ...] = ()

    def applied_to(self, kind: CaseKind) -> Applied | None:
        """Give the rules of a settlement: the first of each layer that fits; None is a policy gap."""
        basic = next((one for one in self.basic if one.whom.fits(kind)), None)
        if basic is None:
            return None
        assistance = next((one for one in self.assistance if one.whom.fits(kind)), None)
        tilted = next((one for one in self.tilted if one.whom.fits(kind)), None)
        others: dict[str, OtherRule] = {}
        for one in self.others:
            if one.whom.fits(kind):
                others.setdefault(one.part, one)
        return Applied(
            basic=basic,
            catastrophic=next((one for one in self.catastrophic if one.whom.fits(kind)), None),
            assistance=assistance,
            tilted=tilted if assistance is not None else None,
            others=tuple(others.values()),
        )
