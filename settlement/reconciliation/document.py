"""The answer of ``reconcile institution`` as one document (contract §5): figures in fen, both sides."""

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any

from ledger.aggregates.area import Area
from settlement.intake.vocabulary import CLR_TYPE_WORDS, INSUTYPE_WORDS
from settlement.reconciliation.by_fund import FundResult
from settlement.reconciliation.institutions import (
    Break,
    DetailResult,
    Group,
    Reconciliation,
    Unreconciled,
)
from settlement.reconciliation.match import Detail, Result, Totals
from settlement.reconciliation.recording import OpenSince, break_key, group_key

RESULT_NAMES = {
    Result.EVEN: ("平", "even"),
    Result.OURS_MORE: ("中心多", "ours more"),
    Result.THEIRS_MORE: ("机构多", "theirs more"),
    Result.UNEQUAL: ("不一致", "unequal"),
}
_COUNTS = {
    "even": Result.EVEN,
    "ours_more": Result.OURS_MORE,
    "theirs_more": Result.THEIRS_MORE,
    "unequal": Result.UNEQUAL,
}


class _Writer:
    """Writes a result for one reader: names in the language, ages as of a day."""

    def __init__(
        self, area: Area, since: Mapping[Hashable, OpenSince], today: date, lang: str
    ) -> None:
        self._area = area
        self._since = since
        self._today = today
        self._zh = lang == "zh"

    def named(self, institution: str) -> dict[str, Any]:
        name, _ = self._area.institutions.get(institution, (None, None))
        return {"institution": institution, "name": name}

    def result(self, result: Result) -> dict[str, str]:
        zh, en = RESULT_NAMES[result]
        return {"result": str(result), "result_name": zh if self._zh else en}

    def age(self, key: Hashable) -> dict[str, Any] | None:
        found = self._since.get(key)
        if found is None:
            return None
        days = (self._today - found.day).days
        return {"position": found.position, "date": found.day.isoformat(), "days": days}

    def group(self, group: Group) -> dict[str, Any]:
        return {
            **self.named(group.key.institution),
            "insutype": group.key.insutype,
            "insutype_name": self._word(INSUTYPE_WORDS, group.key.insutype),
            "clr_type": group.key.clr_type,
            "clr_type_name": self._word(CLR_TYPE_WORDS, group.key.clr_type),
            "part": group.part,
            **self.result(group.result),
            "ours": _totals(group.ours),
            "theirs": None if group.theirs is None else _totals(group.theirs),
            "intake": group.intake,
            "line": group.line,
            "first_recorded": self.age(group_key(group)),
        }

    def fund(self, one: FundResult) -> dict[str, Any]:
        result = None if one.result is None else self.result(one.result)
        return {
            **self.named(one.key.institution),
            "fund": one.key.fund or None,
            "clr_type": one.key.clr_type,
            "clr_type_name": self._word(CLR_TYPE_WORDS, one.key.clr_type),
            "ours_fen": one.ours_fen,
            "theirs_fen": one.theirs_fen,
            **(result or {"result": None, "result_name": None}),
            "reason": one.reason,
        }

    def _word(self, words: Mapping[str, tuple[str, ...]], code: str) -> str | None:
        return words[code][0] if code in words else None

    def unreconciled(self, one: Unreconciled) -> dict[str, Any]:
        return {
            **self.named(one.institution),
            "ours": _totals(one.ours),
            "first_recorded": self.age(one.institution),
        }

    def details(self, result: DetailResult) -> dict[str, Any]:
        counts = {
            name: result.count(code) for name, code in _COUNTS.items() if code is not Result.EVEN
        }
        return {
            **self.named(result.institution),
            "even": result.even,
            **counts,
            "breaks": [self.broken(one) for one in result.breaks],
        }

    def broken(self, one: Break) -> dict[str, Any]:
        return {
            "setl_id": one.setl_id,
            "refund": one.refund,
            **self.result(one.result),
            "insutype": one.group.insutype if one.group else None,
            "clr_type": one.group.clr_type if one.group else None,
            "ours": _amounts(one.ours),
            "theirs": _amounts(one.theirs),
            "position": one.ours.line if one.ours else None,
            "intake": one.intake,
            "line": one.theirs.line if one.theirs else None,
            "first_recorded": self.age(break_key(one)),
        }


def document_of(
    found: Reconciliation,
    area: Area,
    *,
    since: Mapping[Hashable, OpenSince],
    today: date,
    lang: str,
) -> dict[str, Any]:
    """Give a result as JSON; every figure comes with both sides."""
    writer = _Writer(area, since, today, lang)
    return {
        "position": found.position,
        "area": found.area,
        "counterparty": "institution",
        "period": found.period,
        "summary": summary_of(found),
        "groups": [writer.group(group) for group in found.groups],
        "unreconciled": [writer.unreconciled(one) for one in found.unreconciled],
        "by_fund": [writer.fund(one) for one in found.by_fund],
        "details": [writer.details(one) for one in found.details],
        "elsewhere": _totals(found.elsewhere),
    }


def summary_of(found: Reconciliation) -> dict[str, Any]:
    """Count the results, and how many of what was compared matched (对平率)."""
    groups = {name: found.count(result) for name, result in _COUNTS.items()}
    even = sum(one.even for one in found.details)
    return {
        "groups": len(found.groups),
        **groups,
        "unreconciled": len(found.unreconciled),
        "match_rate": rate_of(groups["even"], len(found.groups)),
        "details_even": even,
        "breaks": len(found.breaks),
        "details_match_rate": rate_of(even, even + len(found.breaks)),
    }


def rate_of(part: int, whole: int) -> str | None:
    """Write a share in per cent with two decimals, half up; None where there is nothing to share."""
    if not whole:
        return None
    hundredths = (part * 20_000 + whole) // (2 * whole)
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _totals(totals: Totals) -> dict[str, int]:
    return {
        "cases": totals.cases,
        "medfee_fen": totals.medfee_fen,
        "fund_fen": totals.fund_fen,
        "account_fen": totals.account_fen,
    }


def _amounts(detail: Detail | None) -> dict[str, int] | None:
    if detail is None:
        return None
    return {
        "medfee_fen": detail.medfee_fen,
        "fund_fen": detail.fund_fen,
        "account_fen": detail.account_fen,
    }
