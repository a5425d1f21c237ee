"""Methods whose sum does not come from cases: by heads (按人头) and for a county community (医共体).

Their cases are counted beside, as they were booked. A case at an institution that nobody signed with,
or that is no member, is held back: the sum is not for it.
"""

from collections.abc import Iterable, Mapping, Sequence

from ledger.domain.money import allocate
from settlement.clearing.cases.census import CaseKind
from settlement.clearing.cases.kernel import CASES, Standing
from settlement.clearing.cases.run import Tally
from settlement.clearing.engine import Engine, Parts, Table
from settlement.clearing.methods.capitation import capitation_fen
from settlement.clearing.methods.county_community import community_part, total_fen
from settlement.clearing.monthly import Counted
from settlement.clearing.policies.policy import Capitation, CountyCommunity

_PLACES = (("code", "VARCHAR"),)

#: What the fund was charged for people of some places (参保地), by institution: cases that stand.
BY_PLACE = f"""{CASES}
SELECT c.institution, SUM(c.booked_fen) AS booked_fen
FROM cases AS c
JOIN kinds AS k ON k.institution = c.institution
    AND k.med_type = c.med_type AND k.clr_type = c.clr_type
JOIN places AS p ON p.code = c.insuplc_admdvs
WHERE NOT c.cancelled
GROUP BY c.institution
"""


def as_booked(
    method: str, kinds: Iterable[CaseKind], sums_fen: Mapping[str, int] | None = None
) -> list[Counted]:
    """Count what stands as it was booked; with ``sums_fen``, that is what each institution is due.

    An institution with a sum is there whether somebody came or not.
    """
    standing = [one for one in kinds if not one.cancelled]
    sums_fen = sums_fen or {}
    found = []
    for institution in sorted({*sums_fen, *(one.institution for one in standing)}):
        own = [one for one in standing if one.institution == institution]
        counted = Counted(
            institution=institution,
            method=method,
            cases=sum(one.cases for one in own),
            cost_fen=sum(one.cost_fen for one in own),
            booked_fen=sum(one.booked_fen for one in own),
            priced_fen=sums_fen.get(institution, 0),
        )
        found.append(counted)
    return found


def held_elsewhere(kinds: Iterable[CaseKind], known: frozenset[str]) -> list[Tally]:
    """Give what stands at institutions that the method has no sum for."""
    return [
        Tally(
            institution=one.institution,
            standing=Standing.UNKNOWN_INSTITUTION,
            group=None,
            cases=one.cases,
            points4=0,
            cost_fen=one.cost_fen,
            booked_fen=one.booked_fen,
            borne_fen=0,
            first_position=one.first_position,
        )
        for one in kinds
        if not one.cancelled and one.institution not in known
    ]


def capitation_sums(rules: Capitation, months: Iterable[str]) -> dict[str, int]:
    """Give what each institution is due for its heads in some months, visits elsewhere deducted.

    Each month is rounded for itself, so the months of a year make the year to the fen.
    """
    sums = dict.fromkeys(sorted(signed_with(rules)), 0)
    for month in months:
        for institution in sums:
            heads = [
                one.heads
                for one in rules.heads
                if one.institution == institution and one.in_month(month)
            ]
            sums[institution] += capitation_fen(
                heads,
                elsewhere_fen=rules.elsewhere_fen.get((institution, month), 0),
                deducted=rules.deducted,
            )
    return sums


def signed_with(rules: Capitation) -> frozenset[str]:
    """Name the institutions that somebody signed with."""
    return frozenset(one.institution for one in rules.heads)


def community_sums(
    rules: CountyCommunity,
    months: Sequence[str],
    *,
    shares: Mapping[str, int],
    booked_fen: Mapping[str, int],
    spent_fen: Mapping[str, int],
) -> dict[str, int]:
    """Give what each member is due: what was booked for it, and its part of what is left or lacking.

    ``shares`` says what part of the year's budget a month has, ``spent_fen`` what the budget bore, by
    institution: members and others. The whole is conserved: the members' sums are what was booked
    for them and what the community retains.
    """
    outside = sum(fen for code, fen in spent_fen.items() if code not in rules.weights)
    outside += sum(rules.outside_fen.get(month, 0) for month in months)
    inside = sum(fen for code, fen in spent_fen.items() if code in rules.weights)
    whole = allocate(total_fen(rules.year), shares)
    budget = sum(whole[month] for month in months)
    part = allocate(community_part(rules.year, budget - inside - outside), rules.weights)
    return {code: booked_fen.get(code, 0) + part[code] for code in sorted(rules.weights)}


def spent_by_place(
    engine: Engine, parts: Mapping[str, Parts], rules: CountyCommunity, scope: Mapping[str, Table]
) -> dict[str, int]:
    """Ask what the community's people came to, by institution, whoever treated them."""
    places = Table(_PLACES, [(code,) for code in sorted(rules.insured_in)])
    return {
        code: int(fen) for code, fen in engine.answer(BY_PLACE, parts, {**scope, "places": places})
    }
