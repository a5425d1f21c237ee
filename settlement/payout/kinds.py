"""Which kinds of benefit (待遇支出科目) a payment is: the rule that splits an amount paid by month.

An institution is paid one amount for a month, and the statement wants it by kind. The amount is
split by what was booked at the counter in that month, by largest remainder (ties to the smaller
name). Kinds that came to nil or below after refunds have no share. Where nothing was booked the
amount is 其他待遇: nothing is guessed. Personal accounts and medical assistance are one kind each.
"""

from collections.abc import Mapping

from ledger.aggregates.area import Area
from ledger.domain.chart import BENEFIT_KINDS
from ledger.domain.fund import ASSISTANCE, PERSONAL
from ledger.domain.money import allocate

_WHOLE = {PERSONAL: "personal_account", ASSISTANCE: "assistance"}
#: National codes of 医疗类别, by their first two digits (140104 is one of 14).
MED_TYPES = {
    "11": "outpatient",
    "12": "outpatient",
    "13": "outpatient",
    "14": "chronic",
    "19": "outpatient",
    **dict.fromkeys(("21", "22", "23", "24", "25", "26", "27", "28"), "inpatient"),
    "41": "pharmacy",
    **dict.fromkeys(("51", "52", "53"), "maternity_medical"),
}
#: 清算类别, where 医疗类别 is a local code that says nothing elsewhere (99xx).
CLR_TYPES = {"11": "outpatient", "21": "inpatient", "41": "pharmacy"}
OTHER = "other"
#: A dated parameter of the setup file: ``[[policies]]`` with the kinds of local codes.
POLICY = "benefit_kinds"


def local_kinds(area: Area, day: str) -> dict[str, str]:
    """Give the kinds that the area's setup names for its own 医疗类别 on a day."""
    dated = [effective for name, effective in area.policies if name == POLICY and effective <= day]
    content = area.policies[POLICY, max(dated)] if dated else {}
    return {code: str(kind) for code, kind in content.items() if kind in BENEFIT_KINDS}


def kind_of(clr_type: str, med_type: str, local: Mapping[str, str]) -> str:
    """Name the kind of benefit of a settlement."""
    known = local.get(med_type) or MED_TYPES.get(med_type[:2])
    return known or CLR_TYPES.get(clr_type, OTHER)


def split(
    fund: str, fen: int, booked: Mapping[tuple[str, str], int], local: Mapping[str, str]
) -> dict[str, int]:
    """Split an amount by kind of benefit, in the order of names; the shares add up to it to the fen."""
    if fund in _WHOLE:
        return {_WHOLE[fund]: fen}
    weights: dict[str, int] = {}
    for (clr_type, med_type), booked_fen in booked.items():
        kind = kind_of(clr_type, med_type, local)
        weights[kind] = weights.get(kind, 0) + booked_fen
    weights = {kind: weight for kind, weight in weights.items() if weight > 0}
    if not weights:
        return {OTHER: fen}
    return {kind: part for kind, part in sorted(allocate(fen, weights).items()) if part}
