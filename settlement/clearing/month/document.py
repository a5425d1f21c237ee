"""A computed month as one document (docs/clearing.md): amounts in fen, rates and points as text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from ledger.domain.money import decimal_text
from settlement.clearing.cases.census import CaseKind
from settlement.clearing.cases.kernel import ONE
from settlement.clearing.cases.run import Tally
from settlement.clearing.month.provisional import Cleared
from settlement.clearing.monthly import DIFFERENCE_ACCOUNT, Counted, Line, rate, value_text
from settlement.clearing.policies.policy import (
    Capitation,
    CountyCommunity,
    DayWard,
    DayWardPoints,
    Dip,
    Drg,
    DrgFixedRate,
    FeeForService,
    PerDiem,
    Rules,
)

KINDS: dict[type[Rules], str] = {
    Dip: "dip",
    Drg: "drg",
    DrgFixedRate: "drg_rate",
    PerDiem: "per_diem",
    FeeForService: "fee_for_service",
    DayWard: "day_ward",
    DayWardPoints: "day_ward",
    Capitation: "capitation",
    CountyCommunity: "county_community",
}


def month_document(
    cleared: Cleared,
    alternative: Cleared | None = None,
    *,
    area: str,
    fund: str,
    period: str,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Give a month under the policy in force and, beside it, under another one."""
    document = {
        "area": area,
        "fund": fund,
        "period": period,
        "dry_run": True,
        "watermark": cleared.record.watermark,
        **policy_document(cleared, names),
        "alternative": None,
        "comparison": [],
    }
    if alternative is not None:
        document["alternative"] = policy_document(alternative, names)
        document["comparison"] = _comparison(cleared, alternative, names)
    return document


def policy_document(cleared: Cleared, names: Mapping[str, str]) -> dict[str, Any]:
    """Give what one policy makes of the month."""
    lines = cleared.due.lines
    parts: dict[str, Sequence[Counted | Tally | CaseKind]] = {
        "counted": [one.counted for one in lines],
        "held_back": [one.tally for one in cleared.held],
        "no_method": cleared.gaps,
        "cancelled": cleared.cancelled,
    }
    cases = {name: sum(one.cases for one in many) for name, many in parts.items()}
    booked = {f"{name}_fen": sum(one.booked_fen for one in many) for name, many in parts.items()}
    policy = cleared.chosen.policy
    return {
        "policy": {
            "policy": cleared.chosen.id,
            "content_hash": cleared.chosen.content_hash,
            "title": policy.title,
            "basis": policy.basis,
        },
        "run": asdict(cleared.record),
        "cases": {"settled": sum(cases.values()), **cases},
        "booked": {
            "obligations_fen": cleared.obligations_fen,
            **booked,
            "insured_elsewhere_fen": cleared.elsewhere_fen,
        },
        "total": _amounts(lines),
        "points": _points(cleared),
        "readmissions": [
            {
                "method": method,
                "person_keys": list(versions),
                "uncompared": cleared.uncompared[method],
            }
            for method, versions in sorted(cleared.key_versions.items())
        ],
        "institutions": _institutions(cleared, names),
        "held_back": [
            {
                "method": one.method,
                "institution": one.tally.institution,
                "reason": one.reason,
                "group": one.tally.group,
                "cases": one.tally.cases,
                "cost_fen": one.tally.cost_fen,
                "booked_fen": one.tally.booked_fen,
                "first_position": one.tally.first_position,
            }
            for one in cleared.held
        ],
        "no_method": [
            {name: value for name, value in asdict(one).items() if name != "cancelled"}
            for one in cleared.gaps
        ],
    }


def _amounts(lines: Iterable[Line]) -> dict[str, Any]:
    lines = tuple(lines)
    booked = sum(one.counted.booked_fen for one in lines)
    due = sum(one.due_fen for one in lines)
    return {
        "cases": sum(one.counted.cases for one in lines),
        "points": points_text(sum(one.counted.points4 for one in lines)),
        "cost_fen": sum(one.counted.cost_fen for one in lines),
        "booked_fen": booked,
        "due_fen": due,
        "due_over_booked": rate(due, booked),
        "booked_over_due": rate(booked, due),
    }


def _institutions(cleared: Cleared, names: Mapping[str, str]) -> list[dict[str, Any]]:
    kinds = {one.name: KINDS[type(one.rules)] for one in cleared.chosen.policy.methods}
    found: dict[str, list[Line]] = {}
    for line in cleared.due.lines:
        found.setdefault(line.counted.institution, []).append(line)
    return [
        {
            "institution": code,
            "name": names.get(code),
            **_amounts(lines),
            "methods": [
                {
                    "method": one.counted.method,
                    "kind": kinds[one.counted.method],
                    **_amounts([one]),
                }
                for one in lines
            ],
        }
        for code, lines in found.items()
    ]


def _points(cleared: Cleared) -> dict[str, Any] | None:
    pool, how = cleared.due.pool, cleared.chosen.policy.point_value
    if pool is None:
        return None
    return {
        "family": how.family.value,
        "sharing": how.by.value,
        "distributable_fen": pool.distributable_fen,
        "points": points_text(pool.points4),
        "value": value_text(pool, how),
        "due_fen": pool.due_fen,
        "difference_fen": pool.difference_fen,
        "difference_account": DIFFERENCE_ACCOUNT,
    }


def points_text(points4: int) -> str:
    return decimal_text(Fraction(points4, ONE), 4)


def _comparison(
    cleared: Cleared, alternative: Cleared, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Lay what each institution is due under both policies side by side."""
    ours, theirs = _due(cleared), _due(alternative)
    return [
        {
            "institution": code,
            "name": names.get(code),
            "due_fen": ours.get(code, 0),
            "alternative_due_fen": theirs.get(code, 0),
            "difference_fen": theirs.get(code, 0) - ours.get(code, 0),
        }
        for code in sorted({*ours, *theirs})
    ]


def _due(cleared: Cleared) -> dict[str, int]:
    due: dict[str, int] = {}
    for one in cleared.due.lines:
        code = one.counted.institution
        due[code] = due.get(code, 0) + one.due_fen
    return due
