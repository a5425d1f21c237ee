"""From the tables of ``[[methods]]`` to the values that the rest of clearing reads."""

from fractions import Fraction

from settlement.clearing.method_tables import MethodTable
from settlement.clearing.methods.drg import DrgRules, HighTier
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.policy import (
    Cases,
    Dip,
    Drg,
    DrgFixedRate,
    FeeForService,
    Group,
    Method,
    PerDiem,
    Rules,
)


def method_of(table: MethodTable) -> Method:
    """Give a method of a checked policy."""
    cases = Cases(
        clr_types=frozenset(table.clr_types),
        med_types=frozenset(table.med_types),
        institutions=frozenset(table.institutions),
    )
    return Method(name=table.name, cases=cases, rules=_rules(table))


def _rules(table: MethodTable) -> Rules:
    groups = {
        code: Group(points4=one.points, average_fen=one.average)
        for code, one in sorted(table.groups.items())
    }
    coefficients = dict(sorted(table.coefficients.items()))
    if table.kind == "dip":
        return Dip(
            groups=groups,
            coefficients4=coefficients,
            low=table.low if table.low is not None else Fraction(1, 2),
            high=table.high if table.high is not None else Fraction(2),
            review_points=table.review_points,
        )
    if table.kind == "drg":
        return Drg(
            groups=groups,
            coefficients4=coefficients,
            rules=_drg_rules(table),
            bed_day=frozenset(table.bed_day),
            single_review=frozenset(table.single_review),
            readmission_exempt=frozenset(table.readmission_exempt),
            review_points=table.review_points,
        )
    if table.kind == "drg_rate":
        return DrgFixedRate(groups=groups, rate=table.rate or Fraction(0))
    if table.kind == "per_diem":
        return PerDiem(stages=tuple(one.stage() for one in table.stages), cap=table.cap)
    return FeeForService(
        quotas_fen=dict(sorted(table.quotas.items())),
        rule=TotalControl(
            saving_kept=table.saving_kept,
            excess_paid=table.excess_paid,
            excess_upto=table.excess_upto,
        ),
    )


def _drg_rules(table: MethodTable) -> DrgRules:
    plain = DrgRules()
    tiers = tuple(
        HighTier(upto_points=one.upto_points, multiple=one.multiple) for one in table.tiers
    )
    return DrgRules(
        low_multiple=table.low if table.low is not None else plain.low_multiple,
        high_tiers=tiers or plain.high_tiers,
        readmission_days=table.readmission_days,
        readmission_keeps=table.readmission_keeps,
        readmission_anywhere=table.readmission_anywhere,
        undated_held=table.undated == "held_back",
        incomplete_ways=frozenset(table.incomplete_ways),
        min_cases=table.min_cases,
    )
