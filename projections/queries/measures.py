"""结算考核指标: what approved clearing runs and recorded reconciliations say, by institution and fund.

Whole numbers in, fractions out, rounded half-up once. A measure that cannot be computed is null with
a reason. How 结付率, 匹配率, 填报准确率 and 误差率 are understood is a dated parameter of the area
(``measures``); what was reconciled is in ``measures_reconciled``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, func, select

from ledger.domain.money import decimal_text
from ledger.domain.period import Period, Year
from projections.queries.measures_reconciled import (
    RECONCILED_REASONS,
    Reconciled,
    reconciled_in,
    reconciled_months,
)
from projections.queries.scope import Scope, scope_of
from projections.store import Reading, ReadStore
from projections.tables import CLEARING_SUMS
from projections.views.clearing import APPROVED

POLICY = "measures"
#: 口径: which settlement rate, match rate and accuracy are the headline, and what errors are measured by.
DEFAULTS = {
    "settlement_rate": "due/booked",
    "match_rate": "reconciled",
    "record_accuracy": "reconciled",
    "error_rate": "due",
}
REASONS: dict[str, tuple[str, str]] = {
    "not_by_methods": ("该基金不按支付方式清算", "the fund is not paid by methods"),
    "no_points": ("没有按点数清算的病例", "no cases count by points"),
    "denominator_not_positive": ("分母不为正", "the denominator is not positive"),
    "not_cleared": ("没有已批准的清算", "no clearing was approved"),
    **RECONCILED_REASONS,
}
_RATE, _INDEX, _FEN = 2, 4, 0
_WHOLE = "*"  # all institutions of a fund together


@dataclass(slots=True)
class Sums:
    """What the runs of some months say of one institution, or of all of a fund."""

    amounts: dict[str, int]
    runs: set[str]
    institutions: set[str]
    regrouped: int = 0
    reconciled: Reconciled = field(default_factory=Reconciled)

    def __getitem__(self, name: str) -> int:
        return self.amounts.get(name, 0)


def measures_document(
    store: ReadStore,
    *,
    area: str | None,
    period: str,
    fund: str | None = None,
    institution: str | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """Answer ``measures PERIOD`` (a month or a year): each fund, then its institutions."""
    months = _months(period)
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        policy = _policy(reading, scope.area, months[-1])
        sums = _sums(reading, scope, months)
        values = _point_values(reading, scope, months)
        reconciled = reconciled_months(reading, scope.area, months)
        named = reading.setup.institutions.c
        registered = reading.rows(select(named.code, named.name).where(named.area == scope.area))
    names = {row.code: row.name for row in registered}
    rows = [
        {
            "fund": leaf,
            "institution": None if code == _WHOLE else code,
            "name": names.get(code),
            **_row(one, _values(one, sums[leaf, _WHOLE], policy), lang),
        }
        for (leaf, code), one in sorted(sums.items())
        if institution is None or code in {institution, _WHOLE}
    ]
    return {
        "period": period,
        "position": reading.position,
        "area": scope.area,
        "definition": policy,
        "measures": rows,
        "point_values": values,
        "reconciled_months": reconciled,
    }


def due_by_month(
    reading: Reading, area: str, *, known_at: int | None = None
) -> dict[tuple[str, Period], tuple[int, int]]:
    """Give what is due and what was booked of it by leaf fund and month, of runs approved by then."""
    found: dict[tuple[str, Period], tuple[int, int]] = {}
    for row in _latest(reading, area, known_at=known_at):
        if row["has_due"] and len(row["period"]) == len("2024-01"):
            key = row["fund"], Period.parse(row["period"])
            due, booked = found.get(key, (0, 0))
            found[key] = due + row["due_fen"], booked + row["due_booked_fen"]
    return found


def _months(period: str) -> tuple[str, ...]:
    if len(period) == len("2024"):
        return tuple(map(str, Year.parse(period).months))
    return (str(Period.parse(period)),)


def _policy(reading: Reading, area: str, month: str) -> dict[str, str]:
    """Give the definitions in force at the end of a month."""
    c = reading.setup.policies.c
    found = reading.connection.execute(
        select(c.effective, c.content)
        .where(c.area == area, c.name == POLICY, c.effective <= f"{month}-31")
        .order_by(c.effective)
    )
    content: Mapping[str, Any] = {}
    for row in found:
        content = row.content
    known = {name: str(content[name]) for name in DEFAULTS if name in content}
    return {**DEFAULTS, **known}


def _latest(reading: Reading, area: str, *, known_at: int | None = None) -> list[dict[str, Any]]:
    """Read the lines of approved runs; what is of the whole month stands in its last run alone.

    A run after the first is of what is new: an institution that it leaves out keeps its line.
    """
    line, run = reading.clearing.clearing_lines, reading.clearing.clearing_runs
    keys = ("area", "fund", "period", "run")
    found = reading.connection.execute(
        select(line, run.c.number)
        .join_from(line, run, and_(*(line.c[name] == run.c[name] for name in keys)))
        .where(
            line.c.area == area,
            run.c.state == APPROVED,
            run.c.position <= (reading.position if known_at is None else known_at),
        )
        .order_by(line.c.fund, line.c.period, run.c.number, line.c.institution)
    ).mappings()
    latest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in found:
        key = row["fund"], row["period"], row["institution"]
        before = latest.get(key)
        settled = {
            name: row[name] + (before[name] if before else 0)
            for name in ("settled_fen", "payable_fen")
        }
        runs = {*(before["runs"] if before else ()), row["run"]}
        latest[key] = {**row, **settled, "runs": runs}
    return list(latest.values())


def _sums(reading: Reading, scope: Scope, months: tuple[str, ...]) -> dict[tuple[str, str], Sums]:
    found: dict[tuple[str, str], Sums] = {}
    for row in _latest(reading, scope.area):
        if row["period"] not in months or row["fund"] not in scope.leaves:
            continue
        for code in (_WHOLE, row["institution"]):
            one = found.setdefault((row["fund"], code), Sums({}, set(), set()))
            one.runs |= row["runs"]
            one.institutions.add(row["institution"])
            for name in ("has_due", *CLEARING_SUMS):
                one.amounts[name] = one[name] + row[name]
    c = reading.clearing.regrouped_cases.c
    regrouped = reading.rows(
        select(c.institution, func.count())
        .where(c.area == scope.area, c.period.in_(months))
        .group_by(c.institution)
    )
    for code, count in regrouped:
        for (_, institution), one in found.items():
            if institution == code or (institution == _WHOLE and code in one.institutions):
                one.regrouped += count
    cleared = [key for key in found if key[1] != _WHOLE]
    for (fund, institution), said in reconciled_in(reading, scope, months, cleared).items():
        for code in (_WHOLE, institution):
            one = found.setdefault((fund, code), Sums({}, set(), set()))
            one.institutions.add(institution)
            one.reconciled.add(said)
    return found


def _point_values(reading: Reading, scope: Scope, months: tuple[str, ...]) -> list[dict[str, Any]]:
    """List the point value of every month by fund: that of its last approved run."""
    c = reading.clearing.clearing_runs.c
    found = reading.connection.execute(
        select(c.fund, c.period, c.run, c.point_value)
        .where(
            c.area == scope.area,
            c.period.in_(months),
            c.fund.in_(scope.leaves),
            c.state == APPROVED,
            c.point_value.is_not(None),
        )
        .order_by(c.fund, c.period, c.number)
    ).mappings()
    latest = {(row["fund"], row["period"]): dict(row) for row in found}
    return [latest[key] for key in sorted(latest)]


def _row(one: Sums, values: Mapping[str, Fraction | str], lang: str) -> dict[str, Any]:
    reasons = {name: value for name, value in values.items() if isinstance(value, str)}
    return {
        "institutions": len(one.institutions),
        "batches": len(one.runs),
        "cases": one["due_cases"],
        "settled_fen": one["settled_fen"],
        "booked_fen": one["due_booked_fen"],
        "due_fen": one["due_fen"] if one["has_due"] else None,
        **{name: _text(name, value) for name, value in values.items()},
        "reasons": {
            name: {"code": reason, "text": REASONS[reason][0 if lang == "zh" else 1]}
            for name, reason in reasons.items()
        },
    }


def _values(one: Sums, whole: Sums, policy: Mapping[str, str]) -> dict[str, Fraction | str]:
    """Compute every measure; a text is the reason why there is none.

    By grouping, 病案匹配率 is cases by points ÷ these and those that no group was found for, and
    填报准确率 the share of the same cases whose group was not changed afterwards. 误差率: how far due
    and booked are apart, the records that were wrong, or how far both sides' amounts are apart.
    """
    due, booked = one["due_fen"], one["due_booked_fen"]
    pointed, matched = one["pointed_cases"], one["pointed_cases"] + one["unmatched_cases"]
    rates = {
        "due_over_booked": _share(due, booked, one),
        "booked_over_due": _share(booked, due, one),
    }
    matches: dict[str, Fraction | str] = {
        "even_over_compared": one.reconciled.match_rate(),
        "grouped_over_cases": _share(pointed, matched, one, pointed=True),
    }
    records: dict[str, Fraction | str] = {
        "right_over_listed": one.reconciled.accuracy(),
        "kept_over_cases": _share(max(matched - one.regrouped, 0), matched, one, pointed=True),
    }
    grouped, regrouped = policy["match_rate"] == "grouped", policy["record_accuracy"] == "regrouped"
    accuracy = records["kept_over_cases" if regrouped else "right_over_listed"]
    errors: dict[str, Fraction | str] = {
        "due": _share(abs(due - booked), booked, one),
        "records": accuracy if isinstance(accuracy, str) else 100 - accuracy,
        "amounts": one.reconciled.error_rate(),
    }
    inverse = policy["settlement_rate"] == "booked/due"
    return {
        "settlement_rate": rates["booked_over_due" if inverse else "due_over_booked"],
        **rates,
        "match_rate": matches["grouped_over_cases" if grouped else "even_over_compared"],
        **matches,
        "record_accuracy": accuracy,
        **records,
        "error_rate": errors.get(policy["error_rate"], errors["records"]),
        "case_mix_index": _index(one, whole),
        "average_cost_fen": (
            Fraction(one["pointed_cost_fen"], pointed) if pointed else _why(one, "no_points")
        ),
    }


def _why(one: Sums, otherwise: str) -> str:
    if not one.runs:
        return "not_cleared"
    return otherwise if one["has_due"] else "not_by_methods"


def _share(part: int, base: int, one: Sums, *, pointed: bool = False) -> Fraction | str:
    if base > 0 and one["has_due"]:
        return Fraction(part * 100, base)
    return _why(one, "no_points" if pointed else "denominator_not_positive")


def _index(one: Sums, whole: Sums) -> Fraction | str:
    """CMI: average points of a case ÷ those of the area."""
    if not one["pointed_cases"] or not whole["points4"]:
        return _why(one, "no_points")
    mine = Fraction(one["points4"], one["pointed_cases"])
    return mine / Fraction(whole["points4"], whole["pointed_cases"])


def _text(name: str, value: Fraction | str) -> str | int | None:
    if isinstance(value, str):
        return None
    if name == "average_cost_fen":
        return int(decimal_text(value, _FEN))
    return decimal_text(value, _INDEX if name == "case_mix_index" else _RATE)
