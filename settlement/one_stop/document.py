"""One settlement put through the layers of a policy, as a document (待遇计算单)."""

from dataclasses import asdict, dataclass, field
from typing import Any

from settlement.one_stop.layers import Cost, Settled, YearSoFar, settle
from settlement.one_stop.policy import Applied, CaseKind, OneStopPolicy
from settlement.one_stop.refusals import MoreOutsideThanCost, NoRuleFits
from settlement.one_stop.steps import Step, steps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One settlement before it is put through the layers, and what the year has used before it."""

    kind: CaseKind
    cost: Cost
    year: YearSoFar = field(default_factory=YearSoFar)
    settlements: int = 0  # of the year before this one, in the pool of its basic rule


@dataclass(frozen=True, slots=True)
class Worked:
    """A case with the rules that it was put through and what these gave."""

    case: Case
    applied: Applied
    settled: Settled

    def steps(self) -> list[Step]:
        """Tell the layers in their order."""
        case = self.case
        return list(steps_of(case.cost, self.applied, case.settlements, case.year, self.settled))


def work(case: Case, policy: OneStopPolicy, *, policy_id: str) -> Worked:
    """Put a case through a policy; refused where no rule fits or more is outside than it cost."""
    if case.cost.within_scope_fen < 0:
        raise MoreOutsideThanCost(
            total_fen=case.cost.total_fen,
            outside_fen=case.cost.total_fen - case.cost.within_scope_fen,
        )
    applied = policy.applied_to(case.kind)
    if applied is None:
        raise NoRuleFits(policy=policy_id, kind=kind_text(case.kind))
    settled = settle(case.cost, applied.layers(case.settlements), case.year)
    return Worked(case, applied, settled)


def kind_text(kind: CaseKind) -> str:
    """Write what decides the rules of a settlement in one line."""
    return ", ".join(f"{name}={value}" for name, value in kind._asdict().items() if value)


def worked_document(worked: Worked) -> dict[str, Any]:
    """Give the amounts with every step between them; all in fen, shares as fractions in text."""
    case, settled = worked.case, worked.settled
    return {
        "kind": case.kind._asdict(),
        "cost": {
            "total_fen": case.cost.total_fen,
            "own_fen": case.cost.own_fen,
            "above_limit_fen": case.cost.above_limit_fen,
            "first_share_fen": case.cost.first_share_fen,
            "within_scope_fen": settled.within_scope_fen,
        },
        "year_before": {"settlements": case.settlements, **asdict(case.year)},
        "layers": [_step_document(step) for step in worked.steps()],
        "parts": {f"{part}_fen": fen for part, fen in settled.parts.items()},
        "funds_fen": sum(settled.parts.values()),
        "person_fen": settled.person_fen,
        "year_after": {"settlements": case.settlements + 1, **asdict(settled.year)},
    }


def _step_document(step: Step) -> dict[str, Any]:
    return {
        "layer": step.layer,
        "rule": step.rule,
        "part": step.part,
        "applies_to_fen": step.applies_to_fen,
        "year_before_fen": step.before_fen,
        "deductible_fen": step.deductible_fen,
        "segments": [
            {
                "from_fen": one.from_fen,
                "upto_fen": one.upto_fen,
                "fen": one.fen,
                "share": str(one.share),
            }
            for one in step.pieces
        ],
        "share": None if step.share is None else str(step.share),
        "ceiling_fen": step.ceiling_fen,
        "paid_before_fen": step.paid_before_fen,
        "paid_fen": step.paid_fen,
    }
