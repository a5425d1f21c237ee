"""A cleared year as one document (docs/clearing-year.md): amounts in fen, points and rates as text."""

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import msgspec

from ledger.aggregates.clearing_year import Standing, YearClearing, YearRun
from ledger.domain.money import decimal_text
from ledger.events.clearing_year import YearResult
from settlement.clearing.cases.kernel import ONE
from settlement.clearing.month.document import policy_document
from settlement.clearing.monthly import rate
from settlement.clearing.year.run import ClearedYear
from settlement.clearing.yearly import YearLine, YearPool

_SUMMED = (
    "cases",
    "booked_fen",
    "due_fen",
    "band_fen",
    "borne_fen",
    "not_borne_fen",
    "surplus_fen",
    "priced_fen",
    "as_booked_fen",
    "refused_fen",
    "assessed_fen",
    "rounding_fen",
    "final_fen",
    "settled_fen",
    "expected_fen",
    "difference_fen",
)


def year_document(
    found: ClearedYear,
    alternative: ClearedYear | None = None,
    *,
    area: str,
    fund: str,
    year: str,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Give a year under the policy that clears it and, beside it, under another one."""
    document = {
        "area": area,
        "fund": fund,
        "period": year,
        "dry_run": True,
        "watermark": found.cleared.record.watermark,
        **cleared_document(found, names),
        "alternative": None,
        "comparison": [],
    }
    if alternative is not None:
        document["alternative"] = cleared_document(alternative, names)
        document["comparison"] = _comparison(found, alternative, names)
    return document


def cleared_document(found: ClearedYear, names: Mapping[str, str]) -> dict[str, Any]:
    """Give what one policy makes of the year."""
    pool, lines = found.due.pool, found.due.lines
    return {
        **policy_document(found.cleared, names),
        "year": {
            "result": found.result,
            "budget": {
                **asdict(pool),
                "reserve_left_fen": pool.reserve_left_fen,
                "surplus_kept_fen": pool.surplus_kept_fen,
                "unaccounted_fen": found.due.unaccounted_fen,
            },
            "total": {name: sum(getattr(one, name) for one in lines) for name in _SUMMED},
            "institutions": [_line(one, found, names) for one in lines],
            "deposits": [
                {"institution": one.institution, "name": names.get(one.institution)}
                | {name: value for name, value in asdict(one).items() if name != "institution"}
                for one in found.deposits
            ],
            "problems": [one.document() for one in found.problems],
        },
    }


def _line(one: YearLine, found: ClearedYear, names: Mapping[str, str]) -> dict[str, Any]:
    said = {name: value for name, value in asdict(one).items() if name != "points4"}
    return {
        **said,
        "name": names.get(one.institution),
        "left_fen": found.left.get(one.institution, 0),
        "points": decimal_text(Fraction(one.points4, ONE), 4),
        "score": found.scores.get(one.institution),
        "due_over_booked": rate(one.due_fen, one.booked_fen),
        "booked_over_due": rate(one.booked_fen, one.due_fen),
    }


def _comparison(
    found: ClearedYear, alternative: ClearedYear, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Lay what each institution is left with under both policies side by side."""
    ours, theirs = (
        {line.institution: line.final_fen for line in one.due.lines} for one in (found, alternative)
    )
    return [
        {
            "institution": code,
            "name": names.get(code),
            "final_fen": ours.get(code, 0),
            "alternative_final_fen": theirs.get(code, 0),
            "difference_fen": theirs.get(code, 0) - ours.get(code, 0),
        }
        for code in sorted({*ours, *theirs})
    ]


def run_document(clearing: YearClearing, run: YearRun, names: Mapping[str, str]) -> dict[str, Any]:
    """Give a recorded run of a year, with what each institution said to it."""
    fact = run.computed
    budget = YearPool(**_named(fact.budget))
    return {
        "run": run.id,
        "area": clearing.area,
        "fund": clearing.fund,
        "period": clearing.year,
        "state": run.state,
        "result": run is clearing.result,
        "prepared_by": fact.by,
        "decided_by": run.decided_by,
        "reason": run.reason,
        "plan_hash": fact.plan_hash,
        "watermark": fact.watermark,
        "policy": fact.policy,
        "policy_hash": fact.policy_hash,
        "position": run.position,
        "decided_at": run.decided_at,
        "budget": {
            **asdict(budget),
            "reserve_left_fen": budget.reserve_left_fen,
            "surplus_kept_fen": budget.surplus_kept_fen,
        },
        "total": {
            name: sum(getattr(one, name) for one in fact.lines)
            for name in (*_SUMMED, "release_fen", "forfeit_fen")
        },
        "institutions": [_recorded(one, run, names) for one in fact.lines],
    }


def _named(one: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _recorded(one: YearResult, run: YearRun, names: Mapping[str, str]) -> dict[str, Any]:
    said = {name: value for name, value in _named(one).items() if name != "points4"}
    left = {line.institution: line.fen for line in run.computed.left}
    return {
        **said,
        "name": names.get(one.institution),
        "left_fen": left.get(one.institution, 0),
        "points": decimal_text(Fraction(one.points4, ONE), 4),
        "standing": asdict(run.standings.get(one.institution, Standing())),
    }
