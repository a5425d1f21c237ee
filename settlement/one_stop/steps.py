"""How the amounts of one settlement come about, layer by layer, for whoever checks it (待遇计算过程)."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from settlement.one_stop.layers import Cost, Layer, Settled, YearSoFar, burden_fen, tilted_to_date
from settlement.one_stop.policy import Applied


@dataclass(frozen=True, slots=True)
class Piece:
    """What of an amount lies in one segment, and the share that is paid of it."""

    from_fen: int
    upto_fen: int
    share: Fraction

    @property
    def fen(self) -> int:
        return self.upto_fen - self.from_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One layer: its rule, what it applies to, and what it pays, in fen."""

    layer: str  # basic, catastrophic, assistance, tilted, other
    rule: str
    part: str
    applies_to_fen: int
    paid_fen: int
    before_fen: int = 0  # of the year, where the layer is cumulative
    deductible_fen: int = 0
    pieces: tuple[Piece, ...] = ()
    ceiling_fen: int | None = None
    paid_before_fen: int = 0
    share: Fraction | None = None  # of another fund


def pieces_of(before_fen: int, now_fen: int, layer: Layer) -> Iterator[Piece]:
    """Cut what a settlement adds to an amount at the edges of the segments, above the deductible."""
    begun, end = layer.deductible_fen, before_fen + now_fen
    for segment in layer.segments:
        edge = end if segment.upto_fen is None else min(end, segment.upto_fen)
        start = max(begun, before_fen)
        if edge > start:
            yield Piece(start, edge, segment.share)
        begun = max(begun, edge)


def steps_of(
    cost: Cost, applied: Applied, settlements: int, year: YearSoFar, settled: Settled
) -> Iterator[Step]:
    """Tell the layers of a settlement that ``settle`` put through them with these very arguments."""
    left = cost.within_scope_fen
    basic = applied.basic
    yearly = year.basic_scope_fen if basic.yearly else 0
    layers = [("basic", basic.name, "hifp_pay", basic.layer_after(settlements), yearly)]
    paid_before = [year.basic_paid_fen]
    if applied.catastrophic is not None:
        rule = applied.catastrophic
        layers.append(("catastrophic", rule.name, rule.part, rule.layer, year.qualified_fen))
        paid_before.append(year.catastrophic_paid_fen)
    if applied.assistance is not None:
        helped = applied.assistance
        layers.append(
            ("assistance", helped.name, "maf_pay", helped.layer, year.assistance_base_fen)
        )
        further = applied.tilted.layer if applied.tilted is not None else None
        tilted_before = tilted_to_date(year.assistance_base_fen, helped.layer, further)
        paid_before.append(max(year.assistance_paid_fen - tilted_before, 0))
    amounts = settled.parts
    if "maf_pay" in amounts:
        amounts = {**amounts, "maf_pay": amounts["maf_pay"] - settled.tilted_fen}
    for (name, rule_name, part, layer, before), paid in zip(layers, paid_before, strict=True):
        yield Step(
            layer=name,
            rule=rule_name,
            part=part,
            applies_to_fen=left,
            paid_fen=amounts[part],
            before_fen=before,
            deductible_fen=layer.deductible_fen,
            pieces=tuple(pieces_of(before, left, layer)),
            ceiling_fen=layer.ceiling_fen,
            paid_before_fen=paid,
        )
        left -= amounts[part]
    if applied.assistance is not None and applied.tilted is not None:
        layer, tilted = applied.assistance.layer, applied.tilted
        base = year.assistance_base_fen
        before = burden_fen(base, layer)
        entered = cost.within_scope_fen - sum(
            settled.parts.get(part, 0) for part in ("hifp_pay", "hifmi_pay", "hifob_pay")
        )
        added = burden_fen(base + entered, layer) - before
        yield Step(
            layer="tilted",
            rule=tilted.name,
            part="maf_pay",
            applies_to_fen=added,
            paid_fen=settled.tilted_fen,
            before_fen=before,
            deductible_fen=tilted.layer.deductible_fen,
            pieces=tuple(pieces_of(before, added, tilted.layer)),
            ceiling_fen=tilted.layer.ceiling_fen,
            paid_before_fen=tilted_to_date(base, layer, tilted.layer),
        )
        left -= settled.tilted_fen
    for other in applied.others:
        yield Step(
            layer="other",
            rule=other.name,
            part=other.part,
            applies_to_fen=left,
            paid_fen=settled.parts[other.part],
            share=other.share,
        )
        left -= settled.parts[other.part]
