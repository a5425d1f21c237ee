"""The answer of ``reconcile bank|treasury|fiscal|tax`` as one document: balances and what is open.

Every open payment names its age in days, who owns it, and the number of its break.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from ledger.aggregates.area import Area
from settlement.reconciliation.document import rate_of
from settlement.reconciliation.money import (
    APART,
    EVEN,
    EXPLAINED,
    NO_STATEMENT,
    AccountResult,
    Gap,
    Item,
    MoneyReconciliation,
)

RESULT_NAMES = {
    EVEN: ("相符", "even"),
    EXPLAINED: ("调节后相符", "even once adjusted"),
    APART: ("不符", "apart"),
    NO_STATEMENT: ("未收到对账单", "no statement"),
}
COUNTERPARTY_NAMES = {
    "bank": ("银行", "bank"),
    "treasury": ("国库", "treasury"),
    "fiscal": ("财政专户", "fiscal special account"),
    "tax": ("税务", "tax office"),
}


def money_document(
    found: MoneyReconciliation, area: Area, *, today: date, lang: str
) -> dict[str, Any]:
    """Give a result as JSON; all amounts in fen."""
    writer = _Writer(area, found.counterparty, today, lang)
    return {
        "position": found.position,
        "area": found.area,
        "counterparty": found.counterparty,
        "counterparty_name": COUNTERPARTY_NAMES[found.counterparty][lang != "zh"],
        "period": found.period,
        "summary": _summary(found),
        "accounts": [writer.account(one) for one in found.accounts],
    }


def _summary(found: MoneyReconciliation) -> dict[str, Any]:
    results = Counter(one.result for one in found.accounts)
    matched = sum(
        len(pair.ours) + len(pair.theirs) for one in found.accounts for pair in one.pairings
    )
    open_ours = sum(len(one.only_ours) for one in found.accounts)
    open_theirs = sum(len(one.only_theirs) for one in found.accounts)
    unequal = sum(len(one.unequal) for one in found.accounts)
    everything = matched + open_ours + open_theirs + 2 * unequal
    return {
        "accounts": len(found.accounts),
        **{name: results[name] for name in RESULT_NAMES},
        "matched": matched,
        "open_ours": open_ours,
        "open_theirs": open_theirs,
        "unequal": unequal,
        "match_rate": rate_of(matched, everything),
    }


class _Writer:
    """Writes a result for one reader."""

    def __init__(self, area: Area, counterparty: str, today: date, lang: str) -> None:
        self._area = area
        self._counterparty = counterparty
        self._today = today
        self._zh = lang == "zh"

    def account(self, one: AccountResult) -> dict[str, Any]:
        zh, en = RESULT_NAMES[one.result]
        return {
            "account": one.unit.name,
            "money_account": one.unit.money_account,
            "registered": one.unit.registered,
            "funds": sorted(one.unit.funds),
            "since": one.since.isoformat(),
            "basis": one.basis,
            "result": one.result,
            "result_name": zh if self._zh else en,
            "stated_lines": one.stated_lines,
            "ours_fen": one.ours_fen,
            "theirs_fen": one.theirs_fen,
            "theirs_in_fen": _sum(one.only_theirs, into=True),
            "theirs_out_fen": _sum(one.only_theirs, into=False),
            "ours_in_fen": _sum(one.only_ours, into=True),
            "ours_out_fen": _sum(one.only_ours, into=False),
            "adjusted_ours_fen": one.adjusted_ours_fen,
            "adjusted_theirs_fen": one.adjusted_theirs_fen,
            "difference_fen": one.difference_fen,
            "opening_fen": one.opening_fen,
            "unequal_fen": one.unequal_fen,
            "matched": [
                {
                    "match": pair.match,
                    "how": str(pair.how),
                    "ours": [item.item for item in pair.ours],
                    "theirs": [item.item for item in pair.theirs],
                }
                for pair in one.pairings
            ],
            "matches": dict(Counter(str(pair.how) for pair in one.pairings)),
            "outstanding": [
                self.item(item, one.ambiguous)
                for item in sorted(
                    (*one.only_ours, *one.only_theirs), key=lambda item: (item.day, item.side)
                )
            ],
            "unequal": [
                {"ours": self.item(mine), "theirs": self.item(other)} for mine, other in one.unequal
            ],
            "gaps": [self.gap(gap) for gap in one.gaps],
        }

    def item(
        self, one: Item, ambiguous: frozenset[tuple[str, str]] = frozenset()
    ) -> dict[str, Any]:
        name, *_ = self._area.institutions.get(one.party, (None, None))
        return {
            "side": one.side,
            "item": one.item,
            "date": one.day.isoformat(),
            "fen": one.fen,
            "ref": one.ref or None,
            "text": one.text,
            "party": one.party or None,
            "party_name": name,
            "owner": one.owner,
            "days": (self._today - one.day).days,
            "ambiguous": (one.side, one.item) in ambiguous,
            "position": one.position,
            "intake": one.intake,
            "line": one.line,
        }

    def gap(self, gap: Gap) -> dict[str, Any]:
        return {
            "date": gap.day.isoformat(),
            "intake": gap.line.intake,
            "line": gap.line.line,
            "expected_fen": gap.expected_fen,
            "stated_fen": gap.stated_fen,
        }


def _sum(items: Iterable[Item], *, into: bool) -> int:
    return sum(one.fen for one in items if (one.fen > 0) == into)
