"""Whether people insured elsewhere count in the points of the place of care (就医地管理).

Areas differ: some take every inpatient stay of the region into DRG points (浙江, 庆阳), others leave
those of people insured elsewhere out (广州 DIP); the policy says which (``[point_value]
insured_elsewhere``). Counted, such a case brings points and its whole cost. What the other place, the
person and others pay of it is borne by others, so that the fund here owes only what the points make
more than that, or takes back what they make less. Therefore it goes with the family ``total_cost``
alone; and only methods of points have such cases, for the others price what their own fund owes.
"""

from collections.abc import Mapping
from dataclasses import replace

from settlement.clearing.cases.census import Census, take_census
from settlement.clearing.cases.scoring import Scope, scope_tables
from settlement.clearing.digest import rows_digest, tables_digest
from settlement.clearing.engine import Engine, Parts, Row
from settlement.clearing.policies.policy import Dip, Drg, Policy, Rules


def scope_of(policy: Policy, rules: Rules, scope: Scope) -> Scope:
    """Take people insured elsewhere into the scope of a method, where the policy counts them."""
    counted = policy.point_value.insured_elsewhere and isinstance(rules, Dip | Drg)
    return replace(scope, insured_elsewhere=counted)


def census_of(
    policy: Policy, engine: Engine, parts: Mapping[str, Parts], scope: Scope, *, watermark: int
) -> tuple[Census, list[Row], str]:
    """Count the cases that methods are for; also the bare rows, and the digest of what was told."""
    told = scope_tables(scope, {}, watermark=watermark)
    own, rows = take_census(engine, parts, told)
    if not policy.point_value.insured_elsewhere:
        return own, rows, tables_digest(told)
    wide = scope_tables(replace(scope, insured_elsewhere=True), {}, watermark=watermark)
    whole, more = take_census(engine, parts, wide)

    def by_points(kind: tuple[str, str, str]) -> bool:
        clr_type, med_type, institution = kind
        method = policy.method_of(clr_type=clr_type, med_type=med_type, institution=institution)
        return method is not None and isinstance(method.rules, Dip | Drg)

    kinds = [one for one in own.kinds if not by_points(one.kind)]
    kinds += [one for one in whole.kinds if by_points(one.kind)]
    both = rows_digest([(tables_digest(told),), (tables_digest(wide),)])
    return replace(own, kinds=tuple(sorted(kinds))), [*rows, *more], both
