"""The result of a check as a document, and recorded in the log (一站式核查登记)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import layers_stream
from ledger.events.base import Envelope
from ledger.events.one_stop import FlaggedPart, LayersChecked
from ledger.store.commit import Commit
from settlement.one_stop.check import Checked, Flagged

#: So many deviations are kept in the recorded fact; all of them are in the document and its file.
MOST_RECORDED = 20_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a result stands in the log; ``repeated``: the last recording said the same."""

    position: int
    repeated: bool


def record_check(ledger: FundLedger, area: Area, checked: Checked, *, user: str | None) -> Recorded:
    """Record a result; the same result again adds nothing."""
    by = area.allow(user, "reconcile")
    fact = LayersChecked(
        area=area.code,
        by=by,
        fund=checked.fund,
        period=str(checked.period),
        as_of=checked.record.watermark,
        policies=tuple(one.id for one in checked.policies),
        settlements=checked.settlements,
        judged=checked.judged,
        unjudged=dict(checked.unjudged),
        deviations=len(checked.flagged),
        differences=differences_of(checked),
        flagged=tuple(map(_part, checked.flagged[:MOST_RECORDED])),
        kernel=checked.record.kernel,
        result=checked.record.result,
    )
    stream = layers_stream(area.code, checked.fund, str(checked.period))
    history = ledger.history(stream)
    if history:
        position, last = history[-1][0], history[-1][1].fact
        if isinstance(last, LayersChecked) and _said(last) == _said(fact):
            return Recorded(position, repeated=True)
    receipt = ledger.append(
        [Envelope(stream, len(history) + 1, fact)],
        Commit(
            key=f"layers:{stream}:{len(history) + 1}",
            input_hash=sha256(msgspec.json.encode(fact)).hexdigest(),
        ),
    )
    return Recorded(receipt.last_position, repeated=receipt.repeated)


def differences_of(checked: Checked) -> dict[str, int]:
    """Add up what was settled above (or below) what the policy gives, by part."""
    found: dict[str, int] = {}
    for one in checked.flagged:
        found[one.part] = found.get(one.part, 0) + one.difference_fen
    return dict(sorted(found.items()))


def _part(one: Flagged) -> FlaggedPart:
    return FlaggedPart(one.setl_id, one.part, one.settled_fen, one.by_policy_fen, one.unsure)


def _said(fact: LayersChecked) -> tuple[object, ...]:
    """Give what a recording says, whoever made it and when."""
    return (fact.policies, fact.settlements, fact.judged, fact.unjudged, fact.deviations,
            fact.differences, fact.flagged)  # fmt: skip


def check_document(checked: Checked) -> dict[str, Any]:
    """Give a result as JSON; every deviation with both amounts and its rule."""
    unsure = sum(one.unsure is not None for one in checked.flagged)
    return {
        "position": checked.record.watermark,
        "area": checked.area,
        "fund": checked.fund,
        "period": str(checked.period),
        "policies": [
            {"policy": one.id, "title": one.policy.title, "content_hash": one.content_hash}
            for one in checked.policies
        ],
        "settlements": checked.settlements,
        "judged": checked.judged,
        "unjudged": dict(checked.unjudged),
        "insured_elsewhere": checked.passthrough,
        "history_from": checked.history_from,
        "history_complete": checked.history_complete,
        "key_versions": list(checked.key_versions),
        "settlements_flagged": len({one.position for one in checked.flagged}),
        "deviations": len(checked.flagged),
        "unsure": unsure,
        "differences_fen": differences_of(checked),
        "flagged": [
            {
                "setl_id": one.setl_id,
                "position": one.position,
                "person": one.person,
                "institution": one.institution,
                "date": one.setl_date,
                "med_type": one.med_type,
                "policy": one.policy,
                "rule": one.rule,
                "part": one.part,
                "settled_fen": one.settled_fen,
                "by_policy_fen": one.by_policy_fen,
                "difference_fen": one.difference_fen,
                "unsure": one.unsure,
            }
            for one in checked.flagged
        ],
        "run": {
            "engine": checked.record.engine,
            "engine_version": checked.record.engine_version,
            "kernel": checked.record.kernel,
            "parameters": checked.record.parameters,
            "result": checked.record.result,
        },
    }
