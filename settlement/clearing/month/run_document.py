"""Runs of the monthly clearing as documents (docs/settlement-month.md): amounts in fen."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ledger.aggregates.clearing import Run
from ledger.events.clearing import ClearedLine, OffsetTaken
from settlement.clearing.month.document import month_document
from settlement.clearing.month.plan import Plan
from settlement.clearing.month.provisional import Cleared
from settlement.clearing.monthly import rate

_AMOUNTS = tuple(
    name
    for name in ClearedLine.__struct_fields__
    if name.endswith("_fen") and not name.startswith("due_")
)


def run_document(run: Run, names: Mapping[str, str]) -> dict[str, Any]:
    """Give a run that was recorded, with its lines and where it stands."""
    computed = run.computed
    return {
        "run": run.id,
        "area": computed.area,
        "fund": computed.fund,
        "period": computed.period,
        "dry_run": False,
        "state": run.state,
        "prepared_by": computed.by,
        "approved_by": run.decided_by if run.state == "approved" else None,
        "reason": run.reason,
        "plan_hash": computed.plan_hash,
        "watermark": computed.watermark,
        "position": run.position,
        "record": {
            "engine": computed.engine,
            "engine_version": computed.engine_version,
            "kernel": computed.kernel,
            "parameters": computed.parameters,
            "watermark": computed.watermark,
            "result": computed.result,
        },
        "settlement": settlement_document(
            computed.lines,
            computed.offsets,
            names,
            basis=computed.basis,
            policy=computed.policy,
            policy_hash=computed.policy_hash,
        ),
    }


def dry_run_document(
    plan: Plan, beside: Cleared | None, names: Mapping[str, str]
) -> dict[str, Any]:
    """Give what a run would record, and what the methods make of the month where there are any."""
    place = {"area": plan.area, "fund": plan.fund, "period": plan.period}
    if plan.cleared is not None:
        document = month_document(plan.cleared, beside, names=names, **place)
    else:
        document = {**place, "dry_run": True, "watermark": plan.record.watermark}
    chosen = plan.chosen
    return document | {
        "plan_hash": plan.hash,
        "settlement": settlement_document(
            plan.lines,
            plan.offsets,
            names,
            basis=plan.basis.value,
            policy=None if chosen is None else chosen.id,
            policy_hash=None if chosen is None else chosen.content_hash,
        ),
    }


def settlement_document(
    lines: Iterable[ClearedLine],
    offsets: Iterable[OffsetTaken],
    names: Mapping[str, str],
    **head: str | None,
) -> dict[str, Any]:
    """Give the lines of a run, their sums, and what each payee is to be paid."""
    lines = tuple(lines)
    payees: dict[str, int] = {}
    for line in lines:
        payees[line.payee] = payees.get(line.payee, 0) + line.payable_fen
    return {
        **head,
        "total": {
            "institutions": len(lines),
            "cases": sum(line.cases for line in lines),
            **{name: sum(getattr(line, name) for line in lines) for name in _AMOUNTS},
        },
        "lines": [
            {
                "institution": line.institution,
                "name": names.get(line.institution),
                **{
                    name: value
                    for name, value in msgspec.structs.asdict(line).items()
                    if name != "institution"
                },
                "due_over_booked": _settlement_rate(line),
            }
            for line in lines
        ],
        "payees": [
            {"payee": code, "name": names.get(code), "payable_fen": fen}
            for code, fen in sorted(payees.items())
        ],
        "offsets": [msgspec.structs.asdict(one) for one in offsets],
    }


def _settlement_rate(line: ClearedLine) -> str | None:
    """Give 结付率 of the month: due ÷ what was booked of the cases in it."""
    if line.due_fen is None or line.due_booked_fen is None:
        return None
    return rate(line.due_fen, line.due_booked_fen)
