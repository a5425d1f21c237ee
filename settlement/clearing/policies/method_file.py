"""From the tables of ``[[methods]]`` to the values that the rest of clearing reads."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from settlement.clearing.cases.kernel import MAX_AVERAGE_FEN
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.day_ward import day_points4
from settlement.clearing.methods.drg import DrgRules, HighTier
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.methods.per_diem import PerDiemCap
from settlement.clearing.policies.method_tables import GroupTable, MethodTable
from settlement.clearing.policies.policy import (
    Capitation,
    Cases,
    Catalogue,
    CountyCommunity,
    DayWard,
    DayWardPoints,
    Dip,
    Drg,
    DrgFixedRate,
    FeeForService,
    Group,
    Method,
    PerDiem,
    PricedReviews,
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
    return _MAKERS[table.kind](table)


def _groups(table: MethodTable, groups: Mapping[str, GroupTable] | None = None) -> dict[str, Group]:
    return {
        code: Group(points4=table.points4(one), average_fen=one.average)
        for code, one in sorted((table.groups if groups is None else groups).items())
    }


def _dip(table: MethodTable) -> Dip:
    return Dip(
        groups=_groups(table),
        coefficients4=dict(sorted(table.coefficients.items())),
        low=table.low if table.low is not None else Fraction(1, 2),
        high=table.high if table.high is not None else Fraction(2),
        review_points=table.review_points,
        other_coefficient4=table.coefficient_default,
        primary=frozenset(table.primary_groups),
        primary_coefficient4=table.primary_coefficient,
        catalogues=tuple(
            Catalogue(since=f"{one.effective:%Y-%m}", groups=_groups(table, one.groups))
            for one in table.catalogues
        ),
        auxiliary4=dict(sorted(table.auxiliary.items())),
    )


def _drg(table: MethodTable) -> Drg:
    return Drg(
        groups=_groups(table),
        coefficients4=dict(sorted(table.coefficients.items())),
        rules=_drg_rules(table),
        bed_day=frozenset(table.bed_day),
        single_review=frozenset(table.single_review),
        readmission_exempt=frozenset(table.readmission_exempt),
        review_points=table.review_points,
    )


def _fee_for_service(table: MethodTable) -> FeeForService:
    return FeeForService(
        quotas_fen=dict(sorted(table.quotas.items())),
        rule=TotalControl(
            saving_kept=table.saving_kept,
            excess_paid=table.excess_paid,
            excess_upto=table.excess_upto,
        ),
    )


def _day_ward(table: MethodTable) -> DayWard | DayWardPoints:
    """Day cases at their standards, or in points: then no cost is low or high."""
    if table.factor is None:
        standards = dict(sorted(table.standards.items()))
        return DayWard(
            standards_fen=standards,
            lower=table.cap is PerDiemCap.LOWER,
            reviews=table.reviews or PricedReviews.NONE,
        )
    groups = {
        code: Group(
            points4=day_points4(table.points4(one), table.factor), average_fen=MAX_AVERAGE_FEN
        )
        for code, one in sorted(table.groups.items())
    }
    return DayWardPoints(
        groups=groups,
        coefficients4=dict(sorted(table.coefficients.items())),
        low=Fraction(0),
        high=Fraction(1),
        review_points=table.review_points,
        other_coefficient4=table.coefficient_default,
    )


def _drg_rate(table: MethodTable) -> DrgFixedRate:
    """Reviews are of diagnosis groups in whatever form they are paid (医保办发〔2024〕9号)."""
    return DrgFixedRate(
        groups=_groups(table),
        rate=table.rate or Fraction(0),
        reviews=table.reviews or PricedReviews.AS_GIVEN,
    )


def _per_diem(table: MethodTable) -> PerDiem:
    return PerDiem(
        stages=tuple(one.stage() for one in table.stages),
        cap=table.cap,
        reviews=table.reviews or PricedReviews.NONE,
    )


def _capitation(table: MethodTable) -> Capitation:
    elsewhere: dict[tuple[str, str], int] = {}
    for one in table.elsewhere:
        key = (one.institution, one.month)
        elsewhere[key] = elsewhere.get(key, 0) + one.amount
    return Capitation(
        heads=tuple(one.signed() for one in table.heads),
        elsewhere_fen=elsewhere,
        deducted=table.deducted,
    )


def _county_community(table: MethodTable) -> CountyCommunity:
    return CountyCommunity(
        weights=dict(sorted(table.members.items())),
        year=CommunityYear(
            raised_fen=table.raised,
            distributable=table.distributable,
            adjustment_fen=table.adjustment,
            assessment=table.assessment,
            overrun_borne=table.overrun_borne,
        ),
        insured_in=frozenset(table.insured_in),
        outside_fen=dict(sorted(table.outside.items())),
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


_MAKERS: dict[str, Callable[[MethodTable], Rules]] = {
    "dip": _dip,
    "drg": _drg,
    "drg_rate": _drg_rate,
    "per_diem": _per_diem,
    "fee_for_service": _fee_for_service,
    "day_ward": _day_ward,
    "capitation": _capitation,
    "county_community": _county_community,
}
